"""The transport layer over TCP and TLS (RFC 3261 18): a listener with its connections.

Only phones open connections, which serve both ways (docs/decisions/0014).
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from itertools import count
import logging
import socket
import ssl

from ..drops import Drop
from ..flow import Flow
from ..framing import PING, PONG, BrokenStream, StreamDecoder
from ..guard import Guard
from ..strangers import HANDSHAKE, networks_of
from .sockets import listening_socket, plain_host
from .udp import TransportError

_LOGGER = logging.getLogger(__name__)

BACKLOG = 512
"""Connections that wait to be accepted: after a power cut all phones connect at once."""
ACCEPTED = 8
"""Connections that are accepted in one iteration of the loop."""
MAX_CONNECTIONS = 4000
MAX_STRANGERS = 16
"""Connections from one address without a registration."""
MAX_TCP_STRANGERS = 200
"""Connections of all addresses without a registration, by TCP; each can cost 200 KiB."""
MAX_TLS_STRANGERS = 80
"""The same by TLS; each costs 300 to 500 KiB."""
HANDSHAKE_DEADLINE = 5.0
"""Seconds for the TLS handshake."""
MESSAGE_DEADLINE = 5.0
"""Seconds until a message that has begun must be complete."""
STRANGER_IDLE = 30.0
"""Seconds in which a phone must register by a new connection."""
IDLE = 3700.0
"""Seconds without a message on a connection with a registration, which is shorter."""
KEEPALIVE_BURST = 1024
KEEPALIVE_RATE = 64.0
"""Bytes that may come between messages at once, and each second on average: many times
what phones send, which may go on for ever (RFC 3261 7.5, RFC 5626 4.4.1)."""
PAUSE = 0.1
"""Seconds for which a stranger that exceeds its rate is not read."""
MAX_UNSENT = 256 * 1024
"""Unsent bytes at which the connection of a peer that does not read is closed."""
MAX_REFUSED = 1000
"""Addresses that are remembered because their certificate was refused."""
CLOSING = 1.0
"""Seconds for the last bytes to leave when the listener closes."""

_numbers = count(1)


class StreamTransport:
    """A listener for TCP, or for TLS with a context, and its connections."""

    def __init__(
        self,
        receive: Callable[[bytes, Flow], object],
        *,
        context: ssl.SSLContext | None = None,
        edge_context: ssl.SSLContext | None = None,
        guard: Guard | None = None,
        lost: Callable[[Flow], None] = lambda _: None,
    ) -> None:
        """Pass each message to `receive`, which must not raise.

        `edge_context` is `context` with a request for the certificate of an edge.
        `guard` decides which addresses may connect, and which connections serve phones.
        `lost` gets the flow of each lost connection.
        """
        self.name = "TLS" if context else "TCP"
        self.receive = receive
        self._context = context
        self._edge_context = edge_context
        self._refused: OrderedDict[str, None] = OrderedDict()
        """Addresses whose next connection is not asked for a certificate."""
        self._guard = guard
        self._lost = lost
        self._server: asyncio.Server | None = None
        self._connections: dict[Flow, list[_Connection]] = {}
        """Several only of an edge; the one that a message has come by last is the last."""
        self._all: set[_Connection] = set()
        """Also those whose handshake is under way."""
        self._strangers: dict[_Connection, None] = {}
        """Those without a registration, the oldest first: no connection costs a look at
        all others."""
        self._crowds: Counter[str] = Counter()
        """How many of these an address or an IPv6 /64 has."""

    async def open(self, host: str, port: int) -> None:
        """Bind and listen. Raises OSError as the system gives it."""
        listening = listening_socket(host, port, socket.SOCK_STREAM)
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), sock=listening, backlog=ACCEPTED
        )
        # asyncio accepts as many connections per iteration as the backlog that it sets.
        listening.listen(BACKLOG)

    def renew(
        self, context: ssl.SSLContext, edge_context: ssl.SSLContext | None = None
    ) -> None:
        """Use other contexts for new connections."""
        self._context = context
        self._edge_context = edge_context

    def context_for(self, host: str) -> ssl.SSLContext | None:
        """Return the context of a new connection of an address; None for TCP.

        A phone may have a certificate that is not of an edge, which ends its handshake
        (RFC 8446 4.4.2.4). So its next connection is not asked for one.
        """
        if self._edge_context is None or host in self._refused:
            self._refused.pop(host, None)
            return self._context
        return self._edge_context

    def refused(self, host: str) -> None:
        """Record that the handshake with an address failed."""
        self._refused[host] = None
        if len(self._refused) > MAX_REFUSED:
            self._refused.popitem(last=False)

    async def close(self) -> None:
        """End all connections and free the port; safe to call twice."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for connection in list(self._all):
            connection.close()
        try:
            async with asyncio.timeout(CLOSING):
                await server.wait_closed()
        except TimeoutError:
            server.abort_clients()
            await server.wait_closed()

    @property
    def address(self) -> tuple[str, int]:
        """The bound host and port. Raises TransportError if it is not open."""
        if self._server is None:
            raise TransportError(f"the SIP listener for {self.name} is not open")
        host, port, *_ = self._server.sockets[0].getsockname()
        return host, port

    def send(self, data: bytes, flow: Flow) -> None:
        """Send a message. Raises TransportError if the connection is closed."""
        connections = self._connections.get(flow)
        if connections is None:
            raise TransportError(f"the connection of {flow} is closed")
        connections[-1].send(data)

    def took(self, connection: _Connection) -> bool:
        """Count a new connection; return False if it exceeds a limit or is not admitted."""
        flow = connection.flow
        if self._server is None or not self._admits_connection(flow):
            return False
        if (
            self._crowds[flow.host] >= MAX_STRANGERS
            or len(self._all) >= MAX_CONNECTIONS
        ):
            self._dropped(flow)
            return False
        self._all.add(connection)
        self.judge(connection)
        self._make_room()
        return True

    def judge(self, connection: _Connection) -> None:
        """Count a connection as a stranger's, or no longer."""
        if self.serves(connection.flow):
            self._forget_stranger(connection)
        elif connection not in self._strangers:
            self._strangers[connection] = None
            self._crowds.update(networks_of(connection.flow.host))

    def _forget_stranger(self, connection: _Connection) -> None:
        if connection not in self._strangers:
            return
        del self._strangers[connection]
        for network in networks_of(connection.flow.host):
            self._crowds[network] -= 1
            if not self._crowds[network]:
                del self._crowds[network]

    def _admits_connection(self, flow: Flow) -> bool:
        work = HANDSHAKE if self._context else 0
        return self._guard is None or self._guard.admits(flow, work=work)

    def _dropped(self, flow: Flow) -> None:
        if self._guard is not None:
            self._guard.drops.count(Drop.CONNECTIONS, flow)

    def _make_room(self) -> None:
        """Close a stranger's connection if there are too many.

        That is the oldest, if it is older than a phone needs to register. Else it is the
        oldest of the address, or IPv6 /64, with most connections, so that an attacker
        closes its own.
        """
        most = MAX_TLS_STRANGERS if self._context else MAX_TCP_STRANGERS
        if len(self._strangers) <= most:
            return
        oldest = next(iter(self._strangers))
        if asyncio.get_running_loop().time() - oldest.since <= HANDSHAKE_DEADLINE:
            crowd = max(self._crowds, key=self._crowds.__getitem__)
            oldest = next(
                c for c in self._strangers if crowd in networks_of(c.flow.host)
            )
        self._dropped(oldest.flow)
        oldest.make_room()

    def serves(self, flow: Flow) -> bool:
        """Return whether a phone is reached by a connection, directly or through a proxy."""
        return self._guard is None or self._guard.serves(flow)

    def admits(self, flow: Flow, size: int = 0) -> bool:
        """Return whether to process a ping, or bytes that are no message."""
        return self._guard is None or self._guard.admits(flow, size)

    def listens_to(self, flow: Flow) -> bool:
        """Return whether messages by a connection are processed, now or later."""
        return (
            self._guard is None
            or self._guard.serves(flow)
            or self._guard.admits_host(flow.host)
        )

    def has_time_for(self, flow: Flow, size: int) -> bool:
        """Return whether messages of `size` bytes by a connection are processed now."""
        return self._guard is None or self._guard.has_time_for(flow, size)

    def made(self, connection: _Connection, certificate: object) -> None:
        """Add a connection that can be used; one with a certificate is that of an edge."""
        if certificate and self._guard is not None:
            connection.flow = Flow(self.name, connection.flow.host, 0)
            self._guard.edges.add(connection.flow)
            self.judge(connection)
        self._connections.setdefault(connection.flow, []).append(connection)

    def heard(self, message: bytes, connection: _Connection) -> None:
        """Pass on a message, which is answered by its connection (RFC 3261 18.2.2)."""
        connections = self._connections[connection.flow]
        if connections[-1] is not connection:
            connections.remove(connection)
            connections.append(connection)
        self.receive(message, connection.flow)

    def gone(self, connection: _Connection) -> None:
        """Remove a connection; safe to call twice."""
        self._all.discard(connection)
        self._forget_stranger(connection)
        flow = connection.flow
        connections = self._connections.get(flow, [])
        if connection not in connections:
            return
        connections.remove(connection)
        if not connections:
            del self._connections[flow]
            self._lost(flow)
            if self._guard is not None:
                self._guard.edges.discard(flow)


class _Connection(asyncio.Protocol):
    """One connection: its decoder, and the deadlines that end it."""

    flow: Flow

    def __init__(self, listener: StreamTransport) -> None:
        self._listener = listener
        self._decoder = StreamDecoder()
        self._loop = asyncio.get_running_loop()
        self.since = self._loop.time()
        self._raw: asyncio.Transport | None = None
        """The transport below TLS during the handshake."""
        self._transport: asyncio.Transport | None = None
        """The transport to use, with TLS after the handshake."""
        self._handshake: asyncio.Task[None] | None = None
        self._early = b""
        self._is_lost = False
        self._deadline: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._pause: asyncio.TimerHandle | None = None
        """The end of a pause in reading."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        peer = transport.get_extra_info("peername")
        if peer is None:  # lost before it was accepted
            transport.abort()
            return
        host = plain_host(peer)
        self.flow = Flow(self._listener.name, host, peer[1], next(_numbers))
        if not self._listener.took(self):
            _LOGGER.debug("Refused a connection from %s", self.flow)
            transport.abort()
        elif (context := self._listener.context_for(host)) is None:
            self._begin(transport)
        else:
            transport.pause_reading()
            self._raw = transport
            self._handshake = asyncio.create_task(self._shake_hands(transport, context))

    async def _shake_hands(
        self, transport: asyncio.Transport, context: ssl.SSLContext
    ) -> None:
        """Start TLS; abort the connection if the handshake fails."""
        secured = None
        try:
            secured = await self._loop.start_tls(
                transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_DEADLINE,
                ssl_shutdown_timeout=CLOSING,
            )
        except OSError as error:  # of which SSLError is one
            _LOGGER.debug("No TLS with %s: %s", self.flow, error)
            if isinstance(error, ssl.SSLError):
                self._listener.refused(self.flow.host)
            # Its frames refer to it and to 300 KiB of buffers: a reference cycle.
            error.__traceback__ = None
        except asyncio.CancelledError as cancelled:
            cancelled.__traceback__ = None  # by `_end_handshake`; nothing follows
        finally:
            self._handshake = self._raw = None
            if secured is None:
                transport.abort()
                self._listener.gone(self)
        if secured is not None and not self._is_lost:
            self._begin(secured, secured.get_extra_info("peercert"))

    def _begin(self, transport: asyncio.Transport, certificate: object = None) -> None:
        transport.set_write_buffer_limits(high=MAX_UNSENT)
        self._transport = transport
        self._listener.made(self, certificate)
        self._heard_at = self._loop.time()
        self._plan_idle(STRANGER_IDLE)
        if self._early:
            self.data_received(self._early)

    def send(self, data: bytes) -> None:
        """Send bytes. Raises TransportError if the connection is closing."""
        if self._transport is None or self._transport.is_closing():
            raise TransportError(f"the connection of {self.flow} is closed")
        self._transport.write(data)

    def close(self) -> None:
        """Close when all bytes are sent, or end the handshake."""
        self._end_handshake()
        if self._transport is not None:
            self._transport.close()

    def make_room(self) -> None:
        if self._pause is not None:  # no further message is processed
            self._pause.cancel()
        self._end_handshake()
        if self._transport is not None:
            self._end("too many connections")
        self._listener.gone(self)

    def _end_handshake(self) -> None:
        if self._handshake is not None:
            self._handshake.cancel()
        if self._raw is not None:  # a task that has not started does not abort it
            self._raw.abort()

    def pause_writing(self) -> None:
        """Abort the connection of a peer that does not read."""
        self._end("it does not read")

    def data_received(self, data: bytes) -> None:
        if self._transport is None:  # they came with the end of the handshake
            self._early += data
            return
        messages = self._decoder.feed(data)
        if self._pause is None:
            self._hand_on(messages)

    def _hand_on(self, messages: Iterator[bytes]) -> None:
        """Pass on the complete messages; reading pauses if a stranger is too fast."""
        assert self._transport is not None
        try:
            while self._listener.listens_to(self.flow):
                if not self._listener.has_time_for(self.flow, self._decoder.pending):
                    self._set_deadline(None)
                    self._transport.pause_reading()
                    self._pause = self._loop.call_later(PAUSE, self._go_on)
                    return
                message = next(messages, None)
                self._check_keepalives()
                if message is None:
                    break
                self._set_deadline(None)
                if message != PING:
                    self._listener.heard(message, self)
                elif self._listener.admits(self.flow):
                    self.send(PONG)
                # A stranger's messages do not extend its time.
                if self._listener.serves(self.flow):
                    self._heard_at = self._loop.time()
                    self._listener.judge(self)
            else:
                self._end("its address is not admitted")
                return
        except BrokenStream as error:
            # It has been read, and so it counts.
            self._listener.admits(self.flow, self._decoder.pending)
            self._end(str(error))
        except TransportError:
            return  # the connection is closing
        else:
            self._transport.resume_reading()
            if not self._decoder.is_within:
                self._set_deadline(None)
            elif self._deadline is None:
                self._set_deadline(MESSAGE_DEADLINE)

    def _check_keepalives(self) -> None:
        """Raise BrokenStream if more bytes keep the connection than a phone sends."""
        age = self._loop.time() - self.since
        if self._decoder.ignored > KEEPALIVE_BURST + KEEPALIVE_RATE * age:
            raise BrokenStream("too many line ends")

    def _go_on(self) -> None:
        self._pause = None
        self._hand_on(self._decoder.feed(b""))

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._set_deadline(None)
        for timer in (self._idle, self._pause):
            if timer is not None:
                timer.cancel()
        if hasattr(self, "flow"):
            self._listener.gone(self)

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = (
            None
            if seconds is None
            else self._loop.call_later(seconds, self._end, "a message takes too long")
        )

    def _plan_idle(self, seconds: float) -> None:
        self._idle = self._loop.call_later(seconds, self._check_idle)

    def _check_idle(self) -> None:
        self._listener.judge(self)  # its registration may have ended
        limit = IDLE if self._listener.serves(self.flow) else STRANGER_IDLE
        left = self._heard_at + limit - self._loop.time()
        if left > 0:
            self._plan_idle(min(left, STRANGER_IDLE))
        else:
            self._end("idle for too long")

    def _end(self, reason: str) -> None:
        _LOGGER.debug("Closing the connection of %s: %s", self.flow, reason)
        assert self._transport is not None
        self._transport.abort()
