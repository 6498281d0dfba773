"""The makers of phones with keys of type BLF."""

import pytest

from custom_components.snom_buttons.engine.phones import (
    MAKERS,
    MODELS,
    PressAnswer,
    Speakers,
    firmware_of,
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


@pytest.mark.parametrize(
    ("user_agent", "version"),
    [
        ("snomD785/10.1.198.12 0004130DD7C9", "10.1.198.12"),
        ("Yealink SIP-T46G 28.82.0.20", "28.82.0.20"),
        ("Yealink SIP-T46U 108.86.0.118 805ec0aabbcc", "108.86.0.118"),
        ("Grandstream GRP2612W 1.0.5.67", "1.0.5.67"),
        ("Fanvil X4U 2.12.7.6 0c383eaabbcc", "2.12.7.6"),
        ("PolycomVVX-VVX_450-UA/6.4.3.5018", "6.4.3.5018"),
        ("PolycomSoundPointIP-SPIP_650-UA/3.1.3.0439", "3.1.3.0439"),
        ("Cisco/SPA303-7.5.6a", "7.5.6a"),
        ("Cisco-CP8865/14.4.1", "14.4.1"),
        ("Cisco-CP-8851-3PCC/11.3.7_MPP_0001", "11.3.7"),
        ("Gigaset Maxwell 3/2.23.0;7C2F80AABBCC", "2.23.0"),
        ("Grandstream", None),
        ("Yealink 0004.1312.3456", None),
        ("Kitchen 1.0", None),
        ("", None),
    ],
)
def test_a_user_agent_names_the_firmware(user_agent: str, version: str | None) -> None:
    assert firmware_of(user_agent) == version
