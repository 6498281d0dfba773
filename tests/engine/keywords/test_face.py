"""What a lamp shows, in the words of users, and to a person who looks at it."""

from pathlib import Path
import re

from hypothesis import given, strategies as st
import pytest

from custom_components.snom_buttons.engine.dialoginfo import DialogState
from custom_components.snom_buttons.engine.keywords import (
    LAMP_SETTINGS,
    Face,
    Pattern,
    color_of,
    lamp_of_state,
    pattern_of,
    read_face,
)
from custom_components.snom_buttons.engine.provisioning import Profile, settings_of
from custom_components.snom_buttons.engine.refused import Refused
from custom_components.snom_buttons.engine.xbuttons import (
    Color,
    DocumentError,
    KeyDescription,
    LightMode,
    format_document,
    parse_document,
)
from tests.support.descriptions import any_keys, bodies, keys


@pytest.mark.parametrize(
    ("text", "face"),
    [
        ("off", Face("off")),
        ("on", Face("on")),
        ("pickup red", Face("pickup", "red")),
        ("  hold   green ", Face("hold", "green")),
        ("on #FF8800", Face("on", "#FF8800")),
        (True, Face("on")),
        (False, Face("off")),
    ],
)
def test_a_face_is_a_light_mode_and_perhaps_a_colour(text: object, face: Face) -> None:
    assert read_face(text) == face


@pytest.mark.parametrize(
    "text",
    ["", "blink", "red", "on blue", "on red green", None, [], {"light": "on"}, 1],
)
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(Refused):
        read_face(text)


RED, GREEN, ORANGE = "#ff453a", "#30d158", "#ff9f0a"


@pytest.mark.parametrize(
    ("light", "expected"),
    [
        ("off", Pattern.DARK),
        ("on", Pattern.STEADY),
        ("seized", Pattern.STEADY),
        ("record", Pattern.MEDIUM),
        ("offline", Pattern.STEADY),
        ("hold", Pattern.SLOW),
        ("park", Pattern.SLOW),
        ("message", Pattern.MEDIUM),
        ("pickup", Pattern.FAST),
        ("error", Pattern.FAST),
        ("dance", Pattern.DARK),
    ],
)
def test_patterns(light: str, expected: Pattern) -> None:
    assert pattern_of(KeyDescription(name="1", light=light)) is expected


def documented() -> dict[str, Pattern]:
    """Return the pattern of each light mode by the table of docs/keys.md."""
    words = {
        "steady": Pattern.STEADY,
        "blinks slowly": Pattern.SLOW,
        "blinks faster": Pattern.MEDIUM,
        "blinks fast": Pattern.FAST,
    }
    page = (Path(__file__).parents[3] / "docs" / "keys.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*) \| (.*) \|$", page, re.MULTILINE)
    return {
        light: words[lamp]
        for lights, lamp in rows
        if lamp in words
        for light in re.findall(r"`(\w+)`", lights)
    }


def test_lamps_shine_as_documented_by_default_and_by_our_settings() -> None:
    expected = documented() | {LightMode.OFF: Pattern.DARK}
    assert set(expected) == set(LightMode)
    profile = Profile(account="", password="", name="", registrar="", lamps=True)
    lamps = {it.name: it.value for it in settings_of(profile)}
    for light, shown in expected.items():
        key = KeyDescription(name="1", light=light)
        assert pattern_of(key) is shown
        assert pattern_of(key, lamps) is shown


def test_a_lamp_is_dark_in_a_state_that_no_setting_names() -> None:
    lamps = {"led_on": "BUSY", "led_blink_fast": "HOLDING"}
    assert pattern_of(KeyDescription(name="1", light="on"), lamps) is Pattern.DARK
    assert pattern_of(KeyDescription(name="1", light="hold"), lamps) is Pattern.FAST


def test_each_state_is_in_one_list() -> None:
    profile = Profile(account="", password="", name="", registrar="", lamps=True)
    lists = [it for it in settings_of(profile) if it.name in LAMP_SETTINGS]
    states = [state for it in lists for state in it.value.split()]
    assert len(lists) == len(LAMP_SETTINGS)
    assert len(states) == len(set(states))


def test_every_light_but_off_is_seen() -> None:
    seen = {
        light
        for light in LightMode
        if pattern_of(KeyDescription(name="1", light=light)) is not Pattern.DARK
    }
    assert seen == set(LightMode) - {LightMode.OFF}


@pytest.mark.parametrize(
    ("shown", "lit"),
    [
        (Pattern.DARK, [False] * 8),
        (Pattern.STEADY, [True] * 8),
        (Pattern.SLOW, [True] * 4 + [False] * 4),
        (Pattern.MEDIUM, [True, True, False, False] * 2),
        (Pattern.FAST, [True, False] * 4),
    ],
)
def test_blinking(shown: Pattern, lit: list[bool]) -> None:
    assert [shown.is_lit(100 + quarter / 4) for quarter in range(8)] == lit


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, RED),
        (Color.LOCAL, GREEN),
        (Color.REMOTE, RED),
        (Color.RED, RED),
        (Color.GREEN, GREEN),
        (Color.ORANGE, ORANGE),
        ("#00Ff7f", "#00Ff7f"),
        ("#00ff7f;", RED),
        ("mauve", RED),
    ],
)
def test_colors(given: str | None, expected: str) -> None:
    assert color_of(KeyDescription(name="1", light="on", color=given)) == expected


@given(keys | any_keys)
def test_every_look_has_a_lamp(look: KeyDescription) -> None:
    assert pattern_of(look) in Pattern
    assert re.fullmatch("#[0-9A-Fa-f]{6}", color_of(look))
    if look.light in LightMode:
        assert (pattern_of(look) is Pattern.DARK) == (look.light == LightMode.OFF)


@given(keys.map(lambda key: format_document([key])) | bodies | st.binary())
def test_every_look_that_a_document_brings_has_a_lamp(document: bytes) -> None:
    try:
        looks = parse_document(document)
    except DocumentError:
        return
    for look in looks:
        test_every_look_has_a_lamp.hypothesis.inner_test(look)


@pytest.mark.parametrize("idle_is_green", [False, True])
@pytest.mark.parametrize("state", DialogState)
def test_the_lamp_of_a_dialog_state(state: DialogState, idle_is_green: bool) -> None:
    """As docs/any-phone.md has it: off or green, blinks, on."""
    expected = {
        DialogState.TERMINATED: (Pattern.STEADY, GREEN)
        if idle_is_green
        else (Pattern.DARK, RED),
        DialogState.EARLY: (Pattern.FAST, RED),
    }.get(state, (Pattern.STEADY, RED))
    assert lamp_of_state(state, idle_is_green=idle_is_green) == expected
