"""A port for settings files alone, by plain HTTP: for a Home Assistant that has HTTPS only."""

import asyncio
from datetime import datetime
import logging
import re
from typing import Final, Protocol, override

from aiohttp import web

from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers.event import async_call_later

from ...engine.phones import tcp_listener
from ...engine.provisioning import CONTENT_TYPE
from ..settings import EntrySettings
from .profiles import SETTINGS_PATH
from .view import async_settings_file

_LOGGER = logging.getLogger(__name__)

RETRY: Final = 60.0
"""Seconds after which a port that could not be opened is tried again."""
DEADLINE: Final = 10.0
"""Seconds after which a connection is cut, whatever was sent or read by then."""
MAX_CONNECTIONS: Final = 128
"""Connections at once. One more ends the oldest: that of a phone takes milliseconds."""
MAX_LINE: Final = 2048
"""Bytes of the request line, and of each header."""
MAX_HEADERS: Final = 32

_PATH: Final = re.compile(
    rf"{SETTINGS_PATH}/(?P<token>[\w-]+)(?:/(?P<name>[^/]*))?", re.ASCII
)


class Report(Protocol):
    """Reports why a port is not open; None if it is."""

    def __call__(self, port: int, error: str | None = None) -> None:
        """Report one reason, in place of the one before."""


class Listener:
    """Opens and closes the port for settings files with the ports of a server."""

    def __init__(
        self, hass: HomeAssistant, settings: EntrySettings, report: Report
    ) -> None:
        """Open nothing."""
        self._hass = hass
        self._host = settings.server.host
        self._port = settings.settings_port
        self._report = report
        self._retry: CALLBACK_TYPE | None = None
        self._is_wanted = False
        self._server: asyncio.Server | None = None
        self._lock = asyncio.Lock()
        self._manager = web.Server(self._answer)
        self._connections: dict[asyncio.Transport, None] = {}
        """Those that are open, the oldest first."""

    @property
    def listening(self) -> int | None:
        """The port while it is open."""
        return self._port if self._server is not None else None

    async def open(self) -> None:
        """Open the port, if there is one. A failure is reported, and tried again."""
        self._is_wanted = self._port is not None
        await self._open()

    async def close(self) -> None:
        """Close the port and its connections. A second call does nothing."""
        self._is_wanted = False
        async with self._lock:
            if self._retry is not None:
                self._retry()
                self._retry = None
            server, self._server = self._server, None
            if server is not None:
                server.close()
                server.abort_clients()
                await server.wait_closed()

    async def _open(self, _: datetime | None = None) -> None:
        self._retry = None
        async with self._lock:
            if self._port is None or not self._is_wanted:
                return
            try:
                self._server = await asyncio.get_running_loop().create_server(
                    lambda: _Connection(self._manager, self._connections),
                    sock=tcp_listener(self._host, self._port),
                )
            except OSError as error:
                self._report(self._port, error.strerror or str(error))
                self._retry = async_call_later(self._hass, RETRY, self._open)
            else:
                self._report(self._port)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        """Return the settings file that a request asks for, and 404 for all else."""
        path = _PATH.fullmatch(request.rel_url.raw_path)
        if path is None or request.method != "GET":
            return _not_found()
        file = async_settings_file(
            self._hass,
            path["token"],
            path["name"] or "",
            request.headers.get("User-Agent", ""),
            request.remote or "",
        )
        if file is None:
            return _not_found()
        return _last(web.Response(body=file, content_type=CONTENT_TYPE))


class _Connection(web.RequestHandler):
    """A connection for one request. It ends after a time, in any case."""

    __slots__ = ("_connections", "_deadline", "_open")

    def __init__(
        self, manager: web.Server, connections: dict[asyncio.Transport, None]
    ) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # it would have the secret
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            max_headers=MAX_HEADERS,
            lingering_time=0,
        )
        self._connections = connections

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._open = transport
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(DEADLINE, transport.abort)
        if len(self._connections) >= MAX_CONNECTIONS:
            oldest = next(iter(self._connections))
            del self._connections[oldest]
            oldest.abort()
        self._connections[transport] = None
        super().connection_made(transport)

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self._deadline.cancel()
        self._connections.pop(self._open, None)
        super().connection_lost(exc)

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.Response:
        """Return 404, also for what is not HTTP."""
        if status >= 500:
            _LOGGER.error("A settings file could not be served", exc_info=exc)
        return _not_found()


def _not_found() -> web.Response:
    return _last(web.Response(status=404, text="404: Not Found"))


def _last(response: web.Response) -> web.Response:
    """Return a response that ends its connection, and does not name our libraries."""
    response.headers["Server"] = ""
    response.force_close()
    return response
