"""The cards of phones that were discovered and are not set up."""

from collections.abc import Callable, Container, Mapping
from enum import IntEnum
from typing import Any, Final, NamedTuple

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
from homeassistant.core import CALLBACK_TYPE, CoreState, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.discovery_flow import DiscoveryKey, async_create_flow
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)

from ...const import CONF_EXTENSION, DOMAIN
from ...engine.names import SIP_USER, without_forbidden
from ...engine.phones import Attempt, hardware_of
from ...engine.provisioning import MAX_WORD, Announcement, Mac, find_mac, read_mac
from ..settings import known_macs
from .newcomers import Newcomer, Newcomers

MAX_CARDS: Final = 10
"""Cards that are open at once; an attacker can make up any number of phones."""
CONF_VERSION: Final = "version"
STEP_TRIED: Final = "tried"
"""The step of the dialogue of a phone that tried to register."""
_CARD: Final = f"{DOMAIN}_card_{{}}"


class Evidence(IntEnum):
    """What a card is based on. A card takes the place of one with less for its phone."""

    ADDRESS = 0
    """Home Assistant saw its address by DHCP."""
    ANNOUNCEMENT = 1
    REGISTER = 2


@callback
def async_cards(hass: HomeAssistant) -> list[ConfigFlowResult]:
    """Return the dialogues of discovered phones that are open."""
    return [
        flow
        for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        if flow["context"]["source"] in (SOURCE_DHCP, SOURCE_INTEGRATION_DISCOVERY)
    ]


def _evidence(card: ConfigFlowResult) -> Evidence:
    if card["step_id"] == STEP_TRIED:
        return Evidence.REGISTER
    if card["context"]["source"] == SOURCE_DHCP:
        return Evidence.ADDRESS
    return Evidence.ANNOUNCEMENT


class Found(NamedTuple):
    """A phone that is in the network, and is not set up."""

    mac: Mac
    label: str
    """What it says it is, and where."""
    model: str
    host: str
    newcomer: Newcomer | None
    """It, if it was heard."""


def named(said: Announcement) -> str:
    """Return what a phone says it is, and where."""
    return f"{maker_and_model(said.vendor, said.model)}, {said.mac}, {said.host}"


def maker_and_model(maker: str, model: str) -> str:
    """Return both; a maker with which the name of the model begins only once."""
    if model.casefold().startswith(maker.casefold()):
        model = model[len(maker) :].lstrip(" -_")
    return " ".join(filter(None, (maker, model)))


@callback
def async_found(hass: HomeAssistant, newcomers: Newcomers) -> list[Found]:
    """Return the phones that were heard, the last one first, then those of cards.

    Not those that tried to register: they have an account, perhaps beside another one.
    """
    found: dict[Mac, Found] = {}
    for newcomer in reversed(newcomers.phones):
        said = newcomer.announcement
        if said.is_ours:
            label = named(said)
            found[said.mac] = Found(said.mac, label, said.model, said.host, newcomer)
    for card in async_cards(hass):
        mac = read_mac(card["context"]["unique_id"] or "")
        if mac is None or mac in found or _evidence(card) is Evidence.REGISTER:
            continue
        about = card["context"]["title_placeholders"]
        host = about[CONF_HOST]
        label = f"{about['named']}, {mac}, {host}"
        found[mac] = Found(mac, label, about[CONF_MODEL], host, None)
    return [
        it
        for it in found.values()
        if not (async_is_ignored(hass, it.mac) or async_is_set_up(hass, it.mac))
    ]


@callback
def async_drop_card(
    hass: HomeAssistant, unique_id: str, most: Evidence = Evidence.REGISTER
) -> None:
    """Close the card of a phone, if it is based on `most` at most."""
    for card in async_cards(hass):
        if card["context"]["unique_id"] == unique_id and _evidence(card) <= most:
            hass.config_entries.flow.async_abort(card["flow_id"])


@callback
def async_drop_extensions(hass: HomeAssistant, extensions: Container[str]) -> None:
    """Close the cards of phones that tried to register with one of these extensions."""
    for card in async_cards(hass):
        extension, at, _ = str(card["context"]["unique_id"]).partition("@")
        if at and extension in extensions:
            hass.config_entries.flow.async_abort(card["flow_id"])


@callback
def async_is_ignored(hass: HomeAssistant, unique_id: str) -> bool:
    """Return whether the user ignores a phone. No server has a unique ID."""
    entries = hass.config_entries
    return entries.async_entry_for_domain_unique_id(DOMAIN, unique_id) is not None


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
    """Show the card of a phone that a server has heard, unless there is one."""
    if not said.is_ours:
        return
    about = {
        CONF_NAME: said.vendor,
        CONF_MODEL: said.model,
        CONF_VERSION: said.version,
        CONF_HOST: said.host,
        CONF_MAC: said.mac,
    }
    if _async_has_room(hass, said.mac, Evidence.ANNOUNCEMENT, about):
        _async_show(hass, entry, said.mac, about)


@callback
def async_discover_attempt(
    hass: HomeAssistant, entry: ConfigEntry[Any], attempt: Attempt
) -> None:
    """Show the card of a phone that tried to register with a server.

    A phone that does not name its hardware address has one for each extension and
    address.
    """
    extension, host, user_agent = attempt
    mac = find_mac(user_agent)
    unique_id = mac or f"{extension}@{host}"
    if not SIP_USER.fullmatch(extension):
        return
    hardware = hardware_of(user_agent)
    about = {
        CONF_EXTENSION: extension,
        CONF_NAME: "snom" if hardware else without_forbidden(user_agent)[:MAX_WORD],
        CONF_HOST: host,
    }
    if hardware is not None:
        about[CONF_MODEL] = hardware.model or ""
        about[CONF_VERSION] = hardware.version
    if mac is not None:
        about[CONF_MAC] = mac
    if _async_has_room(hass, unique_id, Evidence.REGISTER, about):
        _async_show(hass, entry, unique_id, about)


@callback
def _async_has_room(
    hass: HomeAssistant, unique_id: str, evidence: Evidence, about: Mapping[str, str]
) -> bool:
    """Return whether there is room for a card; if there is one as good, update that.

    Not before Home Assistant runs, as it would keep any number of them until then.
    """
    if hass.state is not CoreState.running:
        return False
    cards = async_cards(hass)
    own = [it for it in cards if it["context"]["unique_id"] == unique_id]
    if any(_evidence(card) >= evidence for card in own):
        async_update_card(hass, unique_id, about)
        return False
    return len(cards) - len(own) < MAX_CARDS


@callback
def async_update_card(
    hass: HomeAssistant, unique_id: str, about: Mapping[str, str]
) -> None:
    """Give the card of a phone what the phone says now, such as another address."""
    async_dispatcher_send(hass, _CARD.format(unique_id), about)


@callback
def async_follow_card(
    hass: HomeAssistant, unique_id: str, listener: Callable[[Mapping[str, str]], None]
) -> CALLBACK_TYPE:
    """Call a listener with what the phone of a card says, until the result is called."""
    return async_dispatcher_connect(hass, _CARD.format(unique_id), listener)


@callback
def _async_show(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    unique_id: str,
    about: Mapping[str, str],
) -> None:
    """Begin the dialogue of a card, unless the phone is set up or ignored."""
    mac = about.get(CONF_MAC)
    if async_is_ignored(hass, unique_id):
        return
    if mac is not None and async_is_set_up(hass, Mac(mac)):
        return
    async_create_flow(
        hass,
        DOMAIN,
        {"source": SOURCE_INTEGRATION_DISCOVERY},
        {**about, ATTR_CONFIG_ENTRY_ID: entry.entry_id},
        discovery_key=DiscoveryKey(domain=DOMAIN, key=unique_id, version=1),
    )
