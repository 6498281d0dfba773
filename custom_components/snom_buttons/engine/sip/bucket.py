"""A token bucket, by which rates are limited."""

from typing import NamedTuple


class Rate(NamedTuple):
    """What a bucket allows."""

    per_second: float
    at_once: float


class Bucket:
    """A token bucket, full at first."""

    __slots__ = ("_filled_at", "_rate", "tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        """Create a full bucket; `now` is in seconds."""
        self._rate = rate
        self._filled_at = now
        self.tokens = rate.at_once

    def fill(self, now: float, per_second: float | None = None) -> float:
        """Add the tokens since the last time, also at another rate; return their number."""
        usual, at_once = self._rate
        seconds = now - self._filled_at
        tokens = self.tokens + seconds * (usual if per_second is None else per_second)
        # Faster than `min`, and this runs twice for each press.
        self.tokens = tokens if tokens < at_once else at_once  # noqa: FURB136
        self._filled_at = now
        return self.tokens
