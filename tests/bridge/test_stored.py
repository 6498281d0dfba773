"""What is retained on the broker is all that a bridge restores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
import json
from pathlib import Path
import resource
import signal
from typing import Any

from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest
import yaml

from bridge import bridge as bridge_module, client as client_module
from bridge.bridge import Bridge
from bridge.reading import read
from bridge.seal import MAX_SEALED, Broken, Seal
from tests.support.bridge import (
    PASSWORD,
    BridgeProcess,
    bridge_settings,
    running_bridge,
)
from tests.support.hammer import press
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.rawphone import RawPhone

BASE = "snom_buttons"
STORED = f"{BASE}/44/stored"


def with_lines(broker: int, **changes: Any) -> dict[str, Any]:
    """Return the settings of phones 44 and 45 with a shared line and a toggle."""
    settings = bridge_settings(
        broker,
        lines={"co2": {"keys": {"44": "4", "45": "4"}}},
        **changes,
    )
    settings["secret"] = "the secret of the test"
    toggling = {"kind": "switch", "toggle": True}
    for phone in settings["phones"].values():
        phone["keys"] = {"1": {}, "2": {}, "3": toggling, "4": {}}
    return settings


def retained(client: MqttClient, topic: str = STORED) -> Any:
    heard = [it for it in client.on(topic) if it.payload]
    return heard[-1].json if heard else {}


async def stores(client: MqttClient, *texts: str, topic: str = STORED) -> Any:
    """Wait until the newest state of a phone contains texts."""
    await client.until(
        lambda: all(text in json.dumps(retained(client, topic)) for text in texts)
    )
    return retained(client, topic)


async def exchange(phone: RawPhone, request: bytes) -> bytes:
    """Send a request as bytes; return its response."""
    responses: list[bytes] = []
    received = phone.datagram_received

    def receive(data: bytes, addr: tuple[str, int]) -> None:
        if data.startswith(b"SIP/2.0"):
            responses.append(data)
        received(data, addr)
        phone._news.set()

    phone.datagram_received = receive  # type: ignore[method-assign]
    phone._transport.sendto(request, phone.server)
    await phone.until(lambda: bool(responses))
    phone.datagram_received = received  # type: ignore[method-assign]
    return responses[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_nothing_is_lost_with_a_bridge(
    number: signal.Signals, broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    settings = with_lines(broker.port)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running_bridge(tmp_path, settings))
        phone, other = [
            await stack.enter_async_context(RawPhone(first.address, it, PASSWORD))
            for it in ("44", "45")
        ]
        assert (await phone.register()).status == 200
        assert (await other.register()).status == 200
        blf = await phone.subscribe("2")
        client.publish(f"{BASE}/44/messages/set", {"mwi": "3/1"})
        look = {"light": "pickup", "caller": "1978", "label": "Garage"}
        client.publish(f"{BASE}/44/key/1/set", look)
        client.publish(f"{BASE}/45/key/1/set", "ON")
        await phone.shows("1", c="pickup")
        await other.shows("1", c="on")
        await stores(client, "Garage", "1978", '"new": 3', blf.get("Call-ID"))
        assert (await other.press("4", "seize")).status == 200
        await phone.shows("4", c="on")
        # The state of a press is there before the press.
        toggled = press(phone, 1, "k=3\r\na=message\r\n")
        answer = await exchange(phone, toggled)
        await client.hears(f"{BASE}/44/key/3/event", event_type="press_end")
        topics = [heard.topic for heard in client.heard]
        assert "on" in json.dumps(retained(client)["phone"]["keys"][2])
        order = [it for it in topics if it in (STORED, f"{BASE}/44/key/3/event")]
        assert order[-2:] == [STORED, f"{BASE}/44/key/3/event"] or order[-1] == STORED
        await stores(client, '"phone": "45"', topic=f"{BASE}/line/co2/state")
        # The answer is stored after the broker has the event, soon.
        await stores(client, "Call-ID: 1-44")

        await first.end(number)
        for each in (phone, other):
            each.keys.clear()
            each.notices.clear()
        events = len(client.on(f"{BASE}/44/key/3/event"))
        second = await stack.enter_async_context(running_bridge(tmp_path, settings))
        # Registered phones get the whole picture without a REGISTER.
        await phone.shows("1", c="pickup", i="1978", l="Garage")
        await phone.shows("3", c="on")
        await phone.shows("4", c="on")
        await other.shows("1", c="on")
        await phone.until(lambda: bool(phone.notices))
        assert phone.notices[0].get("Call-ID") == blf.get("Call-ID")
        await client.hears(f"{BASE}/44/messages", mwi="3/1")
        # A retransmission of what was answered does not count.
        assert await exchange(phone, toggled) == answer
        # The line has its holder.
        assert (await phone.press("4", "seize")).status == 200
        assert (await phone.press("4", "release")).status == 200
        released = await client.hears(f"{BASE}/44/key/4/event", action="release")
        assert released.json["event_type"] == "press_end"
        assert (await other.press("4", "release")).status == 200
        await phone.shows("4", c=None)
        assert len(client.on(f"{BASE}/44/key/3/event")) == events
        assert phone.keys["3"]["c"] == "on"
        # The subscription goes on.
        refreshed = await phone.subscribe("2", within=blf)
        assert refreshed.status == 200
        assert await second.end() == 0


async def test_a_password_that_was_changed_ends_registrations(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    settings = with_lines(broker.port)
    async with (
        running_bridge(tmp_path, settings) as bridge,
        RawPhone(bridge.address, "44", PASSWORD) as phone,
    ):
        await phone.register()
        client.publish(f"{BASE}/44/key/1/set", "ON")
        await phone.shows("1", c="on")
        await stores(client, "c=on", phone.instance)
        await bridge.end()
        phone.keys.clear()
        settings["phones"]["44"]["password"] = "another-one-44"
        async with running_bridge(tmp_path, settings):
            await client.hears(f"{BASE}/44/availability", "offline")
            assert (await phone.press("1", number="key1")).status == 401
            assert (await phone.register()).status == 401
            phone.password = "another-one-44"
            assert (await phone.register()).status == 200
            await phone.shows("1", c="on")


async def test_what_is_removed_while_it_is_down_is_cleared(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    settings = with_lines(broker.port)
    async with running_bridge(tmp_path, settings) as bridge:
        await client.hears(f"{BASE}/45/availability", "offline")
        await client.first(f"{BASE}/bridge/phones")
        await bridge.end()
    client.publish(f"{BASE}/47/availability", "online", retain=True)
    del settings["phones"]["45"], settings["lines"]["co2"]["keys"]["45"]
    del settings["phones"]["44"]["keys"]["2"]
    async with running_bridge(tmp_path, settings) as bridge:
        await client.hears(f"{BASE}/45/stored", "")
        await client.hears(f"{BASE}/44/key/2/state", "")
        await client.hears(f"{BASE}/44/availability", "offline")
        kept = await client.kept()
        assert {topic.split("/")[1] for topic in kept} == {
            *("44", "47", "bridge", "line", "status")
        }, "it is not ours"
        assert f"{BASE}/44/key/2/state" not in kept
        # With a reload, too.
        settings["phones"] = {"46": settings["phones"]["44"]}
        settings["lines"] = {}
        await bridge.reload(settings)
        await client.hears(f"{BASE}/44/stored", "")
        await client.hears(f"{BASE}/line/co2/state", "")
        await client.hears(f"{BASE}/46/availability", "offline")
        await client.until(lambda: bool(retained(client, f"{BASE}/46/stored")))
        kept = await client.kept()
        assert {topic.split("/")[1] for topic in kept} == {
            *("46", "47", "bridge", "status")
        }


@pytest.mark.parametrize(
    "forge",
    [
        lambda kept: {STORED: kept[STORED].replace("c=on", "c=off")},
        lambda kept: {STORED: kept[STORED].replace('"seal":"', '"seal":"0')},
        lambda kept: {STORED: "{" + kept[STORED].partition(",")[2]},
        lambda kept: {STORED: kept[f"{BASE}/45/stored"]},
        lambda kept: {STORED: kept[STORED] + " " * MAX_SEALED},
        lambda kept: {STORED: "nonsense"},
        lambda kept: {STORED: "[" * 100_000},
        lambda kept: {f"{BASE}/line/co2/state": "{}", STORED: "{}"},
        lambda kept: {f"{BASE}/bridge/phones": '{"phones":["47"]}', STORED: "\0"},
    ],
)
async def test_what_others_publish_is_ignored_and_reported(
    forge: Any, broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    settings = with_lines(broker.port)
    async with running_bridge(tmp_path, settings) as bridge:
        for extension in ("44", "45"):
            client.publish(f"{BASE}/{extension}/key/1/set", "ON")
            await stores(client, "c=on", topic=f"{BASE}/{extension}/stored")
        await bridge.end()
    before = await client.kept()
    forged = forge(before)
    for topic, payload in forged.items():
        client.publish(topic, payload, retain=True)
        await client.hears(topic, payload)
    client.publish(f"{BASE}/47/availability", "online", retain=True)
    async with running_bridge(tmp_path, settings) as bridge:
        await client.hears(f"{BASE}/status", "online")
        for topic in forged:
            await bridge.logs(f"What is retained on {topic} is ignored")
        await client.hears(f"{BASE}/45/key/1/state", state="ON")
        await client.hears(f"{BASE}/44/key/1/state", state="OFF")
        # It is replaced, and nothing is cleared.
        await client.until(lambda: "seal" in client.on(STORED)[-1].payload)
        assert (await client.kept()).keys() == before.keys() | {
            f"{BASE}/47/availability"
        }


async def test_without_a_secret_looks_are_restored_and_registrations_are_not(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    settings = bridge_settings(broker.port)
    async with running_bridge(tmp_path, settings) as bridge:
        await bridge.logs("There is no secret")
        async with RawPhone(bridge.address, "44", PASSWORD) as phone:
            await phone.register()
            client.publish(f"{BASE}/44/key/1/set", "ON")
            state = await stores(client, "c=on", phone.instance)
            assert "seal" not in state and state["phone"]["proof"] is None
            await bridge.end()
            # Nor is there a seal that others cannot make: no phone has such a name.
            index = json.dumps({"phones": ["4" * 70_000, "\ud800", "#"]})
            client.publish(f"{BASE}/bridge/phones", index, retain=True)
            await client.hears(f"{BASE}/bridge/phones", index)
            async with running_bridge(tmp_path, settings):
                await client.hears(f"{BASE}/44/availability", "offline")
                await client.hears(f"{BASE}/44/key/1/state", state="ON")


async def test_no_secret_is_on_the_broker(
    bridge: BridgeProcess, client: MqttClient
) -> None:
    async with RawPhone(bridge.address, "44", PASSWORD) as phone:
        await phone.register()
        await stores(client, phone.instance)
        kept = await client.kept("")
        assert PASSWORD not in str(kept)


async def test_a_broker_that_lost_its_data_gets_all_again(
    broker: Broker, tmp_path: Path
) -> None:
    settings = with_lines(broker.port)
    async with running_bridge(tmp_path, settings) as bridge:
        async with MqttClient(broker.port) as client:
            client.publish(f"{BASE}/44/key/1/set", "ON")
            await stores(client, "c=on")
        await broker.stop()
        await broker.start()
        async with MqttClient(broker.port) as client:
            await stores(client, "c=on")
            await client.hears(f"{BASE}/line/co2/state", seized=False)
            await client.first(f"{BASE}/bridge/phones")
        await bridge.end()


@pytest.fixture
async def keeping(socket_enabled: None, tmp_path: Path) -> AsyncIterator[Broker]:
    """Return a broker that writes what it retains to a disk."""
    (folder := tmp_path / "kept").mkdir(mode=0o777)
    lines = ("persistence true", f"persistence_location {folder}/")
    async with Broker(tmp_path, free_port(), *lines) as broker:
        yield broker


async def test_a_bridge_starts_without_a_broker_and_restores_when_it_is_there(
    keeping: Broker, tmp_path: Path
) -> None:
    settings = with_lines(keeping.port)
    async with AsyncExitStack() as stack:
        bridge = await stack.enter_async_context(running_bridge(tmp_path, settings))
        phone = await stack.enter_async_context(
            RawPhone(bridge.address, "44", PASSWORD)
        )
        async with MqttClient(keeping.port) as client:
            client.publish(f"{BASE}/44/key/1/set", "ON")
            await phone.register()
            await phone.shows("4", c=None)
            assert (await phone.press("4", "seize")).status == 200
            await phone.shows("4", c="on")
            await stores(client, "c=on", phone.instance)
            await stores(client, '"44"', topic=f"{BASE}/line/co2/state")
        await bridge.end()
        await keeping.stop()
        phone.keys.clear()
        again = await stack.enter_async_context(
            running_bridge(tmp_path, settings, wait=False)
        )
        await again.logs("Started without what the broker retains")
        await again.logs("Listening on")
        assert (await phone.register()).status == 200
        await phone.shows("1", c=None)
        await phone.shows("4", c=None)
        await keeping.start()
        async with MqttClient(keeping.port) as client:
            await phone.shows("1", c="on")
            await phone.shows("4", c="on")
            await client.hears(f"{BASE}/44/key/1/state", state="ON")
            await client.hears(f"{BASE}/44/availability", "online")
            lamps = [it.json["state"] for it in client.on(f"{BASE}/44/key/1/state")]
            assert "OFF" not in lamps, "the broker never gets the dark picture"


def no_disk() -> None:
    """Let each write to a file fail, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN


def files_of(bridge: BridgeProcess) -> list[Path]:
    """Return the files that a bridge has open, but for its standard streams."""
    links = Path(f"/proc/{bridge.process.pid}/fd").iterdir()
    opened = [link.readlink() for link in links if int(link.name) > 2]
    return [path for path in opened if path.is_absolute()]


async def test_a_full_disk_changes_nothing(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    """It writes no file, so it has none open; and starts and ends all the same."""
    settings = with_lines(broker.port)
    for number in range(2):
        async with running_bridge(tmp_path, settings, preexec=no_disk) as bridge:
            client.publish(f"{BASE}/44/key/{1 + number}/set", "ON")
            await client.hears(f"{BASE}/44/key/{1 + number}/state", state="ON")
            await client.hears(f"{BASE}/44/key/1/state", state="ON")
            assert not files_of(bridge)
            assert await bridge.end() == 0
            assert not [line for line in bridge.log if "Traceback" in line]


async def test_a_broker_with_a_full_disk_loses_nothing_while_it_runs(
    socket_enabled: None, tmp_path: Path
) -> None:
    (tmp_path / "kept").symlink_to("/proc")  # where nothing can be made
    lines = (
        *("persistence true", f"persistence_location {tmp_path}/kept/"),
        *("autosave_interval 1", "autosave_on_changes true"),
    )
    async with Broker(tmp_path, free_port(), *lines) as broker:
        settings = with_lines(broker.port)
        async with MqttClient(broker.port) as client:
            async with running_bridge(tmp_path, settings) as bridge:
                client.publish(f"{BASE}/44/key/1/set", "ON")
                await stores(client, "c=on")
                await broker.logs("Error saving in-memory database")
                await bridge.end(signal.SIGKILL)
            async with running_bridge(tmp_path, settings) as bridge:
                await client.until(
                    lambda: (
                        len(client.on(f"{BASE}/44/key/1/state")) > 0
                        and client.on(f"{BASE}/44/key/1/state")[-1].json["state"]
                        == "ON"
                    )
                )
                client.publish(f"{BASE}/44/key/2/set", "ON")
                await client.hears(f"{BASE}/44/key/2/state", state="ON")
                await client.hears(f"{BASE}/44/key/1/state", state="ON")


async def test_a_bridge_in_this_process(
    keeping: Broker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It restores before or after its ports are open, whatever is there first."""
    monkeypatch.setattr(bridge_module, "RESTORE_AGAIN", 0.05)
    monkeypatch.setattr(client_module, "FIRST_PAUSE", 0.05)
    path = tmp_path / "bridge.yaml"
    path.write_text(yaml.safe_dump(with_lines(keeping.port)))
    first = Bridge(read(path).settings)
    await first.start()
    assert first.is_restored
    phones = first.server.phones
    key = phones["44"].keys["1"]
    key.show(replace(key.look, label="Garage"))
    await first.stop()
    await keeping.stop()

    monkeypatch.setattr(bridge_module, "RESTORING", 0.05)
    second = Bridge(read(path).settings)
    assert second.alone is not None
    reads = second.alone.restore
    failures = [ConnectionError(it) for it in ("b", "b", "a")]

    async def restore() -> None:
        while failures:
            raise failures.pop()
        await reads()

    monkeypatch.setattr(second.alone, "restore", restore)
    await second.start()
    assert second.server.listening and not second.is_restored
    key = second.server.phones["44"].keys["1"]
    assert key.look.label == "Key 1"
    shown = asyncio.Event()
    key.shown.subscribe(lambda _: shown.set())
    await keeping.start()
    await asyncio.wait_for(shown.wait(), PATIENCE)
    assert key.look.label == "Garage"
    said = [it for it in caplog.messages if "Nothing is restored yet" in it]
    assert [it[-1] for it in said] == ["a", "b"]  # each once
    settings = with_lines(keeping.port)
    del settings["phones"]["45"], settings["lines"]
    path.write_text(yaml.safe_dump(settings))
    async with MqttClient(keeping.port) as client:
        await second.reload(read(path).settings)
        await client.hears(f"{BASE}/45/stored", "")
        async with asyncio.timeout(PATIENCE):
            # They are cleared one after the other, in no order.
            gone = (f"{BASE}/45/", f"{BASE}/line/")
            while any(it.startswith(gone) for it in await client.kept()):
                pass
    await second.stop()
    third = Bridge(read(path).settings)
    await keeping.stop()
    await third.start()
    await third.stop()


TEXTS = st.text(st.characters(codec="utf-8"), max_size=50)
FIELDS = st.dictionaries(
    TEXTS.filter(lambda name: name != "seal"),
    st.recursive(TEXTS | st.integers() | st.none(), st.lists),
    min_size=1,
)
SEAL = Seal("secret", BASE)
OTHER_SEALS = (Seal("other", BASE), Seal("secret", "other"))
"""With another secret, and with another base topic; each takes 0.05 s to make."""


@given(FIELDS)
def test_what_is_sealed_is_read(fields: dict[str, Any]) -> None:
    payload = SEAL.write(STORED, fields).encode()
    read = SEAL.read(STORED, payload)
    assert len(read.pop("seal")) == 64
    assert read == fields
    for other in OTHER_SEALS:
        with pytest.raises(Broken):
            other.read(STORED, payload)
    with pytest.raises(Broken):
        SEAL.read(f"{BASE}/45/stored", payload)


@given(FIELDS, st.data())
@hypothesis_settings(deadline=None)
def test_no_byte_can_be_changed(fields: dict[str, Any], data: st.DataObject) -> None:
    payload = bytearray(SEAL.write(STORED, fields).encode())
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Broken):
        SEAL.read(STORED, bytes(payload))


@given(st.binary() | FIELDS.map(lambda it: json.dumps(it).encode()))
def test_anything_is_refused(payload: bytes) -> None:
    with pytest.raises(Broken):
        SEAL.read(STORED, payload)
    unsealed = Seal("", BASE)
    with suppress(Broken):
        assert isinstance(unsealed.read(STORED, payload), dict)


@pytest.mark.parametrize("payload", [b"[]", b"1", b"{}" + b" " * MAX_SEALED])
def test_without_a_secret_there_are_limits_too(payload: bytes) -> None:
    unsealed = Seal("", BASE)
    assert unsealed.read(STORED, unsealed.write(STORED, {"a": 1}).encode()) == {"a": 1}
    with pytest.raises(Broken):
        unsealed.read(STORED, payload)


def test_nobody_reads_a_proof_without_the_secret() -> None:
    proof = SEAL.prove("44", PASSWORD)
    assert proof == Seal("secret", BASE).prove("44", PASSWORD)
    assert len({proof, SEAL.prove("45", PASSWORD), SEAL.prove("44", "x")}) == 3
    assert Seal("", BASE).prove("44", PASSWORD) is None
