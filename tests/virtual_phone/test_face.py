"""What a person sees of a key."""

import pytest

from custom_components.snom_buttons.xbuttons import (
    Color,
    Forward,
    ForwardCondition,
    KeyDescription,
    KeyState,
    KeyType,
    Light,
    MessageWaiting,
)
from virtual_phone.face import Pattern, captions, color, in_words, pattern, printable

RED, GREEN, ORANGE = "#ff453a", "#30d158", "#ff9f0a"


@pytest.mark.parametrize(
    ("light", "expected"),
    [
        ("off", Pattern.DARK),
        ("on", Pattern.STEADY),
        ("seized", Pattern.STEADY),
        ("record", Pattern.STEADY),
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
    assert pattern(KeyDescription(name="1", light=light)) is expected


def test_every_light_but_off_is_seen() -> None:
    seen = {
        light
        for light in Light
        if pattern(KeyDescription(name="1", light=light)) is not Pattern.DARK
    }
    assert seen == set(Light) - {Light.OFF}


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
    assert color(KeyDescription(name="1", light="on", color=given)) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (KeyDescription(name="1"), ("", "")),
        (
            KeyDescription(name="1", label="DND", number="*78", action="message"),
            ("DND", "message → *78"),
        ),
        (
            KeyDescription(
                name="1",
                light=Light.PICKUP,
                label="42",
                display_name="Ann",
                caller="19781234567",
                direction="in",
                number="*6013",
            ),
            ("42", "pickup · Ann · ← 19781234567 · in · invite → *6013"),
        ),
        (
            KeyDescription(
                name="1",
                light=Light.ON,
                display_name="Ann",
                message_waiting=MessageWaiting(3, 1),
                forward=Forward(ForwardCondition.BUSY, "45"),
                type=KeyType.MWI,
                states=(KeyState.DND, KeyState.LOGOFF),
            ),
            ("Ann", "3/1 messages · forward busy45 · mwi · dnd · logoff"),
        ),
    ],
)
def test_captions(key: KeyDescription, expected: tuple[str, str]) -> None:
    assert captions(key) == expected


def test_in_words() -> None:
    key = KeyDescription(name="1", light="on", label="A B", extensions=(("z", "1"),))
    assert in_words(key) == "on l=A B z=1"
    assert in_words(KeyDescription(name="1")) == "off"


def test_printable() -> None:
    assert printable("Büro ☎ 9") == "Büro ☎ 9"
    # a C1 control, a bidi override, a line separator
    assert printable("a\x9b31m\u202eb\u2028c\x1b") == "a�31m�b�c�"
