"""Strategies of keys, and of bytes that are nearly a document (hypothesis)."""

import re

from hypothesis import strategies as st

from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    Color,
    Direction,
    Forward,
    ForwardCondition,
    KeyDescription,
    KeyState,
    KeyType,
    LightMode,
    MessageWaiting,
    Release,
    Treatment,
)

LETTERS = [*"kconaldibfmrstx"]
WORDS = ["always", "busy", "dnd", "logoff", "offline", "on", "k="]
CONTROLS = [chr(code) for code in (*range(0x20), 0x7F)]


def trimmed(text: str) -> bool:
    """Return whether a text can be a value: not empty, no space at either end."""
    return bool(text) and text == text.strip(" ")


characters = st.characters(exclude_categories=["Cs"], exclude_characters=CONTROLS)
texts = st.text(characters, min_size=1).filter(trimmed)
tokens = texts.filter(lambda text: " " not in text)
counts = st.integers(0, 999_999_999)
extension_names = texts.filter(lambda text: "=" not in text and text not in LETTERS)

names = texts.filter(lambda text: not re.search(f" [{''.join(LETTERS)}]=", text))

keys = st.builds(
    KeyDescription,
    name=names,
    light=st.sampled_from(LightMode) | texts,
    color=st.none()
    | st.sampled_from(Color)
    | st.from_regex("#[0-9A-Fa-f]{6}", fullmatch=True),
    number=st.none() | texts,
    action=st.sampled_from(Action) | texts,
    label=st.none() | texts,
    display_name=st.none() | texts,
    caller=st.none() | texts,
    direction=st.none() | st.sampled_from(Direction) | texts,
    forward=st.none()
    | st.builds(
        Forward, st.sampled_from(ForwardCondition), texts.map(lambda text: f"4{text}")
    )
    | texts.map(lambda text: f"never{text}"),
    message_waiting=st.none()
    | st.builds(MessageWaiting, counts, counts)
    | texts.map(lambda text: f"x{text}"),
    release=st.none() | st.sampled_from(Release) | texts,
    states=st.lists(st.sampled_from(KeyState)).map(tuple)
    | texts.map(lambda text: (f"x{text}",)),
    treatment=st.none()
    | st.builds(Treatment, tokens)
    | st.builds(Treatment, tokens, texts),
    type=st.none() | st.sampled_from(KeyType) | texts,
    extensions=st.lists(st.tuples(extension_names, st.just("") | texts)).map(tuple),
)

# Texts that a reader could take for something else.
nasty = st.lists(
    st.sampled_from([*LETTERS, *"= ,/#123é\r\n\t\0\x7f\x85\u2028\ud800\ufeff", *WORDS]),
    max_size=4,
).map("".join)
any_keys = st.builds(
    KeyDescription,
    name=nasty | st.just("1"),
    light=nasty,
    label=st.none() | nasty,
    forward=st.none()
    | nasty
    | st.builds(Forward, st.sampled_from(ForwardCondition), nasty),
    message_waiting=st.none()
    | nasty
    | st.builds(MessageWaiting, st.integers(), st.integers()),
    states=st.lists(st.sampled_from(KeyState) | nasty, max_size=3).map(tuple),
    treatment=st.none() | st.builds(Treatment, nasty, nasty),
    extensions=st.lists(st.tuples(nasty, nasty), max_size=2).map(tuple),
)

# Bytes that are nearly a document.
bodies = st.lists(
    st.sampled_from([f"{letter}=" for letter in LETTERS])
    .map(str.encode)
    .flatmap(lambda start: st.binary(max_size=8).map(start.__add__))
    | st.sampled_from(
        b"k=1;c=on;l=\xc3\xbc;l=\xc2\x85;l=\t;y=2;; ;=;"
        b"m=03/1;f=always 4;t=a  b;s=dnd, offline".split(b";")
    ),
    max_size=12,
).flatmap(
    lambda lines: st.sampled_from([b"\r\n", b"\n", b"\r", b"\n\r"]).map(
        lambda end: end.join([b"k=1", *lines])
    )
)
