"""A scene brings back each state that a key can have: what an entity reports it accepts.

Home Assistant's own `scene.create` takes the snapshots. The states are set by documents,
which can contain anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any, Final

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.snom_buttons.engine.keywords.fields import MAX_LABEL
from custom_components.snom_buttons.engine.phones.key import MAX_REMEMBERED
from custom_components.snom_buttons.engine.xbuttons import (
    Color,
    KeyDescription,
    LightMode,
    format_document,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones, key_data, update_phone
from tests.support.rawphone import RawPhone

KEYS: Final = [
    key_data("1"),
    key_data("2", colors=True),
    key_data("3", kind="switch"),
    key_data("4", kind="switch", light_on="hold", light_off="message"),
    key_data("5", kind="switch", light_on="off", light_off="on"),
]
LIGHTS: Final = [*LightMode, "disco", "On", "x" * 300]
"""Light modes of the document, and words that only a document can bring."""
COLORS: Final = [
    None,
    *Color,
    *("#0000FF", "#000080", "#FF0000", "#ff8800", "#112233", "#FFEEEE", "#000000"),
    *("mauve", "#broken"),
]
LABELS: Final = [
    None,
    "21.5 °C",
    "unavailable",
    "a",
    "x" * (MAX_LABEL + 1),
    "x" * (MAX_LABEL - 1) + " behind a blank",
    "¨" * 1000,
]
WHITE: Final = (0, 0)


def entities(key: str) -> list[str]:
    kind = "light" if key in "12" else "switch"
    return [f"{kind}.phone_44_key_{key}", f"text.phone_44_key_{key}_label"]


@pytest.fixture
async def phone(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> RawPhone:
    """Return phone 44, registered, with all kinds of keys and enabled labels."""
    update_phone(hass, config_entry, keys=KEYS)
    for key in KEYS:
        er.async_get(hass).async_get_or_create(
            "text",
            "snom_buttons",
            f"subentry_44_{key['key']}_label",
            config_entry=config_entry,
            config_subentry_id="subentry_44",
            suggested_object_id=f"phone_44_key_{key['key']}_label",
            disabled_by=None,
        )
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    assert await async_setup_component(hass, "scene", {})
    await hass.async_block_till_done()
    registered: RawPhone = await phones()
    return registered


def looks(key: str) -> Iterator[KeyDescription]:
    """Yield a look for each way in which the states of a key can differ."""
    colors = COLORS if key == "2" else [None, Color.RED, "#0000FF"]
    for light, color in product(LIGHTS, colors):
        yield KeyDescription(name=key, light=light, color=color)
    for light, label in product((LightMode.OFF, LightMode.HOLD), LABELS):
        yield KeyDescription(name=key, light=light, label=label)


async def show(hass: HomeAssistant, look: KeyDescription) -> None:
    await hass.services.async_call(
        "snom_buttons",
        "send_document",
        {"document": format_document((look,)).decode()},
        target={"entity_id": entities(look.name)[0]},
        blocking=True,
    )


async def call(hass: HomeAssistant, domain: str, action: str, **data: Any) -> None:
    await hass.services.async_call(domain, action, data, blocking=True)


def attributes_of(hass: HomeAssistant, entity_id: str) -> dict[str, Any]:
    state = hass.states.get(entity_id)
    assert state is not None
    return dict(state.attributes)


def states(hass: HomeAssistant, key: str) -> list[tuple[str, dict[str, Any]]]:
    """Return state and attributes of the key's entities; what they offer may grow."""
    found = []
    for entity_id in entities(key):
        state = hass.states.get(entity_id)
        assert isinstance(state, State)
        attributes = dict(state.attributes)
        attributes.pop("effect_list", None)
        found.append((state.state, attributes))
    return found


@over_both_speakers
@pytest.mark.parametrize("key", [key["key"] for key in KEYS])
async def test_each_state_of_a_key_comes_back(
    hass: HomeAssistant, phone: RawPhone, key: str
) -> None:
    chance = Random(key)
    all_looks = list(looks(key))
    for look in all_looks:
        await show(hass, look)
        before = states(hass, key)
        if key in "12":
            attributes = before[0][1]
            effects = attributes_of(hass, entities(key)[0])["effect_list"]
            assert attributes["effect"] in [None, *effects]
        await call(
            hass,
            "scene",
            "create",
            scene_id="before",
            snapshot_entities=entities(key),
        )
        for other in chance.sample(all_looks, 2):
            await show(hass, other)
        await call(hass, "scene", "turn_on", entity_id="scene.before")
        assert states(hass, key) == before, look


async def test_a_lamp_of_one_colour_reports_no_colour_and_no_brightness(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    for light in LightMode:
        await show(hass, KeyDescription(name="1", light=light, color=Color.GREEN))
        assert states(hass, "1")[0][1].keys() == {
            "color_mode",
            "effect",
            "friendly_name",
            "supported_color_modes",
            "supported_features",
        }


async def test_the_colour_that_a_phone_chooses_is_white(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    """Not one that it may not have; and white leaves the choice to the phone."""
    lamp, _ = entities("2")
    await call(hass, "light", "turn_on", entity_id=lamp)
    assert attributes_of(hass, lamp)["color_mode"] == "white"
    for white in ({"hs_color": WHITE}, {"white": True}, {"white": 100}):
        await call(hass, "light", "turn_on", entity_id=lamp, color_name="green")
        await phone.shows("2", c="on", o="green")
        await call(hass, "light", "turn_on", entity_id=lamp, **white)
        assert attributes_of(hass, lamp)["color_mode"] == "white"
        # In a colour of its own it would have an icon that is white on white.
        assert attributes_of(hass, lamp)["rgb_color"] is None
        await phone.shows("2", c="on", o=None)


async def test_what_comes_back_is_what_a_document_brought(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    """Word by word, not only by what Home Assistant can show of it."""
    look = KeyDescription(name="2", light="disco", color="#000080")
    await show(hass, look)
    await call(
        hass,
        "scene",
        "create",
        scene_id="before",
        snapshot_entities=entities("2")[:1],
    )
    await show(hass, replace(look, light=LightMode.ON, color=Color.RED))
    await phone.shows("2", c="on", o="red")
    await call(hass, "scene", "turn_on", entity_id="scene.before")
    await phone.shows("2", c="disco", o="#000080")


async def test_foreign_words_are_remembered_within_limits(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    lamp, _ = entities("2")
    before = attributes_of(hass, lamp)["effect_list"]
    words = [f"word{n}" for n in range(2 * MAX_REMEMBERED)]
    for n, word in enumerate([*words, words[-MAX_REMEMBERED]]):
        look = KeyDescription(name="2", light=word, color=f"#0000{n:02X}")
        await show(hass, look)
    after = attributes_of(hass, lamp)["effect_list"]
    assert set(after) == {*before, *words[-MAX_REMEMBERED:]}


async def test_a_word_that_comes_back_changes_no_list(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    """Home Assistant stores what a light can do, and warns if that changes often."""
    changes = async_capture_events(hass, er.EVENT_ENTITY_REGISTRY_UPDATED)
    for word in 5 * ["disco", "rave"]:
        await show(hass, KeyDescription(name="1", light=word))
    await hass.async_block_till_done()
    assert len(changes) == 2
