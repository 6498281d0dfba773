"""Admission by source: networks, rates, and lock-outs after wrong passwords.

It sees only the flow and the size, and behind a proxy the user of From or To, so a refused
message costs almost nothing.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
import logging
import re

from .bucket import Bucket, Rate
from .drops import Drop, Drops
from .edges import Edges
from .flow import Flow
from .location import LocationService
from .networks import PRIVATE_NETWORKS, Network, Networks
from .share import Shares
from .strangers import MAX_SOURCES, SIZE, Strangers, networks_of

_LOGGER = logging.getLogger(__name__)

PHONE_OWN = Rate(50.0, 20.0)
"""Messages of a registered phone, whatever other phones do."""
PHONE_SLOW = 5.0
"""The same per second for a phone that exceeds its share."""
PHONE_MORE = Rate(50.0, 180.0)
"""Further ones, such as a SUBSCRIBE for each of 126 keys."""
PHONES_MORE = Rate(500.0, 500.0)
"""All these further messages of all phones."""
ANSWERS = 2
"""Messages that a phone is given back for each request to it, which it has to answer."""
REFUSALS = Rate(1.0, 10.0)
"""503 responses to a phone that exceeds its share; the rest is dropped."""
OWN_REGISTRATIONS = Rate(0.5, 20.0)
"""Registrations of a user; each makes the server send all keys to its contact."""
SLOW_REGISTRATIONS = 0.1
"""The same per second for a user that exceeds its share."""
MORE_REGISTRATIONS = Rate(0.5, 20.0)
"""Further ones."""
USERS_MORE_REGISTRATIONS = Rate(20.0, 200.0)
"""All these further registrations of all users."""
OWN_SUBSCRIPTIONS = Rate(5.0, 130.0)
"""SUBSCRIBEs of a user, at once one for each key; each makes the server send its state."""
SLOW_SUBSCRIPTIONS = 0.5
"""The same per second for a user that exceeds its share."""
MORE_SUBSCRIPTIONS = Rate(5.0, 130.0)
"""Further ones."""
USERS_MORE_SUBSCRIPTIONS = Rate(100.0, 1000.0)
"""All these further SUBSCRIBEs of all users."""
EDGE_OTHERS = Rate(1000.0, 3000.0)
"""Messages from all edges that name no phone that is set up."""
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

_FROM = re.compile(rb"\n(?:from|f)[ \t]*+:([^\r\n]{,256})", re.IGNORECASE)
_TO = re.compile(rb"\n(?:to|t)[ \t]*+:([^\r\n]{,256})", re.IGNORECASE)
_ASSERTED = re.compile(rb"\nP-Asserted-Identity:([^\r\n]{,256})")
_PROBE = re.compile(rb"OPTIONS sips?:[^@\s]*+ SIP/", re.IGNORECASE)
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_USER = re.compile(rb"sips?:([^@;>]*+)@", re.IGNORECASE)


def claimed_user(data: bytes) -> str:
    """Return the user that a message which is not parsed is from, "" without one.

    It is in the From of a phone's requests, and in the To of its responses to ours.
    """
    return _user_in((_TO if data.startswith(b"SIP/") else _FROM).search(data))


def asserted_user(data: bytes) -> str:
    """Return the user that an edge asserts in a message that is not parsed, "" without one.

    A body may have such a line, too, and is written by who sends it.
    """
    end = _END_OF_HEAD.search(data)
    return _user_in(_ASSERTED.search(data, 0, end.start() if end else len(data)))


def is_probe(data: bytes) -> bool:
    """Return whether a message that is not parsed asks for the server, not for a user.

    That is the OPTIONS of an edge itself; it answers those of others (RFC 3261 11).
    """
    return _PROBE.match(data) is not None


def _user_in(line: re.Match[bytes] | None) -> str:
    user = line and _USER.search(line[1])
    return user[1].decode("utf-8", "surrogateescape") if user else ""


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
        edges: Iterable[Network] = (),
        is_user: Callable[[str], bool] = lambda _user: False,
        on_locked: Callable[[str, bool], None] = lambda _host, _is_locked: None,
        on_excess: Callable[[str], None] = lambda _user: None,
    ) -> None:
        """Admit sources in `networks`, edges, and the flows of phones in `location`.

        `edges` are addresses of trusted proxies, `is_user` says whether a phone is set up.
        `on_locked` gets a source, and whether it was locked out or released.
        `on_excess` gets a user whose phone exceeds its share, again and again.
        """
        self._clock = clock
        self._location = location
        self._networks = Networks(networks)
        self.edges = Edges(edges)
        self._is_user = is_user
        self._on_locked = on_locked
        self._on_excess = on_excess
        self._shares = Shares(
            clock,
            own=PHONE_OWN,
            slow=PHONE_SLOW,
            more=PHONE_MORE,
            common=PHONES_MORE,
        )
        self._registrations = Shares(
            clock,
            own=OWN_REGISTRATIONS,
            slow=SLOW_REGISTRATIONS,
            more=MORE_REGISTRATIONS,
            common=USERS_MORE_REGISTRATIONS,
        )
        self._subscriptions = Shares(
            clock,
            own=OWN_SUBSCRIPTIONS,
            slow=SLOW_SUBSCRIPTIONS,
            more=MORE_SUBSCRIPTIONS,
            common=USERS_MORE_SUBSCRIPTIONS,
        )
        self._refusals: OrderedDict[Hashable, Bucket] = OrderedDict()
        self.drops = Drops(clock)
        self._strangers = Strangers(clock)
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._edge_others = Bucket(EDGE_OTHERS, clock())

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

    def is_edge(self, flow: Flow) -> bool:
        """Whether messages by this flow are from a trusted proxy."""
        return self.edges.has(flow)

    def serves(self, flow: Flow) -> bool:
        """Whether a phone is reached by this flow, directly or through a proxy.

        By that of an edge one is at any time.
        """
        return self._location.serves(flow) or self.edges.has(flow)

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
        self,
        flow: Flow,
        size: int = 0,
        *,
        is_answer: bool = False,
        work: int = 0,
        user: Callable[[], str] = str,
        asserted: Callable[[], str] = str,
        is_probe: Callable[[], bool] = bool,
    ) -> bool:
        """Whether to admit a message of `size` bytes, or a connection, by this flow.

        A registered phone has a share of its own. Behind a proxy, where phones have a
        flow in common, it is found by the `user` that the message claims. Behind an edge
        each phone that is set up has one, another for what the edge says to be from it
        (`asserted`), and another for its answers; the edge has one for its probes. Other
        messages are admitted at the rate of strangers; `work` says how many messages of a
        stranger cost as much more.
        """
        tokens = 1 + size // SIZE
        is_known = self._location.knows(flow)
        if is_known and self._shares.take(flow, tokens):
            return True
        if is_known:
            self.drops.count(Drop.SHARE, flow)
            return False
        serves = self.serves(flow)
        is_edge = self.edges.has(flow)
        sender = None
        if serves:
            sender = self._phone(flow, user, asserted, is_answer=is_answer)
        if sender is None and serves and is_answer and not is_edge:
            sender = flow[:2]
        if sender is None and is_edge and is_probe():
            sender = flow
        if sender is not None:
            refusal = None if self._shares.take(sender, tokens) else Drop.SHARE
        elif is_edge:
            has_any = self._edge_others.fill(self._clock()) >= 1.0
            self._edge_others.tokens -= tokens * has_any
            refusal = None if has_any else Drop.ALL_STRANGERS
        else:
            refusal = None if serves else self._refusal_of(flow.host)
            if refusal is None:
                refusal = self._strangers.take(flow, tokens, work)
        if refusal is not None:
            self.drops.count(refusal, flow)
        return refusal is None

    def _refusal_of(self, host: str) -> Drop | None:
        if host not in self._networks:
            return Drop.NETWORK
        return Drop.LOCKED_OUT if self.is_locked(host) else None

    def has_time_for(self, flow: Flow, size: int = 0) -> bool:
        """Whether the rate allows messages of `size` bytes by this flow now.

        By a connection of a proxy it does: one phone must not delay the others. So it
        does for a phone of which nothing has arrived: it has not exceeded its share.
        """
        if self.is_known(flow):
            if not size or self._shares.has_any(flow):
                return True
            self.refuses(flow)
            return False
        return self.serves(flow) or (
            self._strangers.refusal(flow, 1 + size // SIZE) is None
        )

    def expect_answer(self, flow: Flow, user: str) -> None:
        """Admit the response to a request that is sent to a user by this flow."""
        sender = self._phone(flow, lambda: user, is_answer=True) or flow[:2]
        self._shares.give(sender, ANSWERS)

    def refuses(self, flow: Flow, user: Callable[[], str] = str) -> bool:
        """Whether to answer 503 to a message that exceeds the share of its phone.

        That is so for the first ones, and then for one a second. Behind a proxy the
        sender has not proved that it is the phone, and gets no answer.
        """
        sender = self._phone(flow, user)
        if sender is None:
            return False
        now = self._clock()
        refusals = self._refusals.setdefault(sender, Bucket(REFUSALS, now))
        self._refusals.move_to_end(sender)
        if len(self._refusals) > MAX_SOURCES:
            self._refusals.popitem(last=False)
        if refusals.fill(now) < 1.0:
            return False
        refusals.tokens -= 1
        is_known = self.is_known(flow)
        for exceeding in self._location.users(flow) if is_known else (user(),):
            self._on_excess(exceeding)
        return is_known

    def may_register(self, user: str) -> bool:
        """Whether a user that has proved its password may register once more.

        Counted by user: each flow that registers has a share of messages of its own.
        """
        return self._takes(self._registrations, user)

    def may_subscribe(self, user: str) -> bool:
        """Whether a user that is known to be the sender may send one more SUBSCRIBE."""
        return self._takes(self._subscriptions, user)

    def _takes(self, shares: Shares, user: str) -> bool:
        if shares.take(user):
            return True
        self._on_excess(user)
        return False

    def _phone(
        self,
        flow: Flow,
        user: Callable[[], str],
        asserted: Callable[[], str] = str,
        *,
        is_answer: bool = False,
    ) -> Hashable | None:
        """Return what identifies the phone that a message is from; None for a stranger.

        What an edge asserts, and answers, which an edge passes on to its own requests
        only, are counted apart from what only claims to be from the phone.
        """
        if self._location.knows(flow):
            return flow
        if self.edges.has(flow):
            proven = asserted()
            named = proven or user()
            return (named, bool(proven), is_answer) if self._is_user(named) else None
        if self._location.has_proxy(flow):
            claimed = user()
            if self._location.is_behind(claimed, flow):
                return flow, claimed
        return None

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


def sources_of(source: str) -> tuple[str, ...]:
    """Return the keys under which wrong passwords from a source are counted.

    Its address and, for IPv6, its /64, with its user, cut to MAX_USER characters.
    """
    host, blank, user = source.partition(" ")
    behind = f"{blank}{user[:MAX_USER]}"
    return tuple(f"{counted}{behind}" for counted in networks_of(host))
