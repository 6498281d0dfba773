"""The demo with Mosquitto: a real Home Assistant, a broker, and a client of neither."""

from pathlib import Path

import pytest

from tests.support.mqtt_peers import LOCALHOST, MqttClient
from tests.support.programs import program

from .test_demo import demo_running

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("socket_enabled"),
]


async def test_phones_on_the_broker_and_a_restart(tmp_path: Path) -> None:
    program("mosquitto")
    async with (
        demo_running(tmp_path / "demo", "--no-phone", "--mqtt") as demo,
        demo.phone("44") as desk,
    ):
        mqtt = demo.details["mqtt"]
        assert mqtt == {"host": LOCALHOST, "port": mqtt["port"], "base": "snom_buttons"}
        base = mqtt["base"]
        async with MqttClient(mqtt["port"]) as client:
            assert (await client.first(f"{base}/status")).payload == "online"
            await client.hears(f"{base}/44/availability", "offline")
            assert (await desk.register()).status == 200
            await client.hears(f"{base}/44/key/1/state", state="OFF", in_sync=True)
            client.publish(f"{base}/44/key/1/set", {"state": "ON", "effect": "hold"})
            await desk.shows("1", c="hold")
            assert (await desk.press("1")).status == 200
            await client.hears(f"{base}/44/key/1/event", event_type="press_end")

            await demo.call("homeassistant", "restart")
            await client.hears(f"{base}/status", "offline")
            await client.until(
                lambda: client.on(f"{base}/status")[-1].payload == "online", 90
            )
            kept = await client.kept(base)
            assert '"effect":"hold"' in kept[f"{base}/44/key/1/state"]
            # The phone noticed nothing, and is there all the same.
            client.publish(f"{base}/44/key/1/set", "OFF")
            await desk.shows("1", c=None)
            await client.hears(f"{base}/44/availability", "online")
