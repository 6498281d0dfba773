"""Refused as Home Assistant's error."""

import pytest

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.refused import Refused
from custom_components.snom_buttons.hub.refused import refusals_translated, translated
from homeassistant.exceptions import ServiceValidationError


def test_a_refusal_is_translated() -> None:
    """The text is among the integration's exceptions."""
    error = translated(Refused("not_a_key", entity="light.kitchen"))

    assert error.translation_domain == DOMAIN
    assert error.translation_key == "not_a_key"
    assert error.translation_placeholders == {"entity": "light.kitchen"}


def test_only_refusals_are_translated() -> None:
    """Another error passes unchanged."""
    with pytest.raises(ServiceValidationError) as error, refusals_translated():
        raise Refused("no_target")
    assert error.value.translation_key == "no_target"
    with pytest.raises(KeyError), refusals_translated():
        raise KeyError
