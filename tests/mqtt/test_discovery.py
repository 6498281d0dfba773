"""Another Home Assistant on the broker finds the phones; our own leaves them alone."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_get_device_automations,
    async_test_home_assistant,
)

from homeassistant.components.device_automation import DeviceAutomationType
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from tests.conftest import key_data, reaches
from tests.rawphone import RawPhone

from .peers import Broker, MqttClient

ANNOUNCED = "homeassistant/device/snom_buttons_subentry_44/config"
OPTIONS = {"mqtt": True, "discovery": True}


@pytest.fixture
def protocol() -> str:
    """Return one version of MQTT; test_topics.py has them both."""
    return "5"


@pytest.fixture
async def announcing(
    hass: HomeAssistant, client: MqttClient, mqtt_server: MockConfigEntry
) -> MockConfigEntry:
    """Return our entry with discovery."""
    hass.config_entries.async_update_entry(mqtt_server, options=OPTIONS)
    await client.first(ANNOUNCED)
    return mqtt_server


def ours_by_mqtt(hass: HomeAssistant) -> list[er.RegistryEntry]:
    registry = er.async_get(hass)
    return [entry for entry in registry.entities.values() if entry.platform == "mqtt"]


async def heard_by_home_assistant(hass: HomeAssistant, client: MqttClient) -> None:
    """Wait until our Home Assistant has added what was announced before this."""
    payload = {
        "name": "Sentinel",
        "unique_id": f"sentinel{len(client.heard)}",
        "command_topic": "sentinel/set",
        "origin": {"name": "test"},
    }
    name = f"sentinel{len(client.heard)}"
    payload["default_entity_id"] = f"light.{name}"
    client.publish(f"homeassistant/light/{name}/config", payload, retain=True)
    await reaches(hass, f"light.{name}", "unknown")
    await hass.async_block_till_done()


@pytest.mark.parametrize("is_platform_loaded", [False, True])
async def test_our_own_home_assistant_leaves_it_alone(
    hass: HomeAssistant,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
    is_platform_loaded: bool,
) -> None:
    if is_platform_loaded:
        await heard_by_home_assistant(hass, client)
    hass.config_entries.async_update_entry(mqtt_server, options=OPTIONS)
    heard = await client.first(ANNOUNCED)
    assert not heard.retain
    await heard_by_home_assistant(hass, client)
    assert {entry.original_name for entry in ours_by_mqtt(hass)} == {"Sentinel"}


async def test_nor_after_a_reload_of_mqtt(
    hass: HomeAssistant,
    client: MqttClient,
    announcing: MockConfigEntry,
    mqtt_entry: MockConfigEntry,
) -> None:
    client.heard.clear()
    assert await hass.config_entries.async_reload(mqtt_entry.entry_id)
    # Once more after the birth, when it surely listens.
    await client.until(lambda: len(client.on(ANNOUNCED)) >= 2)
    await heard_by_home_assistant(hass, client)
    assert {entry.original_name for entry in ours_by_mqtt(hass)} == {"Sentinel"}


async def test_a_birth_and_a_goodbye(
    hass: HomeAssistant, client: MqttClient, announcing: MockConfigEntry
) -> None:
    await client.kept()
    client.heard.clear()
    client.publish("homeassistant/status", "offline")
    client.publish("homeassistant/status", "online")
    await client.first(ANNOUNCED)
    hass.config_entries.async_remove_subentry(announcing, "subentry_44")
    await client.hears(ANNOUNCED, "")
    assert ANNOUNCED not in await client.kept("")
    hass.config_entries.async_update_entry(announcing, options={"mqtt": True})
    await client.hears(ANNOUNCED.replace("44", "45"), "")


@pytest.fixture
async def other(
    hass: HomeAssistant,
    broker: Broker,
    announcing: MockConfigEntry,
    mqtt_entry: MockConfigEntry,
    tmp_path: Path,
) -> AsyncIterator[HomeAssistant]:
    """Return another Home Assistant on the broker, started last."""
    async with async_test_home_assistant(config_dir=str(tmp_path)) as other:
        entry = MockConfigEntry(
            domain="mqtt",
            data=dict(mqtt_entry.data),
            version=mqtt_entry.version,
            minor_version=mqtt_entry.minor_version,
        )
        entry.add_to_hass(other)
        await async_setup_component(other, "device_automation", {})
        assert await other.config_entries.async_setup(entry.entry_id)
        yield other
        await other.config_entries.async_unload(entry.entry_id)
        await other.async_stop(force=True)


async def test_another_home_assistant(
    hass: HomeAssistant,
    announcing: MockConfigEntry,
    client: MqttClient,
    phone: RawPhone,
    other: HomeAssistant,
) -> None:
    client.publish("homeassistant/status", "online")
    await reaches(other, "light.phone_44_key_1", "off")
    await reaches(other, "switch.phone_44_alarm", "off")

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
    await client.first("snom_buttons/44/key/1/event")
    await phone.invite("0815")
    dialled = await client.first("snom_buttons/44/dialled")
    await other.async_block_till_done()
    press = other.states.get("event.phone_44_key_1_press")
    assert press is not None
    assert press.attributes["event_type"] == "press_end"
    number = other.states.get("event.phone_44_dialled_number")
    assert number is not None
    assert number.attributes["number"] == "0815"
    assert number.attributes["id"] == json.loads(dialled.payload)["id"]

    device = next(
        device
        for device in dr.async_get(other).devices
        if ("mqtt", "snom_buttons_subentry_44") in device.identifiers
    )
    triggers = await async_get_device_automations(
        other, DeviceAutomationType.TRIGGER, device.id
    )
    assert {
        (trigger["type"], trigger["subtype"])
        for trigger in triggers
        if trigger["domain"] == "mqtt"
    } == {("button_short_press", name) for name in ("Key 1", "Key 2", "Alarm")}

    await phone.unregister()
    await reaches(other, "light.phone_44_key_1", "unavailable")

    # A key becomes something else, another goes, and then the phone.
    subentry = announcing.subentries["subentry_44"]
    keys = [key_data("1", kind="switch"), *subentry.data["keys"][2:]]
    hass.config_entries.async_update_subentry(
        announcing, subentry, data={**subentry.data, "keys": keys}
    )
    await reaches(other, "switch.phone_44_key_1", "unavailable")
    await other.async_block_till_done()
    assert other.states.get("light.phone_44_key_1") is None
    assert other.states.get("light.phone_44_key_2") is None
    client.heard.clear()
    hass.config_entries.async_remove_subentry(announcing, "subentry_44")
    await client.hears("snom_buttons/44/availability", "")
    client.publish("sentinel/last", "one")
    await client.first("sentinel/last")
    await other.async_block_till_done()
    assert other.states.get("switch.phone_44_key_1") is None
