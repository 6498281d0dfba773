"""Phones that register at once, each from an address of its own: ten, a hundred, a thousand.

The phones are a process of their own, so that they take nothing from the server that is
measured: it is this script with port, number of phones, keys and password as JSON, and
what came of it as JSON back. Run alone it prints its part of `script/bench`.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
from pathlib import Path
import re
import sys
from time import perf_counter
import tracemalloc
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from custom_components.snom_buttons.engine.phones import (
    Action,
    KeyDescription,
    KeySetup,
    PhoneServer,
    PhoneSetup,
    ServerSettings,
)

KEYS = 24
PASSWORD = "not a secret"  # noqa: S105
T1, T2 = 0.5, 4.0
PATIENCE = 120.0


def digest(text: str) -> str:
    """Return the MD5 of a text."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Desk(asyncio.DatagramProtocol):
    """Registers, and takes documents until it knows all its keys."""

    def __init__(self, number: int, port: int, keys: int, password: str) -> None:
        """Make phone `number`, named so, which begins when it is connected."""
        self.done = asyncio.get_running_loop().create_future()
        self.registered_after: float | None = None
        self.repeated = 0
        self.documents = 0
        self.latest = 0.0
        """When the latest document came."""
        self._name = f"{number}"
        self._server = ("127.0.0.1", port)
        self._keys = keys
        self._password = password
        self._known: set[bytes] = set()
        self._cseq = 0
        self._authorization = ""
        self._interval = T1
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Register."""
        self._transport = transport
        self._host, self._port = transport.get_extra_info("sockname")
        self._begun = perf_counter()
        self._register()

    def _register(self) -> None:
        self._cseq += 1
        name, place = self._name, f"{self._host}:{self._port}"
        self._request = (
            "REGISTER sip:127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {place};branch=z9hG4bK{name}x{self._cseq};rport\r\n"
            f"From: <sip:{name}@127.0.0.1>;tag=t{name}\r\n"
            f"To: <sip:{name}@127.0.0.1>\r\n"
            f"Call-ID: call-{name}\r\n"
            f"CSeq: {self._cseq} REGISTER\r\n"
            "Max-Forwards: 70\r\n"
            f"Contact: <sip:{name}@{place};line=l{name}>"
            f';+sip.instance="<urn:uuid:{int(name):032x}>"\r\n'
            "User-Agent: snomD785/10.1.198.12\r\n"
            "Allow: INVITE, ACK, CANCEL, BYE, REFER, OPTIONS, NOTIFY, MESSAGE\r\n"
            f"Supported: buttons\r\nExpires: 3600\r\n{self._authorization}"
            "Content-Length: 0\r\n\r\n"
        ).encode()
        self._interval = T1
        self._send()

    def _send(self) -> None:
        self._transport.sendto(self._request, self._server)
        self._timer = asyncio.get_running_loop().call_later(
            self._interval, self._repeat
        )

    def _repeat(self) -> None:
        self.repeated += 1
        self._interval = min(2 * self._interval, T2)
        self._send()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take an answer, or a document."""
        if data.startswith(b"MESSAGE"):
            self._take(data, addr)
            return
        if f"CSeq: {self._cseq} REGISTER".encode() not in data:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
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
        elif data.startswith(b"SIP/2.0 200") and self.registered_after is None:
            self.registered_after = perf_counter() - self._begun

    def _take(self, data: bytes, addr: tuple[str, int]) -> None:
        self.latest = perf_counter()
        self.documents += 1
        head, _, body = data.partition(b"\r\n\r\n")
        echoed = [
            line
            for line in head.split(b"\r\n")
            if line.startswith((b"Via", b"From", b"To", b"Call-ID", b"CSeq"))
        ]
        answer = [b"SIP/2.0 200 OK", *echoed, b"Content-Length: 0\r\n\r\n"]
        self._transport.sendto(b"\r\n".join(answer), addr)
        self._known.update(
            line for line in body.split(b"\r\n") if line.startswith(b"k=")
        )
        if len(self._known) == self._keys and not self.done.done():
            self.done.set_result(perf_counter() - self._begun)


async def connect(port: int, count: int, keys: int, password: str) -> list[Desk]:
    """Have all phones register at once; return them when they know their keys."""
    loop = asyncio.get_running_loop()
    phones = []
    for number in range(count):
        host = f"127.1.{number // 250}.{number % 250 + 1}"
        _, phone = await loop.create_datagram_endpoint(
            lambda number=number: Desk(number + 1000, port, keys, password),  # type: ignore[misc]
            local_addr=(host, 0),
        )
        phones.append(phone)
    await asyncio.wait([p.done for p in phones], timeout=PATIENCE)
    return phones


async def measure(port: int, count: int, keys: int, password: str) -> dict[str, Any]:
    """Have all phones register at once; return how long it took."""
    begun = perf_counter()
    phones = await connect(port, count, keys, password)
    return {
        "complete": sum(phone.done.done() for phone in phones),
        "seconds": perf_counter() - begun,
        "repeated": sum(phone.repeated for phone in phones),
        "registered": sum(p.registered_after is not None for p in phones),
    }


# The server


async def serve(count: int, *, traced: bool) -> tuple[dict[str, Any], float, float]:
    """Return what the phones measured, and KiB per phone: now, and at most."""
    keys = tuple(
        KeySetup(
            off=KeyDescription(
                name=f"{number}",
                action=Action.MESSAGE,
                number=f"key{number}",
                label=f"Key number {number}",
            )
        )
        for number in range(1, KEYS + 1)
    )
    gc.collect()
    if traced:
        tracemalloc.start()
    server = PhoneServer(
        ServerSettings(
            host="127.0.0.1", port=0, realm="ha", advertised_host="127.0.0.1"
        )
    )
    for number in range(count):
        server.add_phone(
            PhoneSetup(extension=f"{number + 1000}", password=PASSWORD, keys=keys)
        )
    await server.start()
    plan = {
        "port": server.address[1],
        "count": count,
        "keys": KEYS,
        "password": PASSWORD,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, json.dumps(plan), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    used = most = 0
    if traced:
        gc.collect()
        used, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    in_sync = sum(phone.in_sync for phone in server.phones.values())
    await server.stop()
    measured: dict[str, Any] = json.loads(out)
    assert measured["complete"] == in_sync == count, (measured, in_sync)
    return measured, used / count / 1024, most / count / 1024


async def bench_phones(counts: tuple[int, ...] = (10, 100, 1_000)) -> None:
    """Print how long it takes until all phones show their keys, and the memory."""
    for count in counts:
        measured, _, _ = await serve(count, traced=False)
        _, used, most = await serve(count, traced=True)
        seconds = measured["seconds"]
        print(
            f"{count:>6,} phones of {KEYS} keys at once: {seconds:.2f} s until all show"
            f" their keys ({seconds / count * 1000:.1f} ms each), {measured['repeated']}"
            f" REGISTERs sent again, none lost; {used:.1f} KiB a phone,"
            f" at most {most:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(measure(**json.loads(sys.argv[1])))))
    else:
        asyncio.run(bench_phones())
