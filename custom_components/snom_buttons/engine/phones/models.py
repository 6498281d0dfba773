"""The snom desk phones, with the number of their keys that have a lamp.

Where sources disagree the larger number stands: a key too many does no harm.
"""

from typing import NamedTuple


class Model(NamedTuple):
    """A model: the number of its keys, and whether they have colours."""

    name: str
    keys: int
    """Keys with a lamp, without expansion modules."""
    colors: bool
    """Whether the lamps have more than one colour; if not they ignore `o=`."""


MODELS = {
    name: Model(name, keys, colors)
    for name, keys, colors in (
        ("300", 4, False),
        ("320", 12, False),
        ("360", 12, False),
        ("370", 12, False),
        ("820", 12, True),
        ("821", 12, True),
        ("870", 15, True),
        ("D120", 2, False),
        ("D140", 2, False),
        ("D150", 2, False),
        ("D305", 5, False),
        ("D315", 5, True),
        ("D335", 48, True),
        ("D345", 48, True),
        ("D375", 12, True),
        ("D385", 48, True),
        ("D710", 5, False),
        ("D712", 5, False),
        ("D713", 4, True),
        ("D715", 5, False),
        ("D717", 3, True),
        ("D725", 18, True),
        ("D735", 32, True),
        ("D745", 32, True),
        ("D765", 16, True),
        ("D785", 24, True),
        ("D812", 28, True),
        ("D815", 36, True),
        ("D862", 32, True),
        ("D865", 40, True),
        ("D892", 36, True),
    )
}
