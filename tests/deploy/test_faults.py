"""A cluster as processes, of which parts are killed, stopped and restarted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
import time

import pytest

from tests.support.cluster import Cluster
from tests.support.cluster_peers import EdgeRelay, TcpRelay
from tests.support.mqtt_peers import MqttClient
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST
from tests.support.press_flood import Flood, phones_at
from tests.support.rawphone import RawPhone

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

PASSWORD = "geheim-44"
TOGGLE, LIT, COMMANDED, LINE = "1", "2", "3", "4"
KEYS = {
    TOGGLE: {"name": "Toggle", "kind": "switch", "toggle": True},
    LIT: {"name": "Lit"},
    COMMANDED: {"name": "Commanded"},
    LINE: {"name": "Line"},
}
EXTENSIONS = [f"{number}" for number in range(44, 52)]
PHONES = {it: {"password": PASSWORD, "keys": KEYS} for it in EXTENSIONS}
LINES = {"co2": {"name": "Outside", "keys": dict.fromkeys(EXTENSIONS, LINE)}}
BASE = "snom_buttons"
SLOW = 1.2
"""Seconds until the broker has what a bridge publishes: less than BLIND of bridge/cluster.py."""
CUT = 30.0
"""Seconds for which a bridge is cut off."""


def owner(client: MqttClient, extension: str) -> str:
    """Return the bridge in the newest claim of a phone, "" without one."""
    claims = [it for it in client.on(f"{BASE}/{extension}/bridge") if it.payload]
    return str(claims[-1].json["bridge"]) if claims else ""


async def light_up(client: MqttClient, phones: list[RawPhone], key: str) -> None:
    """Light a lamp of each phone by a command, and wait until it shines."""
    for phone in phones:
        client.publish(f"{BASE}/{phone.extension}/key/{key}/set", "ON")
    await asyncio.gather(*(phone.shows(key, c="on") for phone in phones))


@asynccontextmanager
async def running(
    cluster: Cluster,
) -> AsyncIterator[tuple[MqttClient, list[RawPhone]]]:
    """Run a cluster; yield a subscriber, and phones that shine."""
    async with (
        cluster,
        MqttClient(cluster.broker_ports[0]) as client,
        phones_at(cluster, PASSWORD, EXTENSIONS, COMMANDED) as phones,
    ):
        await light_up(client, phones, LIT)
        yield client, phones


async def check_toggles(
    client: MqttClient, phones: list[RawPhone], presses: dict[str, int]
) -> None:
    """Check that each press has turned the lamp once, on the broker and on the phone."""
    for phone in phones:
        is_on = presses[phone.extension] % 2 == 1
        topic = f"{BASE}/{phone.extension}/key/{TOGGLE}/state"
        await client.hears(topic, state="ON" if is_on else "OFF", in_sync=True)
        await phone.shows(TOGGLE, c="on" if is_on else None)


async def test_a_bridge_is_killed_in_a_flood_of_presses(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, phones=PHONES)
    async with running(cluster) as (client, phones):
        async with Flood(phones, TOGGLE, pause=0.02) as flood:
            await flood.goes_on()
            owners = {it: owner(client, it) for it in EXTENSIONS}
            victim = max(cluster.bridges, key=[*owners.values()].count)
            theirs = [it for it in phones if owners[it.extension] == victim]
            assert theirs
            await cluster.bridges[victim].kill()
            await cluster.edge.says("is down")
            probed = time.monotonic()
            await light_up(client, theirs, COMMANDED)
            right = time.monotonic()
            await flood.goes_on()
        presses = await flood.check(client)
        await check_toggles(client, phones, presses)
        assert all(phone.has(LIT, c="on") for phone in phones)
        assert right - probed < 10


async def test_the_edge_is_restarted_in_a_flood_of_presses(tmp_path: Path) -> None:
    """It forgets which flows have proved themselves, so presses are challenged."""
    cluster = Cluster(tmp_path, phones=PHONES, bridges=2)
    async with running(cluster) as (client, phones):
        async with Flood(phones, TOGGLE, pause=0.02) as flood:
            await flood.goes_on()
            await cluster.edge.kill()
            await cluster.edge.start()
            await flood.goes_on()
            await light_up(client, phones, COMMANDED)
        await check_toggles(client, phones, await flood.check(client))


async def test_bridges_are_replaced_one_after_the_other(tmp_path: Path) -> None:
    """As an upgrade does, while keys are pressed and lamps are set."""
    cluster = Cluster(tmp_path, phones=PHONES)
    async with running(cluster) as (client, phones):
        async with Flood(phones, TOGGLE, pause=0.1) as flood:
            for bridge in cluster.bridges.values():
                await bridge.end()
                await light_up(client, phones, COMMANDED)
                await flood.goes_on()
                await bridge.start()
                for phone in phones:
                    topic = f"{BASE}/{phone.extension}/key/{COMMANDED}/set"
                    client.publish(topic, "OFF")
                await asyncio.gather(*(it.shows(COMMANDED, c=None) for it in phones))
                await flood.goes_on()
        await check_toggles(client, phones, await flood.check(client))
        assert all(phone.has(LIT, c="on") for phone in phones)


async def subscribed(client: MqttClient) -> None:
    """Wait until a client is back at a broker that was restarted."""
    async with asyncio.timeout(PATIENCE):
        while not client.on("t/back"):
            client.publish("t/back", "")
            await asyncio.sleep(0.1)


async def test_the_broker_is_killed_in_a_flood_of_presses(tmp_path: Path) -> None:
    """Meanwhile a press is refused, and does nothing."""
    cluster = Cluster(tmp_path, phones=PHONES, bridges=2)
    async with running(cluster) as (client, phones):
        async with Flood(phones, TOGGLE, pause=0.02) as flood:
            await flood.goes_on()
            # A subscriber loses what it has not read yet of a broker that is killed. Its
            # presses may be answered later, so all is read, not what was answered by now.
            cluster.brokers[0].pause()
            await client.reads_all()
            await cluster.brokers[0].kill()
            async with asyncio.timeout(PATIENCE):
                while flood.statuses[503] < len(phones):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            # A subscriber that comes later than a press has lost it.
            for bridge in cluster.bridges.values():
                bridge.pause()
            statuses = [f"{BASE}/bridge/{name}/status" for name in cluster.bridges]
            before = {it: len(client.on(it)) for it in statuses}
            await cluster.brokers[0].start()
            await subscribed(client)
            for bridge in cluster.bridges.values():
                bridge.resume()
            # A command before that is lost.
            await client.until(
                lambda: all(
                    (new := client.on(topic)[before[topic] :])
                    and new[-1].payload == "online"
                    for topic in statuses
                )
            )
            await flood.goes_on()
            await light_up(client, phones, COMMANDED)
        await check_toggles(client, phones, await flood.check(client))


async def moved_back(
    client: MqttClient, phones: list[RawPhone], bridge: str, theirs: list[RawPhone]
) -> None:
    """Wait until a bridge has the same phones as before, by the requests that these send."""
    await client.until(
        lambda: (
            [it for it in phones if owner(client, it.extension) == bridge] == theirs
        ),
        3 * PATIENCE,  # on a busy machine it refuses what it cannot answer in time
    )


async def fight(phone: RawPhone, until: asyncio.Event) -> None:
    """Seize the line and release it, again and again."""
    while not until.is_set():
        for action, number in (("seize", "*602co2"), ("release", "*603co2")):
            with suppress(TimeoutError):
                await phone.press(LINE, action, number)
            await asyncio.sleep(0.2)


def holders(client: MqttClient) -> list[str]:
    """Return who has got the line, one after the other.

    Fails if one had got it before another has given it back.
    """
    states = {
        (state["epoch"], state["home"]): state
        for it in client.on(f"{BASE}/line/co2/state")
        if (state := it.json)
    }
    in_order = [states[it] for it in sorted(states)]
    for before, after in pairwise(in_order):
        assert not (before["seized"] and after["seized"]) or (
            before["phone"] == after["phone"]
        ), (before, after)
    return [
        after["phone"]
        for before, after in pairwise([{"seized": False}, *in_order])
        if after["seized"] and not before["seized"]
    ]


async def check_slow(
    client: MqttClient, phones: list[RawPhone], relay: TcpRelay
) -> None:
    """Check presses whose bridge is slow to reach the broker: they are taken once.

    The edge asks no other bridge while this one waits, so none of the phones moves.
    """
    owners = [owner(client, it.extension) for it in phones]
    relay.delay = SLOW
    answers = await asyncio.gather(
        *(it.press(COMMANDED, number=f"slow-{it.extension}") for it in phones)
    )
    relay.delay = 0.0
    assert [it.status for it in answers] == [200] * len(phones)
    topics = [f"{BASE}/{it.extension}/key/{COMMANDED}/event" for it in phones]
    await client.until(lambda: all(map(client.on, topics)))
    assert [len(client.on(topic)) for topic in topics] == [1] * len(phones)
    assert [owner(client, it.extension) for it in phones] == owners


async def test_a_bridge_is_cut_from_the_edge_alone(tmp_path: Path) -> None:
    """It is a member all the while, and its phones are where the edge sends them."""
    cluster = Cluster(tmp_path, phones=PHONES, bridges=2)
    cut, other = cluster.bridges
    port = cluster.settings[cut]["server"]["port"]
    async with EdgeRelay(cluster.address, port) as relay:
        reached = cluster.reached[cut] = relay.port
        async with running(cluster) as (client, phones):
            theirs = [it for it in phones if owner(client, it.extension) == cut]
            assert theirs and len(theirs) < len(phones)
            async with Flood(phones, TOGGLE, pause=0.1) as flood:
                await flood.goes_on()
                relay.up = False
                await cluster.edge.says(f":{reached} is down")
                await flood.goes_on()
                assert {owner(client, it.extension) for it in phones} == {other}
                await light_up(client, phones, COMMANDED)
                ups = cluster.edge.log.count(f":{reached} is up")
                relay.up = True
                await cluster.edge.says(f":{reached} is up", ups + 1)
                await moved_back(client, phones, cut, theirs)
                await flood.goes_on()
            await check_toggles(client, phones, await flood.check(client))
            assert all(phone.has(LIT, c="on") for phone in phones)
            for name in cluster.bridges:
                status = client.on(f"{BASE}/bridge/{name}/status")
                assert {it.payload for it in status} == {"online"}


async def test_a_bridge_is_cut_from_the_broker_for_half_a_minute(
    tmp_path: Path,
) -> None:
    """It is slow before that. It has its phones, by what it knows; so have the others, after its will."""
    cluster = Cluster(tmp_path, phones=PHONES, lines=LINES, bridges=2)
    cut, other = cluster.bridges
    port = cluster.settings[cut]["server"]["port"]
    async with TcpRelay(cluster.broker_ports[0]) as relay:
        cluster.settings[cut]["mqtt"]["host"] = f"{LOCALHOST}:{relay.port}"
        async with running(cluster) as (client, phones):
            theirs = [it for it in phones if owner(client, it.extension) == cut]
            others = [it for it in phones if it not in theirs]
            assert theirs and others
            await check_slow(client, theirs, relay)
            over = asyncio.Event()
            async with (
                Flood(phones, TOGGLE, pause=0.5) as flood,
                asyncio.TaskGroup() as group,
            ):
                for phone in (*theirs[:2], *others[:2]):
                    group.create_task(fight(phone, over))
                await flood.goes_on()
                relay.stop()
                cut_at = time.monotonic()
                # It answers the probe 503, and so it does its phones.
                await cluster.edge.says(f":{port} is down")
                await flood.goes_on()
                assert {owner(client, it.extension) for it in phones} == {other}
                await light_up(client, phones, COMMANDED)
                assert cluster.bridges[cut].is_running
                await asyncio.sleep(CUT - (time.monotonic() - cut_at))
                ups = cluster.edge.log.count(f":{port} is up")
                relay.heal()
                await cluster.edge.says(f":{port} is up", ups + 1)
                await moved_back(client, phones, cut, theirs)
                await flood.goes_on()
                over.set()
            await check_toggles(client, phones, await flood.check(client))
            assert all(phone.has(LIT, c="on") for phone in phones)
            for phone in phones:
                topic = f"{BASE}/{phone.extension}/key/{COMMANDED}/set"
                client.publish(topic, "OFF")
            await asyncio.gather(*(it.shows(COMMANDED, c=None) for it in phones))
            seized = [
                phone.extension
                for phone in phones
                for it in client.on(f"{BASE}/{phone.extension}/key/{LINE}/event")
                if it.json["event_type"] == "seize"
            ]
            assert len(seized) > 4
            assert not Counter(seized) - Counter(holders(client))
