"""Light entities: the lamps of keys that are set up as lights, and message lamps."""

from typing import Any, Final, override

from homeassistant.components.light import (
    ATTR_EFFECT,
    ATTR_HS_COLOR,
    ATTR_WHITE,
    ColorMode,
    LightEntity,
    LightEntityFeature,
)

from .engine.keywords import (
    EFFECTS,
    PHONES_OWN_COLOR,
    effect_of,
    hs_color_of,
    with_effect,
    with_hs_color,
    with_light,
)
from .engine.phones import MESSAGES, KeyKind, KeySetup
from .engine.xbuttons import LightMode
from .entity import SnomKeyLampEntity, SnomLampEntity, platform_setup
from .hub.phone import SnomPhone
from .hub.refused import refusals_translated

PARALLEL_UPDATES = 0

EFFECT_LIST: Final = [*EFFECTS]
"""One list, which Home Assistant compares at each state."""


class SnomLight(SnomKeyLampEntity, LightEntity):
    """The lamp of a key."""

    _attr_supported_features = LightEntityFeature.EFFECT

    def __init__(self, phone: SnomPhone, setup: KeySetup) -> None:
        """Create a light, with colours if the lamp has several."""
        super().__init__(phone, setup)
        self._attr_supported_color_modes = {ColorMode.ONOFF}
        if setup.colors:
            self._attr_supported_color_modes = {ColorMode.HS, ColorMode.WHITE}
            # The document has no brightness; Home Assistant has no colour without one.
            self._attr_brightness = 255

    @property
    @override
    def effect_list(self) -> list[str]:
        """Return all that `effect` can be, also words that only a document can bring."""
        other = self.key.other_lights
        return [*EFFECTS, *other] if other else EFFECT_LIST

    @property
    @override
    def effect(self) -> str | None:
        return effect_of(self.key.look)

    @property
    @override
    def color_mode(self) -> ColorMode:
        """Return white, for which the frontend has an icon, where the phone chooses."""
        if not self.setup.colors:
            return ColorMode.ONOFF
        is_own = self.hs_color == PHONES_OWN_COLOR
        return ColorMode.WHITE if is_own else ColorMode.HS

    @property
    @override
    def hs_color(self) -> tuple[float, float]:
        """Return the colour; it is read only of lamps that have several."""
        return hs_color_of(self.key.look)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        self.key.show(with_light(self.key.look, LightMode.OFF), self._context)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn the lamp on; an effect or colour that is not given is not changed."""
        key = self.key
        description = key.look
        if (effect := kwargs.get(ATTR_EFFECT)) is not None:
            with refusals_translated():
                description = with_effect(description, effect, key.other_lights)
        elif not self.is_on:
            description = with_light(description, LightMode.ON)
        hs_color = (
            PHONES_OWN_COLOR if ATTR_WHITE in kwargs else kwargs.get(ATTR_HS_COLOR)
        )
        if hs_color is not None:
            description = with_hs_color(description, hs_color, key.other_colors)
        self.key.show(description, self._context)


class MessageLamp(SnomLampEntity, LightEntity):
    """The message lamp of a phone that has subscribed to it (RFC 3842)."""

    _sent_as = MESSAGES
    _attr_translation_key = "message_lamp"
    _attr_color_mode = ColorMode.ONOFF
    # Few phones have one that a user wants to be Home Assistant's.
    _attr_entity_registry_enabled_default = False

    def __init__(self, phone: SnomPhone) -> None:
        """Create the phone's lamp."""
        super().__init__(phone, "message_lamp")
        self._attr_supported_color_modes = {ColorMode.ONOFF}
        self.follow(self.phone.messages)

    @property
    @override
    def is_on(self) -> bool:
        return self.phone.waiting.new > 0

    @property
    @override
    def extra_state_attributes(self) -> dict[str, int]:
        waiting = self.phone.waiting
        return {"new_messages": waiting.new, "old_messages": waiting.old}

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        self.phone.show_messages(self.phone.messages_after(on=True), self._context)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        self.phone.show_messages(self.phone.messages_after(on=False), self._context)


async_setup_entry = platform_setup(
    of_phone=[MessageLamp], of_key={KeyKind.LIGHT: SnomLight}
)
