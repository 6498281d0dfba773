"""An MQTT 3.1.1 client with as little work as possible, for one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
import struct

QOS = 1
CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9
"""The types of packets that are read (MQTT 3.1.1, 2.2.1)."""


class BareClient(asyncio.Protocol):
    """Publishes and receives with QoS 1, which it acknowledges at once."""

    def __init__(self, received: Callable[[str, bytes], None]) -> None:
        """Make a client; `received` gets topic and payload."""
        self._received = received
        self._buffer = bytearray()
        self._ids = count()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        """By packet ID; that of CONNECT is 0."""

    @classmethod
    async def connect(
        cls,
        port: int,
        login: tuple[str, str],
        received: Callable[[str, bytes], None] = lambda _topic, _payload: None,
    ) -> BareClient:
        """Return a client that is connected to a broker of this machine."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(
            lambda: cls(received), "127.0.0.1", port
        )
        await client.log_in(login)
        return client

    async def log_in(self, login: tuple[str, str]) -> None:
        """Send CONNECT: a clean session, user and password, no keepalive."""
        head = b"\x00\x04MQTT\x04\xc2\x00\x00"
        texts = (f"bench{id(self):x}", *login)
        await self._ask(0, 0x10, head + b"".join(map(_text, texts)))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport. asyncio sets TCP_NODELAY."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def subscribe(self, topic: str) -> None:
        """Subscribe to a filter."""
        number = self._next_id()
        await self._ask(
            number, 0x82, struct.pack("!H", number) + _text(topic) + bytes([QOS])
        )

    def publish(self, topic: str, payload: bytes) -> asyncio.Future[None]:
        """Publish; return what is done when the broker has acknowledged it."""
        number = self._next_id()
        return self._ask(
            number, 0x32, _text(topic) + struct.pack("!H", number) + payload
        )

    def close(self) -> None:
        """Disconnect."""
        self._transport.write(b"\xe0\x00")
        self._transport.close()

    def _next_id(self) -> int:
        return next(self._ids) % 65535 + 1

    def _ask(self, number: int, first: int, packet: bytes) -> asyncio.Future[None]:
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._transport.write(bytes([first]) + _length(len(packet)) + packet)
        return self._waiting[number]

    def data_received(self, data: bytes) -> None:
        """Read all packets that are complete."""
        buffer = self._buffer
        buffer += data
        begin = 0
        while (parsed := _parse_length(buffer, begin + 1)) is not None:
            size, body = parsed
            if len(buffer) < body + size:
                break
            self._packet(buffer[begin], bytes(buffer[body : body + size]))
            begin = body + size
        del buffer[:begin]

    def _packet(self, first: int, body: bytes) -> None:
        kind = first >> 4
        if kind == PUBLISH:
            end = 2 + int.from_bytes(body[:2])
            topic = body[2:end].decode()
            if first & 0x06:
                self._transport.write(b"\x40\x02" + body[end : end + 2])
                end += 2
            self._received(topic, body[end:])
        elif kind == CONNACK:
            assert body[1] == 0, f"the broker refuses: {body[1]}"
            self._waiting.pop(0).set_result(None)
        elif kind in (PUBACK, SUBACK):
            self._waiting.pop(int.from_bytes(body[:2])).set_result(None)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data


def _length(length: int) -> bytes:
    """Return a remaining length (2.2.3)."""
    data = bytearray()
    while True:
        length, digit = divmod(length, 128)
        data.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(data)


def _parse_length(data: bytearray, at: int) -> tuple[int, int] | None:
    """Return a remaining length and where it ends, None if it is not complete."""
    length = 0
    for shift in range(4):
        if at + shift >= len(data):
            return None
        length |= (data[at + shift] & 0x7F) << (7 * shift)
        if not data[at + shift] & 0x80:
            return length, at + shift + 1
    raise ValueError("no remaining length")
