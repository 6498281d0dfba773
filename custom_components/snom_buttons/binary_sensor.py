"""Binary sensors: whether a phone is available, and whether its keys are in sync."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import callback

from .engine.phones import Phone
from .entity import SnomPhoneEntity, platform_setup
from .hub.phone import SnomPhone

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SnomBinarySensorDescription(BinarySensorEntityDescription):
    """Description of a phone's binary sensor."""

    is_on: Callable[[Phone], bool]


DESCRIPTIONS = (
    SnomBinarySensorDescription(
        key="registered",
        translation_key="registered",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on=lambda phone: phone.available,
    ),
    SnomBinarySensorDescription(
        key="in_sync",
        translation_key="in_sync",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        is_on=lambda phone: phone.in_sync,
    ),
)


class SnomBinarySensor(SnomPhoneEntity, BinarySensorEntity):
    """A state of a phone that is known even while the phone is unavailable."""

    entity_description: SnomBinarySensorDescription

    def __init__(
        self, phone: SnomPhone, description: SnomBinarySensorDescription
    ) -> None:
        """Create the sensor of a description."""
        super().__init__(phone, description.key)
        self.entity_description = description

    @property
    @override
    def available(self) -> bool:
        """Return whether the state is known: from the start of the server on."""
        return self.phone.is_followed

    @property
    @override
    def is_on(self) -> bool:
        return self.entity_description.is_on(self.phone)

    @callback
    @override
    def _async_status_changed(self, _: object) -> None:
        self.async_write_ha_state()


async_setup_entry = platform_setup(
    of_phone=[partial(SnomBinarySensor, description=of) for of in DESCRIPTIONS]
)
