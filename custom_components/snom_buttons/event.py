"""The presses of keys, and the numbers that are dialled."""

from collections.abc import Iterator
from typing import override

from homeassistant.components.event import (
    ButtonEventType,
    EventDeviceClass,
    EventEntity,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import ATTR_ACTION, ATTR_NUMBER
from .entity import SnomEntity, SnomKeyEntity, async_setup_phone_entities
from .hub import SnomConfigEntry, SnomPhone
from .phones import Dialled, KeyPress
from .settings import KeyKind, KeySettings

PARALLEL_UPDATES = 0

EVENT_TYPE_DIALLED = "dialled"


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SnomConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of all phones."""
    await async_setup_phone_entities(hass, entry, async_add_entities, _make_events)


def _make_events(phone: SnomPhone) -> Iterator[SnomEntity]:
    yield SnomDialledEvent(phone)
    for key in phone.settings.keys:
        if key.kind is not KeyKind.NONE:
            yield SnomPressEvent(phone, key)


class SnomPressEvent(SnomKeyEntity, EventEntity):
    """The presses of a key."""

    _attr_device_class = EventDeviceClass.BUTTON
    # A phone tells of a press once: when it is over.
    _attr_event_types = [ButtonEventType.PRESS_END]
    _attr_translation_key = "press"

    def __init__(self, phone: SnomPhone, settings: KeySettings) -> None:
        """Name the event after the key."""
        super().__init__(phone, settings, "press")
        self._attr_translation_placeholders = {"key": settings.name}

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for presses."""
        await super().async_added_to_hass()
        self.async_on_remove(self.key.pressed.subscribe(self._async_pressed))

    @callback
    def _async_pressed(self, press: KeyPress) -> None:
        self._trigger_event(
            ButtonEventType.PRESS_END,
            {ATTR_ACTION: str(press.action), ATTR_NUMBER: press.number},
        )
        self.async_write_ha_state()


class SnomDialledEvent(SnomEntity, EventEntity):
    """The numbers that are dialled on a phone."""

    _attr_event_types = [EVENT_TYPE_DIALLED]
    _attr_translation_key = "dialled"

    def __init__(self, phone: SnomPhone) -> None:
        """Make the phone's only event of this kind."""
        super().__init__(phone, "dialled")

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for numbers."""
        await super().async_added_to_hass()
        self.async_on_remove(self.phone.sip.dialled.subscribe(self._async_dialled))

    @callback
    def _async_dialled(self, dialled: Dialled) -> None:
        self._trigger_event(EVENT_TYPE_DIALLED, {ATTR_NUMBER: dialled.number})
        self.async_write_ha_state()
