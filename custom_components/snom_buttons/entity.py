"""What all entities of phones and lines have in common, and how they come and go."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_platform, entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, ToggleEntity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .engine.phones import KeyDescription, KeySetup
from .hub.hub import SnomConfigEntry, SnomPart
from .hub.line import SnomLine
from .hub.phone import SnomPhone

LAMPS_A_TURN: Final = 50
"""Lamps that change in one turn of the event loop; of a thousand the others wait.

It is what the platforms of lamps have as PARALLEL_UPDATES.
"""


class SnomEntity(Entity):
    """An entity of a phone or of a shared line."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, part: SnomPart, unique_id_suffix: str) -> None:
        """Make the entity a part of the device."""
        self.part = part
        subentry_id = part.settings.subentry_id
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, subentry_id)})
        self._attr_unique_id = f"{subentry_id}_{unique_id_suffix}"

    def serves_as(self, wanted: SnomEntity) -> bool:
        """Return whether this entity does what a newly made one would do."""
        return self.part is wanted.part


class SnomLineEntity(SnomEntity):
    """An entity of a shared line, which is there as long as the server runs."""

    def __init__(self, line: SnomLine, unique_id_suffix: str) -> None:
        """Make the entity a part of the line's device."""
        super().__init__(line, unique_id_suffix)
        self.line = line.line


class SnomPhoneEntity(SnomEntity):
    """An entity of a phone, which is there as long as the phone is."""

    def __init__(self, phone: SnomPhone, unique_id_suffix: str) -> None:
        """Make the entity a part of the phone's device."""
        super().__init__(phone, unique_id_suffix)
        self.phone = phone.phone

    @override
    async def async_added_to_hass(self) -> None:
        """Follow whether the phone is there."""
        self._attr_available = self.phone.available
        self.async_on_remove(self.phone.status.subscribe(self._async_status_changed))

    @callback
    def _async_status_changed(self, _: None) -> None:
        if self._attr_available != self.phone.available:
            self._attr_available = self.phone.available
            self.async_write_ha_state()


class SnomKeyEntity(SnomPhoneEntity):
    """An entity of one key of a phone."""

    def __init__(
        self, phone: SnomPhone, setup: KeySetup, unique_id_suffix: str
    ) -> None:
        """Make the entity a part of the key."""
        super().__init__(phone, f"{setup.name}_{unique_id_suffix}")
        self.key = phone.phone.keys[setup.name]
        self.setup = setup

    @override
    def serves_as(self, wanted: SnomEntity) -> bool:
        """Return whether this entity does what a newly made one would do."""
        return (
            isinstance(wanted, SnomKeyEntity)
            and self.key is wanted.key
            and self.setup == wanted.setup
        )


class SnomShownEntity(SnomKeyEntity):
    """An entity whose state is what a key shows: it keeps none itself."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what the key shows."""
        await super().async_added_to_hass()
        self.async_on_remove(self.key.shown.subscribe(self._async_shown))

    @callback
    def _async_shown(self, _: None) -> None:
        self.async_write_ha_state()


class SnomLampEntity(SnomShownEntity, ToggleEntity):
    """The lamp of a key."""

    _attr_translation_key = "led"

    def __init__(self, phone: SnomPhone, setup: KeySetup) -> None:
        """Name the entity as the user named the key."""
        super().__init__(phone, setup, "led")
        self._attr_name = setup.title

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the lamp shines otherwise than it does to begin with."""
        return self.key.is_on

    async def async_show(self, description: KeyDescription) -> None:
        """Let the key show this, and keep one of LAMPS_A_TURN until the next turn."""
        self.key.show(description)
        await asyncio.sleep(0)


async def async_setup_entities(
    hass: HomeAssistant,
    entry: SnomConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make_entities: Callable[[SnomPart], Iterable[SnomEntity]],
) -> None:
    """Add the entities that a platform makes of each phone and each shared line.

    It does so now and after each change of their settings, in which entities that still
    fit stay untouched.
    """
    platform = entity_platform.async_get_current_platform()
    registry = er.async_get(hass)

    async def async_follow(part: SnomPart) -> None:
        wanted = {entity.unique_id: entity for entity in make_entities(part)}
        for known in er.async_entries_for_device(
            registry, part.device_id, include_disabled_entities=True
        ):
            if known.platform != DOMAIN or known.domain != platform.domain:
                continue
            # The registry tells entities what changed before its call returns: those
            # that were just renamed, disabled or removed are found under the new name
            # in `platform.entities`, or not at all.
            if known.unique_id not in wanted:
                registry.async_remove(known.entity_id)
            elif entity := platform.entities.get(known.entity_id):
                assert isinstance(entity, SnomEntity)
                if entity.serves_as(wanted[known.unique_id]):
                    del wanted[known.unique_id]
                else:
                    await platform.async_remove_entity(known.entity_id)
        async_add_entities(
            wanted.values(), config_subentry_id=part.settings.subentry_id
        )

    hub = entry.runtime_data
    parts: list[SnomPart] = [*hub.phones.values(), *hub.lines.values()]
    for part in parts:
        await async_follow(part)
    entry.async_on_unload(hub.async_listen_parts(async_follow))
