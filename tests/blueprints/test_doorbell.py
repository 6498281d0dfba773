"""A doorbell on keys of two phones."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from homeassistant.components import demo
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support.blueprints import Automation, automate, pass_time, turns
from tests.support.entries import KEYS as KEYS_44, key_data, reaches, update_phone
from tests.support.rawphone import RawPhone

KEYS = ["event.phone_44_key_2_press", "event.phone_45_alarm_press"]
BELLS = ["input_button.front_door", "input_boolean.gate"]
PLATFORMS = [
    Platform.BUTTON,
    Platform.COVER,
    Platform.EVENT,
    Platform.LOCK,
    Platform.SWITCH,
]


@pytest.fixture
async def house(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make bells and doors of several domains."""
    helpers = {
        "input_button": {"front_door": {"name": "Front door"}},
        "input_boolean": {"gate": {"name": "Gate"}},
        "script": {"open": {"sequence": {"event": "opened"}}},
    }
    for domain in helpers:
        assert await async_setup_component(hass, domain, helpers)
    monkeypatch.setattr(demo, "COMPONENTS_WITH_CONFIG_ENTRY_DEMO_PLATFORM", PLATFORMS)
    monkeypatch.setattr(demo, "COMPONENTS_WITH_DEMO_PLATFORM", [])
    entry = MockConfigEntry(domain="demo")
    entry.add_to_hass(hass)
    hass.config.components |= {"conversation", "group", "zone"}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def doorbell(hass: HomeAssistant, **inputs: Any) -> Automation:
    given = {"bells": BELLS, "keys": KEYS, "door": "script.open"} | inputs
    return await automate(hass, "doorbell", **given)


async def ring(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        "input_button", "press", {"entity_id": BELLS[0]}, blocking=True
    )


@pytest.mark.usefixtures("house")
async def test_a_press_on_any_phone_opens_the_door(
    hass: HomeAssistant, phone: RawPhone, other: RawPhone
) -> None:
    opened = async_capture_events(hass, "opened")
    await doorbell(hass)
    await ring(hass)
    await phone.shows("2", c="pickup", i="Front door", b="in", l="Key 2")
    await other.shows("3", c="pickup", i="Front door", b="in", l="Alarm")
    await other.press("3")
    await phone.shows("2", c=None, i=None, l="Key 2")
    await other.shows("3", c=None, i=None, l="Alarm")
    await turns()
    assert len(opened) == 1
    # The next press opens nothing.
    await other.press("3")
    await turns()
    assert len(opened) == 1


@pytest.mark.usefixtures("house")
async def test_a_linked_key_shows_its_entity_again(
    hass: HomeAssistant, phone: RawPhone, server: MockConfigEntry
) -> None:
    link = key_data("2", kind="linked", follows="input_boolean.gate", press="nothing")
    update_phone(hass, server, keys=[*KEYS_44[:1], link])
    gate = {"entity_id": "input_boolean.gate"}
    await hass.services.async_call("input_boolean", "turn_on", gate, blocking=True)
    await phone.shows("2", c="on", l="Key 2")
    await doorbell(hass, bells=BELLS[0], keys=KEYS[0])
    await ring(hass)
    await phone.shows("2", c="pickup", i="Front door")
    await phone.press("2")
    await phone.shows("2", c="on", i=None, l="Key 2")


@pytest.mark.usefixtures("house")
async def test_texts_are_shown_as_they_are_written(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    """Home Assistant would take such texts for numbers or lists."""
    await doorbell(hass, caller="3.10", label="['Gate']")
    await ring(hass)
    await phone.shows("2", c="pickup", i="3.10", l="['Gate']")


@pytest.mark.usefixtures("house")
async def test_a_press_before_the_ring_opens_nothing(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    opened = async_capture_events(hass, "opened")
    await doorbell(hass)
    await phone.press("2")
    await ring(hass)
    await phone.shows("2", c="pickup")
    await turns()
    assert not opened


@pytest.mark.usefixtures("house")
async def test_it_gives_up_a_time_after_the_last_ring(
    hass: HomeAssistant, phone: RawPhone, freezer: FrozenDateTimeFactory
) -> None:
    opened = async_capture_events(hass, "opened")
    automation = await doorbell(hass, timeout={"seconds": 30})
    await ring(hass)
    await phone.shows("2", c="pickup", i="Front door")
    await pass_time(hass, freezer, seconds=20)
    bell = {"entity_id": BELLS[1]}
    await hass.services.async_call("input_boolean", "turn_on", bell, blocking=True)
    await phone.shows("2", c="pickup", i="Gate")
    await pass_time(hass, freezer, seconds=20)
    # A toggle that turns off does not ring.
    await hass.services.async_call("input_boolean", "turn_off", bell, blocking=True)
    await turns()
    assert phone.keys["2"]["c"] == "pickup"
    await pass_time(hass, freezer, seconds=11)
    await phone.shows("2", c=None, i=None)
    assert automation.running == 0
    await phone.press("2")
    await turns()
    assert not opened


@pytest.mark.usefixtures("house")
async def test_a_bell_that_comes_back_does_not_ring(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    automation = await doorbell(hass, bells="event.push")
    hass.states.async_set("event.push", "unavailable")
    hass.states.async_set("event.push", "2026-11-27T12:00:00.000+00:00")
    await turns()
    assert automation.running == 0
    hass.states.async_set("event.push", "2026-11-27T13:00:00.000+00:00")
    await phone.shows("2", c="pickup")


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    ("door", "state"),
    [
        ("lock.front_door", "unlocked"),
        ("lock.openable_lock", "open"),
        ("cover.kitchen_window", "open"),
        ("switch.ac", "on"),
    ],
)
async def test_each_kind_of_door_opens(
    hass: HomeAssistant, phone: RawPhone, door: str, state: str
) -> None:
    await doorbell(hass, door=door)
    await ring(hass)
    await phone.shows("2", c="pickup")
    before = hass.states.get(door)
    assert before is not None and before.state != state
    await phone.press("2")
    await reaches(hass, door, state)


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("door", ["button.push", "input_button.front_door"])
async def test_a_door_without_a_state_opens(
    hass: HomeAssistant, phone: RawPhone, door: str
) -> None:
    await doorbell(hass, bells=BELLS[1], door=door)
    bell = {"entity_id": BELLS[1]}
    await hass.services.async_call("input_boolean", "turn_on", bell, blocking=True)
    await phone.shows("2", c="pickup")
    await phone.press("2")
    await phone.shows("2", c=None)
    await turns()
    state = hass.states.get(door)
    assert state is not None and state.state not in ("unknown", "unavailable")


@pytest.mark.usefixtures("house")
async def test_without_a_door_a_press_ends_the_blinking(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    automation = await automate(hass, "doorbell", bells=BELLS, keys=KEYS)
    await ring(hass)
    await phone.shows("2", c="pickup")
    await phone.press("2")
    await phone.shows("2", c=None)
    await turns()
    assert automation.running == 0


@pytest.mark.usefixtures("house")
async def test_a_restart_ends_a_ring(hass: HomeAssistant, phone: RawPhone) -> None:
    opened = async_capture_events(hass, "opened")
    automation = await doorbell(hass)
    await ring(hass)
    await phone.shows("2", c="pickup")
    await automation.restart()
    await phone.shows("2", c=None, i=None)
    await phone.press("2")
    await turns()
    assert not opened
    await ring(hass)
    await phone.shows("2", c="pickup")
    # A reload of others does not end a ring, one of this automation does.
    await automation.reload()
    assert phone.keys["2"]["c"] == "pickup"
    await automation.reload(description="changed")
    await phone.shows("2", c=None)
