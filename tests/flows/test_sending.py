"""How the keys of a phone are sent: the page, and what the phone is to have after it."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.engine.dialoginfo import DialogState
from custom_components.snom_buttons.engine.phones import PressAnswer, Speakers
from custom_components.snom_buttons.engine.xbuttons import KeyDescription, LightMode
from custom_components.snom_buttons.hub.settings import EntrySettings
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from tests.support.entries import update_phone
from tests.support.flows import (
    reconfigure_phone,
    submit_account,
    submit_phone,
    suggested,
)

STATES = {
    "off": "terminated",
    "on": "confirmed",
    "hold": "early",
    "pickup": "early",
    "park": "early",
    "message": "confirmed",
    "offline": "confirmed",
    "error": "confirmed",
    "seized": "confirmed",
    "record": "confirmed",
}
USUAL = {
    "speakers": "automatic",
    "press_answer": "busy",
    "inverted": False,
    "states": STATES,
}


def stored(entry: MockConfigEntry) -> Any:
    return entry.subentries["subentry_44"].data.get("sending")


def setup_of(entry: MockConfigEntry) -> Any:
    phones = EntrySettings.from_entry(entry).phones
    [phone] = [phone for phone in phones if phone.setup.extension == "44"]
    return phone.setup


async def test_nothing_changes_without_a_change(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    before = config_entry.subentries["subentry_44"].data
    result = await reconfigure_phone(hass, config_entry, "sending")
    assert suggested(result) == USUAL
    result = await submit_phone(hass, result)
    assert result["reason"] == "reconfigure_successful"
    assert config_entry.subentries["subentry_44"].data == before


async def test_only_what_is_not_usual_is_stored(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    result = await reconfigure_phone(hass, config_entry, "sending")
    changes = {
        "press_answer": "unavailable",
        "inverted": True,
        "states": STATES | {"error": "early", "message": "trying"},
    }
    await submit_phone(hass, result, **changes)
    assert stored(config_entry) == changes | {
        "states": {"error": "early", "message": "trying"}
    }
    setup = setup_of(config_entry)
    assert setup.speakers is Speakers.AUTOMATIC
    assert setup.blf.press_answer is PressAnswer.UNAVAILABLE
    assert {
        light: setup.blf.state_of(KeyDescription(name="1", light=light))
        for light in (LightMode.OFF, LightMode.ON, LightMode.ERROR, LightMode.MESSAGE)
    } == {
        LightMode.OFF: DialogState.CONFIRMED,
        LightMode.ON: DialogState.TERMINATED,
        LightMode.ERROR: DialogState.EARLY,
        LightMode.MESSAGE: DialogState.TRYING,
    }
    result = await reconfigure_phone(hass, config_entry, "sending")
    assert suggested(result) == USUAL | changes
    await submit_phone(hass, result, **USUAL)
    assert stored(config_entry) is None


async def test_a_section_that_a_client_leaves_out_stays(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    states = {"error": "early", "message": "trying"}
    update_phone(hass, config_entry, sending={"states": states})
    result = await reconfigure_phone(hass, config_entry, "sending")
    await submit_phone(hass, result, press_answer="decline", states=None)
    assert stored(config_entry) == {"press_answer": "decline", "states": states}


@pytest.mark.parametrize("speakers", [it for it in Speakers if it != "automatic"])
async def test_another_way_is_followed_by_what_to_enter(
    hass: HomeAssistant, config_entry: MockConfigEntry, speakers: Speakers
) -> None:
    result = await reconfigure_phone(hass, config_entry, "sending")
    assert not result["last_step"]
    result = await submit_phone(hass, result, speakers=speakers)
    assert (result["step_id"], result["last_step"]) == ("phone", True)
    page = result["description_placeholders"] or {}
    kind, number = "Button", "`1`"
    if speakers == "blf":
        kind, number = "BLF", f"`sip:1@{page['registrar']}`"
    first = f"- **P1**: *Type* `{kind}`, *Number* {number}, *Name* `Key 1`"
    assert page["keys"].splitlines()[0] == first
    assert stored(config_entry) is None
    result = await submit_phone(hass, result)
    assert result["reason"] == "reconfigure_successful"
    assert stored(config_entry) == {"speakers": speakers}
    assert setup_of(config_entry).speakers is speakers


async def test_it_stays_when_the_account_is_changed(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    update_phone(hass, config_entry, sending={"speakers": "both"})
    result = await submit_account(hass, await reconfigure_phone(hass, config_entry))
    await submit_phone(hass, await submit_phone(hass, result))
    assert stored(config_entry) == {"speakers": "both"}


async def test_what_is_usual_depends_on_the_maker(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    update_phone(hass, config_entry, maker="yealink", model="T40")
    subentry = config_entry.subentries["subentry_44"]
    assert setup_of(config_entry).speakers is Speakers.BLF

    async def page() -> Any:
        menu = await config_entry.start_subentry_reconfigure_flow(hass, "subentry_44")
        return await hass.config_entries.subentries.async_configure(
            menu["flow_id"], {"next_step_id": "sending"}
        )

    result = await page()
    assert result["last_step"]
    assert suggested(result) == USUAL | {"speakers": "blf"}
    result = await submit_phone(hass, result, speakers="automatic")
    # Its keys are of type BLF in any case.
    assert result["type"] is FlowResultType.ABORT
    assert stored(config_entry) == {"speakers": "automatic"}
    assert setup_of(config_entry).speakers is Speakers.AUTOMATIC
    await submit_phone(hass, await page(), speakers="blf")
    assert config_entry.subentries["subentry_44"].data == subentry.data


@pytest.mark.parametrize("speakers", list(Speakers))
async def test_a_phone_that_does_not_register_cannot_subscribe(
    hass: HomeAssistant, config_entry: MockConfigEntry, speakers: Speakers
) -> None:
    update_phone(hass, config_entry, address="192.168.1.9", sending={"speakers": "blf"})
    assert setup_of(config_entry).speakers is Speakers.BUTTONS
    update_phone(hass, config_entry, sending={})
    result = await reconfigure_phone(hass, config_entry, "sending")
    result = await submit_phone(hass, result, speakers=speakers, inverted=True)
    if speakers in ("blf", "both"):
        assert result["errors"] == {"speakers": "cannot_subscribe"}
        assert suggested(result) == USUAL | {"speakers": speakers, "inverted": True}
    else:
        assert not result.get("errors")


@pytest.mark.parametrize(
    "wrong",
    [
        {"speakers": "drums"},
        {"press_answer": "200"},
        {"states": STATES | {"on": "proceeding"}},
    ],
)
async def test_other_words_are_refused(
    hass: HomeAssistant, config_entry: MockConfigEntry, wrong: dict[str, Any]
) -> None:
    result = await reconfigure_phone(hass, config_entry, "sending")
    with pytest.raises(InvalidData):
        await submit_phone(hass, result, **wrong)
