"""Keys blink when the washing machine is done."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support.blueprints import Automation, automate, pass_time, turns
from tests.support.rawphone import RawPhone

KEYS = ["event.phone_44_key_2_press", "event.phone_45_alarm_press"]
POWER = "sensor.washing_machine_power"
DONE = "input_boolean.laundry"
LABEL = "Laundry is done"


@pytest.fixture
async def helper(hass: HomeAssistant, other: RawPhone) -> None:
    helpers = {"input_boolean": {"laundry": {}, "plug": {}}}
    assert await async_setup_component(hass, "input_boolean", helpers)
    power(hass, 0)


def power(hass: HomeAssistant, watts: float | str) -> None:
    hass.states.async_set(POWER, str(watts))


async def washing_machine(hass: HomeAssistant, **inputs: Any) -> Automation:
    given = {"machine": POWER, "keys": KEYS, "done": DONE} | inputs
    return await automate(hass, "washing_machine", **given)


async def wash(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let the machine run for ten minutes, and be quiet for three."""
    power(hass, 2000)
    await pass_time(hass, freezer, minutes=10)
    power(hass, 1.5)
    await pass_time(hass, freezer, minutes=3)


def is_done(hass: HomeAssistant) -> bool:
    state = hass.states.get(DONE)
    assert state is not None
    return state.state == "on"


@pytest.mark.usefixtures("helper")
async def test_keys_blink_until_one_is_pressed(
    hass: HomeAssistant,
    phone: RawPhone,
    other: RawPhone,
    freezer: FrozenDateTimeFactory,
) -> None:
    await washing_machine(hass)
    # A press before it is done does not end the wait.
    power(hass, 2000)
    await pass_time(hass, freezer, minutes=5)
    await phone.press("2")
    await turns()
    # A pause within the program.
    power(hass, 2)
    await pass_time(hass, freezer, minutes=2)
    power(hass, 300)
    await turns()
    power(hass, 2)
    await pass_time(hass, freezer, minutes=2)
    assert not is_done(hass) and "c" not in phone.keys["2"]
    await pass_time(hass, freezer, minutes=1)
    await phone.shows("2", c="message", l=LABEL)
    await other.shows("3", c="message", l=LABEL)
    await other.press("3")
    await phone.shows("2", c=None, l="Key 2")
    await other.shows("3", c=None, l="Alarm")
    assert not is_done(hass)


@pytest.mark.usefixtures("helper")
async def test_it_reminds_so_many_times(
    hass: HomeAssistant, phone: RawPhone, freezer: FrozenDateTimeFactory
) -> None:
    reminded = async_capture_events(hass, "reminded")
    await washing_machine(
        hass, reminders=2, remind={"minutes": 5}, reminder=[{"event": "reminded"}]
    )
    await wash(hass, freezer)
    await phone.shows("2", c="message")
    for count in (1, 2, 2):
        await pass_time(hass, freezer, minutes=5)
        await phone.shows("2", c="pickup", l=LABEL)
        assert len(reminded) == count
    await phone.press("2")
    await phone.shows("2", c=None)
    await pass_time(hass, freezer, minutes=5)
    assert len(reminded) == 2


@pytest.mark.usefixtures("helper")
async def test_the_next_start_ends_it(
    hass: HomeAssistant, phone: RawPhone, freezer: FrozenDateTimeFactory
) -> None:
    await washing_machine(hass)
    await wash(hass, freezer)
    await phone.shows("2", c="message")
    # The drum turns for a moment, to keep the laundry from creasing.
    power(hass, 100)
    await pass_time(hass, freezer, minutes=1)
    power(hass, 1)
    await pass_time(hass, freezer, minutes=4)
    assert is_done(hass) and phone.keys["2"]["c"] == "message"
    power(hass, 2000)
    await pass_time(hass, freezer, minutes=3)
    await phone.shows("2", c=None, l="Key 2")
    power(hass, 1)
    await pass_time(hass, freezer, minutes=3)
    await phone.shows("2", c="message", l=LABEL)


@pytest.mark.usefixtures("helper")
async def test_a_sensor_that_comes_back_is_not_done(
    hass: HomeAssistant, phone: RawPhone, freezer: FrozenDateTimeFactory
) -> None:
    await washing_machine(hass)
    for state in ("unavailable", 1):
        power(hass, state)
        await pass_time(hass, freezer, minutes=4)
    assert not is_done(hass)
    # One that is away while the machine runs does not hide its end.
    for state in (2000, "unavailable", 1):
        power(hass, state)
        await pass_time(hass, freezer, minutes=4)
    await phone.shows("2", c="message")


@pytest.mark.usefixtures("helper")
async def test_a_machine_with_words_for_states(
    hass: HomeAssistant, phone: RawPhone, freezer: FrozenDateTimeFactory
) -> None:
    await washing_machine(
        hass, machine="input_boolean.plug", label="", settle={"seconds": 5}
    )
    for action in ("turn_on", "turn_off"):
        plug = {"entity_id": "input_boolean.plug"}
        await hass.services.async_call("input_boolean", action, plug, blocking=True)
        await pass_time(hass, freezer, seconds=5)
    await phone.shows("2", c="message", l="Key 2")
    # The helper can be turned off by hand too.
    laundry = {"entity_id": DONE}
    await hass.services.async_call("input_boolean", "turn_off", laundry, blocking=True)
    await phone.shows("2", c=None)


@pytest.mark.usefixtures("helper")
async def test_restarts(
    hass: HomeAssistant, phone: RawPhone, freezer: FrozenDateTimeFactory
) -> None:
    automation = await washing_machine(hass, remind={"minutes": 5})
    power(hass, 2000)
    await pass_time(hass, freezer, minutes=4)
    # While the machine runs,
    await automation.restart()
    power(hass, 1)
    await pass_time(hass, freezer, minutes=3)
    await phone.shows("2", c="message", l=LABEL)
    # while the laundry waits,
    await automation.restart()
    await pass_time(hass, freezer, minutes=5)
    await phone.shows("2", c="pickup", l=LABEL)
    await automation.reload(description="changed")
    await phone.shows("2", c="message", l=LABEL)
    await phone.press("2")
    await phone.shows("2", c=None, l="Key 2")
    # and after that.
    await automation.restart()
    await turns()
    assert "c" not in phone.keys["2"] and automation.running == 0
