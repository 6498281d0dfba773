"""A real Mosquitto, and a bridge in a process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.bridge import BridgeProcess, bridge_settings, running_bridge
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.ports import free_port


@pytest.fixture
async def broker(socket_enabled: None, tmp_path: Path) -> AsyncIterator[Broker]:
    """Return a broker without access control."""
    async with Broker(tmp_path, free_port()) as broker:
        yield broker


@pytest.fixture
async def client(broker: Broker) -> AsyncIterator[MqttClient]:
    """Return a client of it that is subscribed to everything."""
    async with MqttClient(broker.port) as client:
        yield client


@pytest.fixture
async def bridge(broker: Broker, tmp_path: Path) -> AsyncIterator[BridgeProcess]:
    """Return a bridge with the phones 44 and 45."""
    async with running_bridge(tmp_path, bridge_settings(broker.port)) as bridge:
        yield bridge
