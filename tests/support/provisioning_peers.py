"""A server of settings for phones that share no code with the engine: SIP and HTTP by hand."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import socket
import struct
from threading import Event as ThreadEvent, Thread
from typing import Any, Self

from tests.support.patience import PATIENCE
from tests.support.stub_registrar import header
from tests.support.udp import LOCALHOST, UdpPeer

GROUP, PORT = "224.0.1.75", 5060


class SettingsServer:
    """Serves files on this machine, and remembers who asked for what."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        """Content by path; 404 for all others."""
        self.requests: list[tuple[str, str]] = []
        """Paths and User-Agents."""
        self.asked = ThreadEvent()
        """Set by the first request."""
        self._goes_on = ThreadEvent()
        self._goes_on.set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append((self.path, self.headers["User-Agent"]))
                server.asked.set()
                server._goes_on.wait()
                content = server.files.get(self.path)
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer((LOCALHOST, 0), Handler)
        self._thread = Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Answer no request until the end of the context."""
        self._goes_on.clear()
        try:
            yield
        finally:
            self._goes_on.set()

    @property
    def url(self) -> str:
        return f"http://{LOCALHOST}:{self._http.server_port}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


class _Group(asyncio.DatagramProtocol):
    def __init__(
        self, mac: str, received: deque[tuple[bytes, Any]], news: asyncio.Event
    ) -> None:
        self._beginning = f"SUBSCRIBE sip:MAC%3a{mac}@".encode()
        self._received = received
        self._news = news

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data.startswith(self._beginning):
            self._received.append((data, addr))
            self._news.set()


class Answerer(UdpPeer):
    """Hears one phone in the group on the loopback interface; answers from its own port.

    The machine has one group: what other phones send there is not heard.
    """

    def __init__(self, mac: str) -> None:
        self._mac = mac
        self.subscribes: deque[tuple[bytes, Any]] = deque()
        self._answers: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._phone: Any = None

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((GROUP, PORT))
        membership = struct.pack(
            "4s4s", socket.inet_aton(GROUP), socket.inet_aton(LOCALHOST)
        )
        bound.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self._group, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Group(self._mac, self.subscribes, self._news), sock=bound
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._group.close()
        await super().__aexit__(*_)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._answers.append(data)
        self._news.set()

    async def _next(self, queue: deque[Any]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while not queue:
                self._news.clear()
                await self._news.wait()
        return queue.popleft()

    async def hear(self) -> bytes:
        """Return the next SUBSCRIBE; what is sent next goes to its source."""
        data: bytes
        data, self._phone = await self._next(self.subscribes)
        return data

    async def receive(self) -> bytes:
        """Return the next answer of the phone to the own port."""
        answer: bytes = await self._next(self._answers)
        return answer

    def send(self, data: bytes) -> None:
        self._transport.sendto(data, self._phone)

    def answer(self, subscribe: bytes, status: str = "200 OK") -> None:
        lines = (
            f"SIP/2.0 {status}",
            *(f"{name}: {header(subscribe, name)}" for name in ("Via", "From")),
            f"To: {header(subscribe, 'To')};tag=as42",
            *(f"{name}: {header(subscribe, name)}" for name in ("Call-ID", "CSeq")),
            f"Contact: <sip:{self.address}>",
            "Expires: 0",
            "Content-Length: 0",
        )
        self.send("\r\n".join((*lines, "", "")).encode())

    def notify(self, subscribe: bytes, url: str, **changed: str) -> bytes:
        """Send the NOTIFY of the subscription, with headers changed; return it."""
        headers = {
            "Via": f"SIP/2.0/UDP {self.address};branch=z9hG4bK-7a;rport",
            "Max-Forwards": "70",
            "From": f"{header(subscribe, 'To')};tag=as42",
            "To": header(subscribe, "From"),
            "Call-ID": header(subscribe, "Call-ID"),
            "CSeq": "1 NOTIFY",
            "Contact": f"<sip:{self.address}>",
            "Event": header(subscribe, "Event"),
            "Subscription-State": "terminated;reason=timeout",
            "Content-Type": "application/url",
        } | {name.replace("_", "-"): text for name, text in changed.items()}
        lines = [f"{name}: {text}" for name, text in headers.items() if text]
        contact = header(subscribe, "Contact").strip("<>")
        head = (f"NOTIFY {contact} SIP/2.0", *lines, f"Content-Length: {len(url)}")
        data = "\r\n".join((*head, "", url)).encode()
        self.send(data)
        return data

    async def give(self, url: str) -> bytes:
        """Answer the next SUBSCRIBE with a URL, which the phone must take."""
        subscribe = await self.hear()
        self.answer(subscribe)
        self.notify(subscribe, url)
        answer = await self.receive()
        assert answer.startswith(b"SIP/2.0 200 "), answer
        return subscribe
