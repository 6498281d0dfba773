"""SIP transactions a second, in and out, between a server and a phone on one event loop."""

from __future__ import annotations

import asyncio
import socket
import statistics
from time import perf_counter
from typing import Any

from custom_components.snom_buttons.engine.phones import (
    KeySetup,
    PhoneServer,
    PhoneSetup,
    ServerSettings,
)
from custom_components.snom_buttons.engine.phones.buttons import Buttons
from custom_components.snom_buttons.engine.xbuttons import format_document
from script.benchmark.phone import (
    KEYS,
    LOCALHOST,
    PASSWORD,
    BarePhone,
    acknowledge,
    press,
    registered,
)
from script.benchmark.table import show

WINDOW = 16
"""Transactions that are under way at once."""


class Echo(asyncio.DatagramProtocol):
    """A bare asyncio UDP echo."""

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Send the datagram back."""
        self.transport.sendto(data, addr)


class Asker(asyncio.DatagramProtocol):
    """Sends datagrams, with up to `WINDOW` of them waiting for an answer."""

    def __init__(self, port: int, datagrams: list[bytes]) -> None:
        """Send datagrams to a port of this machine."""
        self.done = asyncio.get_running_loop().create_future()
        self._left = iter(datagrams)
        self._missing = len(datagrams)
        self._port = port

    def connection_made(self, transport: Any) -> None:
        """Send the first few."""
        self._transport = transport
        for _ in range(WINDOW):
            self._send()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Send the next."""
        if b"Subject: buttons" in data:  # the whole picture after the registration
            self._transport.sendto(acknowledge(data), addr)
            return
        self._missing -= 1
        if not self._missing:
            self.done.set_result(None)
        self._send()

    def _send(self) -> None:
        if (data := next(self._left, None)) is not None:
            self._transport.sendto(data, (LOCALHOST, self._port))


async def serving() -> PhoneServer:
    """Return a started server with phone 44."""
    server = PhoneServer(
        ServerSettings(host=LOCALHOST, port=0, realm="ha", advertised_host=LOCALHOST)
    )
    keys = tuple(KeySetup(off=key) for key in KEYS)
    server.add_phone(PhoneSetup(extension="44", password=PASSWORD, keys=keys))
    await server.start()
    return server


async def rate_of_asking(
    port: int, count: int, peer: socket.socket | None = None
) -> float:
    """Return how many presses a second are answered at a port of this machine."""
    loop = asyncio.get_running_loop()
    where = {"sock": peer} if peer else {"local_addr": (LOCALHOST, 0)}
    datagrams = [press(number) for number in range(count)]
    begun = perf_counter()
    transport, asker = await loop.create_datagram_endpoint(
        lambda: Asker(port, datagrams), **where
    )
    await asker.done
    transport.close()
    return count / (perf_counter() - begun)


async def floor_rate(peer: type[Echo | BarePhone], count: int) -> float:
    """Return how many datagrams a second a bare peer gives back or acknowledges."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        peer, local_addr=(LOCALHOST, 0)
    )
    rate = await rate_of_asking(transport.get_extra_info("sockname")[1], count)
    transport.close()
    return rate


async def press_rate(count: int) -> float:
    """Return how many presses a second are answered and reported.

    Asker and server share one event loop, as asker and echo do.
    """
    server = await serving()
    pressed = 0

    def note(_: object) -> None:
        nonlocal pressed
        pressed += 1

    server.pressed.subscribe(note)
    peer = await registered(server)
    rate = await rate_of_asking(server.address[1], count, peer)
    assert pressed == count, f"{pressed} of {count} presses arrived"
    await server.stop()
    return rate


async def document_rate(count: int) -> float:
    """Return how many documents a second are sent to and acknowledged by a bare phone."""
    server = await serving()
    peer = await registered(server)
    phone, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        BarePhone, sock=peer
    )
    (binding,) = server._location.bindings("44")  # noqa: SLF001
    courier = server._courier  # noqa: SLF001
    document = format_document(KEYS[:1])
    buttons = Buttons(
        binding,
        courier,
        document_of=lambda _: document,
        send=lambda request: courier.deliver(request, binding, PASSWORD),
    )
    waiting = iter([[KEYS[0].name]] * count)

    async def deliver() -> None:
        for keys in waiting:
            await buttons.deliver(keys)

    begun = perf_counter()
    await asyncio.gather(*(deliver() for _ in range(WINDOW)))
    rate = count / (perf_counter() - begun)
    phone.close()
    await server.stop()
    return rate


async def bench_transactions(count: int, rounds: int) -> None:
    """Transactions in and out: the median of rounds, each beside its floor.

    The floor of presses is an echo. The floor of documents is the same bare phone,
    because what its acknowledgements cost is not the server's.
    """
    for what, ours, peer in (
        ("presses answered and emitted", press_rate, Echo),
        ("documents sent and acknowledged", document_rate, BarePhone),
    ):
        rates = [
            (await ours(count), await floor_rate(peer, count)) for _ in range(rounds)
        ]
        rate, floor = (statistics.median(column) for column in zip(*rates, strict=True))
        ratio = statistics.median(own / echo for own, echo in rates)
        show(what, f"{rate:,.0f} /s", f"{floor:,.0f} /s", f"{ratio:.2f} of it")
