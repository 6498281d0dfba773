"""A code that is dialled arms and disarms the alarm panel."""

import asyncio
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from homeassistant.components.trace.const import DATA_TRACE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.support.blueprints import AUTOMATION, Automation, automate, pass_time, turns
from tests.support.entries import reaches
from tests.support.rawphone import RawPhone

KEYS = ["event.phone_44_key_2_press", "event.phone_45_alarm_press"]
PANEL = "alarm_control_panel.house"
CODE = "0815"


@pytest.fixture
def both(phone: RawPhone, other: RawPhone) -> tuple[RawPhone, RawPhone]:
    """Return phones 44 and 45."""
    return phone, other


async def panel(hass: HomeAssistant, **config: Any) -> None:
    given = {"platform": "manual", "name": "House", "arming_time": 0}
    assert await async_setup_component(
        hass, "alarm_control_panel", {"alarm_control_panel": given | config}
    )
    await hass.async_block_till_done()


async def keypad(hass: HomeAssistant, **inputs: Any) -> Automation:
    phones = []
    for entity_id in KEYS:
        entry = er.async_get(hass).async_get(entity_id)
        assert entry is not None
        phones.append(entry.device_id)
    given = {"panel": PANEL, "phones": phones, "keys": KEYS} | inputs
    return await automate(hass, "alarm_keypad", **given)


def state_of(hass: HomeAssistant) -> str:
    state = hass.states.get(PANEL)
    assert state is not None
    return state.state


def forget_refusals(caplog: pytest.LogCaptureFixture) -> None:
    """Drop the errors that Home Assistant logs of a wrong code."""
    assert "call_service at pos 1: invalid_code" in caplog.text
    caplog.clear()


def automation_log(caplog: pytest.LogCaptureFixture) -> str:
    """Return what Home Assistant's automations have logged, at each level."""
    return "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("homeassistant.components.automation")
    )


@pytest.mark.usefixtures("other")
async def test_a_code_arms_and_disarms(
    hass: HomeAssistant, phone: RawPhone, other: RawPhone
) -> None:
    await panel(hass, code=CODE)
    automation = await keypad(hass)
    await phone.invite(f"*0{CODE}")
    await reaches(hass, PANEL, "armed_away")
    await phone.shows("2", c="on", o="red", l="Key 2")
    await other.shows("3", c="on", o="red", l="Alarm")
    await other.invite(f"*0{CODE}")
    await reaches(hass, PANEL, "disarmed")
    await phone.shows("2", c=None)
    await other.shows("3", c=None)
    await turns()
    assert automation.running == 0


@pytest.mark.usefixtures("other")
async def test_the_keys_show_each_state(
    hass: HomeAssistant, phone: RawPhone, freezer: FrozenDateTimeFactory
) -> None:
    await panel(hass, code=CODE, arming_time=20, delay_time=15, trigger_time=60)
    await keypad(hass, arm="alarm_arm_home")
    await phone.invite(f"*0{CODE}")
    await phone.shows("2", c="hold", o=None)
    await pass_time(hass, freezer, seconds=20)
    await reaches(hass, PANEL, "armed_home")
    await phone.shows("2", c="on", o="red")
    trigger = {"entity_id": PANEL}
    await hass.services.async_call(
        "alarm_control_panel", "alarm_trigger", trigger, blocking=True
    )
    await phone.shows("2", c="hold", o=None)
    await pass_time(hass, freezer, seconds=15)
    await phone.shows("2", c="pickup", o="red")
    await phone.invite(f"*0{CODE}")
    await phone.shows("2", c=None, o=None)
    await pass_time(hass, freezer, minutes=2)


@pytest.mark.usefixtures("other")
async def test_a_wrong_code_shows_an_error(
    hass: HomeAssistant,
    phone: RawPhone,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await panel(hass, code=CODE)
    automation = await keypad(hass)
    await phone.invite(f"*0{CODE}")
    await phone.shows("2", c="on", o="red")
    await phone.invite("*04711")
    await turns()
    await pass_time(hass, freezer, seconds=3)
    await phone.shows("2", c="error", o="red")
    await pass_time(hass, freezer, seconds=3)
    await phone.shows("2", c="on", o="red")
    forget_refusals(caplog)
    assert state_of(hass) == "armed_away" and automation.running == 1
    # A number without the prefix is no code.
    await phone.invite(CODE)
    await turns()
    assert state_of(hass) == "armed_away" and automation.running == 1
    await phone.invite(f"*0{CODE}")
    await reaches(hass, PANEL, "disarmed")


@pytest.mark.parametrize("at_once", [True, False])
async def test_wrong_codes_are_limited(
    hass: HomeAssistant,
    both: tuple[RawPhone, RawPhone],
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    at_once: bool,
) -> None:
    phone = both[0]
    bad = async_capture_events(hass, "manual_alarm_bad_code_attempt")
    alerts = async_capture_events(hass, "alerted")
    await panel(hass, code=CODE)
    automation = await keypad(hass, forget={"minutes": 5}, alert=[{"event": "alerted"}])
    await phone.invite(f"*0{CODE}")
    await phone.shows("2", c="on", o="red")
    tries = [(caller, f"*0{code}") for code in (1111, 2222) for caller in both]
    if at_once:
        await asyncio.gather(*(caller.invite(code) for caller, code in tries))
        await turns()
        await pass_time(hass, freezer, seconds=3)
    else:
        for caller, code in tries:
            await caller.invite(code)
            await turns()
            await pass_time(hass, freezer, seconds=3)
    await phone.shows("2", c="error")
    assert len(bad) == 3 and len(alerts) == 1 and automation.running == 3
    forget_refusals(caplog)
    await pass_time(hass, freezer, seconds=3)
    # Neither phone can disarm now, with the right code either.
    for caller in both:
        await caller.invite(f"*0{CODE}")
    await turns()
    assert f"*0{CODE}" not in automation_log(caplog)
    await pass_time(hass, freezer, minutes=4)
    assert state_of(hass) == "armed_away" and phone.keys["2"]["c"] == "error"
    # The keys still show what the panel does.
    disarm = {"entity_id": PANEL, "code": CODE}
    await hass.services.async_call(
        "alarm_control_panel", "alarm_disarm", disarm, blocking=True
    )
    await phone.shows("2", c=None)
    await pass_time(hass, freezer, minutes=1, seconds=30)
    assert automation.running == 0
    await phone.invite(f"*0{CODE}")
    await phone.shows("2", c="on", o="red")


@pytest.mark.usefixtures("other")
async def test_no_trace_contains_a_code(
    hass: HomeAssistant,
    phone: RawPhone,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await panel(hass, code=CODE)
    automation = await keypad(hass)
    for code in (CODE, "4711"):
        await phone.invite(f"*0{code}")
        await turns()
        await pass_time(hass, freezer, seconds=3)
    assert CODE not in automation_log(caplog) and "4711" not in automation_log(caplog)
    forget_refusals(caplog)
    assert automation.running == 1
    traces = hass.data[DATA_TRACE]["automation.by_blueprint"]
    assert not traces.runs and not traces.not_triggered
    state = hass.states.get(AUTOMATION)
    assert state is not None and CODE not in str(state.as_dict())


@pytest.mark.usefixtures("other")
async def test_a_panel_without_a_code_obeys_no_number(
    hass: HomeAssistant, phone: RawPhone, freezer: FrozenDateTimeFactory
) -> None:
    await panel(hass)
    await keypad(hass)
    await phone.invite("*01")
    await turns()
    await phone.shows("2", c="error")
    assert state_of(hass) == "disarmed"


@pytest.mark.usefixtures("other")
async def test_a_press_arms_and_never_disarms(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    await panel(hass, code=CODE, code_arm_required=False)
    automation = await keypad(hass, press_arms=True)
    await phone.press("2")
    await reaches(hass, PANEL, "armed_away")
    await phone.shows("2", c="on")
    await phone.press("2")
    await turns()
    assert state_of(hass) == "armed_away" and automation.running == 0


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    ("press_arms", "code_arm_required"), [(False, False), (True, True)]
)
async def test_a_press_does_nothing_else(
    hass: HomeAssistant, phone: RawPhone, press_arms: bool, code_arm_required: bool
) -> None:
    await panel(hass, code=CODE, code_arm_required=code_arm_required)
    await keypad(hass, press_arms=press_arms)
    await phone.press("2")
    await turns()
    assert state_of(hass) == "disarmed"


@pytest.mark.usefixtures("other")
async def test_a_restart_shows_the_state(hass: HomeAssistant, phone: RawPhone) -> None:
    await panel(hass, code=CODE)
    automation = await keypad(hass)
    await automation.stop()
    arm = {"entity_id": PANEL, "code": CODE}
    await hass.services.async_call(
        "alarm_control_panel", "alarm_arm_night", arm, blocking=True
    )
    await automation.restart()
    await phone.shows("2", c="on", o="red")
    await automation.stop()
    await hass.services.async_call(
        "alarm_control_panel", "alarm_disarm", arm, blocking=True
    )
    await automation.reload()
    await phone.shows("2", c=None)
