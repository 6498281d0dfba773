"""Members of a cluster without phones, at a broker without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
import json
from typing import Any

from bridge.claims import Claims
from bridge.cluster import RANK, STARTING, TICK, Cluster
from bridge.gate import Gate
from bridge.kept import after
from bridge.stored import SOON
from snom_buttons.mqtt import Received, Topics, as_json

from .fakebroker import FakeBroker, FakeClient

BASE = "snom_buttons"
PHONES = [f"{n}" for n in range(40, 60)]


class Member:
    """A member with phones that are nothing but a list of what happened to them."""

    client_type: type[FakeClient] = FakeClient

    def __init__(self, broker: FakeBroker, name: str, phones: list[str]) -> None:
        self.name = name
        self.broker = broker
        self.configured = phones
        self.did: list[tuple[str, str]] = []
        self.broken = ""
        """A phone that cannot be added."""
        self.merged: list[tuple[str, Any]] = []
        self.caught_up: list[str] = []
        self.commands: list[str] = []
        self.marks: dict[str, str] = {}
        """Those of the commands to phones that are published."""
        self.stored_marks: dict[str, str] = {}
        """Those of what is stored of the others."""
        self.is_held = False
        """Whether what may come later is not published."""
        self.joins = 0
        self.repeated = 0
        self.client = self.client_type(broker, self._connection_changed)
        self.topics = Topics(BASE, name)
        self.claims = Claims(name)
        self.gate = Gate(self.client)
        self.cluster = Cluster(
            self.client,
            self.gate,
            self.claims,
            topics=self.topics,
            phones=self,
            joined=self._joined,
            members_changed=lambda: None,
        )

    # bridge.cluster.Phones

    def add(self, extension: str) -> None:
        self.did.append(("add", extension))
        self.broker.log.append((f"{self.name} adds", extension))
        if extension == self.broken:
            raise ValueError(extension)

    def merge(self, extension: str, snapshot: Any) -> None:
        self.merged.append((extension, snapshot))

    def catch_up(self, extension: str, snapshot: Any) -> None:
        self.caught_up.append(extension)

    def publish(self, extension: str, *, is_unchanged: bool = False) -> None:
        self.did.append(("publish", extension))
        self.marks[extension] = self.stored_marks.get(extension, "")

    def commanded(self, extension: str, message: Received) -> None:
        self.marks[extension] = after(self.marks[extension], message)

    def hold(self, is_held: bool) -> None:
        self.is_held = is_held

    def remove(self, extension: str, *, last: bool, clear: bool = False) -> None:
        self.did.append(("clear" if clear else "remove", extension))
        if last:
            self._publish_stored(extension)
        self.marks.pop(extension, None)

    def clear(self, extension: str) -> None:
        self.did.append(("clear", extension))

    def repeat_status(self) -> None:
        self.repeated += 1

    # What happens

    def _connection_changed(self, connected: bool) -> None:
        self.cluster.connection_changed(connected)

    def _joined(self) -> None:
        self.joins += 1
        self.broker.publish(self.topics.status, "online", retain=True)

    def _stored(self, message: Received) -> None:
        fields = json.loads(message.payload)
        phone = message.topic.split("/")[1]
        # In this order, as bridge.stored does it.
        if phone not in self.marks:
            before = self.stored_marks.get(phone, "")
            now = self.stored_marks[phone] = fields["commands"]
            if not self.cluster.stored(phone, before, now):
                return
        if fields["bridge"] != self.name:
            self.cluster.apply_stored(phone, fields["bridge"], fields["epoch"], fields)

    def _command(self, message: Received) -> None:
        phone, _ = self.topics.addressee(message.topic)
        if not self.claims.is_elsewhere(phone):
            assert ("add", phone) in self.did
            self.commands.append(message.topic)
            asyncio.get_running_loop().call_later(SOON, self._store, phone)

    def _store(self, phone: str) -> None:
        if self.client.is_connected and self.claims.is_held(phone):
            self._publish_stored(phone)

    def _publish_stored(self, phone: str) -> None:
        payload = json.dumps(self.stored_fields(phone))
        self.broker.publish(f"{BASE}/{phone}/stored", payload, retain=True)

    def stored_fields(self, phone: str) -> dict[str, Any]:
        mark = self.marks.get(phone, self.stored_marks.get(phone, ""))
        self.stored_marks[phone] = mark
        epoch = self.claims.of(phone).epoch
        return {"commands": mark, "bridge": self.name, "epoch": epoch}

    async def start(self) -> None:
        await self.cluster.start(self.configured)
        await self.client.subscribe(f"{BASE}/+/stored", 1, self._stored)
        await self.gate.subscribe(f"{BASE}/+/key/+/set", 1, self._command)
        self.client.connect()

    async def stop(self) -> None:
        await self.cluster.stop()
        self.client.is_connected = False
        self.broker.publish(self.topics.status, "offline", retain=True)

    def die(self) -> None:
        """As a process that is killed: the broker publishes its will."""
        self.client.is_cut = True
        self.client.is_connected = False
        self.broker.publish(self.topics.status, "offline", retain=True)

    def claim_of(self, phone: str) -> str:
        claim = self.claims.of(phone)
        return as_json({"bridge": claim.bridge, "epoch": claim.epoch})

    async def has_claimed(self, phone: str) -> None:
        while not self.claims.is_held(phone):  # noqa: ASYNC110
            await asyncio.sleep(0)

    def holds(self) -> set[str]:
        return set(self.claims.held)


async def settled(seconds: float = STARTING + 4 * RANK + 2 * TICK) -> None:
    """Wait until members have started."""
    await asyncio.sleep(seconds)


@asynccontextmanager
async def cluster(
    *names: str, broker: FakeBroker | None = None, phones: list[str] = PHONES
) -> AsyncIterator[list[Member]]:
    """Run members that share phones."""
    broker = broker or FakeBroker()
    members = [Member(broker, name, phones) for name in names]
    for member in members:
        await member.start()
    await settled()
    try:
        yield members
    finally:
        for member in members:
            with suppress(ValueError):
                await member.stop()


def check_each_has_one(members: Sequence[Member], phones: list[str] = PHONES) -> None:
    """Check that each phone belongs to one member, by its claim too."""
    for phone in phones:
        owners = [it.name for it in members if phone in it.holds()]
        assert len(owners) == 1, (phone, owners)
        (owner,) = owners
        claim = json.loads(members[0].broker.retained[f"{BASE}/{phone}/bridge"])
        assert claim["bridge"] == owner


def command(
    broker: FakeBroker, phone: str, key: str = "1", payload: str = "TOGGLE"
) -> None:
    """Publish a command to a key."""
    broker.publish(f"{BASE}/{phone}/key/{key}/set", payload)
