"""The fields of a key's description. tests/docs runs the examples of the pages."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import voluptuous as vol

from custom_components.snom_buttons.engine.keywords import (
    FIELDS,
    as_text,
    as_truth,
    read_document,
    read_fields,
)
from custom_components.snom_buttons.engine.refused import Refused
from custom_components.snom_buttons.engine.xbuttons import LightMode
from homeassistant.helpers import config_validation as cv
from tests.support.names import FORBIDDEN

WORDS = ["1", "true", "yes", "on", "enable", "0", "false", "no", "off", "disable"]


@pytest.mark.parametrize(
    "value",
    [
        *WORDS,
        *(word.title() for word in WORDS),
        *(f" {word.upper()}\n" for word in WORDS),
        *(True, False, 0, 1, -1, 0.0, 0.5, float("nan"), 1j, Decimal(0), Fraction(1, 3)),
        *("", "maybe", "2", "ja", None, [], ["on"], {}, b"on", object),
    ],
)  # fmt: skip
def test_truth_is_read_as_home_assistant_does(value: Any) -> None:
    try:
        expected = cv.boolean(value)
    except vol.Invalid:
        with pytest.raises(Refused) as refused:
            as_truth("reset", value)
        assert refused.value.key == "invalid_word"
        assert refused.value.placeholders["allowed"] == "true, false"
    else:
        assert as_truth("reset", value) is expected


@pytest.mark.parametrize(
    ("value", "text"),
    [(" a ", "a"), (7, "7"), (10**20, str(10**20)), (21.5, "21.5"), ("", "")],
)
def test_text(value: object, text: str) -> None:
    assert as_text("label", value) == text


@pytest.mark.parametrize("value", [None, True, 1e30, ["a"], {"a": 1}, b"a"])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(Refused) as refused:
        as_text("label", value)
    assert refused.value.key == "invalid_text"
    assert refused.value.placeholders["field"] == "label"


def test_only_named_fields_are_read() -> None:
    assert read_fields({"light": True, "label": "", "unknown": 1}) == {
        "light": LightMode.ON,
        "label": None,
    }
    assert read_fields({"light": False}) == {"light": LightMode.OFF}
    assert read_fields({}) == {}


@pytest.mark.parametrize("sign", FORBIDDEN)
@pytest.mark.parametrize("name", ["label", "display_name", "caller", "number"])
def test_a_text_with_control_characters_is_refused(name: str, sign: str) -> None:
    with pytest.raises(Refused) as refused:
        read_fields({name: f"a{sign}b"})
    assert refused.value.key == "invalid_characters"
    assert refused.value.placeholders == {
        "field": name,
        "character": f"U+{ord(sign):04X}",
    }


@pytest.mark.parametrize("sign", sorted({*FORBIDDEN} - {*"\r\n\ud800"}))
def test_a_document_with_control_characters_is_refused(sign: str) -> None:
    """Also with those that the document itself allows."""
    with pytest.raises(Refused) as refused:
        read_document(f"k=1\r\nl=a{sign}b\r\n".encode())
    assert refused.value.key == "document_bad_character"
    assert refused.value.placeholders["line"] == "2"
    assert refused.value.placeholders["character"] == f"U+{ord(sign):04X}"


@pytest.mark.parametrize("name", FIELDS)
def test_a_text_that_is_too_long_is_refused(name: str) -> None:
    longest = FIELDS[name].max_length
    with pytest.raises(Refused) as refused:
        read_fields({name: "x" * (longest + 1)})
    assert refused.value.key == "text_too_long"
    assert refused.value.placeholders == {
        "field": name,
        "size": str(longest + 1),
        "allowed": str(longest),
    }
