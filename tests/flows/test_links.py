"""The fields of linked keys in the dialogue of a phone, and what is wrong with them."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
from homeassistant.helpers import entity_registry as er
from tests.support.entries import key_data
from tests.support.flows import (
    TEXTS,
    listed_keys,
    reconfigure_phone,
    submit_account,
    submit_phone,
)
from tests.support.key_faults import LINK_FAULTS, NO_ACTION, link

USUAL = {
    "look_table": {},
    "look_template": " ",
    "press": "automatic",
    "actions": [],
    "target": "",
    "label": "automatic",
    "label_template": "",
    "confirm": "automatic",
    "unavailable": "offline",
    "code": "",
    "no_code": False,
}
"""The values of a form in which only the entity was chosen."""


async def submitted(
    hass: HomeAssistant, entry: MockConfigEntry, *keys: dict[str, Any]
) -> SubentryFlowResult:
    """Submit a list of keys."""
    result = await submit_account(hass, await reconfigure_phone(hass, entry))
    assert result["step_id"] == "keys"
    return await submit_phone(hass, result, keys=list(keys))


@pytest.fixture(autouse=True)
def entities(hass: HomeAssistant) -> None:
    for entity_id in ("light.hall", "lock.door", "alarm_control_panel.home"):
        hass.states.async_set(entity_id, "off")


async def stored(
    hass: HomeAssistant, entry: MockConfigEntry, *keys: dict[str, Any]
) -> list[dict[str, Any]]:
    """Save a list of keys; return what is stored of it."""
    result = await submitted(hass, entry, *keys)
    assert result["step_id"] == "phone", result["errors"]
    result = await submit_phone(hass, result)
    assert result["reason"] == "reconfigure_successful"
    found: list[dict[str, Any]] = entry.subentries["subentry_44"].data["keys"]
    return found


async def test_a_linked_key_needs_nothing_but_its_entity(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    wanted = [link(name="Hall", colors=True)]
    usual = {field: value for field, value in USUAL.items() if value != ""}
    assert await stored(hass, config_entry, wanted[0] | usual) == wanted
    assert await stored(hass, config_entry, wanted[0] | USUAL) == wanted


async def test_all_that_a_link_has_is_stored_and_shown_again(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    keys = [
        link(
            look_table={"on": "pickup red", "off": False},
            actions=[{"action": "light.toggle"}],
            target="lock.door",
            label="state",
            confirm="never",
            unavailable="off",
        ),
        link(
            look_template="{{ 'on' }}",
            label_template="{{ 1 }}",
            press="nothing",
        )
        | {"key": "5"},
        link(target="lock.door", code="1234") | {"key": "6"},
        link(target="alarm_control_panel.home", no_code=True) | {"key": "7"},
    ]
    assert await stored(hass, config_entry, *keys) == keys
    result = await submit_account(hass, await reconfigure_phone(hass, config_entry))
    assert listed_keys(result) == keys


async def test_the_states_on_and_off_of_a_table_keep_their_names(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """The frontend reads `on:` in YAML as a truth value, and sends `"true"`."""
    written = {"true": "pickup red", "false": "hold", "True": "on"}
    [key] = await stored(hass, config_entry, link(look_table=written))
    assert key["look_table"] == {"on": "pickup red", "off": "hold", "True": "on"}
    result = await submitted(hass, config_entry, link(look_table={"true": "blink"}))
    assert result["description_placeholders"]["value"] == "on: blink"


async def test_an_entity_that_is_disabled_or_not_yet_there_can_be_followed(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    er.async_get(hass).async_get_or_create("switch", "demo", "1")
    keys = [link() | {"follows": "switch.demo_1"}]
    assert await stored(hass, config_entry, *keys) == keys


@pytest.mark.parametrize(("values", "text"), LINK_FAULTS)
async def test_an_error_names_key_and_field(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    values: dict[str, Any],
    text: str,
) -> None:
    result = await submitted(hass, config_entry, key_data("3"), link() | values)
    errors = TEXTS["config_subentries"]["phone"]["error"]
    shown = errors[result["errors"]["base"]].format(
        **result["description_placeholders"]
    )
    assert shown == f"Key 4, {text}"


@pytest.mark.parametrize("value", [["light.hall"], 5])
@pytest.mark.parametrize("field", ["follows", "target", "look_template"])
async def test_what_should_be_a_text_is_one(
    hass: HomeAssistant, config_entry: MockConfigEntry, field: str, value: Any
) -> None:
    with pytest.raises(InvalidData):
        await submitted(hass, config_entry, link() | {field: value})


async def test_actions_that_cannot_be_read_are_an_error(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    result = await submitted(hass, config_entry, link(actions=[NO_ACTION]))
    assert result["errors"] == {"base": "link_invalid"}
    placeholders = result["description_placeholders"]
    assert placeholders["field"] == "Actions on press"
    assert "no_such" in placeholders["error"]


@pytest.mark.parametrize("kind", ["light", "switch", "none"])
async def test_only_a_linked_key_has_a_link(
    hass: HomeAssistant, config_entry: MockConfigEntry, kind: str
) -> None:
    key = key_data("4", kind=kind)
    assert await stored(hass, config_entry, key | USUAL) == [key]
    result = await submitted(hass, config_entry, key | {"press": "nothing"})
    assert result["errors"] == {"base": "linked_only"}
    assert result["description_placeholders"]["field"] == "Press"


async def test_fields_are_named_in_the_language_of_home_assistant(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.config.language = "de"
    result = await submitted(hass, config_entry, link(code="1"))
    assert result["description_placeholders"]["field"] == "Code"
    result = await submitted(
        hass, config_entry, link(look_table={"on": "on"}, look_template="on")
    )
    placeholders = result["description_placeholders"]
    assert placeholders["field"] == "Vorlage des Aussehens"
    assert placeholders["other_field"] == "Aussehen nach Zustand"


async def test_two_hundred_linked_keys_go_through_the_dialogue(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    keys = [link() | {"key": str(n), "name": f"Key {n}"} for n in range(1, 201)]
    last = keys[-1]
    assert await stored(hass, config_entry, *keys) == keys
    wrong = [*keys[:-1], last | {"follows": "light.gone"}]
    result = await submitted(hass, config_entry, *wrong)
    assert result["errors"] == {"base": "link_no_entity"}
    assert result["description_placeholders"]["key"] == "200"
