"""A key's lamp in the words of Home Assistant's lights: effects and colours.

Light entities and MQTT use the same words.
"""

from collections.abc import Collection
import colorsys
from dataclasses import replace
from functools import lru_cache
from typing import Final

from ..refused import Refused, quoted
from ..xbuttons import Color, KeyDescription, LightMode, is_other_color

EFFECT_OFF: Final = "off"
"""The effect of a lamp that is on without an effect (Home Assistant's own word)."""

EFFECTS: Final[dict[str, LightMode]] = {
    EFFECT_OFF: LightMode.ON,
    "hold": LightMode.HOLD,
    "pickup": LightMode.PICKUP,
    "park": LightMode.PARK,
    "message": LightMode.MESSAGE,
    "offline": LightMode.OFFLINE,
    "error": LightMode.ERROR,
    "seized": LightMode.SEIZED,
    "record": LightMode.RECORD,
}
"""The effects of a lamp that is on. How each one blinks is set on the phone."""

PALETTE: Final[dict[str, tuple[float, float]]] = {
    Color.RED: (0, 100),
    Color.ORANGE: (30, 100),
    Color.GREEN: (120, 100),
}
"""The colours of the lamps: hue in degrees, saturation in per cent."""

ALIASES: Final[dict[str, str]] = {Color.LOCAL: Color.GREEN, Color.REMOTE: Color.RED}
"""Colours that the document names by their use, as a snom 820 shows them."""

PHONES_OWN_COLOR: Final = (0.0, 0.0)
"""White, which no lamp has: it stands for the colour that the phone chooses."""

LEAST_SATURATION: Final = 20
"""In per cent. A colour below it is nearly white."""


def effect_of(description: KeyDescription) -> str | None:
    """Return the effect of a lamp, or its light mode if that is none; None while off."""
    light = description.light
    if light == LightMode.OFF:
        return None
    return next((name for name, mode in EFFECTS.items() if mode == light), light)


def hs_color_of(description: KeyDescription) -> tuple[float, float]:
    """Return the colour of a lamp: hue 0-360, saturation 0-100."""
    color = description.color or ""
    if is_other_color(color):
        return rgb_to_hs(*bytes.fromhex(color[1:]))
    return PALETTE.get(ALIASES.get(color, color), PHONES_OWN_COLOR)


def rgb_to_hs(red: float, green: float, blue: float) -> tuple[float, float]:
    """Return hue 0-360 and saturation 0-100 of a colour, each channel 0-255.

    Rounded to three digits, as Home Assistant does.
    """
    hue, saturation, _ = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    return round(hue * 360, 3), round(saturation * 100, 3)


@lru_cache(maxsize=4096)  # lamps go on and off, and have the same looks again
def with_light(description: KeyDescription, light: LightMode | str) -> KeyDescription:
    """Return a lamp in this light mode."""
    return replace(description, light=light)


def with_effect(
    description: KeyDescription, effect: object, foreign: Collection[str] = ()
) -> KeyDescription:
    """Return a lamp with this effect. Raises Refused for an unknown effect.

    `foreign` are light modes that are effects of this lamp beside EFFECTS.
    """
    if isinstance(effect, str) and (effect in EFFECTS or effect in foreign):
        return with_light(description, EFFECTS.get(effect, effect))
    effects = ", ".join((*EFFECTS, *map(quoted, foreign)))
    raise Refused("unknown_effect", effect=quoted(effect), effects=effects)


def with_hs_color(
    description: KeyDescription,
    hs_color: tuple[float, float],
    foreign: Collection[str] = (),
) -> KeyDescription:
    """Return a lamp in this colour if it is its own, one of PALETTE or of `foreign`.

    Otherwise in the nearest of PALETTE, or the phone's own if it is nearly white.
    """
    for color in (description.color, *PALETTE, *foreign):
        if hs_color == hs_color_of(candidate := replace(description, color=color)):
            return candidate
    hue, saturation = hs_color
    if saturation < LEAST_SATURATION:
        return replace(description, color=None)

    def distance(color: str) -> float:  # on the colour wheel
        difference = abs(hue - PALETTE[color][0])
        return min(difference, 360 - difference)

    # Pure blue is as far from green as from red: it becomes the first of the palette.
    return replace(description, color=min(PALETTE, key=distance))
