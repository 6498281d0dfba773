"""Floods from strangers and from registered phones, and what another phone notices."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
import random
import socket
import sys
from tempfile import TemporaryDirectory
from time import monotonic

from custom_components.snom_buttons.engine.provisioning import GROUP, PORT
from tests.support.announcements import SNOM_370
from tests.support.messages import LONG
from tests.support.rawphone import RawPhone

from .besieged import CROWD, PASSWORD, ROOT, Besieged, Watched, besieged
from .demo import Demo, demo_of, demo_process
from .patience import PATIENCE
from .programs import program

SCENARIO = Path(__file__).parents[1] / "wire" / "sipp" / "flood.xml"
CALLS_A_SECOND = 5000
"""Each is an INVITE, a REGISTER and an OPTIONS."""
JUNK_A_SECOND = 2000
ANNOUNCEMENTS_A_SECOND = 2000
FLOODING = "127.0.5.1"
BABBLING = "127.0.6.1"
PRESS_EVERY = 0.1


@dataclass
class Figures:
    """The result of a flood."""

    sent: int
    """Requests that the flood sent."""
    seconds: float
    """How long it took."""
    presses: int
    events: int
    times: list[float]
    """Seconds from each press to its event, shortest first."""
    before: float
    """Resident memory in MiB."""
    peak: float
    after: float
    processor: float
    """The share of one processor that the server used."""

    @property
    def p99(self) -> float:
        return self.times[min(len(self.times) - 1, len(self.times) * 99 // 100)]

    def __str__(self) -> str:
        return (
            f"{self.sent} requests in {self.seconds:.1f} s"
            f" ({self.sent / self.seconds:.0f}/s): {self.events} of {self.presses}"
            f" presses became events, the median in {self._ms(self.times[len(self.times) // 2])},"
            f" p99 in {self._ms(self.p99)}, the slowest in {self._ms(self.times[-1])};"
            f" memory {self.before:.1f} MiB before, {self.peak:.1f} at most,"
            f" {self.after:.1f} after; {self.processor:.0%} of a processor"
        )

    @staticmethod
    def _ms(seconds: float) -> str:
        return f"{seconds * 1000:.1f} ms"


type Flood = Callable[[Besieged, float], Awaitable[tuple[int, float]]]
"""Floods a server for some seconds; returns the requests sent and the seconds taken."""
type HomeFlood = Callable[[Demo, float], Awaitable[tuple[int, float]]]
"""The same for Home Assistant."""


async def besiege(seconds: float, flood: Flood | None = None) -> Figures:
    """Flood a server for some seconds, while a phone presses a key again and again."""
    async with (
        besieged() as server,
        RawPhone(server.addresses["UDP"], "44", PASSWORD) as desk,
    ):
        assert (await desk.register()).status == 200
        await desk.shows("4")
        return await _measure(
            server,
            lambda number: desk.press("1", number=number),
            (flood or strangers)(server, seconds),
        )


async def besiege_home(seconds: float, flood: HomeFlood) -> Figures:
    """Flood the demo's Home Assistant, while a phone presses a key again and again.

    A press takes until a client of its API hears of the event.
    """
    with TemporaryDirectory() as folder:
        directory = Path(folder) / "demo"
        with demo_process(directory, "--no-phone") as pid:
            async with (
                demo_of(directory, pid) as demo,
                demo.phone("44") as desk,
                demo.changes(demo.entity("44", "4", "press")) as states,
            ):
                assert (await desk.register()).status == 200
                await desk.shows("12")
                home = Watched(demo.home_assistant)

                async def listen() -> None:
                    while state := await states.get():
                        if state["state"] not in ("unknown", "unavailable"):
                            home.note(f"key{len(home.pressed)}", monotonic())

                listening = asyncio.create_task(listen())
                figures = await _measure(
                    home,
                    lambda _: desk.press("4"),
                    flood(demo, seconds),
                )
                listening.cancel()
                return figures


async def _measure(
    server: Watched,
    press: Callable[[str], Coroutine[None, None, object]],
    flood: Awaitable[tuple[int, float]],
) -> Figures:
    """Return the figures of a flood; `press` gets a number for each press."""
    for number in range(10):
        await press(f"first{number}")
    await server.presses(10)
    server.pressed.clear()
    before = server.memory
    worked = server.processor
    begun = monotonic()
    flooding = asyncio.ensure_future(flood)
    pressed: dict[str, float] = {}
    pressing = []
    while not flooding.done():
        number = f"key{len(pressed)}"
        pressed[number] = monotonic()
        pressing.append(asyncio.create_task(press(number)))
        await asyncio.sleep(PRESS_EVERY)
    lasted = monotonic() - begun
    processor = (server.processor - worked) / lasted
    await asyncio.gather(*pressing)
    await server.presses(len(pressed))
    await asyncio.sleep(0.5)
    times = sorted(at - pressed[number] for number, at in server.pressed)
    sent, took = await flooding
    return Figures(
        sent=sent,
        seconds=took,
        presses=len(pressed),
        events=len({number for number, _ in server.pressed}),
        times=times,
        before=before,
        peak=server.peak,
        after=server.memory,
        processor=processor,
    )


async def strangers(server: Besieged, seconds: float) -> tuple[int, float]:
    """Flood from two addresses without a registration."""
    figures, _ = await asyncio.gather(_flood(server, seconds), _babble(server, seconds))
    return figures


async def one_phone(server: Besieged, seconds: float) -> tuple[int, float]:
    """Press keys 10,000 times a second on one registered phone."""
    return await _hammer(server, seconds, CROWD[:1], 10_000)


async def one_phone_that_subscribes(
    server: Besieged, seconds: float
) -> tuple[int, float]:
    """Begin 10,000 subscriptions a second to a key of one registered phone."""
    return await _hammer(server, seconds, CROWD[:1], 10_000, "subscribe")


async def hundred_phones(server: Besieged, seconds: float) -> tuple[int, float]:
    """Press keys 100 times a second on each of a hundred registered phones."""
    return await _hammer(server, seconds, CROWD, 100)


async def one_phone_that_registers(
    server: Besieged, seconds: float
) -> tuple[int, float]:
    """Register ten contacts of one phone, again and again."""
    host, port = server.addresses["UDP"]
    return await _run("reregister", host, f"{port}", f"{seconds}", CROWD[0])


async def announcements(server: Besieged, seconds: float) -> tuple[int, float]:
    """Announce 2,000 phones a second by multicast, each with another address."""
    return await _announce(server.addresses["UDP"][1], seconds)


async def _announce(port: int, seconds: float) -> tuple[int, float]:
    begun = monotonic()
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(
            socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1")
        )
        while monotonic() < begun + seconds:
            for _ in range(ANNOUNCEMENTS_A_SECOND // 100):
                mac = f"000413{sent % 2**24:06X}".encode()
                datagram = SNOM_370.replace(b"000413AABBCC", mac)
                sender.sendto(datagram, (GROUP, port))
                sent += 1
            wait = begun + sent / ANNOUNCEMENTS_A_SECOND - monotonic()
            await asyncio.sleep(max(0.0, wait))
    return sent, monotonic() - begun


async def hundred_strangers(server: Besieged, seconds: float) -> tuple[int, float]:
    """Send 1.5 long REGISTERs a second from each of a hundred addresses."""
    begun = monotonic()
    sent = 0
    with ExitStack() as stack:
        senders = []
        for number in range(100):
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            senders.append(stack.enter_context(sender))
            sender.setblocking(False)
            sender.bind((f"127.0.7.{number + 1}", 0))
        while monotonic() < begun + seconds:
            senders[sent % 100].sendto(LONG, server.addresses["UDP"])
            sent += 1
            await asyncio.sleep(begun + sent / 150 - monotonic())
    return sent, monotonic() - begun


async def hundred_strangers_by_tcp(
    server: Besieged, seconds: float
) -> tuple[int, float]:
    """Send long REGISTERs by TCP from each of a hundred addresses, as fast as possible."""
    host, port = server.addresses["TCP"]
    return await _run("clamour", host, f"{port}", f"{seconds}")


FLOODS: dict[str, Flood] = {
    "strangers": strangers,
    "a hundred strangers with long requests": hundred_strangers,
    "the same by TCP, as fast as they are read": hundred_strangers_by_tcp,
    "phones that announce themselves by multicast": announcements,
    "one registered phone": one_phone,
    "one phone that registers again and again": one_phone_that_registers,
    "one phone that subscribes again and again": one_phone_that_subscribes,
    "a hundred registered phones": hundred_phones,
}


async def calm(demo: Demo, seconds: float) -> tuple[int, float]:
    """Send nothing."""
    await asyncio.sleep(seconds)
    return 0, seconds


async def announcements_at_home(demo: Demo, seconds: float) -> tuple[int, float]:
    """Announce 2,000 phones a second; those that are read are remembered and shown."""
    return await _announce(PORT, seconds)


async def guesses(demo: Demo, seconds: float) -> tuple[int, float]:
    """Guess secrets of settings files by 16 connections, each as fast as it is answered."""
    return await _run("guesser", demo.details["url"], f"{seconds}", "16")


HOME_FLOODS: dict[str, HomeFlood] = {
    "a Home Assistant that is left alone": calm,
    "phones that announce themselves to Home Assistant": announcements_at_home,
    "wrong secrets of settings files": guesses,
}


async def _hammer(
    server: Besieged,
    seconds: float,
    extensions: tuple[str, ...],
    rate: int,
    what: str = "press",
) -> tuple[int, float]:
    """Let phones of another process press keys, or subscribe to them, each at a rate."""
    host, port = server.addresses["UDP"]
    return await _run(
        "hammer", what, host, f"{port}", f"{rate}", f"{seconds}", *extensions
    )


async def _run(module: str, *arguments: str) -> tuple[int, float]:
    """Let another process flood; return what it prints: the requests and the seconds."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.support.{module}", *arguments),
        stdin=DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    sent, took = said.split()
    return int(sent), float(took)


async def _flood(server: Besieged, seconds: float) -> tuple[int, float]:
    """Let sipp flood; return how many requests it sent, in how many seconds."""
    host, port = server.addresses["UDP"]
    calls = int(CALLS_A_SECOND * seconds)
    with TemporaryDirectory() as folder:
        begun = monotonic()
        process = await asyncio.create_subprocess_exec(
            *(program("sipp"), f"{host}:{port}", "-sf", str(SCENARIO), "-i", FLOODING),
            *("-r", f"{CALLS_A_SECOND}", "-m", f"{calls}", "-nd", "-nr", "-nostdin"),
            *("-deadcall_wait", "0", "-timeout", f"{PATIENCE:.0f}s"),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            cwd=folder,
        )
        assert await process.wait() == 0
        return 3 * calls, monotonic() - begun


async def _babble(server: Besieged, seconds: float) -> None:
    """Send random bytes for some seconds."""
    noise = random.Random(0)
    until = monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as babbler:
        babbler.setblocking(False)
        babbler.bind((BABBLING, 0))
        while monotonic() < until:
            for _ in range(JUNK_A_SECOND // 100):
                data = noise.randbytes(noise.randrange(1400))
                babbler.sendto(data, server.addresses["UDP"])
            await asyncio.sleep(0.01)
