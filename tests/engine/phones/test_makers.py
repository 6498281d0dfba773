"""The makers of phones with keys of type BLF."""

import pytest

from custom_components.snom_buttons.engine.phones import (
    MAKERS,
    MODELS,
    PressAnswer,
    Speakers,
)
from custom_components.snom_buttons.engine.provisioning import WORDS


@pytest.mark.parametrize("maker", MAKERS)
def test_a_maker_has_models_with_keys_and_without_colours(maker: str) -> None:
    about = MAKERS[maker]
    assert maker == (about.name.lower() or "other")
    for name, model in about.models.items():
        assert model.name == name
        assert model.keys > 0
        assert not model.colors
        assert name not in MODELS, "diagnostics and devices tell them apart by name"


def test_a_model_of_another_maker_has_the_keys_beside_its_line() -> None:
    assert MAKERS["yealink"].models["T46"].keys == 27
    assert MAKERS["cisco"].models["SPA504G"].keys == 3
    assert MAKERS["poly"].models["VVX450"].keys == 11
    assert not MAKERS["other"].models


@pytest.mark.parametrize("maker", MAKERS)
def test_phones_of_other_makers_get_no_documents_and_hear_busy(maker: str) -> None:
    about = MAKERS[maker]
    assert about.speakers is Speakers.BLF
    assert about.blf.press_answer is PressAnswer.BUSY
    assert not about.blf.is_inverted, (
        "green while a key is off is the phone's to change"
    )


def test_words_are_those_of_makers() -> None:
    assert set(MAKERS) - set(WORDS) == {"gigaset", "other"}
    assert set(WORDS) < set(MAKERS)
