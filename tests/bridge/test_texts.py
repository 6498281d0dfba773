"""The texts of errors are those of the integration."""

from bridge.texts import explain
from snom_buttons.refused import Refused


def test_a_refusal_has_the_text_of_the_integration() -> None:
    refused = Refused("unknown_phone", value="47", allowed="44, 45")
    assert explain(refused) == "There is no phone 47. There are: 44, 45."
