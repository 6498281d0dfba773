"""Connections on real sockets of 127.0.0.1, with a clock that jumps (`tests.support.clock`)."""

from __future__ import annotations

import asyncio
from asyncio.sslproto import SSLProtocol
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
import gc
from ipaddress import ip_network
from pathlib import Path
import socket
import ssl
import struct
from unittest.mock import patch

import pytest

from custom_components.snom_buttons.engine.sip import Flow, Guard, LocationService
from custom_components.snom_buttons.engine.sip.net import (
    TransportError,
    stream as tcp_module,
)
from custom_components.snom_buttons.engine.sip.net.stream import (
    HANDSHAKE_DEADLINE,
    IDLE,
    KEEPALIVE_BURST,
    MAX_STRANGERS,
    MAX_TLS_STRANGERS,
    MAX_UNSENT,
    MESSAGE_DEADLINE,
    STRANGER_IDLE,
    StreamTransport,
)
from custom_components.snom_buttons.engine.sip.parser import MAX_MESSAGE
from tests.support.bindings import bind
from tests.support.clock import timers_left
from tests.support.messages import request_bytes
from tests.support.patience import PATIENCE
from tests.support.stranger import connect
from tests.support.streams import Contexts, jumping, tls_contexts, until_closed
from tests.support.udp import LOCALHOST

pytestmark = pytest.mark.usefixtures("socket_enabled")

MESSAGE = request_bytes("OPTIONS", "Content-Length: 0")
ANY_PORT = (LOCALHOST, 0)


class Listener(StreamTransport):
    """A listener that stores messages and lost flows."""

    def __init__(self, context: ssl.SSLContext | None, network: str) -> None:
        self.got: list[tuple[bytes, Flow]] = []
        self.lost: list[Flow] = []
        self.location = LocationService(lambda: 0.0)
        self.answer: Callable[[Flow], bytes] | None = None
        super().__init__(
            self._take,
            context=context,
            guard=Guard(
                clock=lambda: 0.0,
                location=self.location,
                networks=[ip_network(network)],
            ),
            lost=self.lost.append,
        )

    def _take(self, data: bytes, flow: Flow) -> None:
        self.got.append((data, flow))
        if self.answer is not None:
            self.send(self.answer(flow), flow)


@asynccontextmanager
async def listening(
    context: ssl.SSLContext | None = None, network: str = "127.0.0.0/8"
) -> AsyncIterator[Listener]:
    listener = Listener(context, network)
    await listener.open(*ANY_PORT)
    try:
        yield listener
    finally:
        await listener.close()
        assert not timers_left()


type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(listener: Listener, context: ssl.SSLContext | None) -> Streams:
    return await asyncio.open_connection(*listener.address, ssl=context)


async def registered(listener: Listener, streams: Streams) -> None:
    """Send a message, as which a REGISTER is accepted; the listener answers `here`."""
    take = listener.receive

    def register(data: bytes, flow: Flow) -> None:
        bind(listener.location, flow, user=f"{flow.port}")
        take(data, flow)

    listener.receive = register
    streams[1].write(MESSAGE)
    assert await streams[0].readexactly(4) == b"here"
    listener.receive = take


@jumping
async def test_messages_go_both_ways(contexts: Contexts) -> None:
    async with listening(contexts.server) as listener:
        listener.answer = lambda flow: f"to {flow.port}".encode()
        reader, writer = await connected(listener, contexts.client)
        writer.write(MESSAGE + MESSAGE[:20])
        port = writer.get_extra_info("sockname")[1]
        assert await reader.readexactly(3 + len(f"{port}")) == b"to %d" % port
        writer.write(MESSAGE[20:])
        await reader.readexactly(3 + len(f"{port}"))
        ((first, flow), (second, again)) = listener.got
        assert first == second == MESSAGE
        assert flow == again
        assert flow[:3] == (listener.name, LOCALHOST, port)
        assert flow.is_reliable
        writer.close()
        await writer.wait_closed()


@jumping
async def test_a_ping_is_answered(contexts: Contexts) -> None:
    """RFC 5626 4.4.1."""
    async with listening(contexts.server) as listener:
        reader, writer = await connected(listener, contexts.client)
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        assert not listener.got
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("keepalive", [b"\n", b"\r\n", 4 * b"\0", b"\r\n\r\n"])
@jumping
async def test_keep_alives_for_as_long_as_a_phone_is_registered(
    contexts: Contexts, keepalive: bytes
) -> None:
    """None begins a message, and no number of them ends the connection."""
    async with listening(contexts.server) as listener:
        reader, writer = await connected(listener, contexts.client)
        listener.answer = lambda _: b"here"
        writer.write(MESSAGE)
        assert await reader.readexactly(4) == b"here"
        bind(listener.location, listener.got[0][1])
        for _ in range(40):
            writer.write(keepalive)
            await asyncio.sleep(80)
        writer.write(MESSAGE)
        assert (await reader.readuntil(b"here")).strip() == b"here"
        writer.close()


@jumping
async def test_keep_alives_do_not_extend_a_strangers_time(contexts: Contexts) -> None:
    async with listening(contexts.server) as listener:
        reader, writer = await connected(listener, contexts.client)

        async def keep_alive() -> None:
            while True:
                writer.write(b"\0\n")
                await asyncio.sleep(1)

        sending = asyncio.create_task(keep_alive())
        assert await until_closed(reader) == pytest.approx(STRANGER_IDLE, abs=1)
        sending.cancel()
        await asyncio.wait([sending])
        writer.close()


@pytest.mark.parametrize("end", [b"\n", b"\0", b"\r\n\r\n"])
@jumping
async def test_a_flood_of_keep_alives_ends_the_connection(end: bytes) -> None:
    """Also that of a phone, since each read costs the loop time."""
    async with listening() as listener:
        reader, writer = await connected(listener, None)
        listener.answer = lambda _: b"here"
        writer.write(MESSAGE)
        assert await reader.readexactly(4) == b"here"
        bind(listener.location, listener.got[0][1])
        writer.write(end * (2 * KEEPALIVE_BURST))
        assert await until_closed(reader) == 0
        writer.close()


@jumping
async def test_a_connection_that_is_gone(contexts: Contexts) -> None:
    async with listening(contexts.server) as listener:
        listener.answer = lambda _: b"here"
        reader, writer = await connected(listener, contexts.client)
        writer.write(MESSAGE)
        await reader.readexactly(4)
        ((_, flow),) = listener.got
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)
        assert listener.lost == [flow]
        with pytest.raises(TransportError, match="is closed"):
            listener.send(b"late", flow)


@jumping
async def test_the_same_port_is_another_flow() -> None:
    async with listening() as listener:
        for _ in range(2):
            # From one port, as an attacker that imitates another connection.
            local = (listener.got and (LOCALHOST, listener.got[0][1].port)) or None
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Closed at once, so that the port can be used again.
            client.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            client.bind(local or ANY_PORT)
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, listener.address)
            reader, writer = await asyncio.open_connection(sock=client)
            listener.answer = lambda _: b"here"
            writer.write(MESSAGE)
            await reader.readexactly(4)
            writer.transport.abort()
            await asyncio.sleep(0.1)
        first, second = (flow for _, flow in listener.got)
        assert first[:3] == second[:3]
        assert first != second


@pytest.mark.parametrize(
    "stream",
    [
        b"x" * 20_000,
        request_bytes("OPTIONS"),
        request_bytes("OPTIONS", f"Content-Length: {MAX_MESSAGE}"),
    ],
)
@jumping
async def test_a_broken_stream_ends_the_connection(stream: bytes) -> None:
    async with listening() as listener:
        reader, writer = await connected(listener, None)
        writer.write(stream)
        assert await until_closed(reader) == 0
        assert not listener.got
        writer.close()


@jumping
async def test_a_message_that_does_not_end(contexts: Contexts) -> None:
    """Slow-loris: single bytes do not extend the deadline."""
    async with listening(contexts.server) as listener:
        reader, writer = await connected(listener, contexts.client)

        async def drip() -> None:
            for position in range(len(MESSAGE) - 1):
                writer.write(MESSAGE[position : position + 1])
                await asyncio.sleep(1)

        dripping = asyncio.create_task(drip())
        assert await until_closed(reader) == pytest.approx(MESSAGE_DEADLINE, abs=1)
        dripping.cancel()
        await asyncio.wait([dripping])
        assert not listener.got
        writer.close()


@jumping
async def test_a_connection_on_which_nothing_comes(contexts: Contexts) -> None:
    async with listening(contexts.server) as listener:
        listener.answer = lambda _: b"here"
        reader, writer = await connected(listener, contexts.client)
        silent, _ = await connected(listener, contexts.client)
        writer.write(MESSAGE)
        await reader.readexactly(4)
        bind(listener.location, listener.got[0][1])
        assert await until_closed(silent) == pytest.approx(STRANGER_IDLE, abs=1)
        # A registered phone may be silent for as long as a registration lasts.
        lasted = await until_closed(reader)
        assert lasted == pytest.approx(IDLE - STRANGER_IDLE, abs=STRANGER_IDLE)
        writer.close()


@jumping
async def test_too_many_strangers() -> None:
    async with listening() as listener:
        listener.answer = lambda _: b"here"
        held = [await connected(listener, None) for _ in range(MAX_STRANGERS)]
        reader, writer = await connected(listener, None)
        assert await until_closed(reader) == 0
        writer.close()
        # The limit is for each address.
        other, writer = await asyncio.open_connection(
            *listener.address, local_addr=("127.0.0.2", 0)
        )
        writer.write(MESSAGE)
        assert await other.readexactly(4) == b"here"
        writer.close()
        # A registered connection does not count.
        await registered(listener, held[0])
        reader, writer = await connected(listener, None)
        writer.write(MESSAGE)
        assert await reader.readexactly(4) == b"here"
        for _, writer_of_one in [*held, (reader, writer)]:
            writer_of_one.close()


@jumping
async def test_an_address_that_is_not_admitted() -> None:
    async with listening(network="192.0.2.0/24") as listener:
        reader, writer = await connected(listener, None)
        assert await until_closed(reader) == 0
        writer.close()


@jumping
async def test_a_peer_that_does_not_read() -> None:
    async with listening() as listener:
        listener.answer = lambda _: b"here"
        reader, writer = await connected(listener, None)
        writer.write(MESSAGE)
        await reader.readexactly(4)
        flow = listener.got[0][1]
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(1000):
            if listener.lost:
                break
            listener.send(bytes(MAX_UNSENT // 10), flow)
            await asyncio.sleep(0.01)
        assert listener.lost == [flow]
        writer.close()


@pytest.mark.parametrize("said", [b"", b"no TLS at all, sorry, only a line\r\n\r\n"])
@jumping
async def test_no_handshake(tmp_path: Path, said: bytes) -> None:
    async with listening(tls_contexts(tmp_path).server) as listener:
        reader, writer = await connected(listener, None)
        writer.write(said)
        lasted = await until_closed(reader)
        assert lasted == (0 if said else pytest.approx(HANDSHAKE_DEADLINE))
        assert not listener.got
        writer.close()


@jumping
async def test_handshakes_count_as_strangers(tmp_path: Path) -> None:
    contexts = tls_contexts(tmp_path)
    async with listening(contexts.server) as listener:
        held = [await connected(listener, None) for _ in range(MAX_STRANGERS)]
        reader, writer = await connected(listener, None)
        assert await until_closed(reader) == 0
        writer.close()
        for reader, writer in held:
            await until_closed(reader)
            writer.close()
        # Their deadline has passed, so there is room.
        _, writer = await connected(listener, contexts.client)
        writer.close()
        await writer.wait_closed()


@jumping
async def test_there_are_never_more_connections_than_the_system_can_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of phones and strangers together."""
    monkeypatch.setattr(tcp_module, "MAX_CONNECTIONS", 2)
    async with listening() as listener:
        listener.answer = lambda _: b"here"
        held = [await connected(listener, None) for _ in range(2)]
        for reader, writer in held:
            writer.write(MESSAGE)
            assert await reader.readexactly(4) == b"here"
            bind(listener.location, listener.got[-1][1])
        refused = await connected(listener, None)
        assert await until_closed(refused[0]) == 0
        for _, writer in (*held, refused):
            writer.close()


@pytest.fixture
def room_for_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit the connections of strangers to three."""
    monkeypatch.setattr(tcp_module, "MAX_TCP_STRANGERS", 3)
    monkeypatch.setattr(tcp_module, "MAX_TLS_STRANGERS", 3)


@jumping
async def test_a_new_connection_costs_no_look_at_all_phones() -> None:
    """With a thousand phones each took 4 ms, and strangers open a thousand a second."""
    async with listening() as listener:
        listener.answer = lambda _: b"here"
        phones = [await connected(listener, None) for _ in range(10)]
        for phone in phones:
            await registered(listener, phone)
        with patch.object(listener, "serves", wraps=listener.serves) as serves:
            stranger = await connected(listener, None)
            assert serves.call_count == 1
        for _, writer in (*phones, stranger):
            writer.close()


@jumping
async def test_a_connection_whose_registration_ended_is_a_strangers_again() -> None:
    async with listening() as listener:
        listener.answer = lambda _: b"here"
        phone = await connected(listener, None)
        await registered(listener, phone)
        await asyncio.sleep(1.5 * STRANGER_IDLE)
        phone[1].write(MESSAGE)
        await phone[0].readexactly(4)
        flow = listener.got[-1][1]
        listener.location.forget(f"{flow.port}")
        await asyncio.sleep(0.75 * STRANGER_IDLE)
        held = [await connected(listener, None) for _ in range(MAX_STRANGERS)]
        assert await until_closed(held[-1][0]) == 0
        for _, writer in (phone, *held):
            writer.close()


@pytest.mark.usefixtures("room_for_three")
@jumping
async def test_the_oldest_strangers_make_room_for_new_ones(tmp_path: Path) -> None:
    """Otherwise their buffers fill the memory."""
    contexts = tls_contexts(tmp_path)
    async with listening(contexts.server) as listener:
        listener.answer = lambda _: b"here"
        phone = await connected(listener, contexts.client)
        await registered(listener, phone)
        shaken = await connected(listener, contexts.client)
        handshakes = [await connected(listener, None) for _ in range(2)]
        newest = await connected(listener, contexts.client)
        assert await until_closed(shaken[0]) == 0
        others = await connected(listener, contexts.client)
        assert await until_closed(handshakes[0][0]) == 0
        for reader, writer in (phone, newest, others):
            writer.write(MESSAGE)
            assert await reader.readexactly(4) == b"here"
        for _, writer in (phone, shaken, *handshakes, newest, others):
            writer.close()


async def test_handshakes_that_fail_leave_nothing_to_collect(tmp_path: Path) -> None:
    """Each would keep 300 KiB until Python collects reference cycles, which is rare."""

    def protocols() -> list[SSLProtocol]:
        return [o for o in gc.get_objects() if isinstance(o, SSLProtocol)]

    contexts = tls_contexts(tmp_path)
    async with listening(contexts.server) as listener:
        gc.collect()
        gc.disable()
        try:
            for ended in ("a reset", "nonsense", "room for others"):
                reader, writer = await connected(listener, None)
                async with asyncio.timeout(PATIENCE):
                    while not protocols():  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                if ended == "a reset":
                    writer.write(b"\x16\x03\x01")
                    linger = struct.pack("ii", 1, 0)
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    writer.close()
                elif ended == "nonsense":
                    writer.write(b"nonsense")
                    await until_closed(reader)
                else:
                    (held,) = listener._all
                    held.make_room()
                    await until_closed(reader)
                writer.close()
                async with asyncio.timeout(PATIENCE):
                    while listener._all or protocols():  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                assert protocols() == []
        finally:
            gc.enable()


@pytest.mark.usefixtures("room_for_three")
@jumping
async def test_an_address_with_many_connections_loses_its_own(
    contexts: Contexts,
) -> None:
    """Otherwise a few addresses could keep all phones from registering."""
    async with listening(contexts.server) as listener:
        listener.answer = lambda _: b"here"
        phone = await connect(listener.address, "127.0.0.9", contexts.client)
        crowd = [await connect(listener.address, "127.0.0.8") for _ in range(10)]
        for reader, _ in crowd[:-2]:
            assert await until_closed(reader) == 0
        phone[1].write(MESSAGE)
        assert await phone[0].readexactly(4) == b"here"
        for _, writer in (phone, *crowd):
            writer.close()


@pytest.mark.usefixtures("room_for_three")
@jumping
async def test_a_network_of_ipv6_with_many_connections_loses_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sender has all its addresses, of which these stand for some."""

    def ipv6(peer: tuple[str, int]) -> str:
        number = peer[0].rpartition(".")[2]
        return "fd00:0:0:1::9" if number == "9" else f"fd00::{number}"

    monkeypatch.setattr(tcp_module, "plain_host", ipv6)
    async with listening(network="fd00::/16") as listener:
        listener.answer = lambda _: b"here"
        phone = await connect(listener.address, "127.0.0.9")
        crowd = [await connect(listener.address, f"127.0.0.{n}") for n in range(10, 20)]
        for reader, _ in crowd[:-2]:
            assert await until_closed(reader) == 0
        phone[1].write(MESSAGE)
        assert await phone[0].readexactly(4) == b"here"
        for _, writer in (phone, *crowd):
            writer.close()


@pytest.mark.usefixtures("room_for_three")
@jumping
async def test_phones_behind_one_router_displace_connections_that_only_wait(
    contexts: Contexts,
) -> None:
    """Although the router's address has the most: idle connections elsewhere go first."""
    async with listening(contexts.server) as listener:
        listener.answer = lambda _: b"here"
        waiting = [
            await connect(listener.address, f"127.0.0.{n}", contexts.client)
            for n in range(10, 13)
        ]
        await asyncio.sleep(HANDSHAKE_DEADLINE + 0.1)
        site = [
            await connect(listener.address, "127.0.0.9", contexts.client)
            for _ in range(3)
        ]
        for reader, writer in site:
            writer.write(MESSAGE)
            assert await reader.readexactly(4) == b"here"
        for reader, _ in waiting:
            assert await until_closed(reader) == 0
        for _, writer in (*waiting, *site):
            writer.close()


async def test_room_is_made_of_handshakes_that_have_not_begun(tmp_path: Path) -> None:
    """They connect in one iteration of the loop, and none of their sockets is left."""
    contexts = tls_contexts(tmp_path)
    async with listening(contexts.server) as listener:
        others: list[socket.socket] = []
        loop = asyncio.get_running_loop()
        address = listener.address
        for host in range(2, 2 + 2 * MAX_TLS_STRANGERS // MAX_STRANGERS):
            for _ in range(MAX_STRANGERS):
                # The system has accepted them before the listener sees them.
                other = socket.create_connection(
                    address, source_address=(f"127.0.0.{host}", 0)
                )
                other.setblocking(False)
                others.append(other)
        waiting = {asyncio.ensure_future(loop.sock_recv(other, 1)) for other in others}
        async with asyncio.timeout(HANDSHAKE_DEADLINE - 1):
            while len(waiting) > MAX_TLS_STRANGERS:
                done, waiting = await asyncio.wait(
                    waiting, return_when=asyncio.FIRST_COMPLETED
                )
                for ended in done:
                    with suppress(ConnectionResetError):
                        assert ended.result() == b""
        assert len(waiting) == MAX_TLS_STRANGERS
        for left in waiting:
            left.cancel()
        await asyncio.wait(waiting)
        for other in others:
            other.close()


@jumping
async def test_data_right_behind_the_handshake(tmp_path: Path) -> None:
    contexts = tls_contexts(tmp_path)
    async with listening(contexts.server) as listener:
        listener.answer = lambda _: b"here"
        assert contexts.client is not None
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = contexts.client.wrap_bio(incoming, outgoing, server_hostname="localhost")
        reader, writer = await connected(listener, None)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        writer.write(outgoing.read())
        incoming.write(await reader.read(65536))
        tls.do_handshake()
        tls.write(MESSAGE)
        # One segment has the end of the handshake and a message.
        writer.write(outgoing.read())
        while True:
            incoming.write(await reader.read(65536))
            try:
                assert tls.read() == b"here"
                break
            except ssl.SSLWantReadError:
                continue
        assert [data for data, _ in listener.got] == [MESSAGE]
        writer.close()


@jumping
async def test_closing_with_connections_of_all_kinds(tmp_path: Path) -> None:
    contexts = tls_contexts(tmp_path)
    async with listening(contexts.server) as listener:
        listener.answer = lambda _: b"here"
        in_use = await connected(listener, contexts.client)
        in_use[1].write(MESSAGE)
        await in_use[0].readexactly(4)
        in_handshake = await connected(listener, None)
        await asyncio.sleep(0.1)
        await listener.close()
        await listener.close()
        with pytest.raises(TransportError):
            _ = listener.address
        for reader, writer in (in_use, in_handshake):
            await until_closed(reader)
            writer.close()
