"""The IDs of events that were published, here or by another server."""

from collections.abc import Callable

from .events import MEMORY


class Seen:
    """IDs, each for MEMORY seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Create an empty memory; `clock` returns seconds."""
        self._clock = clock
        self._until: dict[str, float] = {}
        """When each is forgotten, in this order."""

    def add(self, event_id: str) -> None:
        """Remember an ID from now on."""
        now = self._clock()
        for oldest in list(self._until):
            if self._until[oldest] > now:
                break
            del self._until[oldest]
        self._until.setdefault(event_id, now + MEMORY)

    def __contains__(self, event_id: object) -> bool:
        """Return whether an ID was added within MEMORY seconds."""
        return self._until.get(str(event_id), 0.0) > self._clock()
