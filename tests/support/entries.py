"""Config entries with phones and lines for the Home Assistant of a test."""

import asyncio
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.config_entries import ConfigEntry, ConfigSubentry, ConfigSubentryData
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_track_state_change_event

from .patience import PATIENCE

PASSWORD = "geheim-44"
TOKEN = "N3arlyRand0mTokenOf22c"
"""The secret in the address of a phone's settings file."""

type Phones = Callable[..., Any]


def key_data(key: str, **changes: Any) -> dict[str, Any]:
    """Return a key as a subentry stores it."""
    data = {"key": key, "name": f"Key {key}", "kind": "light", "colors": False}
    return data | changes


KEYS = [
    key_data("1"),
    key_data("2", colors=True),
    key_data("3", kind="switch", name="Alarm"),
    key_data("4", kind="none"),
]


def phone_subentry(
    extension: str, keys: list[dict[str, Any]] | None = None, **changes: Any
) -> ConfigSubentryData:
    """Return the subentry of a phone."""
    data = {
        "extension": extension,
        "password": PASSWORD,
        "model": "D785",
        "token": TOKEN,
        "keys": KEYS if keys is None else keys,
    }
    return ConfigSubentryData(
        data=data | changes,
        subentry_id=f"subentry_{extension}",
        subentry_type="phone",
        title=f"Phone {extension}",
        unique_id=extension,
    )


BOTH = [{"phone": "subentry_44", "key": "1"}, {"phone": "subentry_45", "key": "1"}]


def line_subentry(**changes: Any) -> ConfigSubentryData:
    """Return the subentry of a line with a key of each phone."""
    return ConfigSubentryData(
        data={"code": "co2", "keys": BOTH} | changes,
        subentry_id="subentry_line",
        subentry_type="shared_line",
        title="Gate",
        unique_id="co2",
    )


def add_phone(
    hass: HomeAssistant, entry: MockConfigEntry, phone: ConfigSubentryData
) -> None:
    """Add the subentry of a phone at run time."""
    subentry = ConfigSubentry(**{**phone, "data": MappingProxyType(phone["data"])})
    hass.config_entries.async_add_subentry(entry, subentry)


def device_of(hass: HomeAssistant, subentry_id: str = "subentry_44") -> str:
    """Return the ID of the device of a phone or line."""
    [entry] = hass.config_entries.async_entries(DOMAIN)
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, subentry_id), entry.entry_id
    )
    assert device is not None
    return device.id


def stored_parts(
    hass_storage: dict[str, Any], entry: ConfigEntry[Any]
) -> dict[str, Any]:
    """Return what is stored of an entry, by the names of the parts."""
    key = f"{DOMAIN}.{entry.entry_id}."
    return {
        name.removeprefix(key): stored["data"]
        for name, stored in hass_storage.items()
        if name.startswith(key)
    }


async def in_sync(entry: MockConfigEntry, extension: str = "44") -> None:
    """Wait until a phone has taken all that its keys should show."""
    phone = entry.runtime_data.phones[extension].phone
    news = asyncio.Event()
    unsubscribe = phone.status.subscribe(lambda _: news.set())
    async with asyncio.timeout(PATIENCE):
        while not phone.in_sync:
            news.clear()
            await news.wait()
    unsubscribe()


async def reaches(hass: HomeAssistant, entity_id: str, wanted: str) -> None:
    """Wait until an entity has a state."""
    news = asyncio.Event()
    unsubscribe = async_track_state_change_event(
        hass, entity_id, callback(lambda _: news.set())
    )
    async with asyncio.timeout(PATIENCE):
        while not ((state := hass.states.get(entity_id)) and state.state == wanted):
            news.clear()
            await news.wait()
    unsubscribe()


def update_phone(
    hass: HomeAssistant, entry: MockConfigEntry, phone: str = "44", **changes: Any
) -> None:
    """Change the data of a phone's subentry, and its title and unique ID with it."""
    subentry = entry.subentries[f"subentry_{phone}"]
    title = changes.pop("title", subentry.title)
    data = {**subentry.data, **changes}
    hass.config_entries.async_update_subentry(
        entry, subentry, data=data, title=title, unique_id=data["extension"]
    )
