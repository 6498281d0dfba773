"""The snom desk phones, and what a phone says of itself in its User-Agent.

Where sources disagree about the number of keys the larger one stands: a key too many
does no harm.
"""

import re
from typing import Final, NamedTuple


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

_MODULES = {"D3": 18, "D7": 18, "D7C": 48, "D8C": 60}
_MOST_MODULES = 3

EXPANSIONS: Final = {
    f"{number}x {module}": number * keys
    for module, keys in _MODULES.items()
    for number in range(1, _MOST_MODULES + 1)
}
"""The keys of expansion modules, by their number and model."""

_NAMES = {name.lower(): name for name in MODELS}


def model_name(text: str) -> str:
    """Return the name of a model as MODELS has it, any other text unchanged."""
    return _NAMES.get(text.lower(), text)


# Bounded, and ASCII alone: it is shown as the phone sends it.
_SNOM = re.compile(
    r"(?P<id>snom(?P<model>\w{0,16}))[/-](?P<version>[\w.-]{1,32})",
    re.ASCII | re.IGNORECASE,
)
_ADDRESS = re.compile(r"\b[0-9A-F]{12}\b", re.IGNORECASE)
_SERIAL = re.compile(r"\bSER= ?(\w{1,32})", re.ASCII)
_HARDWARE = re.compile(r"\bHW= ?(\w{1,32})", re.ASCII)


class Hardware(NamedTuple):
    """A snom phone as its User-Agent names it; None for what it does not name."""

    model: str | None
    """Such as `D785`, as in MODELS."""
    model_id: str
    """The same as the phone spells it, such as `snomD785`."""
    version: str
    """The version of the firmware."""
    address: str | None
    """The hardware address, as twelve hexadecimal digits."""
    serial: str | None
    """The serial number; that of a desk phone is its hardware address."""
    hardware: str | None
    """The version of the hardware, which bases of cordless phones name."""


def hardware_of(user_agent: str) -> Hardware | None:
    """Return what a User-Agent names, None for that of another maker.

    Such as `snomD785/10.1.198.12 0004130DD7C9`, `snom105-3.56p` and
    `snomM700/03.23.0005 (MAC=00041364A1B2; SER= 00000; HW=255)`.
    """
    snom = _SNOM.match(user_agent)
    if snom is None:
        return None
    rest = user_agent[snom.end() :]
    address = _ADDRESS.search(rest)
    serial = _SERIAL.search(rest)
    hardware = _HARDWARE.search(rest)
    number = serial[1].strip("0") and serial[1] if serial else None
    return Hardware(
        model=model_name(snom["model"]) or None,
        model_id=snom["id"],
        version=snom["version"],
        address=address and address[0].upper(),
        serial=number or (address and address[0].upper()),
        hardware=hardware and hardware[1],
    )
