"""Asks phones to fetch their settings again after a change."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
import logging
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ...const import ANSWER_WAIT
from ...engine.phones import Change, Signal
from ...engine.provisioning import Profile, digest_of
from ...engine.refused import Failed
from ..phone import SnomPhone
from .record import ASKED, Record

_LOGGER = logging.getLogger(__name__)

FETCHED: Final = "fetched"
IDENTITY: Final = "fetched_identity"
SETTLE_SECONDS: Final = 5
"""Seconds after the last change before a phone is asked to fetch its settings."""


class Refresher:
    """Knows which settings file each phone has, and asks for a fetch of a newer one."""

    def __init__(
        self,
        hass: HomeAssistant,
        phones: Mapping[str, SnomPhone],
        record: Record,
        save: Callable[[str], None],
    ) -> None:
        """Know of no file. `phones` are the phones by extension, which may change.

        `save` is called with a subentry when what `saved` returns has changed.
        """
        self.fetched: Final[Signal[str]] = Signal()
        """A phone, by its subentry, has fetched its settings."""
        self._hass = hass
        self._phones = phones
        self._record = record
        self._save = save
        self._fetched: dict[str, str] = {}
        """By subentry: the digest of what the phone was set to by the file that it has."""
        self._identities: dict[str, int] = {}
        """By subentry: the identity that the phone was set to by that file."""
        self._profiles: Mapping[str, Profile] = {}
        """By subentry: what the phones are to be set to, as of the last update."""
        self._early: set[str] = set()
        """The subentries that were fetched for before an update had them."""
        self._waiting: dict[str, CALLBACK_TYPE] = {}
        """By subentry: what cancels the request to fetch it again."""
        self._missed: set[str] = set()
        """The subentries of phones that could not be asked: they are when they register."""

    @callback
    def async_saved(self, subentry_id: str) -> dict[str, Any]:
        """Return what is stored of a phone, for `async_recall` after a restart."""
        saved = {
            FETCHED: self._fetched.get(subentry_id),
            IDENTITY: self._identities.get(subentry_id),
        }
        return {name: it for name, it in saved.items() if it is not None}

    @callback
    def async_recall(self, subentry_id: str, saved: object) -> None:
        """Restore what was stored of a phone, which may be anything."""
        match saved:
            case {"fetched": str(fetched)}:
                self._fetched[subentry_id] = fetched
        match saved:
            case {"fetched_identity": int(identity)}:
                self._identities[subentry_id] = identity

    @callback
    def async_has_fetched(self, subentry_id: str) -> bool:
        """Return whether a phone has ever fetched its settings."""
        return subentry_id in self._fetched

    @callback
    def async_former(self, subentry_id: str, profile: Profile) -> int | None:
        """Return `Profile.former` of the file that a phone would fetch next."""
        former = self._identities.get(subentry_id)
        return None if profile.whole and former == profile.identity else former

    @callback
    def async_note(self, subentry_id: str, profile: Profile) -> None:
        """Remember what a phone was set to by the file that it fetched.

        Beside a telephone system it is not asked to fetch again: it would do so there.
        """
        self._async_cancel(subentry_id)
        if subentry_id not in self._profiles:
            self._early.add(subentry_id)
        before = self.async_saved(subentry_id)
        if profile.whole:
            self._fetched[subentry_id] = digest_of(profile)
            self._identities[subentry_id] = profile.identity
        else:
            self._forget(subentry_id)
        if self.async_saved(subentry_id) != before:
            self._save(subentry_id)
        self.fetched.emit(subentry_id)

    @callback
    def async_update(self, profiles: Mapping[str, Profile]) -> None:
        """Ask phones whose file has changed to fetch it, once after the last change.

        `profiles` are by subentry; phones that have none any more are forgotten. One that
        is set up by its fetch may not be among them yet.
        """
        for gone in self._fetched.keys() - profiles.keys() - self._early:
            self._forget(gone)
            self._async_cancel(gone)
        self._early -= profiles.keys()
        for subentry_id, fetched in self._fetched.items():
            profile = profiles.get(subentry_id)
            if profile is None or profile == self._profiles.get(subentry_id):
                continue
            if digest_of(profile) == fetched:
                self._async_cancel(subentry_id)
            else:
                self._async_ask_soon(subentry_id)
        self._profiles = profiles

    def _forget(self, subentry_id: str) -> None:
        self._fetched.pop(subentry_id, None)
        self._identities.pop(subentry_id, None)

    @callback
    def async_follow(self, change: Change) -> None:
        """Ask a phone that registers, if it could not be asked before."""
        if not self._missed:  # this is called for each change of a key
            return
        phone = self._phones.get(change.extension or "")
        if phone is None or not phone.phone.available:
            return
        if (subentry_id := phone.settings.subentry_id) in self._missed:
            self._async_ask_soon(subentry_id)

    @callback
    def async_stop(self) -> None:
        """Ask no phone any more."""
        for subentry_id in list(self._waiting):
            self._async_cancel(subentry_id)

    @callback
    def _async_ask_soon(self, subentry_id: str) -> None:
        self._async_cancel(subentry_id)
        self._waiting[subentry_id] = async_call_later(
            self._hass, SETTLE_SECONDS, partial(self._async_ask, subentry_id)
        )

    @callback
    def _async_cancel(self, subentry_id: str) -> None:
        self._missed.discard(subentry_id)
        if cancel := self._waiting.pop(subentry_id, None):
            cancel()

    async def _async_ask(self, subentry_id: str, _: datetime) -> None:
        del self._waiting[subentry_id]
        for phone in self._phones.values():
            if phone.settings.subentry_id == subentry_id:
                result = "accepted"
                try:
                    await phone.phone.check_sync(reboot=False, within=ANSWER_WAIT)
                except Failed as failed:
                    result = failed.key
                    # It fetches them when it starts, or by itself within a day.
                    _LOGGER.debug("A phone does not fetch its settings: %s", failed)
                    if not phone.phone.available:
                        self._missed.add(subentry_id)
                self._record.async_note(
                    phone.settings.mac or subentry_id, ASKED, result=result
                )
                return
