"""Hears phones that announce themselves, and gives them their settings files."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
import logging
import time
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ...const import DOMAIN
from ...engine.phones import Attempt, PhoneServer
from ...engine.provisioning import Announcement, Mac, Outcome, PlugAndPlay
from ..follower import Follower
from ..phone import SnomPhone
from ..settings import EntrySettings, PhoneSettings, is_allowed
from .discovery import (
    async_discover,
    async_discover_attempt,
    async_drop_extensions,
    async_is_ignored,
    async_is_set_up,
)
from .files import Files
from .newcomers import Newcomer, Newcomers
from .profiles import async_can_fetch, async_settings_url
from .record import ANNOUNCED, ANSWERED, Record
from .refresh import Refresher
from .refusals import Refusals
from .renewal import Renewals
from .tokens import FirstTokens
from .window import MakePhone, Window

_LOGGER = logging.getLogger(__name__)

STARTED_TOGETHER: Final = timedelta(seconds=60)
"""Phones that start within this time may have done so by one power cut."""
WAITS_FOR_ANSWER: Final = timedelta(seconds=32)
"""How long a phone waits for the answer to its SUBSCRIBE (RFC 3261 17.1.2.2, timer F)."""


class Provisioning(Follower):
    """The settings files of the phones of one server."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
        save: Callable[[str], None],
    ) -> None:
        """Create a follower. `phones` are the phones by extension, which may change.

        `save` is as in Refresher.
        """
        super().__init__()
        self._hass = hass
        self._entry = entry
        self._server = server
        self._phones = phones
        self._settings: EntrySettings | None = None
        self._window: Window | None = None
        self.record: Final = Record()
        self.refresher: Final = Refresher(hass, phones, self.record, save)
        self._renewals = Renewals(hass, entry)
        self.tokens: Final = FirstTokens(time.monotonic)
        self.refusals: Final = Refusals(phones, self._async_refusals_changed)
        self.files: Final = Files(
            hass,
            entry,
            self.tokens,
            self.refresher,
            self.refusals,
            record=self.record,
            window=lambda: self.window,
        )
        self.newcomers: Final = Newcomers()
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
            self._server.changed.subscribe(self.refresher.async_follow),
            self._server.renewed.subscribe(self._renewals.async_renewed),
            self._server.attempted.subscribe(self._async_attempted),
            async_at_started(self._hass, self._async_discover_all),
        ]

    @override
    async def update(self, settings: EntrySettings) -> None:
        """Have the files of these phones, and hear those that are not among them."""
        self._settings = settings
        self.newcomers.async_drop({phone.mac for phone in settings.phones})
        self.record.async_update(settings.phones)
        self.refusals.async_update()
        self.files.async_update(settings)
        self._renewals.async_update()
        async_drop_extensions(
            self._hass, {it.setup.extension for it in settings.phones}
        )

    @override
    async def stop(self) -> None:
        await super().stop()
        self.refresher.async_stop()
        self.refusals.async_stop()
        self._renewals.async_stop()
        if self.window is not None:
            self.window.async_end(None)

    @callback
    def async_saved(self, subentry_id: str) -> dict[str, Any]:
        """Return what is stored of a phone, for `async_recall` after a restart."""
        return self.refresher.async_saved(subentry_id)

    @callback
    def async_recall(self, subentry_id: str, saved: object) -> None:
        """Restore what was stored of a phone, which may be anything."""
        self.refresher.async_recall(subentry_id, saved)

    @callback
    def async_open_window(self, make: MakePhone) -> Window:
        """Open a window, and close the one that is open, also that of another server.

        Of two windows, both would answer the same phone. One that a person has left open
        in a dialogue that is gone must not be in the way.
        """
        for provisioning in self._all:
            if provisioning.window is not None:
                provisioning.window.async_supersede()
        self._window = Window(make)
        return self._window

    @callback
    def async_candidates(self, window: Window) -> list[Newcomer]:
        """Return the phones that a window may be for, the one heard last at the end.

        Those of the minute before count, as a power cut starts all phones at once.
        """
        since = min(window.opened, dt_util.utcnow() - STARTED_TOGETHER)
        return [
            newcomer
            for newcomer in self.newcomers.phones
            if newcomer.at >= since
            and newcomer.announcement.is_ours
            and newcomer.announcement.mac not in window.passed_over
            and not async_is_ignored(self._hass, newcomer.announcement.mac)
        ]

    @callback
    def async_choose(self, window: Window, chosen: Newcomer) -> None:
        """Set up this phone, and no other one that was heard."""
        window.async_choose(chosen.announcement)
        self.async_answer_late(chosen)

    @callback
    def async_pass_over(self, window: Window, macs: Iterable[Mac]) -> None:
        """Set up none of these phones, but the next one that is plugged in."""
        window.async_pass_over(macs)
        for newcomer in self.async_candidates(window)[-1:]:
            self.async_answer_late(newcomer)

    @callback
    def async_answer_late(self, newcomer: Newcomer) -> None:
        """Answer a phone that may still wait for it; else it is at its next start."""
        if dt_util.utcnow() - newcomer.at < WAITS_FOR_ANSWER:
            self.plug_and_play.answer(newcomer.announcement)

    @property
    def window(self) -> Window | None:
        """The window that is open."""
        window = self._window
        return None if window is None or window.ended.done() else window

    @property
    def _all(self) -> list[Provisioning]:
        """Those of all servers that run."""
        entries = self._hass.config_entries.async_loaded_entries(DOMAIN)
        return [entry.runtime_data.provisioning for entry in entries]

    @callback
    def _async_refusals_changed(self) -> None:
        if self._settings is not None:
            self.files.async_update(self._settings)

    @callback
    def _async_discover(self, newcomer: Newcomer) -> None:
        """Show a phone as discovered, unless it may be the one of a window."""
        said, settings = newcomer.announcement, self._settings
        if settings is None or not is_allowed(settings, said.host):
            return
        if not any(provisioning.window for provisioning in self._all):
            async_discover(self._hass, self._entry, said)

    @callback
    def _async_attempted(self, attempt: Attempt) -> None:
        """Show a phone that tried to register, unless no phones are to be shown."""
        if self._settings is not None and self._settings.plug_and_play:
            async_discover_attempt(self._hass, self._entry, attempt)

    @callback
    def _async_discover_all(self, _: HomeAssistant) -> None:
        """Show the phones that were heard while Home Assistant was starting."""
        for newcomer in self.newcomers.phones:
            self._async_discover(newcomer)

    @callback
    def _async_heard(self, said: Announcement) -> None:
        if self._settings is None or not is_allowed(self._settings, said.host):
            return
        self.record.async_note(
            said.mac,
            ANNOUNCED,
            vendor=said.vendor,
            model=said.model,
            version=said.version,
            port=said.port,
        )
        if not async_is_set_up(self._hass, said.mac):
            self.newcomers.async_add(said)
        if self.window is not None:
            self.window.async_note(said)

    @callback
    def _async_url_of(self, said: Announcement) -> str | None:
        """Return where a phone fetches its settings; None for one that is not answered."""
        settings = self._settings
        if settings is None or not is_allowed(settings, said.host):
            return None
        known = next((it for it in settings.phones if it.mac == said.mac), None)
        if known is not None:
            is_wanted = (
                bool(known.token)
                # Its settings come from its telephone system.
                and not known.provisioning.beside
                and self._trusts(known, said)
            )
        else:
            is_wanted = not (
                self.window is None
                # Also by hand, perhaps beside a telephone system.
                or async_is_set_up(self._hass, said.mac)
                or async_is_ignored(self._hass, said.mac)
            )
        # Without a URL there is nothing to answer, and the window stays free.
        if not (is_wanted and async_can_fetch(self._hass, settings)):
            return None
        if known is None and self.window is not None:
            candidates = self.async_candidates(self.window)
            others = [it for it in candidates if it.announcement.mac != said.mac]
            if not self.window.async_admit(said, is_alone=not others):
                return None
        token = self.tokens.async_issue(said.mac)
        folder = async_settings_url(self._hass, settings, token)
        return f"{folder}{said.mac}.xml"

    def _trusts(self, phone: PhoneSettings, said: Announcement) -> bool:
        """Return whether an announcement can be that of a phone that is set up.

        The URL leads to its password, and any host in the network can claim any hardware
        address. A phone that is registered asks from where it registered, also after it
        was reset.
        """
        known = self._phones.get(phone.setup.extension)
        hosts = {it.host for it in known.phone.registrations} if known else set()
        return not hosts or said.host in hosts

    @callback
    def _async_settled(self, outcome: Outcome) -> None:
        said = outcome.announcement
        self.record.async_note(said.mac, ANSWERED, status=outcome.status)
        _LOGGER.info(
            "%s, %s, at %s, was answered: %s",
            said.model or "A phone",
            said.mac,
            said.host,
            "no response" if outcome.status is None else outcome.status,
        )
