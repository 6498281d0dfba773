"""The lamps of keys that are set up as switches."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import SnomLampEntity, async_setup_phone_entities
from .hub import SnomConfigEntry, SnomPhone
from .phones import Light
from .settings import KeyKind

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SnomConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches of all phones."""
    await async_setup_phone_entities(hass, entry, async_add_entities, _make_switches)


def _make_switches(phone: SnomPhone) -> Iterator[SnomSwitch]:
    for key in phone.settings.keys:
        if key.kind is KeyKind.SWITCH:
            yield SnomSwitch(phone, key)


class SnomSwitch(SnomLampEntity, SwitchEntity):
    """A switch that the lamp of a key shows."""

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn the lamp on."""
        self.key.show(replace(self.key.description, light=Light.ON))
