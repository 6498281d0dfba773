"""The settings file of a phone whose keys are BLF, and when its keys become BLF."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

from aiohttp.test_utils import TestClient
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.hub.provisioning.refresh import SETTLE_SECONDS
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.dt import utcnow
from tests.support.entries import TOKEN, Phones, update_phone
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone
from tests.support.schema import is_settings_file
from virtual_phone import FactoryPhone
from virtual_phone.maker import SNOM

PATH = f"/api/snom_buttons/settings/{TOKEN}/"
MAC = "000413A1B2C3"
AGENT = {
    "User-Agent": f"Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12 {MAC})"
}
BUTTONS = ["button 1", "button 2", "button 3", "button 4"]


@pytest.fixture
async def server(hass: HomeAssistant, config_entry: MockConfigEntry) -> MockConfigEntry:
    assert await async_setup_component(hass, "http", {})
    await hass.config.async_update(internal_url="http://192.168.1.2:8123")
    update_phone(hass, config_entry, "45", token="AnotherRand0mTokenOf22")
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    return config_entry


@pytest.fixture
async def web(
    server: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> TestClient:
    return await hass_client_no_auth()


@pytest.fixture
async def old_snom(hass: HomeAssistant, web: TestClient) -> AsyncIterator[FactoryPhone]:
    """Return a phone whose firmware knows no documents, and that fetches its settings."""
    phone = FactoryPhone("D785", MAC)
    phone.hardware = replace(phone.hardware, maker=replace(SNOM, takes_documents=False))
    await hass.config.async_update(internal_url=f"http://127.0.0.1:{web.port}")
    phone.change("setting_server", str(web.make_url(PATH)))
    async with phone:
        yield phone
        phone._identity.registered_until = None  # spares the answer to its good-bye


async def values(web: TestClient) -> list[str | None]:
    """Return the values of the keys in the file of phone 44, as it fetches that."""
    response = await web.get(PATH, headers=AGENT)
    file = await response.read()
    assert is_settings_file(file)
    return [key.text for key in ET.fromstring(file)[1]]


def blf(port: int) -> list[str]:
    return [f"blf sip:{key}@127.0.0.1:{port}" for key in range(1, 5)]


async def until_it_needs_blf(server: MockConfigEntry) -> None:
    phone = server.runtime_data.phones["44"].phone
    news = asyncio.Event()
    unsubscribe = phone.status.subscribe(lambda _: news.set())
    async with asyncio.timeout(PATIENCE):
        while not phone.needs_blf:
            news.clear()
            await news.wait()
    unsubscribe()


async def refusing(phones: Phones, server: MockConfigEntry) -> RawPhone:
    """Return a registered phone that has refused a document."""
    phone: RawPhone = await phones()
    phone.document_answer = 415
    phone.user_agent = "snomD785/8.7.5.17"
    await phone.register()
    await until_it_needs_blf(server)
    return phone


async def settle(hass: HomeAssistant) -> None:
    """Wait until phones are asked after a change."""
    await hass.async_block_till_done(wait_background_tasks=True)
    async_fire_time_changed(hass, utcnow() + timedelta(seconds=SETTLE_SECONDS))


@pytest.mark.parametrize("speakers", ["automatic", "buttons", "blf", "both"])
async def test_the_user_chooses_the_type_of_the_keys(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    port: int,
    speakers: str,
) -> None:
    assert await values(web) == BUTTONS
    update_phone(hass, server, sending={"speakers": speakers})
    await hass.async_block_till_done()
    assert await values(web) == (blf(port) if speakers == "blf" else BUTTONS)


async def test_an_old_snom_gets_blf_keys_by_itself_and_its_lamps_follow(
    hass: HomeAssistant, server: MockConfigEntry, old_snom: FactoryPhone
) -> None:
    await old_snom.wait_for(lambda it: it.registered, PATIENCE)
    await old_snom.wait_for(lambda it: "1" in it.keys, PATIENCE)
    await until_it_needs_blf(server)
    await settle(hass)
    await old_snom.wait_for(lambda it: it.subscribed == {"1", "2", "3", "4"}, PATIENCE)
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    await old_snom.wait_for(lambda it: it.keys["1"].light == "on", PATIENCE)


async def test_another_contact_that_refuses_documents_changes_no_keys(
    server: MockConfigEntry, web: TestClient, phones: Phones, port: int
) -> None:
    """Such as a program with the account of the phone."""
    desk = await phones(user_agent="snomD785/10.1.198.12")
    await desk.shows("4")
    app = await phones()
    app.document_answer = 415
    app.user_agent = "baresip v1.0.0"
    await app.register()
    await until_it_needs_blf(server)
    assert await values(web) == BUTTONS
    await desk.unregister()
    await app.register()
    assert await values(web) == blf(port)


async def test_the_type_stays_while_the_phone_is_off_and_over_a_restart(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    phones: Phones,
    port: int,
) -> None:
    phone = await refusing(phones, server)
    assert await values(web) == blf(port)
    await phone.unregister()
    assert await values(web) == blf(port)
    assert await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    assert await values(web) == blf(port)
    # It registers and is not asked again, though it would take a document.
    phone.document_answer = None
    phone.requests.clear()
    await phone.register()
    assert (await phone.subscribe("1")).status == 200
    await phone.until(lambda: bool(phone.notices))
    assert phone.requests == []
    assert await values(web) == blf(port)
    # The firmware is another one, and takes documents.
    phone.user_agent = "snomD785/10.1.198.12"
    phone.keys.clear()
    await phone.register()
    await phone.shows("4")
    assert await values(web) == BUTTONS


async def test_a_phone_that_is_removed_leaves_nothing(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    await refusing(phones, server)
    refusals = server.runtime_data.provisioning.refusals
    assert refusals.async_has("subentry_44")
    hass.config_entries.async_remove_subentry(server, "subentry_44")
    await hass.async_block_till_done()
    assert not refusals.async_has("subentry_44")


async def test_a_phone_that_takes_a_document_after_all_gets_buttons(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    phones: Phones,
    port: int,
) -> None:
    """As one whose user has set it up for them."""
    phone = await refusing(phones, server)
    assert await values(web) == blf(port)
    phone.document_answer = None
    phone.keys.clear()
    update_phone(hass, server, sending={"speakers": "buttons"})
    await hass.async_block_till_done()
    await phone.shows("4")
    update_phone(hass, server, sending={"speakers": "automatic"})
    await hass.async_block_till_done()
    assert await values(web) == BUTTONS
    # Also after a restart, while it is off.
    await phone.unregister()
    assert await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    assert await values(web) == BUTTONS


async def test_a_new_extension_keeps_the_type(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    phones: Phones,
    port: int,
) -> None:
    await refusing(phones, server)
    update_phone(hass, server, extension="49")
    await hass.async_block_till_done()
    assert await values(web) == blf(port)
