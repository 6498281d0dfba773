"""Switch entities: keys that are set up as switches, and shared lines."""

from collections.abc import Iterator
from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import ATTR_PHONE
from .engine.phones import KeyKind
from .entity import (
    LAMPS_A_TURN,
    SnomEntity,
    SnomLampEntity,
    SnomLineEntity,
    async_setup_entities,
)
from .hub.hub import SnomConfigEntry, SnomPart
from .hub.line import SnomLine

PARALLEL_UPDATES = LAMPS_A_TURN


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SnomConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches of all phones and lines."""
    await async_setup_entities(hass, entry, async_add_entities, _make_switches)


def _make_switches(part: SnomPart) -> Iterator[SnomEntity]:
    if isinstance(part, SnomLine):
        yield SnomLineSwitch(part)
        return
    for key in part.phone.setup.keys:
        if key.kind is KeyKind.SWITCH:
            yield SnomSwitch(part, key)


class SnomSwitch(SnomLampEntity, SwitchEntity):
    """A key that is on or off, as its lamp shows."""

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Show the look of the key while it is on."""
        await self.async_show(self.key.turned(self.key.look, True))

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Show the look of the key while it is off."""
        await self.async_show(self.key.turned(self.key.look, False))


class SnomLineSwitch(SnomLineEntity, SwitchEntity):
    """A shared line, on while it is seized."""

    _attr_name = None
    _attr_translation_key = "shared_line"

    def __init__(self, line: SnomLine) -> None:
        """Create the line's switch."""
        super().__init__(line, "line")

    @override
    async def async_added_to_hass(self) -> None:
        """Follow whether the line is seized, and by which phone."""
        await super().async_added_to_hass()
        self.async_on_remove(self.line.status.subscribe(self._async_status_changed))

    @callback
    def _async_status_changed(self, _: None) -> None:
        self.async_write_ha_state()

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the line is seized."""
        return self.line.seized

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str | None]:
        """Return the extension of the phone that holds the line."""
        return {ATTR_PHONE: self.line.owner}

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Seize the line for Home Assistant, if it is free."""
        self.line.seize()

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Release the line, also if a phone holds it."""
        self.line.release()
