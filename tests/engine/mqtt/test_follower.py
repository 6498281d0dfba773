"""Phones that a follower gets one by one, and commands that are another server's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
import json
from typing import Any

import pytest

from custom_components.snom_buttons.engine.mqtt import (
    Message,
    MqttFollower,
    MqttSetup,
    Received,
)
from custom_components.snom_buttons.engine.mqtt.follower import MAX_LISTED
from custom_components.snom_buttons.engine.phones import (
    PhoneServer,
    PhoneSetup,
    ServerSettings,
)
from tests.support.lines import lines_run
from tests.support.serving import LOCALHOST, lit, phone_setup, setup

SETUP = MqttSetup(base="home", commands=True, discovery=False)


class Client:
    """A client whose broker acknowledges at once."""

    is_ready = True
    repeats_late = True
    is_connected = True

    def __init__(self) -> None:
        self.retained: dict[str, str] = {}
        self.sent: list[Message] = []
        self.subscribed: list[str] = []
        self.receive: Callable[[Received], None] = lambda _: None

    async def publish(self, message: Message) -> None:
        self.sent.append(message)
        if message.retain and message.payload:
            self.retained[message.topic] = message.payload
        elif message.retain:
            self.retained.pop(message.topic, None)

    async def subscribe(
        self,
        topic: str,
        qos: int,
        received: Callable[[Received], None],
        confirmed: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        self.subscribed.append(topic)
        self.receive = received
        if confirmed is not None:
            confirmed()
        return lambda: None

    def hide(self, phone_id: str, payload: Mapping[str, Any]) -> bool:
        return True


class Followed:
    """A server that is not started, and its follower."""

    def __init__(self, *elsewhere: str) -> None:
        self.client = Client()
        self.server = PhoneServer(
            ServerSettings(host=LOCALHOST, port=0, realm="ha", advertised_host="ha"),
            clock=asyncio.get_running_loop().time,
        )
        self.follower = MqttFollower(
            self.client,
            self.server,
            explain=lambda refused: f"{refused.placeholders}",
            phone_ids="snom_",
            phone_id=lambda extension: f"snom_{extension}",
            is_foreign=lambda _: False,
            left_behind_changed=lambda: None,
            save=nothing,
            is_elsewhere=elsewhere.__contains__,
        )

    def add(self, setup: PhoneSetup) -> None:
        self.server.add_phone(setup)
        self.follower.add_phone(setup.extension)

    def remove(self, extension: str, *, clear: bool = True) -> None:
        self.server.remove_phone(extension)
        self.follower.remove_phone(extension, clear=clear)

    def command(self, topic: str, payload: bytes = b"ON") -> None:
        self.client.receive(Received(topic, payload, retain=False))

    @property
    def errors(self) -> list[Any]:
        return [
            json.loads(it.payload)
            for it in self.client.sent
            if it.topic == "home/error"
        ]


async def nothing() -> None:
    pass


@asynccontextmanager
async def following(
    setup: MqttSetup | None = SETUP, *elsewhere: str
) -> AsyncIterator[Followed]:
    followed = Followed(*elsewhere)
    await followed.follower.update(setup)
    yield followed
    await followed.follower.stop()


def desk(extension: str = "44", *keys: str) -> PhoneSetup:
    return phone_setup(extension, [setup(key) for key in keys or ("1", "2")])


def topics(extension: str = "44", *keys: str) -> set[str]:
    states = {f"home/{extension}/key/{key}/state" for key in keys or ("1", "2")}
    return states | {f"home/{extension}/messages"}


async def test_a_phone_that_is_added_is_published_and_followed() -> None:
    async with following() as it:
        it.add(desk())
        assert it.client.retained.keys() == topics() | {"home/status"}
        it.server.phones["44"].keys["1"].show(lit("1"))
        assert json.loads(it.client.retained["home/44/key/1/state"])["state"] == "ON"
        it.command("home/44/key/1/set", b"OFF")
        assert json.loads(it.client.retained["home/44/key/1/state"])["state"] == "OFF"


async def test_an_update_follows_what_was_added() -> None:
    """Home Assistant only calls `update`; both lead to the same."""
    async with following() as it:
        it.add(desk())
        before = dict(it.client.retained)
        await it.follower.update(SETUP)
        assert it.client.retained == before
        sent = len(it.client.sent)
        it.server.phones["44"].keys["1"].show(lit("1"))
        assert len(it.client.sent) == sent + 1, "it is followed once"


async def test_a_phone_that_is_removed_is_cleared() -> None:
    async with following() as it:
        it.add(desk("44"))
        it.add(desk("45"))
        phone = it.server.phones["44"]
        it.remove("44")
        assert it.client.retained.keys() == topics("45") | {"home/status"}
        assert {*it.follower.publisher.known} == topics("45") | {"home/status"}
        phone.keys["1"].show(lit("1"))
        assert it.client.retained.keys() == topics("45") | {"home/status"}
        it.follower.remove_phone("44")  # does nothing


async def test_a_phone_that_another_server_has_is_not_cleared() -> None:
    async with following() as it:
        it.add(desk())
        phone = it.server.phones["44"]
        it.remove("44", clear=False)
        assert it.client.retained.keys() == topics() | {"home/status"}
        sent = len(it.client.sent)
        phone.keys["1"].show(lit("1"))
        it.follower.connection_changed()
        assert [it.topic for it in it.client.sent[sent:]] == ["home/status"]


async def test_a_key_that_is_gone_is_cleared() -> None:
    async with following() as it:
        it.add(desk("44", "1", "2"))
        it.server.configure_phone(desk("44", "2", "3"))
        it.follower.add_phone("44")
        assert it.client.retained.keys() == topics("44", "2", "3") | {"home/status"}


async def test_announcements_follow() -> None:
    announcing = MqttSetup(base="home", member="b/1", commands=True, discovery=True)
    topic = "homeassistant/device/snom_44/config"
    async with following(announcing) as it:
        it.add(desk())
        (announcement,) = [sent for sent in it.client.sent if sent.topic == topic]
        status = {"topic": "home/bridge/b%2F1/status"}
        assert json.loads(announcement.payload)["availability"][0] == status
        assert it.client.retained["home/bridge/b%2F1/status"] == "online"
        it.remove("44")
        assert [sent.payload for sent in it.client.sent if sent.topic == topic][1:] == [
            ""
        ]
    assert it.client.retained["home/bridge/b%2F1/status"] == "offline"


RETAINING = MqttSetup(base="home", commands=True, discovery=True, retained=True)
ANNOUNCED = "homeassistant/device/snom_44/config"


async def test_announcements_can_be_retained() -> None:
    """Then no birth is needed."""
    async with following(RETAINING) as it:
        it.add(desk("44", "1"))
        components = json.loads(it.client.retained[ANNOUNCED])["components"]
        assert components.keys() > {"1_light", "1_press"}
        assert "homeassistant/status" not in it.client.subscribed
        it.remove("44", clear=False)  # another server's from now on
        assert ANNOUNCED in it.client.retained
        it.add(desk("44", "1"))
        it.client.sent.clear()
        it.server.configure_phone(desk("44", "2"))
        it.follower.add_phone("44")
        # The announcement first: a subscriber to a state should not read "".
        sent = [sent.topic for sent in it.client.sent]
        assert sent.index(ANNOUNCED) < sent.index("home/44/key/1/state")
        it.remove("44")
        assert ANNOUNCED not in it.client.retained


async def test_an_earlier_announcement_is_recalled() -> None:
    """Components that are gone since are announced as gone."""
    other = "ha/device/snom_44/config"
    foreign = "homeassistant/device/zigbee/config"
    async with following(RETAINING) as it:
        it.add(desk("44", "1", "2"))
        earlier = it.follower.announcements.saved_of("44")
        assert earlier.keys() == {ANNOUNCED}
    async with following(RETAINING) as it:
        it.client.retained |= dict.fromkeys((other, foreign), "x")
        announced = {**earlier, other: {}, foreign: {}}
        recalled = it.follower.announcements.recall_phone("44", announced)
        assert sorted(recalled) == [other, ANNOUNCED]
        it.add(desk("44", "1"))
        components = json.loads(it.client.retained[ANNOUNCED])["components"]
        assert components["2_light"] == {"platform": "light"}
        assert "state_topic" in components["1_light"]
        assert other not in it.client.retained
        assert foreign in it.client.retained
    async with following(None) as it:
        it.client.retained[ANNOUNCED] = "x"
        it.follower.announcements.recall_phone("44", earlier)
        assert it.follower.announcements.recall_phone("45", ["what", 7]) == []
        await it.follower.update(SETUP)
        assert ANNOUNCED not in it.client.retained
        assert it.follower.announcements.saved_of("44") == {}


async def test_without_a_setup_nothing_is_published() -> None:
    async with following(None) as it:
        it.add(desk())
        it.remove("44")
        assert it.client.sent == []


async def test_commands_to_phones_elsewhere_are_ignored() -> None:
    async with following(SETUP, "45") as it:
        it.add(desk("44"))
        it.command("home/45/key/1/set", b"nonsense")
        it.command("home/%345/key/1/set")
        assert it.errors == []
        it.command("home/46/key/1/set")
        assert [error["topic"] for error in it.errors] == ["home/46/key/1/set"]


@pytest.mark.parametrize("phones", [MAX_LISTED, MAX_LISTED + 1])
async def test_the_error_for_an_unknown_phone_lists_some(phones: int) -> None:
    async with following() as it:
        for number in range(phones):
            it.server.add_phone(desk(f"{1000 + number}"))
        it.command("home/46/key/1/set")
        (error,) = it.errors
        assert error["reason"].count("10") >= MAX_LISTED
        assert ("…" in error["reason"]) is (phones > MAX_LISTED)


async def test_a_phone_costs_the_same_however_many_there_are() -> None:
    async with following() as it:

        def come_and_go() -> None:
            it.add(desk("9999"))
            it.server.phones["9999"].keys["1"].show(lit("1"))
            it.remove("9999")

        come_and_go()
        alone = lines_run(come_and_go)
        for number in range(200):
            it.add(desk(f"{1000 + number}"))
        assert lines_run(come_and_go) <= alone + 20
