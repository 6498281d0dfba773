"""A SIP endpoint: transports, parser, transactions, guard, trust, registrar and notifier.

Its user gets each new request once; retransmissions are answered here.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
import logging
import secrets
import socket
import ssl
import time

from .. import timers
from ..backlog import MAX_OF_EDGE, MAX_OF_FLOW, Backlog, Urgency, urgency_of
from ..drops import Drop
from ..flow import Flow
from ..guard import Guard, asserted_user, claimed_user, is_probe
from ..message import Request, Response, Via, encode_response
from ..notifier import Notifier
from ..outgoing import OutgoingRequest, format_via, new_branch
from ..parser import MalformedMessage, parse_datagram
from ..registrar import Registrar
from ..transaction import (
    BRANCH_COOKIE,
    Answered,
    Event,
    TransactionKey,
    client_key,
    merged_key,
    owner_of,
    server_key,
    text_of,
)
from ..trust import Trust
from ..uas import ALLOWED, Answer, refusal_of
from .stream import StreamTransport
from .transaction_layer import TransactionLayer
from .udp import TransportError, UdpTransport

_LOGGER = logging.getLogger(__name__)

type HeaderItems = Iterable[tuple[str, str]]

AMPLIFICATION = 3
"""Bytes of an answer by UDP for each byte of the request, whose source may be forged
(RFC 9000 8.1, docs/decisions/0009)."""
RETRY_LATER = (("Retry-After", "5"),)
"""The header of a 503, in seconds (RFC 3261 20.33)."""
MAX_RECORD = 4 * 1024
"""Bytes of a response that is stored for retransmissions after a restart; those to phones
have less than 1000."""


@dataclass(slots=True)
class IncomingRequest:
    """A request to be answered."""

    request: Request
    flow: Flow
    size: int
    """Its bytes on the wire."""
    _endpoint: Endpoint
    _key: TransactionKey
    answered: bool = False
    _response: bytes = b""

    def reply(
        self, status: int, headers: HeaderItems = (), *, reason: str | None = None
    ) -> None:
        """Send a final response, and repeat it for each retransmission of the request.

        Raises RuntimeError after another final response.
        """
        data = self._encode(status, headers, reason=reason)
        self.answered = True
        self._response = data
        self._endpoint.respond(self._key, self.flow, self.request, data)

    def hold(self) -> None:
        """Absorb retransmissions of the request until it has a reply.

        A CANCEL of it is a reply, 487 (RFC 3261 9.2).
        """
        self._endpoint.hold(self._key, self)

    def answer(self, answer: Answer) -> None:
        """Send an answer, as `reply` does."""
        self.reply(answer.status, answer.headers, reason=answer.reason)

    def record(self, *, is_secret: bool = False) -> Answered | None:
        """Return what to know of the request after a restart, once it has a reply.

        None by a connection, which ends with the server, and for a long response. If it
        is secret, such as a code that was dialled, the response is left out.
        """
        if self.flow.is_reliable or len(self._response) > MAX_RECORD:
            return None
        response = b"" if is_secret else self._response
        return Answered(self._key, time.time(), response)

    def reply_stateless(
        self, status: int, headers: HeaderItems = (), *, reason: str | None = None
    ) -> None:
        """Send a final response and keep no state (8.2.7).

        Only for requests whose retransmissions get the same response anyway, such as
        those that are refused; or a challenge, if their credentials are used up.
        """
        self._send(self._encode(status, headers, reason=reason), status)

    def refuse_excess(self) -> None:
        """Send 503, and keep no state.

        By an edge it is 500, since after 503 that tries another server (RFC 3261 21.5.4),
        and what exceeds the share of a phone would go from one to the next.
        """
        status = 500 if self._endpoint.is_edge(self.flow) else 503
        self.reply_stateless(status, RETRY_LATER)

    def refuse(self, refusal: Answer) -> None:
        """Send a refusal, and keep no state (RFC 3261 8.2.7 and 26.3.2.4).

        A challenge offers one algorithm if there is no room for two.
        """
        data = self._encode(refusal.status, refusal.headers)
        if refusal.status == 401 and not self._has_room(data, 401):
            data = self._encode(refusal.status, refusal.headers[:1])
        self._send(data, refusal.status)

    def _send(self, data: bytes, status: int) -> None:
        self.answered = True
        if self._has_room(data, status):
            self._endpoint.send(data, self.flow)
        else:
            self._endpoint.drop(Drop.TOO_SHORT, self.flow)

    def _has_room(self, data: bytes, status: int) -> bool:
        """Whether an answer may be sent to a source that may be forged.

        It has at most AMPLIFICATION times the bytes of the request.
        """
        if len(data) <= AMPLIFICATION * self.size or self.flow.is_reliable:
            return True
        is_proven = status != 401 or self._endpoint.is_known(self.flow)
        return is_proven and not self._endpoint.is_unproven(self.request, self.flow)

    def _encode(
        self, status: int, headers: HeaderItems, *, reason: str | None = None
    ) -> bytes:
        if self.answered:
            raise RuntimeError("a request gets only one final response")
        request = self.request
        to_tag = None
        if request.to.tag is None:
            to_tag = self._endpoint.tag_for(request.call_id, request.via)
        return encode_response(
            request.headers,
            request.via.seen_from(self.flow.host, self.flow.port),
            status,
            reason=reason,
            to_tag=to_tag,
            headers=headers,
        )


class Endpoint:
    """What lies below a SIP user agent core, in the event loop that opened it."""

    def __init__(
        self,
        on_request: Callable[[IncomingRequest], None],
        on_stray_response: Callable[[Response], None] | None = None,
        *,
        guard: Guard | None = None,
        trust: Trust | None = None,
        registrar: Registrar | None = None,
        notifier: Notifier | None = None,
        on_lost: Callable[[Flow], None] = lambda _: None,
        on_edge: Callable[[Request], Answer | None] = lambda _: None,
        on_proven: Callable[[str], Answer | None] = lambda _: None,
        allowed: Sequence[str] = ALLOWED,
    ) -> None:
        """Create an endpoint that is not open.

        `on_request` answers each new request; if it raises, the answer is 500.
        `on_stray_response` gets responses that match no transaction; without it they
        are dropped. `guard` decides which sources are admitted; without it all are.
        `trust` authenticates each request before anything else (RFC 3261 8.2); without
        it all are trusted. `registrar` answers REGISTER, and `notifier` SUBSCRIBE; without
        them `on_request` does.
        `on_lost` gets the flow of each lost connection. `on_edge` gets each new request
        from an edge before `trust`, and may answer it; `on_proven` may after that, and
        gets its user. `allowed` are the methods that are not refused.
        """
        self._on_request = on_request
        self._on_stray_response = on_stray_response
        self._guard = guard
        self._trust = trust
        self._registrar = registrar
        self._notifier = notifier
        self._on_lost = on_lost
        self._on_edge = on_edge
        self._on_proven = on_proven
        self._allowed = allowed
        self._transports: dict[str, UdpTransport | StreamTransport] = {}
        self._sent_by: dict[str, str] = {}
        self._backlog = Backlog(time.monotonic)
        self._transactions = TransactionLayer(self._send_now)
        self._tag_key = secrets.token_bytes(16)
        self._before: dict[str, Answered] = {}
        self._held: dict[TransactionKey, IncomingRequest] = {}
        """The requests whose users answer them later."""
        self._newest_before = 0.0
        """The wall-clock time of the newest of them."""

    async def open(
        self,
        host: str,
        port: int,
        *,
        transport: str = "UDP",
        advertised_host: str = "",
        advertised_port: int | None = None,
        context: ssl.SSLContext | None = None,
        edge_context: ssl.SSLContext | None = None,
    ) -> None:
        """Bind a transport to a port, 0 for any; once for each. Raises OSError.

        Via and Contact have the advertised host and port, by default the bound ones.
        `edge_context` is `context` with a request for the certificate of an edge.
        """
        opened = (
            UdpTransport(self._wait, self._handle_next)
            if transport == "UDP"
            else StreamTransport(
                self._receive,
                context=context,
                edge_context=edge_context,
                guard=self._guard,
                lost=self._connection_lost,
            )
        )
        await opened.open(host, port)
        self._transports[transport] = opened
        bound_host, bound_port = opened.address
        sent_by = advertised_host or bound_host
        if ":" in sent_by and not sent_by.startswith("["):
            sent_by = f"[{sent_by}]"
        self._sent_by[transport] = f"{sent_by}:{advertised_port or bound_port}"

    def restore(self, answered: Iterable[Answered]) -> None:
        """Answer retransmissions of requests that were acted on before a restart.

        Before or after the start, for as many phones at a time as wanted.
        """
        for each in answered:
            self._before[each.key] = each
            self._newest_before = max(self._newest_before, each.at)

    def _answered_before(self, key: TransactionKey) -> Answered | None:
        if time.time() - self._newest_before >= timers.TIMER_J:
            self._before = {}
            return None
        answered = self._before.get(text_of(key))
        return answered if answered is not None and answered.is_current else None

    def renew(
        self, context: ssl.SSLContext, edge_context: ssl.SSLContext | None = None
    ) -> None:
        """Use other contexts for new TLS connections, if TLS is open."""
        listener = self._transports.get("TLS")
        if isinstance(listener, StreamTransport):
            listener.renew(context, edge_context)

    async def close(self) -> None:
        """End every transaction, and free the ports; safe to call twice."""
        transports, self._transports = self._transports, {}
        self._backlog.clear()
        self._held.clear()
        self._transactions.close()
        await asyncio.gather(*(transport.close() for transport in transports.values()))

    def address_of(self, transport: str) -> tuple[str, int]:
        """Return the bound host and port. Raises TransportError if it is not open."""
        return self._transport(transport).address

    @property
    def shared_socket(self) -> socket.socket | None:
        """The UDP socket if it is bound to all addresses; None if not, or without UDP."""
        udp = self._transports.get("UDP")
        return udp.shared_socket if isinstance(udp, UdpTransport) else None

    def sent_by(self, transport: str) -> str:
        """Return the `host:port` of Via and Contact for a transport."""
        return self._sent_by[transport]

    def is_open(self, transport: str) -> bool:
        """Return whether a transport is open."""
        return transport in self._transports

    async def request(
        self,
        outgoing: OutgoingRequest,
        flow: Flow,
        repeated: Callable[[], None] | None = None,
    ) -> Response:
        """Send a request and return its final response of any status.

        Calls `repeated` for each retransmission. Raises NoAnswer when timer F fires, TransportError if it cannot be sent, its
        connection is lost or the endpoint is closed.
        """
        self._transport(flow.transport)
        branch = new_branch()
        data = outgoing.encode(self._via(branch, flow.transport))
        self._send_now(data, flow)
        if self._guard is not None:
            self._guard.expect_answer(flow, outgoing.to.uri.user or "")
        key = client_key(branch, outgoing.method)
        return await self._transactions.request(key, data, flow, repeated)

    def size_of(self, outgoing: OutgoingRequest, transport: str) -> int:
        """Return the bytes of a request on the wire."""
        return len(outgoing.encode(self._via(BRANCH_COOKIE + 16 * "0", transport)))

    def _via(self, branch: str, transport: str) -> str:
        return format_via(transport, self._sent_by[transport], branch)

    def _transport(self, name: str) -> UdpTransport | StreamTransport:
        """Return an open transport. Raises TransportError if it is not open."""
        transport = self._transports.get(name)
        if transport is None:
            raise TransportError(f"the SIP socket for {name} is not open")
        return transport

    def _connection_lost(self, flow: Flow) -> None:
        self._transactions.lost(flow)
        self._on_lost(flow)

    def drop(self, reason: Drop, flow: Flow) -> None:
        """Count a message by this flow that gets no answer."""
        if self._guard is not None:
            self._guard.drops.count(reason, flow)

    def is_known(self, flow: Flow) -> bool:
        """Return whether a flow is that of a registered phone; True without a guard."""
        return self._guard is None or self._guard.is_known(flow)

    def is_unproven(self, request: Request, flow: Flow) -> bool:
        """Whether a request is taken although its source may be forged."""
        return self._trust is not None and self._trust.is_unproven(request, flow)

    def _wait(self, data: bytes, flow: Flow) -> None:
        """Let a datagram wait until it is handled.

        One of a stranger or an edge has to be admitted before.
        """
        urgency, most = urgency_of(data), MAX_OF_FLOW
        if self._guard is not None:
            if self._guard.is_edge(flow):
                if not self._admits(data, flow):
                    return
                most = MAX_OF_EDGE
            elif not self._guard.serves(flow):
                if not self._guard.admits(flow, len(data)):
                    return
                urgency = Urgency.STRANGER
        if not self._backlog.add(data, flow, urgency, most):
            self.drop(Drop.BACKLOG, flow)

    def _handle_next(self) -> bool | None:
        """Handle a datagram that waits, and never raise.

        Returns whether the guard dropped it, and None if there is none.
        """
        waiting = self._backlog.pop()
        if waiting is None:
            return None
        data, flow = waiting.data, waiting.flow
        if waiting.urgency is Urgency.STRANGER or self.is_edge(flow):
            self._process(data, flow)
            return False
        return self._receive(data, flow)

    def is_edge(self, flow: Flow) -> bool:
        """Return whether a flow is that of a trusted proxy."""
        return self._guard is not None and self._guard.is_edge(flow)

    def _receive(self, data: bytes, flow: Flow) -> bool:
        """Process a message, never raise; return whether the guard dropped it."""
        if not self._admits(data, flow):
            return True
        self._process(data, flow)
        return False

    def _admits(self, data: bytes, flow: Flow) -> bool:
        """Whether the guard admits a message; one that it does not may get a 503."""
        if self._guard is None:
            return True
        user = partial(claimed_user, data)
        if self._guard.admits(
            flow,
            len(data),
            is_answer=data.startswith(b"SIP/"),
            user=user,
            asserted=partial(asserted_user, data),
            is_probe=partial(is_probe, data),
        ):
            return True
        if self._guard.refuses(flow, user):
            self._refuse_excess(data, flow)
        return False

    def _process(self, data: bytes, flow: Flow) -> None:
        """Process a message, and never raise. Strangers get no responses but challenges."""
        if not self._transports:
            return
        try:
            message = parse_datagram(data)
        except MalformedMessage as fault:
            self._refuse_malformed(fault, flow)
            return
        if isinstance(message, Request):
            self._receive_request(message, flow, len(data))
        elif isinstance(message, Response):
            self._receive_response(message, flow)

    def _refuse_excess(self, data: bytes, flow: Flow) -> None:
        """Answer a request that exceeds the share of its phone (RFC 3261 21.5.4)."""
        try:
            request = parse_datagram(data)
        except MalformedMessage:
            return
        if not isinstance(request, Request) or request.method == "ACK":
            return
        key = server_key(request, flow, request.method)
        if not self._transactions.advance(key, Event.REQUEST):
            IncomingRequest(request, flow, len(data), self, key).refuse_excess()

    def _refuse_malformed(self, fault: MalformedMessage, flow: Flow) -> None:
        """Answer a malformed request of a phone, if the response can be matched.

        One by an edge is answered, too: otherwise that asks one server after the other.
        """
        _LOGGER.debug("From %s: %s", flow, fault)
        if (
            not fault.request
            or fault.via is None
            or fault.method == "ACK"
            or not (self.is_known(flow) or self.is_edge(flow))
        ):
            self.drop(Drop.MALFORMED, flow)
            return
        data = encode_response(
            fault.headers,
            fault.via.seen_from(flow.host, flow.port),
            fault.status,
            reason=fault.reason,
            to_tag=self.tag_for(fault.headers.get("Call-ID") or "", fault.via),
        )
        self.send(data, flow)

    def _receive_response(self, response: Response, flow: Flow) -> None:
        """Pass a response to its client transaction, or else to the user (18.1.2)."""
        key = client_key(response.via.branch, response.cseq.method)
        if self._transactions.respond_to(key, flow, response):
            return
        if self._on_stray_response is not None:
            self._on_stray_response(response)
            return
        _LOGGER.debug("Dropped a stray %d from %s", response.status, flow)
        self.drop(Drop.STRAY, flow)

    def _receive_request(self, request: Request, flow: Flow, size: int) -> None:
        """Pass a request to its transaction, or handle it if it is new (17.2.3)."""
        if request.method == "ACK":
            self._transactions.advance(server_key(request, flow, "INVITE"), Event.ACK)
            return
        key = server_key(request, flow, request.method)
        if self._transactions.advance(key, Event.REQUEST):
            return
        incoming = IncomingRequest(request, flow, size, self, key)
        if self._before and (answered := self._answered_before(key)) is not None:
            if answered.response:
                self.respond(key, flow, request, answered.response)
            else:
                incoming.reply(486)
            return
        if request.method == "CANCEL":
            # The request it cancels is held, has a final response, or does not exist (9.2,
            # and RFC 6665 4.6). CANCEL cannot be challenged (22.1).
            canceled = [server_key(request, flow, m) for m in ("INVITE", "SUBSCRIBE")]
            if any(key in self._transactions.running for key in canceled):
                incoming.reply_stateless(200)
                if (held := self._held.get(canceled[0])) is not None:
                    held.reply(487)
            elif self.is_known(flow):
                incoming.reply_stateless(481)
            else:
                self.drop(Drop.STRAY, flow)
            return
        # Before its credentials, which the other copy has used up.
        if self._transactions.is_merged(merged_key(request, flow)):
            incoming.reply_stateless(482)
            return
        is_trusted = False
        is_edge = self.is_edge(flow)
        try:
            if is_edge:
                answer = self._on_edge(request)
                if answer is not None:
                    incoming.refuse(answer)
                    return
            if self._trust is not None:
                refusal = self._trust.judge(request, flow)
                if refusal is not None:
                    incoming.refuse(refusal)
                    return
            is_trusted = True
            if is_edge:
                named = request.to if request.method == "REGISTER" else request.from_
                answer = self._on_proven(named.uri.user or "")
                if answer is not None:
                    incoming.refuse(answer)
                    return
            self._handle(incoming)
        except Exception:
            _LOGGER.exception("A request from %s could not be handled", flow)
            if not incoming.answered and (is_trusted or self.is_known(flow)):
                incoming.reply(500)

    def _handle(self, incoming: IncomingRequest) -> None:
        """Answer a trusted request, or pass it to the user (8.2)."""
        request = incoming.request
        refusal = refusal_of(request, self._allowed)
        if refusal is not None:
            incoming.refuse(refusal)
        elif not self._transactions.has_room(owner_of(request, incoming.flow)):
            # A retransmission could not be told from a new request.
            incoming.refuse_excess()
        elif request.method == "REGISTER" and self._registrar is not None:
            user = request.to.uri.user or ""
            if self._guard is not None and not self._guard.may_register(user):
                incoming.refuse_excess()
                return
            incoming.answer(self._registrar.register(request, incoming.flow))
        elif request.method == "SUBSCRIBE" and self._notifier is not None:
            user = request.from_.uri.user or ""
            if self._guard is not None and not self._guard.may_subscribe(user):
                incoming.refuse_excess()
                return
            flow = incoming.flow
            tag = self.tag_for(request.call_id, request.via)
            sent_by = self._sent_by[flow.transport]
            incoming.answer(self._notifier.subscribe(request, flow, tag, sent_by))
        else:
            self._on_request(incoming)

    def tag_for(self, call_id: str, via: Via) -> str:
        """Return a To tag that is the same for all retransmissions (8.2.7)."""
        identity = f"{call_id}\n{via.branch}\n{via.sent_by}"
        data = identity.encode("utf-8", "surrogateescape")
        return blake2b(data, digest_size=4, key=self._tag_key).hexdigest()

    def respond(
        self, key: TransactionKey, flow: Flow, request: Request, data: bytes
    ) -> None:
        """Send a final response in a transaction, if the endpoint is open."""
        if self._held:
            self._held.pop(key, None)
        if self._transports:
            is_once = self.is_unproven(request, flow)
            self._transactions.answer(key, flow, request, data, is_once=is_once)

    def hold(self, key: TransactionKey, incoming: IncomingRequest) -> None:
        """Begin the transaction of a request that is answered later."""
        request, flow = incoming.request, incoming.flow
        is_once = self.is_unproven(request, flow)
        self._transactions.begin(key, flow, request, is_once=is_once)
        self._held[key] = incoming

    def send(self, data: bytes, flow: Flow) -> None:
        """Send bytes without a transaction; a failure is logged at debug level."""
        try:
            self._send_now(data, flow)
        except TransportError as error:
            _LOGGER.debug("Could not send to %s: %s", flow, error)

    def _send_now(self, data: bytes, flow: Flow) -> None:
        """Send bytes. Raises TransportError."""
        self._transport(flow.transport).send(data, flow)
