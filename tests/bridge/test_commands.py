"""Commands to a cluster whose members are cut off, die, and lose phones to each other.

A phone is the list of the commands that it got. A member stores it as a bridge stores a
phone: soon after a change, and when it loses the phone.
"""

from __future__ import annotations

import asyncio
from itertools import count
import json
from random import Random
from typing import Any

import pytest

from bridge.stored import SOON
from snom_buttons.mqtt import CannotPublish, Message, Received
from tests.support.clock import run
from tests.support.fakebroker import FakeBroker, FakeClient
from tests.support.members import Member, check_each_has_one, command, settled

PHONES = ["44", "45", "46"]
WILL = 14.0
"""Seconds after which the broker publishes the will of a member that is cut off."""
PAUSES = (0.0, 0.0, 0.001, 0.03, 0.05, 0.15, 0.5, 1.0, 3.0)


class TcpClient(FakeClient):
    """A client whose messages wait, in both directions, while it is cut off."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._late: list[Message] = []

    async def publish(self, message: Message) -> None:
        if not self.is_connected:
            raise CannotPublish("there is no connection")
        asyncio.get_running_loop().call_soon(self._hand_over, message)
        await asyncio.sleep(0)

    def _hand_over(self, message: Message) -> None:
        if self.is_cut:
            self._late.append(message)
        elif self.is_connected:
            self.broker.publish(message.topic, message.payload, retain=message.retain)

    def heal(self) -> None:
        super().heal()
        late, self._late = self._late, []
        for message in late:
            self._hand_over(message)


class Listing(Member):
    """A member whose phones are lists of the numbers of commands."""

    client_type = TcpClient

    def __init__(self, broker: FakeBroker, name: str) -> None:
        super().__init__(broker, name, PHONES)
        self.lists: dict[str, list[int]] = {}
        self._copies: dict[str, list[int]] = {}
        self._due: set[str] = set()

    @property
    def is_alive(self) -> bool:
        return self.client.is_connected

    def add(self, extension: str) -> None:
        super().add(extension)
        self.lists[extension] = [*self._copies.get(extension, ())]

    def merge(self, extension: str, snapshot: Any) -> None:
        self.lists[extension] = [*snapshot["list"]]

    def remove(self, extension: str, *, last: bool, clear: bool = False) -> None:
        if last or extension in self._due:
            self._publish_stored(extension)
        self.marks.pop(extension, None)
        del self.lists[extension]

    def _command(self, message: Received) -> None:
        phone, _ = self.topics.addressee(message.topic)
        if not self.claims.is_elsewhere(phone):
            self.lists[phone].append(int(message.payload))
            self._due.add(phone)
            asyncio.get_running_loop().call_later(SOON, self._store, phone)

    def _store(self, phone: str) -> None:
        if phone in self._due and phone in self.lists and self.is_alive:
            self._publish_stored(phone)

    def _publish_stored(self, phone: str) -> None:
        self._due.discard(phone)
        fields = {**self.stored_fields(phone), "list": self.lists[phone]}
        self._copies[phone] = [*self.lists[phone]]
        message = Message(self.topics.stored(phone), json.dumps(fields), True)
        assert isinstance(self.client, TcpClient)
        self.client._hand_over(message)

    def _stored(self, message: Received) -> None:
        fields, phone = json.loads(message.payload), message.topic.split("/")[1]
        if fields["bridge"] == self.name:
            return  # the broker sends a bridge nothing that it has stored itself
        if phone not in self.marks:
            self._copies[phone] = fields["list"]
        super()._stored(message)

    def catch_up(self, extension: str, snapshot: Any) -> None:
        self._publish_stored(extension)


type Lists = dict[str, list[int]]


async def happens(random: Random) -> tuple[Lists, Lists]:
    """Let much happen; return the commands to phones, and those that these got."""
    broker = FakeBroker()
    members = [Listing(broker, name) for name in "abc"]
    for member in members:
        await member.start()
    await settled()
    loop = asyncio.get_running_loop()
    numbers = count()
    sent: Lists = {it: [] for it in PHONES}
    cut: Listing | None = None
    cut_at = 0.0
    for _ in range(random.randint(5, 40)):
        chance = random.random()
        live = [it for it in members if it.is_alive]
        member, phone = random.choice(live), random.choice(PHONES)
        if chance < 0.6:
            sent[phone].append(next(numbers))
            command(broker, phone, payload=f"{sent[phone][-1]}")
        elif chance < 0.7 and cut is None and len(live) > 1:
            cut, cut_at = member, loop.time()
            cut.client.is_cut = True
        elif chance < 0.8 and cut is not None:
            cut.client.heal()
            cut = None
        elif chance < 0.83 and len(live) > 2 and member is not cut:
            member.die()
        elif chance < 0.85 and member is not cut:
            # The will of a former connection, from another node of the broker.
            broker.publish(member.topics.status, "offline", retain=True)
        elif chance > 0.85:
            member.cluster.adopt(phone)
        await asyncio.sleep(random.choice(PAUSES))
        if cut is not None and loop.time() - cut_at > WILL:
            cut.die()
            cut = None
    if cut is not None:
        cut.client.heal()
    await settled(30.0)
    live = [it for it in members if it.is_alive]
    check_each_has_one(live, PHONES)
    got = {
        phone: next(it.lists[phone] for it in live if it.claims.is_ours(phone))
        for phone in PHONES
    }
    for member in members:
        await member.stop()
    return sent, got


SEEDS = [0, 1, 11, 29, 34, 38, 81, 86, 103, 115, 119, 216, 287, 298, 386, 577]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_command_is_lost_or_counts_twice(seed: int) -> None:
    """Also if a second member fails before it has stored the phones of the first."""
    sent, got = run(happens(Random(seed)))
    assert got == sent
