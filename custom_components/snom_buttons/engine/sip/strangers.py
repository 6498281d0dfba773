"""Allowances of strangers, which have no registration: one for each, and one for all.

A registering phone needs little. So those that have used little lately may use up what
all have together, and the others must leave a reserve.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network

from .bucket import Bucket, Rate
from .drops import Drop
from .flow import Flow

SIZE = 1024
"""Bytes of a message that count as a further message."""
RATE = 50.0
"""Messages per second that strangers at one address may send on average."""
BURST = 200.0
"""Messages that they may send at once, such as those of fifty phones behind a router."""
SMALL_RATE = 1.0
"""The same for a stranger that counts as small, as a phone that registers does."""
SMALL_BURST = 20.0
SMALL_MESSAGE = 4
"""KiB of the longest message that counts as small."""
NETWORK = 10
"""How many times as much an IPv6 /64 may send; one sender can have all its addresses."""
ALL_RATE = 1000.0
"""Messages per second of all strangers together, by each transport: a tenth of a core."""
ALL_BURST = 4000.0
"""Messages that they may send at once: after a power cut a thousand phones register."""
RESERVE = 3000.0
"""Of these, what is left to small strangers."""
HANDSHAKE = 4
"""Messages that cost as much as a TLS handshake."""
MAX_SOURCES = 10_000
"""Sources that are stored; beyond that the ones heard least recently are dropped."""


@dataclass(slots=True)
class _Source:
    own: Bucket
    small: Bucket


class Strangers:
    """Token buckets of the sources and of all together, for each transport.

    A source address can be forged by UDP, and must not affect TCP and TLS.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Create full buckets; `clock` returns seconds."""
        self._clock = clock
        self._sources: OrderedDict[str, _Source] = OrderedDict()
        self._all: dict[str, Bucket] = {}

    def refusal(self, flow: Flow, tokens: int) -> Drop | None:
        """Return why `take` would refuse now, None if it would not."""
        now = self._clock()
        return self._judge(flow, self._sources_of(flow, now), tokens, now)[0]

    def take(self, flow: Flow, tokens: int, work: int = 0) -> Drop | None:
        """Take tokens, below zero if need be; return why not if that is refused.

        `work` is what a message or connection costs beyond them. It does not count for
        the source alone, which may be a router with many phones behind it.
        """
        now = self._clock()
        sources = self._sources_of(flow, now)
        refusal, is_small = self._judge(flow, sources, tokens, now)
        if refusal is None:
            for source in sources:
                source.own.tokens -= tokens
                if is_small:
                    source.small.tokens -= tokens + work
            self._all_of(flow, now).tokens -= tokens + work
        return refusal

    def _judge(
        self, flow: Flow, sources: list[_Source], tokens: int, now: float
    ) -> tuple[Drop | None, bool]:
        """Return why a message is refused, and whether it is that of a small stranger."""
        if any(source.own.fill(now) < 1.0 for source in sources):
            return Drop.RATE, False
        is_small = tokens <= SMALL_MESSAGE and all(
            source.small.fill(now) >= 1.0 for source in sources
        )
        if self._all_of(flow, now).tokens < (1.0 if is_small else RESERVE):
            return Drop.ALL_STRANGERS, is_small
        return None, is_small

    def _all_of(self, flow: Flow, now: float) -> Bucket:
        bucket = self._all.get(flow.transport)
        if bucket is None:
            bucket = Bucket(Rate(ALL_RATE, ALL_BURST), now)
            self._all[flow.transport] = bucket
        bucket.fill(now)
        return bucket

    def _sources_of(self, flow: Flow, now: float) -> list[_Source]:
        """Return the buckets of an address and, for IPv6, of its /64."""
        found = []
        for host, times in zip(networks_of(flow.host), (1, NETWORK), strict=False):
            key = f"{flow.transport} {host}"
            source = self._sources.get(key)
            if source is None:
                source = self._sources[key] = _Source(
                    Bucket(Rate(times * RATE, times * BURST), now),
                    Bucket(Rate(times * SMALL_RATE, times * SMALL_BURST), now),
                )
            self._sources.move_to_end(key)
            found.append(source)
        while len(self._sources) > MAX_SOURCES:
            self._sources.popitem(last=False)
        return found


@lru_cache(maxsize=2048)
def networks_of(host: str) -> tuple[str, ...]:
    """Return an address and, for IPv6, its /64."""
    if ":" not in host:
        return (host,)
    address, percent, interface = host.partition("%")
    network = ip_network((address, 64), strict=False)
    # Each interface has its own link-local network.
    return host, f"{network}{percent}{interface}"
