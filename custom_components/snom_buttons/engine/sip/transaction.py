"""Transactions as state machines without I/O (RFC 3261 17).

A machine is given an event and the time, and returns the actions for its driver (the
transaction layer, or a test), which calls `expire` at `deadline`. It is a table:
(state, event) gives the next state and the actions; other pairs change nothing.
"""

from collections.abc import Mapping
from enum import Enum, auto
from hashlib import blake2b
import time
from typing import ClassVar, NamedTuple, override

from . import timers
from .flow import Flow
from .grammar import SipSyntaxError
from .message import Request
from .parser import parse_via

BRANCH_COOKIE = "z9hG4bK"


class State(Enum):
    """The states of figures 6, 7 and 8 of RFC 3261."""

    # The tables are looked up for each message: this hash is faster than that of Enum.
    __hash__ = object.__hash__

    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


class Event(Enum):
    """The input of a transaction."""

    __hash__ = object.__hash__

    REQUEST = auto()
    """The request, or a retransmission of it."""
    ACK = auto()
    PROVISIONAL = auto()
    """A 1xx: from the network for a client, from the user for a server transaction."""
    FINAL = auto()
    """A 2xx to 6xx, likewise."""
    TRANSPORT_ERROR = auto()
    TIMER_E = auto()
    TIMER_F = auto()
    TIMER_G = auto()
    TIMER_H = auto()
    TIMER_I = auto()
    TIMER_J = auto()
    TIMER_K = auto()


class Action(Enum):
    """An action for the driver, or for the timers of the machine itself."""

    __hash__ = object.__hash__

    SEND = auto()
    """Send `data` (the request, or the latest response) now."""
    DELIVER = auto()
    """Pass the response up."""
    TIMED_OUT = auto()
    FAILED = auto()
    """Report a transport error to the user of the transaction."""
    DOUBLE_E = auto()
    E_AT_T2 = auto()
    DOUBLE_G = auto()
    START_G_H = auto()
    START_I = auto()
    START_J = auto()
    START_K = auto()


# The timer and seconds for which a finished transaction absorbs retransmissions.
_WAITS = {
    Action.START_I: (Event.TIMER_I, timers.TIMER_I),
    Action.START_J: (Event.TIMER_J, timers.TIMER_J),
    Action.START_K: (Event.TIMER_K, timers.TIMER_K),
}
_REPEATS = {Action.DOUBLE_E, Action.E_AT_T2, Action.DOUBLE_G, Action.START_G_H}

type Table = Mapping[tuple[State, Event], tuple[State, tuple[Action, ...]]]

# What several rows of the tables lead to.
_RECEIVED = (State.COMPLETED, (Action.DELIVER, Action.START_K))
_ANSWERED = (State.COMPLETED, (Action.SEND, Action.START_J))
_TIMED_OUT = (State.TERMINATED, (Action.TIMED_OUT,))
_FAILED = (State.TERMINATED, (Action.FAILED,))


class Transaction:
    """The common part of the machines: state, timers and the interpreter of the table."""

    INITIAL: ClassVar[State]
    TABLE: ClassVar[Table]

    __slots__ = ("_deadlines", "_interval", "data", "reliable", "state")

    def __init__(self, data: bytes = b"", *, reliable: bool) -> None:
        """Begin in INITIAL; `data` is what SEND sends, `reliable` is True for TCP and TLS."""
        self.state = self.INITIAL
        self.data = data
        self.reliable = reliable
        self._deadlines: dict[Event, float] = {}
        self._interval = timers.T1

    @property
    def deadline(self) -> float | None:
        """When to call `expire`, None if no timer runs."""
        return min(self._deadlines.values()) if self._deadlines else None

    def fire(self, event: Event, now: float) -> tuple[Action, ...]:
        """Process an event; return the actions for the driver in order."""
        step = self.TABLE.get((self.state, event))
        if step is None:
            return ()
        state, actions = step
        if state is not self.state and event is not Event.PROVISIONAL:
            # Only timers E and F go on in the next state (17.1.2.2).
            self._deadlines.clear()
        self.state = state
        for action in actions:
            if action is Action.SEND:
                continue
            if action in _WAITS:
                timer, seconds = _WAITS[action]
                self._deadlines[timer] = now if self.reliable else now + seconds
            elif action in _REPEATS:
                self._repeat(action, now)
        return actions

    def expire(self, now: float) -> tuple[Action, ...]:
        """Fire the timers that are due, the earliest first; return all actions."""
        actions: tuple[Action, ...] = ()
        while self._deadlines:
            timer = min(self._deadlines, key=self._deadlines.__getitem__)
            if self._deadlines[timer] > now:
                break
            del self._deadlines[timer]
            actions += self.fire(timer, now)
        return actions

    def _repeat(self, action: Action, now: float) -> None:
        """Start the timer of the next retransmission, and the one that ends them."""
        match action:
            case Action.DOUBLE_E | Action.DOUBLE_G:
                self._interval = min(2 * self._interval, timers.T2)
                timer = Event.TIMER_E if action is Action.DOUBLE_E else Event.TIMER_G
                self._deadlines[timer] = now + self._interval
            case Action.E_AT_T2:
                self._deadlines[Event.TIMER_E] = now + timers.T2
            case Action.START_G_H:
                if not self.reliable:
                    self._deadlines[Event.TIMER_G] = now + timers.TIMER_G
                self._deadlines[Event.TIMER_H] = now + timers.TIMER_H


class ClientTransaction(Transaction):
    """A non-INVITE client transaction (RFC 3261 17.1.2, figure 6)."""

    INITIAL = State.TRYING
    TABLE: ClassVar[Table] = {
        (State.TRYING, Event.TIMER_E): (State.TRYING, (Action.SEND, Action.DOUBLE_E)),
        (State.TRYING, Event.TIMER_F): _TIMED_OUT,
        (State.TRYING, Event.TRANSPORT_ERROR): _FAILED,
        (State.TRYING, Event.PROVISIONAL): (State.PROCEEDING, (Action.DELIVER,)),
        (State.TRYING, Event.FINAL): _RECEIVED,
        (State.PROCEEDING, Event.TIMER_E): (
            State.PROCEEDING,
            (Action.SEND, Action.E_AT_T2),
        ),
        (State.PROCEEDING, Event.TIMER_F): _TIMED_OUT,
        (State.PROCEEDING, Event.TRANSPORT_ERROR): _FAILED,
        (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (Action.DELIVER,)),
        (State.PROCEEDING, Event.FINAL): _RECEIVED,
        (State.COMPLETED, Event.TIMER_K): (State.TERMINATED, ()),
    }

    __slots__ = ()

    def __init__(self, request: bytes, now: float, *, reliable: bool) -> None:
        """Begin in TRYING; the driver sends the request at once."""
        super().__init__(request, reliable=reliable)
        if not reliable:
            self._deadlines[Event.TIMER_E] = now + timers.TIMER_E
        self._deadlines[Event.TIMER_F] = now + timers.TIMER_F


class ServerTransaction(Transaction):
    """A non-INVITE server transaction (RFC 3261 17.2.2, figure 8)."""

    INITIAL = State.TRYING
    TABLE: ClassVar[Table] = {
        (State.TRYING, Event.PROVISIONAL): (State.PROCEEDING, (Action.SEND,)),
        (State.TRYING, Event.FINAL): _ANSWERED,
        (State.PROCEEDING, Event.REQUEST): (State.PROCEEDING, (Action.SEND,)),
        (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (Action.SEND,)),
        (State.PROCEEDING, Event.FINAL): _ANSWERED,
        (State.PROCEEDING, Event.TRANSPORT_ERROR): _FAILED,
        # Unlike in figure 8 a transport error does not end it: the request has been acted
        # on, and its retransmission must not be taken for a new request.
        (State.COMPLETED, Event.REQUEST): (State.COMPLETED, (Action.SEND,)),
        (State.COMPLETED, Event.TIMER_J): (State.TERMINATED, ()),
    }

    __slots__ = ()

    def respond(
        self, response: bytes, now: float, *, final: bool
    ) -> tuple[Action, ...]:
        """Send a response; ignored after a final one (17.2.2)."""
        if self.state not in (State.TRYING, State.PROCEEDING):
            return ()
        self.data = response
        return self.fire(Event.FINAL if final else Event.PROVISIONAL, now)


class InviteServerTransaction(ServerTransaction):
    """An INVITE server transaction that ends in 300 to 699, never 2xx (17.2.1).

    Unlike in figure 7 it begins in TRYING: no 100 is sent, which would stop the
    retransmissions. If this server ends before it has answered, they reach another.
    """

    INITIAL = State.TRYING
    TABLE: ClassVar[Table] = {
        (State.TRYING, Event.PROVISIONAL): (State.PROCEEDING, (Action.SEND,)),
        (State.TRYING, Event.FINAL): (
            State.COMPLETED,
            (Action.SEND, Action.START_G_H),
        ),
        (State.PROCEEDING, Event.REQUEST): (State.PROCEEDING, (Action.SEND,)),
        (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (Action.SEND,)),
        (State.PROCEEDING, Event.FINAL): (
            State.COMPLETED,
            (Action.SEND, Action.START_G_H),
        ),
        (State.PROCEEDING, Event.TRANSPORT_ERROR): _FAILED,
        (State.COMPLETED, Event.REQUEST): (State.COMPLETED, (Action.SEND,)),
        (State.COMPLETED, Event.TIMER_G): (
            State.COMPLETED,
            (Action.SEND, Action.DOUBLE_G),
        ),
        (State.COMPLETED, Event.ACK): (State.CONFIRMED, (Action.START_I,)),
        # Unlike in figure 7 a transport error does not end it, nor does timer H: late
        # retransmissions are still absorbed (see TIMER_J).
        (State.COMPLETED, Event.TIMER_H): (
            State.CONFIRMED,
            (Action.TIMED_OUT, Action.START_I),
        ),
        (State.CONFIRMED, Event.TIMER_I): (State.TERMINATED, ()),
    }

    __slots__ = ("_is_once",)

    def __init__(self, *, reliable: bool, is_once: bool = False) -> None:
        """Begin in TRYING. With `is_once`, timer G does not run.

        The response is sent once for each copy of the INVITE then. The caller repeats
        that until the response arrives, since no 1xx stops it (17.1.1.2).
        """
        super().__init__(reliable=reliable)
        self._is_once = is_once

    @override
    def _repeat(self, action: Action, now: float) -> None:
        super()._repeat(action, now)
        if self._is_once:
            self._deadlines.pop(Event.TIMER_G, None)


type TransactionKey = tuple[object, ...]
type MergedKey = tuple[object, ...]
type Owner = tuple[object, ...]


class Answered(NamedTuple):
    """A request that has been acted on, as it is known after a restart."""

    transaction: TransactionKey | str
    """The key of its transaction; after a restart the digest of it."""
    at: float
    """In wall-clock time."""
    response: bytes
    """Empty for a call, which is refused as busy if it is sent again."""

    @property
    def key(self) -> str:
        """The digest of the key of its transaction."""
        key = self.transaction
        return key if isinstance(key, str) else text_of(key)

    @property
    def is_current(self) -> bool:
        """Whether a retransmission of the request may still come."""
        return 0.0 <= time.time() - self.at < timers.TIMER_J


def client_key(branch: str, method: str) -> TransactionKey:
    """Return the key of the client transaction of a response (17.1.3)."""
    return "client", branch, method


def server_key(request: Request, flow: Flow, method: str) -> TransactionKey:
    """Return the key of the server transaction of a request (17.2.3).

    The flow is part of it, so that the sender of a copied request does not get the
    response. `method` is that of the request, or INVITE for the transaction that an ACK
    or a CANCEL refers to. Without a branch of RFC 3261, or with nothing after the cookie
    (RFC 4475 3.2.1), the key is that of RFC 2543.
    """
    via = request.via
    branch = via.branch
    if branch.startswith(BRANCH_COOKIE) and branch != BRANCH_COOKIE:
        return "server", flow, branch, via.host, via.port, method
    return (
        "server-2543",
        flow,
        request.uri.text,
        request.from_.tag,
        request.call_id,
        request.cseq.number,
        str(via),
        method,
    )


def merged_key(request: Request, flow: Flow) -> MergedKey | None:
    """Return what is equal in the copies of a request that a proxy has forked (8.2.2.2).

    None if the rule does not apply: there is a To tag, or no From tag. A snom phone
    repeats Call-ID and CSeq in its presses, which have a To tag and a new From tag (LED
    Remote Control). The Request-URI is not part of it, because a fork changes that; the
    body is, because presses of two keys are not copies of one request; and so is the
    phone, because two of them behind a proxy may have equal Call-IDs.
    """
    if request.to.tag or not (tag := request.from_.tag):
        return None
    owner = owner_of(request, flow)
    return owner, tag, request.call_id, request.cseq, hash(request.body)


def digest_of(request: Request, *details: object) -> str:
    """Return a digest that is the same whichever way the request has taken.

    It is of what proxies leave as it is: the Via of the sender, which is the last one,
    Call-ID, CSeq and From tag; and of `details`.
    """
    last = request.headers.listed("Via")[-1]
    try:
        via, _ = parse_via(last)
        sender = f"{via.branch} {via.sent_by}"
    except SipSyntaxError:
        sender = last
    identity = (sender, request.call_id, request.cseq, request.from_.tag, *details)
    text = "\n".join(map(str, identity)).encode("utf-8", "surrogateescape")
    return blake2b(text, digest_size=16).hexdigest()


def owner_of(request: Request, flow: Flow) -> Owner:
    """Return what identifies the phone of a trusted request.

    That is its flow, and behind a proxy, where phones share a flow, its user as well.
    """
    if not request.forwarded:
        return flow
    address = request.to if request.method == "REGISTER" else request.from_
    return flow, address.uri.user


def text_of(key: TransactionKey) -> str:
    """Return a digest of a key, which is the same after a restart.

    A key of RFC 2543 has the number that was dialled.
    """
    text = " ".join(map(str, key)).encode("utf-8", "surrogateescape")
    return blake2b(text, digest_size=16).hexdigest()
