"""The lamps of keys that are set up as lights."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.components.light import (
    ATTR_EFFECT,
    ATTR_HS_COLOR,
    EFFECT_OFF,
    ColorMode,
    LightEntity,
    LightEntityFeature,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util.color import color_RGB_to_hs

from .const import DOMAIN
from .devices import SnomPhone
from .entity import SnomLampEntity, async_setup_entities
from .hub import SnomConfigEntry, SnomPart
from .phones import Color, Light, is_other_color
from .settings import KeyKind, KeySettings

PARALLEL_UPDATES = 0

EFFECTS: Final[dict[str, Light]] = {
    EFFECT_OFF: Light.ON,
    "hold": Light.HOLD,
    "pickup": Light.PICKUP,
    "park": Light.PARK,
    "message": Light.MESSAGE,
    "offline": Light.OFFLINE,
    "error": Light.ERROR,
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


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SnomConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the lights of all phones."""
    await async_setup_entities(hass, entry, async_add_entities, _make_lights)


def _make_lights(part: SnomPart) -> Iterator[SnomLight]:
    if not isinstance(part, SnomPhone):
        return
    for key in part.settings.keys:
        if key.kind is KeyKind.LIGHT:
            yield SnomLight(part, key)


class SnomLight(SnomLampEntity, LightEntity):
    """The lamp of a key."""

    _attr_effect_list = list(EFFECTS)
    _attr_supported_features = LightEntityFeature.EFFECT

    def __init__(self, phone: SnomPhone, settings: KeySettings) -> None:
        """Offer colours if the lamp has them."""
        super().__init__(phone, settings)
        self._attr_color_mode = ColorMode.HS if settings.colors else ColorMode.ONOFF
        self._attr_supported_color_modes = {self._attr_color_mode}
        if settings.colors:
            # The document knows no brightness, and Home Assistant no colour without.
            self._attr_brightness = 255

    @property
    @override
    def effect(self) -> str | None:
        """Return how the lamp shines: as one of the effects, or steadily."""
        light = self.key.description.light
        if light == Light.OFF:
            return None
        return next((name for name, mode in EFFECTS.items() if mode == light), light)

    @property
    @override
    def hs_color(self) -> tuple[float, float]:
        """Return the colour; Home Assistant asks only lamps that have several."""
        color = self.key.description.color or ""
        if is_other_color(color):
            return color_RGB_to_hs(*bytes.fromhex(color[1:]))
        return PALETTE.get(ALIASES.get(color, color), PHONES_OWN_COLOR)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Turn the lamp off."""
        self.key.show(replace(self.key.description, light=Light.OFF))

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn the lamp on, and keep of effect and colour what is not named."""
        description = self.key.description
        if (effect := kwargs.get(ATTR_EFFECT)) is not None:
            if effect not in EFFECTS:
                raise ServiceValidationError(
                    translation_domain=DOMAIN,
                    translation_key="unknown_effect",
                    translation_placeholders={
                        "effect": str(effect),
                        "effects": ", ".join(EFFECTS),
                    },
                )
            description = replace(description, light=EFFECTS[effect])
        elif not self.is_on:
            description = replace(description, light=Light.ON)
        if (hs_color := kwargs.get(ATTR_HS_COLOR)) is not None:
            hue, saturation = hs_color
            if saturation >= LEAST_SATURATION:
                description = replace(description, color=_nearest_color(hue))
        self.key.show(description)


def _nearest_color(hue: float) -> str:
    """Return the colour of the palette that is nearest on the colour wheel.

    So each hue becomes the same colour each time, also pure blue, which is as far from
    green as from red: the first of the palette.
    """

    def distance(color: str) -> float:
        difference = abs(hue - PALETTE[color][0])
        return min(difference, 360 - difference)

    return min(PALETTE, key=distance)
