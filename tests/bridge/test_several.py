"""Several bridges as processes, on one real Mosquitto, behind an edge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
import json
from pathlib import Path
import signal
from typing import Any

import pytest
import yaml

from tests.support.bridge import BridgeProcess
from tests.support.cluster_peers import BASE, Desk, TcpRelay, phones_of, running_member
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.ports import free_port

NAMES = ["bridge-1", "bridge-2", "bridge-3"]
PHONES = [f"{n}" for n in range(44, 56)]
SETUPS = {it: {"password": "geheim-44", "keys": "4"} for it in PHONES}


@pytest.fixture
async def broker(socket_enabled: None, tmp_path: Path) -> AsyncIterator[Broker]:
    async with Broker(tmp_path, free_port()) as broker:
        yield broker


class Members:
    """The bridges of one test, by name."""

    def __init__(
        self, folder: Path, broker: Broker, client: MqttClient, claims: MqttClient
    ) -> None:
        self.client = client
        self._claims = claims
        self._folder = folder
        self._broker = broker
        self._stack = AsyncExitStack()
        self._by_name: dict[str, BridgeProcess] = {}

    def __getitem__(self, name: str) -> BridgeProcess:
        return self._by_name[name]

    async def start(self, *names: str, **sections: Any) -> None:
        """Start members at once, and wait until each phone has one."""
        sections = {"phones": SETUPS, **sections}
        running = [
            self._stack.enter_async_context(
                running_member(self._folder, name, self._broker.port, **sections)
            )
            for name in names
        ]
        for name, bridge in zip(names, await asyncio.gather(*running), strict=True):
            self._by_name[name] = bridge
        for name in names:
            await self.client.hears(f"{BASE}/bridge/{name}/status", "online")

    async def all_with(self, *names: str, phones: list[str] = PHONES) -> None:
        """Wait until each phone is with one of these members, which is online."""
        await self._claims.until(lambda: all(self.owner(it) in names for it in phones))

    async def has(self, phone: str, name: str) -> None:
        """Wait until a phone is with a member."""
        await self.all_with(name, phones=[phone])

    def owner(self, phone: str) -> str:
        """Return the bridge of a phone by the broker, "" without a live one."""
        name = self.last_claim(phone)
        status = self._claims.on(f"{BASE}/bridge/{name}/status")
        return name if status and status[-1].payload == "online" else ""

    def last_claim(self, phone: str) -> str:
        """Return the bridge in the newest claim of a phone, "" without one."""
        claims = self._claims.on(f"{BASE}/{phone}/bridge")
        return str(claims[-1].json["bridge"]) if claims else ""

    async def stored(self, phone: str, fits: Callable[[Any], bool]) -> None:
        """Wait until what is stored of a phone fits."""
        topic = f"{BASE}/{phone}/stored"

        def is_stored() -> bool:
            heard = self._claims.on(topic)
            return bool(heard) and fits(heard[-1].json["phone"])

        await self._claims.until(is_stored)

    async def registers(self, desk: Desk) -> None:
        """Register a phone, and wait until it is stored that it is there."""
        assert (await desk.register()).status == 200
        contact = f"@{desk.address}"
        await self.stored(desk.extension, lambda it: contact in str(it["bindings"]))

    async def has_heard_all(self, name: str) -> None:
        """Wait until a member has got all that the broker has for it."""
        (unknown, *_) = phones_of(
            name, [*self._by_name], [f"{n}" for n in range(900, 999)]
        )
        topic = f"{BASE}/{unknown}/key/1/set"
        self.client.publish(topic, "ON")
        await self.client.hears(f"{BASE}/error", topic=topic)

    async def close(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def members(broker: Broker, tmp_path: Path) -> AsyncIterator[Members]:
    async with MqttClient(broker.port) as client, MqttClient(broker.port) as claims:
        members = Members(tmp_path, broker, client, claims)
        try:
            yield members
        finally:
            await members.close()


async def test_a_press_that_comes_again_by_another_bridge_does_nothing(
    members: Members,
) -> None:
    """As when the first bridge could not answer any more."""
    toggling = {"1": {"kind": "switch", "toggle": True}}
    setups = {it: SETUPS[it] | {"keys": toggling} for it in PHONES[:2]}
    await members.start(*NAMES[:2], phones=setups)
    await members.all_with(*NAMES[:2], phones=[*setups])
    phone = PHONES[0]
    key = f"{BASE}/{phone}/key/1"
    first = members.owner(phone)
    (second,) = {*NAMES[:2]} - {first}
    async with Desk(members[first], phone) as desk:
        await members.registers(desk)
        sent: list[bytes] = []
        send = desk._transport.sendto

        def noting(data: bytes, address: tuple[str, int]) -> None:
            sent.append(data)
            send(data, address)

        desk._transport.sendto = noting  # type: ignore[method-assign]
        assert (await desk.press("1", number="key1")).status == 200
        press = await members.client.first(f"{key}/event")
        await members.has_heard_all(second)
        (message,) = [data for data in sent if data.startswith(b"MESSAGE")]
        desk.moves_to(members[second])
        for _ in range(2):
            desk._waiting.clear()
            desk.strays.clear()
            send(message, desk.server)
            await desk.until(lambda: bool(desk.strays))
            assert desk.strays[0].startswith(b"SIP/2.0 200 ")
            await members.has(phone, second)
            # Another one counts.
            assert (await desk.press("1", number="key1")).status == 200

        def ids() -> list[str]:
            return [it.json["id"] for it in members.client.on(f"{key}/event")]

        await members.client.until(lambda: len(ids()) >= 3)
        assert len({*ids()}) == len(ids()) == 3
        assert ids()[0] == press.json["id"]
        await desk.shows("1", c="on")


async def test_a_request_at_another_bridge_moves_a_phone(members: Members) -> None:
    client = members.client
    await members.start(*NAMES[:2], mqtt={"discovery": True})
    await members.all_with(*NAMES[:2])
    phone = phones_of(NAMES[0], NAMES[:2], PHONES)[0]
    key = f"{BASE}/{phone}/key"
    async with Desk(members[NAMES[0]], phone) as desk:
        await members.registers(desk)
        # A stranger, when the bridge of the phone has not answered him in time.
        async with Desk(members[NAMES[1]], phone) as stranger:
            stranger.asserted, stranger.password = (), "wrong"
            for answer in (
                await stranger.register(),
                await stranger.press("1", number="key1"),
                await stranger.invite("key1"),
                await stranger._authorized(
                    "OPTIONS", f"sip:{phone}@{stranger.host}", to=phone, headers=()
                ),
            ):
                assert answer.status == 401
        await members.has_heard_all(NAMES[1])
        assert members.last_claim(phone) == NAMES[0]
        client.publish(f"{key}/1/set", "ON")
        client.publish(f"{key}/2/set", '{"state": "ON", "label": "Two"}')
        await client.hears(f"{key}/2/state", label="Two", in_sync=True)
        assert (await desk.subscribe("3")).status == 200
        client.heard.clear()
        desk.keys.clear()

        desk.moves_to(members[NAMES[1]])
        assert (await desk.press("4", number="key4")).status == 200
        await members.has(phone, NAMES[1])
        press = await client.first(f"{key}/4/event")
        assert press.json["number"] == "key4"
        await desk.shows("1", c="on")  # without a REGISTER
        await desk.shows("2", l="Two")
        client.publish(f"{key}/1/set", "TOGGLE")
        await desk.shows("1", c=None)
        await client.hears(f"{key}/1/state", state="OFF", in_sync=True)
        client.publish(f"{key}/1/set", "TOGGLE")
        await client.hears(f"{key}/1/state", state="ON", in_sync=True)
        await client.hears(f"{BASE}/{phone}/availability", "online")
        # Announced with the status of the bridge that it has now.
        topics = [
            it["topic"]
            for announcement in client.heard
            if announcement.topic.startswith("homeassistant/device/")
            and f"{BASE}/{phone}/" in announcement.payload
            for it in announcement.json["availability"]
        ]
        assert f"{BASE}/bridge/{NAMES[1]}/status" in topics
        assert f"{BASE}/bridge/{NAMES[0]}/status" not in topics
        assert f"{BASE}/status" not in topics
        kept = await client.kept("homeassistant/")
        announced = [it for it in kept.values() if f"{BASE}/{phone}/" in it]
        assert len(announced) == 1
        assert f"{BASE}/bridge/{NAMES[1]}/status" in announced[0]
        # No bridge has published again what was before.
        assert all(it.json["state"] == "ON" for it in client.on(f"{key}/2/state"))
        desk.notices.clear()
        client.publish(f"{key}/3/set", "ON")
        await desk.until(lambda: bool(desk.notices))  # by the subscription that it had
    assert len(client.on(f"{key}/4/event")) == 1


async def test_the_phones_of_a_bridge_that_is_killed(members: Members) -> None:
    client = members.client
    await members.start(*NAMES)
    await members.all_with(*NAMES)
    killed = NAMES[2]
    mine = [it for it in PHONES if members.owner(it) == killed]
    async with Desk(members[killed], mine[0]) as desk:
        await members.registers(desk)
        client.publish(f"{BASE}/{mine[0]}/key/1/set", "TOGGLE")
        await client.hears(f"{BASE}/{mine[0]}/key/1/state", state="ON", in_sync=True)
        await members.stored(mine[0], lambda it: "c=on" in str(it["keys"]))
        desk.keys.clear()
        right = await client.kept(f"{BASE}/")
        # It has published what it could not store any more.
        for phone in mine:
            for topic in (f"{BASE}/{phone}/key/3/state", f"{BASE}/{phone}/messages"):
                client.publish(topic, {"state": "ON"}, retain=True)
            availability = "offline" if phone == mine[0] else "online"
            client.publish(f"{BASE}/{phone}/availability", availability, retain=True)
        # Commands before the broker publishes its will, and after that.
        members[killed].process.send_signal(signal.SIGSTOP)
        for phone in mine:
            client.publish(f"{BASE}/{phone}/key/4/set", "TOGGLE")
        await client.hears(f"{BASE}/{mine[-1]}/key/4/set", "TOGGLE")
        await members[killed].end(signal.SIGKILL)
        await client.hears(f"{BASE}/bridge/{killed}/status", "offline")
        for phone in 2 * mine:  # of which no bridge has said that it has them
            client.publish(f"{BASE}/{phone}/key/4/set", "TOGGLE")
        await members.all_with(*NAMES[:2])
        for phone in mine:
            await members.stored(phone, lambda it: "k=4" in str(it["keys"]))
            await client.hears(f"{BASE}/{phone}/key/4/state", state="ON")
        await desk.shows("4", c="on")
        await desk.shows("1", c="on")  # the whole picture, by its next bridge
        await members.stored(mine[0], lambda it: "k=4" in str(it["keys"]))
        topics = [
            f"{BASE}/{phone}/{topic}"
            for phone in mine
            for topic in (
                *(f"key/{key}/state" for key in "123"),
                *("messages", "availability"),
            )
        ]
        await client.until(
            lambda: all(client.on(it)[-1].payload == right[it] for it in topics)
        )
        now = await client.kept(f"{BASE}/")
        assert {it: now[it] for it in topics} == {it: right[it] for it in topics}
        toggled = [json.loads(now[f"{BASE}/{it}/key/4/state"]) for it in mine]
        assert {it["state"] for it in toggled} == {"ON"}
        client.publish(f"{BASE}/{mine[0]}/key/2/set", "ON")
        await desk.shows("2", c="on")
        client.publish(f"{BASE}/{mine[0]}/key/2/set", "TOGGLE")
        await desk.shows("2", c=None)
        # It comes back, and gets the phones that the edge sends it.
        await members.start(killed)
        desk.moves_to(members[killed])
        await members.registers(desk)
        await members.has(mine[0], killed)
        await desk.shows("1", c="on")
        client.publish(f"{BASE}/{mine[0]}/key/1/set", "TOGGLE")
        await desk.shows("1", c=None)


async def test_a_bridge_that_is_stopped_and_goes_on(members: Members) -> None:
    """For as long as the broker thinks that it is there, and longer."""
    client = members.client
    await members.start(*NAMES[:2])
    await members.all_with(*NAMES[:2])
    stopped, other = NAMES[:2]
    mine = [it for it in PHONES if members.owner(it) == stopped]
    async with Desk(members[stopped], mine[0]) as desk:
        await members.registers(desk)
        members[stopped].process.send_signal(signal.SIGSTOP)
        # The edge sees that it does not answer.
        desk.moves_to(members[other])
        assert (await desk.press("1", number="key1")).status == 200
        await members.has(mine[0], other)
        client.publish(f"{BASE}/{mine[0]}/key/2/set", "ON")
        await desk.shows("2", c="on")
        await client.hears(f"{BASE}/bridge/{stopped}/status", "offline")
        await members.all_with(other)
        client.publish(f"{BASE}/{mine[0]}/key/2/set", "OFF")
        await desk.shows("2", c=None)
        client.heard.clear()
        sends = desk.sends
        # What waits at its socket it does not act on before it knows whose phones it has.
        desk.moves_to(members[stopped])
        press = asyncio.create_task(desk.press("3", number="key3"))
        await asyncio.sleep(0)
        members[stopped].process.send_signal(signal.SIGCONT)
        assert (await press).status in (200, 503)
        await client.hears(f"{BASE}/bridge/{stopped}/status", "online")
        await members[stopped].logs("Connected to the broker", 2)
        desk.moves_to(members[other])
        client.publish(f"{BASE}/{mine[0]}/key/4/set", "TOGGLE")
        await desk.shows("4", c="on")
        assert desk.has("2", c=None) and desk.sends > sends
        assert {members.last_claim(it) for it in PHONES} <= {stopped, other}
        states = client.on(f"{BASE}/{mine[0]}/key/2/state")
        assert all(it.json["state"] == "OFF" for it in states)


async def test_a_bridge_that_the_broker_does_not_reach(
    members: Members, broker: Broker
) -> None:
    """A cable is unplugged between a bridge and the broker; the edge still reaches it."""
    client = members.client
    async with TcpRelay(broker.port) as relay:
        await members.start(NAMES[0])
        await members.start(NAMES[1], mqtt={"port": relay.port})
        await members.all_with(*NAMES[:2])
        other, cut = NAMES[:2]
        phone = next(iter(PHONES))
        async with Desk(members[cut], phone) as desk, Desk(members[cut], "x") as edge:
            await members.registers(desk)
            await members.has(phone, cut)
            await edge.probed(200)
            relay.stop()
            await edge.probed(503)  # after two seconds
            assert (await desk.press("1", number="key1")).status == 503
            assert (await desk.register()).status == 503
            desk.moves_to(members[other])
            assert (await desk.press("1", number="key1")).status == 200
            await members.has(phone, other)
            client.publish(f"{BASE}/{phone}/key/2/set", "ON")
            await desk.shows("2", c="on")
            await client.hears(f"{BASE}/bridge/{cut}/status", "offline")
            relay.heal()
            await client.hears(f"{BASE}/bridge/{cut}/status", "online")
            await edge.probed(200)
            assert members.last_claim(phone) == other
            client.publish(f"{BASE}/{phone}/key/2/set", "TOGGLE")
            await desk.shows("2", c=None)
        assert len(client.on(f"{BASE}/{phone}/key/1/event")) == 1


async def test_all_bridges_are_started_again_one_after_the_other(
    members: Members,
) -> None:
    """While commands come: none is lost that is shown in a state, and no lamp is wrong."""
    client = members.client
    await members.start(*NAMES[:2])
    await members.all_with(*NAMES[:2])
    async with AsyncExitStack() as stack:
        desks: dict[str, Desk] = {}
        for phone in PHONES[:4]:
            bridge = members[members.owner(phone)]
            desks[phone] = await stack.enter_async_context(Desk(bridge, phone))
            await members.registers(desks[phone])
        labels = 0

        async def label(phone: str, text: str) -> None:
            """Give a key a label, and wait until a state shows it.

            Again and again: while a phone is between two bridges, no one may hear it.
            """
            topic = f"{BASE}/{phone}/key/1"

            def is_shown() -> bool:
                states = client.on(f"{topic}/state")
                return any(it.json["label"] == text for it in states)

            while not is_shown():
                client.publish(f"{topic}/set", {"label": text})
                with suppress(TimeoutError):
                    await client.until(is_shown, 1.0)

        async def label_all() -> None:
            nonlocal labels
            labels += 1
            for phone in desks:
                await label(phone, f"Label {labels}")

        for name, other in (NAMES[:2], NAMES[1::-1]):
            await label_all()
            assert await members[name].end() == 0
            for desk in desks.values():
                desk.moves_to(members[other])
            await members.all_with(other, phones=[*desks])
            for phone, desk in desks.items():
                await desk.shows("1", l=f"Label {labels}")
                await client.hears(
                    f"{BASE}/{phone}/key/1/state", label=f"Label {labels}"
                )
            await label_all()
            await members.start(name)
            for phone, desk in desks.items():
                desk.moves_to(members[name])
                client.publish(f"{BASE}/{phone}/key/2/set", "TOGGLE")
                assert (await desk.press("4", number="key4")).status == 200
                await members.has(phone, name)
                await desk.shows("1", l=f"Label {labels}")
        for phone, desk in desks.items():
            await desk.shows("1", l=f"Label {labels}")
            await desk.shows("2", c=None)  # toggled twice, each time once
            await client.hears(
                f"{BASE}/{phone}/key/1/state", label=f"Label {labels}", in_sync=True
            )
            presses = [it.json["id"] for it in client.on(f"{BASE}/{phone}/key/4/event")]
            assert len(set(presses)) == 2


async def test_settings_that_are_rolled_out_to_one_bridge_after_the_other(
    members: Members,
) -> None:
    client = members.client
    await members.start(*NAMES[:2], mqtt={"discovery": True})
    await members.all_with(*NAMES[:2])
    first, second = members[NAMES[0]], members[NAMES[1]]
    # A phone that falls to the bridge that does not know it yet.
    phone = phones_of(NAMES[1], NAMES[:2], [f"{n}" for n in range(70, 90)])[0]
    settings = yaml.safe_load(first.path.read_text())
    settings["phones"][phone] = SETUPS["44"]
    await first.reload(settings)
    await members.has(phone, NAMES[0])
    async with Desk(first, phone) as desk:
        await members.registers(desk)
        client.publish(f"{BASE}/{phone}/key/1/set", "ON")
        await desk.shows("1", c="on")
        # At the other it is a stranger still.
        desk.moves_to(second)
        assert (await desk.press("1", number="key1")).status in (401, 404)
        desk.moves_to(first)
        assert (await desk.press("1", number="key1")).status == 200
    assert members.last_claim(phone) == NAMES[0]
    assert not client.on(f"{BASE}/error")
    # A phone that is removed everywhere is announced no more, and nothing of it is left.
    announced = [
        it.topic
        for it in client.heard
        if it.topic.startswith("homeassistant/") and f"{BASE}/{phone}/" in it.payload
    ]
    del settings["phones"][phone]
    await first.reload(settings)
    await client.hears(announced[0], "")
    claim = f"{BASE}/{phone}/bridge"
    await client.until(lambda: not client.on(claim)[-1].payload)
    assert not [it for it in await client.kept("") if f"/{phone}/" in it]


async def test_what_the_broker_has_not_retained_is_repeated(
    members: Members, broker: Broker
) -> None:
    """RabbitMQ retains a message on one node. A member at another one hears it live."""
    lines = {"co2": {"keys": {"44": "4"}}}
    options = {"mqtt": {"retained": "node"}, "lines": lines}
    await members.start("bridge-1", **options)
    await members.all_with("bridge-1")
    await members.stored("44", lambda it: "keys" in it)
    counted = {
        topic: len(members.client.on(topic))
        for topic in (f"{BASE}/44/bridge", f"{BASE}/44/stored")
    }
    await members.start("bridge-2", **options)
    await members.client.until(
        lambda: all(len(members.client.on(it)) > n for it, n in counted.items())
    )
    await members.has("44", "bridge-1")

    line = f"{BASE}/line/co2/state"
    state = {"seized": True, "phone": "44", "epoch": 3, "home": "bridge-9"}
    members.client.publish(line, json.dumps(state), retain=True)
    await members.client.hears(f"{BASE}/44/key/4/state", state="ON")  # it was heard
    await broker.kill()
    await broker.start()  # without its data
    async with members.client.another() as late:
        await late.hears(f"{BASE}/44/bridge", bridge="bridge-1")
        await late.hears(line, phone="44", epoch=3)
