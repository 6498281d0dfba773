"""The transaction layer as state machines without I/O (RFC 3261 section 17).

A machine takes an event and the time, and returns what is to be done; it owns its
timers as plain deadlines. Who drives it (the endpoint, or a test with a clock of its
own) does the sending, and calls `expire` when `deadline` has come.

Each machine is a table: (state, event) gives the next state and the actions, in the
order in which they happen. A pair that is not in the table changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import ClassVar

from . import timers
from .flow import Flow
from .message import Request

BRANCH_COOKIE = "z9hG4bK"


class State(Enum):
    """The states of figures 6, 7 and 8 of RFC 3261."""

    # Each is only itself: the tables are asked for each message, by these.
    __hash__ = object.__hash__

    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


class Event(Enum):
    """What can happen to a transaction."""

    __hash__ = object.__hash__

    REQUEST = auto()
    """The request came (again) from the network."""
    ACK = auto()
    PROVISIONAL = auto()
    """A 1xx: from the network to a client, from the user to a server transaction."""
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
    """What the driver of a machine has to do, or the machine does with its timers."""

    __hash__ = object.__hash__

    SEND = auto()
    """Send `data` (the request, or the latest response) now."""
    DELIVER = auto()
    """Pass the response up."""
    TIMED_OUT = auto()
    FAILED = auto()
    """Tell the transaction's user that the transport gave up."""
    DOUBLE_E = auto()
    E_AT_T2 = auto()
    DOUBLE_G = auto()
    START_G_H = auto()
    START_I = auto()
    START_J = auto()
    START_K = auto()


# How long a finished transaction waits for what may still come; not if reliable.
_WAITS = {
    Action.START_I: (Event.TIMER_I, timers.TIMER_I),
    Action.START_J: (Event.TIMER_J, timers.TIMER_J),
    Action.START_K: (Event.TIMER_K, timers.TIMER_K),
}
_ANSWERED = {State.COMPLETED, State.CONFIRMED, State.TERMINATED}
_REPEATS = {Action.DOUBLE_E, Action.E_AT_T2, Action.DOUBLE_G, Action.START_G_H}

type Table = Mapping[tuple[State, Event], tuple[State, tuple[Action, ...]]]


class Transaction:
    """What the machines share: state, timers and the table's interpreter."""

    TABLE: ClassVar[Table]

    __slots__ = ("_deadlines", "_interval", "data", "reliable", "state")

    def __init__(self, state: State, data: bytes, *, reliable: bool) -> None:
        """Begin in `state`; `data` is what SEND sends; `reliable` is TCP's promise."""
        self.state = state
        self.data = data
        self.reliable = reliable
        self._deadlines: dict[Event, float] = {}
        self._interval = timers.T1

    @property
    def deadline(self) -> float | None:
        """When `expire` wants to be called next, None if no timer runs."""
        return min(self._deadlines.values()) if self._deadlines else None

    def fire(self, event: Event, now: float) -> tuple[Action, ...]:
        """Take one event; return the actions for the driver, in order."""
        step = self.TABLE.get((self.state, event))
        if step is None:
            return ()
        state, actions = step
        if state is not self.state and event is not Event.PROVISIONAL:
            # Only the client's E and F outlive a change of state (17.1.2.2).
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
        """Fire every timer that is due, soonest first; return all actions."""
        actions: tuple[Action, ...] = ()
        while self._deadlines:
            timer = min(self._deadlines, key=self._deadlines.__getitem__)
            if self._deadlines[timer] > now:
                break
            del self._deadlines[timer]
            actions += self.fire(timer, now)
        return actions

    def _repeat(self, action: Action, now: float) -> None:
        """Set what has the request or the response sent again, and what ends that."""
        match action:
            case Action.DOUBLE_E | Action.DOUBLE_G:
                self._interval = min(2 * self._interval, timers.T2)
                self._start(
                    Event.TIMER_E if action is Action.DOUBLE_E else Event.TIMER_G,
                    now + self._interval,
                )
            case Action.E_AT_T2:
                self._start(Event.TIMER_E, now + timers.T2)
            case Action.START_G_H:
                if not self.reliable:
                    self._start(Event.TIMER_G, now + timers.TIMER_G)
                self._start(Event.TIMER_H, now + timers.TIMER_H)

    def _start(self, timer: Event, at: float) -> None:
        self._deadlines[timer] = at


class ClientTransaction(Transaction):
    """A non-INVITE client transaction (RFC 3261 17.1.2, figure 6)."""

    TABLE: ClassVar[Table] = {
        (State.TRYING, Event.TIMER_E): (State.TRYING, (Action.SEND, Action.DOUBLE_E)),
        (State.TRYING, Event.TIMER_F): (State.TERMINATED, (Action.TIMED_OUT,)),
        (State.TRYING, Event.TRANSPORT_ERROR): (State.TERMINATED, (Action.FAILED,)),
        (State.TRYING, Event.PROVISIONAL): (State.PROCEEDING, (Action.DELIVER,)),
        (State.TRYING, Event.FINAL): (
            State.COMPLETED,
            (Action.DELIVER, Action.START_K),
        ),
        (State.PROCEEDING, Event.TIMER_E): (
            State.PROCEEDING,
            (Action.SEND, Action.E_AT_T2),
        ),
        (State.PROCEEDING, Event.TIMER_F): (State.TERMINATED, (Action.TIMED_OUT,)),
        (State.PROCEEDING, Event.TRANSPORT_ERROR): (
            State.TERMINATED,
            (Action.FAILED,),
        ),
        (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (Action.DELIVER,)),
        (State.PROCEEDING, Event.FINAL): (
            State.COMPLETED,
            (Action.DELIVER, Action.START_K),
        ),
        (State.COMPLETED, Event.TIMER_K): (State.TERMINATED, ()),
    }

    __slots__ = ()

    def __init__(self, request: bytes, now: float, *, reliable: bool) -> None:
        """Begin with the request, which the driver sends at once."""
        super().__init__(State.TRYING, request, reliable=reliable)
        if not reliable:
            self._start(Event.TIMER_E, now + timers.TIMER_E)
        self._start(Event.TIMER_F, now + timers.TIMER_F)


class ServerTransaction(Transaction):
    """A non-INVITE server transaction (RFC 3261 17.2.2, figure 8)."""

    TABLE: ClassVar[Table] = {
        (State.TRYING, Event.PROVISIONAL): (State.PROCEEDING, (Action.SEND,)),
        (State.TRYING, Event.FINAL): (
            State.COMPLETED,
            (Action.SEND, Action.START_J),
        ),
        (State.PROCEEDING, Event.REQUEST): (State.PROCEEDING, (Action.SEND,)),
        (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (Action.SEND,)),
        (State.PROCEEDING, Event.FINAL): (
            State.COMPLETED,
            (Action.SEND, Action.START_J),
        ),
        (State.PROCEEDING, Event.TRANSPORT_ERROR): (
            State.TERMINATED,
            (Action.FAILED,),
        ),
        # Other than in figure 8 it stays when an answer cannot be sent: the request has
        # been acted on, and its retransmission must not be taken for a new one.
        (State.COMPLETED, Event.REQUEST): (State.COMPLETED, (Action.SEND,)),
        (State.COMPLETED, Event.TIMER_J): (State.TERMINATED, ()),
    }

    __slots__ = ()

    def __init__(self, *, reliable: bool) -> None:
        """Begin with the request already taken, and nothing to send yet."""
        super().__init__(State.TRYING, b"", reliable=reliable)

    def respond(
        self, response: bytes, now: float, *, final: bool
    ) -> tuple[Action, ...]:
        """Send a response; after a final one no other is taken (17.2.2)."""
        if self.state in _ANSWERED:
            return ()
        self.data = response
        return self.fire(Event.FINAL if final else Event.PROVISIONAL, now)


class InviteServerTransaction(ServerTransaction):
    """An INVITE server transaction that ends in 300 to 699 (RFC 3261 17.2.1).

    We take no calls, so the way through a 2xx is not there.
    """

    TABLE: ClassVar[Table] = {
        (State.PROCEEDING, Event.REQUEST): (State.PROCEEDING, (Action.SEND,)),
        (State.PROCEEDING, Event.PROVISIONAL): (State.PROCEEDING, (Action.SEND,)),
        (State.PROCEEDING, Event.FINAL): (
            State.COMPLETED,
            (Action.SEND, Action.START_G_H),
        ),
        (State.PROCEEDING, Event.TRANSPORT_ERROR): (
            State.TERMINATED,
            (Action.FAILED,),
        ),
        (State.COMPLETED, Event.REQUEST): (State.COMPLETED, (Action.SEND,)),
        (State.COMPLETED, Event.TIMER_G): (
            State.COMPLETED,
            (Action.SEND, Action.DOUBLE_G),
        ),
        (State.COMPLETED, Event.ACK): (State.CONFIRMED, (Action.START_I,)),
        # It stays when an answer cannot be sent, as the other one does, and other than in
        # figure 7 for what may come late when nobody acknowledged it (see TIMER_J).
        (State.COMPLETED, Event.TIMER_H): (
            State.CONFIRMED,
            (Action.TIMED_OUT, Action.START_I),
        ),
        (State.CONFIRMED, Event.TIMER_I): (State.TERMINATED, ()),
    }

    __slots__ = ()

    def __init__(self, *, reliable: bool) -> None:
        """Begin as the figure does, in PROCEEDING."""
        super().__init__(reliable=reliable)
        self.state = State.PROCEEDING


type TransactionKey = tuple[object, ...]


def client_key(branch: str, method: str) -> TransactionKey:
    """Return what matches a response to its client transaction (17.1.3)."""
    return "client", branch, method


def server_key(request: Request, flow: Flow, method: str) -> TransactionKey:
    """Return what matches a request to its server transaction (17.2.3).

    Beyond that it must have come the same way: else whoever copies a request could
    have its answer sent to himself.

    `method` is the request's own, or INVITE to find what an ACK or a CANCEL means.
    Without the branch cookie of RFC 3261, or with nothing behind it (RFC 4475
    3.2.1), it is RFC 2543's comparison.
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
