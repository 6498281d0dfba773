"""The action `press_key`: what a press on the phone does, without a phone."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_mock_service,
)

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.setup import async_setup_component
from tests.support.entries import (
    KEYS,
    add_phone,
    key_data,
    line_subentry,
    reaches,
    update_phone,
)
from tests.support.rawphone import RawPhone

TOGGLE = key_data("3", kind="switch", name="Alarm", toggle=True)
LINK = key_data("4", kind="linked", follows="light.hall")


async def press_key(
    hass: HomeAssistant, entity_id: str = "event.phone_44_alarm_press"
) -> Any:
    return await hass.services.async_call(
        "snom_buttons",
        "press_key",
        {"entity_id": entity_id},
        blocking=True,
        return_response=True,
    )


@pytest.fixture
async def server(hass: HomeAssistant, config_entry: MockConfigEntry) -> MockConfigEntry:
    hass.states.async_set("light.hall", "off")
    update_phone(hass, config_entry, keys=[*KEYS[:2], TOGGLE, LINK])
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    return config_entry


async def test_it_does_what_a_press_on_the_phone_does(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    presses = async_capture_events(hass, "snom_buttons_key_press")
    assert (await phone.press("3")).status == 200
    await reaches(hass, "switch.phone_44_alarm", "on")
    answer = await press_key(hass)
    assert [(key["phone"], key["key"]) for key in answer["keys"]] == [("44", "3")]
    await reaches(hass, "switch.phone_44_alarm", "off")
    await hass.async_block_till_done()
    real, simulated = (
        {k: v for k, v in press.data.items() if k not in ("time", "id")}
        for press in presses
    )
    assert simulated == real | {"simulated": True}
    state = hass.states.get("event.phone_44_alarm_press")
    assert state and state.attributes["simulated"] is True
    assert (await phone.press("3")).status == 200
    await reaches(hass, "switch.phone_44_alarm", "on")
    state = hass.states.get("event.phone_44_alarm_press")
    assert state and "simulated" not in state.attributes


async def test_it_presses_a_linked_key_in_the_context_of_its_caller(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    toggles = async_mock_service(hass, "light", "toggle")
    presses = async_capture_events(hass, "snom_buttons_key_press")
    context = Context()
    await hass.services.async_call(
        "snom_buttons",
        "press_key",
        {"entity_id": "event.phone_44_key_4_press"},
        blocking=True,
        context=context,
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert toggles[0].data == {"entity_id": "light.hall"}
    assert toggles[0].context is presses[0].context is context


async def test_a_key_of_a_shared_line_can_be_pressed_and_not_set(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    keys = [{"phone": "subentry_44", "key": "3"}]
    add_phone(hass, server, line_subentry(keys=keys))
    await phone.shows("3", a="seize")
    await press_key(hass)
    await phone.shows("3", a="release")
    await press_key(hass)
    await phone.shows("3", a="seize")
    with pytest.raises(ServiceValidationError, match="belongs to the shared line Gate"):
        await hass.services.async_call(
            "snom_buttons",
            "set_key",
            {"entity_id": "event.phone_44_alarm_press", "light": "on"},
            blocking=True,
        )


async def test_a_key_that_calls_presses_all_keys_with_its_number(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    rules = {"dial_rules": [{"number": "77", "run": "script.doorbell"}]}
    update_phone(hass, server, dialling=rules)
    await hass.async_block_till_done()
    for entity_id in ("light.phone_44_key_1", "light.phone_44_key_2"):
        await hass.services.async_call(
            "snom_buttons",
            "set_key",
            {"entity_id": entity_id, "number": "77", "action": "invite"},
            blocking=True,
        )
    presses = async_capture_events(hass, "snom_buttons_key_press")
    dialled = async_capture_events(hass, "snom_buttons_dialled")
    runs = async_mock_service(hass, "script", "turn_on")
    await press_key(hass, "light.phone_44_key_1")
    await hass.async_block_till_done()
    assert [(press.data["key"], press.data["action"]) for press in presses] == [
        ("1", "invite"),
        ("2", "invite"),
    ]
    assert [event.data["number"] for event in dialled] == ["77"]
    assert len(runs) == 1


async def test_a_key_without_a_number_sends_nothing(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    await hass.services.async_call(
        "snom_buttons",
        "set_key",
        {"entity_id": "light.phone_44_key_1", "number": ""},
        blocking=True,
    )
    presses = async_capture_events(hass, "snom_buttons_key_press")
    with pytest.raises(ServiceValidationError, match="key 1, which has no number"):
        await press_key(hass, "light.phone_44_key_1")
    assert not presses
    with pytest.raises(ServiceValidationError, match="Name a key's entity"):
        await hass.services.async_call("snom_buttons", "press_key", {}, blocking=True)


async def test_actions_that_press_their_own_key_do_not_run_in_a_circle(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.states.async_set("light.hall", "off")
    own = {
        "action": "snom_buttons.press_key",
        "target": {"entity_id": "event.phone_44_key_4_press"},
    }
    update_phone(hass, config_entry, keys=[LINK | {"actions": [own]}])
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    presses = async_capture_events(hass, "snom_buttons_key_press")
    await press_key(hass, "event.phone_44_key_4_press")
    for _ in range(3):
        await hass.async_block_till_done(wait_background_tasks=True)
    # The second press is an event, and runs no action.
    assert len(presses) == 2


async def test_two_keys_that_press_each_other_do_not_run_in_a_circle(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """Also through a script for which the actions do not wait."""
    hass.states.async_set("light.hall", "off")
    scripts = {
        f"press_{key}": {
            "sequence": {
                "action": "snom_buttons.press_key",
                "target": {"entity_id": f"event.phone_44_key_{key}_press"},
            }
        }
        for key in ("4", "5")
    }
    assert await async_setup_component(hass, "script", {"script": scripts})
    keys = [
        LINK
        | {
            "key": key,
            "name": f"Key {key}",
            "actions": [
                {
                    "action": "script.turn_on",
                    "target": {"entity_id": f"script.press_{other}"},
                }
            ],
        }
        for key, other in (("4", "5"), ("5", "4"))
    ]
    update_phone(hass, config_entry, keys=keys)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    presses = async_capture_events(hass, "snom_buttons_key_press")
    await press_key(hass, "event.phone_44_key_4_press")
    for _ in range(5):
        await hass.async_block_till_done(wait_background_tasks=True)
    assert [press.data["key"] for press in presses] == ["4", "5", "4"]
