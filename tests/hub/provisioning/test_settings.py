"""Phones fetch their settings files by HTTP, and hear of changes."""

import logging
from unittest.mock import patch
from xml.etree import ElementTree as ET

from aiohttp import web_request
from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.hub.provisioning import view
from custom_components.snom_buttons.hub.provisioning.refresh import SETTLE_SECONDS
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support.entries import (
    PASSWORD,
    TOKEN,
    Phones,
    line_subentry,
    phone_subentry,
    update_phone,
)
from tests.support.schema import is_settings_file

PATH = f"/api/snom_buttons/settings/{TOKEN}"
MAC = "000413A1B2C3"
AGENT = f"Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12 {MAC} SXM:0 UXM:0)"


@pytest.fixture
async def server(hass: HomeAssistant, config_entry: MockConfigEntry) -> MockConfigEntry:
    """Return the entry, set up in a Home Assistant with its web server."""
    assert await async_setup_component(hass, "http", {})
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    return config_entry


@pytest.fixture
async def web(
    hass: HomeAssistant,
    server: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> TestClient:
    """Return a client without a log-in."""
    update_phone(hass, server, "45", token="AnotherRand0mTokenOf22")
    await hass.async_block_till_done()
    return await hass_client_no_auth()


async def fetched(web: TestClient, name: str = "", agent: str = AGENT) -> ET.Element:
    """Return the settings that a phone fetches."""
    response = await web.get(f"{PATH}/{name}", headers={"User-Agent": agent})
    assert response.status == 200
    assert response.content_type == "application/xml"
    file = await response.read()
    assert is_settings_file(file)
    return ET.fromstring(file)


@pytest.mark.parametrize(
    "name", ["", f"{MAC}.xml", "snomD785.htm", f"snomD785-{MAC}.htm"]
)
async def test_a_phone_fetches_its_settings(web: TestClient, name: str) -> None:
    root = await fetched(web, name)
    settings = {it.tag: it.text for it in root[0]}
    assert settings["user_name"] == "44"
    assert settings["user_pass"] == PASSWORD
    assert settings["user_realname"] == "Phone 44"
    assert [(it.get("label"), it.text) for it in root[1]] == [
        ("Key 1", "button 1"),
        ("Key 2", "button 2"),
        ("Alarm", "button 3"),
        ("Key 4", "button 4"),
    ]


async def test_a_path_without_a_slash_is_the_same(web: TestClient) -> None:
    response = await web.get(PATH, headers={"User-Agent": AGENT})
    assert response.status == 200


@pytest.mark.parametrize(
    ("path", "agent"),
    [
        ("/api/snom_buttons/settings/", AGENT),
        ("/api/snom_buttons/settings/x/", AGENT),
        (f"/api/snom_buttons/settings/{TOKEN[:-1]}/", AGENT),
        (f"/api/snom_buttons/settings/{TOKEN}é/", AGENT),
        (f"{PATH}/other.xml", AGENT),
        (f"{PATH}/..%2fsecrets", AGENT),
        (f"{PATH}/000413000000.xml", AGENT),
    ],
)
async def test_all_else_is_not_found(web: TestClient, path: str, agent: str) -> None:
    response = await web.get(path, headers={"User-Agent": agent})
    # Home Assistant itself refuses a path that climbs.
    assert response.status == (400 if ".." in path else 404)
    assert PASSWORD not in await response.text()


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_other_methods_find_nothing(web: TestClient, method: str) -> None:
    for path in (f"{PATH}/", "/api/snom_buttons/settings/x/"):
        response = await web.request(method, path, headers={"User-Agent": AGENT})
        assert response.status == 404


async def test_a_wrong_token_is_answered_as_an_unknown_path_and_counted(
    server: MockConfigEntry, web: TestClient
) -> None:
    """So that it does not even show whether there is such an integration."""
    answers = []
    for path in ("settings/x/", f"settings/{'é' * 3000}/", "unknown/x/"):
        response = await web.get(f"/api/snom_buttons/{path}")
        headers = {k: v for k, v in response.headers.items() if k != "Date"}
        answers.append((response.status, headers, await response.text()))
    assert answers[0] == answers[1] == answers[2]
    await fetched(web)  # which is not counted
    assert server.runtime_data.provisioning.files.refused == 2


async def test_nothing_is_fetched_through_the_cloud(web: TestClient) -> None:
    """Its requests come from the internet, with an address of Home Assistant itself."""
    with patch.object(view, "is_cloud_connection", return_value=True):
        response = await web.get(f"{PATH}/", headers={"User-Agent": AGENT})
    assert response.status == 404


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("::ffff:192.168.1.3", 200),
        ("fe80::1%eth0", 200),
        ("::ffff:203.0.113.7", 404),
        ("2001:db8::1", 404),
        ("", 404),
    ],
)
async def test_a_source_is_compared_in_each_form(
    web: TestClient, source: str, status: int
) -> None:
    with patch.object(web_request.BaseRequest, "remote", source):
        response = await web.get(f"{PATH}/", headers={"User-Agent": AGENT})
    assert response.status == status


async def test_labels_cannot_add_settings(
    hass: HomeAssistant, server: MockConfigEntry, web: TestClient
) -> None:
    label = '"/></fkey><x>]]><!--&amp;&x;\x00\uffff\U0001f600'
    keys = list(server.subentries["subentry_44"].data["keys"])
    keys[0] = {**keys[0], "name": label}
    update_phone(hass, server, keys=keys)
    await hass.async_block_till_done()
    root = await fetched(web)
    assert root[1][0].get("label") == label.replace("\x00", "").replace("\uffff", "")
    assert [it.tag for it in root] == ["phone-settings", "functionKeys"]


async def test_a_phone_without_a_token_has_no_file(
    hass: HomeAssistant,
    server: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    update_phone(hass, server, token="")
    await hass.async_block_till_done()
    web = await hass_client_no_auth()
    for path in ("/api/snom_buttons/settings//", "/api/snom_buttons/settings/%20/"):
        assert (await web.get(path)).status == 404


async def test_a_phone_that_does_not_register_has_no_file(
    hass: HomeAssistant, server: MockConfigEntry, web: TestClient
) -> None:
    """The file would make it register, in place of its telephone system."""
    await fetched(web)
    update_phone(hass, server, address="127.0.0.1:5066")
    await hass.async_block_till_done()
    assert (await web.get(f"{PATH}/", headers={"User-Agent": AGENT})).status == 404


async def test_a_phone_that_is_removed_has_no_file(
    hass: HomeAssistant, server: MockConfigEntry, web: TestClient
) -> None:
    await fetched(web)
    hass.config_entries.async_remove_subentry(server, "subentry_44")
    await hass.async_block_till_done()
    assert (await web.get(f"{PATH}/", headers={"User-Agent": AGENT})).status == 404


async def test_the_first_hardware_address_is_kept_and_another_gets_nothing(
    hass: HomeAssistant, server: MockConfigEntry, web: TestClient
) -> None:
    await fetched(web)
    assert server.subentries["subentry_44"].data["mac"] == MAC
    other = AGENT.replace(MAC, "000413FFFFFF")
    response = await web.get(f"{PATH}/", headers={"User-Agent": other})
    assert response.status == 404


async def test_a_hardware_address_is_that_of_the_phone_that_was_fetched_last(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The user has entered the Setting URL of another phone, also of another server."""
    away = MockConfigEntry(
        domain="snom_buttons",
        data={**server.data, "port": 1},
        subentries_data=[phone_subentry("44", mac=MAC), line_subentry(keys=[])],
    )
    away.add_to_hass(hass)
    headers = {"User-Agent": AGENT}

    async def owners(token: str) -> list[str]:
        path = f"/api/snom_buttons/settings/{token}/"
        assert (await web.get(path, headers=headers)).status == 200
        await hass.async_block_till_done()
        return [
            f"{entry.title} {subentry.unique_id}"
            for entry in (server, away)
            for subentry in entry.subentries.values()
            if subentry.data.get("mac") == MAC
        ]

    assert await owners(TOKEN) == [f"{server.title} 44"]
    assert f"{MAC} is that of phone 44 now, and no more of 44" in caplog.text
    assert await owners("AnotherRand0mTokenOf22") == [f"{server.title} 45"]
    assert f"{MAC} is that of phone 45 now, and no more of 44" in caplog.text
    # Phone 44 has none now, so that other hardware can be set up with its URL.
    other = {"User-Agent": AGENT.replace(MAC, "000413FFFFFF")}
    assert (await web.get(f"{PATH}/", headers=other)).status == 200
    assert server.subentries["subentry_44"].data["mac"] == "000413FFFFFF"
    assert server.subentries["subentry_45"].data["mac"] == MAC


async def test_two_phones_with_one_hardware_address_become_one(
    hass: HomeAssistant, server: MockConfigEntry, web: TestClient
) -> None:
    """As a version before may have stored it."""
    for number in ("44", "45"):
        update_phone(hass, server, number, mac=MAC)
    await hass.async_block_till_done()
    await fetched(web)
    await hass.async_block_till_done()
    assert server.subentries["subentry_44"].data["mac"] == MAC
    assert "mac" not in server.subentries["subentry_45"].data


async def test_a_source_outside_of_the_networks_gets_nothing(
    hass: HomeAssistant, server: MockConfigEntry, web: TestClient
) -> None:
    data = {**server.data, "access": {"networks": ["192.0.2.0/24"], "keepalive": 60}}
    hass.config_entries.async_update_entry(server, data=data)
    await hass.async_block_till_done(wait_background_tasks=True)
    response = await web.get(f"{PATH}/", headers={"User-Agent": AGENT})
    assert response.status == 404


async def test_a_fetch_is_logged_without_its_secrets(
    web: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.snom_buttons")
    await fetched(web)
    logged = "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.snom_buttons")
    )
    assert f"Phone 44 fetches its settings: D785, {MAC}, from 127.0.0.1" in logged
    assert TOKEN not in logged
    assert PASSWORD not in logged


async def test_a_phone_hears_of_a_change_once_after_a_burst(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    web: TestClient,
    freezer: FrozenDateTimeFactory,
) -> None:
    phone = await phones()
    await fetched(web)
    await hass.async_block_till_done()
    for name in ("One", "Two", "Three"):
        keys = list(server.subentries["subentry_44"].data["keys"])
        keys[0] = {**keys[0], "name": name}
        update_phone(hass, server, keys=keys)
        await hass.async_block_till_done()
        freezer.tick(SETTLE_SECONDS - 1)
        async_fire_time_changed(hass)
    freezer.tick(1)
    async_fire_time_changed(hass)
    await phone.until(lambda: bool(phone.notices))
    assert [it.get("Event") for it in phone.notices] == ["check-sync;reboot=false"]
    root = await fetched(web)
    assert root[1][0].get("label") == "Three"


async def test_a_look_in_a_browser_is_no_fetch_of_the_phone(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    web: TestClient,
    freezer: FrozenDateTimeFactory,
) -> None:
    phone = await phones()
    await fetched(web)
    await hass.async_block_till_done()
    keys = list(server.subentries["subentry_44"].data["keys"])
    update_phone(hass, server, keys=[keys[0] | {"name": "One"}, *keys[1:]])
    await hass.async_block_till_done()
    await fetched(web, agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0")
    freezer.tick(SETTLE_SECONDS)
    async_fire_time_changed(hass)
    await phone.until(lambda: bool(phone.notices))
