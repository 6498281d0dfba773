"""The transport layer over TCP and TLS (RFC 3261 section 18): a listener with its connections.

We never connect to anybody: a phone connects when it registers, and requests to it go out
on that connection as long as it is there (RFC 5626).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import chain, count
import logging
import socket
import ssl

from ..flow import Flow
from ..framing import PING, PONG, BrokenStream, StreamDecoder
from ..guard import Guard
from .sockets import listening_socket, plain_host
from .udp import TransportError

_LOGGER = logging.getLogger(__name__)

BACKLOG = 512
"""Connections that wait to be accepted: after a power cut all phones come at once."""
ACCEPTED = 8
"""Connections that are accepted in one turn of the loop."""
MAX_CONNECTIONS = 4000
MAX_STRANGERS = 16
"""Connections from one address by which nobody has registered."""
MAX_TCP_STRANGERS = 200
"""The same of all addresses together by TCP, where each can cost 200 KiB."""
MAX_TLS_STRANGERS = 80
"""The same by TLS, where each costs 300 to 500 KiB."""
HANDSHAKE_DEADLINE = 5.0
"""Seconds for the TLS handshake."""
MESSAGE_DEADLINE = 5.0
"""Seconds for a message that has begun."""
STRANGER_IDLE = 30.0
"""Seconds in which somebody must have registered by a connection."""
IDLE = 3700.0
"""Seconds without a message for a connection by which somebody has: a little longer than registrations last."""
PAUSE = 0.1
"""Seconds in which nothing is read from strangers that have sent too much."""
MAX_UNSENT = 256 * 1024
"""Bytes for a peer that does not read; with more its connection is closed."""
CLOSING = 1.0
"""Seconds in which what was sent last can leave."""

_numbers = count(1)


class StreamTransport:
    """A listener for TCP, or for TLS with a context, and the connections to it."""

    def __init__(
        self,
        receive: Callable[[bytes, Flow], None],
        *,
        context: ssl.SSLContext | None = None,
        guard: Guard | None = None,
        lost: Callable[[Flow], None] = lambda _: None,
    ) -> None:
        """Hand each message to `receive`, which must not raise.

        `guard` tells whether an address may connect at all, and whether a phone is
        reached by a connection. `lost` gets the flow of each connection that is gone.
        """
        self.name = "TLS" if context else "TCP"
        self.receive = receive
        self._context = context
        self._guard = guard
        self._lost = lost
        self._server: asyncio.Server | None = None
        self._connections: dict[Flow, _Connection] = {}
        self._by_host: defaultdict[str, set[_Connection]] = defaultdict(set)

    async def open(self, host: str, port: int) -> None:
        """Bind and listen. Raises OSError as the system gives it."""
        listening = listening_socket(host, port, socket.SOCK_STREAM)
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self, self._context), sock=listening, backlog=ACCEPTED
        )
        listening.listen(
            BACKLOG
        )  # asyncio accepts as many in one turn as it says itself

    def renew(self, context: ssl.SSLContext) -> None:
        """Take another context for connections that are new from now on."""
        self._context = context

    async def close(self) -> None:
        """End all connections and free the port; safe to call twice."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for connection in {c for held in self._by_host.values() for c in held}:
            connection.close()
        try:
            async with asyncio.timeout(CLOSING):
                await server.wait_closed()
        except TimeoutError:
            server.abort_clients()
            await server.wait_closed()

    @property
    def is_open(self) -> bool:
        """Whether there is a listener."""
        return self._server is not None

    @property
    def address(self) -> tuple[str, int]:
        """Where it is bound. Raises TransportError while it is not."""
        if self._server is None:
            raise TransportError(f"the SIP listener for {self.name} is not open")
        host, port, *_ = self._server.sockets[0].getsockname()
        return host, port

    def send(self, data: bytes, flow: Flow) -> None:
        """Send a message. Raises TransportError if the connection is gone."""
        connection = self._connections.get(flow)
        if connection is None:
            raise TransportError(f"the connection of {flow} is closed")
        connection.send(data)

    def took(self, connection: _Connection) -> bool:
        """Count a new connection; return False if it is one too many, or not wanted."""
        host = connection.flow.host
        held = self._by_host[host]
        strangers = sum(not self.serves(known.flow) for known in held)
        if (
            self._server is None
            or not (self._guard is None or self._guard.admits(connection.flow))
            or strangers >= MAX_STRANGERS
            or sum(map(len, self._by_host.values())) >= MAX_CONNECTIONS
        ):
            if not held:
                del self._by_host[host]
            return False
        held.add(connection)
        self._make_room()
        return True

    def _make_room(self) -> None:
        """Close a stranger's connection if there are too many.

        It is the one that is there for longest, if that is longer than a phone needs. Else
        it is the oldest of the address that has most of them: so whoever opens many pushes
        out his own.
        """
        strangers = [
            [connection for connection in held if not self.serves(connection.flow)]
            for held in self._by_host.values()
        ]
        most = MAX_TLS_STRANGERS if self._context else MAX_TCP_STRANGERS
        if sum(map(len, strangers)) <= most:
            return
        oldest = min(chain(*strangers), key=_Connection.age)
        if asyncio.get_running_loop().time() - oldest.since <= HANDSHAKE_DEADLINE:
            crowd = max(strangers, key=len)
            oldest = min(crowd, key=_Connection.age)
        oldest.make_room()

    def serves(self, flow: Flow) -> bool:
        """Return whether a phone is reached by a connection, perhaps through a proxy."""
        return self._guard is None or self._guard.serves(flow)

    def admits(self, flow: Flow) -> bool:
        """Return whether a ping is to be answered."""
        return self._guard is None or self._guard.admits(flow)

    def listens_to(self, flow: Flow) -> bool:
        """Return whether what comes by a connection is to be looked at, now or later."""
        return (
            self._guard is None
            or self._guard.serves(flow)
            or self._guard.admits_host(flow.host)
        )

    def has_time_for(self, flow: Flow) -> bool:
        """Return whether what comes by a connection is to be looked at now."""
        return self._guard is None or self._guard.has_time_for(flow)

    def made(self, connection: _Connection) -> None:
        """Take a connection into use."""
        self._connections[connection.flow] = connection

    def gone(self, connection: _Connection) -> None:
        """Forget a connection; safe to call twice."""
        host = connection.flow.host
        held = self._by_host[host]
        held.discard(connection)
        if not held:
            del self._by_host[host]
        if self._connections.pop(connection.flow, None) is not None:
            self._lost(connection.flow)


class _Connection(asyncio.Protocol):
    """One connection: its decoder, and the deadlines that end it."""

    flow: Flow

    def __init__(
        self, listener: StreamTransport, context: ssl.SSLContext | None
    ) -> None:
        self._listener = listener
        self._context = context
        self._decoder = StreamDecoder()
        self._loop = asyncio.get_running_loop()
        self.since = self._loop.time()
        self._raw: asyncio.Transport | None = None
        """Below TLS, during the handshake."""
        self._transport: asyncio.Transport | None = None
        """Once it can be used; with TLS that is after the handshake."""
        self._handshake: asyncio.Task[None] | None = None
        self._early = b""
        self._is_lost = False
        self._deadline: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._pause: asyncio.TimerHandle | None = None
        """The end of the time in which nothing is read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or close it without a word."""
        assert isinstance(transport, asyncio.Transport)
        peer = transport.get_extra_info("peername")
        if peer is None:  # gone before it was accepted
            transport.abort()
            return
        host = plain_host(peer)
        self.flow = Flow(self._listener.name, host, peer[1], next(_numbers))
        if not self._listener.took(self):
            _LOGGER.debug("Refused a connection from %s", self.flow)
            transport.abort()
        elif self._context is None:
            self._begin(transport)
        else:
            transport.pause_reading()
            self._raw = transport
            self._handshake = asyncio.create_task(
                self._shake_hands(transport, self._context)
            )

    async def _shake_hands(
        self, transport: asyncio.Transport, context: ssl.SSLContext
    ) -> None:
        """Go over to TLS; whoever does not manage that is gone."""
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
            # Else it holds, in a circle, the frame that holds it and 300 KiB of buffers.
            error.__traceback__ = None
        except asyncio.CancelledError as cancelled:
            cancelled.__traceback__ = None  # it was us, and this is the end anyway
        finally:
            self._handshake = self._raw = None
            if secured is None:
                transport.abort()
                self._listener.gone(self)
        if secured is not None and not self._is_lost:
            self._begin(secured)

    def _begin(self, transport: asyncio.Transport) -> None:
        transport.set_write_buffer_limits(high=MAX_UNSENT)
        self._transport = transport
        self._listener.made(self)
        self._heard_at = self._loop.time()
        self._plan_idle(STRANGER_IDLE)
        if self._early:
            self.data_received(self._early)

    def send(self, data: bytes) -> None:
        """Send bytes. Raises TransportError if the connection is being closed."""
        if self._transport is None or self._transport.is_closing():
            raise TransportError(f"the connection of {self.flow} is closed")
        self._transport.write(data)

    def close(self) -> None:
        """Close once all is sent, or end the handshake."""
        self._end_handshake()
        if self._transport is not None:
            self._transport.close()

    def age(self) -> int:
        """Return a number that is smaller for a connection which came earlier."""
        return self.flow.connection

    def make_room(self) -> None:
        """End it at once, whether in the handshake or behind it."""
        if self._pause is not None:  # nothing more of it is handed on
            self._pause.cancel()
        self._end_handshake()
        if self._transport is not None:
            self._end("there are too many others")
        self._listener.gone(self)

    def _end_handshake(self) -> None:
        if self._handshake is not None:
            self._handshake.cancel()
        if self._raw is not None:  # a task that has not begun yet does not abort it
            self._raw.abort()

    def pause_writing(self) -> None:
        """Give up on a peer that does not read."""
        self._end("it does not read")

    def data_received(self, data: bytes) -> None:
        """Take bytes, and hand on the messages that are whole with them."""
        if self._transport is None:  # the last of the handshake brought them along
            self._early += data
            return
        messages = self._decoder.feed(data)
        if self._pause is None:
            self._hand_on(messages)

    def _hand_on(self, messages: Iterator[bytes]) -> None:
        """Hand on the messages that are whole, no faster than strangers may send them.

        By a connection nothing need be dropped for that: it is not read for a while.
        """
        assert self._transport is not None
        try:
            while self._listener.listens_to(self.flow):
                if not self._listener.has_time_for(self.flow):
                    self._set_deadline(None)
                    self._transport.pause_reading()
                    self._pause = self._loop.call_later(PAUSE, self._go_on)
                    return
                message = next(messages, None)
                if message is None:
                    break
                self._set_deadline(None)
                if message != PING:
                    self._listener.receive(message, self.flow)
                elif self._listener.admits(self.flow):
                    self.send(PONG)
                # Strangers have their time from the beginning on, whatever they send.
                if self._listener.serves(self.flow):
                    self._heard_at = self._loop.time()
            else:
                self._end("it is not listened to")
                return
        except BrokenStream as error:
            self._end(str(error))
        except TransportError:
            return  # it is being closed
        else:
            self._transport.resume_reading()
            if not self._decoder.is_within:
                self._set_deadline(None)
            elif self._deadline is None:
                self._set_deadline(MESSAGE_DEADLINE)

    def _go_on(self) -> None:
        self._pause = None
        self._hand_on(self._decoder.feed(b""))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
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
        """Close the connection if nothing has come for too long, else look again."""
        limit = IDLE if self._listener.serves(self.flow) else STRANGER_IDLE
        left = self._heard_at + limit - self._loop.time()
        if left > 0:
            self._plan_idle(min(left, STRANGER_IDLE))
        else:
            self._end("nothing comes")

    def _end(self, reason: str) -> None:
        _LOGGER.debug("Closing the connection of %s: %s", self.flow, reason)
        assert self._transport is not None
        self._transport.abort()
