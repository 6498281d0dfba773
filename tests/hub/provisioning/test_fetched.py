"""What a phone has fetched is known after a restart of Home Assistant."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

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
from tests.support.entries import PASSWORD, TOKEN, Phones, stored_parts, update_phone
from tests.support.rawphone import RawPhone

PATH = f"/api/snom_buttons/settings/{TOKEN}/"
MAC = "000413A1B2C3"
AGENT = {
    "User-Agent": f"Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12 {MAC})"
}

type Settle = Callable[[], Awaitable[None]]


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
def settle(hass: HomeAssistant) -> Settle:
    """Return a function that waits until phones are asked after a change."""

    async def settled() -> None:
        await hass.async_block_till_done(wait_background_tasks=True)
        async_fire_time_changed(hass, utcnow() + timedelta(seconds=SETTLE_SECONDS))
        await hass.async_block_till_done(wait_background_tasks=True)

    return settled


def rename(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> None:
    keys = list(entry.subentries["subentry_44"].data["keys"])
    update_phone(hass, entry, keys=[keys[0] | {"name": name}, *keys[1:]])


async def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()


def events(phone: RawPhone) -> list[str]:
    return [notice.get("Event") for notice in phone.notices]


async def test_a_change_after_a_restart_asks_a_phone_that_has_fetched_before(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    phones: Phones,
    settle: Settle,
) -> None:
    phone = await phones()
    assert (await web.get(PATH, headers=AGENT)).status == 200
    await restart(hass, server)
    await settle()
    assert phone.notices == [], "it has the newest file"
    rename(hass, server, "One")
    await settle()
    await phone.until(lambda: bool(phone.notices))
    assert events(phone) == ["check-sync;reboot=false"]


async def test_what_is_stored_is_a_digest(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    hass_storage: dict[str, Any],
) -> None:
    assert (await web.get(PATH, headers=AGENT)).status == 200
    await restart(hass, server)
    stored = stored_parts(hass_storage, server)
    assert len(stored["subentry_44"]["fetched"]) == 64
    assert "fetched" not in stored.get("subentry_45", {})
    assert PASSWORD not in repr(stored)
    assert TOKEN not in repr(stored)


async def test_a_change_while_home_assistant_does_not_run_asks_at_its_start(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    phones: Phones,
    settle: Settle,
) -> None:
    phone = await phones()
    assert (await web.get(PATH, headers=AGENT)).status == 200
    await hass.config_entries.async_unload(server.entry_id)
    rename(hass, server, "One")
    assert await hass.config_entries.async_setup(server.entry_id)
    await settle()
    await phone.until(lambda: bool(phone.notices))
    assert events(phone) == ["check-sync;reboot=false"]


async def test_a_phone_that_has_fetched_nothing_is_not_asked(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    phones: Phones,
    settle: Settle,
) -> None:
    phone, other = await phones(), await phones("45")
    assert (await web.get(PATH, headers=AGENT)).status == 200
    await restart(hass, server)
    for number in ("44", "45"):
        update_phone(hass, server, number, title=f"Desk {number}")
    await settle()
    await phone.until(lambda: bool(phone.notices))
    assert (await other.press("1")).status == other.press_status
    assert other.notices == []


async def test_a_phone_that_is_away_is_asked_when_it_registers(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    phones: Phones,
    settle: Settle,
) -> None:
    phone, other = await phones(), await phones("45")
    assert (await web.get(PATH, headers=AGENT)).status == 200
    await phone.unregister()
    rename(hass, server, "One")
    await settle()
    await other.register()
    assert (await phone.register()).status == 200
    await settle()
    await phone.until(lambda: bool(phone.notices))
    assert (await phone.register()).status == 200
    await settle()
    assert (await phone.press("1")).status == phone.press_status
    assert events(phone) == ["check-sync;reboot=false"], "once"
    assert other.notices == []


async def test_a_change_that_is_taken_back_asks_nothing(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    phones: Phones,
    settle: Settle,
) -> None:
    phone = await phones()
    assert (await web.get(PATH, headers=AGENT)).status == 200
    rename(hass, server, "One")
    await hass.async_block_till_done()
    rename(hass, server, "Key 1")
    await settle()
    assert (await phone.press("1")).status == phone.press_status
    assert phone.notices == []


async def test_a_phone_that_fetches_a_change_by_itself_is_not_asked(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    phones: Phones,
    settle: Settle,
) -> None:
    phone = await phones()
    assert (await web.get(PATH, headers=AGENT)).status == 200
    rename(hass, server, "One")
    await hass.async_block_till_done()
    assert (await web.get(PATH, headers=AGENT)).status == 200
    await settle()
    assert (await phone.press("1")).status == phone.press_status
    assert phone.notices == []


@pytest.mark.parametrize("fetched", [None, 5, ["x"]])
async def test_what_is_stored_may_be_broken(
    hass: HomeAssistant,
    server: MockConfigEntry,
    hass_storage: dict[str, Any],
    fetched: Any,
) -> None:
    await hass.config_entries.async_unload(server.entry_id)
    key = f"snom_buttons.{server.entry_id}.subentry_44"
    hass_storage[key] = {
        "version": 1,
        "minor_version": 1,
        "key": key,
        "data": {"fetched": fetched},
    }
    assert await hass.config_entries.async_setup(server.entry_id)
    refresher = server.runtime_data.provisioning.refresher
    assert not refresher.async_has_fetched("subentry_44")


async def test_a_phone_that_has_no_file_any_more_is_not_asked(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    settle: Settle,
) -> None:
    """Its settings would make it register, in place of its telephone system."""
    assert (await web.get(PATH, headers=AGENT)).status == 200
    refresher = server.runtime_data.provisioning.refresher
    assert refresher.async_has_fetched("subentry_44")
    update_phone(hass, server, address="127.0.0.1:5066")
    await hass.async_block_till_done()
    assert not refresher.async_has_fetched("subentry_44")
    assert refresher._waiting == {}


async def test_a_phone_that_is_set_up_during_an_update_has_fetched(
    server: MockConfigEntry,
) -> None:
    """It fetched before the entry had it, while an earlier change was applied."""
    provisioning = server.runtime_data.provisioning
    refresher = provisioning.refresher
    profiles = dict(refresher._profiles)
    refresher.async_note("new", profiles["subentry_44"])
    await provisioning.update(server.runtime_data.settings)
    assert refresher.async_has_fetched("new")
    refresher.async_update({**profiles, "new": profiles["subentry_44"]})
    refresher.async_update(profiles)
    assert not refresher.async_has_fetched("new")


async def test_a_change_that_is_applied_while_the_server_stops_leaves_no_timer(
    hass: HomeAssistant,
    server: MockConfigEntry,
    web: TestClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (await web.get(PATH, headers=AGENT)).status == 200
    hub = server.runtime_data
    updating, goes_on = asyncio.Event(), asyncio.Event()

    async def update(_: object) -> None:
        updating.set()
        await goes_on.wait()

    monkeypatch.setattr(hub.mqtt, "update", update)
    rename(hass, server, "Desk")
    await updating.wait()
    assert await hass.config_entries.async_unload(server.entry_id)
    goes_on.set()
    await hass.async_block_till_done()
    assert hub.provisioning.refresher._waiting == {}
