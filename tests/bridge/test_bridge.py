"""A bridge in the loop of the test, at a real Mosquitto."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
import yaml

from bridge.bridge import Bridge, phone_id
from bridge.lines import LineState
from bridge.reading import read
from bridge.settings import Settings
from tests.support.bridge import PASSWORD, bridge_settings
from tests.support.certificates import make_certificate
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.ports import LOCALHOST, free_port
from tests.support.rawphone import RawPhone

BASE = "snom_buttons"


def settings_from(folder: Path, data: Any, former: Settings | None = None) -> Settings:
    path = folder / "snom-bridge.yaml"
    path.write_text(yaml.safe_dump(data))
    settings, faults, _ = read(path, former)
    assert not faults
    return settings


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Bridge]:
    bridge = Bridge(settings)
    await bridge.start()
    try:
        yield bridge
    finally:
        await bridge.stop()


class Recorder:
    """A follower that notes what it is called for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def start(self) -> None:
        self.calls.append("start")

    async def update(self, settings: Settings) -> None:
        self.calls.append(f"update {', '.join(settings.phones)}")

    async def stop(self) -> None:
        self.calls.append("stop")


async def test_a_restore_that_fails_within_is_logged(
    broker: Broker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bridge = Bridge(settings_from(tmp_path, bridge_settings(broker.port)))
    monkeypatch.setattr(
        bridge.alone, "restore", AsyncMock(side_effect=ValueError("of the test"))
    )
    await bridge.start()
    await bridge.stop()
    assert "What the broker retains is not restored" in caplog.text
    assert "of the test" in caplog.text


async def test_restores_reloads_and_clears(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    data = bridge_settings(broker.port)
    data["secret"] = "a secret of bridges"
    data["lines"] = {"co2": {"keys": {"44": "1", "45": "1"}}}
    recorder = Recorder()
    address = (data["server"]["host"], data["server"]["port"])
    async with RawPhone(address, "44", PASSWORD) as phone:
        bridge = Bridge(settings_from(tmp_path, data))
        bridge.followers.append(recorder)
        await bridge.start()
        assert (await phone.register()).status == 200
        await client.hears(f"{BASE}/status", "online")
        client.publish(f"{BASE}/44/key/2/set", "ON")
        await phone.shows("2", c="on")
        assert (await phone.press("1", "seize")).status == 200
        await client.hears(f"{BASE}/45/key/1/state", state="ON")
        await bridge.stop()
        await client.hears(f"{BASE}/status", "offline")
        assert recorder.calls == ["start", "stop"]

        # The next start has the registration, the lamps and the line.
        async with started(settings_from(tmp_path, data)) as bridge:
            bridge.followers.append(recorder)
            assert bridge.is_restored
            await client.hears(f"{BASE}/44/availability", "online")
            assert bridge.server.phones["44"].keys["2"].is_on
            assert bridge.server.lines["co2"].owner == "44"

            data["phones"]["46"] = data["phones"].pop("45")
            data["phones"]["44"]["keys"] = {"2": {"name": "Door"}, "3": {}}
            data["lines"] = {"co3": {"keys": {"46": "1"}}}
            data["log"] = {"level": "error"}
            changed = settings_from(tmp_path, data, bridge.settings)
            assert await bridge.reload(changed) == ["log"]
            assert recorder.calls[2:] == ["update 44, 46"]
            await phone.shows("2", l="Door", c="on")
            await client.hears(f"{BASE}/46/availability", "offline")
            await client.hears(f"{BASE}/45/availability", "")
            await client.hears(f"{BASE}/44/key/1/state", "")
            data["lines"] = {"co3": {"name": "Gate", "keys": {"46": "2"}}}
            changed = settings_from(tmp_path, data, bridge.settings)
            assert await bridge.reload(changed) == ["log"]
            assert bridge.server.lines["co3"].setup.keys == {"46": "2"}

        # What is in no settings file when a bridge starts is cleared, too.
        del data["phones"]["46"], data["lines"]
        async with started(settings_from(tmp_path, data)):
            await client.hears(f"{BASE}/46/key/2/state", "")
        kept = await client.kept()
        assert not [it for it in kept if it.startswith((f"{BASE}/46", f"{BASE}/45"))]


async def test_a_phone_moves_to_the_bridge_that_the_edge_asks(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    make_certificate(tmp_path)
    files = {"certificate": "server.crt", "private_key": "server.key"}

    def member(name: str) -> dict[str, Any]:
        data = bridge_settings(broker.port, cluster={"name": name})
        # All comes from an edge here, also what a phone sends itself.
        data["server"]["edges"] = ["127.0.0.1/32"]
        data["server"]["tls"] = {"enabled": True, "port": free_port(), **files}
        data["lines"] = {"co2": {"keys": {"44": "1", "45": "1"}}}
        return data

    async def has(name: str) -> None:
        await client.hears(f"{BASE}/44/bridge", bridge=name)

    one, two = member("one"), member("two")
    async with started(settings_from(tmp_path, one)) as first:
        await client.hears(f"{BASE}/bridge/one/status", "online")
        await has("one")
        assert first.takes
        async with (
            started(settings_from(tmp_path, two)) as second,
            RawPhone((LOCALHOST, two["server"]["port"]), "44", PASSWORD) as phone,
        ):
            await client.hears(f"{BASE}/bridge/two/status", "online")
            assert (await phone.register()).status == 200
            await has("two")
            await client.hears(f"{BASE}/44/availability", "online")
            client.publish(f"{BASE}/44/key/2/set", "ON")
            await phone.shows("2", c="on")
            assert (await phone.press("3")).status == 200
            press = await client.first(f"{BASE}/44/key/3/event")
            # Each member has heard it, and so would not publish it again.
            for bridge in (first, second):
                assert bridge.member is not None
                await client.until(
                    partial(bridge.member.was_published, press.json["id"])
                )
            client.publish(f"{BASE}/44/key/3/event", "not of a bridge")
            two["phones"]["44"]["keys"] = {"1": {}, "2": {"name": "Door"}}
            two["phones"]["46"] = two["phones"]["45"]
            changed = settings_from(tmp_path, two, second.settings)
            assert not await second.reload(changed)
            await phone.shows("2", l="Door", c="on")
        await client.hears(f"{BASE}/bridge/two/status", "offline")
        await has("one")
        # It is restored after the claim, and published then.
        await client.until(lambda: "44" in first.server.phones)


async def test_the_state_of_a_line_is_cleared_by_a_bridge_that_is_alone(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    """While there is another one, that may still have the line."""
    state = f"{BASE}/line/co2/state"
    client.publish(state, LineState(3, "one").payload, retain=True)
    one, two = (
        bridge_settings(broker.port, cluster={"name": name}) for name in ("one", "two")
    )
    for data in (one, two):
        data["lines"] = {"co2": {"keys": {"44": "1"}}}
    async with started(settings_from(tmp_path, one)) as first:
        assert first.member is not None
        claims = first.member.claims
        async with started(settings_from(tmp_path, two)) as second:
            assert second.member is not None
            await client.hears(f"{BASE}/bridge/two/status", "online")
            await client.until(lambda: not second.member.claims.is_alone)
            two["lines"] = {}
            await second.reload(settings_from(tmp_path, two, second.settings))
        await client.until(lambda: claims.is_alone)
        assert state in await client.kept()
        one["lines"] = {}
        await first.reload(settings_from(tmp_path, one, first.settings))
        await client.hears(state, "")


def test_phones_of_two_bases_are_announced_under_two_names() -> None:
    names = {phone_id("a", "44"), phone_id("b", "44"), phone_id("a", "45")}
    assert len(names) == 3
    assert all(
        name.startswith("snom_bridge_") and name.isidentifier() for name in names
    )
