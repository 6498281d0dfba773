"""The LED Remote Control document's walk-through, message by message, on real sockets.

What the phones send is the document's own text, with the line breaks that its web page
lost. What the server sends is compared with the document's text. Extension 44 registers
over TLS, as there; over UDP only its Via differs.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
import ssl

import pytest

from custom_components.snom_buttons.engine.phones import (
    KeyPress,
    KeySetup,
    Phone,
    PhoneServer,
    ServerSettings,
)
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    Color,
    KeyDescription,
    LightMode,
)
from tests.support.patience import PATIENCE
from tests.support.serving import add_phone, phone_setup
from tests.support.streams import tls_contexts
from tests.support.walkthrough import (
    PASSWORD,
    REGISTER,
    RELEASE,
    RELEASE_BODY,
    SEIZE,
    SEIZE_BODY,
    Peer,
    TlsPeer,
    wire,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")


def lines(body: bytes) -> list[set[str]]:
    """Return each description of a document as the set of its lines."""
    assert body.endswith(b"\r\n\r\n")
    return [set(part.split("\r\n")) for part in body.decode().split("\r\n\r\n") if part]


async def started(*phones: Phone, context: ssl.SSLContext | None = None) -> PhoneServer:
    server = PhoneServer(
        ServerSettings(
            host="127.0.0.1",
            port=0,
            tls_port=0,
            realm="pbx",
            advertised_host="127.0.0.1",
        ),
        context=context,
    )
    for phone in phones:
        add_phone(server, phone)
    await server.start()
    return server


@pytest.mark.parametrize("transport", ["UDP", "TLS"])
async def test_registration_initial_state_and_an_incoming_call(
    transport: str, tmp_path: Path
) -> None:
    """The walk-through of extension 44, from REGISTER to the cleared call."""
    keys = [
        KeySetup(off=KeyDescription(name="1")),
        KeySetup(off=KeyDescription(name="2")),
        KeySetup(off=KeyDescription(name="3", label="42")),
        KeySetup(off=KeyDescription(name="4", number="79", label="Office Hours")),
    ]
    phone = Phone(phone_setup("44", keys, password=PASSWORD))
    phone.keys["4"].show(replace(phone.keys["4"].setup.off, light=LightMode.ON))
    contexts = tls_contexts(tmp_path)
    server = await started(phone, context=contexts.server)
    assert contexts.client is not None
    playing = Peer(server) if transport == "UDP" else TlsPeer(server, contexts.client)
    async with playing as peer:
        # "The device registers"; "The registrar answers".
        answer = await peer.register(REGISTER, "44", "sip:localhost")
        assert answer.start_line == "SIP/2.0 200 OK"
        assert answer.one("Via") == (
            f"SIP/2.0/{transport} 172.20.25.101:2048;branch=z9hG4bK2-2kecpl491c02"
            f";rport={peer.port};received=127.0.0.1"
        )
        assert answer.one("From") == '"44" <sip:44@localhost>;tag=3k4xrbtmm9'
        assert answer.one("To").startswith('"44" <sip:44@localhost>;tag=')
        assert answer.one("Call-ID") == "3c358c7680cb-j9yamlvac7ak"
        assert answer.one("CSeq") == "4656 REGISTER"
        assert answer.one("Contact") == (
            "<sip:44@172.20.25.101:2048;transport=tls;line=44qsudyt>;"
            ' +sip.instance="<urn:uuid:b255d09d-7a6e-4ad3-9ffb-eeacc9f87d52>"'
            ";expires=3600"
        )
        assert answer.one("Require") == "buttons"
        assert answer.one("Required") == "buttons"
        assert answer.one("Expires") == "3600"
        assert answer.one("Date").endswith(" GMT")

        # "The registrar sends the initial state for all available keys".
        initial = await peer.receive()
        host, port = server.address_of(transport)
        assert initial.start_line == (
            "MESSAGE sip:44@172.20.25.101:2048;transport=tls;line=44qsudyt SIP/2.0"
        )
        assert initial.one("Via").startswith(
            f"SIP/2.0/{transport} {host}:{port};branch=z9hG4bK"
        )
        assert initial.one("Via").endswith(";rport")
        assert initial.one("From").startswith("<sip:44@localhost>;tag=")
        assert initial.one("To") == "<sip:44@localhost>"
        assert initial.one("Max-Forwards") == "70"
        assert initial.one("Contact") == (
            f"<sip:{host}:{port};transport={transport.lower()}>"
        )
        assert initial.one("Subject") == "buttons"
        assert initial.one("Content-Type") == "application/x-buttons"
        assert lines(initial.body) == [
            {"k=1"},
            {"k=2"},
            {"k=3", "l=42"},
            {"k=4", "c=on", "n=79", "a=invite", "l=Office Hours"},
        ]
        await peer.acknowledge(initial)

        # "Then there is a call coming in for that extension."
        key = phone.keys["3"]
        key.show(
            replace(
                key.setup.off,
                light=LightMode.PICKUP,
                caller="19781234567",
                number="*6013",
            )
        )
        call = await peer.receive()
        assert lines(call.body) == [
            {"k=3", "l=42", "c=pickup", "i=19781234567", "n=*6013", "a=invite"}
        ]
        assert call.one("Call-ID") != initial.one("Call-ID")
        await peer.acknowledge(call)

        # "the original caller cancels the call and clears the line"
        key.show(key.setup.off)
        cleared = await peer.receive()
        assert lines(cleared.body) == [{"k=3", "l=42"}]
        in_sync = asyncio.Event()
        phone.status.subscribe(lambda _: in_sync.set() if phone.in_sync else None)
        await peer.acknowledge(cleared)
        async with asyncio.timeout(PATIENCE):
            await in_sync.wait()
    await server.stop()


@pytest.mark.parametrize(
    ("text", "body", "key", "action", "number"),
    [
        (SEIZE, SEIZE_BODY, "1", Action.SEIZE, "*602co1"),
        (RELEASE, RELEASE_BODY, "2", Action.RELEASE, "*603co2"),
    ],
    ids=["seize", "release"],
)
async def test_a_shared_line_is_seized_and_released(
    text: str, body: str, key: str, action: Action, number: str
) -> None:
    """Extension 404's presses, with the document's own bytes and lengths."""
    bases = [
        KeySetup(
            off=KeyDescription(
                name=n, number="*602co2", action=Action.SEIZE, label="(co2)"
            )
        )
        for n in ("1", "2")
    ]
    phones = [
        Phone(phone_setup(extension, bases, password=PASSWORD))
        for extension in ("402", "404")
    ]
    server = await started(*phones)
    presses: list[KeyPress] = []
    server.pressed.subscribe(presses.append)
    async with Peer(server) as peer:
        register = (
            REGISTER.replace('"44"', '"404"')
            .replace("sip:44@", "sip:404@")
            .replace("localhost", "lab.example.local")
        )
        await peer.register(register, "404", "sip:lab.example.local")
        initial = await peer.receive()
        assert initial.body[: len(initial.body) // 2] == (
            b"k=1\r\nn=*602co2\r\na=seize\r\nl=(co2)\r\n\r\n"
        ), "36 bytes, as the document says"
        await peer.acknowledge(initial)

        press = wire(text, body)
        answer = await peer.ask(press)
        assert answer.start_line == "SIP/2.0 200 OK"
        # The phone's own To tag remains the only one.
        assert answer.one("To") in text
        (event,) = presses
        assert event.extension == phones[1].extension
        assert (event.key, event.action, event.number) == (key, action, number)

        # A retransmission gets the same answer, and is not a second press.
        again = await peer.ask(press)
        assert again.lines == answer.lines
        assert len(presses) == 1

        # "the corresponding led must be turned on": the document's 44 bytes.
        line = phones[1].keys["1"]
        line.show(
            KeyDescription(
                name="1",
                light=LightMode.ON,
                number="*603co1",
                action=Action.RELEASE,
                label="(co1)",
            )
        )
        update = await peer.receive()
        assert update.body == (
            b"k=1\r\nc=on\r\nn=*603co1\r\na=release\r\nl=(co1)\r\n\r\n"
        )
        assert update.one("Content-Length") == "44"
        await peer.acknowledge(update)
    await server.stop()


async def test_do_not_disturb_is_toggled() -> None:
    """The document's last example: a press toggles the state."""
    base = KeyDescription(name="4", label="DND", number="*78", action=Action.MESSAGE)
    phone = Phone(phone_setup("404", [KeySetup(off=base)], password=PASSWORD))
    server = await started(phone)
    key = phone.keys["4"]
    key.pressed.subscribe(
        lambda _: key.show(
            replace(base, light=LightMode.OFFLINE, number="*79", color=Color.RED)
        )
    )
    async with Peer(server) as peer:
        register = REGISTER.replace('"44"', '"404"').replace("sip:44@", "sip:404@")
        await peer.register(register, "404", "sip:localhost")
        initial = await peer.receive()
        assert lines(initial.body) == [{"k=4", "l=DND", "n=*78", "a=message"}]
        await peer.acknowledge(initial)

        body = SEIZE_BODY.replace("k=1", "k=4").replace("a=seize", "a=message")
        press = SEIZE.replace("Content-Length: 65", "Content-Length: 67")
        answer = await peer.ask(wire(press.replace("*602co1", "*78"), body))
        assert answer.start_line == "SIP/2.0 200 OK"
        update = await peer.receive()
        assert lines(update.body) == [
            {"k=4", "c=offline", "o=red", "l=DND", "n=*79", "a=message"}
        ]
        await peer.acknowledge(update)
    await server.stop()
