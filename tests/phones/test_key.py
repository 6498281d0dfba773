"""A key: what it is configured to show, and what was set beyond that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.snom_buttons.phones import (
    Action,
    DocumentError,
    Key,
    KeyDescription,
    KeySetup,
    Light,
)
from custom_components.snom_buttons.phones.storage import load_keys, save_keys

PLAIN = KeyDescription(name="1", action=Action.MESSAGE, number="key1", label="Key 1")
LAMP = KeySetup(off=PLAIN)
SWITCH = KeySetup(off=PLAIN, on=replace(PLAIN, light=Light.ON))
TOGGLE = KeySetup(
    off=replace(PLAIN, number="*78", label="DND"),
    on=replace(PLAIN, number="*79", label="DND", light=Light.OFFLINE),
    toggles=True,
)


def make_key(setup: KeySetup, **shown: Any) -> Key:
    """Return a key that shows something beyond its configuration."""
    key = Key(setup, lambda *_: None)
    key.show(replace(key.description, **shown))
    return key


@pytest.mark.parametrize("setup", [LAMP, SWITCH, TOGGLE])
def test_a_key_is_off_to_begin_with(setup: KeySetup) -> None:
    key = make_key(setup)
    assert key.description == setup.off
    assert not key.is_on
    key.turn(False)
    assert key.description == setup.off


def test_turning_a_key_takes_what_its_looks_differ_in() -> None:
    key = make_key(TOGGLE, label="Pause", caller="100")
    key.turn(True)
    assert key.description == replace(TOGGLE.on, label="Pause", caller="100")
    assert key.is_on
    key.turn(False)
    assert key.description == replace(TOGGLE.off, label="Pause", caller="100")


def test_a_lamp_is_simply_lit() -> None:
    key = make_key(LAMP)
    key.turn(True)
    assert key.description == replace(PLAIN, light=Light.ON)


@pytest.mark.parametrize(
    ("before", "shown", "after", "wanted"),
    [
        pytest.param(
            LAMP,
            {"light": Light.HOLD, "color": "red"},
            KeySetup(off=replace(PLAIN, label="Hall")),
            replace(PLAIN, label="Hall", light=Light.HOLD, color="red"),
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
            {"light": Light.HOLD},
            TOGGLE,
            TOGGLE.on,
            id="a lit lamp becomes a switch that is on",
        ),
        pytest.param(LAMP, {}, TOGGLE, TOGGLE.off, id="a dark lamp one that is off"),
        pytest.param(
            TOGGLE,
            {"light": Light.OFFLINE, "number": "*79"},
            LAMP,
            replace(PLAIN, light=Light.OFFLINE),
            id="a switch that is on becomes a lit lamp",
        ),
        pytest.param(
            TOGGLE,
            {"light": Light.OFFLINE, "number": "*79"},
            replace(TOGGLE, on=replace(TOGGLE.on, light=Light.ERROR, number="*0")),
            replace(TOGGLE.on, light=Light.ERROR, number="*0"),
            id="a switch that is on takes its new look",
        ),
        pytest.param(
            SWITCH,
            {"light": Light.HOLD},
            KeySetup(
                off=replace(PLAIN, label="Hall"),
                on=replace(PLAIN, label="Hall", light=Light.ON),
            ),
            replace(PLAIN, label="Hall", light=Light.HOLD),
            id="a light that was set on a switch stays",
        ),
    ],
)
def test_a_new_configuration_keeps_what_was_set_beyond_the_old(
    before: KeySetup, shown: dict[str, Any], after: KeySetup, wanted: KeyDescription
) -> None:
    key = make_key(before, **shown)
    key.configure(after)
    assert key.description == wanted
    # A restart in between makes no difference.
    pictures, others = load_keys(
        orjson.loads(orjson.dumps(save_keys([make_key(before, **shown).picture], [])))
    )
    assert others == []
    restored = Key(after, lambda *_: None)
    restored.restore(pictures[0])
    assert restored.description == wanted


def test_what_is_configured_as_it_was_set_follows_the_configuration_then() -> None:
    key = make_key(LAMP, label="Hall")
    hall = KeySetup(off=replace(PLAIN, label="Hall"))
    key.configure(hall)
    key.configure(LAMP)
    assert key.description.label == "Key 1"


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
    assert key.description == PLAIN


def test_what_is_shown_already_is_not_told() -> None:
    told: list[bool] = []
    key = Key(LAMP, lambda _, only_label: told.append(only_label))
    key.show(PLAIN)
    key.configure(LAMP)
    assert told == []
    key.show(replace(PLAIN, label="Hall"))
    key.show(replace(PLAIN, label="Yard", light=Light.ON))
    key.show(replace(PLAIN, light=Light.ON))
    key.turn(False)
    assert told == [True, False, True, False]


# The store

TEXTS = st.text(
    st.characters(blacklist_categories=["Cc", "Cs"]), min_size=1, max_size=20
).filter(lambda text: text == text.strip(" "))
DESCRIPTIONS = st.builds(
    KeyDescription,
    name=st.sampled_from("123"),
    light=st.sampled_from(Light) | TEXTS,
    number=st.none() | TEXTS,
    label=st.none() | TEXTS,
    caller=st.none() | TEXTS,
    action=st.sampled_from(Action),
)


@given(DESCRIPTIONS, st.data())
def test_a_restart_brings_back_any_picture(
    shown: KeyDescription, data: st.DataObject
) -> None:
    configured = replace(data.draw(DESCRIPTIONS), name=shown.name, light=Light.OFF)
    key = Key(KeySetup(off=configured), lambda *_: None)
    key.show(shown)
    stored = orjson.loads(orjson.dumps(save_keys([key.picture], [])))
    pictures, _ = load_keys(stored)
    again = Key(key.setup, lambda *_: None)
    again.restore(pictures[0])
    assert again.description == shown


@pytest.mark.parametrize(
    "item",
    [
        None,
        7,
        {},
        {"shown": 7},
        {"shown": "no document"},
        {"shown": ""},
        {"shown": "k=1\r\n\r\nk=2\r\n"},
        {"shown": "k=1\r\n", "configured": None, "on": True},
        {"shown": "k=1\r\n", "configured": "c=on", "on": True},
        {"shown": "k=1\r\n", "configured": "k=1\r\n"},
    ],
    ids=repr,
)
def test_a_broken_picture_costs_no_other(
    item: object, caplog: pytest.LogCaptureFixture
) -> None:
    good = save_keys([make_key(LAMP, light=Light.ON).picture], [])
    pictures, others = load_keys([item, *good])
    assert [picture.shown.light for picture in pictures] == [Light.ON]
    assert others == []
    assert "cannot be read" in caplog.text


def test_keys_that_are_not_configured_are_stored_as_they_are_shown() -> None:
    other = KeyDescription(name="P1", extensions=(("z", "new"),))
    assert load_keys(save_keys([], [other])) == ([], [other])
