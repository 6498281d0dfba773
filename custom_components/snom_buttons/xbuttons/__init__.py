"""The buttons document: what a snom key shows and does, as bytes and as values.

The package is pure: bytes in, `KeyDescription` out, and back. `model` holds the
words and values of the document, `document` reads and writes it.
"""

from .document import (
    CONTENT_TYPE,
    MAX_DOCUMENT,
    DocumentError,
    format,
    format_press,
    parse,
)
from .model import (
    Action,
    Color,
    Direction,
    Forward,
    ForwardCondition,
    KeyDescription,
    KeyState,
    KeyType,
    Light,
    MessageWaiting,
    Release,
    Treatment,
    is_other_color,
)
from .properties import PROPERTIES

__all__ = [
    "CONTENT_TYPE",
    "MAX_DOCUMENT",
    "PROPERTIES",
    "Action",
    "Color",
    "Direction",
    "DocumentError",
    "Forward",
    "ForwardCondition",
    "KeyDescription",
    "KeyState",
    "KeyType",
    "Light",
    "MessageWaiting",
    "Release",
    "Treatment",
    "format",
    "format_press",
    "is_other_color",
    "parse",
]
