"""The cards of discovered phones: one for each, and what a confirmed one gets."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.hub.provisioning.discovery import MAX_CARDS
from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_IGNORE,
    SOURCE_INTEGRATION_DISCOVERY,
    ConfigFlowResult,
)
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from tests.support.announcements import GIGASET, YEALINK
from tests.support.entries import TOKEN, update_phone
from tests.support.flows import (
    TEXTS,
    checked_server,
    choose_way,
    submit_phone,
    suggested,
)
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.plugging import ENTITIES, MAC, Network, announcement
from tests.support.ports import LOCALHOST

pytestmark = multicast()

HOST = "192.168.1.70"


@pytest.fixture
def server(hearing_server: MockConfigEntry) -> MockConfigEntry:
    return hearing_server


def cards(hass: HomeAssistant) -> list[ConfigFlowResult]:
    return hass.config_entries.flow.async_progress_by_handler(DOMAIN)


async def shown(entry: MockConfigEntry) -> None:
    """Wait until a phone was heard, after which it has its card."""
    provisioning = entry.runtime_data.provisioning
    heard = asyncio.Event()
    unsubscribe = provisioning.newcomers.heard.subscribe(lambda _: heard.set())
    async with asyncio.timeout(PATIENCE):
        if not provisioning.newcomers.phones:
            await heard.wait()
    unsubscribe()


async def settled(hass: HomeAssistant) -> list[ConfigFlowResult]:
    """Return the cards after all that is under way."""
    await hass.async_block_till_done(wait_background_tasks=True)
    return cards(hass)


async def card_of(hass: HomeAssistant) -> ConfigFlowResult:
    """Return the page of the only card."""
    [card] = await settled(hass)
    return checked_server(
        await hass.config_entries.flow.async_configure(card["flow_id"])
    )


async def confirm(
    hass: HomeAssistant, card: Mapping[str, Any], **chosen: Any
) -> ConfigFlowResult:
    configure = hass.config_entries.flow.async_configure
    return checked_server(await configure(card["flow_id"], chosen))


async def by_dhcp(
    hass: HomeAssistant, mac: str = MAC, hostname: str = "snom"
) -> ConfigFlowResult:
    """Return the page after Home Assistant has seen an address given to a phone."""
    info = DhcpServiceInfo(ip=HOST, hostname=hostname, macaddress=mac.lower())
    return checked_server(
        await hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_DHCP}, data=info
        )
    )


async def ignore(hass: HomeAssistant, mac: str = MAC) -> None:
    """Ignore a card, as its menu does."""
    await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": mac, "title": "A phone"},
    )
    await hass.async_block_till_done()


async def test_a_confirmed_phone_is_answered_when_it_asks_again(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    """Over real multicast, HTTP and SIP; nothing is typed anywhere."""
    phone = await plugged("D735", MAC)
    await shown(server)
    card = await card_of(hass)
    assert (card["type"], card["step_id"]) == (FlowResultType.FORM, "confirm")
    assert not phone.is_set_up
    page = await confirm(hass, card)
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "phone_added")
    assert page["description_placeholders"] == {"phone": "Phone 46"}
    await hass.async_block_till_done()
    [added] = [it for it in server.subentries.values() if it.unique_id == "46"]
    assert (added.data["model"], added.data["mac"]) == ("D735", MAC)
    assert len(added.data["keys"]) == 32
    assert {tuple(key) for key in added.data["keys"]} == {
        ("key", "name", "kind", "colors")
    }
    phone.register_again()
    await phone.wait_for(lambda p: p.registered, PATIENCE)
    assert phone.user == "46"
    assert await settled(hass) == []


async def test_a_card_puts_entities_on_the_keys(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """As many as the model has keys; the page is shown again for what is wrong."""
    lamps = ENTITIES[:3]
    network.hears(announcement(model="D717"))  # with three keys
    card = await card_of(hass)
    page = await confirm(hass, card, suggested=lamps, entities=["light.lamp_7"])
    assert page["errors"] == {"entities": "too_many_entities"}
    assert suggested(page) == {"suggested": lamps, "entities": ["light.lamp_7"]}
    page = await confirm(hass, card, entities=["light.none"])
    assert page["errors"] == {"entities": "no_entity"}
    page = await confirm(hass, card, suggested=lamps[:1], area="attic")
    assert page["errors"] == {"area": "nothing_in_area"}
    assert server.get_subentries_of_type("phone")[-1].unique_id == "45"

    page = await confirm(hass, card, suggested=lamps[:2])
    assert page["reason"] == "phone_added"
    [added] = [it for it in server.subentries.values() if it.unique_id == "46"]
    follows = [key.get("follows") for key in added.data["keys"]]
    assert follows == [*lamps[:2], None]


async def test_a_phone_of_an_unknown_model_gets_a_key_for_each_entity(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    page = await confirm(hass, await by_dhcp(hass), entities=ENTITIES)
    assert page["reason"] == "phone_added"
    [added] = [it for it in server.subentries.values() if it.unique_id == "46"]
    assert [key.get("follows") for key in added.data["keys"]] == ENTITIES


async def test_a_phone_that_is_heard_has_one_card(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """With what it says it is, which is no Markdown."""
    network.hears(announcement(model="*snom370*"))
    card = await card_of(hass)
    [shown_card] = cards(hass)
    context = shown_card["context"]
    assert context["source"] == SOURCE_INTEGRATION_DISCOVERY
    assert context["unique_id"] == MAC
    assert context["confirm_only"]
    assert context["title_placeholders"]["name"] == f"snom *snom370*, {HOST}"
    said = card["description_placeholders"]
    assert said is not None
    assert said["named"] == r"snom \*snom370\* \(firmware 8\.7\.5\.48\)"
    assert (said["mac"], said["host"]) == (MAC, HOST.replace(".", r"\."))
    network.hears(announcement())
    assert [it["flow_id"] for it in await settled(hass)] == [card["flow_id"]]
    network.hears(GIGASET)
    assert len(await settled(hass)) == 2
    assert network.urls == []


async def test_the_maker_of_an_unknown_model_is_named_once(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    network.hears(announcement(model="snomM500"))
    await card_of(hass)
    [card] = cards(hass)
    assert card["context"]["title_placeholders"]["name"] == f"snom M500, {HOST}"


async def test_what_has_no_card(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    network.hears(YEALINK)
    network.hears(announcement(), "8.8.8.8")
    update_phone(hass, server, mac="00041300000A")
    network.hears(announcement("00041300000A"))
    # One that is set up by hand names itself when it registers.
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, "subentry_45"), server.entry_id
    )
    assert device is not None
    dr.async_get(hass).async_update_device(
        device.id,
        new_connections={(dr.CONNECTION_NETWORK_MAC, "00:04:13:00:00:0b")},
    )
    network.hears(announcement("00041300000B"))
    assert await settled(hass) == []
    page = await by_dhcp(hass, "00041300000B")
    assert (page["type"], page["reason"]) == (FlowResultType.ABORT, "phone_known")
    assert (await by_dhcp(hass, "00041300000A"))["reason"] == "phone_known"


async def test_a_phone_that_is_plugged_in_for_a_dialogue_has_no_card(
    hass: HomeAssistant, server: MockConfigEntry, plugged: Any
) -> None:
    """Nor does it keep the one that it had."""
    phone = await plugged("D735", MAC)
    await shown(server)
    page = await choose_way(hass, server, "plug_in")
    await submit_phone(hass, page)
    phone.register_again()
    await phone.wait_for(lambda p: p.registered, PATIENCE)
    assert await settled(hass) == []


async def test_a_phone_that_fetches_by_its_setting_url_keeps_no_card(
    hass: HomeAssistant,
    server: MockConfigEntry,
    network: Network,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    network.hears(announcement())
    assert len(await settled(hass)) == 1
    web = await hass_client_no_auth()
    response = await web.get(f"/api/snom_buttons/settings/{TOKEN}/{MAC}.xml")
    assert response.status == HTTPStatus.OK
    assert await settled(hass) == []


async def test_an_ignored_phone_is_neither_shown_nor_answered_again(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    network.hears(announcement())
    assert len(await settled(hass)) == 1
    await ignore(hass)
    assert await settled(hass) == []
    network.hears(announcement())
    assert await settled(hass) == []
    page = await by_dhcp(hass)
    assert (page["type"], page["reason"]) == (
        FlowResultType.ABORT,
        "already_configured",
    )

    waiting = await submit_phone(hass, await choose_way(hass, server, "plug_in"))
    network.hears(announcement())
    await hass.async_block_till_done()
    configure = hass.config_entries.subentries.async_configure
    page = await configure(waiting["flow_id"])
    assert TEXTS["common"]["heard_ignored"] in page["description_placeholders"]["heard"]
    assert network.urls == []
    network.hears(announcement("00041300000A"))
    await hass.async_block_till_done()
    assert [url[-16:] for _, url in network.urls] == ["00041300000A.xml"]


async def test_forged_phones_make_ten_cards_at_most(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    heard = server.runtime_data.provisioning.plug_and_play.heard
    for number in range(10_000):
        said = network.read(announcement(f"000413{number:06X}"))
        assert said is not None
        heard.emit(said)
    made = await settled(hass)
    assert len(made) == MAX_CARDS == 10
    assert (await by_dhcp(hass, "00041300FFFF"))["reason"] == "too_many_cards"
    # The cards that are open can be confirmed, and make room.
    assert (await confirm(hass, made[0]))["reason"] == "phone_added"
    network.hears(announcement())
    assert MAC in {it["context"]["unique_id"] for it in await settled(hass)}


async def test_a_phone_that_is_heard_takes_the_place_of_its_card_by_dhcp(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    page = await by_dhcp(hass)
    assert page["type"] is FlowResultType.FORM
    [card] = cards(hass)
    assert card["context"]["title_placeholders"]["name"] == f"Phone of snom, {HOST}"
    network.hears(announcement())
    [card] = await settled(hass)
    assert card["context"]["source"] == SOURCE_INTEGRATION_DISCOVERY
    assert (await by_dhcp(hass))["reason"] == "already_in_progress"
    assert (await by_dhcp(hass, "001122334455"))["type"] is FlowResultType.FORM


async def test_a_phone_of_which_only_the_address_is_known_gets_one_key(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    page = await confirm(hass, await by_dhcp(hass))
    assert page["reason"] == "phone_added"
    [added] = [it for it in server.subentries.values() if it.unique_id == "46"]
    assert (added.data["model"], added.data["mac"]) == ("other", MAC)
    assert len(added.data["keys"]) == 1


async def test_no_card_of_a_phone_that_could_not_be_answered(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """What changes while a card is open is said when it is confirmed."""
    first, second, third = [await by_dhcp(hass, f"00041300000{n}") for n in "ABC"]
    update_phone(hass, server, mac="00041300000A")
    assert (await confirm(hass, first))["reason"] == "phone_known"
    await hass.config.async_update(internal_url=f"https://{LOCALHOST}:1")
    assert (await confirm(hass, second))["reason"] == "no_settings_url"
    network.hears(announcement())
    assert len(await settled(hass)) == 1
    assert await hass.config_entries.async_unload(server.entry_id)
    assert (await confirm(hass, third))["reason"] == "not_heard"
    assert (await by_dhcp(hass))["reason"] == "not_heard"


async def test_a_phone_that_starts_with_home_assistant_is_shown_later(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_reload(server.entry_id)
    Network(server).hears(announcement())
    assert await settled(hass) == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    assert len(await settled(hass)) == 1
