"""Gives phones their settings files, and has them fetch what has changed."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
import hmac
from ipaddress import ip_address
import logging
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_MAC
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ...const import ANSWER_WAIT
from ...engine.provisioning import Fetch, Mac, settings_file
from ...engine.refused import Failed
from ..follower import Follower
from ..phone import SnomPhone
from ..settings import EntrySettings, PhoneSettings
from .profiles import async_profile

_LOGGER = logging.getLogger(__name__)

SETTLE_SECONDS: Final = 5
"""Seconds after the last change before a phone is asked to fetch its settings."""


class Provisioning(Follower):
    """The settings files of the phones of one server."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        phones: Mapping[str, SnomPhone],
    ) -> None:
        """Create a follower. `phones` are the phones by extension, which may change."""
        super().__init__()
        self._hass = hass
        self._entry = entry
        self._phones = phones
        self._settings: EntrySettings | None = None
        self._fetched: dict[str, bytes] = {}
        """By subentry: the digest of the file that the phone has."""
        self._waiting: dict[str, CALLBACK_TYPE] = {}
        """By subentry: what cancels the request to fetch it again."""

    @override
    async def update(self, settings: EntrySettings) -> None:
        """Ask phones whose file has changed to fetch it, once after the last change."""
        self._settings = settings
        subentries = {phone.subentry_id for phone in settings.phones}
        for gone in self._fetched.keys() - subentries:
            del self._fetched[gone]
            self._async_cancel(gone)
        for phone in settings.phones:
            known = self._fetched.get(phone.subentry_id)
            if known is not None and known != _digest(self._file(phone)):
                self._async_ask_soon(phone)

    @override
    async def stop(self) -> None:
        await super().stop()
        for subentry_id in list(self._waiting):
            self._async_cancel(subentry_id)

    @callback
    def async_file(self, token: str, fetch: Fetch, remote: str) -> bytes | None:
        """Return the settings file of the phone with a token, None for any other.

        All tokens are compared, each in constant time. A phone whose hardware address is
        known gets nothing for another one.
        """
        settings = self._settings
        if settings is None or not _is_allowed(settings, remote):
            return None
        found = None
        for phone in settings.phones:
            if hmac.compare_digest(phone.token.encode(), token.encode()):
                found = phone
        if found is None or not found.token:
            return None
        if fetch.mac is not None and found.mac not in ("", fetch.mac):
            _LOGGER.warning(
                "Phone %s asked for its settings with another hardware address",
                found.setup.extension,
            )
            return None
        _LOGGER.info(
            "Phone %s fetches its settings: %s, %s, from %s",
            found.setup.extension,
            fetch.model or "unknown model",
            fetch.mac or "unknown hardware address",
            remote,
        )
        if fetch.mac is not None and not found.mac:
            self._async_remember(found, fetch.mac)
        file = self._file(found)
        self._fetched[found.subentry_id] = _digest(file)
        self._async_cancel(found.subentry_id)
        return file

    def _file(self, phone: PhoneSettings) -> bytes:
        assert self._settings is not None
        return settings_file(async_profile(self._hass, self._settings.server, phone))

    @callback
    def _async_remember(self, phone: PhoneSettings, mac: Mac) -> None:
        subentry = self._entry.subentries[phone.subentry_id]
        self._hass.config_entries.async_update_subentry(
            self._entry, subentry, data={**subentry.data, CONF_MAC: mac}
        )

    @callback
    def _async_ask_soon(self, phone: PhoneSettings) -> None:
        self._async_cancel(phone.subentry_id)
        self._waiting[phone.subentry_id] = async_call_later(
            self._hass, SETTLE_SECONDS, partial(self._async_ask, phone.subentry_id)
        )

    @callback
    def _async_cancel(self, subentry_id: str) -> None:
        if cancel := self._waiting.pop(subentry_id, None):
            cancel()

    async def _async_ask(self, subentry_id: str, _: datetime) -> None:
        del self._waiting[subentry_id]
        for phone in self._phones.values():
            if phone.settings.subentry_id == subentry_id:
                try:
                    await phone.phone.check_sync(reboot=False, within=ANSWER_WAIT)
                except Failed as failed:
                    # It fetches them when it starts, or by itself within a day.
                    _LOGGER.debug("A phone does not fetch its settings: %s", failed)
                return


def _digest(file: bytes) -> bytes:
    return sha256(file).digest()


def _is_allowed(settings: EntrySettings, remote: str) -> bool:
    """Return whether an address is in the networks that phones may come from."""
    try:
        address = ip_address(remote)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in network for network in settings.server.networks)
