"""The error for a user's request that cannot be carried out."""

import pytest

from custom_components.snom_buttons.engine.refused import MAX_QUOTED, Refused, quoted


def test_it_names_a_text_and_its_values() -> None:
    """A skin can explain it in any language."""
    refused = Refused("unknown_key", key="P9", allowed="P1, P2")

    assert refused.key == "unknown_key"
    assert refused.placeholders == {"key": "P9", "allowed": "P1, P2"}
    assert isinstance(refused, ValueError)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "True"),
        (7, "7"),
        ("a\u202eb\x9b\udcfc", r"a\u202eb\x9b\udcfc"),
        ("x" * MAX_QUOTED, "x" * MAX_QUOTED),
        ("x" * (MAX_QUOTED + 1), "x" * (MAX_QUOTED - 1) + "…"),
    ],
)
def test_a_long_value_is_cut(value: object, text: str) -> None:
    """An error shows only the beginning."""
    assert quoted(value) == text
