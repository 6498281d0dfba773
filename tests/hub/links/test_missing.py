"""The repair for a linked key whose entity is gone."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.entries import key_data

from .conftest import Linked, link

ISSUE = "link_missing_subentry_44_2"


def issue(hass: HomeAssistant, name: str = ISSUE) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue("snom_buttons", name)


@pytest.fixture
async def gone(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> Any:
    """Return phone 44, whose key 2 followed an entity that was removed."""
    known = er.async_get(hass).async_get_or_create("light", "demo", "1")
    hass.states.async_set(known.entity_id, "on")
    phone = await linked(key_data("1"), link("2", known.entity_id))
    assert issue(hass) is None
    hass.states.async_remove(known.entity_id)
    assert issue(hass) is None
    er.async_get(hass).async_remove(known.entity_id)
    await hass.async_block_till_done()
    await phone.shows("2", c="offline")
    return phone


@over_both_speakers
@pytest.mark.parametrize("chosen", ["light.hall", None])
async def test_a_removed_entity_is_a_repair_that_offers_another_or_no_link(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    gone: Any,
    chosen: str | None,
) -> None:
    found = issue(hass)
    assert found and found.is_fixable
    assert found.translation_placeholders == {
        "name": config_entry.title.replace(".", r"\.").replace(":", r"\:"),
        "phone": "Phone 44",
        "key": "Key 2",
        "entity": r"light\.demo\_1",
    }
    hass.states.async_set("light.hall", "on")
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    answer = await client.post(
        "/api/repairs/issues/fix", json={"handler": "snom_buttons", "issue_id": ISSUE}
    )
    form = await answer.json()
    assert form["step_id"] == "confirm"
    assert form["description_placeholders"]["key"] == "Key 2"
    done = await client.post(
        f"/api/repairs/issues/fix/{form['flow_id']}",
        json={"entity": chosen} if chosen else {},
    )
    assert (await done.json())["type"] == "create_entry"
    await hass.async_block_till_done()
    key = config_entry.subentries["subentry_44"].data["keys"][1]
    if chosen:
        assert (key["kind"], key["follows"]) == ("linked", chosen)
        await gone.shows("2", c="on")
    else:
        assert key == key_data("2", kind="none", colors=True)
        await gone.shows("2", c=None)
    assert issue(hass) is None


@over_both_speakers
@pytest.mark.usefixtures("gone")
async def test_an_entity_that_comes_back_needs_no_repair(hass: HomeAssistant) -> None:
    assert issue(hass)
    hass.states.async_set("light.demo_1", "on")
    await hass.async_block_till_done()
    assert issue(hass) is None


@over_both_speakers
@pytest.mark.usefixtures("gone")
async def test_a_repair_ends_with_its_phone(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.config_entries.async_remove_subentry(config_entry, "subentry_44")
    await hass.async_block_till_done()
    assert issue(hass) is None


@over_both_speakers
async def test_what_a_press_acts_on_may_be_gone_too(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    await linked(key_data("1"), link("2", "light.hall", target="light.gone"))
    found = issue(hass)
    assert found and found.translation_placeholders
    assert found.translation_placeholders["entity"] == r"light\.gone"
    hass.states.async_set("light.gone", "on")
    await hass.async_block_till_done()
    assert issue(hass) is None
