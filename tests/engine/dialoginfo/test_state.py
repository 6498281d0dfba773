"""Which dialog state stands for which light mode."""

from __future__ import annotations

import pytest

from custom_components.snom_buttons.engine.dialoginfo import DialogState, state_of
from custom_components.snom_buttons.engine.xbuttons import LightMode

OFF, EARLY, ON = DialogState.TERMINATED, DialogState.EARLY, DialogState.CONFIRMED
STATES = {
    LightMode.OFF: OFF,
    LightMode.ON: ON,
    LightMode.HOLD: EARLY,
    LightMode.PICKUP: EARLY,
    LightMode.PARK: EARLY,
    LightMode.MESSAGE: ON,
    LightMode.OFFLINE: ON,
    LightMode.ERROR: ON,
    LightMode.SEIZED: ON,
    LightMode.RECORD: ON,
    "whatever": ON,
}


@pytest.mark.parametrize(("light", "state"), STATES.items())
def test_state(light: LightMode | str, state: DialogState) -> None:
    assert state_of(light) is state
    inverted = {OFF: ON, ON: OFF, EARLY: EARLY}
    assert state_of(light, is_inverted=True) is inverted[state]


def test_all_light_modes_are_there() -> None:
    assert set(LightMode) < set(STATES)


def test_a_table_of_its_own() -> None:
    table = {LightMode.MESSAGE: EARLY, LightMode.OFFLINE: OFF}
    assert state_of(LightMode.MESSAGE, table) is EARLY
    assert state_of(LightMode.OFFLINE, table) is OFF
    assert state_of(LightMode.OFFLINE, table, is_inverted=True) is ON
    assert state_of(LightMode.HOLD, table) is EARLY
    trying = {LightMode.ON: DialogState.TRYING}
    assert state_of(LightMode.ON, trying, is_inverted=True) is DialogState.TRYING
