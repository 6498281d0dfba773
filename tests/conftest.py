"""Fixtures that several rooms of the tests share."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC
import logging
import math
from pathlib import Path
from typing import Any

from aiohttp.web_log import AccessLogger
from hypothesis import settings
from paho.mqtt.enums import MQTTProtocolVersion
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

# Imported before Home Assistant looks for `custom_components`, so that it finds this one.
import custom_components.snom_buttons  # noqa: F401
from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.phones import outbox
from custom_components.snom_buttons.hub.provisioning import hearing
from homeassistant.core import HomeAssistant
from tests.support import networks
from tests.support.blfphone import BlfPhone
from tests.support.entries import PASSWORD, Phones, phone_subentry
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST, free_port
from tests.support.rawphone import RawPhone
from tests.support.streams import Contexts, tls_contexts

type KeysOf = Callable[[str], list[str]]

# How long one example takes depends on the machine.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_configure() -> None:
    """Move to a network of its own before a thread begins that would stay behind."""
    networks.is_own()
    # Home Assistant's plugin lets them log each statement.
    for name in ("sqlalchemy.engine", "homeassistant.components.recorder"):
        logging.getLogger(name).setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Override the fixture of Home Assistant's plugin that puts each loop in debug mode.

    That mode stores the whole stack with each future, which takes half of the processor
    time of the suite. `PYTHONASYNCIODEBUG=1` switches it on.
    """


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Override the plugin's folder, in which all processes copy the same blueprints."""
    return str(tmp_path)


@pytest.fixture(autouse=True)
def home_assistant(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the test's Home Assistant find the integration; fail on errors in its log."""
    if "hass" not in request.fixturenames:
        yield
        return
    if "recorder_mock" in request.fixturenames:  # has to be there before `hass`
        request.getfixturevalue("recorder_mock")
    request.getfixturevalue("enable_custom_integrations")
    # When a state becomes assumed must not depend on how fast the machine is.
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    monkeypatch.setattr(outbox, "SLOW", PATIENCE)
    # A port of its own, since the machine has one group for all tests that run.
    monkeypatch.setattr(hearing, "GROUP_PORT", 0)
    # It would ask for the zone anew, and a frozen time has none.
    monkeypatch.setattr(AccessLogger, "_cached_tz", UTC)
    monkeypatch.setattr(AccessLogger, "_cached_tz_expires", math.inf)
    log: pytest.LogCaptureFixture = request.getfixturevalue("caplog")
    yield
    assert not [
        record
        for phase in ("setup", "call")
        for record in log.get_records(phase)
        if record.levelno >= logging.ERROR
        and record.name != "paho.mqtt.client"  # calls a broker that is gone an error
    ]


@pytest.fixture(scope="session", params=["TCP", "TLS"])
def contexts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Contexts:
    """Return both sides of a connection, with TLS and without."""
    if request.param == "TCP":
        return Contexts(None, None)
    return tls_contexts(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def port(socket_enabled: None) -> int:
    """Return a UDP port that is free."""
    return free_port()


@pytest.fixture
def config_entry(hass: HomeAssistant, port: int) -> MockConfigEntry:
    """Return the entry of a server on this machine with the phones 44 and 45."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=f"Phones on {LOCALHOST}:{port}",
        data={
            "host": LOCALHOST,
            "port": port,
            "realm": "home-assistant",
            "advertised_host": LOCALHOST,
        },
        subentries_data=[phone_subentry("44"), phone_subentry("45")],
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def server(hass: HomeAssistant, config_entry: MockConfigEntry) -> MockConfigEntry:
    """Return the entry, set up."""
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    return config_entry


@pytest.fixture
def speaker(request: pytest.FixtureRequest) -> str:
    """Return how the keys of phones are sent: see `over_both_speakers`."""
    return str(getattr(request, "param", "buttons"))


@pytest.fixture
def keys_of(request: pytest.FixtureRequest) -> KeysOf:
    """Return a function that returns the names of a phone's keys, by its extension."""

    def keys(extension: str) -> list[str]:
        entry: MockConfigEntry = request.getfixturevalue("config_entry")
        [data] = [
            subentry.data
            for subentry in entry.subentries.values()
            if subentry.data.get("extension") == extension
        ]
        return [it["key"] for it in data["keys"]]

    return keys


@pytest.fixture
async def phones(port: int, speaker: str, keys_of: KeysOf) -> AsyncIterator[Phones]:
    """Return a function that makes registered phones that know their keys."""
    make = BlfPhone if speaker == "blf" else RawPhone
    async with AsyncExitStack() as stack:

        async def registered(extension: str = "44", **options: Any) -> RawPhone:
            phone = await stack.enter_async_context(
                make((LOCALHOST, port), extension, PASSWORD, **options)
            )
            answer = await phone.register()
            assert answer.status == 200, answer
            if isinstance(phone, BlfPhone):
                await phone.watch(*keys_of(extension))
            await phone.until(lambda: bool(phone.keys))
            return phone

        yield registered


@pytest.fixture
async def phone(server: MockConfigEntry, phones: Phones) -> RawPhone:
    """Return phone 44, registered."""
    registered: RawPhone = await phones()
    return registered


# MQTT


@pytest.fixture
def broker_port(socket_enabled: None) -> int:
    """Return a port that is free."""
    return free_port()


@pytest.fixture
async def broker(broker_port: int, tmp_path: Path) -> AsyncIterator[Broker]:
    """Return a broker without access control."""
    async with Broker(tmp_path, broker_port) as broker:
        yield broker


@pytest.fixture
async def client(broker: Broker, protocol: str) -> AsyncIterator[MqttClient]:
    """Return a client that is subscribed to everything."""
    version = (
        MQTTProtocolVersion.MQTTv5 if protocol == "5" else MQTTProtocolVersion.MQTTv311
    )
    async with MqttClient(broker.port, protocol=version) as client:
        yield client
