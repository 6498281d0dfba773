"""Socket addresses and plain hosts."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from custom_components.snom_buttons.engine.sip.flow import Flow
from custom_components.snom_buttons.engine.sip.net.sockets import (
    plain_host,
    socket_address,
)
from custom_components.snom_buttons.engine.sip.net.udp import (
    TransportError,
    UdpTransport,
)
from tests.support.patience import PATIENCE
from tests.support.udp import UdpPeer

pytestmark = pytest.mark.usefixtures("socket_enabled")

_, LOOPBACK = socket.if_nameindex()[0]
NUMBER = socket.if_nametoindex(LOOPBACK)


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("192.0.2.4", socket.AF_INET, ("192.0.2.4", 5060)),
        ("192.0.2.4", socket.AF_INET6, ("::ffff:192.0.2.4", 5060)),
        ("2001:db8::1", socket.AF_INET6, ("2001:db8::1", 5060)),
        (f"fe80::1%{LOOPBACK}", socket.AF_INET6, ("fe80::1", 5060, 0, NUMBER)),
        ("fe80::1%9999", socket.AF_INET6, ("fe80::1", 5060, 0, 9999)),
    ],
)
def test_there_and_back(host: str, family: int, address: tuple[Any, ...]) -> None:
    assert socket_address(host, 5060, family) == address
    assert plain_host(address) == host


def test_an_address_that_a_socket_gives_in_full() -> None:
    assert plain_host(("2001:db8::1", 5060, 0, 0)) == "2001:db8::1"
    assert plain_host(("::ffff:192.0.2.4", 5060, 0, 0)) == "192.0.2.4"


async def test_an_interface_that_is_not_there() -> None:
    transport = UdpTransport(lambda data, flow: None, lambda: None)
    await transport.open("::1", 0)
    with pytest.raises(TransportError, match="No such device"):
        transport.send(b"x", Flow("UDP", "fe80::1%gone", 5060))
    await transport.close()


async def test_what_the_system_has_no_room_for_waits() -> None:
    class Full:
        def sendto(self, data: bytes, address: object) -> None:
            raise BlockingIOError

    transport = UdpTransport(lambda data, flow: None, lambda: None)
    await transport.open("127.0.0.1", 0)
    transport._socket = Full()  # type: ignore[assignment]
    got: list[bytes] = []

    class Peer(UdpPeer):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            got.append(data)
            came.set()

    came = asyncio.Event()
    async with Peer() as peer:
        host, port = peer._transport.get_extra_info("sockname")
        transport.send(b"k=1", Flow("UDP", host, port))
        async with asyncio.timeout(PATIENCE):
            await came.wait()
    assert got == [b"k=1"]
    await transport.close()
