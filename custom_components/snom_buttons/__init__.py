"""The lamps and keys of snom desk phones, with Home Assistant as their SIP registrar."""

from contextlib import AsyncExitStack
import errno

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN, ENTRY_VERSION, PLATFORMS
from .engine.phones import CannotListen
from .hub.card import async_offer_card, async_serve_card, async_withdraw_card
from .hub.drawings import async_serve_drawings
from .hub.hub import SnomConfigEntry, SnomHub, async_remove_stored
from .hub.provisioning.view import SettingsView
from .services import async_setup_services
from .websocket import async_setup_websocket

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, commands and what is served, also without a config entry."""
    async_setup_services(hass)
    async_setup_websocket(hass)
    if "http" in hass.config.components:
        hass.http.register_view(SettingsView(hass))
        await async_serve_drawings(hass)
        await async_serve_card(hass)
    return True


async def async_migrate_entry(hass: HomeAssistant, entry: SnomConfigEntry) -> bool:
    """Bring a config entry to this version; return whether it can be set up.

    There is no earlier version yet. A later minor version adds only what this one can
    ignore; Home Assistant itself refuses a later major version, and logs that.
    """
    return entry.version <= ENTRY_VERSION


async def async_setup_entry(hass: HomeAssistant, entry: SnomConfigEntry) -> bool:
    """Start the SIP server of a config entry."""
    await async_offer_card(hass)
    hub = SnomHub(hass, entry)
    await hub.async_load()
    entry.runtime_data = hub
    entry.async_on_unload(hub.async_stop)
    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, hub.async_stop)
    )
    try:
        hub.ports.check()
        await _async_start(hass, entry)
    except CannotListen as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key=(
                "port_in_use" if err.errno == errno.EADDRINUSE else "cannot_listen"
            ),
            translation_placeholders={
                "host": hub.server.settings.host,
                "port": str(err.port),
                "transport": "UDP" if err.transport == "UDP" else "TCP",
                "error": err.strerror or str(err),
            },
        ) from err
    return True


async def _async_start(hass: HomeAssistant, entry: SnomConfigEntry) -> None:
    """Start the followers and the platforms, and open the ports last.

    So no press is lost. Raises CannotListen.
    """
    hub = entry.runtime_data
    hub.async_start()
    # The update listener is added later, so update before and after the platforms.
    await hub.async_update()
    async with AsyncExitStack() as on_failure:
        # One at a time: Home Assistant gives each platform a minute, which platforms
        # that are set up together would share.
        for platform in PLATFORMS:
            await hass.config_entries.async_forward_entry_setups(entry, [platform])
            on_failure.push_async_callback(
                hass.config_entries.async_unload_platforms, entry, [platform]
            )
        entry.async_on_unload(entry.add_update_listener(_async_entry_updated))
        await hub.async_update()
        await hub.ports.open()
        on_failure.pop_all()


async def _async_entry_updated(hass: HomeAssistant, entry: SnomConfigEntry) -> None:
    """Apply changed settings."""
    await entry.runtime_data.async_update()


async def async_unload_entry(hass: HomeAssistant, entry: SnomConfigEntry) -> bool:
    """Unload a config entry; this ends in `SnomHub.async_stop`."""
    await entry.runtime_data.async_close()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: SnomConfigEntry) -> None:
    """Remove the stored data of a config entry, its topics, and with the last the card."""
    await async_remove_stored(hass, entry)
    await async_withdraw_card(hass)
