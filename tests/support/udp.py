"""A UDP socket on this machine, for peers that share no code with the product."""

import asyncio
from typing import Self

LOCALHOST = "127.0.0.1"


class UdpPeer(asyncio.DatagramProtocol):
    """Open as long as it is used as an asynchronous context manager."""

    _host = LOCALHOST

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self._host, 0)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    @property
    def address(self) -> str:
        host, port = self._transport.get_extra_info("sockname")
        return f"{host}:{port}"


class Ear(UdpPeer):
    """An address that someone names, and to which nothing must be sent."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def say(self, data: bytes, target: tuple[str, int]) -> None:
        """Send from this address, as who forges it does."""
        self._transport.sendto(data, target)

    def datagram_received(self, data: bytes, _: object) -> None:
        self.heard.append(data)
