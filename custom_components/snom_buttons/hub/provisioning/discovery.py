"""The cards of phones that were discovered and are not set up."""

from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_INTEGRATION_DISCOVERY,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.const import (
    ATTR_CONFIG_ENTRY_ID,
    CONF_HOST,
    CONF_MAC,
    CONF_MODEL,
    CONF_NAME,
)
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.discovery_flow import DiscoveryKey, async_create_flow

from ...const import DOMAIN
from ...engine.provisioning import Announcement, Mac
from ..settings import known_macs

MAX_CARDS: Final = 10
"""Cards that are open at once; an attacker can make up any number of phones."""
CONF_VERSION: Final = "version"


@callback
def async_cards(hass: HomeAssistant) -> list[ConfigFlowResult]:
    """Return the dialogues of discovered phones that are open."""
    return [
        flow
        for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        if flow["context"]["source"] in (SOURCE_DHCP, SOURCE_INTEGRATION_DISCOVERY)
    ]


@callback
def async_drop_card(hass: HomeAssistant, mac: Mac, *sources: str) -> None:
    """Close the card of a phone; with `sources` only one that came from these."""
    for card in async_cards(hass):
        context = card["context"]
        if context["unique_id"] == mac and context["source"] in (
            sources or (SOURCE_DHCP, SOURCE_INTEGRATION_DISCOVERY)
        ):
            hass.config_entries.flow.async_abort(card["flow_id"])


@callback
def async_is_ignored(hass: HomeAssistant, mac: Mac) -> bool:
    """Return whether the user ignores a phone. No server has a unique ID."""
    entries = hass.config_entries
    return entries.async_entry_for_domain_unique_id(DOMAIN, mac) is not None


@callback
def async_is_set_up(hass: HomeAssistant, mac: Mac) -> bool:
    """Return whether a phone of any server has a hardware address, or names it."""
    registry = dr.async_get(hass)
    connection = (dr.CONNECTION_NETWORK_MAC, dr.format_mac(mac))
    return mac in known_macs(hass) or any(
        registry.async_get_device_by_connection(connection, entry.entry_id)
        for entry in hass.config_entries.async_entries(DOMAIN)
    )


@callback
def async_discover(
    hass: HomeAssistant, entry: ConfigEntry[Any], said: Announcement
) -> None:
    """Show the card of a phone that a server has heard, unless there is one.

    Not before Home Assistant runs, as it would keep any number of them until then.
    """
    if (
        hass.state is not CoreState.running
        or not said.is_ours
        or async_is_ignored(hass, said.mac)
        or async_is_set_up(hass, said.mac)
    ):
        return
    cards = async_cards(hass)
    others = [it for it in cards if it["context"]["unique_id"] != said.mac]
    heard = [
        it for it in cards if it["context"]["source"] == SOURCE_INTEGRATION_DISCOVERY
    ]
    if len(others) >= MAX_CARDS or any(it not in others for it in heard):
        return
    async_create_flow(
        hass,
        DOMAIN,
        {"source": SOURCE_INTEGRATION_DISCOVERY},
        {
            CONF_MAC: said.mac,
            CONF_NAME: said.vendor,
            CONF_MODEL: said.model,
            CONF_VERSION: said.version,
            CONF_HOST: said.host,
            ATTR_CONFIG_ENTRY_ID: entry.entry_id,
        },
        discovery_key=DiscoveryKey(domain=DOMAIN, key=said.mac, version=1),
    )
