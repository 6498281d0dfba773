"""How the phone announces itself: SUBSCRIBE to a multicast group (snom, "SIP Plug & Play").

The request is that of a recorded snom 370: a Via without a branch, no Max-Forwards, and a
source port of its own.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import secrets
import socket
from typing import Any

from snom_buttons.sip import (
    T1,
    MalformedMessage,
    Request,
    Response,
    SipSyntaxError,
    content_refusal,
    encode_response,
    parse_datagram,
    parse_event,
)

from .hardware import Hardware
from .maker import FIRMWARE

GROUP, PORT = "224.0.1.75", 5060
"""sip.mcast.net (RFC 3261 10.2.6)."""
T2 = 4.0
"""Longest seconds between repeats (RFC 3261 17.1.2.2)."""
URL_TYPE = "application/url"

type Source = tuple[str, int]


class Announcer(asyncio.DatagramProtocol):
    """Asks for settings in the network of one interface, and takes the first answer."""

    def __init__(
        self, hardware: Hardware, interface: str, say: Callable[[str], None]
    ) -> None:
        """Create an announcer that is closed; `say` gets what happens, in words.

        `interface` is the own IPv4 address in that network.
        """
        self._hardware = hardware
        self._interface = interface
        self._say = say
        self._transport: asyncio.DatagramTransport | None = None
        self._call_id = ""
        self._tag = ""
        self._taken: tuple[object, ...] = ()
        """The NOTIFY that was taken."""
        self._answered = asyncio.Event()
        self._url: asyncio.Future[str] | None = None

    async def open(self) -> None:
        """Bind a port. Raises OSError."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            interface = socket.inet_aton(self._interface)
            bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
            bound.setblocking(False)
            bound.bind((self._interface, 0))
        except OSError:
            bound.close()
            raise
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, sock=bound
        )

    def close(self) -> None:
        """Free the port; safe to call twice."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def ask(self) -> str | None:
        """Return the URL of the settings, None without an answer after 64 times T1.

        The request is repeated until there is an answer of any kind, with intervals as
        for each request by UDP.
        """
        assert self._transport is not None
        self._call_id = f"{secrets.token_hex(6)}-{secrets.token_hex(6)}"
        self._tag = secrets.token_hex(5)
        self._taken = ()
        self._answered.clear()
        self._url = asyncio.get_running_loop().create_future()
        data, interval, count = self._subscribe(), T1, 0
        with suppress(TimeoutError):
            async with asyncio.timeout(64 * T1):
                while not self._answered.is_set():
                    count += 1
                    again = f", attempt {count}" if count > 1 else ""
                    self._say(f"asks {GROUP}:{PORT} for its settings{again}")
                    self._transport.sendto(data, (GROUP, PORT))
                    with suppress(TimeoutError):
                        async with asyncio.timeout(interval):
                            await self._answered.wait()
                    interval = min(2 * interval, T2)
                return await self._url
        self._url = None
        return None

    def _subscribe(self) -> bytes:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")
        own, product = f"{host}:{port}", self._hardware.phone_type
        uri = f"sip:MAC%3a{self._hardware.mac}@lan"
        event = (
            'ua-profile;profile-type="device";vendor="snom"'
            f';model="{product}";version="{FIRMWARE}"'
        )
        lines = (
            f"SUBSCRIBE {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {own};rport",
            f"From: <{uri}>;tag={self._tag}",
            f"To: <{uri}>",
            f"Call-ID: {self._call_id}",
            "CSeq: 1 SUBSCRIBE",
            f"Event: {event}",
            "Expires: 0",
            "Accept: application/url",
            f"Contact: <sip:{own}>",
            f"User-Agent: {self._hardware.user_agent}",
            "Content-Length: 0",
            "",
            "",
        )
        return "\r\n".join(lines).encode()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Process what comes to the port that asked."""
        source = addr[0], addr[1]
        try:
            message = parse_datagram(data)
        except MalformedMessage as fault:
            self._say(f"{_name(source)} sent a malformed message: {fault}")
            return
        if isinstance(message, Response):
            self._on_response(message, source)
        elif isinstance(message, Request):
            self._on_request(message, source)

    def error_received(self, exc: Exception) -> None:
        """Show a failure to send, such as that of a network without a route."""
        self._say(f"could not ask: {exc}")

    def _on_response(self, response: Response, source: Source) -> None:
        if response.call_id != self._call_id or self._answered.is_set():
            return
        self._say(f"{_name(source)} answers: {response.status} {response.reason}")
        # Another one in the group may still take it.
        if 200 <= response.status < 300:
            self._answered.set()

    def _on_request(self, request: Request, source: Source) -> None:
        if request.method == "ACK":
            return
        status = self._status_for(request)
        via = request.via.seen_from(*source)
        data = encode_response(request.headers, via, status, to_tag=self._tag)
        assert self._transport is not None
        self._transport.sendto(data, source)
        if status != 200:
            self._say(f"refused a {request.method} of {_name(source)}: {status}")
            return
        if self._url is None or self._url.done():
            return  # a repeat
        url = request.body.decode("utf-8", "replace").strip()
        self._say(f"{_name(source)} says: the settings are at {url}")
        self._answered.set()
        self._url.set_result(url)

    def _status_for(self, request: Request) -> int:
        """Return 200 for the first NOTIFY about the own request, and for its repeats.

        Its other headers are not checked: snom's own script for servers sends them as it
        got them.
        """
        if request.method != "NOTIFY":
            return 405
        try:
            package = parse_event(request.headers.get("Event") or "").package.lower()
        except SipSyntaxError:
            package = ""
        if package != "ua-profile":
            return 489
        one = request.call_id, request.from_.tag, request.cseq.number
        if self._taken == one:
            return 200
        if request.call_id != self._call_id or self._url is None or self._url.done():
            return 481
        if refusal := content_refusal(request, [URL_TYPE]):
            return refusal.status
        if not request.body.strip():
            return 400
        self._taken = one
        return 200


def _name(source: Source) -> str:
    return f"{source[0]}:{source[1]}"
