"""A face: what a lamp shows, in the words of users, such as `pickup red`."""

from typing import NamedTuple

from ..refused import Refused, quoted
from ..xbuttons import Color, LightMode
from .fields import as_text, read_fields


class Face(NamedTuple):
    """The light mode and the colour of a lamp."""

    light: LightMode | str
    color: Color | str | None = None
    """None for the colour that the phone chooses."""


def read_face(value: object) -> Face:
    """Return the face that a text names: a light mode, and perhaps a colour.

    YAML reads the words on and off as truth values. Raises Refused.
    """
    if isinstance(value, bool):
        value = "on" if value else "off"
    words = as_text("look", value).split()
    if not 1 <= len(words) <= len(Face._fields):
        raise Refused(
            "invalid_word",
            field="look",
            value=quoted(value),
            allowed=", ".join(LightMode),
        )
    return Face(**read_fields(dict(zip(("light", "color"), words, strict=False))))
