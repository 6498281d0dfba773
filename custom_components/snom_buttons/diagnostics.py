"""Diagnostics: settings and state of a server, without secrets."""

import re
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_ADDRESS, CONF_HOST, CONF_PASSWORD
from homeassistant.core import HomeAssistant

from .const import (
    CONF_ADVERTISED,
    CONF_ADVERTISED_HOST,
    CONF_REDIRECT_TO,
    SUBENTRY_TYPE_PHONE,
    SUBENTRY_TYPE_SHARED_LINE,
)
from .engine.phones import Phone
from .hub.hub import SnomConfigEntry

TO_REDACT = {
    CONF_ADDRESS,
    CONF_ADVERTISED,
    CONF_ADVERTISED_HOST,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_REDIRECT_TO,
}

HARDWARE_ADDRESS: Final = re.compile(
    r"(?<![0-9A-F])[0-9A-F]{2}([:-]?)(?:[0-9A-F]{2}\1){4}[0-9A-F]{2}(?![0-9A-F])",
    re.IGNORECASE,
)
"""A User-Agent may contain one."""


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: SnomConfigEntry
) -> dict[str, Any]:
    """Return the settings, and the state of each phone while the server runs."""
    status: dict[str, dict[str, Any]] = {}
    mqtt: dict[str, Any] = {}
    if entry.state is ConfigEntryState.LOADED:
        hub = entry.runtime_data
        mqtt = hub.mqtt.diagnostics
        for phone in hub.phones.values():
            status[phone.settings.subentry_id] = _phone_status(phone.phone)
        for subentry_id, part in hub.lines.items():
            status[subentry_id] = part.line.save()

    def parts(subentry_type: str) -> list[dict[str, Any]]:
        return [
            {"settings": async_redact_data(dict(subentry.data), TO_REDACT)}
            | status.get(subentry.subentry_id, {})
            for subentry in entry.get_subentries_of_type(subentry_type)
        ]

    return {
        "server": async_redact_data(dict(entry.data), TO_REDACT),
        "mqtt": {"settings": dict(entry.options)} | mqtt,
        "phones": parts(SUBENTRY_TYPE_PHONE),
        "shared_lines": parts(SUBENTRY_TYPE_SHARED_LINE),
    }


def _phone_status(phone: Phone) -> dict[str, Any]:
    registration = phone.registration
    return {
        "available": phone.available,
        "in_sync": phone.in_sync,
        "refusal": phone.refusal,
        "round_trip": phone.round_trip,
        "registration": registration
        and {
            "user_agent": registration.user_agent
            and HARDWARE_ADDRESS.sub(REDACTED, registration.user_agent),
            "expires_at": registration.expires_at
            and registration.expires_at.isoformat(),
            "supports_buttons": registration.supports_buttons,
        },
        "document": "".join(key.document.decode() for key in phone.keys.values()),
    }
