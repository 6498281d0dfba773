"""Which phones do not know buttons documents, so that their files have BLF keys."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, callback

from ..phone import SnomPhone


@callback
def async_refuses_documents(entry: ConfigEntry[Any], subentry_id: str) -> bool:
    """Return whether a phone has refused documents; False if its server is off."""
    if entry.state is not ConfigEntryState.LOADED:
        return False
    refusals = entry.runtime_data.provisioning.refusals
    return bool(refusals.async_has(subentry_id))


class Refusals:
    """Follows `Phone.refused_documents`, by which the files of phones change."""

    def __init__(
        self, phones: Mapping[str, SnomPhone], changed: Callable[[], None]
    ) -> None:
        """Follow none. `phones` are the phones by extension, which may change.

        `changed` is called when what `async_has` returns has changed.
        """
        self._phones = phones
        self._changed = changed
        self._refusing: set[str] = set()
        """The subentries of phones that refuse documents."""
        self._followed: dict[SnomPhone, CALLBACK_TYPE] = {}

    @callback
    def async_has(self, subentry_id: str) -> bool:
        """Return whether a phone has refused documents since its User-Agent changed."""
        return subentry_id in self._refusing

    @callback
    def async_update(self) -> None:
        """Follow the current phones."""
        phones = set(self._phones.values())
        for phone in self._followed.keys() - phones:
            self._followed.pop(phone)()
        self._refusing &= {phone.settings.subentry_id for phone in phones}
        for phone in phones - self._followed.keys():
            follow = partial(self._async_follow, phone)
            self._followed[phone] = phone.phone.status.subscribe(follow)
            follow(None)

    @callback
    def async_stop(self) -> None:
        """Follow no phone any more."""
        for unsubscribe in self._followed.values():
            unsubscribe()
        self._followed = {}

    @callback
    def _async_follow(self, phone: SnomPhone, _: None) -> None:
        subentry_id = phone.settings.subentry_id
        known = phone.phone.refused_documents
        takes = [not it.documents_refused for it in phone.phone.sendings]
        before = subentry_id in self._refusing
        # Not if another contact takes them: it may be the one that fetches settings.
        refuses = bool(known) and (before or not any(takes))
        if refuses == before:
            return
        if refuses:
            self._refusing.add(subentry_id)
        else:
            self._refusing.discard(subentry_id)
        self._changed()
