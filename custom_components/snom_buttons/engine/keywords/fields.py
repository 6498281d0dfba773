"""The fields by which a user describes a key, and the values that each accepts.

The values are checked here and not by a schema, so that an error is translated and
names what is allowed. Home Assistant logs such errors: they quote words, but no text
that may be a caller, a number or a label.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from numbers import Number
from typing import Any, Final, NamedTuple

from ..names import forbidden_in
from ..refused import Refused, kind_of, quoted
from ..xbuttons import (
    MAX_TEXT,
    PROPERTIES,
    Action,
    Color,
    Direction,
    Forward,
    KeyDescription,
    KeyState,
    KeyType,
    LightMode,
    MessageWaiting,
    Release,
    Treatment,
    is_other_color,
)

MAX_LABEL: Final = 128
"""Characters of a text on a key."""


class Field(NamedTuple):
    """What a field sets, and which values it accepts."""

    property: str
    """The field of KeyDescription."""
    accepts: Callable[[Any], object] = lambda _: True
    """Whether users may set a value, given as the document's reader returns it."""
    error: str = "invalid_text"
    """The key of Refused for a value that is not accepted."""
    allowed: str = ""
    """The allowed words, for the text of that error."""
    max_length: int = MAX_LABEL


def _typed(name: str, accepted: type, error: str, allowed: str = "") -> Field:
    """Return a field that accepts the values of a type."""
    return Field(name, lambda value: isinstance(value, accepted), error, allowed)


def _word(name: str, words: type[StrEnum]) -> Field:
    """Return a field that accepts the words of an enumeration."""
    return _typed(name, words, "invalid_word", ", ".join(words))


FIELDS: Final[Mapping[str, Field]] = {
    "light": _word("light", LightMode),
    "color": Field(
        "color",
        lambda value: isinstance(value, Color) or is_other_color(value),
        "invalid_color",
        ", ".join(Color),
    ),
    "label": Field("label"),
    "display_name": Field("display_name"),
    "caller": Field("caller"),
    "number": Field("number", max_length=MAX_TEXT),
    "action": _word("action", Action),
    "direction": _word("direction", Direction),
    "forward": _typed("forward", Forward, "invalid_forward"),
    "mwi": _typed("message_waiting", MessageWaiting, "invalid_mwi"),
    "release": _word("release", Release),
    "states": Field(
        "states",
        lambda value: all(isinstance(state, KeyState) for state in value),
        "invalid_word",
        ", ".join(KeyState),
    ),
    "treatment": Field(
        "treatment",
        lambda value: (
            isinstance(value, Treatment) and value.text and value.token.isascii()
        ),
        "invalid_treatment",
    ),
    "type": _word("type", KeyType),
}
"""In the order of the form in Home Assistant."""

_READERS: Final = {known.field: known.read for known in PROPERTIES}
_EMPTY: Final = KeyDescription(name="1")
_YES: Final = frozenset(("1", "true", "yes", "on", "enable"))
_NO: Final = frozenset(("0", "false", "no", "off", "disable"))


def read_fields(data: Mapping[str, object]) -> dict[str, Any]:
    """Return the values of the named fields, by field of KeyDescription.

    An empty text removes the field. Raises Refused for a value that no key can have.
    """
    return {
        field.property: _read(name, field, data[name])
        for name, field in FIELDS.items()
        if name in data
    }


def read_messages(value: object) -> MessageWaiting:
    """Return the waiting messages of a phone, in the words of a key's `mwi`.

    An empty text is none. Raises Refused.
    """
    read: MessageWaiting | None = _read("mwi", FIELDS["mwi"], value)
    return read or MessageWaiting(new=0, old=0)


def as_text(name: str, value: object) -> str:
    """Return a value as text: YAML and JSON read some texts as numbers.

    Raises Refused for a value that is not a text.
    """
    text = str(value).strip()
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    # JSON reads a long number as 1e+30, which is not a number to dial.
    if not is_text and not (isinstance(value, float) and "e" not in text):
        raise Refused("invalid_text", field=name, value=kind_of(value))
    return text


def as_truth(name: str, value: object) -> bool:
    """Return the truth of a value, in the words of Home Assistant's YAML.

    Raises Refused for any other value.
    """
    if isinstance(value, Number):  # also a bool
        return value != 0  # type: ignore[comparison-overlap]
    word = value.lower().strip() if isinstance(value, str) else ""
    if word in _YES or word in _NO:
        return word in _YES
    raise Refused(
        "invalid_word", field=name, value=quoted(value), allowed="true, false"
    )


def _read(name: str, field: Field, value: object) -> Any:
    """Return the value of a field as KeyDescription holds it. Raises Refused."""
    if name == "light" and isinstance(value, bool):
        value = LightMode.ON if value else LightMode.OFF
    elif name == "states" and isinstance(value, list):
        value = ",".join(as_text(name, state) for state in value)
    text = as_text(name, value)
    if not text:
        return getattr(_EMPTY, field.property)
    if len(text) > field.max_length:
        raise Refused(
            "text_too_long",
            field=name,
            size=str(len(text)),
            allowed=str(field.max_length),
        )
    read = _READERS[field.property](text)
    if not field.accepts(read):
        raise Refused(
            field.error, field=name, value=quoted(text), allowed=field.allowed
        )
    if (found := forbidden_in(text)) is not None:
        character = f"U+{ord(found):04X}"
        raise Refused("invalid_characters", field=name, character=character)
    return read
