"""What was dropped without an answer, by reason."""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum
import logging
import math
import time

from .flow import Flow

_LOGGER = logging.getLogger(__name__)

LOGGED_EVERY = 1.0
"""Seconds between two lines of the log for the same reason."""


class Drop(StrEnum):
    """Why a message or a connection was dropped."""

    NETWORK = "network"
    """Its source is in none of the allowed networks."""
    LOCKED_OUT = "locked_out"
    """Its source gave too many wrong passwords."""
    RATE = "rate"
    """Its source has used up its own allowance."""
    SHARE = "share"
    """Its phone has used up its share."""
    ALL_STRANGERS = "all_strangers"
    """All strangers together have used up theirs."""
    BACKLOG = "backlog"
    """Too much of its phone, or of all senders, waits to be handled."""
    CONNECTIONS = "connections"
    """There are too many connections."""
    MALFORMED = "malformed"
    TOO_SHORT = "too_short"
    """A challenge would be too long for a source that may be forged."""
    STRAY = "stray"
    """A response, or a CANCEL, to a request that is unknown."""


class Drops:
    """Counts what is dropped, and logs it at debug level."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Create it with all counts zero; `clock` returns seconds."""
        self.counts: Counter[Drop] = Counter()
        self._clock = clock
        self._logged: dict[Drop, tuple[float, int]] = {}
        """By reason: the time of its last line, and the count then."""

    def count(self, reason: Drop, flow: Flow) -> None:
        """Count a message or a connection by this flow."""
        self.counts[reason] += 1
        if not _LOGGER.isEnabledFor(logging.DEBUG):
            return
        now, total = self._clock(), self.counts[reason]
        logged_at, before = self._logged.get(reason, (-math.inf, 0))
        if now - logged_at >= LOGGED_EVERY:
            self._logged[reason] = now, total
            _LOGGER.debug(
                "Dropped (%s): %d, the last from %s", reason, total - before, flow
            )
