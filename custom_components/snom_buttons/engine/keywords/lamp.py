"""A key's lamp in Home Assistant's words: effects and colours.

Lights and MQTT say them alike.
"""

from dataclasses import replace
from typing import Final

from homeassistant.components.light import EFFECT_OFF
from homeassistant.util.color import color_RGB_to_hs

from ..phones import Color, KeyDescription, LightMode, is_other_color
from .fields import invalid, quoted

EFFECTS: Final[dict[str, LightMode]] = {
    EFFECT_OFF: LightMode.ON,
    "hold": LightMode.HOLD,
    "pickup": LightMode.PICKUP,
    "park": LightMode.PARK,
    "message": LightMode.MESSAGE,
    "offline": LightMode.OFFLINE,
    "error": LightMode.ERROR,
}
"""How a lamp that is on may shine. What blinks how is the phone's configuration."""

PALETTE: Final[dict[str, tuple[float, float]]] = {
    Color.RED: (0, 100),
    Color.ORANGE: (30, 100),
    Color.GREEN: (120, 100),
}
"""The colours that lamps have, as hue and saturation."""

ALIASES: Final[dict[str, str]] = {Color.LOCAL: Color.GREEN, Color.REMOTE: Color.RED}
"""The colours that the document names by their use; so they shine on a snom 820."""

PHONES_OWN_COLOR: Final = PALETTE[Color.RED]
"""What is reported where the phone chooses the colour: a lamp that is on has one."""

LEAST_SATURATION: Final = 20
"""Below this, in per cent, a colour is rather white, which no lamp can show."""


def effect_of(description: KeyDescription) -> str | None:
    """Return how a lamp shines: as one of the effects, or steadily; None if not."""
    light = description.light
    if light == LightMode.OFF:
        return None
    return next((name for name, mode in EFFECTS.items() if mode == light), light)


def hs_color_of(description: KeyDescription) -> tuple[float, float]:
    """Return the colour of a lamp that has several: hue 0-360, saturation 0-100."""
    color = description.color or ""
    if is_other_color(color):
        return color_RGB_to_hs(*bytes.fromhex(color[1:]))
    return PALETTE.get(ALIASES.get(color, color), PHONES_OWN_COLOR)


def with_effect(description: KeyDescription, effect: object) -> KeyDescription:
    """Return a lamp that shines as an effect says. Raises ServiceValidationError."""
    if not isinstance(effect, str) or effect not in EFFECTS:
        raise invalid(
            "unknown_effect", effect=quoted(effect), effects=", ".join(EFFECTS)
        )
    return replace(description, light=EFFECTS[effect])


def with_hs_color(
    description: KeyDescription, hs_color: tuple[float, float]
) -> KeyDescription:
    """Return a lamp in the colour of the palette that is nearest.

    For what is rather white the colour stays as it is.
    """
    hue, saturation = hs_color
    if saturation < LEAST_SATURATION:
        return description
    return replace(description, color=_nearest_color(hue))


def _nearest_color(hue: float) -> str:
    """Return the colour of the palette that is nearest on the colour wheel.

    So each hue becomes the same colour each time, also pure blue, which is as far from
    green as from red: the first of the palette.
    """

    def distance(color: str) -> float:
        difference = abs(hue - PALETTE[color][0])
        return min(difference, 360 - difference)

    return min(PALETTE, key=distance)
