"""A password or an extension that is changed reaches the phone by its settings file."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.hub.provisioning.refresh import SETTLE_SECONDS
from custom_components.snom_buttons.hub.settings import HOLD
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
from tests.support.entries import PASSWORD, TOKEN, Phones, update_phone
from tests.support.flows import reconfigure_phone, submit_account, submit_phone
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.plugging import MAC
from tests.support.rawphone import RawMessage

pytestmark = multicast()

NEW = "renewed-44"
AGENT = {"User-Agent": f"Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 {MAC})"}


@pytest.fixture
async def server(
    hass: HomeAssistant, hearing_server: MockConfigEntry
) -> MockConfigEntry:
    """Return the entry; phone 44 is the one with MAC."""
    update_phone(hass, hearing_server, mac=MAC)
    update_phone(hass, hearing_server, "45", token="AnotherRand0mTokenOf22")
    await hass.async_block_till_done()
    return hearing_server


@pytest.fixture
async def fetched(
    server: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """Let phone 44 fetch its settings."""
    web = await hass_client_no_auth()
    path = f"/api/snom_buttons/settings/{TOKEN}/"
    assert (await web.get(path, headers=AGENT)).status == 200


async def finish(hass: HomeAssistant, page: SubentryFlowResult) -> None:
    """Submit the pages after the one of the account."""
    page = await submit_phone(hass, page)
    assert page["step_id"] == "phone"
    page = await submit_phone(hass, page)
    assert page["type"] is FlowResultType.ABORT
    await hass.async_block_till_done()


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, **changes: Any
) -> dict[str, Any]:
    """Change the account of phone 44 in its dialogue; return its data."""
    page = await reconfigure_phone(hass, entry)
    await finish(hass, await submit_account(hass, page, **changes))
    return dict(entry.subentries["subentry_44"].data)


async def later(hass: HomeAssistant, after: timedelta) -> None:
    async_fire_time_changed(hass, dt_util.utcnow() + after)
    await hass.async_block_till_done(wait_background_tasks=True)


SETTLE = timedelta(seconds=SETTLE_SECONDS)


async def test_a_renewed_password_reaches_a_phone_that_stays_registered(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    """Over real multicast, HTTP and SIP; nothing is done at the phone."""
    phone = await plugged("D785", MAC)
    await phone.wait_for(lambda p: p.registered, PATIENCE)
    running = server.runtime_data.phones["44"].phone

    data = await change(hass, server, password=NEW)
    assert (data["password"], data["former_password"]) == (NEW, PASSWORD)
    until = dt_util.parse_datetime(data["former_until"])
    assert until is not None
    assert timedelta() < until - dt_util.utcnow() <= HOLD
    assert running.available

    renewed: list[str] = []
    server.runtime_data.server.renewed.subscribe(renewed.append)
    await later(hass, SETTLE)
    await phone.wait_for(lambda _: bool(renewed), PATIENCE)
    await hass.async_block_till_done()
    data = dict(server.subentries["subentry_44"].data)
    assert data["password"] == NEW
    assert not {"former_password", "former_until"} & data.keys()
    assert running.setup.former_password == ""
    # A snom ends its registration with the former password when it gets another one.
    await phone.wait_for(lambda p: p.registered, PATIENCE)
    assert running.available


async def test_a_changed_extension_reaches_the_phone(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    phone = await plugged("D785", MAC)
    await phone.wait_for(lambda p: p.registered, PATIENCE)
    data = await change(hass, server, extension="47", password=NEW)
    assert "former_password" not in data, "the extension before is gone"
    await later(hass, SETTLE)
    await phone.wait_for(lambda p: p.registered and p.user == "47", PATIENCE)
    assert server.runtime_data.phones["47"].phone.available


async def test_the_former_password_holds_for_an_hour_at_most(
    hass: HomeAssistant, server: MockConfigEntry, fetched: None, phones: Phones
) -> None:
    """A phone that does not fetch, whatever it is asked."""
    phone = await phones()
    await change(hass, server, password=NEW)
    await later(hass, SETTLE)
    assert len(phone.notices) == 1
    assert (await phone.register()).status == 200
    await later(hass, HOLD - timedelta(minutes=1))
    assert (await phone.register()).status == 200
    await later(hass, HOLD)
    assert "former_password" not in server.subentries["subentry_44"].data
    assert not server.runtime_data.phones["44"].phone.available
    assert (await phone.register()).status == 401
    phone.password = NEW
    assert (await phone.register()).status == 200


async def test_it_holds_over_a_restart(
    hass: HomeAssistant, server: MockConfigEntry, fetched: None, phones: Phones
) -> None:
    phone = await phones()
    await change(hass, server, password=NEW)
    assert await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    assert server.runtime_data.phones["44"].phone.registrations, "it is still known"
    await later(hass, SETTLE)
    await phone.until(lambda: bool(phone.notices))
    assert (await phone.register()).status == 200
    phone.password = NEW
    assert (await phone.register()).status == 200
    await hass.async_block_till_done()
    assert "former_password" not in server.subentries["subentry_44"].data


@pytest.mark.parametrize("until", ["2026-01-01T00:00:00+00:00", "x"])
async def test_one_whose_time_is_over_at_the_start_never_holds(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones, until: str
) -> None:
    await hass.config_entries.async_unload(server.entry_id)
    update_phone(
        hass, server, password=NEW, former_password=PASSWORD, former_until=until
    )
    assert await hass.config_entries.async_setup(server.entry_id)
    assert server.runtime_data.server.phones["44"].setup.former_password == ""
    await later(hass, timedelta(seconds=1))
    assert "former_password" not in server.subentries["subentry_44"].data


async def test_it_is_renewed_again_before_the_phone_has_it_and_taken_back(
    hass: HomeAssistant, server: MockConfigEntry, fetched: None, phones: Phones
) -> None:
    phone = await phones()
    before = await change(hass, server, password=NEW)
    assert await change(hass, server, name="Desk") == before, "the hour goes on"
    data = await change(hass, server, password="third-44x")
    assert data["former_password"] == PASSWORD, "the one that the phone has"
    assert data["former_until"] > before["former_until"]
    assert (await phone.register()).status == 200
    data = await change(hass, server, password=PASSWORD)
    assert "former_password" not in data
    assert (await phone.register()).status == 200


async def test_a_dialogue_does_not_bring_a_hardware_address_back(
    hass: HomeAssistant,
    server: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """While it is open, the hardware fetches the settings of another phone."""
    page = await submit_account(hass, await reconfigure_phone(hass, server))
    web = await hass_client_no_auth()
    path = "/api/snom_buttons/settings/AnotherRand0mTokenOf22/"
    assert (await web.get(path, headers=AGENT)).status == 200
    await finish(hass, page)
    assert "mac" not in server.subentries["subentry_44"].data
    assert server.subentries["subentry_45"].data["mac"] == MAC


async def test_a_password_that_is_renewed_again_holds_for_its_own_hour(
    hass: HomeAssistant,
    server: MockConfigEntry,
    fetched: None,
    phones: Phones,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The registration of another phone ends nothing."""
    assert timedelta(hours=1) == HOLD
    phone, _ = await phones(), await phones("45")
    await change(hass, server, password=NEW)
    phone.password = NEW
    assert (await phone.register()).status == 200
    await hass.async_block_till_done()
    assert "former_password" not in server.subentries["subentry_44"].data
    freezer.tick(HOLD / 2)
    await change(hass, server, password="again-44")
    server.runtime_data.server.renewed.emit("45")
    freezer.tick(HOLD / 2 + timedelta(minutes=1))
    await later(hass, timedelta())
    assert server.subentries["subentry_44"].data["former_password"] == NEW


async def test_a_phone_that_does_not_register_has_no_former_password(
    hass: HomeAssistant, server: MockConfigEntry, fetched: None
) -> None:
    page = await submit_account(
        hass,
        await reconfigure_phone(hass, server),
        password=NEW,
        address="192.168.1.70",
    )
    page = await submit_phone(hass, page)
    assert page["step_id"] == "placed"
    await submit_phone(hass, page)
    data = server.subentries["subentry_44"].data
    assert data["password"] == NEW
    assert "former_password" not in data


async def test_without_settings_from_here_the_former_password_ends_at_once(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """The phone is set up by hand, and who renews a password wants the old one gone."""
    phone = await phones()
    data = await change(hass, server, password=NEW)
    assert "former_password" not in data
    assert (await phone.register()).status == 401


async def test_while_the_server_does_not_run_it_is_not_known_what_was_fetched(
    hass: HomeAssistant, server: MockConfigEntry, fetched: None
) -> None:
    await hass.config_entries.async_unload(server.entry_id)
    data = await change(hass, server, password=NEW)
    assert "former_password" not in data


async def test_a_clock_that_is_set_back_does_not_make_it_hold_longer(
    hass: HomeAssistant,
    server: MockConfigEntry,
    fetched: None,
    phones: Phones,
    freezer: FrozenDateTimeFactory,
) -> None:
    phone = await phones()
    await change(hass, server, password=NEW)
    freezer.tick(timedelta(days=-180))
    assert await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    assert server.runtime_data.server.phones["44"].setup.former_password == ""
    assert (await phone.register()).status == 401


async def test_who_has_the_former_password_has_nothing_after_the_new_one(
    hass: HomeAssistant, server: MockConfigEntry, fetched: None, phones: Phones
) -> None:
    """Neither a contact, nor a press, nor a replay; not after a restart either."""
    phone, thief = await phones(), await phones()
    await change(hass, server, password=NEW)
    assert (await thief.register()).status == 200
    assert (await thief.press("1")).status == 200
    challenge: list[RawMessage] = []
    make = thief._credentials

    def noting(method: str, uri: str, answer: RawMessage) -> str:
        challenge.append(answer)
        return make(method, uri, challenge[0])

    with patch.object(thief, "_credentials", noting):
        assert (await thief.register()).status == 200
        phone.password = NEW
        assert (await phone.register()).status == 200
        contacts = server.runtime_data.server.phones["44"].registrations
        assert len(contacts) == 1
        assert (await thief.register()).status == 401, "the nonce is of before"
    heard = len(thief.requests)
    assert (await thief.press("1")).status == 401
    assert (await thief.register()).status == 401
    assert (await phone.press("1")).status == 200
    await hass.async_block_till_done()
    assert await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    assert (await thief.press("1")).status == 401
    assert (await thief.register()).status == 401
    assert (await phone.register()).status == 200
    assert len(thief.requests) == heard


async def test_a_phone_that_was_removed_just_before_its_hour_is_over(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    until = dt_util.utcnow() + HOLD
    update_phone(
        hass, server, former_password="Former-1", former_until=until.isoformat()
    )
    await hass.async_block_till_done()
    async with server.runtime_data._update_lock:
        hass.config_entries.async_remove_subentry(server, "subentry_44")
        async_fire_time_changed(hass, until + timedelta(seconds=1))
    await hass.async_block_till_done()
    assert "subentry_44" not in server.subentries
