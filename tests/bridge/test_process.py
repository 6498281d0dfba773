"""A bridge as a process, at a real Mosquitto, with phones made of sockets."""

import asyncio
from pathlib import Path
import signal
import ssl
from typing import Any

import pytest
import yaml

from tests.support.bridge import (
    PASSWORD,
    BridgeProcess,
    bridge_settings,
    running_bridge,
)
from tests.support.certificates import make_certificate
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.ports import LOCALHOST, free_port
from tests.support.rawphone import RawPhone
from tests.support.rawstream import StreamPhone

BASE = "snom_buttons"


def settings_of(bridge: BridgeProcess) -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load(bridge.path.read_text())
    return settings


async def test_a_command_lights_a_lamp_and_a_press_is_an_event(
    bridge: BridgeProcess, client: MqttClient
) -> None:
    async with RawPhone(bridge.address, "44", PASSWORD) as phone:
        await client.hears(f"{BASE}/status", "online")
        assert (await phone.register()).status == 200
        await client.hears(f"{BASE}/44/availability", "online")
        client.publish(f"{BASE}/44/key/1/set", "ON")
        await phone.shows("1", c="on")
        await client.hears(f"{BASE}/44/key/1/state", state="ON", in_sync=True)
        assert (await phone.press("2")).status == 200
        press = await client.first(f"{BASE}/44/key/2/event")
        assert press.json["event_type"] == "press_end"
        assert press.qos == 1 and not press.retain
        client.publish(f"{BASE}/47/key/1/set", "ON")
        error = await client.first(f"{BASE}/error")
        assert error.json["reason"] == "There is no phone 47. There are: 44, 45."
        assert await bridge.end() == 0
        await client.hears(f"{BASE}/status", "offline")


async def test_the_broker_itself_publishes_that_a_killed_bridge_is_offline(
    bridge: BridgeProcess, client: MqttClient
) -> None:
    await client.hears(f"{BASE}/status", "online")
    assert await bridge.end(signal.SIGKILL) == -signal.SIGKILL
    await client.hears(f"{BASE}/status", "offline")
    kept = await client.kept()
    assert kept[f"{BASE}/status"] == "offline"


async def test_a_reload_touches_only_what_has_changed(
    bridge: BridgeProcess, client: MqttClient
) -> None:
    async with (
        RawPhone(bridge.address, "44", PASSWORD) as phone,
        RawPhone(bridge.address, "46", PASSWORD) as new,
    ):
        assert (await phone.register()).status == 200
        subscribed = await phone.subscribe("44", event="message-summary")
        assert subscribed.status == 200
        await client.hears(f"{BASE}/45/availability", "offline")
        client.publish(f"{BASE}/44/key/1/set", "ON")
        await client.hears(f"{BASE}/44/key/1/state", state="ON", in_sync=True)
        assert (await new.register()).status == 401
        async with RawPhone(bridge.address, "45", "a wrong password") as wrong:
            assert (await wrong.register()).status == 401
        # What a person looks for whose phone does not register.
        await bridge.logs(f"Phone 44 is registered from udp {LOCALHOST}:")
        await bridge.logs("Phone 46 is not in the settings; it tried to register from")
        await bridge.logs("Phone 45 gave a wrong password, from")

        settings = settings_of(bridge)
        phones = settings["phones"]
        phones["44"]["keys"] = {"1": {}, "2": {"name": "Door"}, "3": {}, "4": {}}
        phones["46"] = phones.pop("45")
        settings["server"]["realm"] = "another"
        phone.forget_requests()
        await bridge.reload(settings)

        assert any("need a restart: server" in line for line in bridge.log)
        await phone.shows("2", l="Door")
        assert phone.has("1", c="on")  # the lamp is as it was
        assert phone.sends == 1  # nothing but the changed key
        assert not phone.questions
        # The registration and the subscription hold.
        client.publish(f"{BASE}/44/key/3/set", "ON")
        await phone.shows("3", c="on")
        phone.notices.clear()
        client.publish(f"{BASE}/44/messages/set", "ON")
        await phone.until(lambda: bool(phone.notices))
        assert (await phone.press("4")).status == 200
        await client.first(f"{BASE}/44/key/4/event")
        # One came, one is gone.
        assert (await new.register()).status == 200
        await client.hears(f"{BASE}/46/availability", "online")
        await client.hears(f"{BASE}/45/availability", "")
        kept = await client.kept()
        assert not [topic for topic in kept if topic.startswith(f"{BASE}/45/")]


async def test_a_phone_that_is_wrong_leaves_the_others_alone(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    settings = bridge_settings(broker.port)
    settings["phones"]["45"]["keys"] = {"1": {"kind": "poison"}}
    async with running_bridge(tmp_path, settings) as bridge:
        assert any(
            "phones.45.keys.1.kind: poison is none of" in it for it in bridge.log
        )
        async with RawPhone(bridge.address, "44", PASSWORD) as phone:
            assert (await phone.register()).status == 200
            await client.hears(f"{BASE}/44/availability", "online")
            assert not client.on(f"{BASE}/45/availability")

            # A reload: a phone that is wrong now runs as it was, another one is changed.
            settings["phones"]["45"]["keys"] = 2
            settings["phones"]["44"]["keys"] = {"1": {"toggle": "poison"}}
            await bridge.reload(settings)
            [fault] = [line for line in bridge.log if "ERROR" in line]
            assert "phones.44.keys.1.toggle: poison is neither true nor false" in fault
            await client.hears(f"{BASE}/45/availability", "offline")
            client.publish(f"{BASE}/44/key/4/set", "ON")
            await phone.shows("4", c="on")

            # A file that cannot be read changes nothing.
            for broken in ("", "phones: [", "mqtt: {port: many}", "phones: []"):
                await bridge.reload(broken)
                assert any("The settings are as they were" in it for it in bridge.log)
            client.publish(f"{BASE}/44/key/4/set", "OFF")
            await phone.shows("4", c=None)
            assert (await phone.press("4")).status == 200


async def test_a_line_is_added_and_removed_by_a_reload(
    bridge: BridgeProcess, client: MqttClient
) -> None:
    async with RawPhone(bridge.address, "44", PASSWORD) as phone:
        assert (await phone.register()).status == 200
        settings = settings_of(bridge)
        settings["lines"] = {"co2": {"keys": {"44": "1", "45": "1"}}}
        await bridge.reload(settings)
        await phone.shows("1", n="*602co2", a="seize")
        assert (await phone.press("1", "seize")).status == 200
        await phone.shows("1", n="*603co2", c="on")
        await client.hears(f"{BASE}/45/key/1/state", state="ON")
        settings["lines"] = {"co2": {"keys": {"44": "1"}, "release_after": 5}}
        await bridge.reload(settings)
        await client.hears(f"{BASE}/45/key/1/state", state="OFF")
        settings["lines"] = {}
        await bridge.reload(settings)
        await phone.shows("1", n="key1", a="message", c=None)


async def test_sip_over_tls_with_a_certificate_that_is_renewed(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    files = make_certificate(tmp_path)
    port = free_port()
    tls = {"enabled": True, "port": port, "certificate": "server.crt"}
    settings = bridge_settings(
        broker.port,
        server={
            "tcp": {"enabled": True, "port": free_port()},
            "tls": tls | {"private_key": "server.key"},
        },
    )

    async def is_served(certificate: Path) -> bool:
        context = ssl.create_default_context(cafile=str(certificate))
        try:
            _, writer = await asyncio.open_connection(LOCALHOST, port, ssl=context)
        except ssl.SSLCertVerificationError:
            return False
        writer.close()
        return True

    async with running_bridge(tmp_path, settings) as bridge:
        await bridge.logs("Listening on TLS")
        context = ssl.create_default_context(cafile=str(files.certificate))
        address = (LOCALHOST, port)
        plain = (LOCALHOST, settings["server"]["tcp"]["port"])
        async with (
            StreamPhone(address, "44", PASSWORD, context=context) as phone,
            StreamPhone(plain, "45", PASSWORD, context=None) as other,
        ):
            assert (await phone.register()).status == 200
            assert (await other.register()).status == 200
            make_certificate(tmp_path, name="new")
            for suffix in ("crt", "key"):
                (tmp_path / f"new.{suffix}").replace(tmp_path / f"server.{suffix}")
            assert not await is_served(files.certificate)
            await bridge.reload(settings)
            assert await is_served(files.certificate)
            # Connections stay.
            client.publish(f"{BASE}/44/key/1/set", "ON")
            await phone.shows("1", c="on")
            assert (await other.press("1")).status == 200
            # A certificate that cannot be used changes nothing.
            files.key.write_text("no key")
            await bridge.reload(settings)
            assert any("server.tls.certificate" in line for line in bridge.log)
            assert await is_served(files.certificate)


async def test_a_port_that_is_taken_is_named(
    bridge: BridgeProcess, broker: Broker, tmp_path: Path
) -> None:
    (folder := tmp_path / "second").mkdir()
    settings = settings_of(bridge)
    async with running_bridge(folder, settings, wait=False) as second:
        assert await asyncio.wait_for(second.process.wait(), 60) == 1
        port = settings["server"]["port"]
        await second.logs(f"cannot listen on {LOCALHOST}, UDP port {port}: Address")


@pytest.mark.parametrize("text", ["mqtt: ]", "server: {port: many}"])
async def test_a_file_that_cannot_be_read_ends_it(
    tmp_path: Path, socket_enabled: None, text: str
) -> None:
    async with running_bridge(tmp_path, text, wait=False) as bridge:
        assert await asyncio.wait_for(bridge.process.wait(), 60) == 1
    assert bridge.log[0].startswith(f"snom-bridge: {bridge.path}: line 1: ")
