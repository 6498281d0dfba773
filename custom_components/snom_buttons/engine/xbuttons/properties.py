"""The properties of a key: the field of each letter, and its value as text and back.

Two rules hold for each property: `read` accepts any text and returns an unknown one
unchanged; and `read(write(value)) == value` for each value that `read` can return.
"""

from collections.abc import Callable
from dataclasses import fields
from enum import StrEnum
from operator import attrgetter
import re
from typing import Any, NamedTuple

from .model import (
    Action,
    Color,
    Direction,
    Forward,
    ForwardCondition,
    KeyDescription,
    KeyState,
    KeyType,
    LightMode,
    MessageWaiting,
    Release,
    Treatment,
)

_COUNTS = re.compile("([0-9]{1,9})/([0-9]{1,9})")
_STATE = re.compile("|".join(KeyState))
_STATE_SEPARATOR = re.compile("[ ,]")


class Property(NamedTuple):
    """One property of the document."""

    letter: str
    """The name before the `=`."""
    field: str
    """The field of KeyDescription."""
    form: str
    """The form of a value, for error messages."""
    read: Callable[[str], Any] = str
    """Return the value of a text that is not empty."""
    write: Callable[[Any], str] = str
    """Return the text of a value."""


def _words(enum: type[StrEnum]) -> Callable[[str], StrEnum | str]:
    known: dict[str, StrEnum | str] = {word.value: word for word in enum}
    return lambda text: known.get(text, text)


def _read_forward(text: str) -> Forward | str:
    """Return `f=`: condition and target, without a separator (the ABNF)."""
    for condition in ForwardCondition:
        if text.startswith(condition) and len(text) > len(condition):
            return Forward(condition, text[len(condition) :].lstrip(" "))
    return text


def _read_message_waiting(text: str) -> MessageWaiting | str:
    """Return `m=`: two counts in ASCII digits, of limited length."""
    counts = _COUNTS.fullmatch(text)
    return MessageWaiting(int(counts[1]), int(counts[2])) if counts else text


def _read_states(text: str) -> tuple[KeyState | str, ...]:
    """Return `s=`: words without separators (the ABNF), with spaces or with commas."""
    states = _STATE.findall(text)
    if not states or "".join(states) != _STATE_SEPARATOR.sub("", text):
        return (text,)
    return tuple(map(KeyState, states))


def _read_treatment(text: str) -> Treatment:
    token, _, rest = text.partition(" ")
    return Treatment(token, rest.lstrip(" "))


NAME = Property("k", "name", "a text that is not empty")
ACTION = Property("a", "action", "a word such as 'message'", _words(Action))

PROPERTIES = (
    Property("c", "light", "a word such as 'on'", _words(LightMode)),
    Property("o", "color", "a colour such as 'red' or '#FF0000'", _words(Color)),
    Property("n", "number", "a text that is not empty"),
    ACTION,
    Property("l", "label", "a text that is not empty"),
    Property("d", "display_name", "a text that is not empty"),
    Property("i", "caller", "a text that is not empty"),
    Property("b", "direction", "'in' or 'out'", _words(Direction)),
    Property("f", "forward", "'always' or 'busy' and a target", _read_forward),
    Property("m", "message_waiting", "two counts as in '3/1'", _read_message_waiting),
    Property("r", "release", "a word such as 'hangup'", _words(Release)),
    Property("s", "states", "'dnd', 'logoff', 'offline'", _read_states, "".join),
    Property("t", "treatment", "a token, a space and a text", _read_treatment),
    Property("x", "type", "a word such as 'line'", _words(KeyType)),
)
"""All but the name and unknown ones, in the order of writing: that of the document's
examples that state a length."""

BY_LETTER = {known.letter: known for known in (NAME, *PROPERTIES)}

values_of: Callable[[KeyDescription], tuple[Any, ...]] = attrgetter(
    *(known.field for known in PROPERTIES)
)
"""Returns the values of a key in the order of PROPERTIES."""

_DEFAULT_OF = {field.name: field.default for field in fields(KeyDescription)}
DEFAULTS = tuple(_DEFAULT_OF[known.field] for known in PROPERTIES)
"""The document's defaults in the order of PROPERTIES."""
