"""The phone of the LED Remote Control document: its own text, and peers that send it."""

from __future__ import annotations

import asyncio
from hashlib import md5
import socket
import ssl
from typing import Self

from custom_components.snom_buttons.engine.phones import PhoneServer

PASSWORD = "the phone's password"


def wire(text: str, body: str = "") -> bytes:
    """Return the bytes on the wire of a message in readable lines."""
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
    """A message from the server, read without code of the product."""

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
