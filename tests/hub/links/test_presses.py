"""The automatic action of each domain, row by row of docs/keys.md."""

from typing import Any

import pytest

from custom_components.snom_buttons.hub.links.presses import (
    acted_on,
    call_for,
    is_confirmed,
    needs_confirmation,
)
from custom_components.snom_buttons.hub.settings import LinkSettings
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er

PLAIN = LinkSettings(follows="light.it")
NO_CODE = LinkSettings(follows="light.it", no_code=True)
CODE = LinkSettings(follows="light.it", code="1234")

ROWS: list[tuple[str, str, str | None]] = [
    *(
        (domain, "on", f"{domain}.toggle")
        for domain in (
            "light",
            "switch",
            "input_boolean",
            "fan",
            "humidifier",
            "siren",
            "remote",
            "automation",
            "climate",
        )
    ),
    ("group", "on", "homeassistant.toggle"),
    *(
        (
            kind,
            state,
            f"{kind}.{action}" if "toggle" in action else f"{kind}.{action}_{kind}",
        )
        for kind in ("cover", "valve")
        for state, action in (
            ("closed", "open"),
            ("open", "close"),
            ("opening", "stop"),
            ("closing", "stop"),
            ("unknown", "toggle"),
        )
    ),
    ("lock", "locked", "lock.unlock"),
    ("lock", "locking", "lock.unlock"),
    ("lock", "unlocked", "lock.lock"),
    ("lock", "unlocking", "lock.lock"),
    ("lock", "open", "lock.lock"),
    ("lock", "jammed", "lock.lock"),
    ("alarm_control_panel", "disarmed", None),
    ("binary_sensor", "on", None),
    ("media_player", "playing", "media_player.media_play_pause"),
    ("media_player", "paused", "media_player.media_play_pause"),
    ("water_heater", "off", "water_heater.turn_on"),
    ("water_heater", "eco", "water_heater.turn_off"),
    ("person", "home", None),
    ("device_tracker", "home", None),
    ("zone", "1", None),
    ("timer", "idle", "timer.start"),
    ("timer", "paused", "timer.start"),
    ("timer", "active", "timer.cancel"),
    ("vacuum", "docked", "vacuum.start"),
    ("vacuum", "cleaning", "vacuum.return_to_base"),
    ("lawn_mower", "docked", "lawn_mower.start_mowing"),
    ("lawn_mower", "mowing", "lawn_mower.dock"),
    ("scene", "unknown", "scene.turn_on"),
    ("script", "on", "script.turn_on"),
    ("script", "off", "script.turn_on"),
    ("button", "unknown", "button.press"),
    ("input_button", "unknown", "input_button.press"),
    *(
        (domain, "on", None)
        for domain in (
            "calendar",
            "update",
            "todo",
            "sensor",
            "number",
            "select",
            "input_number",
            "input_select",
            "input_text",
            "input_datetime",
            "counter",
            "weather",
            "sun",
        )
    ),
]


@pytest.mark.parametrize(("domain", "state", "action"), ROWS)
def test_a_press_has_its_action(domain: str, state: str, action: str | None) -> None:
    call = call_for(State(f"{domain}.it", state), PLAIN)
    assert (call and f"{call.domain}.{call.service}") == action
    assert call is None or call.data == {"entity_id": f"{domain}.it"}


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ("disarmed", "alarm_arm_away"),
        ("armed_home", "alarm_disarm"),
        ("pending", "alarm_disarm"),
        ("triggered", "alarm_disarm"),
    ],
)
def test_an_alarm_panel_needs_a_code_or_that_there_is_none(
    state: str, action: str
) -> None:
    panel = State("alarm_control_panel.it", state)
    call = call_for(panel, NO_CODE)
    assert call and call.service == action
    assert call.data == {"entity_id": panel.entity_id}
    call = call_for(panel, CODE)
    assert call and call.service == action
    assert call.data == {"entity_id": panel.entity_id, "code": "1234"}


def test_a_lock_gets_the_code_and_nothing_else_does() -> None:
    call = call_for(State("lock.it", "locked"), CODE)
    assert call and call.data["code"] == "1234"
    call = call_for(State("light.it", "on"), CODE)
    assert call and "code" not in call.data


@pytest.mark.parametrize(
    ("entity_id", "device_class", "wanted"),
    [
        ("lock.it", None, True),
        ("alarm_control_panel.it", None, True),
        ("cover.it", "garage", True),
        ("cover.it", "gate", True),
        ("cover.it", "door", True),
        ("cover.it", "blind", False),
        ("cover.it", None, False),
        ("light.it", None, False),
        ("valve.it", None, False),
    ],
)
def test_a_press_is_confirmed_where_it_opens_the_house(
    entity_id: str, device_class: str | None, wanted: bool
) -> None:
    state = State(entity_id, "closed", {"device_class": device_class})
    assert is_confirmed(state) is wanted


@pytest.mark.parametrize("kind", ["cover", "valve"])
def test_what_cannot_be_stopped_turns_round(kind: str) -> None:
    for features, service in ((11, f"stop_{kind}"), (3, "toggle")):
        for moving in ("opening", "closing"):
            state = State(f"{kind}.it", moving, {"supported_features": features})
            call = call_for(state, PLAIN)
            assert call and call.service == service


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        (["light.a", "lock.b"], True),
        (["light.a", "cover.garage"], True),
        (["light.a", "cover.blind"], False),
        (["light.a", "cover.gone"], False),
        (["light.a", "group.inner"], True),
        (["group.circle"], False),
        ("all", False),
    ],
)
@pytest.mark.parametrize("group", ["group.it", "scene.it"])
async def test_a_group_is_confirmed_if_a_member_is(
    hass: HomeAssistant, members: Any, wanted: bool, group: str
) -> None:
    hass.states.async_set("group.inner", "on", {"entity_id": ["lock.b"]})
    hass.states.async_set("group.circle", "on", {"entity_id": ["group.it", group]})
    hass.states.async_set("cover.garage", "closed", {"device_class": "garage"})
    hass.states.async_set("cover.blind", "closed", {"device_class": "blind"})
    state = State(group, "on", {"entity_id": members})
    hass.states.async_set("group.it", "on", {"entity_id": members})
    assert needs_confirmation(hass, state, PLAIN) is wanted


@pytest.mark.parametrize(
    "attributes",
    [
        {"supported_features": "x"},
        {"entity_id": [1, "x", None, {}]},
        {"device_class": ["garage"]},
    ],
)
async def test_attributes_of_any_kind_change_nothing(
    hass: HomeAssistant, attributes: dict[str, Any]
) -> None:
    state = State("cover.it", "opening", attributes)
    assert not needs_confirmation(hass, state, PLAIN)
    call = call_for(state, PLAIN)
    assert call and call.service == "stop_cover"


async def test_an_entity_that_is_not_there_has_its_registered_class(
    hass: HomeAssistant,
) -> None:
    gate = {"original_device_class": "gate"}
    er.async_get(hass).async_get_or_create("cover", "demo", "1", **gate)
    for entity_id, wanted in (("cover.demo_1", True), ("cover.other", False)):
        state = acted_on(hass, entity_id)
        assert state.state == "unavailable"
        assert needs_confirmation(hass, state, PLAIN) is wanted
