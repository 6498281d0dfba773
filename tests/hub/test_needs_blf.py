"""A phone that does not know documents: the report, its device, and how they end."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.diagnostics import (
    async_get_config_entry_diagnostics,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from tests.support.entries import Phones, in_sync, reaches, update_phone
from tests.support.rawphone import RawPhone

USED = ("1", "2", "3")
"""Key 4 is not used, so a phone need not have it."""
SENT_AS = "sensor.phone_44_keys_sent_as"


def reported(hass: HomeAssistant, name: str = "needs_blf") -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue("snom_buttons", f"{name}_subentry_44")


async def contacts(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    diagnostics: Any = await async_get_config_entry_diagnostics(hass, entry)
    [phone] = [
        it for it in diagnostics["phones"] if it["settings"]["extension"] == "44"
    ]
    return phone["contacts"]


async def until_sent_as(hass: HomeAssistant, sent_as: str) -> None:
    await reaches(hass, SENT_AS, sent_as)


@pytest.fixture
async def refusing(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> RawPhone:
    """Return phone 44, which has refused a document after it registered anew."""
    phone: RawPhone = await phones()
    assert await contacts(hass, server) == [
        {
            "user_agent": "snomD785/10.1.198.12 **REDACTED**",
            "sent_as": "buttons",
            "subscriptions": 0,
            "documents_refused": None,
        }
    ]
    phone.user_agent = "snomD785/10.2.1.1 0004130DD7C9"
    phone.document_answer = 415
    await phone.register()
    await until_sent_as(hass, "refused")
    return phone


async def test_it_is_reported_until_all_keys_that_are_used_are_blf(
    hass: HomeAssistant, server: MockConfigEntry, refusing: RawPhone
) -> None:
    issue = reported(hass)
    assert issue is not None
    assert issue.translation_key == "phone_needs_blf"
    said = issue.translation_placeholders or {}
    assert (said["phone"], said["title"]) == ("Phone 44", "Phone 44")
    assert said["answer"] == "415 Whatever"
    assert reported(hass, "refuses") is None, "it is not the same as a refused key"
    for key in USED[:-1]:
        assert (await refusing.subscribe(key)).status == 200
    assert reported(hass) is not None
    assert (await refusing.subscribe(USED[-1])).status == 200
    await until_sent_as(hass, "blf")
    await in_sync(server)
    assert reported(hass) is None
    assert await contacts(hass, server) == [
        {
            "user_agent": "snomD785/10.2.1.1 **REDACTED**",
            "sent_as": "blf",
            "subscriptions": 3,
            "documents_refused": "415",
        }
    ]


@pytest.mark.parametrize(
    ("user_agent", "key", "words"),
    [
        ("Gigaset P820/1.2", "phone_needs_blf", {}),
        (
            "Yealink SIP-T46S 66.85.0.5",
            "phone_needs_blf_entered",
            {
                "maker": "Yealink",
                "page": "Dsskey → Line Key",
                "key": "Line Key 1",
                "fields": "Type\\: BLF\\, Value\\: 1",
            },
        ),
        (
            "Cisco-CP-8851-3PCC/11.3.1",
            "phone_needs_blf_entered",
            {"maker": "Cisco", "key": "Line Key 2"},
        ),
        ("PolyEdge-Edge_E350-UA/8.3.1", "phone_needs_blf_other", {}),
        ("Gigaset Maxwell 3/2.22", "phone_needs_blf_other", {}),
        ("Linphone/4.2", "phone_needs_blf_other", {}),
    ],
)
@pytest.mark.usefixtures("server")
async def test_the_report_has_the_words_of_the_maker_in_the_user_agent(
    hass: HomeAssistant,
    phones: Phones,
    user_agent: str,
    key: str,
    words: dict[str, str],
) -> None:
    phone: RawPhone = await phones()
    phone.user_agent = user_agent
    phone.document_answer = 415
    await phone.register()
    await until_sent_as(hass, "refused")
    issue = reported(hass)
    assert issue is not None
    assert issue.translation_key == key
    said = issue.translation_placeholders or {}
    assert said["link"] == "/config/integrations/integration/snom_buttons"
    assert words.items() <= said.items()


async def test_it_ends_with_another_firmware(
    hass: HomeAssistant, refusing: RawPhone
) -> None:
    assert reported(hass) is not None
    refusing.user_agent = "snomD785/10.2.2.2 0004130DD7C9"
    refusing.document_answer = None
    refusing.keys.clear()
    await refusing.register()
    await refusing.shows("4")
    await until_sent_as(hass, "buttons")
    assert reported(hass) is None


@pytest.mark.parametrize(
    ("speakers", "sent_as"), [("blf", "nothing"), ("buttons", "buttons")]
)
async def test_it_ends_when_the_user_knows_better(
    hass: HomeAssistant,
    server: MockConfigEntry,
    refusing: RawPhone,
    speakers: str,
    sent_as: str,
) -> None:
    update_phone(hass, server, sending={"speakers": speakers})
    await hass.async_block_till_done()
    assert reported(hass) is None
    assert reported(hass, "refuses") is None
    await until_sent_as(hass, sent_as)


async def test_a_refusal_by_mistake_is_over_when_a_document_is_taken(
    hass: HomeAssistant, server: MockConfigEntry, refusing: RawPhone
) -> None:
    refusing.document_answer = None
    refusing.keys.clear()
    update_phone(hass, server, sending={"speakers": "buttons"})
    await refusing.shows("4")
    await in_sync(server)
    update_phone(hass, server, sending={})
    await hass.async_block_till_done()
    assert reported(hass) is None
    await until_sent_as(hass, "buttons")


async def test_it_ends_with_the_phone(
    hass: HomeAssistant, server: MockConfigEntry, refusing: RawPhone
) -> None:
    hass.config_entries.async_remove_subentry(server, "subentry_44")
    await hass.async_block_till_done()
    assert reported(hass) is None


async def test_keys_that_are_sent_both_ways(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    phone: RawPhone = await phones()
    assert (await phone.subscribe("1")).status == 200
    await until_sent_as(hass, "both")
    for key in USED[1:]:
        assert (await phone.subscribe(key)).status == 200
    await until_sent_as(hass, "blf")
    await phone.unregister()
    await until_sent_as(hass, "unavailable")


async def test_the_number_of_subscriptions_is_a_sensor_that_is_off(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> None:
    registry = er.async_get(hass)
    entity = registry.async_get_or_create(
        "sensor",
        "snom_buttons",
        "subentry_44_subscriptions",
        suggested_object_id="phone_44_subscriptions",
        disabled_by=None,
    )
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    off = "sensor.phone_45_subscriptions"
    assert registry.entities[off].disabled_by is er.RegistryEntryDisabler.INTEGRATION
    phone: RawPhone = await phones()
    await reaches(hass, entity.entity_id, "0")
    await phone.subscribe("1")
    await phone.subscribe("2")
    await reaches(hass, entity.entity_id, "2")
