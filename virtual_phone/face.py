"""What a person sees of a key: how its lamp shines, and the words beside it.

How a real phone blinks is its own configuration (`led_on`, `led_blink_slow` and so
on); here are its defaults, as far as they are known.
"""

from __future__ import annotations

from enum import Enum
import re

from custom_components.snom_buttons.xbuttons import (
    Color,
    DocumentError,
    KeyDescription,
    Light,
    format as format_document,
)

_RED, _GREEN, _ORANGE = "#ff453a", "#30d158", "#ff9f0a"
_COLORS: dict[str | None, str] = {
    Color.LOCAL: _GREEN,
    Color.REMOTE: _RED,
    Color.RED: _RED,
    Color.GREEN: _GREEN,
    Color.ORANGE: _ORANGE,
}
_OTHER_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


class Pattern(Enum):
    """How a lamp shines; a blinking one's value is its half period in seconds."""

    DARK = None
    STEADY = 0.0
    SLOW = 1.0
    MEDIUM = 0.5
    FAST = 0.25

    def is_lit(self, seconds: float) -> bool:
        """Whether the lamp is lit at this time of any clock."""
        if not self.value:
            return self is Pattern.STEADY
        return int(seconds / self.value) % 2 == 0


_PATTERNS: dict[str, Pattern] = {
    Light.ON: Pattern.STEADY,
    Light.SEIZED: Pattern.STEADY,
    Light.RECORD: Pattern.STEADY,
    Light.OFFLINE: Pattern.STEADY,
    Light.HOLD: Pattern.SLOW,
    Light.PARK: Pattern.SLOW,
    Light.MESSAGE: Pattern.MEDIUM,
    Light.PICKUP: Pattern.FAST,
    Light.ERROR: Pattern.FAST,
}


def pattern(key: KeyDescription) -> Pattern:
    """Return how the key's lamp shines; an unknown light mode leaves it dark."""
    return _PATTERNS.get(key.light, Pattern.DARK)


def color(key: KeyDescription) -> str:
    """Return the colour of the key's lamp as `#RRGGBB`: red unless it says another."""
    if key.color is not None and _OTHER_COLOR.fullmatch(key.color):
        return key.color
    return _COLORS.get(key.color, _RED)


def captions(key: KeyDescription) -> tuple[str, str]:
    """Return the two lines beside the lamp: what the key is called, and all the rest."""
    title = key.label or key.display_name or ""
    facts = [
        key.light if key.light not in (Light.OFF, Light.ON) else "",
        key.display_name if key.label else "",
        f"← {key.caller}" if key.caller else "",
        f"{key.direction or ''}",
        f"{key.message_waiting} messages" if key.message_waiting else "",
        f"forward {key.forward}" if key.forward else "",
        f"{key.type or ''}",
        *key.states,
        f"{key.action} → {key.number}" if key.number else "",
    ]
    return printable(title), printable(" · ".join(fact for fact in facts if fact))


def in_words(key: KeyDescription) -> str:
    """Return the key in one line: its light, then what the document says besides."""
    try:
        lines = format_document([key]).decode().split("\r\n")
    except DocumentError as error:  # what was read may be too long to be written
        return f"{key.light} ({error})"
    others = [line for line in lines if line and not line.startswith(("k=", "c="))]
    return printable(" ".join([str(key.light), *others]))


def printable(text: str) -> str:
    """Return the text without what could steer a terminal or reorder a line."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
