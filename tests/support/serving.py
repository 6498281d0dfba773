"""A phone server on a real socket, with phones and keys, for tests and scripts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
import json
import ssl
from types import MappingProxyType
from typing import Any

from custom_components.snom_buttons.engine.phones import (
    KeySetup,
    Phone,
    PhoneServer,
    PhoneSetup,
    Prove,
    ServerSettings,
)
from custom_components.snom_buttons.engine.sip import Flow
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    KeyDescription,
    LightMode,
)
from tests.support.clock import run
from tests.support.rawphone import RawPhone

PASSWORD = "correct horse"
LOCALHOST = "127.0.0.1"


def base(name: str, **changes: Any) -> KeyDescription:
    """Return a key's description as the integration configures it."""
    description = KeyDescription(
        name=name, action=Action.MESSAGE, number=f"key{name}", label=f"Key {name}"
    )
    return replace(description, **changes)


def setup(name: str, **changes: Any) -> KeySetup:
    return KeySetup(off=base(name, **changes))


def phone_setup(
    extension: str = "44",
    keys: Iterable[KeySetup] = (),
    *,
    password: str = PASSWORD,
    **options: Any,
) -> PhoneSetup:
    return PhoneSetup(
        extension=extension, password=password, keys=tuple(keys), **options
    )


def make_phone(extension: str = "44", keys: int = 4) -> Phone:
    return Phone(phone_setup(extension, [setup(f"{n}") for n in range(1, keys + 1)]))


def add_phone(server: PhoneServer, phone: Phone) -> None:
    """Add a phone of a test to the server."""
    phone._line_of = partial(server._line_setup_of, phone.extension)
    server._add(phone)


@asynccontextmanager
async def serving(
    *phones: Phone,
    snapshot: dict[str, Any] | None = None,
    port: int = 0,
    context: ssl.SSLContext | None = None,
    edge_context: ssl.SSLContext | None = None,
    realm: str = "ha",
    elsewhere: Mapping[str, PhoneSetup] = MappingProxyType({}),
    adopt: Callable[[str], None] = lambda _: None,
    prove: Prove | None = None,
    takes: Callable[[], bool] | None = None,
    was_published: Callable[[str], bool] = lambda _: False,
    **settings: Any,
) -> AsyncIterator[PhoneServer]:
    """Run a server in the current loop."""
    server = PhoneServer(
        ServerSettings(
            host=LOCALHOST,
            port=port,
            realm=realm,
            advertised_host="ha.example",
            **settings,
        ),
        clock=asyncio.get_running_loop().time,
        context=context,
        elsewhere=elsewhere.get,
        adopt=adopt,
        prove=prove,
        takes=takes,
        was_published=was_published,
    )
    server.edge_context = edge_context
    for phone in phones:
        add_phone(server, phone)
    if snapshot is not None:
        server.restore(json.loads(json.dumps(snapshot)))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def raw_phone(server: PhoneServer, extension: str = "44", **options: Any) -> RawPhone:
    return RawPhone(server.address, extension, PASSWORD, **options)


def noting_messages(server: PhoneServer) -> list[str]:
    """Return a list that gets the method of each MESSAGE and NOTIFY that is sent."""
    order: list[str] = []
    transport = server._endpoint._transports["UDP"]
    send = transport.send

    def noting(data: bytes, flow: Flow) -> None:
        method = data.partition(b" ")[0].decode()
        if method in ("MESSAGE", "NOTIFY"):
            order.append(method)
        send(data, flow)

    transport.send = noting  # type: ignore[method-assign]
    return order


def lit(key: str, light: LightMode = LightMode.ON) -> KeyDescription:
    return base(key, light=light)


def jumping(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test in a loop whose clock jumps."""

    async def coroutine() -> None:
        await test()

    run(coroutine())
