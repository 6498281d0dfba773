"""How the events of phones and lines read in *Activity*, and what they have caused."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.components.logbook import (
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import (
    ATTR_ACTION,
    ATTR_KEY,
    ATTR_NUMBER,
    ATTR_PHONE,
    DOMAIN,
    EVENT_DIALLED,
    EVENT_KEY_PRESS,
    EVENT_SHARED_LINE,
)
from .hub.bus import ATTR_LINE
from .hub.hub import SnomConfigEntry, SnomPart
from .hub.phone import SnomPhone
from .hub.texts import key_title, text

type Entry = dict[str, str]
"""An entry of the logbook, by its names for the parts."""


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[
        [str, str, Callable[[Event[Mapping[str, Any]]], Entry]], None
    ],
) -> None:
    """Describe the events on the bus. They may be old, and their phones gone."""

    def describe(make: Callable[[HomeAssistant, Mapping[str, Any]], Entry]) -> Any:
        return callback(lambda event: make(hass, event.data))

    async_describe_event(DOMAIN, EVENT_KEY_PRESS, describe(_press))
    async_describe_event(DOMAIN, EVENT_DIALLED, describe(_dialled))
    async_describe_event(DOMAIN, EVENT_SHARED_LINE, describe(_line_use))


def _press(hass: HomeAssistant, data: Mapping[str, Any]) -> Entry:
    name = data[ATTR_KEY]
    phone = _phone(hass, data)
    key = phone.phone.keys.get(name) if phone else None
    return {
        LOGBOOK_ENTRY_NAME: key_title(hass, name, key.setup.title if key else name),
        LOGBOOK_ENTRY_MESSAGE: text(
            hass, "logbook_press", phone=_device_name(hass, data)
        ),
        LOGBOOK_ENTRY_ICON: "mdi:gesture-tap-button",
    }


def _dialled(hass: HomeAssistant, data: Mapping[str, Any]) -> Entry:
    return {
        LOGBOOK_ENTRY_NAME: _device_name(hass, data),
        LOGBOOK_ENTRY_MESSAGE: text(hass, "logbook_dialled", number=data[ATTR_NUMBER]),
        LOGBOOK_ENTRY_ICON: "mdi:dialpad",
    }


def _line_use(hass: HomeAssistant, data: Mapping[str, Any]) -> Entry:
    key = f"logbook_{data[ATTR_ACTION]}"
    if (extension := data[ATTR_PHONE]) is None:
        message = text(hass, key)
    else:
        phone = _phone(hass, data)
        by = phone.settings.setup.name if phone else extension
        message = text(hass, f"{key}_by", phone=by)
    return {
        LOGBOOK_ENTRY_NAME: data[ATTR_LINE],
        LOGBOOK_ENTRY_MESSAGE: message,
        LOGBOOK_ENTRY_ICON: "mdi:phone-sync",
    }


def _phone(hass: HomeAssistant, data: Mapping[str, Any]) -> SnomPhone | None:
    """Return the phone of an event, if the server of its device is loaded."""
    entries: list[SnomConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        hub = entry.runtime_data
        parts: list[SnomPart] = [*hub.phones.values(), *hub.lines.values()]
        for part in parts:
            if part.device_id == data[ATTR_DEVICE_ID]:
                return hub.phones.get(data[ATTR_PHONE])
    return None


def _device_name(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Return the name of the device of an event; of one that is gone the default."""
    device = dr.async_get(hass).async_get(data[ATTR_DEVICE_ID] or "")
    name = device and (device.name_by_user or device.name)
    return name or text(hass, "phone_name", extension=data[ATTR_PHONE])
