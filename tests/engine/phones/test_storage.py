"""Looks outlive a restart, and a broken part of the store costs only that part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.snom_buttons.engine.phones import (
    Key,
    KeyKind,
    KeySetup,
    Phone,
    PhoneSetup,
)
from custom_components.snom_buttons.engine.phones.phone import MAX_UNCONFIGURED
from custom_components.snom_buttons.engine.phones.storage import load_keys, save_keys
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    Color,
    KeyDescription,
    LightMode,
)
from tests.support.descriptions import keys as descriptions

PLAIN = KeyDescription(name="1", action=Action.MESSAGE, number="key1", label="Key 1")


def make_key(setup: KeySetup) -> Key:
    return Key(setup, lambda *_: None)


def stored(saved: object) -> Any:
    """Return data as Home Assistant's store returns it."""
    return orjson.loads(orjson.dumps(saved))


@given(descriptions, descriptions, st.none() | descriptions, st.booleans())
def test_a_restart_brings_back_any_look(
    shown: KeyDescription, off: KeyDescription, on: KeyDescription | None, turned: bool
) -> None:
    """For any configuration, any look set beyond it, toggled or not."""
    setup = KeySetup(
        off=replace(off, name=shown.name),
        on=on and replace(on, name=shown.name),
    )
    key = make_key(setup)
    key.show(shown)
    key.turn(turned)
    looks, unconfigured = load_keys(stored(save_keys([key.saved], [])))
    assert unconfigured == []
    again = make_key(setup)
    again.restore(looks[0])
    assert again.look == key.look
    assert again.is_on == key.is_on
    assert again.document == key.document


@pytest.mark.parametrize(
    ("setup", "marks"),
    [
        (KeySetup(off=PLAIN), {}),
        (KeySetup(off=PLAIN, kind=KeyKind.NONE), {"used": False}),
        (KeySetup(off=PLAIN, colors=True), {"colors": True}),
    ],
)
def test_what_is_not_as_usual_of_a_key_is_stored(
    setup: KeySetup, marks: dict[str, bool]
) -> None:
    key = make_key(setup)
    document = "k=1\r\nn=key1\r\na=message\r\nl=Key 1\r\n\r\n"
    (item,) = save_keys([key.saved], [])
    assert item == {"configured": document, "shown": document, "on": False} | marks
    assert load_keys(stored([item])) == ([key.saved], [])


@given(st.lists(descriptions))
def test_keys_that_are_not_configured_come_back_as_they_are_shown(
    unconfigured: list[KeyDescription],
) -> None:
    assert load_keys(stored(save_keys([], unconfigured))) == ([], unconfigured)


@pytest.mark.parametrize(
    "item",
    [
        None,
        7,
        "k=1\r\n",
        [],
        {},
        {"shown": 7},
        {"shown": None},
        {"shown": "no document"},
        {"shown": ""},
        {"shown": "k=1\r\nl=\ud800"},
        {"shown": "k=1\r\n\r\nk=2\r\n"},
        {"shown": "k=1\r\n", "configured": None, "on": True},
        {"shown": "k=1\r\n", "configured": "c=on", "on": True},
        {"shown": "k=1\r\n", "configured": "", "on": True},
        {"shown": "k=1\r\n", "configured": "k=1\r\n"},
        {"shown": "", "configured": "", "on": True},
    ],
    ids=repr,
)
def test_a_broken_look_costs_one_warning_and_no_other_look(
    item: object, caplog: pytest.LogCaptureFixture
) -> None:
    key = make_key(KeySetup(off=PLAIN))
    key.turn(True)
    other = KeyDescription(name="P1")
    good = save_keys([key.saved], [other])
    assert load_keys([item, *good]) == ([key.saved], [other])
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message.startswith("A stored look of a key cannot be read: ")


@pytest.mark.parametrize("saved", [None, 7, {}, {"1": {}}, [], "", True], ids=repr)
def test_a_store_without_looks_is_no_fault(
    saved: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_keys(saved) == ([], [])
    assert caplog.records == []


# Version 0.1

TOGGLE = KeySetup(
    off=replace(PLAIN, number="*78"),
    on=replace(PLAIN, number="*79", light=LightMode.OFFLINE),
    toggles=True,
)


@pytest.mark.parametrize(
    ("document", "setup", "wanted"),
    [
        pytest.param(
            "k=1\r\nc=on\r\no=red\r\nn=key1\r\na=message\r\nl=Key 1\r\n\r\n",
            KeySetup(off=PLAIN),
            replace(PLAIN, light=LightMode.ON, color=Color.RED),
            id="a lamp with a colour",
        ),
        pytest.param(
            "k=1\r\nc=park\r\no=red\r\nn=old\r\na=message\r\nl=Old\r\n\r\n",
            KeySetup(off=PLAIN),
            replace(PLAIN, light=LightMode.PARK, color=Color.RED),
            id="all else is the configuration's",
        ),
        pytest.param(
            "k=1\r\nn=key1\r\na=message\r\nl=Key 1\r\n\r\n",
            KeySetup(off=PLAIN),
            PLAIN,
            id="a lamp that is off",
        ),
        pytest.param(
            "k=1\r\nc=on\r\nl=Key 1\r\n\r\n",
            TOGGLE,
            TOGGLE.on,
            id="a lit lamp that is a switch by now",
        ),
        pytest.param(
            "k=1\r\nl=Key 1\r\n\r\n",
            TOGGLE,
            TOGGLE.off,
            id="a dark lamp that is a switch by now",
        ),
    ],
)
def test_what_version_0_1_stored(
    document: str, setup: KeySetup, wanted: KeyDescription
) -> None:
    looks, unconfigured = load_keys(document)
    assert unconfigured == []
    key = make_key(setup)
    key.restore(looks[0])
    assert key.look == wanted


def test_the_keys_of_version_0_1_are_one_document() -> None:
    looks, _ = load_keys("k=1\r\nc=on\r\n\r\nk=2\r\n\r\n")
    shown = [(look.shown.name, look.is_on) for look in looks]
    assert shown == [("1", True), ("2", False)]


@pytest.mark.parametrize("document", ["no document", "c=on\r\n", "k=1\ud800"])
def test_a_broken_document_of_version_0_1_is_one_warning(
    document: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_keys(document) == ([], [])
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "The stored looks of a phone's keys cannot be read" in record.message


def test_what_could_not_be_stored_again_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Such as a document that fits only with short line ends."""
    large = "k=1\n" + "z=\n" * 21_000
    saved = [{"shown": large, "configured": "k=1\n", "on": False}, {"shown": large}]
    assert load_keys(saved) == ([], [])
    assert caplog.text.count("cannot be read") == 2


def test_not_more_keys_come_back_than_are_remembered() -> None:
    phone = Phone(PhoneSetup(extension="44", password="secret"))
    phone.restore([], [KeyDescription(name=f"{number}") for number in range(5000)])
    assert len(phone.unconfigured) == MAX_UNCONFIGURED
