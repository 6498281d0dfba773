"""The LED Remote Control document's walk-through, message by message, on real sockets.

What the phones send is the document's own text, with the line breaks that its web page
lost. What the server sends is compared with the document's text. Extension 44 registers
over TLS, as there; over UDP its Via says so, and nothing else is different.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import md5
from pathlib import Path
import socket
import ssl
from typing import Self

import pytest

from custom_components.snom_buttons.engine.phones import (
    Action,
    Color,
    KeyDescription,
    KeyPress,
    KeySetup,
    LightMode,
    Phone,
    PhoneServer,
    ServerSettings,
)
from tests.support.serving import add_phone, phone_setup
from tests.support.streams import tls_contexts

pytestmark = pytest.mark.usefixtures("socket_enabled")

PASSWORD = "the phone's password"


def wire(text: str, body: str = "") -> bytes:
    """Return a message as it goes on the wire, of readable lines."""
    head = "\r\n".join(text.strip().splitlines())
    return (
        f"{head}\r\n\r\n".encode()
        + "\r\n".join(body.splitlines()).encode()
        + (b"\r\n" if body else b"")
    )


REGISTER = """
REGISTER sip:localhost SIP/2.0
Via: SIP/2.0/TLS 172.20.25.101:2048;branch=z9hG4bK-2kecpl491c02;rport
From: "44" <sip:44@localhost>;tag=3k4xrbtmm9
To: "44" <sip:44@localhost>
Call-ID: 3c358c7680cb-j9yamlvac7ak
CSeq: 4655 REGISTER
Max-Forwards: 70
Contact: <sip:44@172.20.25.101:2048;transport=tls;line=44qsudyt>; +sip.instance="<urn:uuid:b255d09d-7a6e-4ad3-9ffb-eeacc9f87d52>"
Supported: buttons
Expires: 3600
Content-Length: 0
"""

SEIZE = """
MESSAGE sip:404@lab.example.local SIP/2.0
Via: SIP/2.0/UDP 192.168.168.179:2049;branch=z9hG4bK-cr9drb5v0e5s;rport
From: "404" <sip:404@lab.example.local>;tag=xt6v6wiw19
To: <sip:*602co1@lab.example.local>;tag=4bmp7edhiz
Call-ID: 3c2677851b18-e6amwgoglprw
CSeq: 1 MESSAGE
Max-Forwards: 70
Proxy-Require: buttons
Content-Type: application/x-buttons
Content-Length: 65
"""
SEIZE_BODY = "k=1\na=seize\nt=<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>"

RELEASE = """
MESSAGE sip:404@lab.example.local SIP/2.0
Via: SIP/2.0/UDP 192.168.168.179:2049;branch=z9hG4bK-8zk1koi94fn3;rport
From: "404" <sip:404@lab.example.local>;tag=zbjfdm9vbn
To: <sip:*603co2@lab.example.local>;tag=5z3zroft6v
Call-ID: 3c2677851b18-e6amwgoglprw
CSeq: 1 MESSAGE
Max-Forwards: 70
Proxy-Require: buttons
Content-Type: application/x-buttons
Content-Length: 67
"""
RELEASE_BODY = "k=2\na=release\nt=<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>"


class Received:
    """A message from the server, read without any code of ours."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        self.start_line, *lines = head.decode().split("\r\n")
        self.lines = [tuple(line.split(": ", 1)) for line in lines]
        assert self.one("Content-Length") == str(len(self.body))

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.lines if key == name]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value


class Peer:
    """A UDP socket that plays a phone."""

    transport = "UDP"

    def __init__(self, server: PhoneServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendto(self._socket, data, self._server.address)

    async def receive(self) -> Received:
        async with asyncio.timeout(5):
            return Received(await self._loop.sock_recv(self._socket, 65536))

    async def ask(self, data: bytes) -> Received:
        await self.send(data)
        return await self.receive()

    async def acknowledge(self, message: Received) -> None:
        """Answer a MESSAGE as the document's phone does."""
        echoed = [
            f"{name}: {message.one(name)}"
            for name in ("Via", "From", "To", "Call-ID", "CSeq")
        ]
        await self.send(
            wire("\n".join(["SIP/2.0 200 Ok", *echoed, "Content-Length: 0"]))
        )

    async def register(self, text: str, user: str, uri: str) -> Received:
        """Send a REGISTER, answer the challenge, and return the 200."""
        text = text.replace("SIP/2.0/TLS", f"SIP/2.0/{self.transport}")
        challenge = await self.ask(wire(text))
        assert challenge.start_line == "SIP/2.0 401 Unauthorized"
        md5_challenge = challenge.all("WWW-Authenticate")[0]
        realm = md5_challenge.split('realm="')[1].split('"')[0]
        nonce = md5_challenge.split('nonce="')[1].split('"')[0]
        ha1 = md5(f"{user}:{realm}:{PASSWORD}".encode()).hexdigest()
        ha2 = md5(f"REGISTER:{uri}".encode()).hexdigest()
        response = md5(f"{ha1}:{nonce}:00000001:0a4f:auth:{ha2}".encode()).hexdigest()
        authorization = (
            f'Authorization: Digest username="{user}",realm="{realm}",nonce="{nonce}",'
            f'uri="{uri}",qop=auth,nc=00000001,cnonce="0a4f",response="{response}",'
            "algorithm=MD5"
        )
        again = text.strip().replace("branch=z9hG4bK", "branch=z9hG4bK2")
        number = int(again.split("CSeq: ")[1].split()[0])
        again = again.replace(f"CSeq: {number}", f"CSeq: {number + 1}")
        return await self.ask(wire(f"{again}\n{authorization}"))


class TlsPeer(Peer):
    """A TLS connection that plays a phone."""

    transport = "TLS"

    def __init__(self, server: PhoneServer, context: ssl.SSLContext) -> None:
        self._server = server
        self._context = context

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(
            *self._server.address_of("TLS"), ssl=self._context
        )
        self.port = self._writer.get_extra_info("sockname")[1]
        assert self._writer.get_extra_info("ssl_object").version() >= "TLSv1.2"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def receive(self) -> Received:
        async with asyncio.timeout(5):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split()[0])
            return Received(head + await self._reader.readexactly(length))


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
        async with asyncio.timeout(5):
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
        # The To tag is the phone's own, and stays the only one.
        assert answer.one("To") in text
        (event,) = presses
        assert event.extension == phones[1].extension
        assert (event.key, event.action, event.number) == (key, action, number)

        # A retransmission gets the very same answer, and is no second press.
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
    """The document's last example: a press, and the other state in answer."""
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
