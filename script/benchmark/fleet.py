"""Thousands of phones, and an MQTT client beside them, in a process of their own.

Many phones share a socket. The process gets a `Plan` as JSON, then a line of JSON for
each thing to do, `[NAME, {ARGUMENT: VALUE}]`, and prints a line of JSON for each.
`Fleet` starts it. On Linux all processes read one clock, `perf_counter`.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
import dataclasses
from functools import partial
import gc
from itertools import count, cycle
import json
import re
import socket
import sys
from time import perf_counter
from typing import Any

from script.benchmark.bare_mqtt import BareClient
from script.benchmark.crowd import ROOT, T1, T2, digest

FIRST = 10_000
"""The extension of the first phone."""
OF_A_SOCKET = 100
"""Phones."""
BUFFER = 8 * 1024 * 1024
SO_RCVBUFFORCE = 33
"""Of Linux; Python has no name for it."""
PATIENCE = 60.0
"""Seconds without progress after which a phase ends."""
BASE = "snom_buttons"

_BRANCH = re.compile(rb"branch=(z9hG4bK[^;\r\n]+)")
_USER = re.compile(rb"MESSAGE sip:([^@]+)@")
_KEY = re.compile(rb"k=([^\r\n]+)\r\n((?:[^k\r].*\r\n)*)")
"""A key of a document, and the lines of its look."""
_NONCE = re.compile(rb'nonce="([^"]+)"')
_REALM = re.compile(rb'realm="([^"]+)"')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which phones there are, and their servers."""

    count: int
    keys: int
    password: str
    server: tuple[str, int]
    broker: int | None = None
    """The port of the broker; None without one."""
    login: tuple[str, str] = ("", "")


@dataclasses.dataclass(slots=True)
class Asking:
    """A request that is sent until it is answered."""

    phone: Phone
    datagram: bytes
    due: float
    interval: float
    answered: Callable[[bytes], None]


class Phone:
    """A phone: what it needs to register, and the keys that it knows."""

    __slots__ = ("cseq", "known", "name", "nonce", "transport", "uses")

    def __init__(self, name: str, transport: asyncio.DatagramTransport) -> None:
        """Make a phone without a registration."""
        self.name = name
        self.transport = transport
        self.cseq = 0
        self.nonce: tuple[str, str] | None = None
        """Realm and nonce of the last challenge."""
        self.uses = 0
        """How often the nonce was used."""
        self.known: set[bytes] = set()


class Socket(asyncio.DatagramProtocol):
    """A socket of many phones."""

    def __init__(self, phones: Phones) -> None:
        """Make it for the phones that it is part of."""
        self._phones = phones

    def connection_made(self, transport: Any) -> None:
        """Make room for what comes while another process has the processor."""
        bare = transport.get_extra_info("socket")
        try:
            bare.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        except PermissionError:
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Pass it on."""
        if data.startswith(b"SIP/2.0"):
            self._phones.answer_came(data)
        elif data.startswith(b"MESSAGE"):
            self._phones.document_came(data, addr, self.transport)


class Phones:
    """All phones of a plan, and the clients of the broker."""

    def __init__(self, plan: Plan) -> None:
        """Make no phone yet."""
        self.plan = plan
        self.phones: dict[str, Phone] = {}
        self.repeated = 0
        self.refused: dict[str, int] = {}
        """How often each final status other than 2xx and 401 came."""
        self.claims: dict[str, str] = {}
        """The bridge of each phone, as the broker has it."""
        self.left: dict[str, set[str]] = {}
        """The phones that each bridge had when the broker has published its will."""
        self.heard: Callable[[str, float], None] = lambda _number, _now: None
        """Gets what identifies an event that the broker sends, and when it came."""
        self.shown: Callable[[str, bytes, bytes, float], None] = lambda *_: None
        """Gets a phone, a key and its look of a document that has arrived, and when."""
        self._asking: dict[bytes, Asking] = {}
        self._serial = count()
        self._hand: BareClient | None = None
        self._host = plan.server[0]

    async def start(self) -> None:
        """Open all sockets, and connect the clients."""
        loop = asyncio.get_running_loop()
        transport: Any = None
        for number in range(self.plan.count):
            if number % OF_A_SOCKET == 0:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: Socket(self), local_addr=("127.0.0.1", 0)
                )
            name = f"{FIRST + number}"
            self.phones[name] = Phone(name, transport)
        self._sweeping = asyncio.create_task(self._sweep())
        if self.plan.broker is not None:
            broker, login = self.plan.broker, self.plan.login
            ear = await BareClient.connect(broker, login, self._received)
            for topic in (
                f"{BASE}/+/key/+/event",
                f"{BASE}/+/bridge",
                f"{BASE}/bridge/+/status",
                "bare/#",
            ):
                await ear.subscribe(topic)
            self._hand = await BareClient.connect(broker, login)

    @property
    def hand(self) -> BareClient:
        """The client that publishes."""
        assert self._hand is not None
        return self._hand

    def _received(self, topic: str, payload: bytes) -> None:
        now = perf_counter()
        if topic.endswith("/bridge"):
            fields = json.loads(payload)
            self.claims[topic.split("/")[1]] = fields["bridge"]
        elif topic.endswith("/status"):
            if payload == b"offline":
                bridge = topic.split("/")[2]
                # All claims of others come after its will.
                self.left[bridge] = {
                    it for it, claimed in self.claims.items() if claimed == bridge
                }
        else:
            self.heard(json.loads(payload)["number"], now)

    # Requests

    async def _sweep(self) -> None:
        """Repeat what has no answer (RFC 3261 17.1.2.2)."""
        while True:
            await asyncio.sleep(0.05)
            now = perf_counter()
            for asking in self._asking.values():
                if asking.due < now:
                    self.repeated += 1
                    asking.interval = min(2 * asking.interval, T2)
                    asking.due = now + asking.interval
                    self.send(asking.phone, asking.datagram)

    def send(self, phone: Phone, datagram: bytes) -> None:
        """Send a datagram to the server."""
        phone.transport.sendto(datagram, self.plan.server)

    def ask(
        self,
        phone: Phone,
        method: str,
        target: str,
        *,
        to: str,
        lines: str,
        answered: Callable[[bytes], None],
        body: str = "",
    ) -> None:
        """Send a request of a phone; `answered` gets its final answer."""
        serial = next(self._serial)
        branch = f"z9hG4bK{serial}"
        phone.cseq += 1
        name, (host, port) = phone.name, phone.transport.get_extra_info("sockname")[:2]
        call = f"r{name}" if method == "REGISTER" else f"c{serial}"
        datagram = (
            f"{method} {target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{port};branch={branch};rport\r\n"
            f"From: <sip:{name}@{self._host}>;tag=t{name}\r\n"
            f"To: <sip:{to}@{self._host}>\r\n"
            f"Call-ID: {call}\r\n"
            f"CSeq: {phone.cseq} {method}\r\n"
            f"Max-Forwards: 70\r\n{lines}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        now = perf_counter()
        self._asking[branch.encode()] = Asking(phone, datagram, now + T1, T1, answered)
        self.send(phone, datagram)

    def answer_came(self, data: bytes) -> None:
        """End the request that this is the final answer to."""
        branch = _BRANCH.search(data)
        if data.startswith(b"SIP/2.0 1") or branch is None:
            return
        asking = self._asking.pop(branch[1], None)
        if asking is not None:
            status = data[8:11].decode()
            if status[0] != "2" and status != "401":
                self.refused[status] = self.refused.get(status, 0) + 1
            asking.answered(data)

    def document_came(
        self, data: bytes, addr: tuple[str, int], transport: asyncio.DatagramTransport
    ) -> None:
        """Acknowledge a document, and learn its keys."""
        now = perf_counter()
        head, _, body = data.partition(b"\r\n\r\n")
        echoed = [
            line
            for line in head.split(b"\r\n")
            if line.startswith((b"Via", b"From", b"To", b"Call-ID", b"CSeq", b"Record"))
        ]
        answer = [b"SIP/2.0 200 OK", *echoed, b"Content-Length: 0\r\n\r\n"]
        transport.sendto(b"\r\n".join(answer), addr)
        user = _USER.match(data)
        phone = self.phones.get(user[1].decode()) if user else None
        if phone is not None:
            keys = _KEY.findall(body)
            phone.known.update(key for key, _ in keys)
            for key, look in keys:
                self.shown(phone.name, key, look, now)

    def register(self, phone: Phone, done: Callable[[bool], None]) -> None:
        """Register a phone, with the credentials of the last challenge if there are any."""
        name = phone.name
        port = phone.transport.get_extra_info("sockname")[1]
        lines = (
            f"Contact: <sip:{name}@127.0.0.1:{port};line=l{name}>"
            f';+sip.instance="<urn:uuid:{int(name):032x}>"\r\n'
            "User-Agent: snomD785/10.1.198.12\r\n"
            "Allow: INVITE, ACK, CANCEL, BYE, REFER, OPTIONS, NOTIFY, MESSAGE\r\n"
            "Supported: buttons\r\nExpires: 3600\r\n"
        )
        target = f"sip:{self._host}"
        if phone.nonce is not None:
            phone.uses += 1
            realm, nonce = phone.nonce
            uses = f"{phone.uses:08x}"
            secret = digest(f"{name}:{realm}:{self.plan.password}")
            asked = digest(f"REGISTER:{target}")
            response = digest(f"{secret}:{nonce}:{uses}:c:auth:{asked}")
            lines += (
                f'Authorization: Digest username="{name}",realm="{realm}",'
                f'nonce="{nonce}",uri="{target}",response="{response}",'
                f'qop=auth,nc={uses},cnonce="c"\r\n'
            )

        def answered(data: bytes) -> None:
            if data.startswith(b"SIP/2.0 401"):
                nonce, realm = _NONCE.search(data), _REALM.search(data)
                assert nonce and realm
                phone.nonce = realm[1].decode(), nonce[1].decode()
                phone.uses = 0
                self.register(phone, done)
            else:
                done(data.startswith(b"SIP/2.0 200"))

        self.ask(phone, "REGISTER", target, to=name, lines=lines, answered=answered)

    def press(self, phone: Phone, number: str, done: Callable[[bool], None]) -> None:
        """Press a key of a phone; `number` identifies the press on the broker."""
        key = 1 + int(number) % self.plan.keys
        self.ask(
            phone,
            "MESSAGE",
            f"sip:{phone.name}@{self._host}",
            to=number,
            lines="Proxy-Require: buttons\r\nContent-Type: application/x-buttons\r\n",
            body=f"k={key}\r\na=message\r\nt=<urn:uuid:{int(phone.name):032x}>\r\n",
            answered=lambda data: done(data.startswith(b"SIP/2.0 200")),
        )

    # What can be done

    async def claimed(self) -> dict[str, int]:
        """Wait until a bridge has claimed each phone."""
        await self._progresses(
            lambda: len(self.claims), lambda: len(self.claims) == len(self.phones)
        )
        bridges = [*self.claims.values()]
        return {name: bridges.count(name) for name in sorted(set(bridges))}

    async def register_all(self, window: int, whole: bool) -> dict[str, Any]:
        """Register all phones; if `whole`, wait until all know their keys."""
        self.repeated = 0
        self.refused.clear()
        for phone in self.phones.values():
            phone.known.clear()
        begun = perf_counter()
        good = await self._each(window, self.register)
        seconds = perf_counter() - begun
        keys = self.plan.keys if whole else 0

        def complete() -> int:
            return sum(len(phone.known) >= keys for phone in self.phones.values())

        await self._progresses(complete, lambda: complete() == len(self.phones))
        return {
            "good": good,
            "seconds": seconds,
            "whole": perf_counter() - begun,
            "complete": complete(),
            "refused": self.refused,
            "repeated": self.repeated,
        }

    async def _each(
        self, window: int, act: Callable[[Phone, Callable[[bool], None]], None]
    ) -> int:
        """Act with each phone, with so many under way; return how often it went well."""
        waiting = iter(self.phones.values())
        left, good = len(self.phones), 0
        ended = asyncio.Event()

        def done(well: bool) -> None:
            nonlocal left, good
            left -= 1
            good += well
            if not left:
                ended.set()
            else:
                following()

        def following() -> None:
            phone = next(waiting, None)
            if phone is not None:
                act(phone, done)

        for _ in range(window):
            following()
        await self._progresses(lambda: left, ended.is_set)
        return good

    async def press_all(self, number: int, rate: int, window: int) -> dict[str, Any]:
        """Press keys of all phones in turn: at a rate, or 0 for as fast as answered."""
        phones = cycle(self.phones.values())

        def press(name: str, done: Callable[[bool], None]) -> None:
            self.press(next(phones), name, done)

        return await self._flood(number, rate, window, press)

    async def bare_all(self, number: int, rate: int, window: int) -> dict[str, Any]:
        """Publish as many messages from one client to the other."""

        def publish(name: str, done: Callable[[bool], None]) -> None:
            payload = {
                "event_type": "press_end",
                "action": "message",
                "number": name,
                "time": "2026-01-01T00:00:00.000000+00:00",
                "id": f"{name:0>32}",
            }
            acknowledged = self.hand.publish("bare/44", json.dumps(payload).encode())
            acknowledged.add_done_callback(lambda _: done(True))

        return await self._flood(number, rate, window, publish)

    async def _flood(
        self,
        number: int,
        rate: int,
        window: int,
        act: Callable[[str, Callable[[bool], None]], None],
    ) -> dict[str, Any]:
        self.repeated = 0
        self.refused.clear()
        sent: dict[str, float] = {}
        heard: dict[str, float] = {}
        answered: dict[str, float] = {}
        copies = ended = 0
        room = asyncio.Event()
        ears = self._hand is not None

        def heard_one(name: str, now: float) -> None:
            nonlocal copies
            if name in heard or name not in sent:
                copies += 1
            else:
                heard[name] = now

        def done(name: str, well: bool) -> None:
            nonlocal ended
            if well:
                answered[name] = perf_counter()
            ended += 1
            room.set()

        self.heard = heard_one
        begun = perf_counter()
        for index in range(number):
            if rate:
                due = begun + index / rate
                await asyncio.sleep(max(0.0, due - perf_counter()))
            while len(sent) - ended >= window:
                room.clear()
                await room.wait()
            name = f"{next(self._serial)}"
            sent[name] = perf_counter()
            act(name, partial(done, name))
        lasted = perf_counter() - begun
        await self._progresses(
            lambda: ended + len(heard),
            lambda: ended == number and (not ears or len(heard) >= len(answered)),
            patience=5.0,
        )
        span = max((heard or answered).values(), default=begun) - begun
        return {
            "sent": number,
            "good": len(answered),
            "heard": len(heard),
            "copies": copies,
            "repeated": self.repeated,
            "refused": self.refused,
            "sent_rate": number / lasted,
            "rate": len(heard or answered) / span if span else 0.0,
            "seconds": perf_counter() - begun,
            "times": [now - sent[name] for name, now in heard.items()],
            "answers": [now - sent[name] for name, now in answered.items()],
        }

    async def set_all(self, number: int, rate: int) -> dict[str, Any]:
        """Publish a command for a key of each phone in turn; time the document."""
        sent: dict[str, float] = {}
        times: list[float] = []

        def shown(phone: str, key: bytes, _look: bytes, now: float) -> None:
            if key == b"1" and phone in sent:
                times.append(now - sent.pop(phone))

        self.shown = shown
        names = cycle(self.phones)
        begun = perf_counter()
        for index in range(number):
            due = begun + index / rate
            await asyncio.sleep(max(0.0, due - perf_counter()))
            name = next(names)
            sent[name] = perf_counter()
            # A look that does not change is not sent.
            self.hand.publish(f"{BASE}/{name}/key/1/set", b"TOGGLE")
        await self._progresses(lambda: len(times), lambda: len(times) == number, 5.0)
        return {
            "sent": number,
            "heard": len(times),
            "seconds": perf_counter() - begun,
            "times": times,
        }

    async def follow(self, bridge: str, begun: float, rate: int) -> dict[str, Any]:
        """Turn on a lamp of each phone of a bridge that has died; time the documents.

        The commands begin when the broker has published its will, and are sent once.
        """
        times: list[float] = []
        await self._progresses(lambda: 0, lambda: bridge in self.left)
        dark = self.left.get(bridge, set())
        total, commanded = len(dark), [*dark]

        def shown(phone: str, key: bytes, look: bytes, now: float) -> None:
            if key == b"2" and b"c=on\r\n" in look and phone in dark:
                dark.discard(phone)
                times.append(now - begun)

        self.shown = shown
        will = perf_counter()
        for index, name in enumerate(commanded):
            await asyncio.sleep(max(0.0, will + index / rate - perf_counter()))
            self.hand.publish(f"{BASE}/{name}/key/2/set", b"ON")
        await self._progresses(lambda: len(dark), lambda: not dark)
        return {"phones": total, "followed": len(times), "times": times}

    async def _progresses(
        self,
        figure: Callable[[], int],
        is_done: Callable[[], bool],
        patience: float = PATIENCE,
    ) -> None:
        """Wait until it is done, or a figure has not changed for so many seconds."""
        before, since = -1, perf_counter()
        while not is_done():
            if figure() != before:
                before, since = figure(), perf_counter()
            elif perf_counter() - since > patience:
                return
            await asyncio.sleep(0.02)

    @property
    def actions(self) -> dict[str, Callable[..., Awaitable[Any]]]:
        """What can be done, by its name."""
        return {
            "claimed": self.claimed,
            "register": self.register_all,
            "press": self.press_all,
            "bare": self.bare_all,
            "set": self.set_all,
            "follow": self.follow,
        }


class Fleet:
    """The process of the phones, as the benchmark sees it."""

    def __init__(self, process: Process) -> None:
        """Take a process that has started."""
        self.process = process

    async def do(self, name: str, **arguments: Any) -> Any:
        """Let the phones do something; return the result."""
        process = self.process
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps([name, arguments]).encode() + b"\n")
        line = await process.stdout.readline()
        assert line, "the phones failed"
        return json.loads(line)


@asynccontextmanager
async def fleet(plan: Plan) -> AsyncIterator[Fleet]:
    """Run the process of the phones."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "script.benchmark.fleet"),
        json.dumps(dataclasses.asdict(plan)),
        stdin=PIPE,
        stdout=PIPE,
        cwd=ROOT,
        limit=2**26,
    )
    assert process.stdin and process.stdout
    try:
        assert await process.stdout.readline(), "the phones failed"
        yield Fleet(process)
    finally:
        process.stdin.close()
        await process.wait()


async def main(plan: Plan) -> None:
    """Do what the lines of standard input say."""
    phones = Phones(plan)
    await phones.start()
    gc.freeze()
    print(flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        name, arguments = json.loads(line)
        print(json.dumps(await phones.actions[name](**arguments)), flush=True)


if __name__ == "__main__":
    raw = json.loads(sys.argv[1])
    asyncio.run(main(Plan(**{**raw, "server": tuple(raw["server"])})))
