"""The endpoint over connections: requests use them, and end with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import re

import pytest

from custom_components.snom_buttons.engine.sip import Flow
from custom_components.snom_buttons.engine.sip.net import (
    Endpoint,
    IncomingRequest,
    NoAnswer,
    TransportError,
)
from tests.support.messages import (
    MESSAGE,
    answer_to,
    lines_of,
    request_bytes,
    status_of,
    values_of,
)
from tests.support.streams import Contexts, jumping, tls_contexts, until_closed
from tests.support.udp import LOCALHOST

pytestmark = pytest.mark.usefixtures("socket_enabled")

OPTIONS = request_bytes("OPTIONS", "Content-Length: 0")


def framed(request: bytes) -> bytes:
    """Return the response to a request, with the length that a stream needs."""
    head, blank, _ = answer_to(request).partition(b"\r\n\r\n")
    return head + b"\r\nContent-Length: 0" + blank


class Client:
    """A connection to the endpoint that shares no code with it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def next(self) -> bytes:
        """Return the next message."""
        async with asyncio.timeout(1000):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"Content-Length: (\d+)", head)
            assert length is not None
            return head + await self.reader.readexactly(int(length[1]))

    async def ask(self, data: bytes) -> bytes:
        self.writer.write(data)
        return await self.next()


class Serving:
    """An endpoint with its clients, and what it received."""

    def __init__(self, contexts: Contexts) -> None:
        self.transport = "TLS" if contexts.server else "TCP"
        self.contexts = contexts
        self.asked: list[IncomingRequest] = []
        self.lost: list[Flow] = []
        self.endpoint = Endpoint(self._answer, on_lost=self.lost.append)

    def _answer(self, incoming: IncomingRequest) -> None:
        self.asked.append(incoming)
        incoming.reply(200)

    async def client(self) -> tuple[Client, Flow]:
        """Return a client and its flow."""
        client = Client(
            *await asyncio.open_connection(
                *self.endpoint.address_of(self.transport), ssl=self.contexts.client
            )
        )
        assert status_of(await client.ask(OPTIONS)) == "200 OK"
        return client, self.asked[-1].flow


@asynccontextmanager
async def serving(contexts: Contexts) -> AsyncIterator[Serving]:
    serving = Serving(contexts)
    await serving.endpoint.open(
        LOCALHOST,
        0,
        transport=serving.transport,
        advertised_host="ha.test",
        advertised_port=5099,
        context=contexts.server,
    )
    try:
        yield serving
    finally:
        await serving.endpoint.close()


@jumping
async def test_requests_go_out_on_the_connection(contexts: Contexts) -> None:
    async with serving(contexts) as server:
        client, flow = await server.client()
        task = asyncio.ensure_future(server.endpoint.request(MESSAGE, flow))
        data = await client.next()
        (via,) = values_of(data, "Via")
        assert via.startswith(f"SIP/2.0/{server.transport} ha.test:5099;branch=")
        assert len(data) == server.endpoint.size_of(MESSAGE, server.transport)
        # Nothing is sent twice.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(20):
                await client.next()
        client.writer.write(framed(data))
        assert (await task).status == 200
        await asyncio.sleep(0.1)
        assert server.endpoint._transactions.running == {}
        client.writer.close()


@jumping
async def test_silence_ends_with_timer_f(contexts: Contexts) -> None:
    async with serving(contexts) as server:
        client, flow = await server.client()
        with pytest.raises(NoAnswer):
            await server.endpoint.request(MESSAGE, flow)
        client.writer.close()


@jumping
async def test_what_waits_ends_with_its_connection(contexts: Contexts) -> None:
    """RFC 3261 18.4 and 8.1.3.1: at once, not when timer F fires."""
    async with serving(contexts) as server:
        client, flow = await server.client()
        other, other_flow = await server.client()
        task = asyncio.ensure_future(server.endpoint.request(MESSAGE, flow))
        kept = asyncio.ensure_future(server.endpoint.request(MESSAGE, other_flow))
        await client.next()
        begun = asyncio.get_running_loop().time()
        client.writer.transport.abort()
        with pytest.raises(TransportError, match="cannot reach"):
            await task
        assert asyncio.get_running_loop().time() - begun < 1
        assert server.lost == [flow]
        with pytest.raises(TransportError, match="is closed"):
            await server.endpoint.request(MESSAGE, flow)
        # Other connections are not affected.
        other.writer.write(framed(await other.next()))
        assert (await kept).status == 200
        other.writer.close()


@jumping
async def test_a_broken_request_is_answered_and_the_next_one_too(
    contexts: Contexts,
) -> None:
    async with serving(contexts) as server:
        client, _ = await server.client()
        broken = request_bytes("OPTIONS", "Content-Length: 0", To=None)
        answer = await client.ask(broken + OPTIONS)
        assert lines_of(answer)[0] == "SIP/2.0 400 Bad Request: To is missing"
        assert status_of(await client.next()) == "200 OK"
        client.writer.close()


@jumping
async def test_closing_ends_connections(contexts: Contexts) -> None:
    async with serving(contexts) as server:
        client, flow = await server.client()
        task = asyncio.ensure_future(server.endpoint.request(MESSAGE, flow))
        await client.next()
        await server.endpoint.close()
        with pytest.raises(TransportError, match="was closed"):
            await task
        await until_closed(client.reader)
        client.writer.close()


@jumping
async def test_all_transports_at_once(tmp_path: Path) -> None:
    asked: list[IncomingRequest] = []

    def answer(incoming: IncomingRequest) -> None:
        asked.append(incoming)
        incoming.reply(200)

    context = tls_contexts(tmp_path)
    endpoint = Endpoint(answer)
    for transport, tls in (("UDP", None), ("TCP", None), ("TLS", context.server)):
        await endpoint.open(LOCALHOST, 0, transport=transport, context=tls)
    for transport, tls in (("TCP", None), ("TLS", context.client)):
        client = Client(
            *await asyncio.open_connection(*endpoint.address_of(transport), ssl=tls)
        )
        assert status_of(await client.ask(OPTIONS)) == "200 OK"
        client.writer.close()
    assert [incoming.flow.transport for incoming in asked] == ["TCP", "TLS"]
    await endpoint.close()
