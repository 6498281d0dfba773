"""What all entities of a phone have in common, and how they come and go."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_platform, entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, ToggleEntity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .hub import SnomConfigEntry, SnomPhone
from .phones import Light
from .settings import KeySettings


class SnomEntity(Entity):
    """An entity of a phone."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, phone: SnomPhone, unique_id_suffix: str) -> None:
        """Make the entity a part of the phone's device."""
        self.phone = phone
        subentry_id = phone.settings.subentry_id
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, subentry_id)})
        self._attr_unique_id = f"{subentry_id}_{unique_id_suffix}"

    def serves_as(self, wanted: SnomEntity) -> bool:
        """Return whether this entity does what a newly made one would do."""
        return self.phone is wanted.phone

    @override
    async def async_added_to_hass(self) -> None:
        """Follow whether the phone is there."""
        self._attr_available = self.phone.sip.available
        self.async_on_remove(
            self.phone.sip.status.subscribe(self._async_status_changed)
        )

    @callback
    def _async_status_changed(self, _: None) -> None:
        if self._attr_available != self.phone.sip.available:
            self._attr_available = self.phone.sip.available
            self.async_write_ha_state()


class SnomKeyEntity(SnomEntity):
    """An entity of one key of a phone."""

    def __init__(
        self, phone: SnomPhone, settings: KeySettings, unique_id_suffix: str
    ) -> None:
        """Make the entity a part of the key."""
        super().__init__(phone, f"{settings.key}_{unique_id_suffix}")
        self.key = phone.sip.keys[settings.key]
        self.settings = settings

    @override
    def serves_as(self, wanted: SnomEntity) -> bool:
        """Return whether this entity does what a newly made one would do."""
        return (
            isinstance(wanted, SnomKeyEntity)
            and self.key is wanted.key
            and self.settings == wanted.settings
        )


class SnomLampEntity(SnomKeyEntity, ToggleEntity):
    """An entity whose state is what the lamp of a key shows: it keeps none itself."""

    _attr_translation_key = "led"

    def __init__(self, phone: SnomPhone, settings: KeySettings) -> None:
        """Name the entity as the user named the key."""
        super().__init__(phone, settings, "led")
        self._attr_name = settings.name

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what the key shows."""
        await super().async_added_to_hass()
        self.async_on_remove(self.key.shown.subscribe(self._async_shown))

    @callback
    def _async_shown(self, _: None) -> None:
        self.async_write_ha_state()

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the lamp shines in any way."""
        return self.key.description.light != Light.OFF

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Turn the lamp off."""
        self.key.show(replace(self.key.description, light=Light.OFF))


async def async_setup_phone_entities(
    hass: HomeAssistant,
    entry: SnomConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    make_entities: Callable[[SnomPhone], Iterable[SnomEntity]],
) -> None:
    """Add the entities that a platform makes of each phone, now and after each change.

    Where a phone's settings change, entities that still fit stay untouched.
    """
    platform = entity_platform.async_get_current_platform()
    registry = er.async_get(hass)

    async def async_follow(phone: SnomPhone) -> None:
        wanted = {entity.unique_id: entity for entity in make_entities(phone)}
        for known in er.async_entries_for_device(
            registry, phone.device_id, include_disabled_entities=True
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
            wanted.values(), config_subentry_id=phone.settings.subentry_id
        )

    hub = entry.runtime_data
    for phone in hub.phones.values():
        await async_follow(phone)
    entry.async_on_unload(hub.async_listen_phones(async_follow))
