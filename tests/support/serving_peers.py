"""A phone server with one transport, for foreign phones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import ssl
from typing import Any

from custom_components.snom_buttons.engine.phones import (
    KeySetup,
    Phone,
    PhoneServer,
    ServerSettings,
)
from custom_components.snom_buttons.engine.xbuttons import Action, KeyDescription
from custom_components.snom_buttons.hub.certificate import (
    CertificateFiles,
    load_certificate,
)
from tests.support.certificates import Certificate
from tests.support.peers import LOCALHOST
from tests.support.serving import add_phone, phone_setup

PASSWORD = "geheim44"
REALM = "home assistant"


def make_phone(extension: str = "44", password: str = PASSWORD) -> Phone:
    keys = [
        KeySetup(
            off=KeyDescription(name=f"{n}", action=Action.MESSAGE, number=f"key{n}")
        )
        for n in range(1, 5)
    ]
    return Phone(phone_setup(extension, keys, password=password))


def settings_for(transport: str, port: int = 0, **more: Any) -> ServerSettings:
    """Return the settings of a server that listens for one transport."""
    own = {"udp": "port", "tcp": "tcp_port", "tls": "tls_port"}[transport]
    ports: dict[str, int | None] = {"port": None, own: port}
    host = more.pop("host", LOCALHOST)
    return ServerSettings(host=host, realm=REALM, advertised_host=host, **ports, **more)


@asynccontextmanager
async def serving(
    *phones: Phone,
    settings: ServerSettings,
    snapshot: dict[str, Any] | None = None,
    certificate: Certificate | None = None,
    edge_context: ssl.SSLContext | None = None,
) -> AsyncIterator[PhoneServer]:
    server = PhoneServer(settings)
    server.edge_context = edge_context
    if certificate is not None:
        server.context, _ = load_certificate(CertificateFiles(*certificate))
    for phone in phones:
        add_phone(server, phone)
    server.restore(snapshot or {})
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
