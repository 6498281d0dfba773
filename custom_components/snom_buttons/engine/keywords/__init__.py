"""The words of users: the fields of a key, faces, effects and colours."""

from .document import read_document
from .face import (
    LAMP_SETTINGS,
    Face,
    Pattern,
    color_of,
    lamp_of_state,
    pattern_of,
    read_face,
)
from .fields import (
    FIELDS,
    MAX_LABEL,
    Field,
    as_text,
    as_truth,
    read_fields,
    read_messages,
)
from .lamp import (
    EFFECTS,
    PHONES_OWN_COLOR,
    effect_of,
    hs_color_of,
    rgb_to_hs,
    with_effect,
    with_hs_color,
    with_light,
)

__all__ = [
    "EFFECTS",
    "FIELDS",
    "LAMP_SETTINGS",
    "MAX_LABEL",
    "PHONES_OWN_COLOR",
    "Face",
    "Field",
    "Pattern",
    "as_text",
    "as_truth",
    "color_of",
    "effect_of",
    "hs_color_of",
    "lamp_of_state",
    "pattern_of",
    "read_document",
    "read_face",
    "read_fields",
    "read_messages",
    "rgb_to_hs",
    "with_effect",
    "with_hs_color",
    "with_light",
]
