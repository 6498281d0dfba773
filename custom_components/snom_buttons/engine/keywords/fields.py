"""The fields by which a user describes a key, and what each of them takes.

What a user writes is checked here and not by a schema: so an error is translated, and
says what is allowed.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, NamedTuple

import voluptuous as vol

from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from ...const import DOMAIN
from ...hub.settings import MAX_LABEL
from ..phones import (
    MAX_TEXT,
    PROPERTIES,
    Action,
    Color,
    Direction,
    DocumentError,
    Forward,
    KeyDescription,
    KeyState,
    KeyType,
    LightMode,
    MessageWaiting,
    Release,
    Treatment,
    format_document,
    is_other_color,
)

MAX_QUOTED: Final = 40
"""Characters of a wrong value that an error shows."""


class Field(NamedTuple):
    """What a field takes."""

    property: str
    """The field of KeyDescription that it sets."""
    accepts: Callable[[Any], object] = lambda _: True
    """Whether a value, read as the document is read, is one that users may set."""
    error: str = "invalid_text"
    """The translation key of what is said if not."""
    allowed: str = ""
    """The words that may be used."""
    max_length: int = MAX_LABEL


def _word(name: str, words: type[StrEnum]) -> Field:
    """Return a field that takes one of an enumeration's words."""
    return Field(
        name, lambda value: isinstance(value, words), "invalid_word", ", ".join(words)
    )


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
    "forward": Field(
        "forward", lambda value: isinstance(value, Forward), "invalid_forward"
    ),
    "mwi": Field(
        "message_waiting",
        lambda value: isinstance(value, MessageWaiting),
        "invalid_mwi",
    ),
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
"""In the order in which a dialogue shows them."""

_READERS: Final = {known.field: known.read for known in PROPERTIES}
_EMPTY: Final = KeyDescription(name="1")


def read_fields(data: Mapping[str, object]) -> dict[str, Any]:
    """Return what to replace in a description, for those of the fields that are named.

    An empty text takes away what the field would say. Raises ServiceValidationError,
    translated, for a value that no key can have.
    """
    return {
        field.property: _read(name, field, data[name])
        for name, field in FIELDS.items()
        if name in data
    }


def invalid(translation_key: str, **placeholders: str) -> ServiceValidationError:
    """Return the error that says what was wrong and what would be right."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders=placeholders,
    )


def quoted(value: object) -> str:
    """Return what a user wrote, the end of a long text left out."""
    text = "null" if value is None else str(value)
    return text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 1]}…"


def as_text(name: str, value: object) -> str:
    """Return a value as a text, for YAML and JSON take some texts for something else.

    Raises ServiceValidationError for what is none.
    """
    text = str(value).strip()
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    # JSON makes 1e+30 of a number that is too long, which nobody wants to dial.
    if not is_text and not (isinstance(value, float) and "e" not in text):
        raise invalid("invalid_text", field=name, value=quoted(value))
    return text


def as_truth(name: str, value: object) -> bool:
    """Return a value that says yes or no. Raises ServiceValidationError."""
    try:
        return cv.boolean(value)
    except vol.Invalid as err:
        raise invalid(
            "invalid_word", field=name, value=quoted(value), allowed="true, false"
        ) from err


def _read(name: str, field: Field, value: object) -> Any:
    """Return the value of a field as a description holds it."""
    if name == "light" and isinstance(value, bool):
        value = LightMode.ON if value else LightMode.OFF
    elif name == "states" and isinstance(value, list):
        value = ",".join(as_text(name, state) for state in value)
    text = as_text(name, value)
    if not text:
        return getattr(_EMPTY, field.property)
    if len(text) > field.max_length:
        raise invalid(
            "text_too_long",
            field=name,
            value=quoted(text),
            allowed=str(field.max_length),
        )
    read = _READERS[field.property](text)
    if not field.accepts(read):
        raise invalid(
            field.error, field=name, value=quoted(text), allowed=field.allowed
        )
    try:
        format_document([replace(_EMPTY, **{field.property: read})])
    except DocumentError as err:
        raise invalid("invalid_characters", field=name, value=quoted(text)) from err
    return read
