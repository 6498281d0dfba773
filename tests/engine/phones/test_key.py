"""A key: its configured look, and what was set beyond that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.snom_buttons.engine.phones import Key, KeyKind, KeySetup
from custom_components.snom_buttons.engine.phones.storage import load_keys, save_keys
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    DocumentError,
    KeyDescription,
    LightMode,
    format_document,
)
from tests.support.descriptions import keys

PLAIN = KeyDescription(name="1", action=Action.MESSAGE, number="key1", label="Key 1")
LAMP = KeySetup(off=PLAIN)
SWITCH = KeySetup(off=PLAIN, on=replace(PLAIN, light=LightMode.ON))
TOGGLE = KeySetup(
    off=replace(PLAIN, number="*78", label="DND"),
    on=replace(PLAIN, number="*79", label="DND", light=LightMode.OFFLINE),
    toggles=True,
)


def make_key(setup: KeySetup, **shown: Any) -> Key:
    """Return a key that shows something beyond its configuration."""
    key = Key(setup, lambda *_: None)
    key.show(replace(key.look, **shown))
    return key


@pytest.mark.parametrize("setup", [LAMP, SWITCH, TOGGLE])
def test_a_key_is_off_to_begin_with(setup: KeySetup) -> None:
    key = make_key(setup)
    assert key.look == setup.off
    assert not key.is_on
    key.turn(False)
    assert key.look == setup.off


@given(st.lists(keys, min_size=3, max_size=3), st.lists(st.integers(0, 2)))
def test_the_document_is_that_of_the_look_in_any_order(
    looks: list[KeyDescription], order: list[int]
) -> None:
    """A key that shows its look before the last one has that document at hand."""
    sent: list[bytes] = []
    key = Key(LAMP, lambda key, _: sent.append(key.document))
    for number in order:
        look = replace(looks[number], name="1")
        changes = look != key.look
        key.show(look)
        assert key.look == look
        assert key.document == format_document((look,))
        assert sent[-1:] == [key.document] or not changes
        assert look.light in LightMode or look.light in key.other_lights


def test_turning_a_key_takes_what_its_looks_differ_in() -> None:
    key = make_key(TOGGLE, label="Pause", caller="100")
    key.turn(True)
    assert key.look == replace(TOGGLE.on, label="Pause", caller="100")
    assert key.is_on
    key.turn(False)
    assert key.look == replace(TOGGLE.off, label="Pause", caller="100")


def test_a_lamp_is_simply_lit() -> None:
    key = make_key(LAMP)
    key.turn(True)
    assert key.look == replace(PLAIN, light=LightMode.ON)


@pytest.mark.parametrize(
    ("shown", "on", "wanted"),
    [
        # Each look has its own label, which a toggle brings.
        ({"label": "Pause"}, True, {"label": "Open", "light": LightMode.ON}),
        # A colour that only one look has goes when that look goes.
        (
            {"color": "green"},
            True,
            {"label": "Open", "light": LightMode.ON, "color": "red"},
        ),
        # What neither look names stays.
        (
            {"display_name": "Hall", "extensions": (("z", "1"),)},
            True,
            {
                "label": "Open",
                "light": LightMode.ON,
                "color": "red",
                "display_name": "Hall",
                "extensions": (("z", "1"),),
            },
        ),
        # A light that was set by an action is on, and a toggle turns it off.
        ({"light": LightMode.PICKUP}, False, {}),
    ],
)
def test_looks_that_differ_in_more_than_the_lamp(
    shown: dict[str, Any], on: bool, wanted: dict[str, Any]
) -> None:
    door = KeySetup(
        off=replace(PLAIN, label="Closed"),
        on=replace(PLAIN, label="Open", light=LightMode.ON, color="red"),
    )
    key = make_key(door, **shown)
    key.turn(on)
    assert key.look == replace(door.off, **{"color": "red", **wanted} if on else wanted)
    assert key.is_on is on


def test_a_lamp_keeps_what_was_set_while_it_is_turned() -> None:
    key = make_key(LAMP, label="21 °C", color="red", light=LightMode.HOLD)
    key.turn(False)
    assert key.look == replace(PLAIN, label="21 °C", color="red")
    key.turn(True)
    assert key.look == replace(PLAIN, label="21 °C", color="red", light=LightMode.ON)


def test_a_switch_that_shines_while_it_is_off() -> None:
    """Such as the lamp of a locked door, which goes out when the switch is turned on."""
    locked = KeySetup(off=replace(PLAIN, light=LightMode.ON), on=PLAIN, toggles=True)
    key = make_key(locked)
    assert not key.is_on
    key.turn(True)
    assert (key.is_on, key.look) == (True, PLAIN)
    key.turn(False)
    assert (key.is_on, key.look) == (False, locked.off)


@pytest.mark.parametrize(
    ("before", "shown", "after", "wanted"),
    [
        pytest.param(
            LAMP,
            {"light": LightMode.HOLD, "color": "red"},
            KeySetup(off=replace(PLAIN, label="Hall")),
            replace(PLAIN, label="Hall", light=LightMode.HOLD, color="red"),
            id="a renamed lamp stays lit",
        ),
        pytest.param(
            LAMP,
            {"label": "21 °C", "caller": "100"},
            KeySetup(off=replace(PLAIN, label="Hall")),
            replace(PLAIN, label="21 °C", caller="100"),
            id="what was set stays",
        ),
        pytest.param(
            LAMP,
            {"label": None},
            KeySetup(off=replace(PLAIN, label="Hall")),
            replace(PLAIN, label=None),
            id="what was taken away stays away",
        ),
        pytest.param(
            LAMP,
            {"light": LightMode.HOLD},
            TOGGLE,
            TOGGLE.on,
            id="a lit lamp becomes a switch that is on",
        ),
        pytest.param(LAMP, {}, TOGGLE, TOGGLE.off, id="a dark lamp one that is off"),
        pytest.param(
            TOGGLE,
            {"light": LightMode.OFFLINE, "number": "*79"},
            LAMP,
            replace(PLAIN, light=LightMode.OFFLINE),
            id="a switch that is on becomes a lit lamp",
        ),
        pytest.param(
            TOGGLE,
            {"light": LightMode.OFFLINE, "number": "*79"},
            replace(TOGGLE, on=replace(TOGGLE.on, light=LightMode.ERROR, number="*0")),
            replace(TOGGLE.on, light=LightMode.ERROR, number="*0"),
            id="a switch that is on takes its new look",
        ),
        pytest.param(
            SWITCH,
            {"light": LightMode.HOLD},
            KeySetup(
                off=replace(PLAIN, label="Hall"),
                on=replace(PLAIN, label="Hall", light=LightMode.ON),
            ),
            replace(PLAIN, label="Hall", light=LightMode.HOLD),
            id="a light that was set on a switch stays",
        ),
        pytest.param(
            SWITCH,
            {"light": LightMode.ON, "label": "21 °C"},
            LAMP,
            replace(PLAIN, light=LightMode.ON, label="21 °C"),
            id="a label that was set outlives a switch that becomes a lamp",
        ),
        pytest.param(
            LAMP,
            {"light": LightMode.PARK, "label": "21 °C", "color": "red"},
            TOGGLE,
            replace(TOGGLE.on, label="21 °C", color="red"),
            id="and a lamp that becomes a switch",
        ),
        pytest.param(
            TOGGLE,
            {"light": LightMode.OFFLINE, "number": "*79", "label": "Pause"},
            replace(TOGGLE, off=replace(TOGGLE.off, number="*70", label="Busy")),
            replace(TOGGLE.on, label="Pause"),
            id="what a key looks like while it is off is no matter while it is on",
        ),
        pytest.param(
            TOGGLE,
            {"label": "Pause"},
            replace(TOGGLE, off=replace(TOGGLE.off, light=LightMode.ON, number="*70")),
            replace(TOGGLE.off, light=LightMode.ON, number="*70", label="Pause"),
            id="a switch that is off takes its new look",
        ),
        pytest.param(
            LAMP,
            {"light": LightMode.HOLD},
            KeySetup(off=replace(PLAIN, light=LightMode.HOLD)),
            replace(PLAIN, light=LightMode.HOLD),
            id="a lamp that is to begin with what it was set to",
        ),
        pytest.param(
            LAMP,
            {"number": "*1", "action": Action.INVITE},
            KeySetup(off=replace(PLAIN, number="*2")),
            replace(PLAIN, number="*1", action=Action.INVITE),
            id="a number that was set stays",
        ),
    ],
)
def test_a_new_configuration_keeps_what_was_set_beyond_the_old(
    before: KeySetup, shown: dict[str, Any], after: KeySetup, wanted: KeyDescription
) -> None:
    key = make_key(before, **shown)
    key.configure(after)
    assert key.look == wanted
    # A restart in between makes no difference.
    looks, unconfigured = load_keys(
        orjson.loads(orjson.dumps(save_keys([make_key(before, **shown).saved], []))),
        "44",
    )
    assert unconfigured == []
    restored = Key(after, lambda *_: None)
    restored.restore(looks[0])
    assert restored.look == wanted


GREEN = replace(PLAIN, light=LightMode.HOLD, color="green", label="21 °C")
COLORED = replace(LAMP, colors=True)
UNUSED = replace(LAMP, kind=KeyKind.NONE)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (LAMP, UNUSED, PLAIN),
        (COLORED, replace(UNUSED, colors=True), PLAIN),
        (UNUSED, LAMP, GREEN),
        (UNUSED, replace(UNUSED, title="Hall"), GREEN),
        (COLORED, LAMP, replace(GREEN, color=None)),
        (COLORED, replace(COLORED, title="Hall"), GREEN),
        (LAMP, COLORED, GREEN),
        (LAMP, replace(LAMP, title="Hall"), GREEN),
        (replace(UNUSED, colors=True), UNUSED, replace(GREEN, color=None)),
        (COLORED, TOGGLE, replace(TOGGLE.on, label="21 °C")),
    ],
)
def test_what_a_key_is_no_longer_used_for_goes_dark(
    before: KeySetup, after: KeySetup, wanted: KeyDescription
) -> None:
    """What was set on an unused key, or a colour set on a lamp without colours, stays."""
    shown = {"light": GREEN.light, "color": GREEN.color, "label": GREEN.label}
    key = make_key(before, **shown)
    key.configure(after)
    assert key.look == wanted
    looks, _ = load_keys(
        orjson.loads(orjson.dumps(save_keys([make_key(before, **shown).saved], []))),
        "44",
    )
    restored = Key(after, lambda *_: None)
    restored.restore(looks[0])
    assert restored.look == wanted


def test_what_is_configured_as_it_was_set_follows_the_configuration_then() -> None:
    key = make_key(LAMP, label="Hall")
    hall = KeySetup(off=replace(PLAIN, label="Hall"))
    key.configure(hall)
    key.configure(LAMP)
    assert key.look.label == "Key 1"


def test_a_configuration_that_cannot_be_written_changes_nothing() -> None:
    key = make_key(LAMP)
    for broken in (
        KeySetup(off=replace(PLAIN, label="two\nlines")),
        KeySetup(off=PLAIN, on=replace(PLAIN, number="")),
    ):
        with pytest.raises(DocumentError):
            key.configure(broken)
        with pytest.raises(DocumentError):
            Key(broken, lambda *_: None)
    assert key.setup == LAMP
    assert key.look == PLAIN


def test_a_look_that_is_shown_already_is_no_change() -> None:
    changes: list[bool] = []
    key = Key(LAMP, lambda _, only_label: changes.append(only_label))
    key.show(PLAIN)
    key.configure(LAMP)
    assert changes == []
    key.show(replace(PLAIN, label="Hall"))
    key.show(replace(PLAIN, label="Yard", light=LightMode.ON))
    key.show(replace(PLAIN, light=LightMode.ON))
    key.turn(False)
    assert changes == [True, False, True, False]


def test_a_reset_shows_off_and_says_so_even_if_nothing_changes() -> None:
    key = make_key(LAMP, label="Other")
    happened: list[object] = []
    key.was_reset.subscribe(happened.append)
    for cause in ("first", "second"):
        key.reset(cause)
        assert key.look == PLAIN
    assert happened == ["first", "second"]
