"""One press is once in each: entity, bus, device trigger, *Activity* and broker."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support.activity import recorded, set_up_activity
from tests.support.entries import PASSWORD, device_of, in_sync
from tests.support.mqtt_peers import MqttClient
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST
from tests.support.relay import GOOD, Relay, Source
from virtual_phone import VirtualPhone

ENTITY = "event.phone_44_alarm_press"
TOPIC = "snom_buttons/44/key/3/event"


class OneWay(Relay):
    """A network that can lose all answers of the server, so that the phone repeats."""

    def __init__(self, server: Source) -> None:
        super().__init__(server, "once", GOOD)
        self.loses_answers = False
        self.repeated = asyncio.Event()
        """A press was sent again."""
        self._sent: set[bytes] = set()

    def _from_phone(self, data: bytes, source: Source) -> None:
        if data.startswith(b"MESSAGE "):
            if data in self._sent:
                self.repeated.set()
            self._sent.add(data)
        super()._from_phone(data, source)

    def _from_server(self, data: bytes, source: Source) -> None:
        if not (self.loses_answers and data.startswith(b"SIP/2.0 ")):
            super()._from_server(data, source)


@pytest.fixture
def protocol() -> str:
    """Return one version of MQTT: what the broker carries is the same in both."""
    return "5"


@pytest.fixture
async def network(port: int) -> AsyncIterator[OneWay]:
    async with OneWay((LOCALHOST, port)) as network:
        yield network


@pytest.fixture
async def desk(server: MockConfigEntry, network: OneWay) -> AsyncIterator[VirtualPhone]:
    """Return the software phone as phone 44, which shows its keys."""
    host, port = network.address
    async with VirtualPhone("44", PASSWORD, registrar=f"{host}:{port}") as desk:
        await desk.wait_for(lambda it: bool(it.keys["3"].number), PATIENCE)
        await in_sync(server)
        yield desk


class Ways:
    """All ways by which Home Assistant hears of a press, and what came by each."""

    def __init__(self, hass: HomeAssistant, mqtt: MqttClient, websocket: Any) -> None:
        self._hass = hass
        self._mqtt = mqtt
        self._websocket = websocket
        self.on_bus = async_capture_events(hass, "snom_buttons_key_press")
        self.ran = async_capture_events(hass, "ran")
        self._states: list[Event[Any]] = async_capture_events(hass, EVENT_STATE_CHANGED)

    async def ids(self) -> list[str]:
        """Return the IDs of the presses on the bus; it is the same by each way."""
        for _ in range(5):
            await self._hass.async_block_till_done()
        on_bus = [event.data["id"] for event in self.on_bus]
        await self._mqtt.until(lambda: len(self._mqtt.on(TOPIC)) >= len(on_bus))
        # What was published before this has come before it.
        before = len(self._mqtt.on("after/presses"))
        self._mqtt.publish("after/presses", "")
        await self._mqtt.until(lambda: len(self._mqtt.on("after/presses")) > before)
        assert [heard.json["id"] for heard in self._mqtt.on(TOPIC)] == on_bus
        assert [event.data["id"] for event in self.ran] == on_bus
        times = {
            state.state: state
            for event in self._states
            if event.data["entity_id"] == ENTITY
            and (state := event.data["new_state"]) is not None
            and state.state not in ("unknown", "unavailable")
        }
        assert len(times) == len(on_bus)
        log = await recorded(self._hass, self._websocket)
        title, message = "Key 3 (Alarm)", "was pressed at Phone 44"
        pressed = [it for it in log if it[:2] == (title, message)]
        assert pressed == [(title, message, None)] * len(on_bus)
        caused = [it[2] for it in log if it[0] == "press runs"]
        assert caused == [
            # What the action has pressed is caused by the action.
            None if event.data.get("simulated") else f"{title} {message}"
            for event in self.on_bus
        ]
        return on_bus


@pytest.fixture
async def ways(
    hass: HomeAssistant,
    client: MqttClient,
    server: MockConfigEntry,
    desk: VirtualPhone,
    hass_ws_client: WebSocketGenerator,
) -> Ways:
    """Return them, with an automation that a press of key 3 runs."""
    await set_up_activity(hass)
    automation = {
        "alias": "press runs",
        "mode": "parallel",
        "triggers": {
            "trigger": "device",
            "domain": DOMAIN,
            "device_id": device_of(hass),
            "type": "pressed",
            "subtype": "3 (Alarm)",
        },
        "actions": {
            "event": "ran",
            "event_data": {"id": "{{ trigger.event.data.id }}"},
        },
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()
    return Ways(hass, client, await hass_ws_client())


async def press(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        DOMAIN, "press_key", {"entity_id": ENTITY}, blocking=True
    )


@pytest.mark.usefixtures("recorder_mock")
async def test_a_press_is_once_in_each(
    hass: HomeAssistant, ways: Ways, server: MockConfigEntry, desk: VirtualPhone
) -> None:
    """A press of the phone, and one of `press_key`; before and after a reload."""
    assert await desk.press("3") == 200
    assert len(await ways.ids()) == 1
    await press(hass)
    assert len(await ways.ids()) == 2
    assert await hass.config_entries.async_reload(server.entry_id)
    await in_sync(server)
    assert len(await ways.ids()) == 2
    assert await desk.press("3") == 200
    assert len(await ways.ids()) == 3
    await press(hass)
    ids = await ways.ids()
    assert len(set(ids)) == 4
    simulated = [event.data.get("simulated", False) for event in ways.on_bus]
    assert simulated == [False, True, False, True]


@pytest.mark.usefixtures("recorder_mock")
@pytest.mark.parametrize("reloads", [False, True])
async def test_a_press_that_the_phone_repeats_is_once_in_each(
    hass: HomeAssistant,
    ways: Ways,
    desk: VirtualPhone,
    network: OneWay,
    *,
    reloads: bool,
) -> None:
    """Also if it repeats it after a reload."""
    network.loses_answers = True
    async with asyncio.TaskGroup() as tasks:
        pressing = tasks.create_task(desk.press("3"))
        await repeats(network)
        assert len(await ways.ids()) == 1
        if reloads:
            [entry] = hass.config_entries.async_entries(DOMAIN)
            assert await hass.config_entries.async_reload(entry.entry_id)
        await repeats(network)
        network.loses_answers = False
    assert pressing.result() == 200
    assert len(await ways.ids()) == 1


async def repeats(network: OneWay) -> None:
    network.repeated.clear()
    async with asyncio.timeout(PATIENCE):
        await network.repeated.wait()
