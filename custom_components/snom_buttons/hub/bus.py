"""Presses, dialled numbers and uses of shared lines as events of Home Assistant."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.const import ATTR_CODE, ATTR_DEVICE_ID, ATTR_ID, ATTR_TIME
from homeassistant.core import HomeAssistant, callback

from ..const import (
    ATTR_ACTION,
    ATTR_CALLER,
    ATTR_KEY,
    ATTR_NUMBER,
    ATTR_PHONE,
    ATTR_SIMULATED,
    ATTR_USE,
    EVENT_DIALLED,
    EVENT_KEY_PRESS,
    EVENT_SHARED_LINE,
)
from ..engine.phones import Dialled, KeyPress, LineUse, PhoneServer, Signal
from .context import context_of
from .follower import Follower
from .line import SnomLine
from .phone import SnomPhone

ATTR_LINE: Final = "line"


class EventBus(Follower):
    """Fires the events of one server, including keys that are not set up."""

    def __init__(
        self,
        hass: HomeAssistant,
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
        line_used: Signal[tuple[SnomLine, LineUse]],
    ) -> None:
        """Create a follower. `phones` are the phones by extension, which may change."""
        super().__init__()
        self._hass = hass
        self._server = server
        self._phones = phones
        self._line_used = line_used

    @override
    @callback
    def start(self) -> None:
        self._subscriptions = [
            self._server.pressed.subscribe(self._async_pressed),
            self._server.dialled.subscribe(self._async_dialled),
            self._line_used.subscribe(self._async_line_used),
        ]

    @callback
    def _async_pressed(self, press: KeyPress) -> None:
        data: dict[str, Any] = {
            ATTR_NUMBER: press.number,
            ATTR_KEY: press.key,
            ATTR_ACTION: str(press.action),
        }
        if press.caller is not None:
            data[ATTR_CALLER] = press.caller
        if press.simulated:
            data[ATTR_SIMULATED] = True
        if press.use is not None:
            data[ATTR_USE] = press.use.value
        self._async_fire(EVENT_KEY_PRESS, press, data)

    @callback
    def _async_dialled(self, dialled: Dialled) -> None:
        self._async_fire(EVENT_DIALLED, dialled, {ATTR_NUMBER: dialled.number})

    @callback
    def _async_line_used(self, used: tuple[SnomLine, LineUse]) -> None:
        line, use = used
        data = {
            ATTR_DEVICE_ID: line.device_id,
            ATTR_LINE: line.settings.setup.name,
            ATTR_CODE: line.settings.setup.code,
            ATTR_ACTION: use.use.value,
        }
        self._async_fire(EVENT_SHARED_LINE, use, data)

    @callback
    def _async_fire(
        self, name: str, event: KeyPress | Dialled | LineUse, data: dict[str, Any]
    ) -> None:
        phone = self._phones.get(event.extension or "")
        common = {
            ATTR_PHONE: event.extension,
            ATTR_DEVICE_ID: phone.device_id if phone else None,
            ATTR_TIME: event.time.isoformat(),
            ATTR_ID: event.id,
        }
        context = context_of(event)
        is_from_phone = not isinstance(event, LineUse) and not (
            isinstance(event, KeyPress) and event.simulated
        )
        if context is not None and is_from_phone:
            # States were written before, but this event becomes their origin.
            context.origin_event = None
        self._hass.bus.async_fire(
            name, common | data, context=context, time_fired=event.time.timestamp()
        )
