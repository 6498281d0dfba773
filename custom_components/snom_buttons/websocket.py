"""The websocket commands of the card. Their messages are described in hub/faces.py."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.components import websocket_api
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.json import json_bytes

from .const import DOMAIN
from .hub.access import may_press, may_read
from .hub.faces import REMOVED, STOPPED, May, Subscriber, async_phone_of
from .hub.hub import SnomConfigEntry

TYPE_SUBSCRIBE: Final = f"{DOMAIN}/phone/subscribe"


@callback
def async_setup_websocket(hass: HomeAssistant) -> None:
    """Register the commands."""
    websocket_api.async_register_command(hass, _async_subscribe)


@websocket_api.websocket_command(
    {vol.Required("type"): TYPE_SUBSCRIBE, vol.Required("device_id"): str}
)
@callback
def _async_subscribe(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send the face of a phone, and then what changes, until the client unsubscribes."""
    found = async_phone_of(hass, msg["device_id"])
    if found is None:
        connection.send_error(
            msg["id"], websocket_api.ERR_NOT_FOUND, "There is no such phone"
        )
        return
    if not may_read(hass, connection.user, msg["device_id"]):
        connection.send_error(
            msg["id"], websocket_api.ERR_UNAUTHORIZED, "Not permitted to see it"
        )
        return
    entry, subentry_id = found
    subscription = _Subscription(
        hass,
        connection,
        msg["id"],
        device_id=msg["device_id"],
        entry=entry,
        subentry_id=subentry_id,
    )
    connection.subscriptions[msg["id"]] = subscription.async_end
    connection.send_result(msg["id"])
    subscription.async_start()


class _Subscription:
    """One subscription to a phone, which outlives a reload of its server."""

    def __init__(
        self,
        hass: HomeAssistant,
        connection: websocket_api.ActiveConnection,
        msg_id: int,
        *,
        device_id: str,
        entry: SnomConfigEntry,
        subentry_id: str,
    ) -> None:
        """Create a subscription that is not started."""
        self._hass = hass
        self._connection = connection
        self._id = msg_id
        self._device_id = device_id
        self._entry = entry
        self._subentry_id = subentry_id
        self._unfollow: CALLBACK_TYPE | None = None
        """Ends the feed; None while the server does not run."""
        self._unlisten: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> None:
        """Send the face, or that the server does not run, and follow both."""
        self._unlisten = async_dispatcher_connect(
            self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
        )
        if self._entry.state is ConfigEntryState.LOADED:
            self._async_follow()
        else:
            self._async_send(json_bytes(STOPPED))

    @callback
    def async_end(self) -> None:
        """End all: the client has unsubscribed, or is gone."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        self._async_unfollow()

    @callback
    def _async_follow(self) -> None:
        self._unfollow = self._entry.runtime_data.faces.async_subscribe(
            self._subentry_id, Subscriber(self._async_send, self._may)
        )

    @callback
    def _async_unfollow(self) -> None:
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None

    @callback
    def _async_entry_changed(
        self, change: ConfigEntryChange, entry: SnomConfigEntry
    ) -> None:
        if entry is not self._entry:
            return
        is_removed = change is ConfigEntryChange.REMOVED
        if is_removed or self._subentry_id not in entry.subentries:
            self.async_end()
            self._async_send(json_bytes(REMOVED))
        elif entry.state is not ConfigEntryState.LOADED:
            # Its feed says so when the server stops.
            if entry.state is ConfigEntryState.NOT_LOADED:
                self._async_unfollow()
        elif self._unfollow is None:
            self._async_follow()

    @callback
    def _async_send(self, message: bytes) -> None:
        self._connection.send_message(
            websocket_api.messages.construct_event_message(self._id, message)
        )

    def _may(self) -> May:
        user = self._connection.user
        return {
            "press": may_press(self._hass, user, self._device_id),
            "arrange": user.is_admin,
        }
