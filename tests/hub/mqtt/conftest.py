"""Home Assistant with its own MQTT integration at a real Mosquitto."""

from collections.abc import AsyncIterator
from pathlib import Path

from paho.mqtt.enums import MQTTProtocolVersion
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.mqtt.models import DATA_MQTT
from homeassistant.core import HomeAssistant
from tests.support.mqtt_peers import LOCALHOST, Broker, MqttClient
from tests.support.ports import free_port


@pytest.fixture
def broker_port(socket_enabled: None) -> int:
    """Return a port that is free."""
    return free_port()


@pytest.fixture
async def broker(broker_port: int, tmp_path: Path) -> AsyncIterator[Broker]:
    """Return a broker without access control."""
    async with Broker(tmp_path, broker_port) as broker:
        yield broker


@pytest.fixture(params=["5", "3.1.1"])
def protocol(request: pytest.FixtureRequest) -> str:
    """Return the version of MQTT."""
    version: str = request.param
    return version


@pytest.fixture
async def client(broker: Broker, protocol: str) -> AsyncIterator[MqttClient]:
    """Return a client that is subscribed to everything."""
    version = (
        MQTTProtocolVersion.MQTTv5 if protocol == "5" else MQTTProtocolVersion.MQTTv311
    )
    async with MqttClient(broker.port, protocol=version) as client:
        yield client


@pytest.fixture(autouse=True)
def quick_client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let Home Assistant's client collect subscriptions only for a moment.

    Also let it use MQTT 3.1.1 where a test wants that: it would change to 5 if the
    broker speaks it.
    """
    for cooldown in ("INITIAL_SUBSCRIBE", "SUBSCRIBE", "UNSUBSCRIBE"):
        monkeypatch.setattr(
            f"homeassistant.components.mqtt.client.{cooldown}_COOLDOWN", 0.02
        )
    if "hass" in request.fixturenames and request.getfixturevalue("protocol") != "5":
        monkeypatch.setattr(
            "homeassistant.components.mqtt.try_connection", lambda _: False
        )


@pytest.fixture
def mqtt_entry(
    hass: HomeAssistant, broker_port: int, protocol: str, tmp_path: Path
) -> MockConfigEntry:
    """Return the entry of Home Assistant's MQTT integration, which reads the YAML too."""
    hass.config.config_dir = str(tmp_path)
    (tmp_path / "configuration.yaml").touch()
    from homeassistant.components.mqtt.config_flow import (
        CONFIG_ENTRY_MINOR_VERSION,
        CONFIG_ENTRY_VERSION,
    )

    entry = MockConfigEntry(
        domain="mqtt",
        title="Mosquitto",
        version=CONFIG_ENTRY_VERSION,
        minor_version=CONFIG_ENTRY_MINOR_VERSION,
        data={"broker": LOCALHOST, "port": broker_port, "protocol": protocol},
    )
    entry.add_to_hass(hass)
    return entry


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
