"""A press is answered when the broker has it (decision 25), with real processes that fail."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
import signal
from typing import Any

import pytest

from tests.support.bridge import (
    PASSWORD,
    BridgeProcess,
    bridge_settings,
    running_bridge,
)
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone

BASE = "snom_buttons"
PHONES = ("44", "45", "46", "47")
AT_ONCE = 3
"""Presses of a phone that wait for their answers."""


def flooded_settings(broker: int) -> dict[str, Any]:
    """Return the settings of phones of which key 1 toggles, and key 2 does nothing."""
    settings = bridge_settings(broker)
    keys = {"1": {"kind": "switch", "toggle": True}, "2": {}}
    settings["secret"] = "the secret of the test"
    settings["phones"] = {
        it: {"name": f"Phone {it}", "password": PASSWORD, "keys": keys} for it in PHONES
    }
    return settings


class Flood:
    """Phones that press keys, each key once: its topic names the press."""

    def __init__(self, phones: list[RawPhone]) -> None:
        self.phones = phones
        self.answers: dict[str, int] = {}
        """The status of the answer to each press, by the topic of its event."""
        self._numbers = count(100)
        self._news = asyncio.Event()
        self._ended = False

    @property
    def answered(self) -> list[str]:
        """The presses that were answered 200."""
        return [topic for topic, status in self.answers.items() if status == 200]

    async def goes_on(self, more: int) -> None:
        """Wait until so many more presses have been answered 200."""
        enough = len(self.answered) + more
        async with asyncio.timeout(PATIENCE):
            while len(self.answered) < enough:
                self._news.clear()
                await self._news.wait()

    async def _press(self, phone: RawPhone) -> None:
        while not self._ended:
            key = str(next(self._numbers))
            answer = await phone.press(key, number="key1")
            topic = f"{BASE}/{phone.extension}/key/{key}/event"
            self.answers[topic] = answer.status
            self._news.set()
            if answer.status != 200:  # too fast, or no broker
                await asyncio.sleep(0.1)

    async def run(self, meanwhile: Awaitable[None]) -> None:
        """Press keys, and end when all presses have their answers."""
        async with asyncio.TaskGroup() as group:
            for phone in self.phones:
                for _ in range(AT_ONCE):
                    group.create_task(self._press(phone))
            await meanwhile
            self._ended = True


@asynccontextmanager
async def flood(bridge: BridgeProcess) -> AsyncIterator[Flood]:
    """Register phones for a flood."""
    async with AsyncExitStack() as stack:
        phones = [RawPhone(bridge.address, it, PASSWORD) for it in PHONES]
        for phone in phones:
            await stack.enter_async_context(phone)
            assert (await phone.register()).status == 200
            await phone.shows("2")
        yield Flood(phones)


def counted(phone: RawPhone) -> list[bytes]:
    """Return a list that gets each datagram that a phone sends."""
    sent: list[bytes] = []
    send = phone._transport.sendto

    def counting(data: bytes, address: tuple[str, int]) -> None:
        sent.append(data)
        phone._news.set()
        send(data, address)

    phone._transport.sendto = counting  # type: ignore[method-assign]
    return sent


def ids(client: MqttClient) -> dict[str, set[str]]:
    """Return the IDs of all events, by topic."""
    found: dict[str, set[str]] = defaultdict(set)
    for heard in client.heard:
        if heard.topic.endswith("/event"):
            found[heard.topic].add(heard.json["id"])
    return found


async def all_heard(client: MqttClient) -> None:
    """Wait until the client has all that the broker has for it."""
    mark = f"everything/heard/{len(client.heard)}"
    client.publish(mark, "was before this")
    await client.first(mark)


async def test_a_broker_that_hangs(
    bridge: BridgeProcess, broker: Broker, client: MqttClient
) -> None:
    async with RawPhone(bridge.address, "44", PASSWORD) as phone:
        assert (await phone.register()).status == 200
        await phone.shows("2")
        await client.hears(f"{BASE}/44/availability", "online")
        sent = counted(phone)
        broker.hang()
        try:
            pressing = asyncio.create_task(phone.press("2"))
            dialling = asyncio.create_task(phone.invite("100"))
            # Both are sent three times, 0.5 and 1.5 seconds after the first.
            await phone.until(
                lambda: all(
                    sum(it.startswith(method) for it in sent) >= 3
                    for method in (b"MESSAGE", b"INVITE")
                )
            )
            assert not pressing.done()
            assert not dialling.done()
        finally:
            broker.go_on()
        assert (await pressing).status == 200
        assert (await dialling).status == 486
        await all_heard(client)
        assert len(client.on(f"{BASE}/44/key/2/event")) == 1
        assert len(client.on(f"{BASE}/44/dialled")) == 1


async def test_a_broker_that_is_away(broker: Broker, tmp_path: Path) -> None:
    settings = flooded_settings(broker.port)
    async with (
        running_bridge(tmp_path, settings) as bridge,
        RawPhone(bridge.address, "44", PASSWORD) as phone,
    ):
        assert (await phone.register()).status == 200
        await phone.shows("1")
        assert (await phone.press("1")).status == 200
        await phone.shows("1", c="on")
        await broker.stop()
        await bridge.logs("The connection to the broker")
        for answer in (await phone.press("1"), await phone.invite("100")):
            assert answer.status == 503
            assert answer.get("Retry-After") == "5"
        assert phone.keys["1"]["c"] == "on"
        await broker.start()
        async with MqttClient(broker.port) as client:
            await client.hears(f"{BASE}/44/key/1/state", state="ON")
            assert (await phone.press("1")).status == 200
            await client.hears(f"{BASE}/44/key/1/state", state="OFF")
            await all_heard(client)
            assert len(client.on(f"{BASE}/44/key/1/event")) == 1


async def test_a_broker_that_is_killed_in_a_flood(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    """The log of the broker has what it got: it may die before it has sent that on."""
    async with (
        running_bridge(tmp_path, flooded_settings(broker.port)) as bridge,
        flood(bridge) as flooding,
    ):
        log: list[str] = []

        async def meanwhile() -> None:
            for _ in range(2):
                await flooding.goes_on(40)
                await broker.kill()
                log.extend(broker.log)
                await broker.start()
            await flooding.goes_on(40)

        await flooding.run(meanwhile())
        await all_heard(client)
        log.extend(broker.log)
        got = {
            line.split("'")[1]
            for line in log
            if "Received PUBLISH from snom" in line and "/event" in line
        }
        assert len(flooding.answered) >= 120
        assert [it for it in flooding.answered if it not in got] == []
        assert {len(it) for it in ids(client).values()} == {1}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_bridge_that_ends_in_a_flood(
    number: signal.Signals, broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    """Another one takes its place; phones repeat what was not answered."""
    settings = flooded_settings(broker.port)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running_bridge(tmp_path, settings))
        flooding = await stack.enter_async_context(flood(first))

        async def meanwhile() -> None:
            await flooding.goes_on(60)
            await first.end(number)
            await stack.enter_async_context(running_bridge(tmp_path, settings))
            await flooding.goes_on(40)

        await flooding.run(meanwhile())
        await all_heard(client)
        published = ids(client)
        assert [it for it in flooding.answered if it not in published] == []
        assert {len(it) for it in published.values()} == {1}


async def test_a_bridge_that_is_killed_toggles_each_press_once(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    settings = flooded_settings(broker.port)
    topic = f"{BASE}/44/key/1/event"
    async with AsyncExitStack() as stack:
        bridge = await stack.enter_async_context(running_bridge(tmp_path, settings))
        phone = RawPhone(bridge.address, "44", PASSWORD)
        await stack.enter_async_context(phone)
        assert (await phone.register()).status == 200
        await phone.shows("1")
        # Until its registration is stored, it would be challenged by the next bridge.
        stored = f"{BASE}/44/stored"
        await client.until(
            lambda: any(phone.address in it.payload for it in client.on(stored))
        )
        for presses in range(1, 6):
            # The press reaches the bridge about when that dies: before, within, after.
            pressing = asyncio.create_task(phone.press("1"))
            await asyncio.sleep(0.002 * presses)
            await bridge.end(signal.SIGKILL)
            bridge = await stack.enter_async_context(running_bridge(tmp_path, settings))
            assert (await pressing).status == 200
            await all_heard(client)
            assert len(ids(client)[topic]) == presses
            await phone.shows("1", c="on" if presses % 2 else None)
