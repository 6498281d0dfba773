"""The look of a key in words."""

from enum import StrEnum
from unicodedata import east_asian_width

import pytest

from snom_buttons.xbuttons import (
    Action,
    Direction,
    ForwardCondition,
    KeyDescription,
    KeyState,
    KeyType,
    LightMode,
    Release,
    parse_document,
)
from virtual_phone.face import captions, in_words, printable


def described(lines: str) -> KeyDescription:
    """Return the key of a document, given its lines after the name."""
    (key,) = parse_document("\n".join(["k=1", *lines.split("; ")]).encode())
    return key


@pytest.mark.parametrize(
    ("lines", "title", "about"),
    [
        ("c=off", "", ""),
        ("l=Office Hours", "Office Hours", ""),
        ("d=Ann", "Ann", ""),
        ("l=42; d=Ann", "42", "Ann"),
        ("x=ext", "", "✆ extension"),
        ("x=queue", "", "≣ queue"),
        ("x=group", "", "⊞ group"),
        ("x=line", "", "⊶ line"),
        ("x=flag", "", "⚑ flag"),
        ("x=conf", "", "⋈ conference"),
        ("x=mwi", "", "⊠ mailbox"),
        ("x=robot", "", "type: robot"),
        ("l=42; d=Ann; x=ext", "42", "Ann · ✆ extension"),
    ],
)
def test_what_a_key_is_called_and_stands_for(
    lines: str, title: str, about: str
) -> None:
    key = described(lines)
    assert captions(key) == (title, about, "")
    assert in_words(key) == " · ".join(filter(None, ["off", title, about]))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("i=19781234567; b=in", "← 19781234567"),
        ("i=19781234567; b=out", "→ 19781234567"),
        ("i=19781234567", "caller 19781234567"),
        ("i=19781234567; b=up", "call: up 19781234567"),
        ("b=in", "← incoming call"),
        ("b=out", "→ outgoing call"),
        ("b=up", "call: up"),
        ("m=2/1", "2 new, 1 old messages"),
        ("m=1/1", "1 new, 1 old messages"),
        ("m=2/0", "2 new messages"),
        ("m=1/0", "1 new message"),
        ("m=0/2", "2 old messages"),
        ("m=0/1", "1 old message"),
        ("m=0/0", "no messages"),
        ("m=many", "messages: many"),
        ("s=dnd", "do not disturb"),
        ("s=logoff", "logged off"),
        ("s=offline", "offline"),
        ("s=dndlogoffoffline", "do not disturb · logged off · offline"),
        ("s=asleep", "state: asleep"),
        ("f=always100", "forwards all calls to 100"),
        ("f=busy 100", "forwards to 100 when busy"),
        ("f=night100", "forwards: night100"),
        ("n=79", "press calls 79"),
        ("n=79; a=invite", "press calls 79"),
        ("n=79; a=message", "press sends 79"),
        ("n=79; a=seize", "press seizes 79"),
        ("n=79; a=release", "press releases 79"),
        ("n=79; a=dance", "press: dance 79"),
        ("a=invite", ""),
        ("a=seize", "press: seize without a number"),
        ("a=dance", "press: dance without a number"),
        ("r=ignore", "release does nothing"),
        ("r=hangup", "release hangs up"),
        ("r=engage", "release engages"),
        ("r=dance", "release: dance"),
        ("t=alert", "treatment: alert"),
        ("t=alert very quiet", "treatment: alert very quiet"),
        ("z=1; Z=", "z=1 · Z="),
    ],
)
def test_facts(lines: str, expected: str) -> None:
    key = described(lines)
    assert captions(key) == ("", "", expected)
    assert in_words(key) == " · ".join(filter(None, ["off", expected]))


@pytest.mark.parametrize(
    ("lines", "beside_the_lamp", "in_one_line"),
    [
        ("c=off", "", "off"),
        ("c=on", "", "on"),
        ("c=hold", "call on hold", "call on hold"),
        ("c=pickup", "ringing", "ringing"),
        ("c=park", "parked call", "parked call"),
        ("c=message", "message waiting", "message waiting"),
        ("c=offline", "offline", "offline"),
        ("c=error", "error", "error"),
        ("c=seized", "line in use", "line in use"),
        ("c=record", "recording", "recording"),
        ("c=dance", "light: dance", "light: dance"),
        ("o=local", "lamp green (local)", "off, green (local)"),
        ("o=remote", "lamp red (remote)", "off, red (remote)"),
        ("o=red", "lamp red", "off, red"),
        ("o=green", "lamp green", "off, green"),
        ("o=orange", "lamp orange", "off, orange"),
        ("o=#00Ff7f", "lamp #00Ff7f", "off, #00Ff7f"),
        ("o=mauve", "lamp mauve", "off, mauve"),
        ("c=on; o=green", "lamp green", "on, green"),
    ],
)
def test_the_lamp_in_words(lines: str, beside_the_lamp: str, in_one_line: str) -> None:
    key = described(lines)
    assert captions(key) == ("", "", beside_the_lamp)
    assert in_words(key) == in_one_line


@pytest.mark.parametrize(
    ("words", "lines", "shown_if_unknown"),
    [
        (LightMode, "c={}", "light: {}"),
        (Direction, "b={}", "call: {}"),
        (ForwardCondition, "f={}100", "forwards: {}"),
        (Action, "n=79; a={}", "press: {}"),
        (Release, "r={}", "release: {}"),
        (KeyState, "s={}", "state: {}"),
        (KeyType, "x={}", "type: {}"),
    ],
)
def test_every_known_word_has_a_meaning(
    words: type[StrEnum], lines: str, shown_if_unknown: str
) -> None:
    for word in words:
        shown = in_words(described(lines.format(word)))
        assert shown_if_unknown.format(word) not in shown


@pytest.mark.parametrize("key_type", KeyType)
def test_the_symbol_of_a_type_takes_one_cell(key_type: KeyType) -> None:
    """Neutral width: one cell also in East Asian terminals."""
    assert east_asian_width(captions(described(f"x={key_type}")).about[0]) == "N"


EVERYTHING = (
    "c=pickup; o=remote; n=*6013; a=invite; l=42; d=Ann; i=19781234567; b=in; f=busy101;"
    " m=2/1; r=hangup; s=dndoffline; t=alert quiet; x=ext; z=1"
)


def test_what_matters_most_stands_first() -> None:
    key = described(EVERYTHING)
    news = "← 19781234567 · 2 new, 1 old messages"
    more = (
        "do not disturb · offline · forwards to 101 when busy · press calls *6013"
        " · release hangs up · treatment: alert quiet · z=1"
    )
    assert captions(key) == (
        "42",
        "Ann · ✆ extension",
        f"{news} · ringing · {more} · lamp red (remote)",
    )
    assert (
        in_words(key)
        == f"ringing, red (remote) · 42 · Ann · ✆ extension · {news} · {more}"
    )


def test_offline_is_said_once() -> None:
    key = described("c=offline; s=dndoffline")
    assert captions(key).facts == in_words(key) == "offline · do not disturb"


def test_captions_are_printable() -> None:
    key = KeyDescription(
        name="1", label="\x1bA", display_name="B\x9b", caller="\u202eC"
    )
    assert captions(key) == ("�A", "B�", "caller �C")
    assert in_words(key) == "off · �A · B� · caller �C"


def test_printable() -> None:
    assert printable("Büro ☎ 9") == "Büro ☎ 9"
    # a C1 control, a bidi override, a line separator
    assert printable("a\x9b31m\u202eb\u2028c\x1b") == "a�31m�b�c�"
