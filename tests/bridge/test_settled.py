"""What the next bridge need not publish again, since it is stored that it is published.

Without a broker; the loop's clock jumps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
import json
from random import Random
from typing import Any

import pytest

from bridge.kept import after
from bridge.phones import ClaimedPhones
from bridge.seal import Seal
from bridge.stored import SETTLED, Stored
from snom_buttons.mqtt import MqttFollower, MqttSetup, Received, Topics
from snom_buttons.mqtt.commands import send_document
from snom_buttons.phones import KeySetup, PhoneServer, PhoneSetup, ServerSettings
from snom_buttons.xbuttons import KeyDescription, MessageWaiting
from tests.support.clock import run
from tests.support.fakebroker import FakeBroker, FakeClient

BASE = "snom_buttons"
STORED = f"{BASE}/44/stored"


def setup_of(*names: str, **changes: Any) -> PhoneSetup:
    keys = tuple(KeySetup(off=KeyDescription(name=it)) for it in names)
    return PhoneSetup(extension="44", password="correct horse", keys=keys, **changes)


class Watched(FakeBroker):
    """A broker that is looked at after each message."""

    def __init__(self) -> None:
        super().__init__()
        self.settled = 0
        """How often it was stored what is published."""
        self.wrong: list[tuple[str, str]] = []
        """The messages after which something else was published."""
        self.digest_of: Callable[[dict[str, bytes]], str | None] = lambda _: (
            self.published
        )

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        super().publish(topic, payload, retain=retain)
        published = self.published
        if published is not None:
            self.settled += topic == STORED
            if self.digest_of(self.retained) != published:
                self.wrong.append((topic, payload))

    @property
    def published(self) -> str | None:
        """What is retained as published of phone 44."""
        return json.loads(self.retained.get(STORED, b"{}")).get("published")


class Side:
    """One bridge, whose phones do not answer."""

    def __init__(
        self, broker: Watched, name: str, *, discovery: bool = False, knows: bool = True
    ) -> None:
        self.client = FakeClient(broker, lambda _: None)
        self.client.is_connected = True
        loop = asyncio.get_running_loop()
        self.server = PhoneServer(
            ServerSettings(host="127.0.0.1", port=0, realm="x", advertised_host="x"),
            loop.time,
        )
        topics = Topics(BASE, name)
        self.mqtt = MqttFollower(
            self.client,
            self.server,
            explain=str,
            phone_ids="x",
            phone_id=lambda it: f"x{it}",
            is_foreign=lambda _: False,
            left_behind_changed=lambda: None,
            save=self._save,
            changing=lambda it: self.stored.changing(it),  # noqa: PLW0108
        )
        self.stored = Stored(
            self.client,  # type: ignore[arg-type]
            self.mqtt.publisher,
            self.server,
            topics,
            Seal("s", BASE),
            bridge=name,
            announced_of=self.mqtt.announcements.saved_of,
            recall_announced=self.mqtt.announcements.recall_phone,
            published_of=self.mqtt.digest_of if knows else None,
        )
        self.phones = ClaimedPhones(
            self.server, self.mqtt, self.stored, topics.status, lambda _: None
        )
        self.phones.setups = {"44": setup_of("1", "2", "3")}
        self.setup = MqttSetup(
            base=BASE, member=name, commands=True, discovery=discovery, retained=True
        )
        self.stored.start()
        self.stored.connected()

    async def start(self) -> None:
        await self.mqtt.update(self.setup)
        await self.stored.follow_others()

    async def _save(self) -> None:
        pass

    async def stop(self) -> None:
        self.stored.stop()
        await self.mqtt.stop()
        self.client.is_connected = False

    def add(self) -> None:
        self.phones.add("44")
        self.server.phones["44"].is_followed = True
        self.phones.publish("44", is_unchanged=True)

    def light(self, name: str) -> None:
        key = self.server.phones["44"].keys[name]
        key.turn(not key.is_on)

    def label(self, text: str) -> None:
        key = self.server.phones["44"].keys["1"]
        key.show(replace(key.look, label=text))

    def configure(self, *names: str) -> None:
        self.server.configure_phone(setup_of(*names))
        self.mqtt.add_phone("44")
        self.stored.add_phone("44")

    def lose(self) -> None:
        self.client.is_connected = False
        self.stored.connection_lost()
        self.mqtt.connection_lost()

    def connect(self) -> None:
        self.client.is_connected = True
        self.stored.connected()
        self.mqtt.connection_changed()

    def digest(self, retained: dict[str, bytes]) -> str | None:
        """Return the `digest_of` phone 44, of what the broker retains instead."""
        publisher = self.mqtt.publisher
        ours, publisher._states = publisher._states, {}
        due, publisher._due = publisher._due, type(publisher._due)()
        later, publisher._later = publisher._later, type(publisher._later)()
        for topic, payload in retained.items():
            publisher.assume(topic, payload.decode())
        digest = self.mqtt.digest_of("44")
        publisher._states, publisher._due, publisher._later = ours, due, later
        return digest


def changes_of(broker: Watched, since: int) -> list[str]:
    """Return the topics of phone 44 of messages, but for what is stored."""
    begin = f"{BASE}/44/"
    topics = [topic for topic, _ in broker.log[since:]]
    return [it.removeprefix(begin) for it in topics if it.startswith(begin)]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_stored_as_published_is_published(seed: int) -> None:
    """After each message, whenever the bridge dies."""
    run(_change_at_random(Random(seed)))


async def _change_at_random(random: Random) -> None:
    broker = Watched()
    side = Side(broker, "a")
    broker.digest_of = side.digest
    await side.start()
    side.add()
    names = ["1", "2", "3"]
    for _ in range(60):
        match random.randrange(9):
            case 0 | 1 | 2:
                side.light(random.choice(names))
            case 3:
                side.label(f"{random.random()}")
            case 4:
                waiting = MessageWaiting(new=random.randrange(3), old=0)
                side.server.phones["44"].show_messages(waiting)
            case 5 if side.client.is_connected:
                side.lose()
                if random.random() < 0.5:
                    broker.retained.clear()
            case 6:
                names = ["1", "2", *(["3"] if random.random() < 0.5 else [])]
                side.configure(*names)
            case 7:
                side.mqtt.repeat_phone("44")
                side.stored.write_again("44")
            case _:
                side.stored.write("44")  # as after a press
        await asyncio.sleep(random.choice((0, 0, 0.05, 0.2, SETTLED * 1.2)))
        if not side.client.is_connected and random.random() < 0.7:
            side.connect()
    if not side.client.is_connected:
        side.connect()
    await asyncio.sleep(2 * SETTLED)
    assert broker.published is not None
    assert broker.settled > 1
    assert broker.wrong == []
    await side.stop()


async def _settled(discovery: bool = False) -> tuple[Watched, Side, Side]:
    """Return a broker and two bridges, of which the first has a phone that is settled."""
    broker = Watched()
    first = Side(broker, "a", discovery=discovery)
    second = Side(broker, "b", discovery=discovery)
    for side in (first, second):
        await side.start()
    first.add()
    first.light("2")
    await asyncio.sleep(1.5 * SETTLED)
    assert broker.published is not None
    return broker, first, second


@pytest.mark.parametrize("discovery", [False, True])
def test_a_phone_that_is_taken_over_is_not_published_again(discovery: bool) -> None:
    run(_take_over(discovery))


async def _take_over(discovery: bool) -> None:
    broker, first, second = await _settled(discovery)
    first.client.is_connected = False  # it is killed
    begun = len(broker.log)
    second.add()
    await asyncio.sleep(2 * SETTLED)
    announced = [it for it, _ in broker.log[begun:] if it.startswith("homeassistant/")]
    assert len(announced) == discovery  # it names the bridge
    assert changes_of(broker, begun) == []
    assert '"bridge":"a"' in broker.retained[STORED].decode()
    # Once it changes, that is stored before it is published.
    second.light("1")
    await asyncio.sleep(0.01)
    assert changes_of(broker, begun)[:2] == ["stored", "key/1/state"]
    assert broker.published is None
    await asyncio.sleep(1.5 * SETTLED)
    assert broker.published is not None
    assert '"bridge":"b"' in broker.retained[STORED].decode()
    # The connection is lost, and the broker has lost all: everything is published.
    second.lose()
    broker.retained.clear()
    await asyncio.sleep(1)
    second.connect()
    await asyncio.sleep(1)
    assert json.loads(broker.retained[f"{BASE}/44/key/2/state"])["state"] == "ON"
    await first.stop()
    await second.stop()


@pytest.mark.parametrize("reason", ["changes", "settings", "connection", "moved"])
def test_what_may_not_be_published_is(reason: str) -> None:
    run(_publish_again(reason))


async def _publish_again(reason: str) -> None:
    broker, first, second = await _settled()
    if reason == "changes":  # it is killed before it is stored again
        first.label("Garage")
        await asyncio.sleep(0.01)
        assert "Garage" in broker.retained[f"{BASE}/44/key/1/state"].decode()
    first.client.is_connected = False
    match reason:
        case "settings":
            second.phones.setups = {"44": setup_of("1", "2")}
        case "connection":  # the broker may have lost what is published
            second.lose()
            second.connect()
    begun = len(broker.log)
    if reason == "moved":  # and may have changed before it is published
        second.phones.add("44")
        second.light("1")
        second.phones.publish("44")
    else:
        second.add()
    await asyncio.sleep(1)
    keys = {f"key/{key.name}/state" for key in second.phones.setups["44"].keys}
    assert keys <= {"stored", *changes_of(broker, begun)}
    begin = f"{BASE}/44/"
    kept = {it.removeprefix(begin) for it in broker.retained if it.startswith(begin)}
    assert {it for it in kept if it.startswith("key/")} == keys
    await first.stop()
    await second.stop()


def test_a_phone_without_a_change_is_not_handed_over_after_a_reconnect() -> None:
    """Although it is to be stored again: the next bridge has stored it since."""
    run(_reconnect())


async def _reconnect() -> None:
    broker, first, second = await _settled()
    first.lose()
    await asyncio.sleep(1)
    assert not first.stored.is_due("44")
    first.light("1")
    assert first.stored.is_due("44")
    await asyncio.sleep(1)
    assert first.stored.is_due("44")
    first.lose()
    await asyncio.sleep(1)
    assert first.stored.is_due("44")
    first.connect()
    await asyncio.sleep(1)
    assert not first.stored.is_due("44")
    assert "c=on" in broker.retained[STORED].decode()
    await asyncio.sleep(2 * SETTLED)
    first.lose()
    await asyncio.sleep(1)
    begun = len(broker.log)
    first.client.is_connected = True
    first.phones.remove("44", last=False)  # the claim of another is read first
    first.connect()
    await asyncio.sleep(1)
    assert changes_of(broker, begun) == []
    await first.stop()
    await second.stop()


def test_what_the_broker_has_not_acknowledged_is_handed_over_after_a_reconnect() -> (
    None
):
    """It may not have it: the next bridge toggles the keys of presses in it."""
    run(_hand_over())


async def _hand_over() -> None:
    broker, first, second = await _settled()
    first.client.is_cut = True
    first.light("1")
    first.stored.write("44", first=True)
    await asyncio.sleep(1)
    assert not first.stored.is_due("44")
    first.lose()
    first.client.is_cut = False
    assert first.stored.is_due("44")
    first.phones.remove("44", last=False)  # the claim of another is read first
    begun = len(broker.log)
    first.connect()
    await asyncio.sleep(1)
    assert changes_of(broker, begun) == ["stored"]
    assert "c=on" in broker.retained[STORED].decode()
    await first.stop()
    await second.stop()


@pytest.mark.parametrize("reason", ["subscriptions", "announced"])
def test_a_phone_that_is_stored_otherwise_is_stored_again(reason: str) -> None:
    """The numbers of the next NOTIFYs have risen, or it is announced now."""
    run(_store_again(reason))


async def _store_again(reason: str) -> None:
    broker, first, second = await _settled()
    if reason == "announced":
        await second.mqtt.update(replace(second.setup, discovery=True))
    else:
        copy = json.loads(broker.retained[STORED])
        copy.pop("seal")
        copy["phone"]["subscriptions"] = [{}]
        payload = second.stored._seal.write(STORED, copy)
        second.stored._received(Received(STORED, payload.encode(), retain=False))
    first.client.is_connected = False
    begun = len(broker.log)
    second.add()
    await asyncio.sleep(0.5)
    assert changes_of(broker, begun) == ["stored"]
    await first.stop()
    await second.stop()


def test_no_part_of_a_document_is_stored_as_if_it_were_all() -> None:
    """The next bridge carries out the rest, if this one is killed in between."""
    run(_command())


async def _command() -> None:
    broker, first, second = await _settled()
    document = b"k=1\r\nc=on\r\n\r\nk=3\r\nc=on\r\n"
    message = Received(f"{BASE}/44/document/set", document, retain=False)
    begun = len(broker.on(STORED))
    first.phones.commanded("44", message)
    send_document(first.server.phones["44"], document)
    await asyncio.sleep(1)
    stored = [json.loads(it) for it in broker.on(STORED)[begun:]]
    is_marked = [it["commands"] == after("", message) for it in stored]
    has_all = [all(key["on"] for key in it["phone"]["keys"]) for it in stored]
    assert is_marked == has_all == [False, True]
    await first.stop()
    await second.stop()


def test_a_node_that_retains_for_itself_has_all_published() -> None:
    run(_without_knowing())


async def _without_knowing() -> None:
    broker = Watched()
    side = Side(broker, "a", knows=False)
    await side.start()
    side.add()
    await asyncio.sleep(2 * SETTLED)
    assert broker.published is None
    await side.stop()


def test_nothing_counts_as_published_where_a_broker_has_refused_a_state() -> None:
    run(_refuse())


async def _refuse() -> None:
    broker = Watched()
    side = Side(broker, "a")
    side.client.has_refused = True
    await side.start()
    side.add()
    await asyncio.sleep(2 * SETTLED)
    assert broker.published is None
    side.lose()
    side.client.has_refused = False
    side.connect()
    await asyncio.sleep(2 * SETTLED)
    assert broker.published is not None
    await side.stop()
