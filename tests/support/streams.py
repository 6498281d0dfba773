"""What tests of connections have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
import functools
from pathlib import Path
import ssl
from typing import Any, NamedTuple

from tests.support.certificates import make_certificate
from tests.support.clock import run


def jumping[**P](test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in a loop whose clock jumps, though not ahead of the network."""

    @functools.wraps(test)
    def in_jumping_time(*args: P.args, **kwargs: P.kwargs) -> None:
        run(test(*args, **kwargs), patience=0.02)

    return in_jumping_time


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


async def until_closed(reader: asyncio.StreamReader) -> float:
    """Return how long it takes until the other side has closed, whatever it says first."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with suppress(ConnectionError):
        await reader.read()
    return loop.time() - begun
