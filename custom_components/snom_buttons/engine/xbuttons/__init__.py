"""The buttons document: what a snom key shows and does, as bytes and as values."""

from .document import (
    CONTENT_TYPE,
    MAX_DOCUMENT,
    DocumentError,
    format_document,
    format_press,
    parse_document,
)
from .model import (
    MAX_TEXT,
    Action,
    Color,
    Direction,
    Forward,
    ForwardCondition,
    KeyDescription,
    KeyState,
    KeyType,
    LightMode,
    MessageWaiting,
    Release,
    Treatment,
    is_other_color,
)
from .properties import PROPERTIES

__all__ = [
    "CONTENT_TYPE",
    "MAX_DOCUMENT",
    "MAX_TEXT",
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
    "LightMode",
    "MessageWaiting",
    "Release",
    "Treatment",
    "format_document",
    "format_press",
    "is_other_color",
    "parse_document",
]
