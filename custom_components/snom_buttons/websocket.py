"""The websocket commands of the card.

Their messages are described in hub/face.py and flows/arrange.py.
"""

from typing import Any, Final

import voluptuous as vol

from homeassistant.auth import EVENT_USER_UPDATED
from homeassistant.components import websocket_api
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.generated.languages import LANGUAGES
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.json import json_bytes

from .const import DOMAIN
from .engine.refused import Refused
from .flows.arrange import FaultMessage, Faulty, KeyArranger, KeyForm
from .hub.access import may_press, may_read
from .hub.device_automation import device_name
from .hub.face import KeyPreview, May
from .hub.faces import REMOVED, STOPPED, UNAUTHORIZED, Subscriber, async_phone_of
from .hub.hub import SnomConfigEntry
from .hub.phone import SnomPhone
from .hub.refused import translated

TYPE_SUBSCRIBE: Final = f"{DOMAIN}/phone/subscribe"
TYPE_ARRANGE: Final = f"{DOMAIN}/phone/arrange"


@callback
def async_setup_websocket(hass: HomeAssistant) -> None:
    """Register the commands."""
    websocket_api.async_register_command(hass, _async_subscribe)
    websocket_api.async_register_command(hass, _async_arrange)


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


_COMMAND: Final = vol.Schema(
    {
        vol.Required("type"): TYPE_ARRANGE,
        vol.Required("device_id"): str,
        vol.Optional("key"): str,
        vol.Exclusive("settings", "change"): dict,
        vol.Exclusive("swap_with", "change"): str,
        vol.Optional("dry_run", default=False): bool,
        vol.Optional("language"): str,
    }
)


def _has_key_and_change(msg: dict[str, Any]) -> dict[str, Any]:
    """Return a command that says which key is changed, and how, or neither."""
    if ("key" in msg) != ("settings" in msg or "swap_with" in msg):
        raise vol.Invalid("expected a key and its settings, or another key")
    if msg["dry_run"] and "settings" not in msg:
        raise vol.Invalid("expected settings to try")
    return msg


@websocket_api.websocket_command(vol.All(_COMMAND, _has_key_and_change))
@websocket_api.require_admin
@websocket_api.async_response
async def _async_arrange(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send the settings of the keys, or change one, or exchange two."""
    try:
        connection.send_result(msg["id"], await _async_arranged(hass, msg))
    except Faulty as err:
        message: FaultMessage = {"fault": err.fault}
        connection.send_result(msg["id"], message)
    except vol.Invalid as err:
        # Home Assistant would log the settings, of which one may be a code.
        connection.send_error(msg["id"], websocket_api.ERR_INVALID_FORMAT, str(err))
    except Refused as err:
        connection.send_error(
            msg["id"],
            _CODES.get(err.key, websocket_api.ERR_HOME_ASSISTANT_ERROR),
            str(translated(err)),
            translation_key=err.key,
            translation_domain=DOMAIN,
            translation_placeholders=dict(err.placeholders),
        )


_CODES: Final = {
    "not_a_phone": websocket_api.ERR_NOT_FOUND,
    "unknown_phone": websocket_api.ERR_NOT_FOUND,
    "unknown_key": websocket_api.ERR_NOT_FOUND,
    "shared_key": websocket_api.ERR_NOT_SUPPORTED,
}


async def _async_arranged(
    hass: HomeAssistant, msg: dict[str, Any]
) -> KeyForm | KeyPreview | None:
    """Carry out a command; return its result. Raises Faulty, or Refused."""
    if (found := async_phone_of(hass, msg["device_id"])) is None:
        raise Refused("not_a_phone", name=device_name(hass, msg["device_id"]))
    entry, subentry_id = found
    _phone_part(entry, subentry_id)
    language = msg.get("language", "")
    language = language if language in LANGUAGES else hass.config.language
    arranger = KeyArranger(hass, entry, subentry_id)
    if "key" not in msg:
        return await arranger.async_form(language)
    name = msg["key"]
    if (other := msg.get("swap_with")) is not None:
        data = await arranger.async_exchanged(name, other, language)
        _phone_part(entry, subentry_id)  # it may have stopped meanwhile
        entry.runtime_data.async_exchange_keys(arranger.subentry, name, other, data)
        return None
    key, data = await arranger.async_changed(name, msg["settings"], language)
    part = _phone_part(entry, subentry_id)
    preview: KeyPreview = entry.runtime_data.faces.async_preview(part, key)
    if not msg["dry_run"]:
        hass.config_entries.async_update_subentry(entry, arranger.subentry, data=data)
    return preview


def _phone_part(entry: SnomConfigEntry, subentry_id: str) -> SnomPhone:
    """Return a phone of a server that runs. Raises Refused."""
    if entry.state is ConfigEntryState.LOADED:
        phones: dict[str, SnomPhone] = entry.runtime_data.phones
        for part in phones.values():
            if part.settings.subentry_id == subentry_id:
                return part
    subentry = entry.subentries.get(subentry_id)
    raise Refused("phone_not_loaded", phone=subentry.title if subentry else subentry_id)


class _Subscription:
    """One subscription to a phone, which outlives a reload of its server.

    Permissions are asked again when they may have changed. A connection ends with its user
    and its token.
    """

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
        """Ends the feed; None while the server does not run, or the user may not see it."""
        self._listeners: list[CALLBACK_TYPE] = []

    @callback
    def async_start(self) -> None:
        """Send the face, or that the server does not run, and follow both."""
        self._listeners = [
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
            ),
            self._hass.bus.async_listen(EVENT_USER_UPDATED, self._async_user_updated),
        ]
        if self._entry.state is ConfigEntryState.LOADED:
            self._async_follow()
        else:
            self._async_send(json_bytes(STOPPED))

    @callback
    def async_end(self) -> None:
        """End all: the client has unsubscribed, or is gone."""
        for unlisten in self._listeners:
            unlisten()
        self._listeners = []
        self._async_unfollow()

    @callback
    def _async_follow(self) -> None:
        if not may_read(self._hass, self._connection.user, self._device_id):
            self._async_send(json_bytes(UNAUTHORIZED))
            return
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
    def _async_user_updated(self, event: Event[dict[str, Any]]) -> None:
        is_loaded = self._entry.state is ConfigEntryState.LOADED
        if event.data["user_id"] == self._connection.user.id and is_loaded:
            self._async_unfollow()
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
