"""The transaction layer: drives the machines of `transaction` by the loop's clock."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
import logging

from ..flow import Flow
from ..message import Request, Response
from ..transaction import (
    Action,
    ClientTransaction,
    Event,
    InviteServerTransaction,
    MergedKey,
    Owner,
    ServerTransaction,
    State,
    Transaction,
    TransactionKey,
    merged_key,
    owner_of,
)
from .udp import TransportError

_LOGGER = logging.getLogger(__name__)

MAX_OF_PHONE = 1_000
"""Server transactions of one phone at a time, each of 37 s by UDP."""
MAX_TRANSACTIONS = 20_000
"""Transactions at a time, far more than a thousand phones need."""
ALWAYS_OF_PHONE = 100
"""Server transactions that each phone may have, even beyond MAX_TRANSACTIONS."""


class NoAnswer(Exception):
    """No final response came within timer F (RFC 3261 17.1.2.2)."""


@dataclass(slots=True)
class _Running:
    machine: Transaction
    flow: Flow
    wake_at: float | None = None
    answer: asyncio.Future[Response] | None = None
    owner: Owner | None = None
    """Whose room a server transaction takes."""
    merged: MergedKey | None = None
    repeated: Callable[[], None] | None = None
    """Called for each retransmission of a client transaction."""


class TransactionLayer:
    """All transactions of an endpoint (RFC 3261 17)."""

    def __init__(self, send: Callable[[bytes, Flow], None]) -> None:
        """Send with `send`, which raises TransportError."""
        self.running: dict[TransactionKey, _Running] = {}
        self._send = send
        self._of_owner: Counter[Owner] = Counter()
        """The number of server transactions."""
        self._asked: defaultdict[Flow, set[TransactionKey]] = defaultdict(set)
        """The client transactions of each connection."""
        self._merged: set[MergedKey] = set()
        self._wakeups: list[tuple[float, int, TransactionKey, _Running]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    def has_room(self, owner: Owner) -> bool:
        """Whether a phone may have another server transaction.

        None is ever dropped to make room, so a phone cannot end those of another.
        """
        held = self._of_owner[owner]
        return held < ALWAYS_OF_PHONE or (
            held < MAX_OF_PHONE and len(self.running) < MAX_TRANSACTIONS
        )

    def is_merged(self, key: MergedKey | None) -> bool:
        """Whether a request is a copy of one that has a transaction (8.2.2.2)."""
        return key in self._merged

    async def request(
        self,
        key: TransactionKey,
        data: bytes,
        flow: Flow,
        repeated: Callable[[], None] | None = None,
    ) -> Response:
        """Begin a client transaction for a request that was just sent.

        Calls `repeated` for each retransmission. Returns its final response. Raises NoAnswer when timer F fires, TransportError
        if a retransmission fails, the connection is lost or the layer is closed.
        """
        loop = asyncio.get_running_loop()
        machine = ClientTransaction(data, loop.time(), reliable=flow.is_reliable)
        answer: asyncio.Future[Response] = loop.create_future()
        running = self.running[key] = _Running(
            machine, flow, answer=answer, repeated=repeated
        )
        if flow.is_reliable:
            self._asked[flow].add(key)
        self._schedule(key, running)
        try:
            return await answer
        except asyncio.CancelledError:
            self._remove(key)
            raise
        finally:
            del answer, running  # an error would keep itself alive by its traceback

    def respond_to(self, key: TransactionKey, flow: Flow, response: Response) -> bool:
        """Pass a response to its client transaction; return False if there is none.

        A response from another host than that of the request is not matched.
        """
        running = self.running.get(key)
        if running is None or running.flow.host != flow.host:
            return False
        event = Event.PROVISIONAL if response.status < 200 else Event.FINAL
        actions = running.machine.fire(event, _now())
        self._drive(key, running, actions)
        # `request` returns the final response only (8.1.3.3).
        if (
            event is Event.FINAL
            and Action.DELIVER in actions
            and running.answer is not None
            and not running.answer.done()
        ):
            running.answer.set_result(response)
            # The transaction stays until timer K, without its future.
            running.answer = None
        return True

    def begin(
        self,
        key: TransactionKey,
        flow: Flow,
        request: Request,
        *,
        is_once: bool = False,
    ) -> _Running:
        """Begin a server transaction, which absorbs the request until it is answered.

        With `is_once`, the response is repeated for copies of the request only.
        """
        machine = (
            InviteServerTransaction(reliable=flow.is_reliable, is_once=is_once)
            if request.method == "INVITE"
            else ServerTransaction(reliable=flow.is_reliable)
        )
        owner, merged = owner_of(request, flow), merged_key(request, flow)
        running = _Running(machine, flow, owner=owner, merged=merged)
        self.running[key] = running
        self._of_owner[owner] += 1
        if merged is not None:
            self._merged.add(merged)
        return running

    def answer(
        self,
        key: TransactionKey,
        flow: Flow,
        request: Request,
        data: bytes,
        *,
        is_once: bool = False,
    ) -> None:
        """Send a final response in the server transaction that was begun, or a new one."""
        running = self.running.get(key)
        if running is None:
            running = self.begin(key, flow, request, is_once=is_once)
        assert isinstance(running.machine, ServerTransaction)
        self._drive(key, running, running.machine.respond(data, _now(), final=True))

    def lost(self, flow: Flow) -> None:
        """End the client transactions of a lost connection (18.4, 17.1.4)."""
        for key in self._asked.pop(flow, ()):
            running = self.running[key]
            if running.answer is not None:
                failed = running.machine.fire(Event.TRANSPORT_ERROR, _now())
                self._drive(key, running, failed)

    def close(self) -> None:
        """End every transaction; safe to call twice."""
        for running in self.running.values():
            self._fail(running, TransportError("the endpoint was closed"))
        self.running.clear()
        self._of_owner.clear()
        self._asked.clear()
        self._merged.clear()
        self._wakeups.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def advance(self, key: TransactionKey, event: Event) -> bool:
        """Fire an event; return whether the transaction exists."""
        running = self.running.get(key)
        if running is None:
            return False
        if event is Event.ACK:
            self._end_merging(running)  # what comes now is another attempt
        self._drive(key, running, running.machine.fire(event, _now()))
        return True

    def _end_merging(self, running: _Running) -> None:
        if running.merged is not None:
            self._merged.discard(running.merged)
            running.merged = None

    def _drive(
        self, key: TransactionKey, running: _Running, actions: tuple[Action, ...]
    ) -> None:
        for action in actions:
            if action is Action.SEND:
                if running.repeated is not None:
                    running.repeated()
                try:
                    self._send(running.machine.data, running.flow)
                except TransportError as error:
                    _LOGGER.debug("Could not send to %s: %s", running.flow, error)
                    failed = running.machine.fire(Event.TRANSPORT_ERROR, _now())
                    self._drive(key, running, failed)
                    return
            elif action is Action.TIMED_OUT:
                self._fail(running, NoAnswer(f"no answer from {running.flow}"))
            elif action is Action.FAILED:
                self._fail(running, TransportError(f"cannot reach {running.flow}"))
        self._schedule(key, running)

    def _schedule(self, key: TransactionKey, running: _Running) -> None:
        """Schedule a wake-up at the machine's deadline, or remove a finished transaction.

        An earlier wake-up is kept: it finds nothing due and schedules again, which costs
        less than a replacement for each message. All wake-ups share one queue and one
        timer of the loop, since most of them find nothing to do.
        """
        if running.machine.state is State.TERMINATED:
            self._remove(key)
            return
        deadline = running.machine.deadline
        if deadline is None:  # a request that its user has not answered yet
            return
        if running.wake_at is not None and running.wake_at <= deadline:
            return
        running.wake_at = deadline
        heappush(self._wakeups, (deadline, next(self._numbers), key, running))
        if self._timer is None or deadline < self._timer.when():
            self._set_timer(deadline)

    def _remove(self, key: TransactionKey) -> None:
        running = self.running.pop(key, None)
        if running is None:
            return
        if (asked := self._asked.get(running.flow)) is not None:
            asked.discard(key)
            if not asked:
                del self._asked[running.flow]
        if running.owner is not None:
            self._of_owner[running.owner] -= 1
            if not self._of_owner[running.owner]:
                del self._of_owner[running.owner]
        self._end_merging(running)

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        now = _now()
        while self._wakeups and self._wakeups[0][0] <= now:
            at, _, key, running = heappop(self._wakeups)
            if running.wake_at == at and self.running.get(key) is running:
                running.wake_at = None
                self._drive(key, running, running.machine.expire(now))
        # A woken transaction may have set the timer later than the next wake-up.
        if self._wakeups:
            self._set_timer(self._wakeups[0][0])

    @staticmethod
    def _fail(running: _Running, error: Exception) -> None:
        if running.answer is not None and not running.answer.done():
            running.answer.set_exception(error)


def _now() -> float:
    return asyncio.get_running_loop().time()
