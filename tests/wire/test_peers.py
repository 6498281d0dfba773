"""Real phones, none of which knows buttons, against our server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from custom_components.snom_buttons.engine.phones import (
    Action,
    KeyDescription,
    KeyPress,
    KeySetup,
    Phone,
    PhoneServer,
    ServerSettings,
)
from custom_components.snom_buttons.hub.certificate import (
    CertificateFiles,
    load_certificate,
)
from tests.support.certificates import Certificate, make_certificate
from tests.support.peers import LOCALHOST, PEERS, Account
from tests.support.serving import add_phone, phone_setup

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

TRANSPORTS = ["udp", "tcp", "tls"]
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


def settings_for(transport: str, port: int = 0) -> ServerSettings:
    """Return the settings of a server that listens for one transport."""
    own = {"udp": "port", "tcp": "tcp_port", "tls": "tls_port"}[transport]
    ports: dict[str, int | None] = {"port": None, own: port}
    return ServerSettings(
        host=LOCALHOST, realm=REALM, advertised_host=LOCALHOST, **ports
    )


@asynccontextmanager
async def serving(
    *phones: Phone,
    settings: ServerSettings,
    snapshot: dict[str, Any] | None = None,
    certificate: Certificate | None = None,
) -> AsyncIterator[PhoneServer]:
    server = PhoneServer(settings)
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


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", PEERS)
async def test_a_phone_that_knows_no_buttons(
    name: str, transport: str, tmp_path: Path
) -> None:
    """It registers, refuses our document and lives on; so do we with its text."""
    phone = make_phone()
    presses: list[KeyPress] = []
    certificate = make_certificate(tmp_path) if transport == "tls" else None
    settings = settings_for(transport)
    async with serving(phone, settings=settings, certificate=certificate) as server:
        server.pressed.subscribe(presses.append)
        port = server.address_of(transport.upper())[1]
        account = Account("44", PASSWORD, REALM, port, transport, certificate)
        async with PEERS[name](account, tmp_path / name) as peer:
            await peer.is_registered()
            assert phone.registration is not None
            assert (phone.registration.user_agent or "").lower().startswith(name)
            assert phone.registration.address.startswith(f"{transport} {LOCALHOST}:")
            assert not phone.registration.supports_buttons
            await peer.has_refused_a_document()
            assert await peer.send("hello") == 415
            assert peer.program.is_running()
            assert phone.available
            assert not phone.in_sync
        assert presses == []
