"""A Home Assistant whose own web server has HTTPS alone, as a phone does not trust it."""

from pathlib import Path

from aiohttp import ClientSession, ClientTimeout
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.hub.provisioning.profiles import async_settings_url
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support import plugging
from tests.support.certificates import make_certificate
from tests.support.entries import TOKEN, update_phone
from tests.support.flows import (
    TEXTS,
    choose_way,
    start_phone,
    submit_account,
    submit_phone,
)
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST, free_port
from virtual_phone import FactoryPhone

PATH = f"/api/snom_buttons/settings/{TOKEN}"
MAC = "000413A1B2C3"


@pytest.fixture
def disable_http_server() -> None:
    """Override the fixture of the plugin that keeps the web server closed."""


@pytest.fixture
async def https_port(
    hass: HomeAssistant, tmp_path: Path, port: int, settings_port: int
) -> int:
    """Return the port of the web server of Home Assistant."""
    while (own := free_port()) in (port, settings_port):
        pass
    certificate, key = make_certificate(tmp_path)
    config = {
        "server_host": [LOCALHOST],
        "server_port": own,
        "ssl_certificate": str(certificate),
        "ssl_key": str(key),
    }
    assert await async_setup_component(hass, "http", {"http": config})
    await hass.http.start()
    return own


async def test_a_phone_sets_itself_up_from_a_port_of_the_server(
    hass: HomeAssistant,
    https_port: int,
    config_entry: MockConfigEntry,
    settings_port: int,
) -> None:
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    hub = config_entry.runtime_data
    assert async_settings_url(hass, hub.settings, TOKEN) is None
    access = {"access": {"settings_port": settings_port}}
    hass.config_entries.async_update_entry(
        config_entry, data=config_entry.data | access
    )
    update_phone(hass, config_entry, "45", token="AnotherRand0mTokenOf22")
    await hass.async_block_till_done(wait_background_tasks=True)
    hub = config_entry.runtime_data
    url = async_settings_url(hass, hub.settings, TOKEN)
    assert url == f"http://{LOCALHOST}:{settings_port}{PATH}/"

    async with ClientSession(timeout=ClientTimeout(PATIENCE)) as client:
        secure = f"https://{LOCALHOST}:{https_port}{PATH}/"
        async with client.get(secure, ssl=False) as response:
            assert response.status == 200
            by_https = await response.read()
        async with client.get(url) as response:
            assert response.status == 200
            assert response.content_type == "application/xml"
            assert await response.read() == by_https

    phone = FactoryPhone("D785", MAC)
    phone.change("setting_server", url)
    async with phone:
        await phone.wait_for(lambda it: it.registered, PATIENCE)
        assert phone.user == "44"
        assert list(phone.keys) == ["1", "2", "3", "4"]
        assert phone.settings["setting_server"] == url
    assert config_entry.subentries["subentry_44"].data["mac"] == MAC


@pytest.mark.usefixtures("https_port")
async def test_the_dialogues_say_which_port_to_enter(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    form = await start_phone(hass, config_entry)
    keys = await submit_account(hass, form, model="D735")
    page = await submit_phone(hass, keys)
    assert page["description_placeholders"] is not None
    said = page["description_placeholders"]["by_itself"]
    assert "*Port for settings files*, for example 8124" in said
    config_entry.runtime_data.hearing.is_open = True
    result = await choose_way(hass, config_entry, "plug_in")
    assert result["reason"] == "no_settings_url"
    reason = TEXTS["config_subentries"]["phone"]["abort"]["no_settings_url"]
    assert "*Port for settings files*, for example 8124" in reason


@pytest.mark.usefixtures("https_port")
async def test_an_announcement_is_answered_with_the_port_of_the_server(
    hass: HomeAssistant, config_entry: MockConfigEntry, settings_port: int
) -> None:
    access = {"access": {"settings_port": settings_port}}
    hass.config_entries.async_update_entry(
        config_entry, data=config_entry.data | access
    )
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    update_phone(hass, config_entry, mac=plugging.MAC)
    update_phone(hass, config_entry, "45", token="AnotherRand0mTokenOf22")
    await hass.async_block_till_done()
    network = plugging.Network(config_entry)
    network.hears(plugging.announcement())
    await hass.async_block_till_done()
    [(_, url)] = network.urls
    assert url.startswith(f"http://{LOCALHOST}:{settings_port}/api/snom_buttons/")
    async with (
        ClientSession(timeout=ClientTimeout(PATIENCE)) as client,
        client.get(url) as response,
    ):
        assert response.status == 200
        assert f"{LOCALHOST}:{settings_port}{PATH}/" in await response.text()
