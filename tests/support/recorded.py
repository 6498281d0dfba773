"""Recorded dialogs of phones, as files of tests/data, and how they are played.

A file has a comment, and then messages. `>>>` begins one of the phone, which is sent byte
for byte, and `<<<` one that must come, byte for byte. Line ends are LF in bodies that are
dialog information, else CRLF. What differs each time stands in braces: `{server}` is our
address, `{port}` the port of the phone and `{length}` that of the body, all else is what
came first. Sent credentials are left out of the recordings: the phone has registered by
the same flow before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
import re
from typing import NamedTuple

from .patience import PATIENCE
from .rawphone import RawPhone

DATA = Path(__file__).parents[1] / "data"
DIALOGS = sorted((DATA / "subscribe").glob("*.txt"))
PRESSES = sorted((DATA / "press").glob("*.txt"))

_NAME = re.compile(r"\{(\w+)\}")


class Recorded(NamedTuple):
    """One message of a file."""

    is_sent: bool
    text: str
    """With line ends as on the wire, and with names in braces."""


def read(path: Path) -> list[Recorded]:
    """Return the messages of a file."""
    parts = re.split(r"(?m)^(>>>|<<<)\n", path.read_text())
    return [
        Recorded(mark == ">>>", _on_the_wire(text))
        for mark, text in zip(parts[1::2], parts[2::2], strict=True)
    ]


def _on_the_wire(text: str) -> str:
    head, _, body = text.partition("\n\n")
    if "\nContent-Type: application/sdp\n" in head:
        body = body.replace("\n", "\r\n")
    return head.replace("\n", "\r\n") + "\r\n\r\n" + body


def transport(path: Path) -> str:
    """Return the transport of a file's dialog."""
    return read(path)[0].text.partition("Via: SIP/2.0/")[2].split()[0]


class Player:
    """Plays dialogs over the socket of a phone that has registered."""

    def __init__(self, desk: RawPhone, server: str) -> None:
        self.values = {"server": server, "port": desk.address.rpartition(":")[2]}
        self._desk = desk
        self._came: asyncio.Queue[str] = asyncio.Queue()
        desk.datagram_received = self._receive  # type: ignore[method-assign]

    def _receive(self, data: bytes, _: object) -> None:
        self._came.put_nowait(data.decode())

    async def play(self, messages: list[Recorded]) -> None:
        """Send and receive; AssertionError if another message comes, or none."""
        for message in messages:
            if message.is_sent:
                text = _NAME.sub(lambda m: self.values[m[1]], message.text)
                self._desk._transport.sendto(text.encode(), self._desk.next_hop)
                continue
            async with asyncio.timeout(PATIENCE):
                came = await self._came.get()
            body = came.partition("\r\n\r\n")[2]
            self.values["length"] = f"{len(body.encode())}"
            found = re.fullmatch("".join(self._patterns(message.text)), came)
            assert found is not None, f"{came}\nis not\n{message.text}"
            self.values |= found.groupdict()
        assert self._came.empty(), self._came.get_nowait()

    def _patterns(self, text: str) -> Iterator[str]:
        known = dict(self.values)
        for index, part in enumerate(_NAME.split(text)):
            if index % 2 == 0:
                yield re.escape(part)
            elif part in known:
                yield re.escape(known[part])
            else:
                known[part] = ""
                yield rf"(?P<{part}>[^;>\s]+)"
