"""What a linked key shows and does, at a phone on a real socket."""

import asyncio
from datetime import timedelta
import logging
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.snom_buttons.hub.links import press as linked_press
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones, update_phone
from tests.support.rawphone import RawPhone

from .conftest import Linked, link

GARAGE = {"device_class": "garage"}


async def press(hass: HomeAssistant, phone: RawPhone, key: str = "1") -> None:
    """Press a key, and wait until all that it causes at once has happened."""
    assert (await phone.press(key)).status == phone.press_status
    await hass.async_block_till_done(wait_background_tasks=True)


def pass_time(hass: HomeAssistant, seconds: float) -> None:
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds + 0.1))


# The look


@over_both_speakers
async def test_a_key_shows_the_state_of_what_it_follows(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("lock.door", "unlocked")
    phone = await linked(link("1", "lock.door"), link("2", "lock.door", colors=False))
    assert await phone.shows("1", c="on") == phone.as_shown(
        c="on", o="red", n="key1", a="message", l="Key 1"
    )
    assert "o" not in await phone.shows("2", c="on")
    hass.states.async_set("lock.door", "locked")
    await phone.shows("1", c=None)
    await phone.shows("2", c=None)
    hass.states.async_set("lock.door", "jammed")
    await phone.shows("1", c="error", o="red")


@over_both_speakers
async def test_a_real_light_is_followed_and_toggled(
    hass: HomeAssistant, linked: Linked
) -> None:
    """The light is of Home Assistant's own: a template with an input_boolean."""
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": {"lamp": {}}}
    )
    turn = {
        f"turn_{state}": {
            "action": f"input_boolean.turn_{state}",
            "target": {"entity_id": "input_boolean.lamp"},
        }
        for state in ("on", "off")
    }
    lamp = {
        "name": "Lamp",
        "default_entity_id": "light.lamp",
        "state": "{{ is_state('input_boolean.lamp', 'on') }}",
    } | turn
    assert await async_setup_component(hass, "template", {"template": {"light": lamp}})
    await hass.async_block_till_done()
    phone = await linked(link("1", "light.lamp"))
    await phone.shows("1", c=None)
    presses = async_capture_events(hass, "snom_buttons_key_press")
    assert (await phone.press("1")).status == phone.press_status
    await phone.shows("1", c="on")
    assert hass.states.is_state("light.lamp", "on")
    # *Activity* names the press as what turned the light on.
    state = hass.states.get("input_boolean.lamp")
    assert state and state.context.id == presses[0].context.id
    assert (await phone.press("1")).status == phone.press_status
    await phone.shows("1", c=None)


@over_both_speakers
async def test_it_has_an_event_but_no_light_switch_or_label(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    phone = await linked(link("1", "light.hall", press="nothing"))
    assert [it for it in hass.states.async_entity_ids() if "44_key_1" in it] == [
        "event.phone_44_key_1_press"
    ]
    await press(hass, phone)
    state = hass.states.get("event.phone_44_key_1_press")
    assert state and state.attributes["event_type"] == "press_end"


@over_both_speakers
async def test_a_table_comes_before_the_automatic_look(
    hass: HomeAssistant, linked: Linked
) -> None:
    table = {
        "open": "pickup red",
        "closed": True,
        "unavailable": "hold",
        "a state that it never has": "error",
    }
    hass.states.async_set("cover.gate", "open")
    phone = await linked(link("1", "cover.gate", look_table=table))
    await phone.shows("1", c="pickup", o="red")
    for state, light in (
        ("closed", "on"),
        ("opening", "park"),
        ("unavailable", "hold"),
    ):
        hass.states.async_set("cover.gate", state)
        await phone.shows("1", c=light, o=None)


@over_both_speakers
async def test_on_and_off_in_a_table_stand_for_true_and_false_too(
    hass: HomeAssistant, linked: Linked
) -> None:
    """The editor cannot tell them apart; a state of its own name comes first."""
    hass.states.async_set("sensor.gate", "true")
    table = {"true": "pickup red", "off": "hold"}
    phone = await linked(link("1", "sensor.gate", look_table=table))
    for state, light in (
        ("true", "pickup"),
        ("false", "hold"),
        ("on", "pickup"),
        ("off", "hold"),
    ):
        hass.states.async_set("sensor.gate", state)
        await phone.shows("1", c=light)


@over_both_speakers
async def test_a_stored_table_that_cannot_be_read_is_an_error_and_one_line(
    hass: HomeAssistant, linked: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    hass.states.async_set("cover.gate", "open")
    phone = await linked(link("1", "cover.gate", look_table={"open": "blink"}))
    await phone.shows("1", c="error")
    hass.states.async_set("cover.gate", "closed")
    await phone.shows("1", c=None)
    assert caplog.text.count("its table names a look that no lamp has") == 1


@over_both_speakers
async def test_a_template_is_the_look(hass: HomeAssistant, linked: Linked) -> None:
    hass.states.async_set("sensor.power", "20")
    template = (
        "{{ 'pickup red' if states(entity_id) | int > 100 else is_state(key, phone) }}"
    )
    phone = await linked(link("1", "sensor.power", look_template=template))
    await phone.shows("1", c=None, l="20")
    hass.states.async_set("sensor.power", "200")
    await phone.shows("1", c="pickup", o="red")
    hass.states.async_set("sensor.power", "unavailable")
    await phone.shows("1", c="offline", o=None, l="Key 1")


@pytest.mark.parametrize(
    "template",
    [
        "{{ 1 / states(entity_id) | int }}",
        "{{ 'x' }}",
        "{{ ['on', 'red'] }}",
        "{{ None }}",
        "{{ 'on red' * 9999 }}",
        "{{ no_such.attribute }}",
    ],
)
@over_both_speakers
async def test_a_template_that_fails_is_an_error_and_one_line(
    hass: HomeAssistant,
    linked: Linked,
    template: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hass.states.async_set("sensor.power", "0")
    phone = await linked(link("1", "sensor.power", look_template=template))
    await phone.shows("1", c="error")
    for _ in range(3):
        for state in ("0.0", "0"):
            hass.states.async_set("sensor.power", state)
            await hass.async_block_till_done()
    lines = [it.message for it in caplog.records if it.levelno >= logging.WARNING]
    assert len([it for it in lines if "the template of its look" in it]) == 1
    assert not [it for it in lines if "emplate" in it and "its look" not in it]


async def test_a_label_is_the_state_or_a_template(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("sensor.inside", "21.50", {"unit_of_measurement": "°C"})
    hass.states.async_set("cover.blind", "open")
    phone = await linked(
        link("1", "sensor.inside"),
        link("2", "sensor.inside", label="name"),
        link("3", "cover.blind", label="state"),
        link("4", "cover.blind", label_template="{{ states('sensor.inside') }}\n!"),
        link("5", "cover.blind", label_template="{{ 1 / 0 }}"),
    )
    await phone.shows("1", c=None, l="21.50 °C")
    await phone.shows("2", l="Key 2")
    await phone.shows("3", c="on", l="open")
    await phone.shows("4", c="on", l="21.50!")
    await phone.shows("5", c="on", l="Key 5")


async def test_a_label_with_a_variable_that_does_not_exist_fills_no_log(
    hass: HomeAssistant, linked: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    hass.states.async_set("sensor.power", "1")
    template = "{{ states(entity_id) }} {{ no_such }} W"
    phone = await linked(link("1", "sensor.power", label_template=template))
    await phone.shows("1", l="1  W")
    hass.states.async_set("sensor.power", "2")
    await phone.shows("1", l="2  W")
    lines = [it.message for it in caplog.records if it.levelno >= logging.WARNING]
    assert not [it for it in lines if "emplate" in it]


@over_both_speakers
async def test_a_label_that_fails_only_when_it_is_rendered_again_is_the_name(
    hass: HomeAssistant, linked: Linked
) -> None:
    """A number is rendered again, because the first result was parsed."""
    hass.states.async_set("light.hall", "off")
    template = "{{ 1 / ([1, 0] | random if is_state(entity_id, 'on') else 2) }}"
    phone = await linked(link("1", "light.hall", label_template=template))
    await phone.shows("1", c=None, l="0.5")
    with patch("random.choice", side_effect=[1, 0]):
        hass.states.async_set("light.hall", "on")
    await phone.shows("1", c="on", l="Key 1")


@over_both_speakers
async def test_templates_are_about_the_entity_that_is_followed(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("binary_sensor.door", "on")
    hass.states.async_set("cover.gate", "opening")
    phone = await linked(
        link(
            "1",
            "binary_sensor.door",
            target="cover.gate",
            look_template="{{ 'hold' if is_state(entity_id, 'on') else 'off' }}",
            label_template="{{ entity_id }}",
        )
    )
    await phone.shows("1", c="hold", l="binary_sensor.door")


@pytest.mark.parametrize(
    "state",
    ["\ud800", "a\u2028b", "\x00", "a\r\nc=on", "\u202e", "x" * 255, " "],
)
async def test_any_state_can_be_a_label(
    hass: HomeAssistant, linked: Linked, state: str
) -> None:
    hass.states.async_set("sensor.text", "first")
    phone = await linked(link("1", "sensor.text"))
    await phone.shows("1", l="first")
    hass.states.async_set("sensor.text", state)
    await phone.until(lambda: phone.keys["1"].get("l") != "first")
    assert phone.has("1", c=None)
    hass.states.async_set("sensor.text", "last")
    await phone.shows("1", l="last")


async def test_labels_take_one_send_a_second_and_the_newest_wins(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("sensor.power", "0")
    phone = await linked(link("1", "sensor.power"))
    await phone.shows("1", l="0")
    sent = len(phone.requests)
    for power in range(1, 31):
        hass.states.async_set("sensor.power", str(power))
        await asyncio.sleep(0)
    await phone.shows("1", l="30")
    assert len(phone.requests) - sent <= 2


@over_both_speakers
async def test_attributes_of_any_kind_are_an_error_and_one_line(
    hass: HomeAssistant, linked: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    hass.states.async_set("climate.hall", "heat")
    phone = await linked(link("1", "climate.hall"), link("2", "climate.hall"))
    await phone.shows("2", c="on")
    for action in (["heating"], {}):
        hass.states.async_set("climate.hall", "heat", {"hvac_action": action})
        await phone.shows("1", c="error", o=None)
        await phone.shows("2", c="error", o=None)
    assert caplog.text.count("its entity has a strange state") == 2
    hass.states.async_set("climate.hall", "off")
    await phone.shows("1", c=None)


@over_both_speakers
async def test_what_is_unavailable_has_its_light_mode(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    phone = await linked(
        link("1", "light.hall"),
        link("2", "light.hall", unavailable="off"),
        link("3", "button.bell"),
        link("4", "lock.door"),
    )
    await phone.shows("3", c="offline")
    hass.states.async_set("button.bell", "unknown")
    await phone.shows("3", c=None)
    hass.states.async_set("lock.door", "unknown")
    await phone.shows("4", c="offline")
    hass.states.async_set("light.hall", "unavailable")
    await phone.shows("1", c="offline")
    await phone.shows("2", c=None)
    hass.states.async_set("light.hall", "on")
    await phone.shows("1", c="on")
    hass.states.async_remove("light.hall")
    await phone.shows("1", c="offline")


# What is set over it


async def set_key(hass: HomeAssistant, **data: Any) -> Any:
    return await hass.services.async_call(
        "snom_buttons",
        "set_key",
        data,
        target={"entity_id": "event.phone_44_key_1_press"},
        blocking=True,
        return_response=True,
    )


async def test_set_key_shows_over_the_link_until_the_next_change(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    phone = await linked(link("1", "light.hall"))
    await set_key(hass, light="message", label="Post")
    await phone.shows("1", c="message", l="Post")
    # A change that the key would not show is none of it, and sends nothing.
    sent = phone.sends
    hass.states.async_set("light.hall", "on", {"brightness": 3})
    await hass.async_block_till_done()
    assert phone.has("1", c="message")
    hass.states.async_set("light.hall", "off")
    await phone.shows("1", c=None, l="Key 1")
    assert phone.sends == sent + 1


@over_both_speakers
async def test_reset_ends_what_set_key_has_set(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    phone = await linked(link("1", "light.hall"))
    await set_key(hass, light="message")
    await phone.shows("1", c="message")
    answer = await set_key(hass, reset=True)
    assert "c=on" in answer["keys"][0]["document"]
    await phone.shows("1", c="on")


@over_both_speakers
async def test_a_label_that_changes_does_not_end_what_set_key_has_set(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    hass.states.async_set("sensor.other", "1")
    template = "{{ states('sensor.other') }}"
    phone = await linked(link("1", "light.hall", label_template=template))
    await set_key(hass, light="message")
    hass.states.async_set("sensor.other", "2")
    await hass.async_block_till_done()
    await phone.shows("1", c="message", l="Key 1")
    await set_key(hass, reset=True)
    await phone.shows("1", c="on", l="2")


# Presses


@over_both_speakers
async def test_a_press_does_what_suits_the_entity(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("cover.blind", "opening")
    hass.states.async_set("binary_sensor.leak", "on", {"device_class": "moisture"})
    stops = async_mock_service(hass, "cover", "stop_cover")
    hass.states.async_set("light.other", "off")
    phone = await linked(
        link("1", "cover.blind"),
        link("2", "binary_sensor.leak"),
        link("3", "binary_sensor.leak", target="light.other"),
        link("4", "cover.blind", press="nothing"),
    )
    toggles = async_mock_service(hass, "light", "toggle")
    for key in ("1", "2", "3", "4"):
        await press(hass, phone, key)
    assert [call.data for call in stops] == [{"entity_id": "cover.blind"}]
    assert [call.data for call in toggles] == [{"entity_id": "light.other"}]
    # The lamp shows the real state, not what the press should lead to.
    assert phone.has("1", c="park")


ACTIONS = [
    {
        "event": "pressed",
        "event_data": {
            "seen": "{{ [phone, key, entity_id, caller] | join(' ') }}",
        },
    }
]


@over_both_speakers
async def test_actions_get_variables_and_the_context_of_the_press(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("lock.door", "locked")
    phone = await linked(link("1", "lock.door", actions=ACTIONS, confirm="never"))
    await set_key(hass, light="pickup", caller="<sip:12@gate>")
    await phone.shows("1", c="pickup")
    happened = async_capture_events(hass, "pressed")
    presses = async_capture_events(hass, "snom_buttons_key_press")
    await press(hass, phone)
    assert happened[0].data == {"seen": "44 1 lock.door <sip:12@gate>"}
    assert happened[0].context.id == presses[0].context.id


@over_both_speakers
async def test_actions_of_a_key_run_one_at_a_time(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    waits = {"wait_template": "{{ is_state('light.hall', 'off') }}"}
    phone = await linked(link("1", "light.hall", actions=[*ACTIONS, waits]))
    happened = async_capture_events(hass, "pressed")
    for _ in range(3):
        assert (await phone.press("1")).status == phone.press_status
        await hass.async_block_till_done()
    assert len(happened) == 1
    hass.states.async_set("light.hall", "off")
    await hass.async_block_till_done(wait_background_tasks=True)
    await press(hass, phone)
    assert len(happened) == 2


@over_both_speakers
async def test_a_cover_that_takes_long_can_be_stopped(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("cover.blind", "closed")
    arrived = asyncio.Event()
    opens: list[ServiceCall] = []

    async def open_cover(call: ServiceCall) -> None:
        opens.append(call)
        hass.states.async_set("cover.blind", "opening")
        await arrived.wait()

    hass.services.async_register("cover", "open_cover", open_cover)
    stops = async_mock_service(hass, "cover", "stop_cover")
    phone = await linked(link("1", "cover.blind"))
    await phone.press("1")
    await phone.shows("1", c="park")
    await phone.press("1")
    await hass.async_block_till_done()
    assert len(stops) == 1
    # A device that never answers does not collect presses without end.
    hass.states.async_set("cover.blind", "closed")
    for _ in range(linked_press.MAX_CALLS + 2):
        await phone.press("1")
        await hass.async_block_till_done()
        hass.states.async_set("cover.blind", "closed")
    assert len(opens) == linked_press.MAX_CALLS
    arrived.set()
    await hass.async_block_till_done(wait_background_tasks=True)


@over_both_speakers
async def test_fifty_presses_at_once_are_all_answered(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    answered = asyncio.Event()
    calls: list[ServiceCall] = []

    async def toggle(call: ServiceCall) -> None:
        calls.append(call)
        await answered.wait()

    phone = await linked(link("1", "light.hall"))
    hass.services.async_register("light", "toggle", toggle)
    presses = async_capture_events(hass, "snom_buttons_key_press")
    answers = await asyncio.gather(*(phone.press("1") for _ in range(50)))
    assert {answer.status for answer in answers} == {phone.press_status}
    assert len(presses) == 50
    assert len(calls) == linked_press.MAX_CALLS
    answered.set()
    await press(hass, phone)
    assert len(calls) == linked_press.MAX_CALLS + 1


@over_both_speakers
async def test_each_phone_asks_for_its_own_second_press(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked, phones: Phones
) -> None:
    hass.states.async_set("lock.door", "locked")
    unlocks = async_mock_service(hass, "lock", "unlock")
    update_phone(hass, config_entry, "45", keys=[link("1", "lock.door")])
    first = await linked(link("1", "lock.door"))
    second = await phones("45")
    await press(hass, first)
    await press(hass, second)
    assert not unlocks
    await press(hass, second)
    assert len(unlocks) == 1


# Confirmation


@over_both_speakers
async def test_the_first_press_of_a_lock_only_blinks(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("lock.door", "locked")
    unlocks = async_mock_service(hass, "lock", "unlock")
    phone = await linked(link("1", "lock.door"))
    await press(hass, phone)
    await phone.shows("1", c="pickup")
    assert not unlocks
    await press(hass, phone)
    await phone.shows("1", c=None)
    assert len(unlocks) == 1


@over_both_speakers
async def test_a_press_that_is_not_repeated_is_forgotten(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("cover.garage", "closed", GARAGE)
    opens = async_mock_service(hass, "cover", "open_cover")
    phone = await linked(link("1", "cover.garage"))
    await press(hass, phone)
    await phone.shows("1", c="pickup")
    pass_time(hass, linked_press.CONFIRM_SECONDS)
    await phone.shows("1", c=None)
    await press(hass, phone)
    await phone.shows("1", c="pickup")
    # Another opens it meanwhile: the second press would do something else.
    hass.states.async_set("cover.garage", "opening", GARAGE)
    await phone.shows("1", c="park")
    await press(hass, phone)
    await phone.shows("1", c="pickup")
    assert not opens


@over_both_speakers
async def test_a_press_can_be_repeated_until_the_time_is_over(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("lock.door", "locked")
    unlocks = async_mock_service(hass, "lock", "unlock")
    phone = await linked(link("1", "lock.door"))
    await press(hass, phone)
    await phone.shows("1", c="pickup")
    pass_time(hass, linked_press.CONFIRM_SECONDS - 1)
    await hass.async_block_till_done()
    await press(hass, phone)
    assert len(unlocks) == 1
    await phone.shows("1", c=None)
    # The time of the first press does not end what a later one asks.
    await press(hass, phone)
    await phone.shows("1", c="pickup")
    pass_time(hass, 1)
    await press(hass, phone)
    assert len(unlocks) == 2


@over_both_speakers
async def test_whether_to_confirm_can_be_chosen(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("lock.door", "locked")
    hass.states.async_set("light.hall", "off")
    unlocks = async_mock_service(hass, "lock", "unlock")
    phone = await linked(
        link("1", "lock.door", confirm="never"),
        link("2", "light.hall", confirm="always"),
    )
    toggles = async_mock_service(hass, "light", "toggle")
    await press(hass, phone, "1")
    await press(hass, phone, "2")
    assert len(unlocks) == 1
    assert not toggles
    await press(hass, phone, "2")
    assert len(toggles) == 1


@over_both_speakers
async def test_an_alarm_panel_without_a_code_does_not_even_blink(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("alarm_control_panel.home", "disarmed")
    arms = async_mock_service(hass, "alarm_control_panel", "alarm_arm_away")
    phone = await linked(
        link("1", "alarm_control_panel.home"),
        link("2", "alarm_control_panel.home", code="1234"),
    )
    await press(hass, phone, "1")
    assert phone.has("1", c=None)
    await press(hass, phone, "2")
    await phone.shows("2", c="pickup")
    await press(hass, phone, "2")
    assert arms[0].data["code"] == "1234"


# Receipt and failure


@over_both_speakers
async def test_a_scene_is_lit_for_a_second_as_a_receipt(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("scene.evening", "unknown")
    scenes = async_mock_service(hass, "scene", "turn_on")
    phone = await linked(link("1", "scene.evening"))
    await press(hass, phone)
    await phone.shows("1", c="on")
    assert len(scenes) == 1
    pass_time(hass, linked_press.RECEIPT_SECONDS)
    await phone.shows("1", c=None)


@over_both_speakers
async def test_a_failure_is_one_line_without_the_code(
    hass: HomeAssistant, linked: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    hass.states.async_set("lock.door", "locked")

    async def fail(call: ServiceCall) -> None:
        raise HomeAssistantError(f"The code\n{call.data['code']}\x1b[2J is\r\nwrong")

    lines = async_capture_events(hass, "logbook_entry")
    phone = await linked(link("1", "lock.door", code="9988", confirm="never"))
    hass.services.async_register("lock", "unlock", fail)
    await press(hass, phone)
    await phone.shows("1", c="error")
    [message] = [it.message for it in caplog.records if "failed" in it.message]
    assert message == "A press of key 1 of phone 44 failed: The code …[2J is wrong"
    assert len(lines) == 1
    assert lines[0].data["message"].endswith("The code …[2J is wrong")
    assert "9988" not in caplog.text


@pytest.mark.parametrize("error", [HomeAssistantError("no power"), KeyError("power")])
@over_both_speakers
async def test_a_failure_is_shown_and_reported_once(
    hass: HomeAssistant,
    linked: Linked,
    error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hass.states.async_set("light.hall", "on")

    async def fail(_: ServiceCall) -> None:
        raise error

    lines = async_capture_events(hass, "logbook_entry")
    phone = await linked(
        link("1", "light.hall"),
        link("2", "light.hall", actions=[{"action": "light.toggle"}]),
        link("3", "light.hall", actions=[{"action": "light.no_such"}]),
    )
    hass.services.async_register("light", "toggle", fail)
    for key in ("1", "2", "3"):
        await press(hass, phone, key)
        await phone.shows(key, c="error")
        reported = f"A press of key {key} of phone 44 failed"
        assert caplog.text.count(reported) == 1
    pass_time(hass, linked_press.ERROR_SECONDS)
    await phone.shows("1", c="on")
    await phone.shows("3", c="on")
    assert [line.data["entity_id"] for line in lines] == [
        f"event.phone_44_key_{key}_press" for key in ("1", "2", "3")
    ]
    assert lines[0].data["name"] == "Key 1"
    assert lines[0].data["message"].startswith("was pressed at Phone 44, and that")
    assert "power" in lines[0].data["message"]


@pytest.mark.parametrize(("seconds", "reports"), [(1000, 1), (0, 20)])
@over_both_speakers
async def test_presses_that_fail_in_a_row_are_one_report(
    hass: HomeAssistant,
    linked: Linked,
    caplog: pytest.LogCaptureFixture,
    seconds: int,
    reports: int,
) -> None:
    """A broken phone that presses all the time does not fill log and database."""

    async def fail(_: ServiceCall) -> None:
        raise HomeAssistantError("no power")

    lines = async_capture_events(hass, "logbook_entry")
    presses = async_capture_events(hass, "snom_buttons_key_press")
    phone = await linked(link("1", "light.gone"))
    with patch.object(linked_press, "ERROR_SECONDS", seconds):
        for _ in range(20):
            await press(hass, phone)
    assert len(presses) == 20
    assert caplog.text.count("A press of key 1 of phone 44 failed") == reports
    assert len(lines) == reports
    # Another failure is news.
    hass.states.async_set("light.gone", "on")
    hass.services.async_register("light", "toggle", fail)
    await press(hass, phone)
    assert len(lines) == reports + 1


@over_both_speakers
async def test_a_press_on_what_is_unavailable_fails(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "unavailable")
    phone = await linked(link("1", "light.hall"), link("2", "light.gone"))
    for key in ("1", "2"):
        await press(hass, phone, key)
        await phone.shows(key, c="error")
    pass_time(hass, linked_press.ERROR_SECONDS)
    await phone.shows("1", c="offline")
    await phone.shows("2", c="offline")


@over_both_speakers
async def test_a_press_of_what_only_shows_never_fails(
    hass: HomeAssistant, linked: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    hass.states.async_set("binary_sensor.leak", "unavailable")
    phone = await linked(
        link("1", "binary_sensor.leak"),
        link("2", "sensor.gone"),
        link("3", "alarm_control_panel.gone"),
    )
    for key in ("1", "2", "3"):
        await press(hass, phone, key)
        assert phone.has(key, c="offline")
    assert "failed" not in caplog.text


@over_both_speakers
async def test_a_press_that_is_repeated_asks_again_if_it_would_do_something_else(
    hass: HomeAssistant, linked: Linked
) -> None:
    """The acted-on entity is another than the followed one, and changes meanwhile."""
    hass.states.async_set("binary_sensor.door", "off")
    hass.states.async_set("cover.garage", "closed", GARAGE)
    opens = async_mock_service(hass, "cover", "open_cover")
    stops = async_mock_service(hass, "cover", "stop_cover")
    phone = await linked(link("1", "binary_sensor.door", target="cover.garage"))
    await press(hass, phone)
    await phone.shows("1", c="pickup")
    hass.states.async_set("cover.garage", "opening", GARAGE)
    await press(hass, phone)
    assert not opens
    assert not stops
    await press(hass, phone)
    assert len(stops) == 1


@over_both_speakers
async def test_stored_actions_that_cannot_be_read_fail(
    hass: HomeAssistant, linked: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    hass.states.async_set("light.hall", "on")
    phone = await linked(link("1", "light.hall", actions=[{"no": "action"}]))
    await press(hass, phone)
    await phone.shows("1", c="error")
    assert caplog.text.count("its actions cannot be read") == 1


@over_both_speakers
async def test_actions_do_not_run_if_the_link_ends_while_they_are_read(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    """Reading waits for the integrations whose devices the actions name."""
    hass.states.async_set("light.hall", "on")
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def read(_: HomeAssistant, actions: Any) -> Any:
        asked.set()
        await go_on.wait()
        return actions

    happened = async_capture_events(hass, "pressed")
    phone = await linked(link("1", "light.hall", actions=ACTIONS))
    with patch.object(linked_press, "async_validate_actions_config", read):
        assert (await phone.press("1")).status == phone.press_status
        await asked.wait()
        update_phone(hass, config_entry, keys=[link("1", "light.hall")])
        await hass.async_block_till_done()
        go_on.set()
        await hass.async_block_till_done(wait_background_tasks=True)
    assert not happened


# Circles


@over_both_speakers
async def test_a_key_may_follow_its_own_event(
    hass: HomeAssistant, linked: Linked
) -> None:
    """What follows a press calls no action: a circle of links stands still."""
    own = "event.phone_44_key_1_press"
    hass.states.async_set("light.hall", "on")
    phone = await linked(link("1", own, target="light.hall"))
    toggles = async_mock_service(hass, "light", "toggle")
    await phone.shows("1", c=None)
    await press(hass, phone)
    assert len(toggles) == 1


@over_both_speakers
async def test_a_key_follows_an_entity_of_its_own_phone(
    hass: HomeAssistant, linked: Linked
) -> None:
    phone = await linked(
        {**link("1", ""), "kind": "light"}, link("2", "light.phone_44_key_1")
    )
    for light in ("on", None):
        await press(hass, phone, "2")
        await phone.shows("1", c=light)
        await phone.shows("2", c=light)


async def test_a_key_that_follows_whether_its_phone_is_up_to_date_stands_still(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    known = er.async_get(hass).async_get_or_create(
        "binary_sensor",
        "snom_buttons",
        "subentry_44_in_sync",
        config_entry=config_entry,
        disabled_by=None,
    )
    phone = await linked(link("1", known.entity_id))
    await phone.shows("1", c="on")
    sent = phone.sends
    # Its own document, and the time in which another would have followed.
    await set_key(hass, light="hold")
    await phone.shows("1", c="hold")
    await set_key(hass, reset=True)
    await phone.shows("1", c="on")
    assert phone.sends - sent == 2
