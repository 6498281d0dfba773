"""Bridges that are a cluster, the edge in front of them, and a broker that can be cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
import socket
from typing import Any, Self

from bridge.claims import ranked

from .bridge import PASSWORD, BridgeProcess, bridge_settings, running_bridge
from .edge import EDGE, EdgePhone
from .patience import PATIENCE
from .ports import LOCALHOST
from .rawphone import RawPhone
from .udp import UdpPeer

BASE = "snom_buttons"


def member_settings(name: str, broker: int, **sections: Any) -> dict[str, Any]:
    """Return the settings of a member of a cluster."""
    settings = bridge_settings(broker, **sections)
    settings["server"]["edges"] = [EDGE]
    settings["cluster"] = {"name": name}
    settings["secret"] = "a secret of all bridges"
    return settings


@asynccontextmanager
async def running_member(
    folder: Path, name: str, broker: int, **sections: Any
) -> AsyncIterator[BridgeProcess]:
    """Run a member in a process."""
    own = folder / name
    own.mkdir(exist_ok=True)
    settings = member_settings(name, broker, **sections)
    async with running_bridge(own, settings) as bridge:
        yield bridge


class Desk(EdgePhone):
    """A phone whose edge sends its requests to one bridge, or to another."""

    def __init__(self, bridge: BridgeProcess, extension: str) -> None:
        super().__init__(bridge.address, extension, PASSWORD)
        self.supported = "buttons, path"
        self.asserts(extension)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        # An edge sends an answer to the bridge that its request came from.
        bridge, self.server = self.server, addr
        super().datagram_received(data, addr)
        self.server = bridge

    def moves_to(self, bridge: BridgeProcess) -> None:
        """Let the edge send all further requests to another bridge."""
        self.server = bridge.address

    async def probed(self, status: int) -> None:
        """Send OPTIONS of the edge itself until they are answered with a status."""
        self._text = RawPhone._text  # type: ignore[method-assign]
        uri = f"sip:{self.host}"
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = await self._exchange(
                    "OPTIONS", uri, to="x", call_id="probe", headers=[], body=""
                )
                if answer.status == status:
                    return
                await asyncio.sleep(0.1)

    async def register(self, expires: int = 3600) -> Any:
        self.more = [f"Path: <sip:{self.address};lr>"]
        return await super().register(expires)


def phones_of(name: str, names: list[str], extensions: list[str]) -> list[str]:
    """Return the extensions that fall to a member by the hash."""
    return [it for it in extensions if ranked(it, names)[0] == name]


class TcpRelay:
    """A connection to a broker that can stop. Use it as an asynchronous context manager."""

    def __init__(self, port: int) -> None:
        """Make a relay to a port of this machine."""
        self.delay = 0.0
        """Seconds for which what goes to the port is on its way."""
        self._target = port
        self._runs = asyncio.Event()
        self._runs.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Carry nothing, and close nothing, as a cable that is unplugged."""
        self._runs.clear()

    def heal(self) -> None:
        self._runs.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, LOCALHOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        await self._runs.wait()
        other_reader, other = await asyncio.open_connection(LOCALHOST, self._target)
        self._writers.add(other)
        delayed = asyncio.StreamReader()
        await asyncio.gather(
            self._delay(reader, delayed),
            self._carry(delayed, other),
            self._carry(other_reader, writer),
        )

    async def _delay(
        self, source: asyncio.StreamReader, delayed: asyncio.StreamReader
    ) -> None:
        """Pass on what comes from a source, each piece `delay` seconds later."""
        loop = asyncio.get_running_loop()
        at = 0.0
        with suppress(ConnectionError):
            while data := await source.read(65536):
                at = max(at, loop.time() + self.delay)  # in order
                loop.call_at(at, delayed.feed_data, data)
        loop.call_at(max(at, loop.time()), delayed.feed_eof)

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await self._runs.wait()
                sink.write(data)
                await sink.drain()
        await self._runs.wait()
        sink.close()


class EdgeRelay(UdpPeer):
    """All between an edge and one bridge. Use it as an asynchronous context manager.

    To the edge the bridge is at `port`. To the bridge the edge is where it is: the socket
    has the address of the edge, and as it is connected it gets what the bridge sends there.
    """

    def __init__(self, edge: tuple[str, int], bridge: int) -> None:
        self.up = True
        """Whether anything gets through."""
        self._edge = edge
        self._bridge = (LOCALHOST, bridge)
        self._outer: asyncio.DatagramTransport | None = None

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        outside.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        outside.setblocking(False)
        outside.bind(self._edge)
        outside.connect(self._bridge)
        loop = asyncio.get_running_loop()
        self._outer, _ = await loop.create_datagram_endpoint(
            lambda: _Outside(self.from_bridge), sock=outside
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._outer is not None
        self._outer.close()
        await super().__aexit__(*error)

    def datagram_received(self, data: bytes, _: object) -> None:
        if self.up and self._outer is not None:
            self._outer.sendto(data)

    def from_bridge(self, data: bytes) -> None:
        if self.up:
            self._transport.sendto(data, self._edge)


class _Outside(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, _: object) -> None:
        self._received(data)
