"""What a phone is set to besides its account and its keys: the page, and what follows."""

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

from aiohttp.test_utils import TestClient
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.flows.account import PASSWORD as PASSWORD_PATTERN
from custom_components.snom_buttons.hub.provisioning.refresh import SETTLE_SECONDS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.util.dt import utcnow
from snom_buttons.keywords import LAMP_SETTINGS
from tests.support.entries import (
    PASSWORD,
    TOKEN,
    add_phone,
    line_subentry,
    update_phone,
)
from tests.support.flows import (
    TEXTS,
    reconfigure_phone,
    submit_account,
    submit_phone,
    suggested,
)
from tests.support.patience import PATIENCE
from tests.support.plugging import MAC, Network, announcement
from virtual_phone import FactoryPhone
from virtual_phone.settings import Settings, read_settings_file

USUAL = {"beside": False, "lamps": False, "web_password": False}
PATH = f"/api/snom_buttons/settings/{TOKEN}/"


@pytest.fixture
async def web(
    hass: HomeAssistant,
    hearing_server: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> TestClient:
    update_phone(hass, hearing_server, "45", token="AnotherRand0mTokenOf22")
    await hass.async_block_till_done()
    return await hass_client_no_auth()


async def fetched(web: TestClient) -> tuple[dict[Any, str | None], list[ET.Element]]:
    """Return the settings of phone 44 by name and identity, and its keys."""
    response = await web.get(PATH)
    assert response.status == 200
    phone, keys = ET.fromstring(await response.read())
    return {(it.tag, it.get("idx")): it.text for it in phone}, list(keys)


def stored(entry: MockConfigEntry) -> Any:
    return entry.subentries["subentry_44"].data.get("provisioning")


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, *pages: str, **changes: Any
) -> dict[str, Any]:
    """Change the settings, through these pages; return the placeholders of the last."""
    result = await reconfigure_phone(hass, entry, "settings")
    result = await submit_phone(hass, result, **changes)
    placeholders: dict[str, Any] = {}
    for page in pages:
        assert result["type"] is FlowResultType.FORM
        assert (result["step_id"], result["last_step"]) == (page, True)
        placeholders = dict(result["description_placeholders"] or {})
        result = await submit_phone(hass, result)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    return placeholders


async def test_nothing_changes_without_a_change(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    before = config_entry.subentries["subentry_44"].data
    result = await reconfigure_phone(hass, config_entry, "settings")
    assert suggested(result) == USUAL
    await change(hass, config_entry)
    assert config_entry.subentries["subentry_44"].data == before


async def test_lamps_are_set_only_where_that_is_switched_on(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    settings, _ = await fetched(web)
    assert not [name for name, _ in settings if name.startswith("led_")]
    await change(hass, hearing_server, lamps=True)
    assert stored(hearing_server) == {"lamps": True}
    settings, _ = await fetched(web)
    assert sorted(name for name, _ in settings if name.startswith("led_")) == [
        "led_blink_fast",
        "led_blink_medium",
        "led_blink_slow",
        "led_on",
    ]
    await change(hass, hearing_server, lamps=False)
    assert stored(hearing_server) is None


async def test_a_phone_is_asked_to_fetch_what_was_changed(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    """It blinks by its new settings then."""
    phone = FactoryPhone("D785", MAC)
    phone.change("setting_server", str(web.make_url(PATH)))
    async with phone:
        await phone.wait_for(lambda it: it.registered, PATIENCE)
        assert phone.lamps == {}
        await change(hass, hearing_server, lamps=True)
        await hass.async_block_till_done(wait_background_tasks=True)
        async_fire_time_changed(hass, utcnow() + timedelta(seconds=SETTLE_SECONDS))
        await phone.wait_for(lambda it: bool(it.lamps), PATIENCE)
        assert phone.lamps.keys() == set(LAMP_SETTINGS)
        phone._identity.registered_until = None  # spares the answer to its good-bye


async def test_the_keys_of_a_module_of_a_d385_are_after_its_gap(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    result = await reconfigure_phone(hass, hearing_server)
    result = await submit_account(
        hass, result, model="D385", expansion="1x D3", key_count=None
    )
    page = await submit_phone(hass, result)
    await submit_phone(hass, page)
    await hass.async_block_till_done()
    _, keys = await fetched(web)
    indexes = [*range(48), *range(174, 174 + 18)]
    assert [int(key.get("idx", "")) for key in keys] == indexes
    rows = page["description_placeholders"]["keys"].splitlines()
    assert [int(row.split("**")[1][1:]) - 1 for row in rows] == indexes


async def test_the_password_of_the_web_page_is_made_once_and_shown_again(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    first = await change(hass, hearing_server, "web_password", web_password=True)
    assert first["user"] == "admin"
    assert PASSWORD_PATTERN.fullmatch(first["password"])
    assert first["password"] != PASSWORD
    settings, _ = await fetched(web)
    assert settings["http_user", None] == "admin"
    assert settings["http_pass", None] == first["password"]

    result = await reconfigure_phone(hass, hearing_server, "settings")
    assert suggested(result) == USUAL | {"web_password": True}
    assert first["password"] not in str(result)
    again = await change(hass, hearing_server, "web_password")
    assert again == first

    # The phone keeps it, so it is shown before it is forgotten.
    last = await change(hass, hearing_server, "web_password_stays", web_password=False)
    assert last == first
    assert stored(hearing_server) is None
    settings, _ = await fetched(web)
    assert ("http_pass", None) not in settings
    new = await change(hass, hearing_server, "web_password", web_password=True)
    assert new["password"] != first["password"]


async def test_the_password_of_the_web_page_is_shown_before_a_telephone_system_takes_over(
    hass: HomeAssistant, hearing_server: MockConfigEntry
) -> None:
    """The phone keeps it then, too."""
    first = await change(hass, hearing_server, "web_password", web_password=True)
    result = await reconfigure_phone(hass, hearing_server, "settings")
    result = await submit_phone(hass, result, web_password=False, beside=True)
    assert (result["step_id"], result["last_step"]) == ("web_password_stays", False)
    assert dict(result["description_placeholders"] or {}) == first
    result = await submit_phone(hass, result)
    assert (result["step_id"], result["last_step"]) == ("beside", True)
    await submit_phone(hass, result)
    await hass.async_block_till_done()
    assert stored(hearing_server) == {"beside": True}


async def test_there_is_nothing_to_enter_in_a_phone_that_fetches_its_settings(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    async def by_itself() -> str:
        result = await reconfigure_phone(hass, hearing_server)
        result = await submit_account(hass, result)
        page = await submit_phone(hass, result)
        return (page["description_placeholders"] or {})["by_itself"]

    before = await by_itself()
    assert f"{PATH}`" in before
    await fetched(web)  # as a browser
    assert await by_itself() == before
    agent = {"User-Agent": "Mozilla/4.0 (compatible; snomD785-SIP 10.1.198.12)"}
    await web.get(PATH, headers=agent)
    after = await by_itself()
    assert after == f"{TEXTS['common']['has_fetched']}\n\n{before}"


async def test_beside_a_telephone_system(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    page = await change(hass, hearing_server, "beside", beside=True)
    assert stored(hearing_server) == {"beside": True}
    assert page["identity"] == "2"
    assert f"{PATH}`" in page["by_itself"]
    assert "Setting URL" in page["by_itself"]  # not to be entered as such
    assert "setting_server" not in page["others"]

    settings, keys = await fetched(web)
    assert {identity for _, identity in settings} == {"2"}
    assert {key.get("context") for key in keys} == {"2"}
    assert [key.get("idx") for key in keys] == ["0", "1", "2"], "the fourth is not used"
    assert page["keys"].count("\n- **P") == 2

    # A phone of a telephone system takes it, and keeps what is the system's.
    phone = Settings()
    system = b"""<settings><phone-settings e="2">
        <user_name idx="1" perm="">201</user_name>
        <user_host idx="1" perm="">192.0.2.5</user_host>
        <setting_server perm="">http://192.0.2.5/201.xml</setting_server>
    </phone-settings><functionKeys e="2">
        <fkey idx="3" context="1" label="Line" perm="">line</fkey>
    </functionKeys></settings>"""
    phone.apply(read_settings_file(system))
    file = read_settings_file(await (await web.get(PATH)).read())
    assert file.ignored == []
    phone.apply(file)
    assert list(phone.identities) == [1, 2]
    assert phone["user_name", 1] == "201"
    assert phone["user_name", 2] == "44"
    assert phone["setting_server"] == "http://192.0.2.5/201.xml"
    assert phone["prov_polling_enabled"] == ""
    assert phone.keys[0].context == "2"
    assert (phone.keys[3].context, phone.keys[3].value) == ("1", "line")

    # The last page of the account is the same.
    result = await submit_account(hass, await reconfigure_phone(hass, hearing_server))
    result = await submit_phone(hass, result)
    assert result["step_id"] == "beside"
    assert result["description_placeholders"] == page
    await submit_phone(hass, result)
    assert stored(hearing_server) == {"beside": True}


AGENT = {"User-Agent": "Mozilla/4.0 (compatible; snomD785-SIP 10.1.198.12)"}


async def fetched_by(phone: Settings, web: TestClient) -> dict[Any, str | None]:
    """Let a phone fetch and take its file; return the settings in it."""
    response = await web.get(PATH, headers=AGENT)
    file = await response.read()
    phone.apply(read_settings_file(file))
    [settings, _] = ET.fromstring(file)
    return {(it.tag, it.get("idx")): it.text for it in settings}


@pytest.mark.parametrize("reload", [False, True])
async def test_a_phone_that_was_ours_is_given_back_by_its_next_fetch(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient, reload: bool
) -> None:
    """Once: what the telephone system sets after that is not touched."""
    phone = Settings()
    await fetched_by(phone, web)
    assert phone["user_active", 1] == "on"
    assert phone["setting_server"].endswith(PATH)
    page = await change(hass, hearing_server, "beside", beside=True)
    assert page["by_itself"].startswith(TEXTS["common"]["was_whole"])
    assert "Identity 1" in page["by_itself"]
    if reload:
        assert await hass.config_entries.async_reload(hearing_server.entry_id)
        await hass.async_block_till_done()
    by_hand, _ = await fetched(web)  # as a browser: that file may be loaded any time
    assert ("user_active", "1") not in by_hand
    assert ("setting_server", None) not in by_hand

    refresher = hearing_server.runtime_data.provisioning.refresher
    assert refresher.async_has_fetched("subentry_44"), "it is asked to fetch"
    await fetched_by(phone, web)
    assert (phone["user_active", 1], phone["user_active", 2]) == ("off", "on")
    assert phone["setting_server"] == ""
    assert phone["prov_polling_enabled"] == "off"
    # It would fetch from the telephone system, which may undo what we have set.
    assert not refresher.async_has_fetched("subentry_44")
    again = await fetched_by(phone, web)
    assert {identity for _, identity in again} == {"2"}
    page = await change(hass, hearing_server, "beside")
    assert TEXTS["common"]["was_whole"] not in page["by_itself"]


async def test_a_phone_that_was_ours_registers_with_its_other_identity(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    """Over real HTTP and SIP: it is asked to fetch, and nothing is typed."""
    phone = FactoryPhone("D785", MAC)
    phone.change("setting_server", str(web.make_url(PATH)))
    async with phone:
        await phone.wait_for(lambda it: it.registered, PATIENCE)
        await change(hass, hearing_server, "beside", beside=True)
        await hass.async_block_till_done(wait_background_tasks=True)
        async_fire_time_changed(hass, utcnow() + timedelta(seconds=SETTLE_SECONDS))
        await phone.wait_for(lambda it: it.settings["setting_server"] == "", PATIENCE)
        await phone.wait_for(lambda it: it.registered, PATIENCE)
        assert phone.settings["user_active", 1] == "off"
        assert phone.settings["user_active", 2] == "on"
        phone._identity.registered_until = None  # spares the answer to its good-bye


async def test_a_phone_that_was_ours_keeps_the_identity_that_is_still_used(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    phone = Settings()
    await fetched_by(phone, web)
    page = await change(hass, hearing_server, "beside", beside=True, identity=1)
    assert TEXTS["common"]["was_whole"] in page["by_itself"]
    assert "Identity 1" not in page["by_itself"]
    await fetched_by(phone, web)
    assert (phone["user_active", 1], phone["setting_server"]) == ("on", "")


async def test_the_identity_that_was_used_before_is_switched_off(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    phone = Settings()
    await fetched_by(phone, web)
    await change(hass, hearing_server, identity=3)
    await fetched_by(phone, web)
    assert (phone["user_active", 1], phone["user_active", 3]) == ("off", "on")
    assert phone["setting_server"].endswith(PATH)
    assert ("user_active", "1") not in await fetched_by(phone, web)
    await change(hass, hearing_server, identity=None)
    await fetched_by(phone, web)
    assert (phone["user_active", 1], phone["user_active", 3]) == ("on", "off")


async def test_the_page_beside_a_telephone_system_without_a_file_to_fetch(
    hass: HomeAssistant, hearing_server: MockConfigEntry
) -> None:
    await hass.config.async_update(internal_url="https://127.0.0.1:1")
    page = await change(hass, hearing_server, "beside", beside=True)
    assert page["by_itself"] == ""
    assert page["identity"] == "2"


async def test_the_page_beside_a_telephone_system_while_the_server_is_off(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    await fetched_by(Settings(), web)
    assert await hass.config_entries.async_unload(hearing_server.entry_id)
    page = await change(hass, hearing_server, "beside", beside=True)
    assert TEXTS["common"]["was_whole"] not in page["by_itself"]


async def test_beside_a_telephone_system_the_key_of_a_line_is_used(
    hass: HomeAssistant, hearing_server: MockConfigEntry, web: TestClient
) -> None:
    keys = [
        {"phone": "subentry_44", "key": "4"},
        {"phone": "subentry_45", "key": "4"},
    ]
    add_phone(hass, hearing_server, line_subentry(keys=keys))
    await hass.async_block_till_done()
    page = await change(hass, hearing_server, "beside", beside=True)
    _, in_file = await fetched(web)
    assert [key.get("idx") for key in in_file] == ["0", "1", "2", "3"]
    assert page["keys"].count("- **P") == 4


async def test_beside_a_telephone_system_the_phone_is_not_answered(
    hass: HomeAssistant, hearing_server: MockConfigEntry, network: Network
) -> None:
    update_phone(hass, hearing_server, mac=MAC)
    await hass.async_block_till_done()
    network.hears(announcement(MAC))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(network.urls) == 1
    await change(hass, hearing_server, "beside", beside=True)
    network.hears(announcement(MAC), "192.168.1.71")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(network.urls) == 1


@pytest.mark.parametrize(
    ("changes", "identity"),
    [
        ({"identity": 3}, "3"),
        ({"identity": 4, "beside": True}, "4"),
        ({"beside": True}, "2"),
        ({}, "1"),
    ],
)
async def test_the_identity_is_chosen(
    hass: HomeAssistant,
    hearing_server: MockConfigEntry,
    web: TestClient,
    changes: dict[str, Any],
    identity: str,
) -> None:
    pages = ["beside"] if "beside" in changes else []
    await change(hass, hearing_server, *pages, **changes)
    settings, keys = await fetched(web)
    assert settings["user_name", identity] == "44"
    assert {key.get("context") for key in keys} == {identity}


@pytest.mark.parametrize("number", [0, 13])
async def test_there_are_twelve_identities(
    hass: HomeAssistant, config_entry: MockConfigEntry, number: int
) -> None:
    result = await reconfigure_phone(hass, config_entry, "settings")
    with pytest.raises(InvalidData):
        await submit_phone(hass, result, identity=number)


@pytest.mark.parametrize(
    ("data", "changes", "errors"),
    [
        (
            {},
            {"beside": True, "lamps": True, "web_password": True},
            {"lamps": "not_beside", "web_password": "not_beside"},
        ),
        (
            {"address": "192.168.1.9"},
            {"lamps": True, "web_password": True},
            {"lamps": "not_fetched", "web_password": "not_fetched"},
        ),
    ],
)
async def test_what_cannot_be_set_is_refused(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    data: dict[str, Any],
    changes: dict[str, Any],
    errors: dict[str, str],
) -> None:
    update_phone(hass, config_entry, **data)
    result = await reconfigure_phone(hass, config_entry, "settings")
    result = await submit_phone(hass, result, **changes)
    assert result["errors"] == errors
    assert suggested(result) == USUAL | changes
    assert stored(config_entry) is None
