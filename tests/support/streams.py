"""Helpers that tests of connections share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
import ssl
from typing import Any, NamedTuple

from custom_components.snom_buttons.engine.phones import Phone, PhoneServer
from tests.support import clock, serving as udp
from tests.support.certificates import make_certificate
from tests.support.rawstream import StreamPhone
from tests.support.serving import PASSWORD


def jumping[**P](test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Return a test in a loop whose clock jumps, but waits for the network first."""
    return clock.jumping(test, patience=0.02)


class Contexts(NamedTuple):
    """Both sides of TLS; None for TCP."""

    server: ssl.SSLContext | None
    client: ssl.SSLContext | None


def tls_contexts(directory: Path) -> Contexts:
    """Return the sides of TLS with a new certificate, which the client verifies."""
    certificate, key = make_certificate(directory)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return Contexts(server, ssl.create_default_context(cafile=certificate))


def serving(
    contexts: Contexts, *phones: Phone, **settings: Any
) -> AbstractAsyncContextManager[PhoneServer]:
    """Run a server with all transports; without a context TLS is left out."""
    return udp.serving(
        *phones, context=contexts.server, tcp_port=0, tls_port=0, **settings
    )


def raw_phone(
    server: PhoneServer, contexts: Contexts, extension: str = "44"
) -> StreamPhone:
    """Return a phone that connects by TLS, or by TCP without a context."""
    transport = "TLS" if contexts.server else "TCP"
    return StreamPhone(
        server.address_of(transport), extension, PASSWORD, context=contexts.client
    )


async def until_closed(reader: asyncio.StreamReader) -> float:
    """Return how long it takes until the other side closes; ignore what it sends."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with suppress(ConnectionError):
        await reader.read()
    return loop.time() - begun
