"""Phones that a bridge gets from another one, and loses to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.phones import ClaimedPhones, merged_state
from snom_buttons.keywords import read_document
from snom_buttons.mqtt import MqttFollower, MqttSetup, Topics
from snom_buttons.phones import KeySetup, PhoneServer, PhoneSetup, ServerSettings
from snom_buttons.phones.events import Acted
from snom_buttons.phones.press_memory import MAX_REMEMBERED
from snom_buttons.xbuttons import KeyDescription
from tests.support.fakebroker import FakeBroker, FakeClient

BASE = "snom_buttons"


class Copies:
    """What is stored, of which nothing is published."""

    def __init__(self, server: PhoneServer) -> None:
        self.server = server
        self.copies: dict[str, Any] = {}
        self.did: list[str] = []
        self.is_unsaved = False

    def copy_of(self, extension: str) -> Any:
        return self.copies.get(extension)

    def recall(self, extension: str) -> None:
        """Nothing is announced."""

    def published_of(self, extension: str) -> None:
        """Know nothing of it."""

    def add_phone(self, extension: str, *, is_stored: bool = False) -> None:
        self.did.append(f"add {extension}")

    def remove_phone(self, extension: str, *, clear: bool) -> None:
        self.did.append(f"{'clear' if clear else 'remove'} {extension}")

    def clear(self, extensions: Iterable[str]) -> None:
        self.did += [f"clear all of {it}" for it in extensions]

    def is_due(self, extension: str) -> bool:
        return self.is_unsaved

    def write_again(self, extension: str) -> None:
        self.did.append(f"write {extension} again")

    def hand_over(self, extension: str) -> None:
        self.copies[extension] = self.server.phone_snapshot(extension)
        self.did.append(f"hand over {extension}")


class Side:
    """One bridge with a server that is not started."""

    def __init__(self, broker: FakeBroker, name: str) -> None:
        self.client = FakeClient(broker, lambda _: None)
        self.client.is_connected = True
        self.server = PhoneServer(
            ServerSettings(
                host="127.0.0.1", port=0, realm="x", advertised_host="bridge.example"
            )
        )
        self.mqtt = MqttFollower(
            self.client,
            self.server,
            explain=str,
            phone_ids="x",
            phone_id=lambda _: None,
            is_foreign=lambda _: False,
            left_behind_changed=lambda: None,
            save=self._save,
        )
        self.copies = Copies(self.server)
        self.came: list[str] = []
        status = Topics(BASE, name).status
        self.phones = ClaimedPhones(
            self.server, self.mqtt, self.copies, status, self.came.append
        )
        keys = tuple(
            KeySetup(off=KeyDescription(name=f"{n}", number=f"key{n}"))
            for n in range(1, 5)
        )
        setup = PhoneSetup(extension="44", password="correct horse", keys=keys)
        self.phones.setups = {"44": setup}
        self.setup = MqttSetup(base=BASE, member=name, commands=True, discovery=False)

    async def _save(self) -> None:
        pass

    def show(self, text: str) -> None:
        self.server.phones["44"].show(read_document(text.encode()))

    def toggle(self, key: str, press: str) -> None:
        """Toggle a key as a press does."""
        phone = self.server.phones["44"]
        phone.keys[key].turn(not phone.keys[key].is_on)
        phone.presses.add(acted=(Acted(press, time.time(), None, key),))

    def light(self, key: str) -> str:
        return self.server.phones["44"].keys[key].look.light


async def test_a_phone_is_as_it_was_stored_and_changes_with_its_former_bridge() -> None:
    broker = FakeBroker()
    a, b = Side(broker, "a"), Side(broker, "b")
    for side in (a, b):
        await side.mqtt.update(side.setup)
    a.phones.add("44")
    a.show("k=1\r\nc=on\r\n")
    a.copies.hand_over("44")
    b.copies.copies = {**a.copies.copies}
    b.phones.add("44")
    assert b.light("1") == "on"
    # Both change it while it moves: each its own key, and both one.
    a.show("k=2\r\nc=hold\r\nk=3\r\nc=hold\r\n")
    b.show("k=3\r\nc=park\r\n")
    a.phones.remove("44", last=True)
    assert a.copies.did == ["hand over 44", "hand over 44"]
    assert not a.server.phones
    b.phones.merge("44", a.copies.copies["44"])
    b.phones.merge("44", a.copies.copies["44"])  # QoS 1 may deliver it twice
    assert [b.light(key) for key in "1234"] == ["on", "hold", "park", "off"]
    b.phones.publish("44")
    assert b.copies.did == ["add 44"] and b.came == ["44"]
    b.phones.merge("44", a.copies.copies["44"] | {"keys": []})
    assert b.light("2") == "hold"  # too late
    b.phones.repeat_status()
    b.phones.remove("44", last=False, clear=True)
    b.phones.clear("44")
    assert b.copies.did == ["add 44", "clear 44", "clear all of 44"]
    for side in (a, b):
        await side.mqtt.stop()


async def test_what_a_phone_loses_is_not_published_by_its_former_bridge() -> None:
    broker = FakeBroker()
    a = Side(broker, "a")
    await a.mqtt.update(a.setup)
    a.phones.add("44")
    topic = f"{BASE}/44/key/1/state"
    assert topic not in a.mqtt.publisher.known
    a.phones.publish("44")
    assert topic in a.mqtt.publisher.known
    a.phones.remove("44", last=True)
    assert topic not in a.mqtt.publisher.known
    await a.mqtt.stop()
    assert broker.retained.get(topic, b"still") != b""


async def test_each_press_toggles_once_whichever_bridge_has_taken_it() -> None:
    """The former one hung, so the edge has asked the next; that did not ask it again."""
    broker = FakeBroker()
    a, b = Side(broker, "a"), Side(broker, "b")
    for side in (a, b):
        await side.mqtt.update(side.setup)
    a.phones.add("44")
    a.toggle("1", "known")
    a.copies.hand_over("44")
    b.copies.copies = {**a.copies.copies}
    b.phones.add("44")
    for press in ("first", "second"):
        b.toggle("1", press)
    a.toggle("1", "first")
    a.toggle("2", "third")
    a.copies.hand_over("44")
    b.phones.merge("44", a.copies.copies["44"])
    assert [b.light(key) for key in "12"] == ["on", "on"]
    # It has taken one that never came here.
    a.toggle("1", "fourth")
    a.toggle("2", "fifth")
    a.phones.remove("44", last=True)
    for _ in range(2):  # QoS 1 may deliver it twice
        b.phones.merge("44", a.copies.copies["44"])
        assert [b.light(key) for key in "12"] == ["off", "off"]
    phone = b.server.phones["44"]
    assert all(
        map(phone.presses.acted_by, ("first", "second", "third", "fourth", "fifth"))
    )


async def test_a_bridge_that_hung_says_what_it_did_and_is_heard_late() -> None:
    """It loses the phone before it knows that the broker reaches it again."""
    broker = FakeBroker()
    a, b = Side(broker, "a"), Side(broker, "b")
    for side in (a, b):
        await side.mqtt.update(side.setup)
        side.phones.add("44")
    a.phones.publish("44")
    b.toggle("1", "both")
    b.phones.publish("44")
    assert (await retained(broker))["state"] == "ON"
    a.toggle("1", "both")
    a.toggle("1", "alone")
    assert (await retained(broker))["state"] == "OFF"  # that of the wrong one
    a.copies.is_unsaved = True
    a.phones.remove("44", last=False)
    assert a.copies.did == ["add 44", "hand over 44"]
    b.toggle("1", "later")
    b.phones.catch_up("44", None)
    for _ in range(2):
        broker.publish(f"{BASE}/44/key/1/state", '{"state": "OFF"}', retain=True)
        b.phones.catch_up("44", a.copies.copies["44"])
        assert b.light("1") == "on"
        assert (await retained(broker))["state"] == "ON"
    assert b.copies.did[-1] == "write 44 again"
    # What is not unsaved is not published, and that of a phone that moves is.
    for is_moving, did in ((False, "remove 44"), (True, "hand over 44")):
        side = Side(broker, "c")
        side.phones.add("44")
        if not is_moving:
            side.phones.publish("44")
        side.phones.remove("44", last=False)
        assert side.copies.did[-1] == did
    for side in (a, b):
        await side.mqtt.stop()


async def test_a_registration_that_only_the_other_bridge_has_is_taken_late() -> None:
    """Both have claimed the phone at once, and it registered with the other one."""
    side = Side(FakeBroker(), "a")
    side.phones.add("44")
    phone = side.server.phones["44"]
    uri = "sip:44@192.168.1.5:5060"
    binding = {
        "user": "44",
        "aor": "sip:44@h",
        "contact": f"<{uri}>",
        "flow": ["UDP", "192.168.1.5", 5060],
        "call_id": "x",
        "cseq": 1,
        "expires_at": time.time() + 3600,
        "instance": None,
        "user_agent": None,
        "supports_buttons": True,
    }
    snapshot = side.server.phone_snapshot("44")
    assert not snapshot["bindings"]
    for has_own, contacts in ((True, []), (False, [f"<{uri}>"])):
        phone.registrations = [SimpleNamespace()] if has_own else []  # type: ignore[list-item]
        side.phones.catch_up("44", snapshot | {"bindings": [binding]})
        bindings = side.server.phone_snapshot("44")["bindings"]
        assert [it["contact"] for it in bindings] == contacts


async def test_the_same_press_toggles_once_after_many_others() -> None:
    """As many are remembered as fit; one that is older was known."""
    broker = FakeBroker()
    a, b = Side(broker, "a"), Side(broker, "b")
    for side in (a, b):
        side.phones.add("44")
        for number in range(MAX_REMEMBERED):
            side.toggle("1", f"{number}")
    a.copies.hand_over("44")
    for number in range(3):
        b.toggle("1", f"new {number}")
    is_on = b.light("1")
    b.phones.catch_up("44", a.copies.copies["44"])
    assert b.light("1") == is_on


async def retained(broker: FakeBroker) -> Any:
    """Return the state of key 1 as the broker retains it, once all is published."""
    for _ in range(5):
        await asyncio.sleep(0)
    return json.loads(broker.retained[f"{BASE}/44/key/1/state"])


SAME: dict[str, Any] = {
    "messages": {"new": 0, "old": 0},
    "bindings": [{"contact": "<sip:44@192.0.2.7>", "cseq": 1, "expires_at": 5.0}],
    "keys": [{"shown": "k=1\r\nc=on\r\n"}],
}


@pytest.mark.parametrize(
    ("theirs", "ours", "merged"),
    [
        ({}, {}, None),
        ({"messages": {"new": 1, "old": 0}}, {}, {"messages": {"new": 1, "old": 0}}),
        ({"messages": 1}, {"messages": 2}, None),
        # Times in the wall clock are never quite the same.
        ({"bindings": [SAME["bindings"][0] | {"expires_at": 5.1}]}, {}, None),
        ({"bindings": []}, {}, {"bindings": []}),
        ({"bindings": []}, {"bindings": [{"contact": "<sip:a@b>", "cseq": 2}]}, None),
        ({"keys": 5}, {}, None),
        ({"keys": [5, {"shown": 5}]}, {}, None),
        ({"answered": [{"key": "x"}]}, {}, {"answered": [{"key": "x"}]}),
        ({"unknown": 5}, {}, None),
    ],
)
def test_the_parts_of_a_state(
    theirs: dict[str, Any], ours: dict[str, Any], merged: dict[str, Any] | None
) -> None:
    expected = None if merged is None else SAME | ours | merged
    assert merged_state(SAME, SAME | theirs, SAME | ours) == expected
