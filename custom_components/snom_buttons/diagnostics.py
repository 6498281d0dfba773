"""What a user can send to us when something is wrong, without secrets."""

from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PASSWORD
from homeassistant.core import HomeAssistant

from .const import CONF_ADVERTISED_HOST
from .devices import USER_AGENT, SnomPhone
from .hub import SnomConfigEntry
from .phones import Phone

TO_REDACT = {CONF_ADVERTISED_HOST, CONF_HOST, CONF_PASSWORD}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: SnomConfigEntry
) -> dict[str, Any]:
    """Return what the user has set, and how each phone does if the server runs."""
    phones: dict[str, SnomPhone] = {}
    if entry.state is ConfigEntryState.LOADED:
        hub = entry.runtime_data
        phones = {phone.settings.subentry_id: phone for phone in hub.phones.values()}
    return {
        "server": async_redact_data(dict(entry.data), TO_REDACT),
        "phones": [
            {"settings": async_redact_data(dict(subentry.data), TO_REDACT)}
            | (_status(phones[subentry_id].sip) if subentry_id in phones else {})
            for subentry_id, subentry in entry.subentries.items()
        ],
    }


def _status(phone: Phone) -> dict[str, Any]:
    registration = phone.registration
    return {
        "available": phone.available,
        "in_sync": phone.in_sync,
        "registration": registration
        and {
            "user_agent": _redact_hardware_address(registration.user_agent),
            "expires_at": registration.expires_at.isoformat(),
            "supports_buttons": registration.supports_buttons,
        },
        "document": "".join(key.document.decode() for key in phone.keys.values()),
    }


def _redact_hardware_address(user_agent: str | None) -> str | None:
    """Return the User-Agent without the hardware address at its end."""
    if user_agent and (match := USER_AGENT.match(user_agent)) and match["mac"]:
        return user_agent.replace(match["mac"], REDACTED)
    return user_agent
