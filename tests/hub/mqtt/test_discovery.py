"""Another Home Assistant on the broker adds the phones; our own ignores them."""

import asyncio
from collections.abc import Callable, Iterator
import importlib
import logging
import sys
from typing import Any, TypedDict
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.hub import mqtt_client
from homeassistant.components import mqtt
from homeassistant.components.mqtt import models
from homeassistant.components.mqtt.models import DATA_MQTT
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntryChange
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send
from tests.support.blfphone import over_both_speakers
from tests.support.entries import reaches
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.rawphone import RawPhone

ANNOUNCED = "homeassistant/device/snom_buttons_subentry_44/config"
OPTIONS = {"mqtt": True, "discovery": True}


@pytest.fixture
def protocol() -> str:
    """Return one version of MQTT; test_topics.py tests both."""
    return "5"


@pytest.fixture(autouse=True)
def quick_birth() -> Iterator[None]:
    """Let Home Assistants publish their birth after half a second, not five."""
    with patch("homeassistant.components.mqtt.client.DISCOVERY_COOLDOWN", 0.5):
        yield


@pytest.fixture
async def announcing(
    hass: HomeAssistant, client: MqttClient, mqtt_server: MockConfigEntry
) -> MockConfigEntry:
    """Return the server's entry with discovery on."""
    hass.config_entries.async_update_entry(mqtt_server, options=OPTIONS)
    await client.first(ANNOUNCED)
    return mqtt_server


def ours_by_mqtt(hass: HomeAssistant) -> list[er.RegistryEntry]:
    registry = er.async_get(hass)
    return [entry for entry in registry.entities.values() if entry.platform == "mqtt"]


async def heard_by_home_assistant(hass: HomeAssistant, client: MqttClient) -> None:
    """Wait until our Home Assistant has handled all earlier announcements."""
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
    # Once more after the birth, when it has certainly subscribed.
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


async def test_a_birth_that_the_broker_kept(
    hass: HomeAssistant,
    broker: Broker,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
) -> None:
    client.publish("homeassistant/status", "online", retain=True)
    await client.first("homeassistant/status")
    broker.log.clear()
    hass.config_entries.async_update_entry(mqtt_server, options=OPTIONS)
    await broker.logs("homeassistant/status (QoS")
    # Retained messages arrive before this.
    client.publish("snom_buttons/44/key/1/set", "ON")
    await client.hears("snom_buttons/44/key/1/state", state="ON")
    assert len(client.on(ANNOUNCED)) == 1
    client.publish("homeassistant/status", "online")
    await client.until(lambda: len(client.on(ANNOUNCED)) == 2)


@patch("homeassistant.components.mqtt.client.RECONNECT_INTERVAL_SECONDS", 1)
async def test_the_broker_comes_back(
    hass: HomeAssistant,
    broker: Broker,
    mqtt_entry: MockConfigEntry,
    config_entry: MockConfigEntry,
) -> None:
    # No birth message, which would also cause an announcement.
    hass.config_entries.async_update_entry(mqtt_entry, options={"birth_message": {}})
    hass.config_entries.async_update_entry(config_entry, options=OPTIONS)
    assert await hass.config_entries.async_setup(mqtt_entry.entry_id)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await broker.logs(ANNOUNCED)
    await broker.logs("homeassistant/status (QoS")
    await broker.logs("snom_buttons/+/document/set")
    await broker.stop()
    await broker.start()
    await broker.logs(ANNOUNCED)
    assert not any("homeassistant/status'" in line for line in broker.log)


async def test_another_prefix(
    hass: HomeAssistant,
    client: MqttClient,
    mqtt_entry: MockConfigEntry,
    config_entry: MockConfigEntry,
) -> None:
    # Home Assistant's own birth message would also cause an announcement.
    hass.config_entries.async_update_entry(
        mqtt_entry, options={"discovery_prefix": "ha/found", "birth_message": {}}
    )
    hass.config_entries.async_update_entry(config_entry, options=OPTIONS)
    assert await hass.config_entries.async_setup(mqtt_entry.entry_id)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    topic = ANNOUNCED.replace("homeassistant", "ha/found")
    await client.first(topic)
    await client.hears("snom_buttons/status", "online")
    client.heard.clear()
    client.publish("ha/found/status", "online")
    await client.first(topic)
    assert not client.on(ANNOUNCED)
    await hass.async_block_till_done()
    assert not ours_by_mqtt(hass)


async def test_a_new_extension_while_the_mqtt_integration_changes(
    hass: HomeAssistant,
    announcing: MockConfigEntry,
    client: MqttClient,
    mqtt_entry: MockConfigEntry,
) -> None:
    """The announcement is never cleared on the way: others would lose the entities."""

    async def mqtt_changes(_: object) -> None:
        async_dispatcher_send(
            hass, SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntryChange.UPDATED, mqtt_entry
        )
        await asyncio.sleep(0.05)

    announcing.runtime_data.async_listen_parts(mqtt_changes)
    client.heard.clear()
    hass.config_entries.async_update_subentry(
        announcing,
        phone := announcing.subentries["subentry_44"],
        data={**phone.data, "extension": "46"},
        unique_id="46",
    )
    await client.hears("snom_buttons/44/availability", "")
    heard = await client.first(ANNOUNCED)
    assert "snom_buttons/46/availability" in str(heard.payload)
    assert all(each.payload for each in client.on(ANNOUNCED))


class Later(TypedDict):
    """A class that could replace PendingDiscovered."""

    queue: list[Any]


class NoMapping:
    """A class that could replace the dict."""


def attribute_gone(monkeypatch: pytest.MonkeyPatch, hass: HomeAssistant) -> None:
    monkeypatch.delattr(hass.data[DATA_MQTT], "discovery_pending_discovered")


def other_type(monkeypatch: pytest.MonkeyPatch, hass: HomeAssistant) -> None:
    monkeypatch.setattr(
        hass.data[DATA_MQTT], "discovery_pending_discovered", NoMapping()
    )


def key_gone(monkeypatch: pytest.MonkeyPatch, hass: HomeAssistant) -> None:
    # Only for the adapter: the MQTT integration itself needs it.
    monkeypatch.setattr(mqtt_client, "MQTT_DATA", "mqtt_of_tomorrow")


def value_gone(monkeypatch: pytest.MonkeyPatch, hass: HomeAssistant) -> None:
    monkeypatch.delattr(models, "PendingDiscovered")


def other_value(monkeypatch: pytest.MonkeyPatch, hass: HomeAssistant) -> None:
    monkeypatch.setattr(models, "PendingDiscovered", Later)


def module_gone(monkeypatch: pytest.MonkeyPatch, hass: HomeAssistant) -> None:
    monkeypatch.delattr(mqtt, "models")
    monkeypatch.setitem(sys.modules, models.__name__, None)
    importlib.reload(mqtt_client)


@over_both_speakers
@pytest.mark.parametrize(
    "change",
    [attribute_gone, other_type, key_gone, value_gone, other_value, module_gone],
)
async def test_a_changed_home_assistant_costs_only_the_announcements(
    hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    *,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
    phone: RawPhone,
    change: Callable[[pytest.MonkeyPatch, HomeAssistant], None],
) -> None:
    with monkeypatch.context() as patched:
        change(patched, hass)
        hass.config_entries.async_update_entry(mqtt_server, options=OPTIONS)
        await hass.async_block_till_done()
        client.publish("homeassistant/status", "online")
        client.publish("snom_buttons/44/key/1/set", "ON")
        await phone.shows("1", c="on")
        await client.hears("snom_buttons/44/key/1/state", state="ON", in_sync=True)
        await client.hears("snom_buttons/status", "online")
        assert not client.on(ANNOUNCED)
    lines = [
        record
        for record in caplog.records
        if record.name.startswith("custom_components.snom_buttons")
        and record.levelno >= logging.WARNING
    ]
    (line,) = lines
    assert line.getMessage() == (
        "Phones are not announced on MQTT: this Home Assistant, which has them already,"
        " would set them up a second time"
    )
