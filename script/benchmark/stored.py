"""What the state of a bridge costs on the broker, beside a SQLite database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
import json
from pathlib import Path
import resource
import sqlite3
import statistics
import tempfile
from time import perf_counter, process_time

from bridge.client import BridgeClient
from bridge.seal import Seal
from bridge.settings import MqttSettings
from bridge.stored import Stored
from script.benchmark.table import show
from snom_buttons.mqtt import Message, MqttPublisher, MqttSetup, Topics
from snom_buttons.phones import KeySetup, PhoneServer, PhoneSetup, ServerSettings
from snom_buttons.sip import Flow
from snom_buttons.xbuttons import Action, KeyDescription
from tests.support.mqtt_peers import Broker
from tests.support.ports import LOCALHOST, free_port

BASE = "snom_buttons"
KEYS = 12
CHANGES = 500


def server_of(count: int, prove: Seal) -> PhoneServer:
    """Return a server with phones of KEYS keys, registered by one binding each."""
    server = PhoneServer(
        ServerSettings(host=LOCALHOST, port=0, realm="r", advertised_host=LOCALHOST),
        asyncio.get_running_loop().time,
        prove=prove.prove,
    )
    keys = tuple(
        KeySetup(
            off=KeyDescription(
                name=f"{n}", action=Action.MESSAGE, number=f"key{n}", label=f"Key {n}"
            )
        )
        for n in range(1, KEYS + 1)
    )
    for number in range(count):
        extension = f"{10_000 + number}"
        server.add_phone(PhoneSetup(extension=extension, password="x", keys=keys))  # noqa: S106
        server.restore_phone(extension, _registered(server, extension, number))
    return server


def _registered(server: PhoneServer, extension: str, number: int) -> dict[str, object]:
    """Return the snapshot of a phone, with a registration that does not end."""
    flow = Flow("UDP", LOCALHOST, 1024 + number % 60_000)
    contact = f"<sip:{extension}@{flow.host}:{flow.port};line=x>"
    binding = {
        "user": extension,
        "aor": f"sip:{extension}@{LOCALHOST}",
        "contact": contact,
        "flow": [*flow[:3]],
        "call_id": f"313531{extension}@{LOCALHOST}",
        "cseq": 1,
        "expires_at": 4e9,
        "instance": f"<urn:uuid:00000000-0000-0000-0000-{number:012}>",
        "user_agent": "snomD785/10.1.198.12 0004130DD7C9",
        "supports_buttons": True,
        "path": [],
        "forwarded": False,
    }
    return {**server.phone_snapshot(extension), "bindings": [binding]}


@asynccontextmanager
async def connected(
    directory: Path, *options: str
) -> AsyncIterator[tuple[Broker, BridgeClient]]:
    """Run a Mosquitto that logs nothing, and a client of it."""
    port = free_port()
    quiet = ("log_type none", "log_type information")
    async with Broker(directory, port, *quiet, *options) as broker:
        setup = MqttSetup(base=BASE, commands=True, discovery=False)
        client = BridgeClient(
            MqttSettings(hosts=((LOCALHOST, port),), setup=setup), f"{BASE}/status"
        )
        there = asyncio.Event()
        client.changed.subscribe(lambda _: there.set())
        client.start()
        await there.wait()
        try:
            yield broker, client
        finally:
            await client.stop()


def _times(times: list[float], cpu: float) -> str:
    quantiles = statistics.quantiles(times, n=100)
    return (
        f"{quantiles[49] * 1e3:.2f}/{quantiles[98] * 1e3:.2f} ms,"
        f" {cpu / len(times) * 1e6:.0f} us CPU"
    )


async def _publishing(client: BridgeClient, changes: Iterator[tuple[str, str]]) -> str:
    times, begun = [], process_time()
    for topic, payload in changes:
        sent = perf_counter()
        await client.publish(Message(topic, payload, retain=True))
        times.append(perf_counter() - sent)
    return _times(times, process_time() - begun)


def _committing(path: Path, mode: str, changes: Iterator[tuple[str, str]]) -> str:
    """Return what a transaction of SQLite costs for each change."""
    with closing(sqlite3.connect(path, autocommit=True)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(f"PRAGMA synchronous={mode}")
        database.execute("CREATE TABLE IF NOT EXISTS stored(phone PRIMARY KEY, data)")
        times, begun = [], process_time()
        for topic, payload in changes:
            sent = perf_counter()
            database.execute("REPLACE INTO stored VALUES (?, ?)", (topic, payload))
            times.append(perf_counter() - sent)
        return _times(times, process_time() - begun)


async def bench_stored(*counts: int) -> None:
    """Print what a change of a lamp costs, and a start with each number of phones."""
    seal = Seal("secret", BASE)
    topics = Topics(BASE)
    server = server_of(100, seal)
    extensions = [*server.phones]

    def change(number: int) -> tuple[str, str]:
        extension = extensions[number % len(extensions)]
        server.phones[extension].keys["3"].turn(number % 2 == 0)
        topic = topics.stored(extension)
        fields = {
            "epoch": 0,
            "bridge": "",
            "keys": [*server.phones[extension].keys],
            "phone": server.phone_snapshot(extension),
        }
        return topic, seal.write(topic, fields)

    begun = process_time()
    changes = [change(number) for number in range(CHANGES)]
    each = (process_time() - begun) / CHANGES
    size = len(changes[-1][1])
    show("state of a phone of 12 keys", f"{each * 1e6:.0f} us CPU", f"{size} bytes")
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "kept").mkdir(mode=0o777)
        kept = ("persistence true", f"persistence_location {directory}/kept/")
        for what, options in (("in memory", ()), ("persistent", kept)):
            async with connected(directory, *options) as (_, client):
                published = await _publishing(client, iter(changes))
                bare = await _publishing(client, ((it, "x") for it, _ in changes))
            show(f"a change, Mosquitto {what}", published, bare)
        for mode in ("NORMAL", "FULL"):
            committed = _committing(directory / mode, mode, iter(changes))
            bare = _committing(
                directory / f"{mode}2", mode, (("x", "x") for _ in changes)
            )
            show(f"a change, SQLite {mode}", committed, bare)
        for count in counts:
            await _bench_start(directory, count, seal)


async def _bench_start(directory: Path, count: int, seal: Seal) -> None:
    """Print the seconds of a start, and the memory of copies."""
    topics = Topics(BASE)
    before = server_of(count, seal)
    async with connected(directory) as (_, client):
        publisher = MqttPublisher(client, asyncio.get_running_loop().time)
        stored = Stored(client, publisher, before, topics, seal)
        for extension in before.phones:
            stored.add_phone(extension)
            await asyncio.sleep(0)
        payloads = {it: publisher.state_of(topics.stored(it)) for it in before.phones}
        await publisher.close(60.0)
        after = server_of(count, seal)
        again = Stored(client, publisher, after, topics, seal)
        held = _megabytes()
        sent, begun = perf_counter(), process_time()
        await again.read([*after.phones])
        read, cpu = perf_counter() - sent, process_time() - begun
        held = _megabytes() - held
        sent = perf_counter()
        for extension in after.phones:
            after.restore_phone(extension, again.copy_of(extension))
        restored = perf_counter() - sent
    with closing(sqlite3.connect(directory / "start", autocommit=True)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS stored(phone PRIMARY KEY, data)")
        database.execute("BEGIN")
        database.executemany("REPLACE INTO stored VALUES (?, ?)", payloads.items())
        database.execute("COMMIT")
        sent = perf_counter()
        rows = database.execute("SELECT * FROM stored").fetchall()
        selected = perf_counter() - sent
        parsed = _seconds(lambda: [json.loads(data) for _, data in rows])
    show(
        f"a start, {count:,} phones, read",
        f"{read:.2f} s, {cpu:.2f} s CPU",
        f"{selected:.2f} s",
    )
    show(f"a start, {count:,} phones, restore", f"{restored:.2f} s", f"{parsed:.2f} s")
    show(f"copies of {count:,} phones", f"{held * 1024 / count:.1f} KiB each")


def _seconds(function: Callable[[], object]) -> float:
    begun = perf_counter()
    function()
    return perf_counter() - begun


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
