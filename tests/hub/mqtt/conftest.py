"""Home Assistant with its own MQTT integration at a real Mosquitto."""

from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.mqtt.models import DATA_MQTT
from homeassistant.core import HomeAssistant
from tests.support.mqtt_peers import Broker
from tests.support.mqtt_sides import add_mqtt_entry, hurry_home_assistant


@pytest.fixture(params=["5", "3.1.1"])
def protocol(request: pytest.FixtureRequest) -> str:
    """Return the version of MQTT."""
    version: str = request.param
    return version


@pytest.fixture(autouse=True)
def quick_client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let Home Assistant's client not wait; see `hurry_home_assistant`."""
    has_client = "hass" in request.fixturenames
    protocol = request.getfixturevalue("protocol") if has_client else "5"
    hurry_home_assistant(monkeypatch, protocol)


@pytest.fixture
def mqtt_entry(
    hass: HomeAssistant, broker_port: int, protocol: str, tmp_path: Path
) -> MockConfigEntry:
    """Return the entry of Home Assistant's MQTT integration."""
    return add_mqtt_entry(hass, broker_port, tmp_path, protocol=protocol)


@pytest.fixture
async def mqtt_server(
    hass: HomeAssistant,
    broker: Broker,
    mqtt_entry: MockConfigEntry,
    config_entry: MockConfigEntry,
    protocol: str,
) -> MockConfigEntry:
    """Return the server's entry, set up with the option on."""
    hass.config_entries.async_update_entry(config_entry, options={"mqtt": True})
    assert await hass.config_entries.async_setup(mqtt_entry.entry_id)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await broker.logs("snom_buttons/+/document/set")
    assert hass.data[DATA_MQTT].client.is_mqttv5 == (protocol == "5")
    return config_entry


@pytest.fixture
def server(mqtt_server: MockConfigEntry) -> MockConfigEntry:
    """Return the same, for the phones."""
    return mqtt_server
