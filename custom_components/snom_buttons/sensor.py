"""Sensor entities: the round-trip time to a phone."""

from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime

from .entity import SnomPhoneEntity, platform_setup
from .hub.phone import SnomPhone

PARALLEL_UPDATES = 0


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
        self.follow(self.phone.measured)

    @property
    @override
    def native_value(self) -> float | None:
        return self.phone.round_trip


async_setup_entry = platform_setup(of_phone=[RoundTripSensor])
