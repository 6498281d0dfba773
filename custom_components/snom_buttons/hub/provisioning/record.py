"""What phones asked and got, for a report of how a real one behaves."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..settings import PhoneSettings

MAX_EVENTS: Final = 20
"""Events of one phone."""
MAX_STRANGERS: Final = 20
"""Phones that are not set up; an attacker can make up any number."""

ANNOUNCED: Final = "announced"
"""The phone announced itself by multicast."""
ANSWERED: Final = "answered"
"""It was answered; `status` is what it replied to that."""
FETCHED: Final = "fetched"
"""It got its settings file."""
REFUSED: Final = "refused"
"""It asked for a file and got none."""
ASKED: Final = "asked_to_fetch"
"""It was asked to fetch its settings; `result` is `accepted`, or the key of an error."""
EVENTS: Final = (ANNOUNCED, ANSWERED, FETCHED, REFUSED, ASKED)


@dataclass(slots=True)
class _Event:
    what: str
    facts: dict[str, Any]
    first: datetime
    last: datetime
    count: int = 1

    def as_dict(self) -> dict[str, Any]:
        return {
            "event": self.what,
            "first": self.first,
            "last": self.last,
            "count": self.count,
            **self.facts,
        }


class Record:
    """The last events of each phone, kept until Home Assistant stops.

    They are by hardware address, or by subentry as long as that is not known. All phones
    that said neither are one.
    """

    def __init__(self) -> None:
        """Start without any."""
        self._events: dict[str, deque[_Event]] = {}
        """Those that were added to last are at the end."""
        self._known: set[str] = set()

    @callback
    def async_update(self, phones: Iterable[PhoneSettings]) -> None:
        """Forget the phones that were removed. Those that are set up are kept."""
        known = {name for it in phones for name in (it.mac, it.subentry_id) if name}
        for gone in self._known - known:
            self._events.pop(gone, None)
        self._known = known

    @callback
    def async_note(self, phone: str, what: str, **facts: Any) -> None:
        """Add an event of a phone. One that repeats the last is counted."""
        now = dt_util.utcnow()
        events = self._events.pop(phone, None) or deque(maxlen=MAX_EVENTS)
        self._events[phone] = events
        if events and (events[-1].what, events[-1].facts) == (what, facts):
            events[-1].last = now
            events[-1].count += 1
        else:
            events.append(_Event(what, facts, now, now))
        strangers = [it for it in self._events if it not in self._known]
        if len(strangers) > MAX_STRANGERS:
            del self._events[strangers[0]]

    def of(self, phone: PhoneSettings) -> list[dict[str, Any]]:
        """Return the last events of a phone that is set up, the oldest first."""
        names = {phone.mac, phone.subentry_id} - {""}
        events = [event for name in names for event in self._events.get(name, ())]
        events.sort(key=lambda event: event.first)
        return [event.as_dict() for event in events[-MAX_EVENTS:]]

    @property
    def strangers(self) -> list[dict[str, Any]]:
        """The phones that are not set up, with their last events."""
        return [
            {"mac": phone, "record": [event.as_dict() for event in events]}
            for phone, events in self._events.items()
            if phone not in self._known
        ]
