"""Many phones, each at an address of its own, in a process of their own.

Their work does not count as the server's. `register_crowd` and `crowd` start the
process: this module with a mode and a `Plan` as JSON. On Linux both processes read one
clock, `perf_counter`.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
import dataclasses
import hashlib
import json
from pathlib import Path
import re
import sys
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parents[2]
FIRST = 1000
"""The extension of the first phone."""
T1, T2 = 0.5, 4.0
"""RFC 3261's intervals in seconds."""
PATIENCE = 120.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many phones register, and where."""

    port: int
    count: int
    keys: int
    """How many keys each phone has."""
    password: str
    subscribed: int | None = None
    """How many of its keys each phone subscribes to, all at once when it is registered.

    None for phones that get documents.
    """
    agent: str = "snomD785/10.1.198.12"
    """The User-Agent of each phone, which names its model."""
    pause: float = 0.0
    """Seconds that each phone waits before it subscribes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The result of registering all phones at once."""

    complete: int
    """Phones that know all their keys."""
    seconds: float
    repeated: int
    """REGISTER and SUBSCRIBE requests that were sent again."""
    again: int
    """NOTIFY requests that came again."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What the phones received since the last news."""

    documents: list[int]
    """The number of documents of each phone, or of NOTIFYs."""
    size: int
    """Bytes of all datagrams of the phones."""
    latest: float
    """When the latest document came, by `perf_counter`."""
    whole: float | None
    """When the last phone knew all its keys; None while one does not."""


# In the benchmark's process


async def start_crowd(mode: str, plan: Plan) -> Process:
    """Start the process of the phones."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "script.benchmark.crowd"),
        *(mode, json.dumps(dataclasses.asdict(plan))),
        stdin=PIPE,
        stdout=PIPE,
        cwd=ROOT,
    )


async def register_crowd(plan: Plan) -> Registered:
    """Let all phones register at once, and end."""
    out, _ = await (await start_crowd("register", plan)).communicate()
    return Registered(**json.loads(out))


@asynccontextmanager
async def crowd(plan: Plan) -> AsyncIterator[Callable[[], Awaitable[News]]]:
    """Keep registered phones; yield a function that asks them for news."""
    process = await start_crowd("stay", plan)
    assert process.stdin and process.stdout
    stdin, stdout = process.stdin, process.stdout

    async def ask() -> News:
        stdin.write(b"\n")
        return News(**json.loads(await stdout.readline()))

    try:
        assert await stdout.readline(), "the phones failed"
        yield ask
    finally:
        stdin.close()
        await process.wait()


# In the process of the phones


def digest(text: str) -> str:
    """Return the MD5 of a text."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Asking:
    """A request that is sent until it is answered."""

    def __init__(self, phone: CrowdPhone, request: bytes) -> None:
        """Send it."""
        self._phone = phone
        self._request = request
        self._interval = T1
        self._send()

    def _send(self) -> None:
        self._phone.send(self._request)
        self._timer = asyncio.get_running_loop().call_later(
            self._interval, self._repeat
        )

    def _repeat(self) -> None:
        self._phone.repeated += 1
        self._interval = min(2 * self._interval, T2)
        self._send()

    def answered(self) -> None:
        """End."""
        self._timer.cancel()


class CrowdPhone(asyncio.DatagramProtocol):
    """A phone that registers, perhaps subscribes, and acknowledges what is sent to it."""

    def __init__(self, extension: int, plan: Plan) -> None:
        """Make a phone that registers when its socket is open."""
        self.done = asyncio.get_running_loop().create_future()
        """Done when the phone knows all its keys."""
        self.repeated = 0
        self.again = 0
        self.latest = 0.0
        """When the latest document came."""
        self.forget()
        self._name = f"{extension}"
        self._server = ("127.0.0.1", plan.port)
        self._keys = plan.keys if plan.subscribed is None else plan.subscribed
        self._subscribed = plan.subscribed or 0
        self._pause = plan.pause
        self._agent = plan.agent
        self._password = plan.password
        self._cseq = 0
        self._authorization = ""
        self._asking: dict[bytes, Asking] = {}
        """By the CSeq line, and for a SUBSCRIBE the key."""
        self._noticed: set[bytes] = set()
        """The branches of NOTIFYs."""

    def forget(self) -> None:
        """Forget the keys, and reset the counts."""
        self.documents = 0
        self.size = 0
        self.whole: float | None = None
        """When the phone knew all its keys."""
        self._known: set[bytes] = set()

    def connection_made(self, transport: Any) -> None:
        """Register."""
        self._transport = transport
        self._host, self._port = transport.get_extra_info("sockname")
        self._register()

    def _register(self) -> None:
        self._cseq += 1
        name, address = self._name, f"{self._host}:{self._port}"
        request = (
            "REGISTER sip:127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {address};branch=z9hG4bK{name}x{self._cseq};rport\r\n"
            f"From: <sip:{name}@127.0.0.1>;tag=t{name}\r\n"
            f"To: <sip:{name}@127.0.0.1>\r\n"
            f"Call-ID: call-{name}\r\n"
            f"CSeq: {self._cseq} REGISTER\r\n"
            "Max-Forwards: 70\r\n"
            f"Contact: <sip:{name}@{address};line=l{name}>"
            f';+sip.instance="<urn:uuid:{int(name):032x}>"\r\n'
            f"User-Agent: {self._agent}\r\n"
            "Allow: INVITE, ACK, CANCEL, BYE, REFER, OPTIONS, NOTIFY, MESSAGE\r\n"
            f"Supported: buttons\r\nExpires: 3600\r\n{self._authorization}"
            "Content-Length: 0\r\n\r\n"
        ).encode()
        self._asking[f"{self._cseq} REGISTER".encode()] = Asking(self, request)

    def _subscribe_all(self) -> None:
        for key in range(1, self._subscribed + 1):
            self._subscribe(key)

    def _subscribe(self, key: int) -> None:
        name, address = self._name, f"{self._host}:{self._port}"
        request = (
            f"SUBSCRIBE sip:{key}@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {address};branch=z9hG4bK{name}s{key};rport\r\n"
            f"From: <sip:{name}@127.0.0.1>;tag=s{key}\r\n"
            f"To: <sip:{key}@127.0.0.1>\r\n"
            f"Call-ID: key-{key}-{name}\r\n"
            f"CSeq: {key} SUBSCRIBE\r\n"
            "Max-Forwards: 70\r\n"
            f"Contact: <sip:{name}@{address};line=l{name}>\r\n"
            "Event: dialog\r\nAccept: application/dialog-info+xml\r\n"
            f"User-Agent: {self._agent}\r\n"
            "Expires: 3600\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        self._asking[f"{key} SUBSCRIBE".encode()] = Asking(self, request)

    def send(self, request: bytes) -> None:
        """Send a request to the server."""
        self._transport.sendto(request, self._server)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Handle an answer, a document or a NOTIFY."""
        if data.startswith((b"MESSAGE", b"NOTIFY")):
            self._take(data, addr)
            return
        cseq = re.search(rb"CSeq: (\d+ (?:REGISTER|SUBSCRIBE))", data)
        asking = self._asking.pop(cseq[1], None) if cseq else None
        if asking is None:
            return
        asking.answered()
        if data.startswith(b"SIP/2.0 401"):
            nonce = re.search(rb'nonce="([^"]+)"', data)
            realm = re.search(rb'realm="([^"]+)"', data)
            assert nonce and realm
            n, r = nonce[1].decode(), realm[1].decode()
            secret = digest(f"{self._name}:{r}:{self._password}")
            asked = digest("REGISTER:sip:127.0.0.1")
            response = digest(f"{secret}:{n}:00000001:c:auth:{asked}")
            self._authorization = (
                f'Authorization: Digest username="{self._name}",realm="{r}",'
                f'nonce="{n}",uri="sip:127.0.0.1",response="{response}",'
                'qop=auth,nc=00000001,cnonce="c"\r\n'
            )
            self._register()
            return
        assert data.startswith(b"SIP/2.0 200"), data
        if b" REGISTER" in cseq[1]:  # type: ignore[index]
            self._know(())
            asyncio.get_running_loop().call_later(self._pause, self._subscribe_all)

    def _take(self, data: bytes, addr: tuple[str, int]) -> None:
        self.latest = perf_counter()
        self.documents += 1
        self.size += len(data)
        head, _, body = data.partition(b"\r\n\r\n")
        echoed = [
            line
            for line in head.split(b"\r\n")
            if line.startswith((b"Via", b"From", b"To", b"Call-ID", b"CSeq"))
        ]
        answer = [b"SIP/2.0 200 OK", *echoed, b"Content-Length: 0\r\n\r\n"]
        self._transport.sendto(b"\r\n".join(answer), addr)
        if data.startswith(b"MESSAGE"):
            self._know(line for line in body.split(b"\r\n") if line.startswith(b"k="))
            return
        branch = re.search(rb"branch=([^;\s]+)", head)
        key = re.search(rb"\nFrom: <(sip:[^@]+)@", head)
        assert branch and key and b"<state>" in body, data
        self.again += branch[1] in self._noticed
        self._noticed.add(branch[1])
        self._know([key[1]])

    def _know(self, keys: Iterable[bytes]) -> None:
        self._known.update(keys)
        if len(self._known) == self._keys and self.whole is None:
            self.whole = self.latest
            if not self.done.done():
                self.done.set_result(None)


async def connect(plan: Plan) -> list[CrowdPhone]:
    """Return all phones, registered at once, when they know their keys."""
    loop = asyncio.get_running_loop()
    phones = []
    for number in range(plan.count):
        host = f"127.1.{number // 250}.{number % 250 + 1}"
        _, phone = await loop.create_datagram_endpoint(
            lambda number=number: CrowdPhone(FIRST + number, plan),  # type: ignore[misc]
            local_addr=(host, 0),
        )
        phones.append(phone)
    await asyncio.wait([phone.done for phone in phones], timeout=PATIENCE)
    return phones


async def register(plan: Plan) -> None:
    """Print the result of registering all phones."""
    begun = perf_counter()
    phones = await connect(plan)
    registered = Registered(
        complete=sum(phone.done.done() for phone in phones),
        seconds=perf_counter() - begun,
        repeated=sum(phone.repeated for phone in phones),
        again=sum(phone.again for phone in phones),
    )
    print(json.dumps(dataclasses.asdict(registered)))


async def stay(plan: Plan) -> None:
    """Print an empty line when all are registered, then news for each line of stdin."""
    phones = await connect(plan)
    assert all(phone.done.done() for phone in phones), "not all are registered"
    print(flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        whole = [phone.whole for phone in phones if phone.whole is not None]
        news = News(
            documents=[phone.documents for phone in phones],
            size=sum(phone.size for phone in phones),
            latest=max(phone.latest for phone in phones),
            whole=max(whole) if len(whole) == len(phones) else None,
        )
        print(json.dumps(dataclasses.asdict(news)), flush=True)
        for phone in phones:
            phone.forget()


if __name__ == "__main__":
    run = {"register": register, "stay": stay}[sys.argv[1]]
    asyncio.run(run(Plan(**json.loads(sys.argv[2]))))
