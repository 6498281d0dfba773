"""Datagrams that wait to be handled: the most urgent first, and each of them once."""

from collections import Counter, OrderedDict
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from .flow import Flow

MAX_SIZE = 32 * 1024 * 1024
"""Bytes of all datagrams that wait: 24 SUBSCRIBEs of each of a thousand phones."""
MAX_OF_FLOW = 2 * 1024 * 1024
"""Bytes of those of one flow, which may be a proxy with many phones behind it."""
MAX_OF_EDGE = 24 * 1024 * 1024
"""The same of a trusted proxy, behind which there are thousands, all of which may register
at once."""
OVERHEAD = 512
"""Bytes that a datagram takes beyond its own."""
LONGEST = 16.0
"""Seconds for which a datagram waits for more urgent ones. A phone repeats its request for
32 (timer F, RFC 3261 17.1.2.2)."""


class Urgency(IntEnum):
    """The order in which datagrams are handled."""

    FIRST = 0
    """Presses, calls and answers, which end our requests."""
    SUBSCRIBE = 1
    REGISTER = 2
    """Behind SUBSCRIBE, of which a registered phone sends one for each key: so a phone gets
    all its keys before the next one begins."""
    STRANGER = 3
    """All that is not from a registered phone. It has been admitted."""


def urgency_of(data: bytes) -> Urgency:
    """Return how urgent a datagram of a registered phone is."""
    if data.startswith(b"SUBSCRIBE "):
        return Urgency.SUBSCRIBE
    if data.startswith(b"REGISTER "):
        return Urgency.REGISTER
    return Urgency.FIRST


class Waiting(NamedTuple):
    """A datagram that waits."""

    data: bytes
    flow: Flow
    urgency: Urgency
    since: float


type _Queue = OrderedDict[tuple[Flow, bytes], Waiting]


class Backlog:
    """The datagrams that wait.

    A request that is sent again is the same datagram (RFC 3261 17.1.2.2). A copy of one
    that waits is dropped, so that what waits for long does not become more work.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Create an empty backlog; `clock` returns seconds."""
        self._clock = clock
        self._queues: tuple[_Queue, ...] = tuple(OrderedDict() for _ in Urgency)
        self._size = 0
        self._of_flow: Counter[Flow] = Counter()
        """The bytes of each flow."""
        self._is_overdue_next = False

    def add(
        self, data: bytes, flow: Flow, urgency: Urgency, most: int = MAX_OF_FLOW
    ) -> bool:
        """Let a datagram wait; return False if there is no room for it.

        There is room for `most` bytes of its flow.
        """
        queue, key = self._queues[urgency], (flow, data)
        if key in queue:
            return True
        size = len(data) + OVERHEAD
        if self._size + size > MAX_SIZE or self._of_flow[flow] + size > most:
            return False
        queue[key] = Waiting(data, flow, urgency, self._clock())
        self._size += size
        self._of_flow[flow] += size
        return True

    def pop(self) -> Waiting | None:
        """Return the next datagram, which waits no longer; None without one.

        It is the oldest of the most urgent ones, or every other time of those that have
        waited for LONGEST.
        """
        queues = [queue for queue in self._queues if queue]
        if not queues:
            return None
        self._is_overdue_next = not self._is_overdue_next
        queue = (self._is_overdue_next and self._overdue(queues)) or queues[0]
        _, waiting = queue.popitem(last=False)
        size = len(waiting.data) + OVERHEAD
        self._size -= size
        self._of_flow[waiting.flow] -= size
        if not self._of_flow[waiting.flow]:
            del self._of_flow[waiting.flow]
        return waiting

    def _overdue(self, queues: list[_Queue]) -> _Queue | None:
        latest = self._clock() - LONGEST
        overdue = (q for q in queues[1:] if next(iter(q.values())).since <= latest)
        return next(overdue, None)

    def clear(self) -> None:
        """Drop all that waits."""
        for queue in self._queues:
            queue.clear()
        self._of_flow.clear()
        self._size = 0
