"""A key's lamp in the words of Home Assistant's lights."""

from dataclasses import replace

import pytest

from custom_components.snom_buttons.engine.keywords import (
    EFFECTS,
    effect_of,
    hs_color_of,
    rgb_to_hs,
    with_effect,
    with_hs_color,
)
from custom_components.snom_buttons.engine.keywords.lamp import EFFECT_OFF
from custom_components.snom_buttons.engine.refused import Refused
from custom_components.snom_buttons.engine.xbuttons import KeyDescription
from homeassistant.components.light import EFFECT_OFF as LIGHTS_EFFECT_OFF
from homeassistant.util.color import color_RGB_to_hs

KEY = KeyDescription(name="1")


def test_off_is_the_lights_own_word() -> None:
    assert EFFECT_OFF == LIGHTS_EFFECT_OFF
    assert next(iter(EFFECTS)) == EFFECT_OFF


def test_colours_are_computed_as_home_assistant_does() -> None:
    for red in range(0, 256, 17):
        for green in range(0, 256, 5):
            for blue in (0, 1, 77.5, 254, 255):
                assert rgb_to_hs(red, green, blue) == color_RGB_to_hs(red, green, blue)


@pytest.mark.parametrize(
    ("color", "hs_color"),
    [
        (None, (0, 0)),
        ("red", (0, 100)),
        ("remote", (0, 100)),
        ("local", (120, 100)),
        ("green", (120, 100)),
        ("orange", (30, 100)),
        ("#112233", (210.0, 66.667)),
        ("mauve", (0, 0)),
    ],
)
def test_hs_color(color: str | None, hs_color: tuple[float, float]) -> None:
    assert hs_color_of(replace(KEY, color=color)) == hs_color


@pytest.mark.parametrize("effect", EFFECTS)
def test_each_effect_is_set_and_read(effect: str) -> None:
    assert effect_of(with_effect(KEY, effect)) == effect


def test_a_light_mode_that_is_no_effect_is_reported_as_it_is() -> None:
    assert effect_of(KEY) is None
    assert effect_of(replace(KEY, light="disco")) == "disco"


def test_words_that_a_lamp_has_shown_are_effects_of_it() -> None:
    assert with_effect(KEY, "disco", ("disco",)).light == "disco"
    with pytest.raises(Refused) as refused:
        with_effect(KEY, "rave", ("disco",))
    assert refused.value.placeholders["effects"] == ", ".join((*EFFECTS, "disco"))


@pytest.mark.parametrize("effect", ["disco", ["hold"], None, 1])
def test_an_unknown_effect_is_refused(effect: object) -> None:
    with pytest.raises(Refused) as refused:
        with_effect(KEY, effect)
    assert refused.value.key == "unknown_effect"
    assert refused.value.placeholders["effects"] == ", ".join(EFFECTS)


@pytest.mark.parametrize(
    ("hs_color", "color"),
    [((0, 100), "red"), ((29, 60), "orange"), ((118, 20), "green"), ((240, 100), "red"), ((9, 19.9), None)],
)  # fmt: skip
def test_the_nearest_colour(hs_color: tuple[float, float], color: str | None) -> None:
    assert with_hs_color(KEY, hs_color).color == color


@pytest.mark.parametrize(
    ("shown", "foreign", "hs_color", "color"),
    [
        ("local", (), (120, 100), "local"),
        ("#112233", (), (210.0, 66.667), "#112233"),
        ("green", ("#112233",), (210.0, 66.667), "#112233"),
        ("green", ("#000080", "#0000FF"), (240, 100), "#000080"),
        ("green", ("#FF0000",), (0, 100), "red"),
        ("green", ("#FFEEEE",), (0.0, 6.667), "#FFEEEE"),
        ("green", (), (0, 0), None),
        ("mauve", (), (0, 0), "mauve"),
    ],
)
def test_a_colour_that_was_reported_is_accepted(
    shown: str, foreign: tuple[str, ...], hs_color: tuple[float, float], color: str
) -> None:
    lamp = replace(KEY, color=shown)
    assert with_hs_color(lamp, hs_color, foreign).color == color
