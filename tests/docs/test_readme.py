"""The examples of README.md and docs/automations.md work when pasted."""

from __future__ import annotations

from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_mock_service,
)

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
from tests.support.entries import add_phone, device_of, key_data, phone_subentry
from tests.support.rawphone import RawPhone

ROOT = Path(__file__).parents[2]


def blocks(page: str) -> list[Any]:
    """Return a page's blocks of YAML."""
    text = (ROOT / page).read_text()
    return [
        parse_yaml(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    ]


@pytest.fixture
async def keys_of_the_readme(hass: HomeAssistant, config_entry: Any) -> None:
    """Give phone 44 lamps on keys 1 and 4, with the names that the dialogue proposes."""
    hass.config_entries.async_remove_subentry(config_entry, "subentry_44")
    keys = [key_data("1", colors=True), key_data("4")]
    add_phone(hass, config_entry, phone_subentry("44", keys))


@pytest.mark.usefixtures("keys_of_the_readme", "server")
async def test_the_examples_of_the_readme(hass: HomeAssistant, phone: RawPhone) -> None:
    automations, doorbell = blocks("README.md")
    messages = async_mock_service(hass, "persistent_notification", "create")
    assert await async_setup_component(hass, "automation", {"automation": automations})
    await hass.async_block_till_done()

    await phone.press("4")
    await phone.shows("4", c="hold")
    await hass.async_block_till_done()
    assert [call.data["message"] for call in messages] == [
        "Phone 44 would like a coffee"
    ]

    action = doorbell["action"].split(".")
    await hass.services.async_call(
        *action, doorbell["data"] | doorbell["target"], blocking=True
    )
    await phone.shows("1", c="pickup", o="red")


@pytest.mark.usefixtures("keys_of_the_readme", "server")
async def test_the_automation_of_a_lamp_that_follows(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    followers, _ = blocks("docs/automations.md")
    hass.states.async_set("light.living_room", "off")
    assert await async_setup_component(hass, "automation", {"automation": followers})
    await hass.async_block_till_done()

    hass.states.async_set("light.living_room", "on")
    await phone.shows("4", c="on")
    hass.states.async_set("light.living_room", "off")
    await phone.shows("4", c=None)

    # Home Assistant drops actions on the lamp of an absent phone: the automation repeats.
    await phone.unregister()
    hass.states.async_set("light.living_room", "on")
    await hass.async_block_till_done()
    await phone.register()
    await phone.shows("4", c="on")


@pytest.mark.usefixtures("keys_of_the_readme", "server")
async def test_the_automation_by_device_triggers(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    _, automations = blocks("docs/automations.md")
    for part in (*automations[0]["triggers"], *automations[0]["conditions"]):
        part["device_id"] = device_of(hass)
    assert await async_setup_component(hass, "automation", {"automation": automations})
    await hass.async_block_till_done()

    runs = async_capture_events(hass, "automation_triggered")
    await phone.press("4")
    await phone.shows("4", c="on")
    await phone.invite("100")
    await hass.async_block_till_done()
    assert len(runs) == 1  # the key shows already that it is on

    await hass.services.async_call(
        "light", "turn_off", {"entity_id": "light.phone_44_key_4"}, blocking=True
    )
    await phone.invite("100")
    await phone.shows("4", c="on")


@pytest.mark.usefixtures("keys_of_the_readme", "server")
def test_the_table_has_every_entity(hass: HomeAssistant) -> None:
    """Also those that are off by default, and no other."""
    table = (ROOT / "README.md").read_text().partition("\n## Entities\n")[2]
    patterns = re.findall(r"`(\w+\.…\w*)`", table.partition("\n\n![")[0])
    entities = {
        entity.entity_id: {
            pattern
            for pattern in patterns
            if re.fullmatch(pattern.replace("…", r"phone_4[45]\w*"), entity.entity_id)
        }
        for entity in er.async_get(hass).entities.values()
    }
    assert [entity for entity, matches in entities.items() if not matches] == []
    assert set(patterns).difference(*entities.values()) == set()
