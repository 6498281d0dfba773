"""A broken list of topics in the store does no harm on the broker."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.core import HomeAssistant
from tests.support.mqtt_peers import Broker, MqttClient

OURS = ["snom_buttons/47/availability", "snom_buttons/47/key/1/state"]
OTHERS = [
    "homeassistant/status",
    "zigbee2mqtt/bridge/state",
    "zigbee2mqtt/lamp/availability",
    "homeassistant/device/zigbee_0x01/config",
    "snom_buttons_2/status",
    "snom_buttons/47/note",
]


@pytest.fixture
async def stored(
    hass: HomeAssistant,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> dict[str, Any]:
    """Return the stored part of MQTT of a server that is stopped; topics are retained."""
    await client.hears("snom_buttons/status", "online")
    assert await hass.config_entries.async_unload(mqtt_server.entry_id)
    await client.hears("snom_buttons/status", "offline")
    for topic in (*OURS, *OTHERS):
        client.publish(topic, "kept", retain=True)
        await client.hears(topic, "kept")
    data: dict[str, Any] = hass_storage[f"{DOMAIN}.{mqtt_server.entry_id}.mqtt"]["data"]
    return data


@pytest.mark.parametrize("is_removed", [False, True])
async def test_only_topics_of_the_server_are_cleared(
    hass: HomeAssistant,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
    stored: dict[str, Any],
    is_removed: bool,
) -> None:
    stored["known"] += [*OTHERS, *OURS]
    if is_removed:
        await hass.config_entries.async_remove(mqtt_server.entry_id)
    else:
        assert await hass.config_entries.async_setup(mqtt_server.entry_id)
    for topic in OURS:
        await client.hears(topic, "")
    await hass.async_block_till_done()
    kept = await client.kept("")
    assert set(OTHERS) <= set(kept)
    assert not set(OURS) & set(kept)


@pytest.mark.parametrize(
    "changes",
    [
        {"known": [""]},
        {"known": ["#", "snom_buttons/+/availability", "\0"]},
        {"known": 7},
        {"known": [7, None, {}], "announced": [], "bases": 7},
        {"announced": {"homeassistant/device/x/config": 7}},
    ],
    ids=repr,
)
async def test_the_connection_stays_whatever_is_stored(
    hass: HomeAssistant,
    broker: Broker,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
    stored: dict[str, Any],
    *,
    changes: dict[str, Any],
) -> None:
    """All MQTT devices share it. An empty topic makes the broker end it."""
    before = len(broker.log)
    stored |= changes
    assert await hass.config_entries.async_setup(mqtt_server.entry_id)
    await client.hears("snom_buttons/status", "online")
    mqtt_server.runtime_data.phones["44"].phone.keys["3"].turn(True)
    await client.hears("snom_buttons/44/key/3/state", state="ON")
    assert not [line for line in broker.log[before:] if "disconnect" in line.lower()]
