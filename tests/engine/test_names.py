"""The one rule for names and labels that a person types."""

import pytest

from custom_components.snom_buttons.engine.names import (
    distinct,
    forbidden_in,
    without_forbidden,
)
from tests.support.names import FORBIDDEN


@pytest.mark.parametrize("character", FORBIDDEN)
def test_no_name_has_these_characters(character: str) -> None:
    assert forbidden_in(f"Front{character}door") == character
    assert without_forbidden(f"{character}Front{character}door ") == "Frontdoor"


@pytest.mark.parametrize(
    "name",
    [
        "Küche 2",
        "Büro | <b>*1*</b> [a](b) `c`",
        "مطبخ\u200f",  # with a mark of the direction, which turns nothing around
        "می\u200cخواهم",
        "👨\u200d👩\u200d👧",
        "a\xa0b",
    ],
)
def test_names_may_have_all_others(name: str) -> None:
    assert forbidden_in(name) is None
    assert without_forbidden(name) == name


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("Hall", (), "Hall"),
        (" Hall\n", ("hall",), "Hall"),
        ("Hall", ("Hall", "Hall 2"), "Hall 3"),
        ("x" * 65, (), "x" * 64),
        ("x" * 65, ("x" * 64,), "x" * 62 + " 2"),
        ("x" * 61 + " yz", ("x" * 61 + " yz",), "x" * 61 + " 2"),
    ],
)
def test_a_name_is_made_distinct(
    name: str, names: tuple[str, ...], expected: str
) -> None:
    assert distinct(name, names) == expected
