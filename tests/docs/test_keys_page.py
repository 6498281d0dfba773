"""Each example of docs/keys.md works when pasted, and the phone gets the document below it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
import json
from pathlib import Path
import re
from typing import Any, NamedTuple

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_mock_service,
)

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.script import Script
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
from tests.support.entries import (
    Phones,
    add_phone,
    key_data,
    phone_subentry,
    reaches,
    update_phone,
)
from tests.support.rawphone import RawPhone

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
KEY_3 = "light.phone_44_key_3"
KEYS = [
    key_data("3", colors=True),
    key_data(
        "11",
        name="DND",
        kind="switch",
        toggle=True,
        light_on="offline",
        number_off="*78",
        number_on="*79",
    ),
    key_data("12"),
    key_data("13", name="Hall", kind="linked", follows="light.hall", colors=True),
]


class Block(NamedTuple):
    """One fenced block of the page."""

    language: str
    content: str


def sections() -> dict[str, list[Block]]:
    """Return the blocks of each section by its heading."""
    found: dict[str, list[Block]] = {}
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        blocks = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        found[heading] = [Block(*block) for block in blocks]
    return found


SECTIONS = sections()


class House:
    """A Home Assistant with the two phones of the page."""

    def __init__(
        self, hass: HomeAssistant, phones: list[RawPhone], device_id: str
    ) -> None:
        self.hass = hass
        self.phone, self.other = phones
        self.device_id = device_id

    async def run(self, block: Block) -> None:
        """Run an action as a script does."""
        assert block.language == "yaml"
        action: Any = parse_yaml(block.content)
        if "device_id" in action["target"]:
            action["target"]["device_id"] = self.device_id
        sequence = cv.SCRIPT_SCHEMA([action])
        await Script(self.hass, sequence, "An example", "test").async_run()

    async def link(self, **changes: Any) -> None:
        """Change what is set for the linked key in its editor."""
        [entry] = self.hass.config_entries.async_entries("snom_buttons")
        keys = [key | changes if key["key"] == "13" else key for key in KEYS]
        update_phone(self.hass, entry, keys=keys)
        await self.hass.async_block_till_done()

    async def automate(self, block: Block) -> None:
        assert block.language == "yaml"
        automation = {"automation": parse_yaml(block.content)}
        assert await async_setup_component(self.hass, "automation", automation)
        await self.hass.async_block_till_done()

    async def shows(self, block: Block, phone: RawPhone | None = None) -> None:
        """Wait until a phone shows exactly this document's key."""
        assert block.language == "text"
        (name, key), *lines = [
            line.split("=", 1) for line in block.content.strip().split("\n")
        ]
        assert name == "k"
        phone = phone or self.phone
        await phone.until(lambda: phone.keys.get(key) == dict(lines))


@pytest.fixture
async def house(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    phones: Phones,
) -> House:
    for extension in ("44", "45"):
        hass.config_entries.async_remove_subentry(config_entry, f"subentry_{extension}")
        add_phone(hass, config_entry, phone_subentry(extension, KEYS))
    add_phone(
        hass,
        config_entry,
        ConfigSubentryData(
            data={
                "code": "co2",
                "keys": [
                    {"phone": "subentry_44", "key": "12"},
                    {"phone": "subentry_45", "key": "12"},
                ],
            },
            subentry_id="subentry_co2",
            subentry_type="shared_line",
            title="co2",
            unique_id="co2",
        ),
    )
    entity_registry.async_get_or_create(
        "text",
        "snom_buttons",
        "subentry_44_3_label",
        config_entry=config_entry,
        config_subentry_id="subentry_44",
        suggested_object_id="phone_44_key_3_label",
        disabled_by=None,
    )
    group = {
        "platform": "group",
        "name": "Key 3 everywhere",
        "entities": [KEY_3, "light.phone_45_key_3"],
    }
    assert await async_setup_component(hass, "light", {"light": group})
    hass.states.async_set("sensor.outside", "21.5")
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    device_id = config_entry.runtime_data.phones["44"].device_id
    return House(hass, [await phones("44"), await phones("45")], device_id)


async def each_alone(house: House, blocks: list[Block]) -> None:
    """Run each action on a configured key, and check what the phone shows."""
    for action, document in zip(blocks[::2], blocks[1::2], strict=True):
        await house.hass.services.async_call(
            "snom_buttons",
            "set_key",
            {"entity_id": KEY_3, "reset": True},
            blocking=True,
        )
        await house.phone.shows("3", l="Key 3", c=None)
        await house.run(action)
        await house.shows(document)


async def a_call(house: House, blocks: list[Block]) -> None:
    """Also press the key: the press has caller and number."""
    await each_alone(house, blocks)
    presses = async_capture_events(house.hass, "snom_buttons_key_press")
    await house.run(blocks[0])
    await house.shows(blocks[1])
    assert (await house.phone.invite("*6013")).status == 486
    await house.hass.async_block_till_done()
    state = house.hass.states.get("event.phone_44_key_3_press")
    assert state is not None
    for press in (presses[0].data, state.attributes):
        assert press["action"] == "invite"
        assert press["number"] == "*6013"
        assert press["caller"] == "19781234567"
    await house.run(blocks[2])
    await house.shows(blocks[3])


async def anything_else(house: House, blocks: list[Block]) -> None:
    """Also check the key that is not set up."""
    await each_alone(house, blocks)
    assert await house.phone.shows("99", c="on") == {"c": "on", "z": "something new"}


async def toggles(house: House, blocks: list[Block]) -> None:
    off, on, automation = blocks
    await house.automate(automation)
    muted = [
        async_mock_service(house.hass, "input_boolean", f"turn_{state}")
        for state in ("on", "off")
    ]
    await house.shows(off)
    assert (await house.phone.press("11")).status == 200
    await house.shows(on)
    await reaches(house.hass, "switch.phone_44_dnd", "on")
    assert (await house.phone.press("11")).status == 200
    await house.shows(off)
    await house.hass.async_block_till_done()
    assert [len(calls) for calls in muted] == [1, 1]


async def a_shared_line(house: House, blocks: list[Block]) -> None:
    free, seized, by_hand, seized_by_hand, automation = blocks
    await house.automate(automation)
    notifications = async_mock_service(house.hass, "persistent_notification", "create")
    both = house.phone, house.other
    for phone in both:
        await house.shows(free, phone)
    assert (await house.phone.press("12", "seize")).status == 200
    for phone in both:
        await house.shows(seized, phone)
    await house.hass.async_block_till_done()
    assert [call.data["message"] for call in notifications] == [
        "Phone 44 took the line"
    ]
    assert (await house.other.press("12", "release")).status == 200
    assert (await house.phone.press("12", "release")).status == 200
    for phone in both:
        await house.shows(free, phone)
    await house.run(by_hand)
    for phone in both:
        await house.shows(seized_by_hand, phone)
    state = house.hass.states.get("event.co2_use")
    assert state is not None
    assert state.attributes["event_types"] == ["seize", "release"]


async def dialling(house: House, blocks: list[Block]) -> None:
    (automation,) = blocks
    script = {"script": {"good_night": {"sequence": {"event": "good_night"}}}}
    assert await async_setup_component(house.hass, "script", script)
    await house.automate(automation)
    nights = async_capture_events(house.hass, "good_night")
    assert (await house.phone.invite("100")).status == 486
    await house.hass.async_block_till_done()
    assert len(nights) == 1


async def a_group(house: House, blocks: list[Block]) -> None:
    action, document = blocks
    await house.run(action)
    await house.shows(document)
    await house.shows(document, house.other)


async def a_linked_key(house: House, blocks: list[Block]) -> None:
    on, off, table, by_table, look, label, by_templates, actions = blocks
    for state, document in (("on", on), ("off", off)):
        house.hass.states.async_set("light.hall", state)
        await house.shows(document)

    # The editor reads YAML, and sends JSON.
    looks = json.loads(json.dumps(parse_yaml(table.content)))
    await house.link(look_table=looks)
    await house.shows(by_table)
    await house.link(look_template=look.content, label_template=label.content)
    await house.shows(by_templates)

    calls = async_mock_service(house.hass, "light", "turn_on")
    await house.link(actions=parse_yaml(actions.content))
    await house.phone.press("13", number="key13")
    await house.hass.async_block_till_done()
    assert [call.data for call in calls] == [
        {"entity_id": ["light.hall"], "brightness_pct": 30}
    ]


FLOWS: dict[str, Callable[[House, list[Block]], Awaitable[None]]] = {
    "A call on a key": a_call,
    "Anything else": anything_else,
    "Toggle keys": toggles,
    "Linked keys": a_linked_key,
    "Shared lines": a_shared_line,
    "Dialling": dialling,
    "The same key on many phones": a_group,
}


@pytest.mark.parametrize("heading", SECTIONS)
async def test_examples(house: House, heading: str) -> None:
    blocks = SECTIONS[heading]
    assert blocks, "a section without an example"
    await FLOWS.get(heading, each_alone)(house, blocks)


def test_every_property_of_the_document_has_its_section() -> None:
    page = PAGE.read_text()
    for letter in "coaldinbfmrstx":
        assert f"`{letter}=`" in page, letter
