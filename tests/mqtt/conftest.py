"""The two sides at a real Mosquitto, and their phones."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from snom_buttons.phones import outbox
from tests.conftest import KeysOf
from tests.support.entries import Phones
from tests.support.mqtt_peers import Broker
from tests.support.mqtt_sides import (
    BASE,
    BRIDGE,
    HOME_ASSISTANT,
    SIDES,
    BridgeSide,
    HomeAssistantSide,
    Setup,
    Side,
    hurry_home_assistant,
)
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test over both sides, unless it says over which."""
    marks = metafunc.definition.iter_markers("parametrize")
    if "side" in metafunc.fixturenames and "side" not in {it.args[0] for it in marks}:
        metafunc.parametrize("side", SIDES, indirect=True)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a test over Home Assistant's side be one of those that name `hass`."""
    callspec = getattr(item, "callspec", None)
    name, _ = callspec.params.get("side", ("", "")) if callspec else ("", "")
    if name == HOME_ASSISTANT:
        assert isinstance(item, pytest.Function)
        item.fixturenames = [*item.fixturenames, "hass"]


@pytest.fixture
def protocol(request: pytest.FixtureRequest) -> str:
    """Return the version of MQTT."""
    params = getattr(request.node, "callspec", None)
    _, version = params.params.get("side", ("", "5")) if params else ("", "5")
    return str(version)


@pytest.fixture
def side_setup() -> Setup:
    """Return what the side is set up with."""
    return Setup()


@pytest.fixture
def side(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    *,
    port: int,
    broker: Broker,
    side_setup: Setup,
    tmp_path: Path,
) -> Side:
    """Return the side, which is not started."""
    name, protocol = request.param
    at: dict[str, Any] = {
        "port": port,
        "broker": broker,
        "protocol": protocol,
        "setup": side_setup,
        "directory": tmp_path,
    }
    if name == BRIDGE:
        # When a state becomes assumed must not depend on how fast the machine is.
        monkeypatch.setattr(outbox, "SLOW", PATIENCE)
        return BridgeSide(**at)
    hurry_home_assistant(monkeypatch, protocol)
    return HomeAssistantSide(request.getfixturevalue("hass"), **at)


@pytest.fixture
async def started(side: Side, broker: Broker) -> AsyncIterator[Side]:
    """Return the side, which hears commands."""
    await side.start()
    await broker.logs(f"{BASE}/+/document/set")
    yield side
    await side.close()


@pytest.fixture
def keys_of(side: Side) -> KeysOf:
    """Return a function that returns the names of a phone's keys, by its extension."""
    return lambda extension: [key["key"] for key in side.setup.phones[extension]]


@pytest.fixture
async def phone(started: Side, phones: Phones) -> RawPhone:
    """Return phone 44, registered."""
    registered: RawPhone = await phones()
    return registered
