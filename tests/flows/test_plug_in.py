"""The dialogue that waits until a phone is plugged in; phones from the factory."""

import asyncio
import re
from types import MappingProxyType
from typing import Any

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.flows import plug_in
from custom_components.snom_buttons.hub.provisioning.newcomers import MAX_NEWCOMERS
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
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.plugging import ENTITIES, MAC, Network, announcement
from tests.support.ports import LOCALHOST

pytestmark = multicast()


@pytest.fixture
def server(hearing_server: MockConfigEntry) -> MockConfigEntry:
    return hearing_server


@pytest.fixture
async def web(
    server: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> TestClient:
    return await hass_client_no_auth()


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


def why(page: SubentryFlowResult) -> str:
    """Return why no phone was set up."""
    placeholders = page["description_placeholders"]
    assert placeholders is not None
    return placeholders["why"]


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


async def test_what_was_heard_is_named(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """What phones say of themselves is no Markdown."""
    page = await start(hass, server, [])
    network.hears(YEALINK)
    network.hears(announcement("00041300000A", "*snom370*"))
    page = await look(hass, page["flow_id"])
    assert page["type"] is FlowResultType.SHOW_PROGRESS
    assert "\\*snom370\\*" in page["description_placeholders"]["heard"]
    foreign = TEXTS["common"]["heard_foreign"]
    assert heard(page).splitlines() == [
        f"- Yealink SIP-T21P_E2, 0015654093A7, 192.168.1.70: {foreign}",
        "- snom *snom370*, 00041300000A, 192.168.1.70: is set up now",
    ]
    assert len(network.urls) == 1

    # One that is set up, and what became of the first.
    update_phone(hass, server, mac="00041300000C")
    network.hears(announcement("00041300000C"))
    page = await look(hass, page["flow_id"])
    assert "00041300000C, 192.168.1.70: is set up already" in heard(page)
    window_of(server).async_end(None)
    page = await finished(hass, page["flow_id"])
    assert heard(page).splitlines()[-2].endswith(TEXTS["common"]["heard_unfetched"])


# Several phones

FIRST, SECOND, THIRD = "00041300000A", "00041300000B", "00041300000C"


async def which_phone(
    hass: HomeAssistant, page: SubentryFlowResult, *macs: str
) -> SubentryFlowResult:
    """Return the page that offers these phones."""
    page = await look(hass, page["flow_id"])
    assert (page["type"], page["step_id"]) == (FlowResultType.FORM, "which_phone")
    assert page["data_schema"] is not None
    [selector] = page["data_schema"].schema.values()
    assert selector.config["options"] == [
        *({"value": mac, "label": f"snom 370, {mac}, 192.168.1.70"} for mac in macs),
        {"value": "another", "label": "another"},
    ]
    return page


async def two_heard(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> SubentryFlowResult:
    """Return the page that offers two phones. The first was answered already."""
    page = await start(hass, server, [])
    network.hears(announcement(FIRST))
    network.hears(announcement(SECOND))
    return await which_phone(hass, page, FIRST, SECOND)


def answered_macs(network: Network) -> list[str]:
    return [url.rpartition("/")[2].removesuffix(".xml") for _, url in network.urls]


async def test_of_two_phones_the_chosen_one_is_answered_at_once(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    page = await two_heard(hass, server, network)
    assert answered_macs(network) == [FIRST]
    [(_, url)] = network.urls
    path = f"/{url.partition('//')[2].partition('/')[2]}"
    assert (await web.get(path)).status == 404, "the user has not chosen yet"
    network.hears(announcement(SECOND))
    network.hears(announcement(THIRD))
    page = await submit_phone(hass, page, phone=SECOND)
    assert page["type"] is FlowResultType.SHOW_PROGRESS
    await hass.async_block_till_done()
    assert answered_macs(network) == [FIRST, SECOND]
    assert f"{SECOND}, 192.168.1.70: is set up now" in heard(page)
    assert (await web.get(path)).status == 404, "another one is chosen"
    network.hears(announcement("00041300000D"))
    assert len(network.urls) == 2
    window = window_of(server)
    url = network.urls[-1][1]
    path = f"/{url.partition('//')[2].partition('/')[2]}"
    assert (await web.get(path)).status == 200
    added = await ended(hass, window)
    assert added is not None
    assert added.data["mac"] == SECOND
    page = await finished(hass, page["flow_id"])
    assert page["step_id"] == "plugged_in"


async def test_a_phone_that_waits_no_more_is_answered_at_its_next_start(
    hass: HomeAssistant,
    server: MockConfigEntry,
    network: Network,
    freezer: FrozenDateTimeFactory,
) -> None:
    page = await two_heard(hass, server, network)
    freezer.tick(32)
    page = await submit_phone(hass, page, phone=SECOND)
    assert answered_macs(network) == [FIRST]
    assert heard(page).splitlines()[1].endswith(TEXTS["common"]["heard_chosen"])
    network.hears(announcement(SECOND))
    await hass.async_block_till_done()
    assert answered_macs(network) == [FIRST, SECOND]


async def test_the_first_of_two_can_be_chosen(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    """It has its URL already, and gets no second answer within the cool-down."""
    page = await two_heard(hass, server, network)
    page = await submit_phone(hass, page, phone=FIRST)
    await hass.async_block_till_done()
    [(_, url)] = network.urls
    window = window_of(server)
    path = f"/{url.partition('//')[2].partition('/')[2]}"
    assert (await web.get(path)).status == 200
    added = await ended(hass, window)
    assert added is not None
    assert added.data["mac"] == FIRST


async def test_none_of_two_phones_but_the_next(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    page = await two_heard(hass, server, network)
    page = await submit_phone(hass, page, phone="another")
    assert page["type"] is FlowResultType.SHOW_PROGRESS
    assert FIRST in heard(page) and "is set up now" not in heard(page)
    network.hears(announcement(FIRST))
    network.hears(announcement(THIRD))
    await hass.async_block_till_done()
    assert answered_macs(network) == [FIRST, THIRD]
    page = await look(hass, page["flow_id"])
    assert f"{THIRD}, 192.168.1.70: is set up now" in heard(page)


async def test_a_phone_that_was_heard_while_others_were_refused(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """It waits for its answer still, and gets it. Two of them are a choice again."""
    page = await two_heard(hass, server, network)
    network.hears(announcement(THIRD))
    page = await submit_phone(hass, page, phone="another")
    await hass.async_block_till_done()
    assert answered_macs(network) == [FIRST, THIRD]
    fourth = "00041300000D"
    network.hears(announcement(fourth))
    page = await which_phone(hass, page, THIRD, fourth)


async def test_two_phones_that_were_heard_meanwhile_are_a_choice_again(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    fourth = "00041300000D"
    page = await two_heard(hass, server, network)
    network.hears(announcement(THIRD))
    network.hears(announcement(fourth))
    page = await submit_phone(hass, page, phone="another")
    page = await which_phone(hass, page, THIRD, fourth)
    assert answered_macs(network) == [FIRST]
    page = await submit_phone(hass, page, phone=fourth)
    assert page["type"] is FlowResultType.SHOW_PROGRESS
    await hass.async_block_till_done()
    assert answered_macs(network) == [FIRST, fourth]


async def test_a_power_cut_just_before_is_a_choice(
    hass: HomeAssistant,
    server: MockConfigEntry,
    network: Network,
    freezer: FrozenDateTimeFactory,
) -> None:
    network.hears(announcement(FIRST))
    freezer.tick(59)
    page = await start(hass, server, [])
    network.hears(announcement(SECOND))
    page = await which_phone(hass, page, FIRST, SECOND)
    assert network.urls == []


async def test_a_phone_that_was_heard_long_before_is_no_choice(
    hass: HomeAssistant,
    server: MockConfigEntry,
    network: Network,
    freezer: FrozenDateTimeFactory,
) -> None:
    network.hears(announcement(FIRST))
    freezer.tick(61)
    page = await start(hass, server, [])
    network.hears(announcement(SECOND))
    page = await look(hass, page["flow_id"])
    assert page["type"] is FlowResultType.SHOW_PROGRESS
    assert answered_macs(network) == [SECOND]


async def test_phones_that_nobody_wants_are_no_choice(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """Those of other makers, those that are ignored, and those that are set up."""
    MockConfigEntry(
        domain="snom_buttons", source="ignore", unique_id=FIRST
    ).add_to_hass(hass)
    update_phone(hass, server, mac=THIRD)
    await hass.async_block_till_done()
    page = await start(hass, server, [])
    network.hears(YEALINK)
    network.hears(announcement(FIRST))
    network.hears(announcement(THIRD))
    network.hears(announcement(SECOND))
    await hass.async_block_till_done()
    assert answered_macs(network) == [THIRD, SECOND]
    page = await look(hass, page["flow_id"])
    assert page["type"] is FlowResultType.SHOW_PROGRESS


async def test_a_window_that_ends_while_the_user_chooses(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    page = await two_heard(hass, server, network)
    assert await hass.config_entries.async_unload(server.entry_id)
    page = await submit_phone(hass, page, phone=SECOND)
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "nothing_heard")


async def test_a_dialogue_that_is_closed_while_the_user_chooses(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    page = await two_heard(hass, server, network)
    hass.config_entries.subentries.async_abort(page["flow_id"])
    assert window_of(server) is None


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
    assert page["menu_options"] == ["wait", "found", "manual"]
    assert why(page) == TEXTS["common"]["phone_only_starts"]
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
    assert heard(page) == "Nothing."
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


async def test_of_two_dialogues_the_second_waits(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """The first may be gone without a word, as with its browser."""
    first = await start(hass, server, [])
    window = window_of(server)
    await start(hass, server, [])
    assert window.ended.result() is None
    assert window_of(server) is not None
    page = await finished(hass, first["flow_id"])
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "nothing_heard")
    assert why(page) == TEXTS["common"]["another_waits"]
    # It closes its own window only.
    hass.config_entries.subentries.async_abort(first["flow_id"])
    assert window_of(server) is not None


async def test_of_two_dialogues_the_first_chooses_no_phone_any_more(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    page = await two_heard(hass, server, network)
    second = await start(hass, server, [])
    page = await submit_phone(hass, page, phone=SECOND)
    assert why(page) == TEXTS["common"]["another_waits"]
    # The same the other way round.
    configure = hass.config_entries.subentries.async_configure
    page = checked_phone(await configure(page["flow_id"], {"next_step_id": "wait"}))
    assert page["step_id"] == "wait"
    second = await finished(hass, second["flow_id"])
    assert why(second) == TEXTS["common"]["another_waits"]


async def test_where_nothing_was_heard_a_phone_in_the_network_can_be_chosen(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    page = await start(hass, server, ENTITIES[:2])
    window_of(server).async_end(None)
    page = await finished(hass, page["flow_id"])
    configure = hass.config_entries.subentries.async_configure
    page = checked_phone(await configure(page["flow_id"], {"next_step_id": "found"}))
    assert (page["type"], page["step_id"]) == (FlowResultType.FORM, "found")
    page = await submit_phone(hass, page)
    assert page["step_id"] == "found_keys"
    page = await submit_phone(hass, page, entities=ENTITIES[:1])
    assert page["step_id"] == "reach"


@pytest.mark.parametrize("way", ["wait", "found", "manual"])
async def test_a_server_that_is_removed_during_the_wait_is_said(
    hass: HomeAssistant, server: MockConfigEntry, way: str
) -> None:
    page = await start(hass, server, [])
    await hass.config_entries.async_remove(server.entry_id)
    page = await finished(hass, page["flow_id"])
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "nothing_heard")
    page = checked_phone(
        await hass.config_entries.subentries.async_configure(
            page["flow_id"], {"next_step_id": way}
        )
    )
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "not_running")
    assert pages(hass) == []


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


async def test_forged_phones_of_other_makers_do_not_hide_one_that_was_heard(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """Else the next one that is heard would be set up, without a choice."""
    network.hears(announcement(FIRST))
    page = await start(hass, server, [])
    for number in range(MAX_NEWCOMERS):
        mac = f"0015650000{number:02X}".encode()
        network.hears(YEALINK.replace(b"0015654093A7", mac))
    network.hears(announcement(SECOND))
    await which_phone(hass, page, FIRST, SECOND)
    assert network.urls == []
