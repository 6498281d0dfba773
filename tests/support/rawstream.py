"""The phone of the tests by TCP or TLS: one connection for everything."""

import asyncio
from contextlib import suppress
import re
import ssl
from typing import Any, Self

from .rawphone import RawPhone


class _Connection:
    """A connection with the interface of a datagram socket."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def sendto(self, data: bytes, _: object) -> None:
        self._writer.write(data)

    def get_extra_info(self, name: str) -> Any:
        return self._writer.get_extra_info(name)

    def close(self) -> None:
        self._writer.close()


class StreamPhone(RawPhone):
    """A phone that connects when it is used as an asynchronous context manager."""

    def __init__(
        self, *arguments: Any, context: ssl.SSLContext | None = None, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.transport = "TLS" if context else "TCP"
        self.is_connected = False
        self._context = context

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()

    async def connect(self) -> None:
        reader, writer = await asyncio.open_connection(
            *self.next_hop, ssl=self._context
        )
        self._transport = _Connection(writer)  # type: ignore[assignment]
        self._writer = writer
        self.is_connected = True
        self._reading = asyncio.create_task(self._read(reader))

    async def disconnect(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        await self._reading

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"Content-Length: *(\d+)", head)
                assert length is not None, head
                body = await reader.readexactly(int(length[1]))
                self.datagram_received(head + body, self.next_hop)
        self.is_connected = False
        self._news.set()
