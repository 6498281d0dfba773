"""Event entities: presses of keys, dialled numbers, uses of shared lines."""

from typing import Any, Final

from homeassistant.components.event import (
    ButtonEventType,
    EventDeviceClass,
    EventEntity,
)
from homeassistant.core import callback

from .const import (
    ATTR_ACTION,
    ATTR_CALLER,
    ATTR_NUMBER,
    ATTR_PHONE,
    ATTR_SIMULATED,
    LINE_USES,
)
from .engine.phones import Dialled, KeyKind, KeyPress, KeySetup, LineUse
from .entity import SnomKeyEntity, SnomLineEntity, SnomPhoneEntity, platform_setup
from .hub.line import SnomLine
from .hub.phone import SnomPhone

PARALLEL_UPDATES = 0

EVENT_TYPE_DIALLED: Final = "dialled"


class SnomPressEvent(SnomKeyEntity, EventEntity):
    """The presses of a key."""

    _attr_device_class = EventDeviceClass.BUTTON
    # A phone reports a press once: when it is over.
    _attr_event_types = [ButtonEventType.PRESS_END]
    _attr_translation_key = "press"

    def __init__(self, phone: SnomPhone, setup: KeySetup) -> None:
        """Create an event with the name of its key."""
        super().__init__(phone, setup, "press")
        self._attr_translation_placeholders = {"key": setup.title}
        if setup.kind is KeyKind.SHARED:
            self._attr_event_types = [*self._attr_event_types, *LINE_USES]
        self.follow(self.key.pressed, self._async_pressed)

    @callback
    def _async_pressed(self, press: KeyPress) -> None:
        """Trigger the use of the key's shared line if there was one, else the press."""
        data: dict[str, Any] = {
            ATTR_ACTION: str(press.action),
            ATTR_NUMBER: press.number,
        }
        if press.caller is not None:
            data[ATTR_CALLER] = press.caller
        if press.simulated:
            data[ATTR_SIMULATED] = True
        event_type = press.use.value if press.use else ButtonEventType.PRESS_END
        self._trigger_event(event_type, data)
        self._async_changed(press)


class SnomDialledEvent(SnomPhoneEntity, EventEntity):
    """The numbers dialled on a phone."""

    _attr_event_types = [EVENT_TYPE_DIALLED]
    _attr_translation_key = "dialled"

    def __init__(self, phone: SnomPhone) -> None:
        """Create the phone's event."""
        super().__init__(phone, "dialled")
        self.follow(self.phone.dialled, self._async_dialled)

    @callback
    def _async_dialled(self, dialled: Dialled) -> None:
        self._trigger_event(EVENT_TYPE_DIALLED, {ATTR_NUMBER: dialled.number})
        self._async_changed(dialled)


class SnomLineEvent(SnomLineEntity, EventEntity):
    """The seizures and releases of a shared line."""

    _attr_event_types = LINE_USES
    _attr_translation_key = "line_use"

    def __init__(self, line: SnomLine) -> None:
        """Create the line's event."""
        super().__init__(line, "use")
        self.follow(self.line.used, self._async_used)

    @callback
    def _async_used(self, use: LineUse) -> None:
        self._trigger_event(use.use.value, {ATTR_PHONE: use.extension})
        self._async_changed(use)


async_setup_entry = platform_setup(
    of_phone=[SnomDialledEvent],
    of_key=dict.fromkeys(set(KeyKind) - {KeyKind.NONE}, SnomPressEvent),
    of_line=[SnomLineEvent],
)
