"""Sensor entities: the round-trip time to a phone."""

from collections.abc import Iterator
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import SnomPhoneEntity, async_setup_entities
from .hub.hub import SnomConfigEntry, SnomPart
from .hub.phone import SnomPhone

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SnomConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of all phones."""
    await async_setup_entities(hass, entry, async_add_entities, _make_sensors)


def _make_sensors(part: SnomPart) -> Iterator[RoundTripSensor]:
    if isinstance(part, SnomPhone):
        yield RoundTripSensor(part)


class RoundTripSensor(SnomPhoneEntity, SensorEntity):
    """Seconds from a request to a phone until its answer."""

    _attr_translation_key = "round_trip"
    _attr_device_class = SensorDeviceClass.DURATION
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_entity_registry_enabled_default = False
    _attr_native_unit_of_measurement = UnitOfTime.SECONDS
    _attr_suggested_unit_of_measurement = UnitOfTime.MILLISECONDS
    _attr_suggested_display_precision = 1

    def __init__(self, phone: SnomPhone) -> None:
        """Create the phone's sensor."""
        super().__init__(phone, "round_trip")

    @property
    @override
    def native_value(self) -> float | None:
        """Return the latest measurement."""
        return self.phone.round_trip

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the measurements."""
        await super().async_added_to_hass()
        self.async_on_remove(self.phone.measured.subscribe(self._async_measured))

    @callback
    def _async_measured(self, _: None) -> None:
        self.async_write_ha_state()
