"""The IDs of events that were published, here or by another server."""

from collections import OrderedDict
from collections.abc import Callable

from .events import MEMORY


class Seen:
    """IDs, each for MEMORY seconds. One more costs the same however many there are."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Create an empty memory; `clock` returns seconds."""
        self._clock = clock
        # Not a dict: its first item, once others before it are gone, is found by a search.
        self._until: OrderedDict[str, float] = OrderedDict()
        """When each is forgotten, in this order."""

    def add(self, event_id: str) -> None:
        """Remember an ID from now on."""
        now = self._clock()
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
        self._until.setdefault(event_id, now + MEMORY)

    def __contains__(self, event_id: object) -> bool:
        """Return whether an ID was added within MEMORY seconds."""
        return self._until.get(str(event_id), 0.0) > self._clock()
