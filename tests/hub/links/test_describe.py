"""The line that says what a linked key follows and does."""

from typing import Any

import pytest

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.hub.links.describe import describe, entity_name
from custom_components.snom_buttons.hub.links.presses import DEEDS, call_for, deed_of
from custom_components.snom_buttons.hub.settings import KeySettings, LinkSettings
from custom_components.snom_buttons.hub.texts import async_load_texts
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from tests.support.entries import key_data


def line(hass: HomeAssistant, follows: str, **changes: Any) -> str:
    data = key_data("1", kind="linked", follows=follows, **changes)
    return describe(hass, KeySettings.from_dict(data))


async def test_a_name_is_shown_without_what_would_end_the_line(
    hass: HomeAssistant,
) -> None:
    hass.states.async_set(
        "light.hall", "on", {"friendly_name": "Hall\r\n# Free\u202e \x1bbeer"}
    )
    assert entity_name(hass, "light.hall") == "Hall# Free beer"
    hass.states.async_set("light.hall", "on", {"friendly_name": "\n"})
    assert entity_name(hass, "light.hall") == "light.hall"


@pytest.fixture(params=["en", "de"])
async def language(hass: HomeAssistant, request: pytest.FixtureRequest) -> str:
    hass.config.language = request.param
    await async_load_texts(hass)
    return str(request.param)


@pytest.fixture
async def texts(hass: HomeAssistant) -> None:
    await async_load_texts(hass)


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize(
    ("follows", "changes", "expected"),
    [
        ("light.hall", {}, "follows Hall; a press toggles it"),
        ("light.gone", {}, "follows light.gone; a press toggles it"),
        (
            "cover.garage",
            {},
            "follows Garage; a press opens, stops or closes it (press twice)",
        ),
        (
            "cover.garage",
            {"confirm": "never"},
            "follows Garage; a press opens, stops or closes it",
        ),
        ("sensor.power", {}, "follows sensor.power; a press does nothing"),
        (
            "sensor.power",
            {"target": "light.hall", "confirm": "always"},
            "follows sensor.power; a press toggles Hall (press twice)",
        ),
        (
            "light.hall",
            {"press": "nothing"},
            "follows Hall; a press does nothing",
        ),
        (
            "light.hall",
            {"actions": [{"event": "x"}]},
            "follows Hall; a press runs actions of its own",
        ),
        (
            "alarm_control_panel.home",
            {},
            (
                "follows alarm_control_panel.home; a press does nothing until Code or No code"
                " is set"
            ),
        ),
        (
            "alarm_control_panel.home",
            {"no_code": True},
            "follows alarm_control_panel.home; a press arms or disarms it (press twice)",
        ),
    ],
)
async def test_a_line_names_entity_and_press(
    hass: HomeAssistant, follows: str, changes: dict[str, Any], expected: str
) -> None:
    hass.states.async_set("light.hall", "on", {"friendly_name": "Hall"})
    garage = {"friendly_name": "Garage", "device_class": "garage"}
    hass.states.async_set("cover.garage", "open", garage)
    assert line(hass, follows, **changes) == expected


@pytest.mark.usefixtures("texts")
async def test_an_entity_that_is_not_there_yet_is_known_from_the_registry(
    hass: HomeAssistant,
) -> None:
    er.async_get(hass).async_get_or_create(
        "cover",
        "demo",
        "1",
        original_name="Garage",
        original_device_class="garage",
    )
    assert line(hass, "cover.demo_1") == (
        "follows Garage; a press opens, stops or closes it (press twice)"
    )


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize("kind", ["light", "switch", "none"])
async def test_a_key_without_a_link_has_no_line(hass: HomeAssistant, kind: str) -> None:
    link = LinkSettings(follows="light.hall")
    data = key_data("1", kind=kind)
    assert describe(hass, KeySettings.from_dict(data)) == ""
    stray = KeySettings(key="1", name="1", link=link)
    assert describe(hass, stray) == ""


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("domain", [*Platform, "group", "input_button", "script"])
async def test_each_domain_has_its_words_in_each_language(
    hass: HomeAssistant, language: str, domain: str
) -> None:
    said = line(hass, f"{domain}.it", no_code=True)
    nothing = line(hass, "sensor.it").partition("; ")[2]
    state = State(f"{domain}.it", "on")
    acts = call_for(state, LinkSettings(follows="x.y", no_code=True)) is not None
    assert (deed_of(domain) in DEEDS) is acts
    assert (said.partition("; ")[2] != nothing) is acts
    assert said.startswith("follows " if language == "en" else "folgt ")
    assert DOMAIN not in said
