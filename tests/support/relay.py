"""A bad network between one phone and the server: it loses, doubles, delays, reorders.

Like a router with address translation, the server sees one port for the phone, not the
phone's own. All chances come from one seed, so a run can be repeated. Both sides are
real sockets; datagrams are delayed in the event loop's time, so that an hour takes a
moment in a loop whose clock jumps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Self

from .udp import UdpPeer

type Source = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad the network is: chances from 0 to 1, times in seconds."""

    lost: float = 0.3
    doubled: float = 0.1
    late: float = 0.15
    latency: float = 0.05
    """The longest usual delay, so that datagrams close together overtake each other."""
    lateness: float = 4.9
    """The longest delay of a late one: below T4, 5 s (RFC 3261 17.1.2.2)."""


BAD = Weather()
GOOD = Weather(lost=0, doubled=0, late=0, latency=0)


class Relay:
    """The network of one phone. Use it as an asynchronous context manager.

    To the phone the server is at `address`; to the server the phone is at `outside`.
    """

    def __init__(self, server: Source, seed: object, weather: Weather = BAD) -> None:
        self.weather = weather
        self.up = True
        """Whether any datagram gets through."""
        self.carried = self.lost = self.doubled = self.late = 0
        self._random = Random(f"{seed}")
        self._server = server
        self._phone: Source | None = None
        self._inner = _Side(self._from_phone)
        self._outer = _Side(self._from_server)

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        await self._outer.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._inner.__aexit__()
        await self._outer.__aexit__()

    @property
    def address(self) -> Source:
        return self._inner.bound

    @property
    def outside(self) -> str:
        return self._outer.address

    def _from_phone(self, data: bytes, source: Source) -> None:
        self._phone = source
        self._carry(data, self._outer, self._server)

    def _from_server(self, data: bytes, source: Source) -> None:
        if source == self._server and self._phone is not None:
            self._carry(data, self._inner, self._phone)

    def _carry(self, data: bytes, side: _Side, target: Source) -> None:
        """Send a datagram on, or not, or twice, now or later."""
        chance, weather = self._random, self.weather
        self.carried += 1
        if not self.up or chance.random() < weather.lost:
            self.lost += 1
            return
        copies = 1
        if chance.random() < weather.doubled:
            self.doubled += 1
            copies = 2
        for _ in range(copies):
            delay = chance.uniform(0, weather.latency)
            if chance.random() < weather.late:
                self.late += 1
                delay = chance.uniform(weather.latency, weather.lateness)
            asyncio.get_running_loop().call_later(delay, side.send, data, target)


class _Side(UdpPeer):
    """One of the two sockets."""

    def __init__(self, received: Callable[[bytes, Source], None]) -> None:
        self._received = received

    @property
    def bound(self) -> Source:
        host, port = self._transport.get_extra_info("sockname")
        return host, port

    def send(self, data: bytes, target: Source) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, target)

    def datagram_received(self, data: bytes, addr: Source) -> None:
        self._received(data, addr)
