"""Which phones do not know buttons documents, so that their files have BLF keys."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, callback

from ..phone import SnomPhone

REFUSED_BY: Final = "refused_by"


@callback
def async_refuses_documents(entry: ConfigEntry[Any], subentry_id: str) -> bool:
    """Return whether a phone has refused documents; False if its server is off."""
    if entry.state is not ConfigEntryState.LOADED:
        return False
    refusals = entry.runtime_data.provisioning.refusals
    return bool(refusals.async_has(subentry_id))


class Refusals:
    """Remembers the User-Agent with which a phone refused documents.

    The engine forgets it with the registration, such as of a phone that is switched off.
    The phone may fetch its settings before it registers again.
    """

    def __init__(
        self,
        phones: Mapping[str, SnomPhone],
        save: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        """Know of none. `phones` are the phones by extension, which may change.

        `save` is called with a subentry when what `async_saved` returns has changed,
        `changed` when what `async_has` returns has.
        """
        self._phones = phones
        self._save = save
        self._changed = changed
        self._agents: dict[str, str] = {}
        """The User-Agent by subentry."""
        self._followed: dict[SnomPhone, CALLBACK_TYPE] = {}

    @callback
    def async_saved(self, subentry_id: str) -> dict[str, Any]:
        """Return what is stored of a phone, for `async_recall` after a restart."""
        agent = self._agents.get(subentry_id)
        return {} if agent is None else {REFUSED_BY: agent}

    @callback
    def async_recall(self, subentry_id: str, saved: object) -> None:
        """Restore what was stored of a phone, which may be anything."""
        match saved:
            case {"refused_by": str(agent)}:
                self._agents[subentry_id] = agent

    @callback
    def async_has(self, subentry_id: str) -> bool:
        """Return whether a phone has refused documents since its User-Agent changed."""
        return subentry_id in self._agents

    @callback
    def async_update(self) -> None:
        """Follow the current phones."""
        phones = set(self._phones.values())
        for phone in self._followed.keys() - phones:
            self._followed.pop(phone)()
        for gone in self._agents.keys() - {it.settings.subentry_id for it in phones}:
            del self._agents[gone]
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
        before = self._agents.get(subentry_id)
        sendings = phone.phone.sendings
        refusing = [it.user_agent for it in sendings if it.documents_refused]
        # Not if another contact takes them: it may be the one that fetches settings.
        if refusing and len(refusing) == len(sendings):
            after = before if before in refusing else refusing[-1]
        elif sendings and before not in {it.user_agent for it in sendings}:
            after = None
        else:
            after = before
        if after == before:
            return
        if after is None:
            del self._agents[subentry_id]
        else:
            self._agents[subentry_id] = after
        self._save(subentry_id)
        if before is None or after is None:
            self._changed()
