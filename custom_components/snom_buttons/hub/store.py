"""The store of a config entry: the server's state over a restart."""

from collections.abc import Callable, Mapping
import logging
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, UnsupportedStorageVersionError
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..engine.xbuttons import DocumentError, parse_document

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION: Final = 1
SAVE_DELAY: Final = 1
"""Seconds from a change until the store is written."""


class ServerStore:
    """Loads and saves the store of one config entry."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, snapshot: Callable[[], dict[str, Any]]
    ) -> None:
        """Create a store that saves what `snapshot` returns when it is written."""
        self._snapshot = snapshot
        self._store = _store(hass, entry_id)
        self._is_pending = False

    async def load(self, title: str) -> dict[str, Any]:
        """Return what was saved, in today's format; an empty dict if nothing was.

        `title` is for the log. Raises ConfigEntryError if a later version saved it.
        """
        try:
            stored: object = await self._store.async_load()
        except UnsupportedStorageVersionError as err:
            raise ConfigEntryError(
                translation_domain=DOMAIN, translation_key="store_too_new"
            ) from err
        if isinstance(stored, dict):
            return _upgraded(stored)
        if stored is not None:
            _LOGGER.warning("The stored data of %s cannot be read", title)
        return {}

    @callback
    def save_soon(self) -> None:
        """Save after SAVE_DELAY; `async_delay_save` alone waits for a pause."""
        if not self._is_pending:
            self._is_pending = True
            self._store.async_delay_save(self._async_data, SAVE_DELAY)

    async def save_now(self) -> None:
        """Save at once. This replaces a save that is due."""
        await self._store.async_save(self._async_data())

    @callback
    def _async_data(self) -> dict[str, Any]:
        self._is_pending = False
        return self._snapshot()


async def async_remove_store(hass: HomeAssistant, entry_id: str) -> dict[str, Any]:
    """Remove the store of a config entry; return what it held, if it can be read."""
    store = _store(hass, entry_id)
    try:
        stored: object = await store.async_load()
    except UnsupportedStorageVersionError:
        stored = None
    await store.async_remove()
    return stored if isinstance(stored, dict) else {}


@callback
def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    """Return the store; private, because it holds the addresses of phones."""
    return Store(
        hass, STORAGE_VERSION, f"{DOMAIN}.{entry_id}", private=True, atomic_writes=True
    )


def _upgraded(stored: dict[str, Any]) -> dict[str, Any]:
    """Return a store whose keys have what 0.1 kept in lists by phone.

    `unused`: keys that were not used; `colored`: those with several colours.
    """
    phones = stored.get("phones")
    if not isinstance(phones, dict) or not {"unused", "colored"} & stored.keys():
        return stored
    return stored | {
        "phones": {
            extension: _with_kinds(
                phone,
                unused=_names(stored.get("unused"), extension),
                colored=_names(stored.get("colored"), extension),
            )
            for extension, phone in phones.items()
        }
    }


def _with_kinds(phone: object, *, unused: list[str], colored: list[str]) -> object:
    if not isinstance(phone, dict) or not isinstance(keys := phone.get("keys"), list):
        return phone
    return phone | {
        "keys": [
            key | {"used": name not in unused, "colors": name in colored}
            if (name := _name_of(key)) is not None
            else key
            for key in keys
        ]
    }


def _name_of(key: object) -> str | None:
    """Return the name of a stored key; None for one that is not set up, or broken."""
    match key:
        case {"configured": _, "shown": str(document)}:
            try:
                [description] = parse_document(document.encode())
            except DocumentError, ValueError:
                return None
            return description.name
    return None


def _names(stored: object, extension: str) -> list[str]:
    by_phone = stored.get(extension) if isinstance(stored, Mapping) else None
    return by_phone if isinstance(by_phone, list) else []
