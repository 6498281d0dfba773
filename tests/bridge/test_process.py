"""A bridge as a process, at a real Mosquitto, with phones made of sockets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.bridge import (
    PASSWORD,
    BridgeProcess,
    bridge_settings,
    running_bridge,
)
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.ports import free_port
from tests.support.rawphone import RawPhone


@pytest.fixture
async def broker(socket_enabled: None, tmp_path: Path) -> AsyncIterator[Broker]:
    async with Broker(tmp_path, free_port()) as broker:
        yield broker


@pytest.fixture
async def bridge(broker: Broker, tmp_path: Path) -> AsyncIterator[BridgeProcess]:
    async with running_bridge(tmp_path, bridge_settings(broker.port)) as bridge:
        yield bridge


async def test_a_command_lights_a_lamp_and_a_press_is_an_event(
    bridge: BridgeProcess, broker: Broker
) -> None:
    async with (
        MqttClient(broker.port) as client,
        RawPhone(bridge.address, "44", PASSWORD) as phone,
    ):
        await client.hears("snom_buttons/status", "online")
        assert (await phone.register()).status == 200
        await client.hears("snom_buttons/44/availability", "online")
        client.publish("snom_buttons/44/key/1/set", "ON")
        await phone.shows("1", c="on")
        await client.hears("snom_buttons/44/key/1/state", state="ON", in_sync=True)
        assert (await phone.press("2")).status == 200
        press = await client.first("snom_buttons/44/key/2/event")
        assert press.json["event_type"] == "press_end"
        assert press.qos == 1 and not press.retain
        client.publish("snom_buttons/47/key/1/set", "ON")
        error = await client.first("snom_buttons/error")
        assert error.json["reason"].startswith("There is no phone 47")
