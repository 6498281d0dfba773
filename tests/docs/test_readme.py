"""The examples of README.md and docs/automations.md work when pasted."""

from __future__ import annotations

from pathlib import Path
import re
from typing import Any

import pytest

from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
from tests.support.entries import add_phone, key_data, phone_subentry
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
async def test_the_automation_works_when_pasted(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    automations, doorbell = blocks("README.md")
    (followers,) = blocks("docs/automations.md")
    automations += followers
    toggled: list[ServiceCall] = []

    @callback
    def note(call: ServiceCall) -> None:
        toggled.append(call)

    hass.states.async_set("light.living_room", "off")
    assert await async_setup_component(hass, "automation", {"automation": automations})
    await hass.async_block_till_done()

    # There is no light in the living room here: record the calls.
    hass.services.async_register("light", "toggle", note)
    await phone.press("4")
    await hass.async_block_till_done()
    assert [call.data["entity_id"] for call in toggled] == [["light.living_room"]]

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

    action = doorbell["action"].split(".")
    await hass.services.async_call(
        *action, doorbell["data"] | doorbell["target"], blocking=True
    )
    await phone.shows("1", c="pickup", o="red")
