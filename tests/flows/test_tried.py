"""The card of a phone that tries to register, and what a confirmed one is given."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.phones import Attempt
from custom_components.snom_buttons.hub.provisioning.discovery import MAX_CARDS
from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_IGNORE,
    SOURCE_INTEGRATION_DISCOVERY,
    ConfigFlowResult,
)
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from tests.support.entries import add_phone, device_of, phone_subentry
from tests.support.flows import TEXTS, checked_server
from tests.support.networks import multicast
from tests.support.plugging import ENTITIES, MAC, Network, announcement
from tests.support.ports import LOCALHOST
from tests.support.rawphone import RawPhone

pytestmark = multicast()

NAMELESS = "snomD735/10.1.198.12"
"""A User-Agent without a hardware address."""
NAMED = f"{NAMELESS} {MAC}"

type Attempts = Callable[..., Awaitable[RawPhone]]


@pytest.fixture
def server(hearing_server: MockConfigEntry) -> MockConfigEntry:
    return hearing_server


@pytest.fixture
async def tries(server: MockConfigEntry) -> AsyncIterator[Attempts]:
    """Return a function that makes phones which try to register in vain."""
    async with AsyncExitStack() as stack:

        async def tried(
            extension: str, user_agent: str = NAMELESS, password: str = "typed"
        ) -> RawPhone:
            address = server.runtime_data.server.address
            phone = await stack.enter_async_context(
                RawPhone(
                    (LOCALHOST, address[1]), extension, password, user_agent=user_agent
                )
            )
            assert (await phone.register()).status == 401
            return phone

        yield tried


async def cards(hass: HomeAssistant) -> list[ConfigFlowResult]:
    """Return the cards after all that is under way."""
    await hass.async_block_till_done(wait_background_tasks=True)
    return hass.config_entries.flow.async_progress_by_handler(DOMAIN)


async def card_of(hass: HomeAssistant) -> ConfigFlowResult:
    """Return the page of the only card."""
    [card] = await cards(hass)
    return checked_server(
        await hass.config_entries.flow.async_configure(card["flow_id"])
    )


async def confirm(
    hass: HomeAssistant, card: Mapping[str, Any], **chosen: Any
) -> ConfigFlowResult:
    configure = hass.config_entries.flow.async_configure
    page = checked_server(await configure(card["flow_id"], chosen))
    await hass.async_block_till_done()
    return page


async def test_a_phone_is_added_with_its_extension_and_shows_its_keys(
    hass: HomeAssistant, server: MockConfigEntry, tries: Attempts
) -> None:
    """As soon as the password of the page has been typed in."""
    phone = await tries("47")
    card = await card_of(hass)
    [listed] = await cards(hass)
    context = listed["context"]
    assert context["source"] == SOURCE_INTEGRATION_DISCOVERY
    assert context["unique_id"] == f"47@{LOCALHOST}"
    assert context["confirm_only"]
    assert context["title_placeholders"]["name"] == f"47, snom D735, {LOCALHOST}"
    assert card["step_id"] == "tried"
    said = card["description_placeholders"]
    assert said is not None
    assert (said["named"], said["account"]) == (
        r"snom D735 \(firmware 10\.1\.198\.12\)",
        "47",
    )

    page = await confirm(hass, card)
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "phone_to_type")
    shown = page["description_placeholders"]
    assert shown is not None
    [added] = [it for it in server.subentries.values() if it.unique_id == "47"]
    assert shown["phone"] == "Phone 47"
    assert (shown["account"], shown["password"]) == ("47", added.data["password"])
    assert f"/{added.data['token']}/" in shown["by_itself"]
    assert added.data["model"] == "D735"
    assert len(added.data["keys"]) == 32
    assert "mac" not in added.data
    assert await cards(hass) == []

    assert (await phone.register()).status == 401
    assert await cards(hass) == []
    phone.password = shown["password"]
    assert (await phone.register()).status == 200
    await phone.shows("32")


async def test_its_keys_show_what_was_chosen(
    hass: HomeAssistant, server: MockConfigEntry, tries: Attempts
) -> None:
    phone = await tries("47")
    [card] = await cards(hass)
    page = await confirm(hass, card, suggested=ENTITIES[:2])
    assert page["description_placeholders"] is not None
    phone.password = page["description_placeholders"]["password"]
    assert (await phone.register()).status == 200
    await phone.shows("1", c="on", l="Lamp 1")
    await phone.shows("2", c=None, l="Lamp 2")


async def test_a_phone_has_one_card_however_it_was_found(
    hass: HomeAssistant, server: MockConfigEntry, tries: Attempts, network: Network
) -> None:
    """By its hardware address; the card that says most stays."""
    info = DhcpServiceInfo(ip="192.168.1.70", hostname="snom", macaddress=MAC.lower())
    context = {"source": SOURCE_DHCP}
    await hass.config_entries.flow.async_init(DOMAIN, context=context, data=info)
    network.hears(announcement())
    [announced] = await cards(hass)
    assert announced["step_id"] == "confirm"
    await tries("47", NAMED)
    [tried] = await cards(hass)
    assert tried["context"]["unique_id"] == MAC
    assert tried["step_id"] == "tried"
    network.hears(announcement())
    await tries("47", NAMED)
    await tries("48", NAMED)
    assert [it["flow_id"] for it in await cards(hass)] == [tried["flow_id"]]

    page = await confirm(hass, tried)
    assert page["description_placeholders"] is not None
    phone = await tries("47", NAMED)
    # It was restarted before the password was typed in.
    network.hears(announcement())
    assert len(await cards(hass)) == 1
    phone.password = page["description_placeholders"]["password"]
    assert (await phone.register()).status == 200
    assert await cards(hass) == []


async def test_two_extensions_and_two_addresses_have_cards_of_their_own(
    hass: HomeAssistant, server: MockConfigEntry, tries: Attempts
) -> None:
    await tries("47")
    await tries("47")
    await tries("48", "")
    attempted = server.runtime_data.server.attempted
    attempted.emit(Attempt("47", "192.168.1.71", "*Acme*\x1b \u202etalk" + 80 * "k"))
    listed = await cards(hass)
    assert {it["context"]["title_placeholders"]["name"] for it in listed} == {
        f"47, snom D735, {LOCALHOST}",
        f"48, phone, {LOCALHOST}",
        "47, *Acme* talkkkkkkkkkkkkkkkkkkkkkk, 192.168.1.71",
    }
    [other] = [it for it in listed if "Acme" in str(it["context"])]
    page = await hass.config_entries.flow.async_configure(other["flow_id"])
    said = page["description_placeholders"]
    assert said is not None and said["named"].startswith(r"\*Acme\* talk")
    # One that is set up by hand meanwhile needs none.
    add_phone(hass, server, phone_subentry("47"))
    [left] = await cards(hass)
    assert left["context"]["unique_id"] == f"48@{LOCALHOST}"


async def test_what_has_no_card(
    hass: HomeAssistant, server: MockConfigEntry, tries: Attempts
) -> None:
    """Above all no guess at the password of a phone that is set up."""
    await tries("44", password="guessed")
    await tries("44", NAMED, password="guessed")
    attempted = server.runtime_data.server.attempted
    for extension in ("", "4 7", "**47**\n", "4%7", 65 * "4", "\u202e47", "47`"):
        attempted.emit(Attempt(extension, LOCALHOST, NAMELESS))
    hass.set_state(CoreState.starting)
    attempted.emit(Attempt("47", LOCALHOST, NAMELESS))
    hass.set_state(CoreState.running)
    assert await cards(hass) == []


async def test_a_phone_that_is_registered_has_no_card_for_another_identity(
    hass: HomeAssistant, server: MockConfigEntry, tries: Attempts, phones: Any
) -> None:
    """Its device has its hardware address."""
    await phones("44", user_agent=NAMED)
    assert device_of(hass)
    await tries("47", NAMED)
    assert await cards(hass) == []


async def test_none_is_shown_where_no_phones_shall_be_heard(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    access = {"plug_and_play": False}
    hass.config_entries.async_update_entry(
        server, data=server.data | {"access": access}
    )
    await hass.async_block_till_done()
    attempted = server.runtime_data.server.attempted
    attempted.emit(Attempt("47", LOCALHOST, NAMELESS))
    assert await cards(hass) == []


@pytest.mark.parametrize(
    ("user_agent", "unique_id"), [(NAMELESS, f"47@{LOCALHOST}"), (NAMED, MAC)]
)
async def test_an_ignored_phone_is_not_shown_again(
    hass: HomeAssistant, tries: Attempts, user_agent: str, unique_id: str
) -> None:
    await tries("47", user_agent)
    assert len(await cards(hass)) == 1
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": unique_id, "title": "A phone"},
    )
    await tries("47", user_agent)
    assert await cards(hass) == []
    await tries("48", NAMELESS)
    assert len(await cards(hass)) == 1


async def test_ten_cards_at_most_of_all_kinds(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    attempted = server.runtime_data.server.attempted
    for number in range(6):
        network.hears(announcement(f"00041300000{number}"))
    assert len(await cards(hass)) == 6
    for number in range(1000):
        attempted.emit(Attempt(f"{100 + number}", "192.168.1.70", NAMELESS))
        if not number % 100:
            await asyncio.sleep(0)
    assert len(await cards(hass)) == MAX_CARDS
    network.hears(announcement())
    assert len(await cards(hass)) == MAX_CARDS


async def test_what_changes_while_a_card_is_open_is_said(
    hass: HomeAssistant, server: MockConfigEntry, tries: Attempts
) -> None:
    """A card by the hardware address does not know which extensions are set up."""
    await tries("47", NAMED)
    card = await card_of(hass)
    add_phone(hass, server, phone_subentry("47"))
    assert (await confirm(hass, card))["reason"] == "extension_taken"

    await tries("48")
    card = await card_of(hass)
    assert await hass.config_entries.async_unload(server.entry_id)
    assert (await confirm(hass, card))["reason"] == "not_running"


async def test_without_plain_http_it_is_said_what_the_phone_needs(
    hass: HomeAssistant, server: MockConfigEntry, tries: Attempts
) -> None:
    await hass.config.async_update(internal_url=f"https://{LOCALHOST}:1")
    await tries("47")
    page = await confirm(hass, await card_of(hass))
    assert page["reason"] == "phone_to_type"
    assert page["description_placeholders"] is not None
    said = page["description_placeholders"]["by_itself"]
    assert said == f"{TEXTS['common']['no_settings_url']}\n\n"


async def test_a_phone_that_registers_is_not_taken_by_a_window(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, phones: Any
) -> None:
    """It was set up by hand, perhaps beside a telephone system that its settings name."""
    await phones("44", user_agent=NAMED)
    provisioning = server.runtime_data.provisioning
    window = provisioning.async_open_window(lambda _: pytest.fail("it is set up"))
    network.hears(announcement(MAC), LOCALHOST)
    network.hears(announcement(MAC), "192.168.1.66")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert network.urls == []
    assert window.answered is None
    assert provisioning.newcomers.phones == []
    # It does not keep another one from being the only one.
    network.hears(announcement("00041300000A"))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(network.urls) == 1


@pytest.mark.parametrize(
    ("user_agent", "maker"),
    [
        ("Yealink SIP-T46U 108.86.0.20", "yealink"),
        ("Gigaset Maxwell 3/2.29.7", "gigaset"),
        ("Gigaset P710/1.0", None),
    ],
)
async def test_a_phone_of_another_maker_is_added_with_keys_of_type_blf(
    hass: HomeAssistant,
    server: MockConfigEntry,
    tries: Attempts,
    user_agent: str,
    maker: str | None,
) -> None:
    await tries("47", user_agent)
    page = await confirm(hass, await card_of(hass))
    assert page["reason"] == ("other_to_type" if maker else "phone_to_type")
    [added] = [it for it in server.subentries.values() if it.unique_id == "47"]
    assert added.data.get("maker") == maker
    assert ("token" in added.data) == (maker is None)
    shown = page["description_placeholders"]
    assert shown is not None
    assert shown["password"] == added.data["password"]
