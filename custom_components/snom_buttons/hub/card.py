"""The dashboard card: how browsers get it, and how dashboards and the frontend know it."""

import asyncio
from functools import cache
from hashlib import sha256
import logging
from pathlib import Path
from typing import Any, Final

from homeassistant.components import frontend, panel_custom
from homeassistant.components.http import StaticPathConfig
from homeassistant.components.lovelace import LOVELACE_DATA
from homeassistant.components.lovelace.resources import ResourceStorageCollection
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, PANEL_PATH

_LOGGER = logging.getLogger(__name__)

CARD_PATH: Final = f"/{DOMAIN}/card.js"
_PANEL_ELEMENT: Final = "snom-phones-panel"
_FILE: Final = Path(__file__).parents[1] / "frontend" / "snom-phone-card.js"
_LOCK: Final[HassKey[asyncio.Lock]] = HassKey(f"{DOMAIN}_card")
"""Held while the card is offered or withdrawn, as config entries are set up together."""


@cache
def card_version() -> str:
    """Return the version of the card, a digest of its file, which is read once."""
    return sha256(_FILE.read_bytes()).hexdigest()[:12]


async def async_serve_card(hass: HomeAssistant) -> None:
    """Serve the card, without a log-in, as browsers fetch modules.

    Browsers keep it for a month; the version is in its URL.
    """
    await hass.async_add_executor_job(card_version)
    await hass.http.async_register_static_paths(
        [StaticPathConfig(CARD_PATH, str(_FILE), cache_headers=True)]
    )


async def async_offer_card(hass: HomeAssistant) -> None:
    """Let each page of the frontend load the card, and add the page of the phones."""
    if frontend.DOMAIN not in hass.config.components:
        return
    url = f"{CARD_PATH}?v={card_version()}"
    async with hass.data.setdefault(_LOCK, asyncio.Lock()):
        await _async_load_in_frontend(hass, url)
        if not frontend.async_panel_exists(hass, PANEL_PATH):
            await panel_custom.async_register_panel(
                hass, PANEL_PATH, _PANEL_ELEMENT, module_url=url
            )


async def async_withdraw_card(hass: HomeAssistant) -> None:
    """Undo `async_offer_card` once no config entry is left."""
    if frontend.DOMAIN not in hass.config.components:
        return
    async with hass.data.setdefault(_LOCK, asyncio.Lock()):
        if not hass.config_entries.async_entries(DOMAIN, include_ignore=False):
            await _async_load_in_frontend(hass, None)
            # A dashboard of the user may have the path.
            panel = hass.data[frontend.DATA_PANELS].get(PANEL_PATH)
            if panel is not None and panel.component_name == "custom":
                frontend.async_remove_panel(hass, PANEL_PATH)


async def _async_load_in_frontend(hass: HomeAssistant, url: str | None) -> None:
    """Let the frontend load the card from this URL only, or not at all.

    As a resource of dashboards where Home Assistant stores these: Cast loads nothing
    else. Where they are in YAML as an extra module, unless the user has listed the card.
    """
    resources = hass.data[LOVELACE_DATA].resources
    if isinstance(resources, ResourceStorageCollection):
        try:
            await _async_store(resources, url)
        except HomeAssistantError as err:  # the phones work without dashboards
            _LOGGER.warning("The resources of dashboards cannot be changed: %s", err)
        return
    if any(map(_is_ours, resources.async_items())):
        url = None
    loaded = hass.data[frontend.DATA_EXTRA_MODULE_URL].urls
    for other in filter(_is_card, loaded - {url}):
        frontend.remove_extra_js_url(hass, other)
    if url is not None and url not in loaded:
        frontend.add_extra_js_url(hass, url)


async def _async_store(resources: ResourceStorageCollection, url: str | None) -> None:
    """Store the resource of the card with this URL, once, or remove it."""
    await resources.async_get_info()  # loads them
    ours = [item for item in resources.async_items() if _is_ours(item)]
    for item in ours if url is None else ours[1:]:
        await resources.async_delete_item(item["id"])
    if url is None:
        return
    wanted = {"res_type": "module", "url": url}
    if not ours:
        await resources.async_create_item(wanted)
    elif (ours[0]["type"], ours[0]["url"]) != ("module", url):
        await resources.async_update_item(ours[0]["id"], wanted)


def _is_card(url: str) -> bool:
    """Return whether a URL is that of the card, in any version."""
    return url.partition("?")[0] == CARD_PATH


def _is_ours(resource: dict[str, Any]) -> bool:
    return _is_card(resource.get("url", ""))  # YAML may have one without
