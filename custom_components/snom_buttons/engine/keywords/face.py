"""A face: what a lamp shows, in the words of users, and to a person who looks at it.

A real phone blinks by its settings (`led_on`, `led_blink_slow`, …); the patterns are
their defaults as far as known.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from ..dialoginfo import DialogState
from ..refused import Refused, quoted
from ..xbuttons import Color, KeyDescription, LightMode, is_other_color
from .fields import as_text, read_fields


class Face(NamedTuple):
    """The light mode and the colour of a lamp."""

    light: LightMode | str
    color: Color | str | None = None
    """None for the colour that the phone chooses."""


def read_face(value: object) -> Face:
    """Return the face that a text names: a light mode, and perhaps a colour.

    YAML reads the words on and off as truth values. Raises Refused.
    """
    if isinstance(value, bool):
        value = "on" if value else "off"
    words = as_text("look", value).split()
    if not 1 <= len(words) <= len(Face._fields):
        raise Refused(
            "invalid_word",
            field="look",
            value=quoted(value),
            allowed=", ".join(LightMode),
        )
    return Face(**read_fields(dict(zip(("light", "color"), words, strict=False))))


_RED, _GREEN, _ORANGE = "#ff453a", "#30d158", "#ff9f0a"
_COLORS: dict[str | None, str] = {
    Color.LOCAL: _GREEN,
    Color.REMOTE: _RED,
    Color.RED: _RED,
    Color.GREEN: _GREEN,
    Color.ORANGE: _ORANGE,
}


class Pattern(Enum):
    """The pattern of a lamp; the value is its half period in seconds."""

    DARK = None
    STEADY = 0.0
    SLOW = 1.0
    MEDIUM = 0.5
    FAST = 0.25

    def is_lit(self, seconds: float) -> bool:
        """Whether the lamp is lit at a time in seconds of any clock."""
        if not self.value:
            return self is Pattern.STEADY
        return int(seconds / self.value) % 2 == 0


_PATTERNS: dict[str, Pattern] = {
    LightMode.ON: Pattern.STEADY,
    LightMode.SEIZED: Pattern.STEADY,
    LightMode.OFFLINE: Pattern.STEADY,
    LightMode.HOLD: Pattern.SLOW,
    LightMode.PARK: Pattern.SLOW,
    LightMode.MESSAGE: Pattern.MEDIUM,
    LightMode.RECORD: Pattern.MEDIUM,
    LightMode.PICKUP: Pattern.FAST,
    LightMode.ERROR: Pattern.FAST,
}


LAMP_SETTINGS: Final[Mapping[str, Pattern]] = {
    "led_on": Pattern.STEADY,
    "led_blink_slow": Pattern.SLOW,
    "led_blink_medium": Pattern.MEDIUM,
    "led_blink_fast": Pattern.FAST,
}
"""The settings with the states in which a lamp shines, and how it does."""

_STATES: dict[str, set[str]] = {
    LightMode.HOLD: {"HOLD", "HOLDING"},
    LightMode.PARK: {"PARK", "PARKED"},
    LightMode.RECORD: {"RECORD", "RECORDING"},
}
"""The names that a light mode may have as a state; that of the others is in capitals."""

_NOT_SET: Mapping[str, str] = {}


def pattern_of(look: KeyDescription, lamps: Mapping[str, str] = _NOT_SET) -> Pattern:
    """Return the pattern of a key's lamp; DARK for an unknown light mode.

    `lamps` are the values of LAMP_SETTINGS, if the phone was set to any.
    """
    if not lamps:
        return _PATTERNS.get(look.light, Pattern.DARK)
    states = _STATES.get(look.light, {look.light.upper()})
    for name, shown in LAMP_SETTINGS.items():
        if states & set(lamps.get(name, "").split()):
            return shown
    return Pattern.DARK


def color_of(look: KeyDescription) -> str:
    """Return the colour of a key's lamp as `#RRGGBB`; red by default."""
    if look.color is not None and is_other_color(look.color):
        return look.color
    return _COLORS.get(look.color, _RED)


def lamp_of_state(state: DialogState, *, idle_is_green: bool) -> tuple[Pattern, str]:
    """Return the pattern and the colour of the lamp of a BLF key in a dialog state.

    `idle_is_green`: of a phone whose lamps are green while nothing is on
    (docs/any-phone.md).
    """
    match state:
        case DialogState.TERMINATED if idle_is_green:
            return Pattern.STEADY, _GREEN
        case DialogState.TERMINATED:
            return Pattern.DARK, _RED
        case DialogState.EARLY:
            return Pattern.FAST, _RED
        case _:
            return Pattern.STEADY, _RED
