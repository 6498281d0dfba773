"""The dialogue of a phone that is in the network already."""

import asyncio
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp.test_utils import TestClient
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.flows import found
from homeassistant.config_entries import SOURCE_DHCP, ConfigSubentry, SubentryFlowResult
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from tests.support.announcements import YEALINK
from tests.support.entries import update_phone
from tests.support.flows import checked_phone, choose_way, submit_phone, suggested
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.plugging import ENTITIES, MAC, Network, announcement
from tests.support.ports import LOCALHOST

pytestmark = multicast()

OTHER, CARD = "00041300000A", "00041300000B"
HOST = "192.168.1.70"
AGENT = {"User-Agent": "Mozilla/4.0 (compatible; snom370-SIP 8.7.5.48 1.1.3-s)"}


@pytest.fixture
def server(hearing_server: MockConfigEntry) -> MockConfigEntry:
    return hearing_server


@pytest.fixture
async def web(
    server: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> TestClient:
    return await hass_client_no_auth()


def offered(page: SubentryFlowResult) -> list[str]:
    """Return what can be chosen, as it is shown."""
    assert (page["type"], page["step_id"]) == (FlowResultType.FORM, "found")
    assert page["data_schema"] is not None
    [selector] = page["data_schema"].schema.values()
    return [option["label"] for option in selector.config["options"]]


async def added(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    phone: str,
    entities: list[str],
) -> tuple[SubentryFlowResult, ConfigSubentry]:
    """Choose a phone and entities; return the page that follows and the new phone."""
    before = set(entry.subentries)
    page = await choose_way(hass, entry, "found")
    page = await submit_phone(hass, page, phone=phone)
    assert page["step_id"] == "found_keys"
    page = await submit_phone(hass, page, entities=entities)
    assert (page["type"], page["step_id"]) == (FlowResultType.FORM, "reach")
    [subentry_id] = set(entry.subentries) - before
    return page, entry.subentries[subentry_id]


def ways(page: SubentryFlowResult) -> list[str]:
    """Return the addresses that a page names."""
    placeholders = page["description_placeholders"]
    assert placeholders is not None
    return re.findall(r"(?<=[(`])http[^)`]*", placeholders["ways"])


async def look(hass: HomeAssistant, flow_id: str) -> SubentryFlowResult:
    """Return the page after the one that waits."""
    flow = hass.config_entries.subentries._progress[flow_id]
    if (task := flow.async_get_progress_task()) is not None:
        await asyncio.wait([task], timeout=PATIENCE)
    await hass.async_block_till_done()
    page = checked_phone(await hass.config_entries.subentries.async_configure(flow_id))
    assert page["type"] is not FlowResultType.SHOW_PROGRESS
    return page


def path_of(url: str) -> str:
    return urlsplit(url).path


async def test_a_phone_that_was_heard_is_set_up_while_it_still_asks(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    """Over real multicast, HTTP and SIP. It was plugged in before the dialogue."""
    newcomers = server.runtime_data.provisioning.newcomers
    heard = asyncio.Event()
    newcomers.heard.subscribe(lambda _: heard.set())
    phone = await plugged("D735", MAC)
    async with asyncio.timeout(PATIENCE):
        await heard.wait()
    page = await choose_way(hass, server, "found")
    assert offered(page) == [f"snom D735, {MAC}, {LOCALHOST}", "another"]
    assert suggested(page) == {"phone": MAC}
    page, subentry = await added(hass, server, MAC, ENTITIES[:2])
    assert (subentry.data["mac"], subentry.data["model"]) == (MAC, "D735")
    assert len(subentry.data["keys"]) == 32
    page = await submit_phone(hass, page)
    await phone.wait_for(lambda p: p.registered, PATIENCE)
    await phone.wait_for(lambda p: p.keys["1"].label == "Lamp 1", PATIENCE)
    page = await look(hass, page["flow_id"])
    assert (page["type"], page["step_id"]) == (FlowResultType.FORM, "fetched")
    assert phone.settings["setting_server"].endswith(f"/{subentry.data['token']}/")
    page = await submit_phone(hass, page)
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "phone_added")


async def test_what_is_offered(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """What was heard, then cards; not those that are set up, ignored or of others."""
    known, ignored = "00041300000C", "00041300000D"
    update_phone(hass, server, mac=known)
    MockConfigEntry(
        domain="snom_buttons", source="ignore", unique_id=ignored
    ).add_to_hass(hass)
    await hass.async_block_till_done()
    for mac in (known, ignored, MAC, OTHER):
        network.hears(announcement(mac))
    network.hears(YEALINK)
    for mac in (CARD, OTHER):
        info = DhcpServiceInfo(ip="192.168.1.71", hostname="x", macaddress=mac.lower())
        await hass.config_entries.flow.async_init(
            "snom_buttons", context={"source": SOURCE_DHCP}, data=info
        )
    await hass.async_block_till_done()
    assert offered(await choose_way(hass, server, "found")) == [
        f"snom 370, {OTHER}, {HOST}",
        f"snom 370, {MAC}, {HOST}",
        f"Phone of snom, {CARD}, 192.168.1.71",
        "another",
    ]
    page, subentry = await added(hass, server, CARD, ENTITIES[:3])
    assert (subentry.data["mac"], subentry.data["model"]) == (CARD, "other")
    assert [it["follows"] for it in subentry.data["keys"]] == ENTITIES[:3]
    assert "192.168.1.71" in ways(page)[0]
    left = hass.config_entries.flow.async_progress_by_handler("snom_buttons")
    assert CARD not in {card["context"]["unique_id"] for card in left}


async def test_what_can_be_done_without_touching_it(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    network.hears(announcement(MAC))
    page, subentry = await added(hass, server, MAC, ENTITIES[:1])
    restart, link, typed = ways(page)
    assert restart == f"http://{HOST}/advanced_update.htm?reboot=Reboot"
    assert link.startswith(
        f"http://{HOST}/dummy.htm?settings=save&store_settings=save&"
    )
    [url] = parse_qs(urlsplit(link).query)["setting_server"]
    assert url.endswith(f"/{MAC}.xml")
    assert subentry.data["token"] not in url
    assert typed.endswith(f"/{subentry.data['token']}/")

    # The address in the link is good for this phone, which gets its own by it.
    page = await submit_phone(hass, page)
    assert (page["type"], page["step_id"]) == (FlowResultType.SHOW_PROGRESS, "fetch")
    assert ways(page) == [restart, link, typed]
    assert (await web.get(path_of(url).replace(MAC, OTHER))).status == 404
    response = await web.get(path_of(url), headers=AGENT)
    assert response.status == 200
    assert subentry.data["token"] in await response.text()
    page = await look(hass, page["flow_id"])
    assert page["step_id"] == "fetched"
    placeholders = page["description_placeholders"]
    assert placeholders is not None
    assert placeholders["phone"] == "Phone 46"


async def test_another_one_is_reached_by_typing(
    hass: HomeAssistant, server: MockConfigEntry, web: TestClient
) -> None:
    page = await choose_way(hass, server, "found")
    assert offered(page) == ["another"]
    page, subentry = await added(hass, server, "another", ENTITIES[:2])
    assert "mac" not in subentry.data
    [typed] = ways(page)
    # A restart is no way: the announcement of an unknown phone is not answered.
    assert page["data_schema"] is not None
    assert page["data_schema"].schema == {}
    page = await submit_phone(hass, page)
    agent = {"User-Agent": f"{AGENT['User-Agent']} {OTHER}"}
    other = next(iter(set(server.subentries) - {subentry.subentry_id}))
    server.runtime_data.provisioning.refresher.fetched.emit(other)
    assert (await web.get(path_of(typed), headers=agent)).status == 200
    page = await look(hass, page["flow_id"])
    assert page["step_id"] == "fetched"
    assert server.subentries[subentry.subentry_id].data["mac"] == OTHER


async def test_what_has_no_key_is_refused_where_the_keys_are_known(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    network.hears(announcement(MAC, "snomD315"))
    page = await choose_way(hass, server, "found")
    page = await submit_phone(hass, page, phone=MAC)
    page = await submit_phone(hass, page, entities=ENTITIES)
    assert page["step_id"] == "found_keys"
    assert page["errors"] == {"entities": "too_many_entities"}


async def test_a_phone_that_has_fetched_before_the_page_waits(
    hass: HomeAssistant, server: MockConfigEntry, web: TestClient
) -> None:
    page, _ = await added(hass, server, "another", [])
    response = await web.get(path_of(ways(page)[0]), headers=AGENT)
    assert response.status == 200
    page = await submit_phone(hass, page)
    assert (page["type"], page["step_id"]) == (FlowResultType.FORM, "fetched")


# The switch of its power


async def test_a_switch_of_its_power_restarts_it(
    hass: HomeAssistant,
    server: MockConfigEntry,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(found, "OFF_SECONDS", 0)
    off = async_mock_service(hass, "switch", "turn_off")
    on = async_mock_service(hass, "switch", "turn_on")
    network.hears(announcement(MAC))
    page, _ = await added(hass, server, MAC, [])
    page = await submit_phone(hass, page, switch="switch.port_4")
    assert page["step_id"] == "fetch"
    # Also if the dialogue is closed meanwhile.
    hass.config_entries.subentries.async_abort(page["flow_id"])
    await hass.async_block_till_done()
    assert [call.data for call in off] == [{"entity_id": "switch.port_4"}]
    assert [call.data for call in on] == [{"entity_id": "switch.port_4"}]


@pytest.mark.parametrize(
    "failure", [HomeAssistantError("no reply"), TimeoutError("no reply")]
)
async def test_a_switch_that_fails(
    hass: HomeAssistant,
    server: MockConfigEntry,
    network: Network,
    *,
    failure: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(found, "OFF_SECONDS", 0)
    async_mock_service(hass, "switch", "turn_off", raise_exception=failure)
    on = async_mock_service(hass, "switch", "turn_on", raise_exception=failure)
    network.hears(announcement(MAC))
    page, _ = await added(hass, server, MAC, [])
    page = await submit_phone(hass, page, switch="switch.port_4")
    assert page["errors"] == {"switch": "switch_failed"}
    placeholders = page["description_placeholders"]
    assert placeholders is not None
    assert placeholders["error"] == "no reply"
    assert suggested(page) == {"switch": "switch.port_4"}
    await hass.async_block_till_done()
    # It may be off nevertheless.
    assert len(on) == 1
    assert "switch.port_4 may be off, it could not be turned on again: no reply" in (
        caplog.text
    )


async def test_a_dialogue_that_is_closed_while_the_switch_turns_off(
    hass: HomeAssistant,
    server: MockConfigEntry,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The switch turns on again, and nothing waits for the phone."""
    monkeypatch.setattr(found, "OFF_SECONDS", 0)
    turning_off, is_off = asyncio.Event(), asyncio.Event()

    async def turn_off(_: ServiceCall) -> None:
        turning_off.set()
        await is_off.wait()

    hass.services.async_register("switch", "turn_off", turn_off)
    on = async_mock_service(hass, "switch", "turn_on")
    network.hears(announcement(MAC))
    page, subentry = await added(hass, server, MAC, [])
    subentries = hass.config_entries.subentries
    submitted = asyncio.create_task(
        subentries.async_configure(page["flow_id"], {"switch": "switch.port_4"})
    )
    await turning_off.wait()
    subentries.async_abort(page["flow_id"])
    is_off.set()
    with pytest.raises(UnknownFlow):
        await submitted
    await hass.async_block_till_done()
    assert len(on) == 1
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert f"wait for {subentry.title}" not in names


async def test_the_power_is_on_when_home_assistant_stops(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """It does not wait for tasks, and the switch does not answer after that."""
    async_mock_service(hass, "switch", "turn_off")
    on = async_mock_service(hass, "switch", "turn_on")
    before_stop: list[int] = []
    hass.bus.async_listen_once(
        EVENT_HOMEASSISTANT_STOP, callback(lambda _: before_stop.append(len(on)))
    )
    network.hears(announcement(MAC))
    page, _ = await added(hass, server, MAC, [])
    await submit_phone(hass, page, switch="switch.port_4")
    assert on == []
    await hass.async_stop(force=True)
    assert before_stop == [1]


# What goes wrong


async def test_a_phone_that_does_not_fetch(
    hass: HomeAssistant,
    server: MockConfigEntry,
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(found, "WAIT", 0.01)
    network.hears(announcement(MAC))
    page, subentry = await added(hass, server, MAC, [])
    before = ways(page)
    page = await look(hass, (await submit_phone(hass, page))["flow_id"])
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "unfetched")
    assert page["menu_options"] == ["reach", "later"]
    configure = hass.config_entries.subentries.async_configure
    page = checked_phone(await configure(page["flow_id"], {"next_step_id": "reach"}))
    assert page["step_id"] == "reach"
    assert ways(page)[1] != before[1], "it has 15 minutes again"
    page = await look(hass, (await submit_phone(hass, page))["flow_id"])
    page = checked_phone(await configure(page["flow_id"], {"next_step_id": "later"}))
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "phone_added")
    assert subentry.subentry_id in server.subentries


async def test_a_reload_ends_the_wait(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """The server that runs then would not end it when the phone fetches."""
    network.hears(announcement(MAC))
    page, _ = await added(hass, server, MAC, [])
    page = await submit_phone(hass, page)
    assert page["step_id"] == "fetch"
    assert await hass.config_entries.async_reload(server.entry_id)
    page = await look(hass, page["flow_id"])
    assert page["step_id"] == "unfetched"


async def test_what_is_missing_is_said_at_once(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """That phones are not heard is no hindrance."""
    await server.runtime_data.hearing.close()
    assert offered(await choose_way(hass, server, "found")) == ["another"]
    await hass.config.async_update(internal_url="https://127.0.0.1:1")
    page = await choose_way(hass, server, "found")
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "no_settings_url")
    assert await hass.config_entries.async_unload(server.entry_id)
    page = await choose_way(hass, server, "found")
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "not_running")


async def test_a_phone_that_was_added_meanwhile_is_offered_no_more(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    network.hears(announcement(MAC))
    page = await choose_way(hass, server, "found")
    page = await submit_phone(hass, page, phone=MAC)
    update_phone(hass, server, mac=MAC)
    await hass.async_block_till_done()
    page = await submit_phone(hass, page)
    assert offered(page) == ["another"]


async def test_a_server_that_stops_meanwhile(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    network.hears(announcement(MAC))
    waiting = await choose_way(hass, server, "found")
    waiting = await submit_phone(hass, waiting, phone="another")
    page, _ = await added(hass, server, MAC, [])
    assert await hass.config_entries.async_unload(server.entry_id)
    waiting = await submit_phone(hass, waiting)
    assert (waiting["type"], waiting["reason"]) == (FlowResultType.ABORT, "not_running")
    page = await submit_phone(hass, page)
    assert page["step_id"] == "unfetched"
    page = checked_phone(
        await hass.config_entries.subentries.async_configure(
            page["flow_id"], {"next_step_id": "reach"}
        )
    )
    assert ways(page) == []


@pytest.mark.parametrize("way", ["reach", "later"])
async def test_a_server_that_is_removed_meanwhile(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, way: str
) -> None:
    """While the dialogue waits, and before its other pages."""
    network.hears(announcement(MAC))
    keys = await choose_way(hass, server, "found")
    keys = await submit_phone(hass, keys, phone="another")
    listed = await choose_way(hass, server, "found")
    page, _ = await added(hass, server, MAC, [])
    page = await submit_phone(hass, page)
    assert page["step_id"] == "fetch"
    await hass.config_entries.async_remove(server.entry_id)
    page = await look(hass, page["flow_id"])
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "unfetched")
    page = checked_phone(
        await hass.config_entries.subentries.async_configure(
            page["flow_id"], {"next_step_id": way}
        )
    )
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "not_running")
    keys = await submit_phone(hass, keys)
    assert (keys["type"], keys["reason"]) == (FlowResultType.ABORT, "not_running")
    listed = await submit_phone(hass, listed, phone="another")
    listed = await submit_phone(hass, listed)
    assert (listed["type"], listed["reason"]) == (FlowResultType.ABORT, "not_running")


async def test_no_link_leads_out_of_the_networks(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """A DHCP request can ask for any address, and the link has the secret in it."""
    info = DhcpServiceInfo(ip="203.0.113.7", hostname="snom", macaddress=CARD.lower())
    await hass.config_entries.flow.async_init(
        "snom_buttons", context={"source": SOURCE_DHCP}, data=info
    )
    await hass.async_block_till_done()
    page, subentry = await added(hass, server, CARD, ENTITIES[:1])
    [typed] = ways(page)
    assert typed.endswith(f"/{subentry.data['token']}/")
