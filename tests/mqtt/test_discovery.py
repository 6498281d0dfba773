"""A plain Home Assistant on the broker, with its MQTT integration alone, adds the phones."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from signal import SIGKILL
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_get_device_automations,
    async_test_home_assistant,
)

from homeassistant.components.device_automation import DeviceAutomationType
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.bridge import bridge_settings, running_bridge
from tests.support.entries import KEYS, PASSWORD, key_data, reaches
from tests.support.mqtt_peers import Broker, Heard, MqttClient
from tests.support.mqtt_sides import (
    HomeAssistantSide,
    Setup,
    Side,
    add_mqtt_entry,
    over_the_bridge,
)
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone


@pytest.fixture(autouse=True)
def quick_birth() -> Iterator[None]:
    """Let Home Assistants publish their birth after half a second, not five."""
    with patch("homeassistant.components.mqtt.client.DISCOVERY_COOLDOWN", 0.5):
        yield


@pytest.fixture
def side_setup() -> Setup:
    """Return a setup with announcements."""
    return Setup(discovery=True)


@pytest.fixture
async def other(
    hass: HomeAssistant, broker: Broker, started: Side, tmp_path: Path
) -> AsyncIterator[HomeAssistant]:
    """Return a plain Home Assistant on the broker, started last."""
    async with AsyncExitStack() as stack:
        other = hass
        if isinstance(started, HomeAssistantSide):
            other = await stack.enter_async_context(
                async_test_home_assistant(config_dir=str(tmp_path))
            )
        entry = add_mqtt_entry(other, broker.port, tmp_path)
        await async_setup_component(other, "device_automation", {})
        assert await other.config_entries.async_setup(entry.entry_id)
        yield other
        if other is not hass:
            await other.config_entries.async_unload(entry.entry_id)
            await other.async_stop(force=True)


async def event_of(hass: HomeAssistant, entity_id: str, heard: Heard) -> dict[str, Any]:
    """Wait until an event entity has a message's event; return its attributes."""
    news = asyncio.Event()
    unsubscribe = async_track_state_change_event(
        hass, entity_id, callback(lambda _: news.set())
    )
    async with asyncio.timeout(PATIENCE):
        while not (
            (state := hass.states.get(entity_id))
            and state.attributes.get("id") == heard.json["id"]
        ):
            news.clear()
            await news.wait()
    unsubscribe()
    return dict(state.attributes)


def device_of_phone(hass: HomeAssistant) -> dr.DeviceEntry:
    (device,) = [it for it in dr.async_get(hass).devices if it.name == "Phone 44"]
    assert isinstance(device, dr.DeviceEntry)
    return device


@over_both_speakers
async def test_another_home_assistant(
    side: Side, client: MqttClient, phone: RawPhone, other: HomeAssistant
) -> None:
    client.publish("homeassistant/status", "online")
    await reaches(other, "light.phone_44_key_1", "off")
    await reaches(other, "switch.phone_44_alarm", "off")
    for lamp in ("light.phone_44_key_1", "switch.phone_44_alarm"):
        entity = er.async_get(other).async_get(lamp)
        assert entity is not None
        assert entity.entity_category is EntityCategory.CONFIG

    async def call(domain: str, action: str, **data: Any) -> None:
        await other.services.async_call(domain, action, data, blocking=True)

    await call("light", "turn_on", entity_id="light.phone_44_key_1", effect="hold")
    await phone.shows("1", c="hold")
    await reaches(other, "light.phone_44_key_1", "on")
    state = other.states.get("light.phone_44_key_1")
    assert state is not None
    assert state.attributes["effect"] == "hold"
    await call("light", "turn_off", entity_id="light.phone_44_key_1")
    await phone.shows("1", c=None)
    await call(
        "light", "turn_on", entity_id="light.phone_44_key_2", rgb_color=[10, 200, 20]
    )
    await phone.shows("2", c="on", o="green")
    await call("switch", "turn_on", entity_id="switch.phone_44_alarm")
    await phone.shows("3", c="on")
    await reaches(other, "switch.phone_44_alarm", "on")

    await phone.press("1")
    pressed = await client.first("snom_buttons/44/key/1/event")
    event = await event_of(other, "event.phone_44_key_1_press", pressed)
    assert event["event_type"] == "press_end"
    assert event["device_class"] == "button"
    await phone.invite("0815")
    dialled = await client.first("snom_buttons/44/dialled")
    event = await event_of(other, "event.phone_44_dialled_number", dialled)
    assert event["event_type"] == "dialled"
    assert event["number"] == "0815"

    device = device_of_phone(other)
    triggers = await async_get_device_automations(
        other, DeviceAutomationType.TRIGGER, device.id
    )
    assert {
        (trigger["type"], trigger["subtype"])
        for trigger in triggers
        if trigger["domain"] == "mqtt"
    } == {("button_short_press", name) for name in ("Key 1", "Key 2", "Alarm")}

    assert await async_setup_component(
        other,
        "automation",
        {
            "automation": {
                "triggers": {
                    "trigger": "device",
                    "domain": "mqtt",
                    "device_id": device.id,
                    "type": "button_short_press",
                    "subtype": "Alarm",
                },
                "actions": {
                    "event": "alarm_pressed",
                    "event_data": {"id": "{{ trigger.payload_json.id }}"},
                },
            }
        },
    )
    await other.async_block_till_done()
    fired = async_capture_events(other, "alarm_pressed")
    await phone.press("1")
    await phone.press("3")
    pressed = await client.first("snom_buttons/44/key/3/event")
    await event_of(other, "event.phone_44_alarm_press", pressed)
    await other.async_block_till_done()
    assert [event.data["id"] for event in fired] == [pressed.json["id"]]

    await phone.unregister()
    await reaches(other, "light.phone_44_key_1", "unavailable")

    # A key changes its use, another is removed, and then the phone.
    keys = [key_data("1", kind="switch"), *KEYS[2:]]
    await side.configure(phones={"44": keys, "45": KEYS})
    await reaches(other, "switch.phone_44_key_1", "unavailable")
    await other.async_block_till_done()
    assert other.states.get("light.phone_44_key_1") is None
    assert other.states.get("light.phone_44_key_2") is None
    client.heard.clear()
    await side.configure(phones={"45": KEYS})
    await client.hears("snom_buttons/44/availability", "")
    # The other one gets it on its own connection.
    async with asyncio.timeout(PATIENCE):
        while other.states.get("switch.phone_44_key_1") is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@over_both_speakers
async def test_another_home_assistant_that_may_only_look(
    side: Side, client: MqttClient, phone: RawPhone, other: HomeAssistant
) -> None:
    await side.configure(commands=False)
    await reaches(other, "binary_sensor.phone_44_key_1", "off")
    await reaches(other, "binary_sensor.phone_44_alarm", "off")
    assert "command_topic" not in client.on(side.announcement("44"))[-1].payload
    side.turn_on("44", "3")
    await reaches(other, "binary_sensor.phone_44_alarm", "on")
    await other.async_block_till_done()
    assert not other.states.async_all(("light", "switch"))
    await phone.press("1")
    pressed = await client.first("snom_buttons/44/key/1/event")
    await event_of(other, "event.phone_44_key_1_press", pressed)


@over_the_bridge
async def test_a_bridge_takes_its_announcements_back(
    client: MqttClient, started: Side
) -> None:
    """Of a phone that is gone since, and of all when they are switched off."""
    announced = {it: started.announcement(it) for it in ("44", "45")}
    for topic in announced.values():
        await client.first(topic)
    await started.stop()
    assert {*announced.values()} <= (await client.kept("homeassistant/")).keys()
    await started.configure(phones={"44": KEYS})
    client.heard.clear()
    await started.start()
    await client.hears(announced["45"], "")
    heard = [
        it.topic
        for it in client.heard
        if it.topic.startswith((announced["45"], "snom_buttons/45/"))
    ]
    assert heard[0] == announced["45"]
    await started.configure(discovery=False)
    await client.hears(announced["44"], "")
    await client.hears("snom_buttons/status", "online")
    assert not await client.kept("homeassistant/")


async def test_a_bridge_as_a_process(
    hass: HomeAssistant, broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    """It is killed, and Home Assistant starts while it is dead."""
    lamp, alarm = "light.phone_44_key_1", "switch.phone_44_alarm"
    keys = {"1": {}, "2": {"name": "Alarm", "kind": "switch"}}
    settings = bridge_settings(broker.port, mqtt={"discovery": True})
    settings["secret"] = "of a test"
    settings["phones"]["44"]["keys"] = keys
    mqtt = add_mqtt_entry(hass, broker.port, tmp_path)
    async with (
        running_bridge(tmp_path, settings) as bridge,
        RawPhone(bridge.address, "44", PASSWORD) as phone,
    ):
        assert (await phone.register()).status == 200
        await client.hears("snom_buttons/44/key/1/state", in_sync=True)
        stored = "snom_buttons/44/stored"
        await client.until(lambda: phone.address in client.on(stored)[-1].payload)
        await bridge.end(SIGKILL)
        await client.hears("snom_buttons/status", "offline")
        assert await hass.config_entries.async_setup(mqtt.entry_id)
        await reaches(hass, lamp, "unavailable")
        await reaches(hass, alarm, "unavailable")
        async with running_bridge(tmp_path, settings) as bridge:
            await reaches(hass, lamp, "off")
            data = {"entity_id": lamp}
            await hass.services.async_call("light", "turn_on", data, blocking=True)
            await phone.shows("1", c="on")
            await reaches(hass, lamp, "on")
            assert (await phone.press("2")).status == 200
            pressed = await client.first("snom_buttons/44/key/2/event")
            await event_of(hass, "event.phone_44_alarm_press", pressed)
            await phone.unregister()
            await reaches(hass, lamp, "unavailable")
            del settings["phones"]["44"]
            await bridge.reload(settings)
            await client.hears("snom_buttons/44/availability", "")
            async with asyncio.timeout(PATIENCE):
                while hass.states.get(lamp) is not None:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
    assert hass.states.get(alarm) is None
    assert [it.name for it in dr.async_get(hass).devices] == ["Phone 45"]
