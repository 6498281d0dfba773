"""One INVITE as bytes, which is sent as often as a test wants."""

from __future__ import annotations

import asyncio

from tests.support.patience import PATIENCE
from tests.support.rawphone import RawMessage, RawPhone


class Caller:
    """A phone that sends one INVITE as bytes, and stores each answer with its time."""

    def __init__(self, desk: RawPhone, number: str) -> None:
        self.answers: list[tuple[float, bytes]] = []
        self.number = number
        self.address = desk.address
        self._desk = desk
        self._answered = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        desk.datagram_received = self._take  # type: ignore[method-assign]

    def _take(self, data: bytes, _: tuple[str, int]) -> None:
        if data.startswith(b"SIP/2.0 "):
            self.answers.append((self._loop.time() - self._begun, data))
            self._answered.set()

    async def until_answered(self) -> None:
        """Wait for an answer that comes after the call."""
        self._answered.clear()
        async with asyncio.timeout(PATIENCE):
            await self._answered.wait()

    def send(self, method: str, to_tag: str = "") -> None:
        """Send the INVITE, always the same, or another request of its transaction."""
        desk = self._desk
        lines = (
            f"Via: SIP/2.0/UDP {desk.address};branch=z9hG4bK-one;rport",
            'From: "Desk" <sip:44@ha>;tag=from-tag',
            f"To: <sip:{self.number}@ha>{to_tag}",
            "Call-ID: one@desk",
            f"CSeq: 7 {method}",
            "Max-Forwards: 70",
        )
        request = desk._text(f"{method} sip:{self.number}@ha SIP/2.0", lines, "")
        desk._transport.sendto(request, desk.server)

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.answers]

    @property
    def answer(self) -> RawMessage:
        """The one answer, however often it arrived."""
        (data,) = {data for _, data in self.answers}
        return RawMessage.parse(data)
