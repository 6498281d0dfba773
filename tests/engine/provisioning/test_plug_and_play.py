"""Who is answered, when, and with what; on real multicast over the loopback interface."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
import errno
import socket
import time

import pytest

from custom_components.snom_buttons.engine.provisioning import (
    GROUP,
    Announcement,
    Outcome,
    PlugAndPlay,
    group_socket,
)
from custom_components.snom_buttons.engine.provisioning.plug_and_play import (
    COOL_DOWN,
    MAX_ANSWERED,
    RATE,
)
from custom_components.snom_buttons.engine.sip import TIMER_J, Flow, OutgoingRequest
from tests.support.announcements import SNOM_370, YEALINK
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.serving_peers import serving, settings_for
from tests.support.udp import UdpPeer

URL = "http://192.0.2.1/000413AABBCC.xml"
HOST, SOURCE = "127.0.0.1", 1053

one_group = multicast()


class FakeWire:
    """Records what is sent; phones answer a NOTIFY with `status`."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Flow]] = []
        self.requests: list[tuple[OutgoingRequest, Flow]] = []
        self.status: int | None = 200

    def send(self, data: bytes, flow: Flow) -> None:
        self.sent.append((data, flow))

    async def request(self, outgoing: OutgoingRequest, flow: Flow) -> int | None:
        self.requests.append((outgoing, flow))
        return self.status

    def sent_by(self, flow: Flow) -> str:
        return "127.0.0.1:5060"


class Desk:
    """Plug and play with a clock that a test moves."""

    def __init__(self, url_of: Callable[[Announcement], str | None]) -> None:
        self.now = 1000.0
        self.wire = FakeWire()
        self.heard: list[Announcement] = []
        self.settled: list[Outcome] = []
        self.plug_and_play = PlugAndPlay(self.wire, url_of, lambda: self.now)
        self.plug_and_play.heard.subscribe(self.heard.append)
        self.plug_and_play.settled.subscribe(self.settled.append)

    async def hears(
        self, datagram: bytes, host: str = HOST, port: int = SOURCE
    ) -> None:
        self.plug_and_play.receive(datagram, host, port)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """Return a desk that answers every phone."""
    desk = Desk(lambda _: URL)
    yield desk
    await desk.plug_and_play.close()


def again(datagram: bytes) -> bytes:
    """Return the announcement of the next start."""
    return datagram.replace(b"Call-ID: ", b"Call-ID: next-")


async def test_a_phone_gets_200_and_one_notify_at_its_source(desk: Desk) -> None:
    await desk.hears(SNOM_370)
    ((response, flow),) = desk.wire.sent
    assert response.startswith(b"SIP/2.0 200 OK\r\n")
    assert flow == Flow("UDP", HOST, SOURCE)
    ((request, to),) = desk.wire.requests
    assert to == flow, "not where its Contact points"
    assert request.body == URL.encode()
    assert [(it.announcement.mac, it.status) for it in desk.settled] == [
        ("000413AABBCC", 200)
    ]


async def test_a_repeated_subscribe_gets_the_same_bytes_and_no_second_notify(
    desk: Desk,
) -> None:
    await desk.hears(SNOM_370)
    await desk.hears(SNOM_370)
    (first, _), (second, _) = desk.wire.sent
    assert first == second
    assert len(desk.wire.requests) == 1
    assert len(desk.heard) == 1


async def test_a_copy_of_a_subscribe_from_another_address_gets_nothing(
    desk: Desk,
) -> None:
    """All in the network hear it, and its address was never asked for."""
    await desk.hears(SNOM_370)
    await desk.hears(SNOM_370, "203.0.113.7")
    await desk.hears(SNOM_370, HOST, SOURCE + 1)
    assert [flow for _, flow in desk.wire.sent] == [Flow("UDP", HOST, SOURCE)]
    assert len(desk.wire.requests) == 1


async def test_after_a_cool_down_a_phone_is_answered_again(desk: Desk) -> None:
    await desk.hears(SNOM_370)
    desk.now += COOL_DOWN - 1
    await desk.hears(again(SNOM_370))
    assert len(desk.wire.requests) == 1
    assert len(desk.heard) == 2
    desk.now += 1
    await desk.hears(again(again(SNOM_370)))
    assert len(desk.wire.requests) == 2


async def test_a_phone_that_nobody_wants_is_heard_and_gets_nothing() -> None:
    desk = Desk(lambda _: None)
    await desk.hears(SNOM_370)
    assert [it.model for it in desk.heard] == ["370"]
    assert desk.wire.sent == desk.wire.requests == []


async def test_a_phone_of_another_maker_is_heard_and_gets_nothing(desk: Desk) -> None:
    await desk.hears(YEALINK)
    assert [it.vendor for it in desk.heard] == ["Yealink"]
    assert desk.wire.sent == desk.wire.requests == []


async def test_no_answer_to_a_notify_is_reported(desk: Desk) -> None:
    desk.wire.status = None
    await desk.hears(SNOM_370)
    assert [it.status for it in desk.settled] == [None]


async def test_a_flood_is_read_up_to_a_rate_and_remembered_up_to_a_bound(
    desk: Desk,
) -> None:
    for number in range(10_000):
        mac = f"000413{number:06X}".encode()
        datagram = SNOM_370.replace(b"000413AABBCC", mac)
        desk.plug_and_play.receive(datagram, HOST, SOURCE)
        desk.now += 5 / 10_000
    assert len(desk.heard) <= RATE.at_once + 5 * RATE.per_second
    assert desk.plug_and_play.dropped == 10_000 - len(desk.heard)
    for number in range(MAX_ANSWERED + 10):
        desk.now += 1
        mac = f"000414{number:06X}".encode()
        await desk.hears(SNOM_370.replace(b"000413AABBCC", mac))
    assert len(desk.plug_and_play._answered) == MAX_ANSWERED


def announce(datagram: bytes, to: int) -> tuple[str, int]:
    """Send a datagram to the group by the loopback interface; return its source."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.setsockopt(
            socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HOST)
        )
        phone.bind((HOST, 0))
        phone.sendto(datagram, (GROUP, to))
        host, port = phone.getsockname()
        return host, port


@pytest.fixture
def wildcard(port: int) -> Iterator[socket.socket]:
    """Yield our own socket on the port of announcements, on all addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.setblocking(False)
        bound.bind(("0.0.0.0", port))
        yield bound


async def test_announcements_arrive_by_multicast(desk: Desk, port: int) -> None:
    await desk.plug_and_play.open([HOST], port=port)
    arrived = asyncio.get_running_loop().create_future()
    desk.plug_and_play.heard.subscribe(arrived.set_result)
    source = announce(SNOM_370, port)
    said = await asyncio.wait_for(arrived, PATIENCE)
    assert said.mac == "000413AABBCC"
    assert (said.host, said.port) == source


async def test_beside_our_own_socket_on_all_addresses(
    desk: Desk, wildcard: socket.socket, port: int
) -> None:
    """It gets no copy, and no other program can take the port afterwards."""
    with pytest.raises(OSError, match="in use") as fault:
        await desk.plug_and_play.open([HOST], port=port)
    assert fault.value.errno == errno.EADDRINUSE
    await desk.plug_and_play.open([HOST], wildcard, port=port)
    arrived = asyncio.get_running_loop().create_future()
    desk.plug_and_play.heard.subscribe(arrived.set_result)
    announce(SNOM_370, port)
    await asyncio.wait_for(arrived, PATIENCE)
    with pytest.raises(BlockingIOError):
        wildcard.recv(2000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            thief.bind(("0.0.0.0", port))


@pytest.mark.usefixtures("socket_enabled")
def test_an_address_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(OSError, match="device"):
        group_socket("192.0.2.77")


class Phone(UdpPeer):
    """Answers nothing by itself."""

    def __init__(self) -> None:
        self.notified: asyncio.Future[bytes] = asyncio.Future()

    async def open(self, host: str) -> None:
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(host, 0)
        )

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.startswith(b"NOTIFY ") and not self.notified.done():
            self.notified.set_result(data)

    def answer(self, notify: bytes, status: str, server: tuple[str, int]) -> None:
        """Answer a request that this or another socket got."""
        echoed = [
            line
            for line in notify.decode().partition("\r\n\r\n")[0].split("\r\n")
            if line.startswith(("Via:", "From:", "To:", "Call-ID:", "CSeq:"))
        ]
        lines = (f"SIP/2.0 {status}", *echoed, "Content-Length: 0", "", "")
        self._transport.sendto("\r\n".join(lines).encode(), server)


@pytest.mark.usefixtures("socket_enabled")
async def test_an_answer_of_a_stranger_to_the_notify_is_none() -> None:
    """Though it has the branch, as if the NOTIFY had been overheard."""
    async with serving(settings=settings_for("udp")) as server:
        plug_and_play = PlugAndPlay(server, lambda _: URL, time.monotonic)
        settled: asyncio.Future[Outcome] = asyncio.Future()
        plug_and_play.settled.subscribe(settled.set_result)
        phone, stranger = Phone(), Phone()
        await phone.open("127.0.0.1")
        await stranger.open("127.0.0.2")
        host, port = phone._transport.get_extra_info("sockname")
        plug_and_play.receive(SNOM_370, host, port)
        notify = await asyncio.wait_for(phone.notified, PATIENCE)
        stranger.answer(notify, "200 OK", server.address)
        # The server reads datagrams in the order in which they were sent.
        phone.answer(notify, "603 Decline", server.address)
        outcome = await asyncio.wait_for(settled, PATIENCE)
        assert outcome.status == 603
        for each in (phone, stranger):
            each._transport.close()
        await plug_and_play.close()


async def test_another_subscribe_of_the_same_call_is_answered_for_itself(
    desk: Desk,
) -> None:
    """Not by a response with the CSeq of the one before (RFC 3261 8.1.3.3, 17.1.3)."""
    await desk.hears(SNOM_370)
    desk.now += COOL_DOWN
    await desk.hears(SNOM_370.replace(b"CSeq: 1 ", b"CSeq: 2 "))
    assert [b"CSeq: 2 SUBSCRIBE" in data for data, _ in desk.wire.sent] == [False, True]
    assert len(desk.wire.requests) == 2


async def test_a_phone_that_starts_again_with_the_same_bytes_gets_another_notify(
    desk: Desk,
) -> None:
    """Nothing is repeated after timer F, late datagrams included (RFC 3261 17.1.2.2)."""
    await desk.hears(SNOM_370)
    desk.now += TIMER_J - 1
    await desk.hears(SNOM_370)
    assert len(desk.wire.requests) == 1
    desk.now += 1
    await desk.hears(SNOM_370)
    assert len(desk.wire.requests) == 2
