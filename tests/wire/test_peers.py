"""Software phones that do not know buttons, against the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_components.snom_buttons.engine.phones import KeyPress
from tests.support.certificates import make_certificate
from tests.support.peers import LOCALHOST, PEERS, Account
from tests.support.serving_peers import (
    PASSWORD,
    REALM,
    make_phone,
    serving,
    settings_for,
)

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

TRANSPORTS = ["udp", "tcp", "tls"]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", PEERS)
async def test_a_phone_that_knows_no_buttons(
    name: str, transport: str, tmp_path: Path
) -> None:
    """It registers and refuses the document, and both sides go on working."""
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
