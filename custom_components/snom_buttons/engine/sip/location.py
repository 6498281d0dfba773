"""The location service: the bindings of each user (RFC 3261 10), without I/O."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
import heapq
import math
from typing import Any

from .binding import MAX_BINDINGS, Binding
from .flow import Flow
from .uri import Uri, make_address, make_uri


class LocationService:
    """The bindings by user, indexed by their flows."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Create an empty service; `clock` returns seconds."""
        self._clock = clock
        self._bindings: dict[str, list[Binding]] = {}
        self._due: list[tuple[float, str]] = []
        """A heap of times and users: of each user one that is not later than the end of a
        binding."""
        self._due_of: dict[str, float] = {}
        """The time of each user in it that counts."""
        self._direct: Counter[Any] = Counter()
        self._served: defaultdict[Any, Counter[str]] = defaultdict(Counter)
        """The users that are reached by a flow, with the number of their bindings."""
        self._addresses: Counter[Any] = Counter()
        self._lost: set[Flow] = set()
        """Connections that are closed, of bindings that have not expired."""

    def bindings(self, user: str) -> tuple[Binding, ...]:
        """Return a user's current bindings, the newest last."""
        now = self._clock()
        return tuple(b for b in self._bindings.get(user, ()) if b.expires_at > now)

    @property
    def next_expiry(self) -> float | None:
        """The time at which the next binding expires, None without bindings."""
        while self._due:
            at, user = self._due[0]
            ends = self._end_of(user)
            if ends == at == self._due_of.get(user):
                return at
            self._take_due(at, user)
            self._set_due(user)
        return None

    def expire(self) -> list[str]:
        """Drop the expired bindings; return the users that had them."""
        now = self._clock()
        affected = []
        while self._due and self._due[0][0] <= now:
            at, user = self._due[0]
            self._take_due(at, user)
            held = self._bindings.get(user, [])
            current = [binding for binding in held if binding.expires_at > now]
            if len(current) < len(held):
                affected.append(user)
                self.store(user, current)
            else:
                self._set_due(user)
        return affected

    def _end_of(self, user: str) -> float:
        """Return when the first binding of a user ends, infinity without one."""
        held = self._bindings.get(user, ())
        return min((binding.expires_at for binding in held), default=math.inf)

    def _take_due(self, at: float, user: str) -> None:
        """Take the first time off the heap."""
        heapq.heappop(self._due)
        if self._due_of.get(user) == at:
            del self._due_of[user]

    def _set_due(self, user: str) -> None:
        """Add a time for a user, unless there is one that is not later."""
        ends = self._end_of(user)
        if ends < self._due_of.get(user, math.inf):
            self._due_of[user] = ends
            heapq.heappush(self._due, (ends, user))

    def forget(self, user: str) -> None:
        """Drop all bindings of a user."""
        self.store(user, [])

    def bind_address(self, user: str, host: str, port: int) -> None:
        """Bind a user to a UDP address without end (LED Remote Control, sipsak)."""
        flow = Flow("UDP", host, port)
        address = host.partition("%")[0]  # the interface means nothing to the phone
        uri = make_uri(user, f"[{address}]" if ":" in address else address, port)
        binding = Binding(
            user=user,
            aor=uri,
            contact=make_address(uri),
            flow=flow,
            call_id="",
            cseq=0,
            expires_at=math.inf,
            instance=None,
            user_agent=None,
            supports_buttons=False,
            is_address=True,
        )
        self.store(user, [binding])

    def drop(self, binding: Binding) -> bool:
        """Drop a single binding; return whether it was there."""
        held = self._bindings.get(binding.user, [])
        kept = [other for other in held if other is not binding]
        if len(kept) == len(held):
            return False
        self.store(binding.user, kept)
        return True

    def lost(self, flow: Flow) -> None:
        """Record that a connection is closed."""
        if flow in self._served:
            self._lost.add(flow)

    def is_reached(self, binding: Binding) -> bool:
        """Whether requests can be sent to its contact: its connection is not closed."""
        return binding.flow not in self._lost

    def restore(self, user: str, bindings: Sequence[Binding]) -> None:
        """Set a user's bindings to those of a snapshot that a registrar would hold.

        Left out are the oldest beyond MAX_BINDINGS, those that have expired, and those
        that a later one replaces.
        """
        now = self._clock()
        held: list[Binding] = []
        for binding in bindings[-MAX_BINDINGS:]:
            if binding.expires_at > now:
                held = [other for other in held if not binding.is_same_contact(other)]
                held.append(binding)
        self.store(user, held)

    def store(self, user: str, bindings: list[Binding]) -> None:
        """Replace the bindings of a user."""
        before = self._bindings.get(user, ())
        for index, entry in self._entries(user, before):
            index[entry] -= 1
            if not index[entry]:
                del index[entry]
        for index, entry in self._entries(user, bindings):
            index[entry] += 1
        for binding in before:
            if not self._served[binding.flow]:
                del self._served[binding.flow]
        self._lost.difference_update(
            binding.flow for binding in before if binding.flow not in self._served
        )
        if bindings:
            self._bindings[user] = bindings
            self._set_due(user)
        else:
            self._bindings.pop(user, None)

    def _entries(
        self, user: str, bindings: Iterable[Binding]
    ) -> Iterator[tuple[Counter[Any], Any]]:
        """Yield each index that has one of the user's bindings, with the entry there."""
        for binding in bindings:
            yield self._served[binding.flow], user
            if not binding.forwarded:
                yield self._direct, binding.flow
            if binding.is_address:
                yield self._addresses, binding.flow[:2]

    def knows(self, flow: Flow) -> bool:
        """Whether a contact has registered by this flow, and not through a proxy."""
        return flow in self._direct

    def has_proxy(self, flow: Flow) -> bool:
        """Whether contacts are reached by this flow through a proxy only."""
        return flow in self._served and flow not in self._direct

    def users(self, flow: Flow) -> list[str]:
        """Return the users with a contact that is reached by this flow."""
        return list(self._served.get(flow, ()))

    def is_behind(self, user: str, flow: Flow) -> bool:
        """Whether a contact of the user is reached by this flow."""
        return user in self._served.get(flow, ())

    def serves(self, flow: Flow) -> bool:
        """Whether a contact is reached by this flow, or its host bound by address."""
        return flow in self._served or flow[:2] in self._addresses

    def is_from_contact(self, user: str, flow: Flow) -> bool:
        """Whether a flow is that of one of the user's contacts, without a proxy."""
        # A loop, since `any` costs more than the comparisons.
        for binding in self._bindings.get(user, ()):
            if (
                binding.comes_by(flow)
                and not binding.forwarded
                and binding.expires_at > self._clock()
            ):
                return True
        return False

    def is_from_address(self, user: str, flow: Flow) -> bool:
        """Whether a flow comes from the address that the user is bound to."""
        return any(
            binding.is_address and binding.comes_by(flow)
            for binding in self._bindings.get(user, ())
        )

    def is_contact(self, user: str, uri: Uri) -> bool:
        """Whether a Request-URI is that of requests to one of the user's contacts."""
        for binding in self._bindings.get(user, ()):
            contact = binding.contact.uri
            if contact.host == uri.host and contact.target.is_equivalent(uri):
                return True
        return False
