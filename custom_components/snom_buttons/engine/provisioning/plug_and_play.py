"""Plug and play: who announces itself, and the URL of the settings for those we want."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
import secrets
import socket
from typing import Final, NamedTuple, Protocol

from ..phones import Signal
from ..sip import TIMER_J, Bucket, Flow, OutgoingRequest, Rate
from .announcement import Announcement, read_announcement
from .answer import notify, ok
from .group import PORT, GroupListener, group_socket
from .mac import Mac

MAX_ANSWERED: Final = 256
"""Phones whose last answer is remembered."""
COOL_DOWN: Final = 30.0
"""Seconds after an answer in which a phone gets no other one."""
RATE: Final = Rate(per_second=20, at_once=100)
"""Announcements that are read; a hundred phones may start at once."""


class Wire(Protocol):
    """The server's socket, from which answers come."""

    def send(self, data: bytes, flow: Flow) -> None:
        """Send bytes without a transaction."""

    async def request(self, outgoing: OutgoingRequest, flow: Flow) -> int | None:
        """Send a request, and return the status of its final response, None without one."""

    def sent_by(self, flow: Flow) -> str:
        """Return our `host:port` as the other end of a flow reaches it."""


class Outcome(NamedTuple):
    """What became of an answer."""

    announcement: Announcement
    status: int | None
    """What the phone answered to the NOTIFY; None for nothing."""


@dataclass(slots=True)
class _Answered:
    """The last answer to a phone."""

    subscribe: tuple[str, int, str]
    """What `_identity` returns of the SUBSCRIBE."""
    flow: Flow
    at: float
    response: bytes
    """Sent again for each repeat of the SUBSCRIBE by the same flow."""


class PlugAndPlay:
    """Hears announcements, and answers those for which there is a URL.

    What it sends goes to the source of the datagram, whatever the headers say.
    """

    def __init__(
        self,
        wire: Wire,
        url_of: Callable[[Announcement], str | None],
        clock: Callable[[], float],
    ) -> None:
        """Create a listener that is closed.

        `url_of` returns where a phone fetches its settings; None for one that is not
        answered, since the first answer wins and would take a phone from its server.
        """
        self.heard: Final[Signal[Announcement]] = Signal()
        """A phone announced itself; not a repeat."""
        self.settled: Final[Signal[Outcome]] = Signal()
        """A NOTIFY was answered, or has failed."""
        self.dropped = 0
        """Announcements above RATE, which were not read."""
        self._wire = wire
        self._url_of = url_of
        self._clock = clock
        self._bucket = Bucket(RATE, clock())
        self._answered: dict[Mac, _Answered] = {}
        self._open: list[tuple[asyncio.DatagramTransport, GroupListener]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(
        self,
        interfaces: Iterable[str],
        beside: socket.socket | None = None,
        *,
        port: int = PORT,
    ) -> None:
        """Listen in the networks of our IPv4 addresses. Raises OSError as `group_socket`."""
        loop = asyncio.get_running_loop()
        for interface in interfaces:
            opened = group_socket(interface, beside, port=port)
            self._open.append(
                await loop.create_datagram_endpoint(
                    lambda: GroupListener(self.receive), sock=opened
                )
            )

    async def close(self) -> None:
        """Free the port, and give up what is under way. A second call does nothing."""
        opened, self._open = self._open, []
        for transport, listener in opened:
            transport.close()
            await listener.closed
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def receive(self, datagram: bytes, host: str, port: int) -> None:
        """Read a datagram of the group."""
        now = self._clock()
        if self._bucket.fill(now) < 1:
            self.dropped += 1
            return
        self._bucket.tokens -= 1
        said = read_announcement(datagram, host, port)
        if said is None:
            return
        flow = Flow("UDP", host, port)
        before = self._answered.get(said.mac)
        # Only to where it went before: its URL was asked for with that source.
        if (
            before is not None
            and (before.subscribe, before.flow) == (_identity(said), flow)
            and now < before.at + TIMER_J
        ):
            self._wire.send(before.response, flow)
            return
        self.heard.emit(said)
        self.answer(said)

    def answer(self, said: Announcement) -> None:
        """Answer an announcement, now or later, if there is a URL for it."""
        now = self._clock()
        before = self._answered.get(said.mac)
        if before is not None and now < before.at + COOL_DOWN:
            return
        url = self._url_of(said) if said.is_ours else None
        if url is not None:
            self._answer(said, url, Flow("UDP", said.host, said.port), now)

    def _answer(self, said: Announcement, url: str, flow: Flow, now: float) -> None:
        tag, sent_by = secrets.token_hex(4), self._wire.sent_by(flow)
        response = ok(said, tag=tag, sent_by=sent_by)
        self._answered.pop(said.mac, None)
        self._answered[said.mac] = _Answered(_identity(said), flow, now, response)
        if len(self._answered) > MAX_ANSWERED:
            del self._answered[next(iter(self._answered))]
        self._wire.send(response, flow)
        outgoing = notify(said, tag=tag, sent_by=sent_by, url=url)
        task = asyncio.get_running_loop().create_task(
            self._notify(said, outgoing, flow), name=f"notify {said.mac}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(
        self, said: Announcement, outgoing: OutgoingRequest, flow: Flow
    ) -> None:
        self.settled.emit(Outcome(said, await self._wire.request(outgoing, flow)))


def _identity(said: Announcement) -> tuple[str, int, str]:
    """Return what repeats of a SUBSCRIBE share, also without a branch (RFC 3261 17.2.3)."""
    request = said.request
    return request.call_id, request.cseq.number, str(request.via)
