"""Fair shares: token buckets for each of many senders, and one for all of them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
import math

from .bucket import Bucket, Rate

CALM = 60.0
"""Seconds for which a sender counts as exceeding its share after it was refused."""
MAX_SENDERS = 10_000
"""Senders whose buckets are stored; beyond that the least recent ones are dropped."""


@dataclass(slots=True)
class _Sender:
    own: Bucket
    more: Bucket
    refused_at: float = -math.inf


class Shares:
    """Two buckets for each sender, and one for all of them together.

    What is in a sender's own bucket is there whatever the others do. When it is empty,
    the sender takes from its second bucket and from the common one. If one of these is
    empty too, the sender is refused, and its own bucket fills slowly until it is calm.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        own: Rate,
        slow: float,
        more: Rate,
        common: Rate,
    ) -> None:
        """Create full buckets; `clock` returns seconds, `slow` is in tokens per second."""
        self._clock = clock
        self._own = own
        self._slow = slow
        self._more = more
        self._common = Bucket(common, clock())
        self._senders: OrderedDict[Hashable, _Sender] = OrderedDict()

    def has_any(self, sender: Hashable) -> bool:
        """Whether a sender may send another message now."""
        now = self._clock()
        buckets = self._buckets(sender, now)
        if buckets.own.tokens >= 1.0 or (
            buckets.more.fill(now) >= 1.0 and self._common.fill(now) >= 1.0
        ):
            return True
        buckets.refused_at = now
        return False

    def take(self, sender: Hashable, tokens: int = 1) -> bool:
        """Take tokens, below zero if need be; return False if there is none."""
        own = self._buckets(sender, self._clock()).own
        if own.tokens >= 1.0:
            own.tokens -= tokens
            return True
        if not self.has_any(sender):
            return False
        self._senders[sender].more.tokens -= tokens
        self._common.tokens -= tokens
        return True

    def give(self, sender: Hashable, tokens: int) -> None:
        """Give tokens for messages that the sender is asked to send."""
        if (buckets := self._senders.get(sender)) is not None:  # else they are full
            own = buckets.own
            own.tokens = min(self._own.at_once, own.tokens + tokens)

    def _buckets(self, sender: Hashable, now: float) -> _Sender:
        """Return the buckets of a sender, of which its own is filled."""
        buckets = self._senders.get(sender)
        if buckets is None:
            buckets = _Sender(Bucket(self._own, now), Bucket(self._more, now))
            self._senders[sender] = buckets
            if len(self._senders) > MAX_SENDERS:
                self._senders.popitem(last=False)
        self._senders.move_to_end(sender)
        is_calm = now - buckets.refused_at >= CALM
        buckets.own.fill(now, self._own.per_second if is_calm else self._slow)
        return buckets
