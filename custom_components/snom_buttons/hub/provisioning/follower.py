"""Gives phones their settings files, and has them fetch what has changed."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
import hmac
from ipaddress import ip_address
import logging
import time
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_MAC
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

from ...const import ANSWER_WAIT, DOMAIN
from ...engine.phones import PhoneServer
from ...engine.provisioning import (
    Announcement,
    Fetch,
    Mac,
    Outcome,
    PlugAndPlay,
    Profile,
    settings_file,
)
from ...engine.refused import Failed
from ..follower import Follower
from ..phone import SnomPhone
from ..settings import EntrySettings, PhoneSettings, known_macs
from .discovery import async_discover, async_drop_card, async_is_ignored
from .newcomers import Newcomer, Newcomers
from .profiles import async_profile, async_settings_url
from .window import MakePhone, Window

_LOGGER = logging.getLogger(__name__)

SETTLE_SECONDS: Final = 5
"""Seconds after the last change before a phone is asked to fetch its settings."""


class Provisioning(Follower):
    """The settings files of the phones of one server."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
    ) -> None:
        """Create a follower. `phones` are the phones by extension, which may change."""
        super().__init__()
        self._hass = hass
        self._entry = entry
        self._phones = phones
        self._settings: EntrySettings | None = None
        self._fetched: dict[str, Profile] = {}
        """By subentry: what the phone was set to by the file that it has."""
        self._waiting: dict[str, CALLBACK_TYPE] = {}
        """By subentry: what cancels the request to fetch it again."""
        self.refused = 0
        """Requests for a settings file that got none."""
        self.newcomers: Final = Newcomers()
        self.window: Window | None = None
        """The window that is open."""
        self.plug_and_play: Final = PlugAndPlay(
            server, self._async_url_of, time.monotonic
        )

    @override
    @callback
    def start(self) -> None:
        self._subscriptions = [
            self.plug_and_play.heard.subscribe(self._async_heard),
            self.plug_and_play.settled.subscribe(self._async_settled),
            self.newcomers.heard.subscribe(self._async_discover),
            async_at_started(self._hass, self._async_discover_all),
        ]

    @override
    async def update(self, settings: EntrySettings) -> None:
        """Ask phones whose file has changed to fetch it, once after the last change."""
        self._settings = settings
        self.newcomers.async_drop({phone.mac for phone in settings.phones})
        subentries = {phone.subentry_id for phone in settings.phones}
        for gone in self._fetched.keys() - subentries:
            del self._fetched[gone]
            self._async_cancel(gone)
        for phone in settings.phones:
            known = self._fetched.get(phone.subentry_id)
            if known is not None and known != self._profile(phone):
                self._async_ask_soon(phone)

    @override
    async def stop(self) -> None:
        await super().stop()
        for subentry_id in list(self._waiting):
            self._async_cancel(subentry_id)
        if self.window is not None:
            self.async_close_window(self.window)

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
            return self._async_first_file(token, fetch, remote)
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
        profile = self._profile(found)
        if fetch.version is not None:  # a person looks at it in a browser without one
            self._fetched[found.subentry_id] = profile
            self._async_cancel(found.subentry_id)
        return settings_file(profile)

    @callback
    def _async_first_file(self, token: str, fetch: Fetch, remote: str) -> bytes | None:
        """Return the file of the phone for which the window is, and set that phone up."""
        subentry = self.window and self.window.async_phone(token, fetch.mac)
        if not subentry:
            return None
        phone = PhoneSettings.from_subentry(subentry, ())
        profile = self._fetched[phone.subentry_id] = self._profile(phone)
        _LOGGER.info(
            "Phone %s is set up: %s, %s, from %s",
            phone.setup.extension,
            fetch.model or "unknown model",
            fetch.mac,
            remote,
        )
        assert self.window is not None and fetch.mac is not None
        window, self.window = self.window, None
        # The phone registers when it has the file, so the server has to know it before.
        self._hass.config_entries.async_add_subentry(self._entry, subentry)
        window.async_end(subentry)
        async_drop_card(self._hass, fetch.mac)
        return settings_file(profile)

    # Plug and play

    @callback
    def async_open_window(self, make: MakePhone) -> Window | None:
        """Open a window, None if one is open already, also of another server.

        Of two windows, both would answer the same phone.
        """
        if self._is_window_open:
            return None
        self.window = Window(make, time.monotonic)
        return self.window

    @callback
    def async_close_window(self, window: Window) -> None:
        """Close a window. A second call does nothing."""
        window.async_end(None)
        if self.window is window:
            self.window = None

    @property
    def _is_window_open(self) -> bool:
        """Whether a window is open, also of another server."""
        entries = self._hass.config_entries.async_loaded_entries(DOMAIN)
        return any(entry.runtime_data.provisioning.window for entry in entries)

    @callback
    def _async_discover(self, newcomer: Newcomer) -> None:
        """Show a phone as discovered, unless it may be the one of a window."""
        said, settings = newcomer.announcement, self._settings
        if settings is None or not _is_allowed(settings, said.host):
            return
        if not self._is_window_open:
            async_discover(self._hass, self._entry, said)

    @callback
    def _async_discover_all(self, _: HomeAssistant) -> None:
        """Show the phones that were heard while Home Assistant was starting."""
        for newcomer in self.newcomers.phones:
            self._async_discover(newcomer)

    @callback
    def _async_heard(self, said: Announcement) -> None:
        if self._settings is None or not _is_allowed(self._settings, said.host):
            return
        if said.mac not in known_macs(self._hass):
            self.newcomers.async_add(said)
        if self.window is not None:
            self.window.async_note(said)

    @callback
    def _async_url_of(self, said: Announcement) -> str | None:
        """Return where a phone fetches its settings; None for one that is not answered."""
        settings = self._settings
        if settings is None or not _is_allowed(settings, said.host):
            return None
        for phone in settings.phones:
            if phone.mac == said.mac:
                return (
                    self._url_for(phone.token, said)
                    if self._trusts(phone, said)
                    else None
                )
        if self.window is None or said.mac in known_macs(self._hass):
            return None
        if async_is_ignored(self._hass, said.mac):
            return None
        # Without a URL there is nothing to answer, and the window stays free.
        if self._url_for("-", said) is None:
            return None
        token = self.window.async_admit(said)
        return token and self._url_for(token, said)

    def _trusts(self, phone: PhoneSettings, said: Announcement) -> bool:
        """Return whether an announcement can be that of a phone that is set up.

        The URL leads to its password, and any host in the network can claim any hardware
        address. A phone that is registered asks from where it registered, also after it
        was reset.
        """
        known = self._phones.get(phone.setup.extension)
        hosts = {it.host for it in known.phone.registrations} if known else set()
        return not hosts or said.host in hosts

    def _url_for(self, token: str, said: Announcement) -> str | None:
        """Return the URL with the phone's hardware address as the name of the file."""
        folder = async_settings_url(self._hass, token)
        return folder and f"{folder}{said.mac}.xml"

    @callback
    def _async_settled(self, outcome: Outcome) -> None:
        said = outcome.announcement
        _LOGGER.info(
            "%s, %s, at %s, was answered: %s",
            said.model or "A phone",
            said.mac,
            said.host,
            "no response" if outcome.status is None else outcome.status,
        )

    def _profile(self, phone: PhoneSettings) -> Profile:
        assert self._settings is not None
        return async_profile(self._hass, self._settings.server, phone)

    @callback
    def _async_remember(self, phone: PhoneSettings, mac: Mac) -> None:
        async_drop_card(self._hass, mac)
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


def _is_allowed(settings: EntrySettings, remote: str) -> bool:
    """Return whether an address is in the networks that phones may come from."""
    try:
        address = ip_address(remote)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in network for network in settings.server.networks)
