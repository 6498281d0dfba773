"""The dialogue that waits until a phone is plugged in; phones from the factory."""

import asyncio
import re
from types import MappingProxyType
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.flows import plug_in
from homeassistant.config_entries import ConfigSubentry, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
from tests.support.announcements import YEALINK
from tests.support.entries import TOKEN, update_phone
from tests.support.flows import (
    TEXTS,
    checked_phone,
    choose_way,
    reconfigure_phone,
    submit_account,
    submit_phone,
    suggested,
)
from tests.support.patience import PATIENCE
from tests.support.plugging import ENTITIES, MAC, Network, announcement
from tests.support.ports import LOCALHOST

# Its sockets are of the one group of the machine.
pytestmark = pytest.mark.xdist_group("multicast")


@pytest.fixture
def server(hearing_server: MockConfigEntry) -> MockConfigEntry:
    return hearing_server


async def start(
    hass: HomeAssistant, entry: MockConfigEntry, entities: list[str]
) -> SubentryFlowResult:
    """Choose entities, and return the page that waits."""
    page = await choose_way(hass, entry, "plug_in")
    assert (page["type"], page["step_id"]) == (FlowResultType.FORM, "plug_in")
    page = await submit_phone(hass, page, entities=entities)
    assert (page["type"], page["step_id"]) == (FlowResultType.SHOW_PROGRESS, "wait")
    return page


async def look(hass: HomeAssistant, flow_id: str) -> SubentryFlowResult:
    """Return the page that the frontend gets after an event."""
    await hass.async_block_till_done()
    return checked_phone(await hass.config_entries.subentries.async_configure(flow_id))


async def finished(hass: HomeAssistant, flow_id: str) -> SubentryFlowResult:
    """Return the page after the one that waits."""
    flow = hass.config_entries.subentries._progress[flow_id]
    if (task := flow.async_get_progress_task()) is not None:
        await asyncio.wait([task], timeout=PATIENCE)
    page = await look(hass, flow_id)
    assert page["type"] is not FlowResultType.SHOW_PROGRESS
    return page


def heard(page: SubentryFlowResult) -> str:
    placeholders = page["description_placeholders"]
    assert placeholders is not None
    return plain(placeholders["heard"])


def plain(markdown: str) -> str:
    """Return a text without its escapes."""
    return re.sub(r"\\(.)", r"\1", markdown)


def options(page: SubentryFlowResult) -> list[str]:
    """Return the labels of the suggestions."""
    assert page["data_schema"] is not None
    listed = page["data_schema"].schema["suggested"].config["options"]
    return [option["label"] for option in listed]


def pages(hass: HomeAssistant) -> list[Any]:
    return hass.config_entries.subentries.async_progress()


def window_of(entry: MockConfigEntry) -> Any:
    return entry.runtime_data.provisioning.window


async def ended(hass: HomeAssistant, window: Any) -> ConfigSubentry | None:
    async with asyncio.timeout(PATIENCE):
        phone: ConfigSubentry | None = await window.ended
    await hass.async_block_till_done()
    return phone


async def test_a_phone_is_plugged_in_and_shows_the_house(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    """Over real multicast, HTTP and SIP; nothing is typed anywhere."""
    page = await start(hass, server, ENTITIES[:3])
    window = window_of(server)
    assert heard(page) == "Nothing yet."
    phone = await plugged("D735", MAC)
    await phone.wait_for(lambda p: p.registered, PATIENCE)
    for key, light in (("1", "on"), ("2", "off"), ("3", "on")):
        await phone.wait_for(
            lambda p, key=key, light=light: (
                p.keys[key].light == light and p.keys[key].label == f"Lamp {key}"
            ),
            PATIENCE,
        )
    assert len(phone.keys) == 32
    hass.states.async_set(ENTITIES[1], "on", {"friendly_name": "Lamp 2"})
    await phone.wait_for(lambda p: p.keys["2"].light == "on", PATIENCE)

    added = await ended(hass, window)
    assert added is not None
    assert (added.title, added.unique_id) == ("Phone 46", "46")
    data = server.subentries[added.subentry_id].data
    assert (data["model"], data["mac"], data["extension"]) == ("D735", MAC, "46")
    assert len(data["password"]) == 16
    assert data["keys"][0] == {
        "key": "1",
        "name": "Lamp 1",
        "kind": "linked",
        "colors": True,
        "follows": ENTITIES[0],
    }
    page = await finished(hass, page["flow_id"])
    assert (page["type"], page["step_id"]) == (FlowResultType.FORM, "plugged_in")
    placeholders = page["description_placeholders"]
    assert placeholders is not None
    assert {name: plain(text) for name, text in placeholders.items()} == {
        "phone": "Phone 46",
        "named": f"snom D735, {MAC}, {LOCALHOST}",
        "without_key": "",
    }
    page = await submit_phone(hass, page)
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "phone_added")
    assert pages(hass) == []
    assert window_of(server) is None
    assert phone.settings["setting_server"].endswith(f"/{data['token']}/")


async def test_what_has_no_key_on_the_phone_is_named(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    page = await start(hass, server, ENTITIES)
    window = window_of(server)
    await plugged("D315", MAC)
    added = await ended(hass, window)
    assert added is not None
    assert [it["follows"] for it in added.data["keys"]] == ENTITIES[:5]
    page = await finished(hass, page["flow_id"])
    placeholders = page["description_placeholders"]
    assert placeholders is not None
    assert "Lamp 6, Lamp 7" in plain(placeholders["without_key"])


async def test_a_model_that_is_not_known_has_a_key_for_each_entity(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    await start(hass, server, ENTITIES[:2])
    window = window_of(server)
    await plugged("D999", MAC)
    added = await ended(hass, window)
    assert added is not None
    assert added.data["model"] == "other"
    assert [it["follows"] for it in added.data["keys"]] == ENTITIES[:2]


async def test_two_phones_at_once_the_first_is_set_up(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """The other is named, and what phones say of themselves is no Markdown."""
    page = await start(hass, server, [])
    network.hears(announcement("00041300000A", "*snom370*"))
    network.hears(announcement("00041300000B"))
    network.hears(YEALINK)
    page = await look(hass, page["flow_id"])
    assert page["type"] is FlowResultType.SHOW_PROGRESS
    assert "\\*snom370\\*" in page["description_placeholders"]["heard"]
    foreign = TEXTS["common"]["heard_foreign"]
    assert heard(page).splitlines() == [
        "- snom *snom370*, 00041300000A, 192.168.1.70: is set up now",
        "- snom 370, 00041300000B, 192.168.1.70: heard, not answered",
        f"- Yealink SIP-T21P_E2, 0015654093A7, 192.168.1.70: {foreign}",
    ]
    assert len(network.urls) == 1

    # One that is set up, and what became of the first.
    update_phone(hass, server, mac="00041300000C")
    network.hears(announcement("00041300000C"))
    page = await look(hass, page["flow_id"])
    assert "00041300000C, 192.168.1.70: is set up already" in heard(page)
    server.runtime_data.provisioning.async_close_window(window_of(server))
    page = await finished(hass, page["flow_id"])
    assert heard(page).splitlines()[0].endswith(TEXTS["common"]["heard_unfetched"])


async def test_the_entities_of_an_area_and_wrong_ones(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    page = await choose_way(hass, server, "plug_in")
    page = await submit_phone(hass, page, entities=["light.none"])
    assert page["errors"] == {"entities": "no_entity"}
    page = await submit_phone(hass, page, entities=ENTITIES[:1], area="attic")
    assert page["errors"] == {"area": "nothing_in_area"}
    assert page["step_id"] == "plug_in"


async def test_suggestions_that_are_ticked_get_the_first_keys(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    """In the order in which they are listed, not ticked; one that is also chosen has one key."""
    page = await choose_way(hass, server, "plug_in")
    first, second, third, fourth = ENTITIES[:4]
    assert options(page) == [f"Lamp {number}" for number in range(1, 8)]
    page = await submit_phone(
        hass, page, suggested=[third, second], entities=[fourth, third, first]
    )
    assert page["type"] is FlowResultType.SHOW_PROGRESS
    window = window_of(server)
    await plugged("D735", MAC)
    added = await ended(hass, window)
    assert added is not None
    followed = [key.get("follows") for key in added.data["keys"]]
    assert followed[:5] == [second, third, fourth, first, None]


async def test_ticks_stay_when_an_area_is_added(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """One that is not suggested any more is in the list of entities then."""
    page = await choose_way(hass, server, "plug_in")
    hass.states.async_set(ENTITIES[1], "unavailable")
    chosen = {"suggested": ENTITIES[1:3], "entities": ["light.none"]}
    page = await submit_phone(hass, page, **chosen, area="attic")
    assert page["errors"] == {"area": "nothing_in_area"}
    assert suggested(page) == {
        "suggested": ENTITIES[2:3],
        "entities": [ENTITIES[1], "light.none"],
    }


async def test_a_house_without_suggestions_has_no_list_of_them(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    for entity_id in ENTITIES:
        hass.states.async_remove(entity_id)
    page = await choose_way(hass, server, "plug_in")
    assert page["data_schema"] is not None
    assert [*page["data_schema"].schema] == ["entities", "area"]


async def test_after_five_minutes_there_are_ways_out(
    hass: HomeAssistant,
    server: MockConfigEntry,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plug_in, "WAIT", 0.05)
    page = await start(hass, server, ENTITIES[:1])
    network.hears(YEALINK)
    assert await ended(hass, window_of(server)) is None
    page = await finished(hass, page["flow_id"])
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "nothing_heard")
    assert page["menu_options"] == ["wait", "manual"]
    assert "Yealink" in heard(page)
    assert window_of(server) is None
    network.hears(announcement())
    assert network.urls == []

    # Once more, with the same entities; then by hand.
    monkeypatch.setattr(plug_in, "WAIT", PATIENCE)
    configure = hass.config_entries.subentries.async_configure
    page = await configure(page["flow_id"], {"next_step_id": "wait"})
    assert heard(page) == "Nothing yet."
    window = window_of(server)
    window.async_end(None)
    page = await finished(hass, page["flow_id"])
    page = await configure(page["flow_id"], {"next_step_id": "manual"})
    assert (page["type"], page["step_id"]) == (FlowResultType.FORM, "manual")


async def test_a_dialogue_that_is_closed_ends_its_window(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    page = await start(hass, server, [])
    window = window_of(server)
    network.hears(announcement())
    hass.config_entries.subentries.async_abort(page["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert window_of(server) is None
    assert window.ended.done()
    network.hears(announcement("00041300000B"))
    assert len(network.urls) == 1
    with pytest.raises(UnknownFlow):
        await hass.config_entries.subentries.async_configure(page["flow_id"])


async def test_of_two_dialogues_the_second_is_told(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    await start(hass, server, [])
    window = window_of(server)
    page = await choose_way(hass, server, "plug_in")
    page = await submit_phone(hass, page)
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "window_open")
    assert window_of(server) is window


async def test_a_reload_ends_the_window_and_the_dialogue_goes_on(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    page = await start(hass, server, [])
    assert await hass.config_entries.async_reload(server.entry_id)
    page = await finished(hass, page["flow_id"])
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "nothing_heard")
    configure = hass.config_entries.subentries.async_configure
    page = await configure(page["flow_id"], {"next_step_id": "wait"})
    assert page["type"] is FlowResultType.SHOW_PROGRESS
    assert window_of(server) is not None


async def test_a_dialogue_waits_while_home_assistant_stops(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    await start(hass, server, [])
    window = window_of(server)
    await hass.async_stop()
    assert window.ended.result() is None
    assert window_of(server) is None


async def test_what_is_missing_is_said_at_once(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    async def reason() -> str:
        page = await choose_way(hass, server, "plug_in")
        assert page["type"] is FlowResultType.ABORT
        return page["reason"]

    await hass.config.async_update(internal_url="https://127.0.0.1:1")
    assert await reason() == "no_settings_url"
    await server.runtime_data.hearing.close()
    assert await reason() == "not_heard"
    waiting = await hass.config_entries.subentries.async_init(
        (server.entry_id, "phone"), context={"source": "user"}
    )
    assert await hass.config_entries.async_unload(server.entry_id)
    assert await reason() == "not_running"
    page = await hass.config_entries.subentries.async_configure(
        waiting["flow_id"], {"next_step_id": "plug_in"}
    )
    assert page["reason"] == "not_running"


async def test_a_server_that_stops_before_the_wait_is_said(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    page = await choose_way(hass, server, "plug_in")
    assert await hass.config_entries.async_unload(server.entry_id)
    page = await submit_phone(hass, page)
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "not_running")


async def test_a_server_that_stops_before_another_wait_is_said(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    page = await start(hass, server, [])
    assert await hass.config_entries.async_unload(server.entry_id)
    page = await finished(hass, page["flow_id"])
    page = await hass.config_entries.subentries.async_configure(
        page["flow_id"], {"next_step_id": "wait"}
    )
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "not_running")


async def test_a_phone_that_is_reset_gets_its_settings_again(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    """Without a dialogue, as the same phone."""
    await start(hass, server, ENTITIES[:1])
    window = window_of(server)
    phone = await plugged("D735", MAC)
    await phone.wait_for(lambda p: p.registered, PATIENCE)
    assert await ended(hass, window) is not None
    await phone.close()
    server.runtime_data.provisioning.plug_and_play._answered.clear()  # it is later
    again = await plugged("D735", MAC)
    await again.wait_for(lambda p: p.registered, PATIENCE)
    assert again.user == phone.user == "46"
    assert len(server.subentries) == 3


async def test_a_change_of_the_phone_keeps_its_hardware_address_and_token(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    update_phone(hass, server, mac=MAC)
    page = await submit_account(hass, await reconfigure_phone(hass, server))
    page = await submit_phone(hass, await submit_phone(hass, page))
    assert page["reason"] == "reconfigure_successful"
    data = server.subentries["subentry_44"].data
    assert (data["mac"], data["token"]) == (MAC, TOKEN)


async def test_an_extension_that_was_given_meanwhile_is_not_given_twice(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    await start(hass, server, [])
    window = window_of(server)
    update_phone(hass, server, "45", extension="46")
    await hass.async_block_till_done()
    await plugged("D735", MAC)
    added = await ended(hass, window)
    assert added is not None
    assert added.unique_id == "47"
    assert isinstance(added.data, MappingProxyType)
