"""System health: how the servers and phones are, without names, numbers or addresses."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import async_get_integration

from .const import DOMAIN
from .hub.hub import SnomConfigEntry


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register what *Repairs → System information* shows."""
    register.async_register_info(
        _async_info, f"/config/integrations/integration/{DOMAIN}"
    )


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return numbers of all servers together, and their open ports."""
    entries: list[SnomConfigEntry] = hass.config_entries.async_entries(
        DOMAIN, include_disabled=False
    )
    hubs = [
        entry.runtime_data
        for entry in entries
        if entry.state is ConfigEntryState.LOADED
    ]
    servers = [hub.server for hub in hubs]
    phones = [phone for server in servers for phone in server.phones.values()]
    ports = [
        f"{transport} {port}"
        for hub in hubs
        for transport, port in hub.listening.items()
    ]
    integration = await async_get_integration(hass, DOMAIN)
    return {
        "version": str(integration.version),
        "servers": len(entries),
        "servers_running": len(servers),
        "open_ports": ", ".join(ports),
        "phones": len(phones),
        "phones_registered": sum(phone.registration is not None for phone in phones),
        "phones_answering": sum(phone.available for phone in phones),
        "keys": sum(len(phone.keys) for phone in phones),
        "keys_up_to_date": sum(
            phone.has_taken(key) for phone in phones for key in phone.keys
        ),
        "locked_out": sum(len(server.locked) for server in servers),
    }
