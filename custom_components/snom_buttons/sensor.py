"""Sensor entities: what is known of a phone, for finding faults."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import callback

from .engine.phones import KeyPress, Registration, Sending, SentAs, Traffic, firmware_of
from .entity import SnomEntity, SnomPhoneEntity, platform_setup
from .hub.phone import SnomPhone

PARALLEL_UPDATES = 0

SCAN_INTERVAL = timedelta(minutes=1)
"""The pause between two readings of counters, so that a document writes no state."""


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


@dataclass(frozen=True, kw_only=True)
class RegistrationSensorDescription(SensorEntityDescription):
    """Description of a sensor that shows what a registration says."""

    value: Callable[[Registration], str | datetime | None]


OF_REGISTRATION = (
    RegistrationSensorDescription(
        key="firmware",
        translation_key="firmware",
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda registration: firmware_of(registration.user_agent or ""),
    ),
    RegistrationSensorDescription(
        key="address",
        translation_key="address",
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda registration: registration.host,
    ),
    RegistrationSensorDescription(
        key="transport",
        translation_key="transport",
        device_class=SensorDeviceClass.ENUM,
        options=["udp", "tcp", "tls"],
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda registration: registration.transport,
    ),
    # It changes each time a phone registers, which may be every minute.
    RegistrationSensorDescription(
        key="registered_until",
        translation_key="registered_until",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda registration: registration.expires_at,
    ),
)


class RegistrationSensor(SnomPhoneEntity, SensorEntity):
    """What the registration of a phone says, also of a phone that does not answer.

    Of several contacts it is the one that the device shows.
    """

    entity_description: RegistrationSensorDescription

    def __init__(
        self, phone: SnomPhone, description: RegistrationSensorDescription
    ) -> None:
        """Create the sensor of a description."""
        super().__init__(phone, description.key)
        self.entity_description = description
        self._snom_phone = phone

    @callback
    @override
    def _async_read_status(self) -> bool:
        before = self._attr_available, self._attr_native_value
        registration = self._snom_phone.registration
        self._attr_available = registration is not None
        self._attr_native_value = (
            self.entity_description.value(registration) if registration else None
        )
        return (self._attr_available, self._attr_native_value) != before


@dataclass(frozen=True, kw_only=True)
class SendingSensorDescription(SensorEntityDescription):
    """Description of a sensor that shows how keys are sent."""

    value: Callable[[Sending], str | int]


OF_SENDING = (
    SendingSensorDescription(
        key="sent_as",
        translation_key="sent_as",
        device_class=SensorDeviceClass.ENUM,
        options=[sent_as.value for sent_as in SentAs],
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda sending: sending.sent_as.value,
    ),
    SendingSensorDescription(
        key="subscriptions",
        translation_key="subscriptions",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda sending: sending.subscriptions,
    ),
)


class SendingSensor(SnomPhoneEntity, SensorEntity):
    """How the keys of a phone are sent: of several contacts to the newest."""

    entity_description: SendingSensorDescription

    def __init__(self, phone: SnomPhone, description: SendingSensorDescription) -> None:
        """Create the sensor of a description."""
        super().__init__(phone, description.key)
        self.entity_description = description

    @callback
    @override
    def _async_read_status(self) -> bool:
        before = self._attr_available, self._attr_native_value
        sendings = self.phone.sendings
        self._attr_available = bool(sendings)
        self._attr_native_value = (
            self.entity_description.value(sendings[-1]) if sendings else None
        )
        return (self._attr_available, self._attr_native_value) != before


@dataclass(frozen=True, kw_only=True)
class TrafficSensorDescription(SensorEntityDescription):
    """Description of a counter of documents."""

    value: Callable[[Traffic], int]


OF_TRAFFIC = tuple(
    TrafficSensorDescription(
        key=key,
        translation_key=key,
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=value,
    )
    for key, value in (
        ("sent", lambda traffic: traffic.sent),
        ("repeated", lambda traffic: traffic.repeated),
        ("refused", lambda traffic: traffic.refused),
    )
)


class TrafficSensor(SnomEntity, SensorEntity):
    """A counter of documents since the start of the server, read once a minute."""

    entity_description: TrafficSensorDescription
    _attr_should_poll = True

    def __init__(self, phone: SnomPhone, description: TrafficSensorDescription) -> None:
        """Create the sensor of a description."""
        super().__init__(phone, description.key)
        self.entity_description = description
        self._traffic = phone.phone.traffic

    @property
    @override
    def native_value(self) -> int:
        return self.entity_description.value(self._traffic)


class LastPressSensor(SnomEntity, RestoreSensor):
    """When a key of the phone was pressed last, by a finger."""

    _attr_translation_key = "last_press"
    _attr_device_class = SensorDeviceClass.TIMESTAMP
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    # It changes with each press, as the event entity of the key does.
    _attr_entity_registry_enabled_default = False

    def __init__(self, phone: SnomPhone) -> None:
        """Create the phone's sensor."""
        super().__init__(phone, "last_press")
        self.follow(phone.phone.pressed, self._async_pressed)

    @override
    async def async_added_to_hass(self) -> None:
        """Restore the time, and follow presses."""
        restored = await self.async_get_last_sensor_data()
        if restored is not None and isinstance(restored.native_value, datetime):
            self._attr_native_value = restored.native_value
        await super().async_added_to_hass()

    @callback
    def _async_pressed(self, press: KeyPress) -> None:
        if not press.simulated:
            self._attr_native_value = press.time
            self._async_changed(press)


async_setup_entry = platform_setup(
    of_phone=[
        RoundTripSensor,
        *(partial(RegistrationSensor, description=of) for of in OF_REGISTRATION),
        *(partial(SendingSensor, description=of) for of in OF_SENDING),
        *(partial(TrafficSensor, description=of) for of in OF_TRAFFIC),
        LastPressSensor,
    ]
)
