"""A registrar that shares no code with the engine: raw datagrams, answered by the test.

A test reads each datagram of the phone with `receive` and answers with `answer`.
"""

import asyncio
from collections import deque
import hashlib
import re

from tests.support.udp import UdpPeer

from .patience import PATIENCE

"""Seconds to wait for a datagram, enough for a busy machine."""

REALM = "stub"
NONCE = "0123456789abcdef"
SHA_256 = f'Digest realm="{REALM}", nonce="{NONCE}", algorithm=SHA-256, qop="auth"'
MD5 = f'Digest realm="{REALM}", nonce="{NONCE}", algorithm=MD5, qop="auth"'


def header(message: bytes, name: str) -> str:
    """Return the value of a header, "" if it is absent."""
    head = message.partition(b"\r\n\r\n")[0].decode()
    found = re.search(rf"(?im)^{re.escape(name)}:[ ]*(.*?)\r?$", head)
    return found[1] if found else ""


def body(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[2]


def credentials(value: str) -> dict[str, str]:
    """Return the parameters of an Authorization header."""
    return {
        name: quoted or plain
        for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', value)
    }


def digest_is_right(message: bytes, name: str, user: str, password: str) -> bool:
    """Return whether the credentials in a request's header are right."""
    given = credentials(header(message, name))
    method = message.partition(b" ")[0].decode()
    name = {"MD5": "md5", "SHA-256": "sha256"}[given["algorithm"]]

    def h(text: str) -> str:
        return hashlib.new(name, text.encode()).hexdigest()

    secret = h(f"{user}:{REALM}:{password}")
    request = h(f"{method}:{given['uri']}")
    expected = h(
        f"{secret}:{NONCE}:{given['nc']}:{given['cnonce']}:{given['qop']}:{request}"
    )
    return given["response"] == expected and given["username"] == user


class StubRegistrar(UdpPeer):
    """One UDP socket with a queue of datagrams."""

    def __init__(self) -> None:
        self._unread: deque[bytes] = deque()
        self._read: set[bytes] = set()
        self._news = asyncio.Event()
        self._phone = ("", 0)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._phone = addr
        self._unread.append(data)
        self._news.set()

    async def receive(self, beginning: str = "") -> bytes:
        """Return the next datagram, which must have this start; skip retransmissions."""
        while (data := await self._next()) in self._read:
            pass
        self._read.add(data)
        assert data.decode().startswith(beginning), data
        return data

    async def receive_again(self, data: bytes) -> None:
        """Wait for a retransmission, which must be next."""
        assert await self._next() == data

    async def _next(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            while not self._unread:
                self._news.clear()
                await self._news.wait()
        return self._unread.popleft()

    @property
    def idle(self) -> bool:
        """Return whether no new datagram is queued."""
        return self._read.issuperset(self._unread)

    def send(self, data: bytes, phone: tuple[str, int] | None = None) -> None:
        """Send bytes to the phone, by default to its last source address."""
        self._transport.sendto(data, phone or self._phone)

    def answer(self, request: bytes, status: str, *headers: str) -> None:
        """Answer a request with a status, its reason and whole header lines."""
        lines = [f"SIP/2.0 {status}"]
        lines += [
            f"{name}: {header(request, name)}"
            for name in ("Via", "From", "To", "Call-ID", "CSeq")
        ]
        if ";tag=" not in header(request, "To"):
            lines[3] += ";tag=stub"
        lines += [*headers, "Content-Length: 0", "", ""]
        self.send("\r\n".join(lines).encode())

    async def accept_registration(self, expires: int = 3600) -> bytes:
        """Challenge a REGISTER and accept the next one, which is returned."""
        first = await self.receive("REGISTER ")
        self.answer(first, "401 Unauthorized", f"WWW-Authenticate: {MD5}")
        second = await self.receive("REGISTER ")
        contact = header(second, "Contact")
        self.answer(second, "200 OK", f"Contact: {contact};expires={expires}")
        return second
