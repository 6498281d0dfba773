"""A sender without a password: any bytes, from any address of this machine.

It shares no code with the product.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
import hashlib
from itertools import count
import re
import socket
import ssl
from typing import Self

from .patience import PATIENCE

METHODS = (
    *("REGISTER", "OPTIONS", "INVITE", "MESSAGE", "SUBSCRIBE", "BYE", "CANCEL", "ACK"),
    *("NOTIFY", "INFO", "UPDATE", "PRACK", "REFER", "PUBLISH", "NONSENSE"),
)

_numbers = count(1)


def request(
    method: str,
    *more: str,
    user: str = "44",
    to: str | None = None,
    transport: str = "UDP",
    uri: str = "sip:ha.test",
    padding: int = 700,
    body: bytes = b"",
) -> bytes:
    """Return a request that is long enough for any answer."""
    number = f"n{next(_numbers):08d}"
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/{transport} 192.0.2.66;branch=z9hG4bK{number};rport",
        f"From: <sip:{user}@ha.test>;tag={number}",
        f"To: <sip:{to or user}@ha.test>",
        f"Call-ID: {number}@192.0.2.66",
        f"CSeq: 1 {method}",
        "Max-Forwards: 70",
        *more,
        f"X-Padding: {padding * 'x'}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join((*lines, "", "")).encode("utf-8", "surrogateescape") + body


def credentials(
    answer: bytes,
    password: str,
    *,
    method: str = "REGISTER",
    user: str = "44",
    uri: str = "sip:ha.test",
    nonce: str = "",
) -> str:
    """Return the Authorization line for the first challenge of an answer."""
    realm = re.search(rb'realm="([^"]*)"', answer)
    offered = re.search(rb'nonce="([^"]*)"', answer)
    assert realm is not None
    assert offered is not None
    nonce = nonce or offered[1].decode()

    def digest(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    secret = digest(user, realm[1].decode(), password)
    response = digest(secret, nonce, "00000001", "c", "auth", digest(method, uri))
    return (
        f'Authorization: Digest username="{user}", realm="{realm[1].decode()}",'
        f' nonce="{nonce}", uri="{uri}", response="{response}", cnonce="c", qop=auth,'
        " nc=00000001"
    )


def status(answer: bytes) -> int:
    return int(answer.split()[1])


class Stranger:
    """A UDP socket at an address of this machine. Use it as a context manager."""

    def __init__(self, server: tuple[str, int], host: str, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, port))
        self._server = server
        self._witness = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._witness.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._witness.close()

    async def say(self, *datagrams: bytes) -> list[bytes]:
        """Send datagrams, and return all answers.

        The server handles datagrams in order: once it answers a later request from
        another address, all answers to these have been sent.
        """
        for datagram in datagrams:
            self._socket.sendto(datagram, self._server)
        async with asyncio.timeout(PATIENCE):
            await self._ask_as_witness()
        answers = []
        with suppress(BlockingIOError):
            while True:
                answers.append(self._socket.recv(65536))
        return answers

    async def _ask_as_witness(self) -> None:
        host = f"127.77.{next(_numbers) // 250 % 250}.{next(_numbers) % 250 + 1}"
        self._witness.close()
        self._witness = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._witness.setblocking(False)
        self._witness.bind((host, 0))
        self._witness.sendto(request("REGISTER", user="witness"), self._server)
        await asyncio.get_running_loop().sock_recv(self._witness, 65536)

    async def guess(
        self, password: str, *more: str, user: str = "44", to: str | None = None
    ) -> list[bytes]:
        """Try a password with a fresh nonce; return the answers."""
        (answer,) = await self.say(request("REGISTER", *more, user=user))
        line = credentials(answer, password, user=user)
        return await self.say(request("REGISTER", line, *more, user=user, to=to))


async def connect(
    server: tuple[str, int],
    host: str,
    context: ssl.SSLContext | None = None,
    port: int = 0,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect from an address of this machine. Raises OSError."""
    return await asyncio.open_connection(
        *server, ssl=context, local_addr=(host, port), limit=2**20
    )


async def converse(
    server: tuple[str, int],
    host: str,
    *messages: bytes,
    context: ssl.SSLContext | None = None,
) -> bytes:
    """Send messages over a connection; return all that is received.

    It ends when the connection is closed, or when a last REGISTER is answered.
    """
    said = b""
    last = request("REGISTER", user="witness", transport="TCP")
    with suppress(ConnectionError, ssl.SSLError):
        async with asyncio.timeout(4 * PATIENCE):
            reader, writer = await connect(server, host, context)
            try:
                writer.write(b"".join(messages) + last)
                while not said.endswith(b"\r\n\r\n") or b"sip:witness@" not in said:
                    data = await reader.read(65536)
                    if not data:
                        break
                    said += data
            finally:
                writer.close()
                with suppress(ConnectionError, ssl.SSLError):
                    await writer.wait_closed()
    return said
