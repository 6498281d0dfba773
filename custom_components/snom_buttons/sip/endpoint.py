"""One SIP endpoint: transport, parser and transactions tied together.

Whoever uses it sends requests with `request` and gets each incoming request once, as
an `IncomingRequest` to be answered; retransmissions never get past here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count
import logging
import secrets

from .flow import Flow
from .message import SIP_VERSION, Request, Response, Via, encode_response
from .outgoing import OutgoingRequest
from .parser import MalformedMessage, parse_datagram
from .transaction import (
    BRANCH_COOKIE,
    Action,
    ClientTransaction,
    Event,
    InviteServerTransaction,
    ServerTransaction,
    State,
    Transaction,
    TransactionKey,
    client_key,
    server_key,
)
from .transport import TransportError, UdpTransport
from .uas import refusal_of

_LOGGER = logging.getLogger(__name__)

MAX_TRANSACTIONS = 20_000
"""Transactions under way at once; a thousand phones do not come near it."""

type HeaderItems = Iterable[tuple[str, str]]


class NoAnswer(Exception):
    """No final response came within timer F (RFC 3261 17.1.2.2)."""


@dataclass(slots=True)
class IncomingRequest:
    """A request that waits for its answer."""

    request: Request
    flow: Flow
    _endpoint: Endpoint
    _key: TransactionKey
    answered: bool = False

    def reply(
        self,
        status: int,
        headers: HeaderItems = (),
        *,
        reason: str | None = None,
        body: bytes = b"",
    ) -> None:
        """Send a final response, and again for each retransmission of the request."""
        data = self._encode(status, headers, reason, body)
        self._endpoint.respond(self._key, self.flow, self.request.method, data)

    def reply_stateless(self, status: int, headers: HeaderItems = ()) -> None:
        """Send a final response and forget the request (8.2.7).

        For what is answered alike each time, and for challenges: RFC 3261 26.3.2.4
        wants no state kept for somebody who has not proved who he is.
        """
        self._endpoint.send(self._encode(status, headers, None, b""), self.flow)

    def _encode(
        self, status: int, headers: HeaderItems, reason: str | None, body: bytes
    ) -> bytes:
        if self.answered:
            raise RuntimeError("a request gets only one final response")
        data = self._endpoint.encode_response(
            self.request, self.flow, status, headers, reason=reason, body=body
        )
        self.answered = True
        return data


@dataclass(slots=True)
class _Running:
    """A transaction under way, with what the endpoint needs to drive it."""

    machine: Transaction
    flow: Flow
    wake_at: float | None = None
    answer: asyncio.Future[Response] | None = field(default=None)


class Endpoint:
    """A SIP user agent core's access to the network.

    Everything happens in the event loop that opened it. `on_request` is called with
    each new request and answers it before it returns; if it raises, that one request
    is answered 500 and nothing else notices.
    """

    def __init__(
        self,
        on_request: Callable[[IncomingRequest], None],
        on_stray_response: Callable[[Response], None] | None = None,
    ) -> None:
        """Make an endpoint that is not open yet.

        `on_stray_response` gets the responses that belong to no transaction here, as
        those to an INVITE that was sent with `send`; without it they are dropped.
        """
        self._on_request = on_request
        self._on_stray_response = on_stray_response
        self._udp = UdpTransport(self._receive)
        self._running: dict[TransactionKey, _Running] = {}
        self._wakeups: list[tuple[float, int, TransactionKey, _Running]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._tag_key = secrets.token_bytes(16)
        self._sent_by = ""

    async def open(self, host: str, port: int, *, advertised_host: str = "") -> None:
        """Bind to a UDP port; 0 takes any.

        `advertised_host` is what our own Via says, the bound address if it is empty.
        Raises OSError.
        """
        self._loop = asyncio.get_running_loop()
        await self._udp.open(host, port)
        bound_host, bound_port = self._udp.address
        sent_by = advertised_host or bound_host
        if ":" in sent_by and not sent_by.startswith("["):
            sent_by = f"[{sent_by}]"
        self._sent_by = f"{sent_by}:{bound_port}"

    async def close(self) -> None:
        """End every transaction and free the port; safe to call twice."""
        for running in self._running.values():
            self._fail(running, TransportError("the endpoint was closed"))
        self._running.clear()
        self._wakeups.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._udp.close()

    @property
    def address(self) -> tuple[str, int]:
        """The bound address. Raises TransportError while it is not open."""
        return self._udp.address

    @property
    def sent_by(self) -> str:
        """The `host:port` that our Via and Contact show."""
        return self._sent_by

    async def request(self, outgoing: OutgoingRequest, flow: Flow) -> Response:
        """Send a request and return its final response, whatever its status.

        Raises NoAnswer when timer F fires, TransportError when it cannot be sent or the
        endpoint is closed meanwhile.
        """
        branch = BRANCH_COOKIE + secrets.token_hex(8)
        data = outgoing.encode(self._via(branch))
        self._udp.send(data, flow)
        machine = ClientTransaction(
            data, self._loop.time(), reliable=self._udp.reliable
        )
        running = _Running(machine, flow, answer=self._loop.create_future())
        key = client_key(branch, outgoing.method)
        self._running[key] = running
        self._schedule(key, running)
        assert running.answer is not None
        try:
            return await running.answer
        except asyncio.CancelledError:
            self._running.pop(key, None)
            raise

    def size_of(self, outgoing: OutgoingRequest) -> int:
        """Return how many bytes the request has on the wire."""
        return len(outgoing.encode(self._via(BRANCH_COOKIE + 16 * "0")))

    def _via(self, branch: str) -> str:
        return f"{SIP_VERSION}/UDP {self._sent_by};branch={branch};rport"

    # What comes in

    def _receive(self, data: bytes, flow: Flow) -> None:
        """Take a datagram; whatever it holds, nothing is raised."""
        try:
            message = parse_datagram(data)
        except MalformedMessage as fault:
            self._refuse_malformed(fault, flow)
            return
        if isinstance(message, Request):
            self._receive_request(message, flow)
        elif isinstance(message, Response):
            self._receive_response(message, flow)

    def _refuse_malformed(self, fault: MalformedMessage, flow: Flow) -> None:
        """Answer what is broken, if there is an answer that can be matched."""
        _LOGGER.debug("From %s: %s", flow, fault)
        if not fault.request or fault.via is None or fault.method == "ACK":
            return
        via = fault.via.seen_from(flow.host, flow.port)
        tag = self._tag(fault.headers.get("Call-ID") or "", fault.via)
        self.send(
            encode_response(
                fault.headers, via, fault.status, reason=fault.reason, to_tag=tag
            ),
            flow,
        )

    def _receive_response(self, response: Response, flow: Flow) -> None:
        """Give a response to its client transaction, or drop it (18.1.2).

        It must come from the host that was asked: who only saw the request go by is no
        party to it.
        """
        key = client_key(response.via.branch, response.cseq.method)
        running = self._running.get(key)
        if running is None or running.flow.host != flow.host:
            if self._on_stray_response is not None:
                self._on_stray_response(response)
                return
            _LOGGER.debug("Dropped a stray %d %s", response.status, response.reason)
            return
        event = Event.PROVISIONAL if response.status < 200 else Event.FINAL
        actions = running.machine.fire(event, self._loop.time())
        self._drive(key, running, actions)
        # Whoever asked waits for the final response only (8.1.3.3).
        if (
            event is Event.FINAL
            and Action.DELIVER in actions
            and running.answer is not None
            and not running.answer.done()
        ):
            running.answer.set_result(response)

    def _receive_request(self, request: Request, flow: Flow) -> None:
        """Give a request to its transaction, or to the user if it is new (17.2.3)."""
        if request.method == "ACK":
            self._advance(server_key(request, flow, "INVITE"), Event.ACK)
            return
        key = server_key(request, flow, request.method)
        if self._advance(key, Event.REQUEST):
            return
        incoming = IncomingRequest(request, flow, self, key)
        if request.method == "CANCEL":
            # What it cancels has had its final response already, or never was (9.2).
            known = server_key(request, flow, "INVITE") in self._running
            incoming.reply_stateless(200 if known else 481)
            return
        try:
            refusal = refusal_of(request)
            if refusal is not None:
                incoming.reply_stateless(refusal.status, refusal.headers)
            else:
                self._on_request(incoming)
        except Exception:
            _LOGGER.exception("A %s from %s could not be handled", request.method, flow)
            if not incoming.answered:
                incoming.reply(500)

    # What goes out

    def encode_response(
        self,
        request: Request,
        flow: Flow,
        status: int,
        headers: HeaderItems,
        *,
        reason: str | None,
        body: bytes,
    ) -> bytes:
        """Return a response's bytes, with the tag that all answers to it share."""
        has_tag = request.to.tag is not None
        return encode_response(
            request.headers,
            request.via.seen_from(flow.host, flow.port),
            status,
            reason=reason,
            to_tag=None if has_tag else self._tag(request.call_id, request.via),
            headers=headers,
            body=body,
        )

    def respond(
        self, key: TransactionKey, flow: Flow, method: str, data: bytes
    ) -> None:
        """Send a final response within a new server transaction.

        With too many of them under way it is sent without one; after `close` not at all.
        """
        if len(self._running) >= MAX_TRANSACTIONS or not self._udp.is_open:
            self.send(data, flow)
            return
        kind = InviteServerTransaction if method == "INVITE" else ServerTransaction
        machine = kind(reliable=self._udp.reliable)
        running = self._running[key] = _Running(machine, flow)
        actions = machine.respond(data, self._loop.time(), final=True)
        self._drive(key, running, actions)

    def send(self, data: bytes, flow: Flow) -> None:
        """Send bytes that nobody waits for; a failure is logged at debug level."""
        try:
            self._udp.send(data, flow)
        except TransportError as error:
            _LOGGER.debug("Could not send to %s: %s", flow, error)

    # Transactions

    def _advance(self, key: TransactionKey, event: Event) -> bool:
        """Fire an event at a transaction; return whether there is one."""
        running = self._running.get(key)
        if running is None:
            return False
        self._drive(key, running, running.machine.fire(event, self._loop.time()))
        return True

    def _drive(
        self, key: TransactionKey, running: _Running, actions: tuple[Action, ...]
    ) -> None:
        """Do what a machine asks for, then see when it wants to be woken."""
        for action in actions:
            if action is Action.SEND:
                try:
                    self._udp.send(running.machine.data, running.flow)
                except TransportError as error:
                    _LOGGER.debug("Could not send to %s: %s", running.flow, error)
                    failed = running.machine.fire(
                        Event.TRANSPORT_ERROR, self._loop.time()
                    )
                    self._drive(key, running, failed)
                    return
            elif action is Action.TIMED_OUT:
                self._fail(running, NoAnswer(f"no answer from {running.flow}"))
            elif action is Action.FAILED:
                self._fail(running, TransportError(f"cannot reach {running.flow}"))
        self._schedule(key, running)

    def _schedule(self, key: TransactionKey, running: _Running) -> None:
        """Have the machine woken at its deadline, or forget it once it has ended.

        A wake-up that is set earlier is left alone: it will find nothing due and come
        back here, which costs less than to replace it for each message. All of them
        wait in one queue for one timer of the loop, since most never matter.
        """
        if running.machine.state is State.TERMINATED:
            self._running.pop(key, None)
            return
        deadline = running.machine.deadline
        assert deadline is not None, "whatever is sent has a timer to end it"
        if running.wake_at is not None and running.wake_at <= deadline:
            return
        running.wake_at = deadline
        heappush(self._wakeups, (deadline, next(self._numbers), key, running))
        if self._timer is None or deadline < self._timer.when():
            self._set_timer(deadline)

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._wake)

    def _wake(self) -> None:
        """Wake the transactions whose time has come, and plan for the next."""
        self._timer = None
        now = self._loop.time()
        while self._wakeups and self._wakeups[0][0] <= now:
            at, _, key, running = heappop(self._wakeups)
            if running.wake_at == at and self._running.get(key) is running:
                running.wake_at = None
                self._drive(key, running, running.machine.expire(now))
        # One that was woken may have set the timer for itself, later than the next in the
        # queue wants it.
        if self._wakeups:
            self._set_timer(self._wakeups[0][0])

    @staticmethod
    def _fail(running: _Running, error: Exception) -> None:
        if running.answer is not None and not running.answer.done():
            running.answer.set_exception(error)

    def _tag(self, call_id: str, via: Via) -> str:
        """Return a To tag that is the same for each retransmission (8.2.7)."""
        identity = f"{call_id}\n{via.branch}\n{via.sent_by}"
        return blake2b(
            identity.encode("utf-8", "surrogateescape"),
            digest_size=8,
            key=self._tag_key,
        ).hexdigest()
