"""The one rule for names and labels that a person types."""

import pytest

from custom_components.snom_buttons.engine.names import forbidden_in, without_forbidden
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
