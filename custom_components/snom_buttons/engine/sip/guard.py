"""Admission by source: networks, rates, and lock-outs after wrong passwords.

It sees only the flow and the size, so a refused message costs almost nothing.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
import logging

from .drops import Drop, Drops
from .flow import Flow
from .location import LocationService
from .strangers import MAX_SOURCES, SIZE, Strangers, networks_of

_LOGGER = logging.getLogger(__name__)

type Network = IPv4Network | IPv6Network

PRIVATE_NETWORKS: tuple[Network, ...] = (
    ip_network("10.0.0.0/8"),
    ip_network("172.16.0.0/12"),
    ip_network("192.168.0.0/16"),
    ip_network("100.64.0.0/10"),
    ip_network("127.0.0.0/8"),
    ip_network("169.254.0.0/16"),
    ip_network("::1/128"),
    ip_network("fc00::/7"),
    ip_network("fe80::/10"),
)
"""Networks that are not routed on the internet (RFC 1918, 3927, 4193, 6598)."""

FAILURES = 10
"""Wrong passwords that lock out an address."""
NETWORK_FAILURES = 100
"""Wrong passwords that lock out an IPv6 /64, of which one sender can have all addresses."""
FORGIVEN_EVERY = 30.0
"""Seconds after which one wrong password is forgiven; phones retry less often."""
LOCKED_FOR = 900.0
"""Seconds for which an address is locked out."""
MAX_USER = 64
"""Characters of a user name that are stored with the address of a proxy."""


@dataclass(slots=True)
class _Failures:
    count: int
    counted_at: float
    locked_until: float = 0.0


class Guard:
    """Decides which messages are admitted."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        location: LocationService,
        networks: Iterable[Network] = PRIVATE_NETWORKS,
        on_locked: Callable[[str, bool], None] = lambda _host, _is_locked: None,
    ) -> None:
        """Admit sources in `networks`, and the flows of phones in `location`.

        `on_locked` gets a source, and whether it was locked out or released.
        """
        self._clock = clock
        self._location = location
        self._networks = tuple(networks)
        self._on_locked = on_locked
        self.drops = Drops(clock)
        self._strangers = Strangers(clock)
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._allowed: OrderedDict[str, bool] = OrderedDict()

    @property
    def locked(self) -> list[str]:
        """The sources that are locked out."""
        now = self._clock()
        return [s for s, failed in self._failures.items() if failed.locked_until > now]

    @property
    def next_release(self) -> float | None:
        """The time at which to call `release`, None if no source is locked out."""
        return min(
            (f.locked_until for f in self._failures.values() if f.locked_until),
            default=None,
        )

    def is_known(self, flow: Flow) -> bool:
        """Whether a phone has registered by this flow, and not through a proxy."""
        return self._location.knows(flow)

    def serves(self, flow: Flow) -> bool:
        """Whether a phone is reached by this flow, directly or through a proxy."""
        return self._location.serves(flow)

    def admits_host(self, host: str) -> bool:
        """Whether an address may connect: it is in a network, and not locked out."""
        return self._refusal_of(host) is None

    def is_locked(self, source: str) -> bool:
        """Whether an address, or a user at an address, is locked out."""
        if not self._failures:
            return False
        now = self._clock()
        return any(
            failed.locked_until > now
            for locked in sources_of(source)
            if (failed := self._failures.get(locked)) is not None
        )

    def admits(
        self, flow: Flow, size: int = 0, *, is_answer: bool = False, work: int = 0
    ) -> bool:
        """Whether to admit a message of `size` bytes, or a connection, by this flow.

        `work` says how many messages of a stranger cost as much more. Every message by the flow of a registered phone is admitted. By another flow
        that serves a phone, responses are, and requests at the rate of strangers.
        """
        if self.is_known(flow):
            return True
        serves = self.serves(flow)
        if serves and is_answer:
            return True
        refusal = None if serves else self._refusal_of(flow.host)
        if refusal is None:
            refusal = self._strangers.take(flow, 1 + size // SIZE, work)
        if refusal is not None:
            self.drops.count(refusal, flow)
        return refusal is None

    def _refusal_of(self, host: str) -> Drop | None:
        if not self._is_allowed(host):
            return Drop.NETWORK
        return Drop.LOCKED_OUT if self.is_locked(host) else None

    def has_time_for(self, flow: Flow) -> bool:
        """Whether the rate allows another message by this flow now."""
        if self.is_known(flow):
            return True
        return self._strangers.refusal(flow) is None

    def failed(self, source: str) -> None:
        """Count a wrong password from a source; too many lock it out.

        A source is an address, or an address and a user, such as `192.0.2.4 44`.
        """
        limits = (FAILURES, NETWORK_FAILURES)
        for counted, limit in zip(sources_of(source), limits, strict=False):
            self._count(counted, limit)

    def _count(self, source: str, limit: int) -> None:
        now = self._clock()
        failed = self._failures.setdefault(source, _Failures(0, now))
        self._failures.move_to_end(source)
        forgiven = int((now - failed.counted_at) / FORGIVEN_EVERY)
        failed.count = max(0, failed.count - forgiven) + 1
        failed.counted_at += forgiven * FORGIVEN_EVERY
        if failed.count >= limit and failed.locked_until <= now:
            failed.locked_until = now + LOCKED_FOR
            host, _, user = source.partition(" ")
            # The user behind a proxy is chosen by the sender, hence the lower level.
            _LOGGER.log(
                logging.DEBUG if user else logging.WARNING,
                "%s gave %d wrong passwords and is locked out for %d minutes",
                host,
                limit,
                LOCKED_FOR / 60,
            )
            self._on_locked(source, True)
        while len(self._failures) > MAX_SOURCES:
            # Drop the oldest that is not locked out, or else the oldest.
            unlocked = (
                other
                for other, held in self._failures.items()
                if held.locked_until <= now and other != source
            )
            self._forget(next(unlocked, next(iter(self._failures))))

    def release(self, source: str | None = None) -> None:
        """End the lock-out of a source, or all those that have expired."""
        now = self._clock()
        for locked, failed in list(self._failures.items()):
            if not failed.locked_until:
                continue
            if locked == source or (source is None and failed.locked_until <= now):
                self._forget(locked)

    def _forget(self, source: str) -> None:
        if self._failures.pop(source).locked_until:
            self._on_locked(source, False)

    def _is_allowed(self, host: str) -> bool:
        allowed = self._allowed.get(host)
        if allowed is None:
            address = ip_address(host.partition("%")[0])
            allowed = any(address in network for network in self._networks)
            self._allowed[host] = allowed
            while len(self._allowed) > MAX_SOURCES:
                self._allowed.popitem(last=False)
        return allowed


def sources_of(source: str) -> tuple[str, ...]:
    """Return the keys under which wrong passwords from a source are counted.

    Its address and, for IPv6, its /64, with its user, cut to MAX_USER characters.
    """
    host, blank, user = source.partition(" ")
    behind = f"{blank}{user[:MAX_USER]}"
    return tuple(f"{counted}{behind}" for counted in networks_of(host))
