"""Payloads: the same bytes as Home Assistant's own JSON."""

import enum

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.snom_buttons.engine.mqtt.payloads import (
    MAX_TOPIC,
    as_json,
    error_payload,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
COLOURS = st.floats(0, 360).map(lambda value: round(value, 3))
VALUES = st.none() | st.booleans() | TEXTS | st.integers(-(2**63), 2**64 - 1) | COLOURS


@given(st.dictionaries(TEXTS, VALUES | st.dictionaries(TEXTS, VALUES)))
def test_json_is_as_orjson_writes_it(value: dict[str, object]) -> None:
    assert as_json(value).encode() == orjson.dumps(value)


def test_enumerations_are_texts() -> None:
    word = enum.StrEnum("Word", {"ON": "on"})
    assert as_json({"light": word.ON}) == '{"light":"on"}'


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(ValueError):
        as_json({"number": "\ud800"})
    with pytest.raises(TypeError):
        orjson.dumps({"number": "\ud800"})


def test_a_long_topic_is_cut() -> None:
    assert error_payload("x" * 2000, "no") == (
        f'{{"topic":"{"x" * MAX_TOPIC}","reason":"no"}}'
    )
