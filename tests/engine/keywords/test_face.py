"""What a lamp shows, in the words of users."""

import pytest

from custom_components.snom_buttons.engine.keywords import Face, read_face
from custom_components.snom_buttons.engine.refused import Refused


@pytest.mark.parametrize(
    ("text", "face"),
    [
        ("off", Face("off")),
        ("on", Face("on")),
        ("pickup red", Face("pickup", "red")),
        ("  hold   green ", Face("hold", "green")),
        ("on #FF8800", Face("on", "#FF8800")),
        (True, Face("on")),
        (False, Face("off")),
    ],
)
def test_a_face_is_a_light_mode_and_perhaps_a_colour(text: object, face: Face) -> None:
    assert read_face(text) == face


@pytest.mark.parametrize(
    "text",
    ["", "blink", "red", "on blue", "on red green", None, [], {"light": "on"}, 1],
)
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(Refused):
        read_face(text)
