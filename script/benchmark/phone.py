"""One phone with as little code as possible: its messages as bytes, and a socket."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from time import perf_counter
from typing import Any

from custom_components.snom_buttons.engine.phones import PhoneServer
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    KeyDescription,
    LightMode,
)

LOCALHOST = "127.0.0.1"
PASSWORD = "not a secret"  # noqa: S105


def keys_up_to(last: int) -> tuple[KeyDescription, ...]:
    """Return keys from 1 to `last`; every second one is lit."""
    return tuple(
        KeyDescription(
            name=f"{number}",
            light=LightMode.ON if number % 2 else LightMode.OFF,
            action=Action.MESSAGE,
            number=f"key{number}",
            label=f"Key number {number}",
        )
        for number in range(1, last + 1)
    )


KEYS = keys_up_to(12)
REGISTER = (
    b"REGISTER sip:127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 172.20.25.101:2048;branch=z9hG4bK-2kecpl491c02;rport\r\n"
    b'From: "44" <sip:44@127.0.0.1>;tag=3k4xrbtmm9\r\n'
    b'To: "44" <sip:44@127.0.0.1>\r\n'
    b"Call-ID: 3c358c7680cb-j9yamlvac7ak\r\n"
    b"CSeq: 4655 REGISTER\r\n"
    b"Max-Forwards: 70\r\n"
    b"Contact: <sip:44@172.20.25.101:2048;line=44qsudyt>"
    b';+sip.instance="<urn:uuid:b255d09d-7a6e-4ad3-9ffb-eeacc9f87d52>"\r\n'
    b"Supported: buttons\r\n"
    b"Expires: 3600\r\n"
    b"Content-Length: 0\r\n\r\n"
)
# As the LED Remote Control document prints it.
PRESS_BODY = b"k=1\r\na=seize\r\nt=<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>\r\n"
PRESS = (
    b"MESSAGE sip:44@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.168.168.179:2049;branch=z9hG4bK-%010d;rport\r\n"
    b'From: "44" <sip:44@127.0.0.1>;tag=xt6v6wiw19\r\n'
    b"To: <sip:*602co1@127.0.0.1>;tag=4bmp7edhiz\r\n"
    b"Call-ID: 3c2677851b18-e6amwgoglprw\r\n"
    b"CSeq: 1 MESSAGE\r\n"
    b"Max-Forwards: 70\r\n"
    b"Proxy-Require: buttons\r\n"
    b"Content-Type: application/x-buttons\r\n"
    b"Content-Length: %d\r\n\r\n"
)


def press(number: int, key: int = 1) -> bytes:
    """Return a press of a key as a transaction of its own."""
    body = PRESS_BODY.replace(b"k=1", b"k=%d" % key)
    return PRESS % (number, len(body)) + body


def register(port_of_server: int, peer: socket.socket) -> None:
    """Register extension 44 from a socket; the digest is computed here."""

    def digest(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    peer.sendto(REGISTER, (LOCALHOST, port_of_server))
    challenge = peer.recv(65536).decode().split("WWW-Authenticate: ")[1]
    realm, nonce = (
        challenge.split(f'{name}="')[1].split('"')[0] for name in ("realm", "nonce")
    )
    secret = digest(f"44:{realm}:{PASSWORD}")
    response = digest(
        f"{secret}:{nonce}:00000001:ab:auth:{digest('REGISTER:sip:127.0.0.1')}"
    )
    authorization = (
        f'Authorization: Digest username="44",realm="{realm}",nonce="{nonce}",'
        f'uri="sip:127.0.0.1",response="{response}",qop=auth,nc=00000001,cnonce="ab"'
    )
    again = REGISTER.replace(b"2kecpl", b"2kecpm").replace(b"4655", b"4656")
    again = again.replace(b"Max-", f"{authorization}\r\nMax-".encode())
    peer.sendto(again, (LOCALHOST, port_of_server))
    assert peer.recv(65536).startswith(b"SIP/2.0 200"), "not registered"


def acknowledge(message: bytes) -> bytes:
    """Return the 200 for a MESSAGE, with as little work as possible."""
    head = message.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    echoed = [
        line
        for line in head
        if line.startswith((b"Via", b"From", b"To", b"Call-ID", b"CSeq"))
    ]
    return b"\r\n".join([b"SIP/2.0 200 OK", *echoed, b"Content-Length: 0\r\n\r\n"])


class BarePhone(asyncio.DatagramProtocol):
    """A phone that acknowledges documents and reports when the next one comes."""

    def __init__(self) -> None:
        """Make a phone that waits for nothing."""
        self.came: asyncio.Future[float] | None = None
        """Gets the time of the next datagram."""

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take the time before the answer is sent."""
        now = perf_counter()
        if data.startswith(b"MESSAGE"):
            self.transport.sendto(acknowledge(data), addr)
        if self.came is not None and not self.came.done():
            self.came.set_result(now)


async def registered(server: PhoneServer) -> socket.socket:
    """Return the socket of phone 44, which has just registered."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind((LOCALHOST, 0))
    peer.settimeout(10)
    await asyncio.get_running_loop().run_in_executor(
        None, register, server.address[1], peer
    )
    peer.setblocking(False)
    return peer
