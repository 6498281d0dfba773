"""The automatic look of each domain, row by row of docs/keys.md."""

from typing import Any

import pytest

from custom_components.snom_buttons.hub.links.looks import (
    BEGIN_UNKNOWN,
    VALUES,
    face_of,
)
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import State

HS = {"color_mode": "hs"}
HEATING = {"hvac_action": "heating"}

ROWS: list[tuple[str, str, dict[str, Any], str]] = [
    ("light", "off", {}, "off"),
    ("light", "on", {}, "on"),
    ("light", "on", HS | {"hs_color": (0, 100)}, "on red"),
    ("light", "on", HS | {"hs_color": (350, 80)}, "on red"),
    ("light", "on", HS | {"hs_color": (40, 90)}, "on orange"),
    ("light", "on", HS | {"hs_color": (100, 90)}, "on green"),
    ("light", "on", HS | {"hs_color": (0, 5)}, "on"),
    ("light", "on", HS | {"hs_color": None}, "on"),
    # A white lamp has a colour in numbers, too.
    ("light", "on", {"color_mode": "color_temp", "hs_color": (30, 60)}, "on"),
    ("light", "off", HS | {"hs_color": None}, "off"),
    *(
        (domain, state, {}, state)
        for domain in (
            "switch",
            "input_boolean",
            "fan",
            "humidifier",
            "siren",
            "remote",
            "group",
            "automation",
            "script",
        )
        for state in ("on", "off")
    ),
    ("group", "home", {}, "on"),
    ("group", "not_home", {}, "off"),
    ("group", "open", {}, "on"),
    ("group", "closed", {}, "off"),
    ("group", "unlocked", {}, "on"),
    *(
        (domain, state, {}, look)
        for domain in ("cover", "valve")
        for state, look in (
            ("closed", "off"),
            ("open", "on"),
            ("opening", "park"),
            ("closing", "park"),
            ("unknown", "off"),
        )
    ),
    ("lock", "locked", {}, "off"),
    ("lock", "unlocked", {}, "on red"),
    ("lock", "open", {}, "on red"),
    ("lock", "locking", {}, "park"),
    ("lock", "unlocking", {}, "park"),
    ("lock", "opening", {}, "park"),
    ("lock", "jammed", {}, "error red"),
    ("alarm_control_panel", "disarmed", {}, "off"),
    ("alarm_control_panel", "arming", {}, "hold"),
    ("alarm_control_panel", "pending", {}, "hold"),
    ("alarm_control_panel", "disarming", {}, "hold"),
    *(
        ("alarm_control_panel", f"armed_{how}", {}, "on red")
        for how in ("home", "away", "night", "vacation", "custom_bypass")
    ),
    ("alarm_control_panel", "triggered", {}, "pickup red"),
    ("binary_sensor", "on", {}, "on"),
    ("binary_sensor", "off", {}, "off"),
    ("binary_sensor", "on", {"device_class": "motion"}, "on"),
    *(
        ("binary_sensor", state, {"device_class": kind}, look)
        for kind in (
            "smoke",
            "gas",
            "carbon_monoxide",
            "safety",
            "problem",
            "tamper",
            "moisture",
        )
        for state, look in (("on", "pickup red"), ("off", "off"))
    ),
    ("media_player", "playing", {}, "on"),
    ("media_player", "paused", {}, "park"),
    *(
        ("media_player", state, {}, "off")
        for state in ("off", "on", "idle", "standby", "buffering")
    ),
    ("climate", "off", {}, "off"),
    ("climate", "off", {"hvac_action": "off"}, "off"),
    ("climate", "heat", {}, "on red"),
    ("climate", "heat", HEATING, "on red"),
    ("climate", "auto", HEATING, "on red"),
    ("climate", "heat", {"hvac_action": "preheating"}, "on red"),
    ("climate", "heat", {"hvac_action": "idle"}, "on green"),
    ("climate", "heat_cool", {"hvac_action": "cooling"}, "on green"),
    ("climate", "cool", {}, "on green"),
    ("climate", "dry", {"hvac_action": "drying"}, "on green"),
    ("climate", "fan_only", {"hvac_action": "fan"}, "on green"),
    ("water_heater", "off", {}, "off"),
    ("water_heater", "eco", {}, "on red"),
    ("person", "home", {}, "on"),
    ("person", "not_home", {}, "off"),
    ("person", "Office", {}, "off"),
    ("person", "unknown", {}, "off"),
    ("device_tracker", "home", {}, "on"),
    ("device_tracker", "not_home", {}, "off"),
    ("zone", "0", {}, "off"),
    ("zone", "2", {}, "on"),
    ("timer", "idle", {}, "off"),
    ("timer", "active", {}, "park"),
    ("timer", "paused", {}, "hold"),
    ("vacuum", "cleaning", {}, "on"),
    ("vacuum", "returning", {}, "park"),
    ("vacuum", "error", {}, "error"),
    ("vacuum", "docked", {}, "off"),
    ("vacuum", "idle", {}, "off"),
    ("lawn_mower", "mowing", {}, "on"),
    ("lawn_mower", "returning", {}, "park"),
    ("lawn_mower", "error", {}, "error"),
    ("lawn_mower", "docked", {}, "off"),
    ("scene", "2026-11-27T10:00:00+00:00", {}, "off"),
    ("scene", "unknown", {}, "off"),
    ("button", "unknown", {}, "off"),
    ("input_button", "unknown", {}, "off"),
    ("event", "unknown", {}, "off"),
    ("calendar", "on", {}, "message"),
    ("calendar", "off", {}, "off"),
    ("update", "on", {}, "message"),
    ("update", "off", {}, "off"),
    ("todo", "3", {}, "message"),
    ("todo", "0", {}, "off"),
    # A value that reads like a state lights no lamp.
    *((domain, "on", {}, "off") for domain in sorted(VALUES)),
    ("update", "unknown", {}, "off"),
    # A device that reports nothing begins like that.
    ("switch", "unknown", {"assumed_state": True}, "off"),
    ("lock", "unknown", {"assumed_state": True}, "off"),
    ("own_domain", "on", {}, "on"),
    ("own_domain", "off", {}, "off"),
]


@pytest.mark.parametrize(("domain", "state", "attributes", "look"), ROWS)
def test_a_state_has_its_look(
    domain: str, state: str, attributes: dict[str, Any], look: str
) -> None:
    face = face_of(State(f"{domain}.it", state, attributes))
    assert face is not None
    assert " ".join(filter(None, face)) == look


@pytest.mark.parametrize("domain", sorted({domain for domain, *_ in ROWS}))
def test_what_is_not_known_has_no_look(domain: str) -> None:
    assert face_of(None) is None
    assert face_of(State(f"{domain}.it", STATE_UNAVAILABLE)) is None
    unknown = face_of(State(f"{domain}.it", STATE_UNKNOWN))
    assert (unknown is None) == (domain not in BEGIN_UNKNOWN)
