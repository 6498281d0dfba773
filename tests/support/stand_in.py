"""A bridge that is nothing but a UDP socket, for tests of what is in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
import re
from typing import Self
import uuid

from .patience import PATIENCE
from .ports import LOCALHOST, free_port
from .rawphone import RawMessage

type Source = tuple[str, int]


class StandIn(asyncio.DatagramProtocol):
    """Answers each request. Use it as an asynchronous context manager."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.health: int | None = 200
        """The status of the answer to a probe; None for no answer."""
        self.answer: int | None = 200
        """The status of the answer to any other request."""
        self.requests: list[RawMessage] = []
        """All that is not a probe, retransmissions included."""
        self.answers: list[RawMessage] = []
        """The answers to what it sent."""
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.die()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(LOCALHOST, self.port)
        )

    def die(self) -> None:
        """Close the socket: a datagram to it is lost."""
        self._transport.close()

    def datagram_received(self, data: bytes, addr: Source) -> None:
        message = RawMessage.parse(data)
        if message.start.startswith("SIP/2.0 "):
            self.answers.append(message)
        elif re.match(r"OPTIONS sip:[^@]* ", message.start):
            self._answer(message, self.health, addr)
        else:
            self.requests.append(message)
            self._answer(message, self.answer, addr)
        self._news.set()

    def _answer(self, message: RawMessage, status: int | None, addr: Source) -> None:
        if status is None or message.start.startswith("ACK "):
            return
        lines = [
            f"{name}: {value}"
            for name, value in message.headers
            if name in {"Via", "From", "Call-ID", "CSeq", "Record-Route", "Path"}
        ]
        lines.append(f"To: {message.get('To')};tag={uuid.uuid4().hex[:8]}")
        if message.start.startswith("REGISTER "):
            contact, (expires,) = message.get("Contact"), message.all("Expires")
            lines += [f"Contact: {contact};expires={expires}", f"Expires: {expires}"]
        else:
            lines.append(f"Contact: <sip:{LOCALHOST}:{self.port}>")
        self._send(f"SIP/2.0 {status} Whatever", lines, addr)

    def _send(self, start: str, lines: Iterable[str], addr: Source) -> None:
        text = "\r\n".join([start, *lines, "Content-Length: 0", "", ""])
        self._transport.sendto(text.encode(), addr)

    async def ask(self, edge: Source, uri: str, *lines: str) -> int:
        """Send a MESSAGE to `edge`; return the status of its final answer."""
        call_id = uuid.uuid4().hex
        own = (
            f"Via: SIP/2.0/UDP {LOCALHOST}:{self.port};branch=z9hG4bK{call_id}",
            f"From: <sip:44@{LOCALHOST}>;tag=1",
            f"To: <sip:44@{LOCALHOST}>",
            f"Call-ID: {call_id}",
            "CSeq: 1 MESSAGE",
            "Max-Forwards: 70",
        )
        self._send(f"MESSAGE {uri} SIP/2.0", (*own, *lines), edge)

        def final() -> list[int]:
            mine = [it for it in self.answers if it.get("Call-ID") == call_id]
            return [it.status for it in mine if it.status >= 200]

        await self.until(lambda: bool(final()))
        return final()[0]

    def got(self, method: str, extension: str) -> list[RawMessage]:
        """Return the requests of a method whose From is an extension."""
        return [
            request
            for request in self.requests
            if request.start.startswith(f"{method} ")
            and f":{extension}@" in request.get("From")
        ]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds; it is tried after each datagram."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()
