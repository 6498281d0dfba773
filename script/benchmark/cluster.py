"""Bridges behind Kamailio, with a broker: throughput, delay, processor and memory.

Each figure stands beside the engine in a process alone, Kamailio alone, and the broker
alone. Phones and the MQTT client are in a process of their own, `fleet`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
import dataclasses
import json
import os
from pathlib import Path
import statistics
import tempfile
from time import perf_counter
from typing import Any

from custom_components.snom_buttons.engine.phones import (
    PhoneServer,
    PhoneSetup,
    ServerSettings,
)
from script.benchmark.fleet import FIRST, Fleet, Plan, fleet
from script.benchmark.phone import LOCALHOST
from script.benchmark.phones import SETUPS
from script.benchmark.table import show, times_shown
from tests.support.cluster import EDGE_HOST, LOGIN, Cluster, Part
from tests.support.ports import free_port
from tests.support.programs import program

PASSWORD = "not-a-secret"  # noqa: S105
KEYS = 12
WINDOW = 64
"""Requests under way where it goes as fast as it can."""
COMMANDED = 1_000
"""Commands a second to the phones of a bridge that has died."""
CALM = 0.15
"""Of one processor, below which bridges count as idle."""
REGISTRAR = Path(__file__).parent / "registrar.cfg"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    counts: Sequence[int]
    """Numbers of phones, the last of which is that of the other rows."""
    bridges: Sequence[int]
    presses: int
    rate: int
    """Presses and commands a second for the delays."""
    broker: str = "mosquitto"


QUICK = Size(counts=(20,), bridges=(2,), presses=100, rate=100)
WHOLE = Size(counts=(100, 1_000, 10_000), bridges=(1, 2, 4), presses=5_000, rate=300)


# Processor and memory, as Linux counts them


def group(pid: int) -> list[int]:
    """Return the processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(entry.name)):
            if stat[2] == f"{pid}":
                found.append(int(entry.name))
    return found


def _stat(pid: int | str) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on, none of one that ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError, ProcessLookupError:
        return []
    return text.rpartition(")")[2].split()


def cpu_of(*pids: int) -> float:
    """Return the processor seconds that process groups have used."""
    fields = [_stat(pid) for leader in pids for pid in {leader, *group(leader)}]
    return sum(int(it[11]) + int(it[12]) for it in fields if it) / TICKS


def memory_of(pid: int) -> float:
    """Return the resident KiB of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return float(line.split()[1])
    return 0.0


@dataclasses.dataclass(slots=True)
class Usage:
    """What groups of processes have used since `begin`, by their names."""

    groups: Mapping[str, Sequence[int]]
    _before: dict[str, float] = dataclasses.field(default_factory=dict)

    def begin(self) -> None:
        """Count from now on."""
        self._before = self._now()

    def each(self, count: int) -> dict[str, float]:
        """Return the microseconds of each group for each of so many."""
        now = self._now()
        return {it: (now[it] - self._before[it]) / count * 1e6 for it in now}

    def _now(self) -> dict[str, float]:
        return {name: cpu_of(*pids) for name, pids in self.groups.items()}


async def calm(pids: Sequence[int], patience: float = 120.0) -> None:
    """Wait until processes are idle."""
    begun = perf_counter()
    while perf_counter() - begun < patience:
        before = cpu_of(*pids)
        await asyncio.sleep(1.0)
        if cpu_of(*pids) - before < CALM * len(pids):
            return


# What is measured


class Quiet(Cluster):
    """A cluster whose broker writes no log, with room for what is under way at an edge."""

    def configure(self, bridge: str) -> None:
        """Write JSON, which is YAML, since that takes a tenth of the time."""
        text = json.dumps(self.settings[bridge], indent=0)
        self.file_of(bridge).write_text(text)

    def _make_mosquitto(self) -> None:
        super()._make_mosquitto()
        config = self.home / "mosquitto.conf"
        options = ("max_queued_messages 1000000", "persistence false")
        kept = [
            line
            for line in config.read_text().splitlines()
            if not line.startswith(("persistence", "max_queued"))
        ]
        config.write_text("\n".join([*kept, *options, ""]))
        self.brokers[-1] = Part(
            "mosquitto", [program("mosquitto"), "-c", config], self.home, " running"
        )


def shown_each(each: Mapping[str, float]) -> str:
    """Return a column of microseconds by process."""
    return ", ".join(f"{name} {value:,.0f}" for name, value in each.items()) + " µs"


def show_registered(what: str, count: int, done: Mapping[str, Any], each: str) -> None:
    """Print a row of registrations."""
    show(
        what,
        f"{count / done['seconds']:,.0f} /s",
        f"whole {done['whole']:.1f} s",
        f"{each}; {done['repeated']} sent again"
        + ("" if done["good"] == count else f"; refused {done['refused']}")
        + ("" if done["complete"] == count else f"; {done['complete']} complete"),
    )


def show_pressed(what: str, done: Mapping[str, Any], each: str) -> None:
    """Print a row of presses or messages."""
    notes = [each]
    if not done["sent"] == done["good"] == done["heard"] or done["copies"]:
        notes.append(f"{ ({n: done[n] for n in ('sent', 'good', 'heard', 'copies')}) }")
    if done["refused"] or done["repeated"]:
        notes.append(f"refused {done['refused']}, sent again {done['repeated']}")
    if done["times"]:
        notes.append(f"answered {times_shown(done['answers'])}")
    delay = times_shown(done["times"] or done["answers"])
    show(what, f"{done['rate']:,.0f} /s", delay, "; ".join(notes))


async def bench_engine(count: int, size: Size) -> None:
    """Measure the engine as the integration has it, without an edge and a broker."""
    server = PhoneServer(
        ServerSettings(host=LOCALHOST, port=0, realm="home", advertised_host=LOCALHOST)
    )
    for number in range(count):
        extension = f"{FIRST + number}"
        setup = PhoneSetup(extension=extension, password=PASSWORD, keys=SETUPS[:KEYS])
        server.add_phone(setup)
    await server.start()
    plan = Plan(count=count, keys=KEYS, password=PASSWORD, server=server.address[:2])
    usage = Usage({"engine": [os.getpid()]})
    try:
        async with fleet(plan) as phones:
            usage.begin()
            done = await phones.do("register", window=WINDOW, whole=True)
            each = shown_each(usage.each(count))
            show_registered(
                f"engine alone, {count:,} phones register", count, done, each
            )
            number = min(size.presses, 10 * count)
            usage.begin()
            done = await phones.do(
                "press", number=number, rate=size.rate, window=WINDOW
            )
            done["heard"] = done["good"]
            show_pressed("presses answered", done, shown_each(usage.each(number)))
    finally:
        await server.stop()


@asynccontextmanager
async def registrar(home: Path, port: int) -> AsyncIterator[Part]:
    """Run Kamailio alone."""
    command: list[str | Path] = [
        program("kamailio"),
        *("-DD", "-E", "-m", "256", "-M", "8", "-Y", home, "-f", REGISTRAR),
        *("-A", f"PORT={port}", "-A", f'PASSWORD="{PASSWORD}"'),
    ]
    part = Part("registrar", command, home, "the registrar is ready")
    await part.start()
    try:
        yield part
    finally:
        await part.end()


async def bench_registrar(count: int, size: Size) -> None:
    """Kamailio alone, with its own registrar and location service."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        async with registrar(Path(directory), port) as part:
            plan = Plan(
                count=count, keys=KEYS, password=PASSWORD, server=(EDGE_HOST, port)
            )
            usage = Usage({"Kamailio": [part.pid]})
            async with fleet(plan) as phones:
                usage.begin()
                done = await phones.do("register", window=WINDOW, whole=False)
                each = shown_each(usage.each(count))
                what = f"Kamailio alone, {count:,} phones register"
                show_registered(what, count, done, each)
                usage.begin()
                number = min(size.presses, 10 * count)
                done = await phones.do("press", number=number, rate=0, window=WINDOW)
                done["heard"] = done["good"]
                show_pressed("MESSAGEs answered", done, shown_each(usage.each(number)))


async def bench_broker(phones: Fleet, broker: Sequence[int], size: Size) -> None:
    """Measure the broker alone, between two clients."""
    usage = Usage({"broker": broker})
    for what, rate in (("as fast as acknowledged", 0), (f"{size.rate} /s", size.rate)):
        usage.begin()
        done = await phones.do("bare", number=size.presses, rate=rate, window=WINDOW)
        each = shown_each(usage.each(size.presses))
        show_pressed(f"broker alone, {what}", done, each)


async def bench_bridges(count: int, bridges: int, size: Size, *, alone: bool) -> None:
    """All figures of a cluster; also those of the broker `alone`."""
    extensions = [f"{FIRST + number}" for number in range(count)]
    phones = {it: {"password": PASSWORD, "keys": KEYS} for it in extensions}
    print(f"{bridges} bridges, {count:,} phones, {size.broker}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        begun = perf_counter()
        home = Path(directory)
        cluster = Quiet(
            home, phones=phones, bridges=bridges, broker=size.broker, nodes=1
        )
        async with cluster:
            members = [part.pid for part in cluster.bridges.values()]
            started = perf_counter() - begun
            usage = Usage(
                {
                    "bridges": members,
                    "Kamailio": [cluster.edge.pid],
                    "broker": [part.pid for part in cluster.brokers],
                }
            )
            plan = Plan(
                count=count,
                keys=KEYS,
                password=PASSWORD,
                server=cluster.address,
                broker=cluster.broker_ports[0],
                login=LOGIN,
            )
            async with fleet(plan) as peers:
                await _bench_peers(
                    cluster,
                    peers,
                    usage,
                    size,
                    count=count,
                    started=started,
                    alone=alone,
                )


async def _bench_peers(
    cluster: Cluster,
    phones: Fleet,
    usage: Usage,
    size: Size,
    *,
    count: int,
    started: float,
    alone: bool,
) -> None:
    members = usage.groups["bridges"]
    begun = perf_counter()
    await phones.do("claimed")
    await calm(members)
    took = started + perf_counter() - begun
    show("until all phones are claimed and published", f"{took:.1f} s", "", "")
    if alone:
        await bench_broker(phones, usage.groups["broker"], size)
    for what, whole in (("register and get all keys", True), ("register again", False)):
        usage.begin()
        done = await phones.do("register", window=WINDOW, whole=whole)
        each = usage.each(count)
        await calm(members)
        settled = usage.each(count)["bridges"]
        note = f"{shown_each(each)} ({settled:,.0f} with what is published after)"
        show_registered(what, count, done, note)
    memory = [memory_of(pid) for pid in members]
    show(
        "memory of the bridges",
        f"{sum(memory) / 1024:,.0f} MiB",
        f"{sum(memory) / count:.1f} KiB/phone",
        " ".join(f"{it / 1024:,.0f}" for it in memory),
    )
    number = min(size.presses, 10 * count)
    for what, rate in (("as fast as answered", 0), (f"{size.rate} /s", size.rate)):
        usage.begin()
        done = await phones.do("press", number=number, rate=rate, window=WINDOW)
        show_pressed(f"presses, {what}", done, shown_each(usage.each(number)))
        await calm(members)
    number = min(size.presses, count)
    usage.begin()
    done = await phones.do("set", number=number, rate=size.rate)
    used = shown_each(usage.each(number))
    show(
        f"set to datagram, {size.rate} /s",
        f"{done['heard']:,} of {done['sent']:,}",
        times_shown(done["times"]),
        used,
    )
    if len(cluster.bridges) > 1:
        await _bench_death(cluster, phones)


async def _bench_death(cluster: Cluster, phones: Fleet) -> None:
    name = max(cluster.bridges)
    left = [part.pid for it, part in cluster.bridges.items() if it != name]
    usage = Usage({"bridges": left})
    usage.begin()
    killed = perf_counter()
    await cluster.bridges[name].kill()
    done = await phones.do("follow", bridge=name, begun=killed, rate=COMMANDED)
    times = done["times"]
    await calm(left)
    show(
        f"a bridge of {done['phones']:,} phones is killed",
        f"{done['followed']:,} follow",
        f"{statistics.median(times):.2f} / {max(times):.2f} s" if times else "none",
        "median / last until a lamp follows a command; until all is published: "
        + shown_each(usage.each(done["phones"])),
    )


async def bench_cluster(size: Size) -> None:
    """Print all figures."""
    load = os.getloadavg()[0]
    print(f"load {load:.1f}, {os.cpu_count()} processors", flush=True)
    show("what", "rate", "median / 99 %", "processor for each")
    most = size.counts[-1]
    for count in size.counts:
        await bench_engine(count, size)
    await bench_registrar(most, size)
    for count in size.counts[:-1]:
        await bench_bridges(count, size.bridges[0], size, alone=False)
    for bridges in size.bridges:
        alone = bridges == size.bridges[0]
        await bench_bridges(most, bridges, size, alone=alone)
