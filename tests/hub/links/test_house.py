"""Linked keys with helpers, scripts and templates of a real Home Assistant."""

from typing import Any
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones, update_phone
from tests.support.rawphone import RawPhone

from .conftest import Linked, link


async def press(hass: HomeAssistant, phone: RawPhone, key: str) -> None:
    assert (await phone.press(key)).status == phone.press_status
    await hass.async_block_till_done()


async def set_up(hass: HomeAssistant, **integrations: dict[str, Any]) -> None:
    for domain, config in integrations.items():
        assert await async_setup_component(hass, domain, {domain: config})
    await hass.async_block_till_done()


@over_both_speakers
async def test_a_timer_is_started_and_cancelled(
    hass: HomeAssistant, linked: Linked
) -> None:
    await set_up(hass, timer={"tea": {"duration": 180, "name": "Tea"}})
    phone = await linked(link("1", "timer.tea", label="state"))
    await phone.shows("1", c=None, l="Idle")
    await press(hass, phone, "1")
    await phone.shows("1", c="park")
    await hass.services.async_call(
        "timer", "pause", {"entity_id": "timer.tea"}, blocking=True
    )
    await phone.shows("1", c="hold")
    await press(hass, phone, "1")
    await phone.shows("1", c="park")
    await press(hass, phone, "1")
    await phone.shows("1", c=None)


@over_both_speakers
async def test_a_script_is_lit_while_it_runs(
    hass: HomeAssistant, linked: Linked
) -> None:
    waits = {"wait_template": "{{ is_state('input_boolean.go', 'on') }}"}
    await set_up(
        hass,
        input_boolean={"go": {}},
        script={"night": {"sequence": [waits]}},
    )
    phone = await linked(link("1", "script.night"), link("2", "input_boolean.go"))
    await phone.press("1")
    await phone.shows("1", c="on")
    await phone.press("2")
    await phone.shows("2", c="on")
    await phone.shows("1", c=None)


@over_both_speakers
async def test_a_group_is_toggled_and_several_keys_follow_one_entity(
    hass: HomeAssistant, linked: Linked
) -> None:
    await set_up(
        hass,
        homeassistant={},
        input_boolean={"one": {}, "two": {}},
        group={"both": {"entities": ["input_boolean.one", "input_boolean.two"]}},
    )
    phone = await linked(
        link("1", "group.both"),
        link("2", "input_boolean.one"),
        link("3", "input_boolean.one", look_table={"on": "hold"}),
    )
    await press(hass, phone, "1")
    await phone.shows("1", c="on")
    await phone.shows("2", c="on")
    await phone.shows("3", c="hold")
    await press(hass, phone, "3")
    await phone.shows("2", c=None)
    await phone.shows("3", c=None)
    assert phone.has("1", c="on")


NOTHING = {"action": "input_boolean.toggle", "target": {"entity_id": []}}
TEMPLATE_LOCK = {
    "name": "Door",
    "default_entity_id": "lock.door",
    "state": "{{ states('input_text.door') }}",
    "availability": "{{ is_state('input_boolean.there', 'on') }}",
    "lock": NOTHING,
    "unlock": NOTHING,
}


@over_both_speakers
async def test_an_entity_of_a_template_comes_goes_and_comes_back(
    hass: HomeAssistant, linked: Linked
) -> None:
    """It has no unique ID, so a reload removes it, and adds it again."""
    await set_up(
        hass,
        input_boolean={"there": {}},
        input_text={"door": {"initial": "unlocked"}},
        template={"lock": TEMPLATE_LOCK},
    )
    phone = await linked(link("1", "lock.door"), link("2", "input_boolean.there"))
    await phone.shows("1", c="offline", o=None)
    await press(hass, phone, "2")
    await phone.shows("1", c="on", o="red")
    for config in ({}, {"lock": TEMPLATE_LOCK}):
        with patch(
            "homeassistant.config.load_yaml_config_file",
            return_value={"template": config},
        ):
            await hass.services.async_call("template", "reload", blocking=True)
            await hass.async_block_till_done()
        assert (hass.states.get("lock.door") is not None) is bool(config)
        await phone.shows("1", c="on" if config else "offline")
    assert not ir.async_get(hass).issues


@over_both_speakers
async def test_a_followed_integration_may_be_reloaded(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    hass.states.async_set("sensor.power", "20", {"unit_of_measurement": "W"})
    helper = MockConfigEntry(
        domain="threshold",
        title="Much",
        options={
            "entity_id": "sensor.power",
            "name": "Much",
            "lower": None,
            "upper": 10,
            "hysteresis": 0,
        },
    )
    helper.add_to_hass(hass)
    assert await hass.config_entries.async_setup(helper.entry_id)
    await hass.async_block_till_done()
    phone = await linked(link("1", "binary_sensor.much"))
    await phone.shows("1", c="on")
    assert await hass.config_entries.async_unload(helper.entry_id)
    await phone.shows("1", c="offline")
    assert not ir.async_get(hass).issues
    assert await hass.config_entries.async_setup(helper.entry_id)
    await phone.shows("1", c="on")
    # With its entry it is gone for good.
    assert await hass.config_entries.async_remove(helper.entry_id)
    await phone.shows("1", c="offline")
    assert [issue_id for _, issue_id in ir.async_get(hass).issues] == [
        "link_missing_subentry_44_1"
    ]


@over_both_speakers
async def test_an_automation_that_presses_the_key_of_what_it_watches_stands_still(
    hass: HomeAssistant, linked: Linked
) -> None:
    """A press toggles the lamp, and the automation presses for each change of it."""
    await set_up(
        hass,
        input_boolean={"lamp": {}},
        automation={
            "alias": "Circle",
            "mode": "parallel",
            "triggers": {"trigger": "state", "entity_id": "input_boolean.lamp"},
            "actions": {
                "action": "snom_buttons.press_key",
                "target": {"entity_id": "event.phone_44_key_1_press"},
            },
        },
    )
    phone = await linked(link("1", "input_boolean.lamp"))
    presses = async_capture_events(hass, "snom_buttons_key_press")
    await press(hass, phone, "1")
    await hass.async_block_till_done(wait_background_tasks=True)
    await phone.shows("1", c="on")
    assert len(presses) == 2
    assert hass.states.is_state("input_boolean.lamp", "on")


@over_both_speakers
async def test_actions_may_ask_about_their_own_phone_as_a_device(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> None:
    """Home Assistant reads such actions when the integration is set up, not before."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=config_entry.entry_id,
        config_subentry_id="subentry_44",
        identifiers={("snom_buttons", "subentry_44")},
    )
    is_registered = {
        "condition": "device",
        "domain": "snom_buttons",
        "type": "registered",
        "device_id": device.id,
    }
    actions = [is_registered, {"action": "input_boolean.toggle"}]
    actions[1] |= {"target": {"entity_id": "input_boolean.lamp"}}
    await set_up(hass, input_boolean={"lamp": {}})
    keys = [link("1", "input_boolean.lamp", actions=actions)]
    update_phone(hass, config_entry, keys=keys)
    assert await async_setup_component(hass, "snom_buttons", {})
    assert config_entry.state is ConfigEntryState.LOADED
    phone = await phones()
    await press(hass, phone, "1")
    await phone.shows("1", c="on")
