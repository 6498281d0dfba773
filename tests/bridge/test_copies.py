"""What two bridges store, without a broker: the loop's clock jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
import json
from typing import Any

import pytest

from bridge.alone import Alone
from bridge.kept import after
from bridge.seal import Seal
from bridge.stored import LATER, SOON, Stored
from snom_buttons.mqtt import Message, MqttPublisher, Received, Topics
from snom_buttons.phones import (
    Dialled,
    KeyPress,
    KeySetup,
    LineSetup,
    PhoneServer,
    PhoneSetup,
    ServerSettings,
    shared_key,
)
from snom_buttons.xbuttons import Action, KeyDescription
from tests.support.clock import jumping, run
from tests.support.fakebroker import FakeBroker, FakeClient

BASE = "snom_buttons"
STORED = f"{BASE}/44/stored"
LINE = f"{BASE}/line/co2/state"


class Client(FakeClient):
    """A client that can read."""

    async def read(self, topics: Iterable[str]) -> dict[str, bytes]:
        if not self.is_connected:
            raise ConnectionError("there is no connection")
        await asyncio.sleep(0)
        return {
            it: self.broker.retained[it] for it in topics if it in self.broker.retained
        }


class Side:
    """A bridge whose server is not started."""

    def __init__(
        self,
        broker: FakeBroker,
        name: str = "a",
        secret: str = "s",
        client: type[Client] = Client,
    ) -> None:
        self.broker = broker
        self.client = client(broker, lambda _: None)
        self.client.is_connected = True
        self.seal = Seal(secret, BASE)
        loop = asyncio.get_running_loop()
        self.server = PhoneServer(
            ServerSettings(host="127.0.0.1", port=0, realm="x", advertised_host="x"),
            loop.time,
            prove=self.seal.prove,
        )
        self.publisher = MqttPublisher(self.client, loop.time)
        self.heard: list[tuple[str, str, int]] = []
        self.epoch = 7
        self.stored = Stored(
            self.client,  # type: ignore[arg-type]
            self.publisher,
            self.server,
            Topics(BASE),
            self.seal,
            bridge=name,
            epoch_of=lambda _: self.epoch,
            heard=lambda phone, bridge, epoch, _: self.heard.append(
                (phone, bridge, epoch)
            ),
        )

        self.alone = Alone(
            self.client,  # type: ignore[arg-type]
            self.publisher,
            self.server,
            self.stored,
            topics=Topics(BASE),
            seal=self.seal,
        )

    def start(self) -> None:
        self.alone.start()
        self.stored.start()

    def stop(self) -> None:
        self.stored.stop()
        self.alone.stop()

    def add(self, extension: str = "44") -> None:
        keys = [KeySetup(off=KeyDescription(name=name)) for name in ("1", "2")]
        keys.append(shared_key("4", "co2"))
        self.server.add_phone(
            PhoneSetup(extension=extension, password="x", keys=tuple(keys))
        )

    def add_line(self) -> None:
        self.server.add_line("co2", LineSetup(code="co2", keys={"44": "4"}))

    def label(self, text: str) -> None:
        key = self.server.phones["44"].keys["1"]
        key.show(replace(key.look, label=text))

    def light(self, name: str = "1") -> None:
        key = self.server.phones["44"].keys[name]
        key.turn(not key.is_on)

    @property
    def looks(self) -> str:
        return json.dumps(self.server.phone_snapshot("44")["keys"])


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@jumping
async def test_changes_are_published_together() -> None:
    broker = FakeBroker()
    side = Side(broker)
    side.add()
    side.start()
    side.stored.add_phone("44")
    await settle()
    assert len(broker.on(STORED)) == 1
    for name in ("1", "2", "1"):
        side.light(name)
    await asyncio.sleep(SOON * 0.9)
    assert len(broker.on(STORED)) == 1
    assert side.stored.is_due("44")
    await asyncio.sleep(SOON * 0.2)
    assert len(broker.on(STORED)) == 2
    assert not side.stored.is_due("44")
    for number in range(5):  # labels alone can wait
        side.label(f"{number}")
        await asyncio.sleep(LATER / 6)
    assert len(broker.on(STORED)) == 2
    side.light()  # and go with what cannot
    await asyncio.sleep(SOON * 1.1)
    assert len(broker.on(STORED)) == 3
    assert "l=4" in broker.on(STORED)[-1]
    await asyncio.sleep(LATER)
    assert len(broker.on(STORED)) == 3
    side.light()
    side.stop()
    await settle()
    assert len(broker.on(STORED)) == 4
    side.light()
    await asyncio.sleep(LATER)
    assert len(broker.on(STORED)) == 4


@jumping
async def test_a_change_is_due_until_the_client_has_it() -> None:
    side = Side(FakeBroker())
    side.add()
    side.start()
    side.client.is_connected = False
    side.stored.add_phone("44")
    assert side.stored.is_due("44")
    side.client.is_connected = True
    side.publisher.connection_changed()
    assert not side.stored.is_due("44")
    await settle()
    side.stop()


@pytest.mark.parametrize("happens", ["pressed", "dialled"])
def test_what_changed_goes_before_the_event(happens: str) -> None:
    @jumping
    async def test() -> None:
        broker = FakeBroker()
        side = Side(broker)
        side.add()
        side.add_line()
        getattr(side.server, happens).subscribe(
            lambda _: side.publisher.publish_event("event", "x")
        )
        side.start()
        side.stored.add_phone("44")
        await settle()
        broker.log.clear()
        side.light()
        side.server.lines["co2"].seize()
        press = KeyPress(extension="44", key="1", action=Action.MESSAGE, number="1")
        dialled = Dialled(extension="44", number="1")
        getattr(side.server, happens).emit(press if happens == "pressed" else dialled)
        await settle()
        assert [topic for topic, _ in broker.log] == [STORED, LINE, "event"]
        await asyncio.sleep(LATER)
        assert len(broker.log) == 3, "it was published already"
        # A press that changed nothing is published alone.
        side.server.pressed.emit(press)
        await settle()
        side.stop()

    test()


@jumping
async def test_lines_are_published_without_a_press() -> None:
    broker = FakeBroker()
    side = Side(broker)
    side.add()
    side.add_line()
    side.start()
    await settle()
    side.server.lines["co2"].seize("44")
    await asyncio.sleep(SOON * 1.1)
    assert json.loads(broker.on(LINE)[-1])["phone"] == "44"
    side.server.lines["co2"].release()
    side.stop()
    await settle()
    assert json.loads(broker.on(LINE)[-1])["phone"] is None
    other = Side(broker)
    other.add_line()
    other.stored.start()
    other.server.lines["co2"].seize()
    await asyncio.sleep(LATER)
    assert json.loads(broker.on(LINE)[-1])["phone"] is None, "they are not its own"
    other.stored.stop()


@jumping
async def test_no_press_is_published_before_what_it_has_changed() -> None:
    """Although the broker has not acknowledged what was stored before."""

    class Slow(Client):
        async def publish(self, message: Message) -> None:
            await super().publish(message)
            await asyncio.sleep(1)

    broker = FakeBroker()
    side = Side(broker, client=Slow)
    side.add()
    side.server.pressed.subscribe(lambda _: side.publisher.publish_event("event", ""))
    side.start()
    side.stored.add_phone("44")
    side.light()
    press = KeyPress(extension="44", key="1", action=Action.MESSAGE, number="1")
    side.server.pressed.emit(press)
    await asyncio.sleep(3)
    assert [topic for topic, _ in broker.log if topic != LINE] == [
        STORED,
        STORED,
        "event",
    ]
    side.stop()


@pytest.mark.parametrize("secret", ["s", ""])
def test_others_know_which_commands_are_part_of_what_is_stored(secret: str) -> None:
    run(_store_commands(secret))


async def _store_commands(secret: str) -> None:
    broker = FakeBroker()
    first, second, third = (Side(broker, name, secret) for name in "abc")
    marks: list[tuple[str, str | None]] = []
    third.stored._is_awaited = lambda _, *found: marks.append(found) is not None
    await third.stored.follow_others()
    command = Received(f"{BASE}/44/key/1/set", b"TOGGLE", retain=False)
    mark = after("", command)
    first.add()
    first.stored.add_phone("44")
    first.stored.commanded("44", command)
    first.light()
    first.stored.write("44")
    await settle()
    assert marks == [("", ""), ("", mark)]
    # The next bridge goes on from that.
    await second.stored.read(["44"])
    second.add()
    second.stored.add_phone("44")
    second.stored.commanded("44", command)
    second.stored.hand_over("44")
    await settle()
    assert marks[-1] == (mark, after(mark, command))
    # One of a former version has none.
    payload = third.seal.write(STORED, {"epoch": 1, "bridge": "a", "phone": {}})
    broker.publish(STORED, payload, retain=True)
    await settle()
    assert marks[-1] == (after(mark, command), None)
    assert second.stored._commands == {}


@jumping
async def test_what_an_earlier_run_of_this_bridge_stored_ends_no_move() -> None:
    broker = FakeBroker()
    earlier, side = Side(broker, "a"), Side(broker, "a")
    await side.stored.follow_others()
    earlier.add()
    earlier.stored.add_phone("44")
    await settle()
    assert side.stored.copy_of("44") is not None
    assert side.heard == []


@jumping
async def test_a_phone_that_registered_before_it_is_restored_stays_registered() -> None:
    broker = FakeBroker()
    earlier, side = Side(broker), Side(broker)
    earlier.add()
    earlier.stored.add_phone("44")
    await settle()
    side.add()
    restored: list[Any] = []
    side.server.restore_phone = (  # type: ignore[method-assign]
        lambda extension, saved: restored.append((extension, saved))
    )
    side.server.phones["44"].registrations = ("registered",)  # type: ignore[assignment]
    await side.alone.restore()
    ((extension, saved),) = restored
    assert extension == "44"
    assert "keys" in saved
    assert not saved.keys() & {"bindings", "subscriptions", "proof"}


@jumping
async def test_a_bridge_has_copies_of_the_phones_of_others() -> None:
    broker = FakeBroker()
    first, second = Side(broker, "a"), Side(broker, "b")
    await second.stored.follow_others()
    first.add()
    first.stored.start()
    first.stored.add_phone("44")
    first.light()
    await asyncio.sleep(LATER)
    assert second.heard == [("44", "a", 7)] * 2
    copy = second.stored.copy_of("44")
    assert copy is not None
    assert json.dumps(copy["keys"]) == first.looks
    # The phone moves; the last word of its former bridge has the new epoch.
    second.add()
    second.server.restore_phone("44", copy)
    assert second.looks == first.looks
    second.stored.add_phone("44")
    assert second.stored.copy_of("44") is None, "it is its own"
    second.heard.clear()
    first.epoch = 8
    first.stored.write("44")
    first.stored.remove_phone("44", clear=False)
    await settle()
    assert first.stored.copy_of("44") is not None
    assert second.heard == [("44", "a", 8)]
    assert second.stored.copy_of("44") is None, "it is its own still"
    assert json.loads(broker.retained[STORED])["bridge"] == "a"
    second.stored.write_again("44")
    await settle()
    assert json.loads(broker.retained[STORED])["bridge"] == "b"
    # Its own means nothing to it, nor what is broken.
    broker.publish(STORED, '{"bridge":"a"}', retain=True)
    broker.publish(STORED, "", retain=True)
    assert second.heard == [("44", "a", 8)]
    second.stored.remove_phone("44")
    await settle()
    assert broker.on(STORED)[-1] == ""
    assert second.stored.copy_of("44") is None
    first.stored.stop()


@jumping
async def test_what_was_retained_before_is_read() -> None:
    broker = FakeBroker()
    first, second = Side(broker, "a"), Side(broker, "b")
    first.add()
    first.stored.add_phone("44")
    await settle()
    await second.stored.read(["44", "45"])
    assert second.stored.copy_of("44") is not None
    assert second.stored.copy_of("45") is None
    first.stored.repeat()
    await settle()
    assert len({*broker.on(STORED)}) == 1
    assert len(broker.on(STORED)) == 2
    second.client.is_connected = False
    with pytest.raises(ConnectionError):
        await second.stored.read(["44"])
    assert second.stored.copy_of("44") is not None


@pytest.mark.parametrize(
    "fields",
    [{}, {"epoch": "1", "bridge": "a", "phone": {}}, {"epoch": 1, "bridge": "a"}],
)
def test_fields_of_another_kind_are_ignored(
    fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    @jumping
    async def test() -> None:
        side = Side(FakeBroker())
        await side.stored.follow_others()
        payload = side.seal.write(STORED, {**fields, "x": 1})
        side.broker.publish(STORED, payload, retain=True)
        side.broker.publish(f"{BASE}/%344/stored", payload)
        await settle()
        assert side.stored.copy_of("44") is None
        assert side.heard == []

    test()
    assert "is ignored: it has other fields" in caplog.text


@jumping
async def test_other_secrets_make_no_copies() -> None:
    broker = FakeBroker()
    first, second = Side(broker, "a"), Side(broker, "b", secret="other")
    await second.stored.follow_others()
    first.add()
    first.stored.add_phone("44")
    await settle()
    assert second.stored.copy_of("44") is None
    broker.publish(STORED, "", retain=True)
    await settle()
    assert second.heard == []


@jumping
async def test_a_bridge_that_is_alone_restores() -> None:
    """Phones, lines and topics that are no more; but not who registered meanwhile."""
    broker = FakeBroker()
    before = Side(broker)
    for extension in ("44", "45"):
        before.add(extension)
        before.stored.add_phone(extension)
    before.add_line()
    before.start()
    before.alone.write_index()
    before.light()
    before.server.lines["co2"].seize("44")
    await asyncio.sleep(LATER)
    before.stop()
    after = Side(broker)
    after.add()
    after.add_line()
    await after.alone.restore()
    assert after.looks == before.looks
    assert after.server.lines["co2"].owner == "44"
    await settle()
    assert not broker.retained.get(f"{BASE}/45/stored")
    cleared = {topic for topic, payload in broker.log if not payload}
    assert cleared == {
        *(f"{BASE}/45/key/{key}/state" for key in ("1", "2", "4")),
        *(f"{BASE}/45/{name}" for name in ("messages", "availability", "stored")),
    }
    # A line that was seized meanwhile, and an index and a line that are broken.
    for topic in (LINE, f"{BASE}/bridge/phones"):
        broker.publish(topic, '{"phones": 1}', retain=True)
    again = Side(broker)
    again.add()
    again.add_line()
    await again.alone.restore()
    assert not again.server.lines["co2"].seized
    broker.publish(
        LINE, again.seal.write(LINE, {"seized": True, "phone": "44"}), retain=True
    )
    again.server.lines["co2"].seize(None)
    await again.alone.restore()
    assert again.server.lines["co2"].owner is None


@jumping
async def test_a_phone_that_is_removed_while_it_is_read_is_left_out() -> None:
    broker = FakeBroker()
    side = Side(broker)
    side.add()
    side.stored.add_phone("44")
    await settle()
    side.stored.remove_phone("44", clear=False)
    restoring = asyncio.create_task(side.alone.restore())
    await asyncio.sleep(0)
    side.server.remove_phone("44")
    await restoring
    assert side.server.phones == {}
