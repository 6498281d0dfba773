"""The ports of a server: checked before set-up, opened last, closed first."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from ..engine.phones import CannotListen, PhoneServer, check_bind


class Beside(Protocol):
    """What is open only while the ports of the server are."""

    async def open(self) -> None:
        """Open it, after the ports. Must not raise."""

    async def close(self) -> None:
        """Close it, before the ports. A second call does nothing."""


class ServerPorts:
    """The ports of one server; they are opened or closed by one caller at a time."""

    def __init__(
        self,
        server: PhoneServer,
        beside: Sequence[Beside],
        lost: Callable[[], None],
    ) -> None:
        """Open nothing. `lost` is called if the ports cannot be opened again."""
        self._server = server
        self._beside = beside
        self._lost = lost
        self._lock = asyncio.Lock()
        self._is_closed = False

    def check(self) -> None:
        """Bind each port for a moment. Raises CannotListen for the first that fails."""
        settings = self._server.settings
        for transport, port in settings.ports.items():
            if transport == "TLS" and self._server.context is None:
                continue
            try:
                check_bind(settings.host, port, transport)
            except OSError as err:
                raise CannotListen(err, transport, port) from err

    async def open(self) -> None:
        """Open the ports, after entities and followers are set up. Raises CannotListen."""
        async with self._lock:
            if not self._is_closed:  # because Home Assistant stops
                await self._server.start()
                await self._open_beside()

    async def close(self) -> None:
        """Close the ports. Presses answered before have been delivered when it returns."""
        async with self._lock:
            self._is_closed = True
            await self._close()

    async def check_bind(self, host: str, port: int, transport: str) -> None:
        """Bind a port, with the server's own closed meanwhile. Raises as `check_bind`."""
        async with self._lock:
            if self._is_closed:  # by a reload meanwhile: there is nothing to open again
                check_bind(host, port, transport)
                return
            try:
                await self._close()
                check_bind(host, port, transport)
            finally:
                try:
                    await self._server.start()
                except OSError:
                    self._lost()
                else:
                    await self._open_beside()

    async def _open_beside(self) -> None:
        for it in self._beside:
            await it.open()

    async def _close(self) -> None:
        for it in self._beside:
            await it.close()
        await self._server.stop()
