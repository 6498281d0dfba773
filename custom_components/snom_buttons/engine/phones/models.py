"""The snom desk phones, and what a phone says of itself in its User-Agent.

Where sources disagree about the number of keys the larger one stands: a key too many
does no harm.
"""

import re
from typing import Final, NamedTuple


class Layout(NamedTuple):
    """How the keys of a phone or of an expansion module are arranged."""

    on_paper: bool
    """Whether the labels are on paper, and not on a display."""
    columns: int
    rows: int
    """Of one page; the other keys are on further pages."""


def _paper(columns: int, rows: int) -> Layout:
    return Layout(on_paper=True, columns=columns, rows=rows)


def _screen(columns: int, rows: int) -> Layout:
    return Layout(on_paper=False, columns=columns, rows=rows)


class Model(NamedTuple):
    """A model: the number of its keys, whether they have colours, and where they are."""

    name: str
    keys: int
    """Keys with a lamp, without expansion modules."""
    colors: bool
    """Whether the lamps have more than one colour; if not they ignore `o=`."""
    layout: Layout | None = None
    """None if it is not known (docs/card.md)."""


MODELS = {
    name: Model(name, keys, colors, layout)
    for name, keys, colors, layout in (
        ("300", 4, False, None),
        ("320", 12, False, _paper(2, 6)),
        ("360", 12, False, _paper(2, 6)),
        ("370", 12, False, _paper(2, 6)),
        ("820", 12, True, None),
        ("821", 12, True, None),
        ("870", 15, True, None),
        ("D120", 2, False, _paper(2, 1)),
        ("D140", 2, False, None),
        ("D150", 2, False, None),
        ("D305", 5, False, _paper(1, 5)),
        ("D315", 5, True, _paper(1, 5)),
        ("D335", 48, True, _screen(2, 4)),
        ("D345", 48, True, _screen(2, 6)),
        ("D375", 12, True, _screen(2, 6)),
        ("D385", 48, True, _screen(2, 6)),
        ("D710", 5, False, _paper(1, 5)),
        ("D712", 5, False, _paper(1, 5)),
        ("D713", 4, True, _screen(1, 4)),
        ("D715", 5, False, _paper(1, 5)),
        ("D717", 3, True, _screen(1, 3)),
        ("D725", 18, True, _paper(2, 9)),
        ("D735", 32, True, _screen(2, 4)),
        ("D745", 32, True, _screen(2, 4)),
        ("D765", 16, True, _paper(2, 8)),
        ("D785", 24, True, _screen(1, 6)),
        ("D812", 28, True, None),
        ("D815", 36, True, None),
        ("D862", 32, True, _screen(2, 4)),
        ("D865", 40, True, _screen(2, 5)),
        ("D892", 36, True, None),
    )
}

MODULES: Final = {
    module.name: module
    for module in (
        Model("D3", 18, True, _screen(2, 9)),
        Model("D7", 18, True, _screen(2, 9)),
        Model("D7C", 48, True),
        Model("D8C", 60, True),
    )
}
"""The expansion modules."""
_MOST_MODULES = 3

EXPANSIONS: Final = {
    f"{number}x {module.name}": number * module.keys
    for module in MODULES.values()
    for number in range(1, _MOST_MODULES + 1)
}
"""The keys of expansion modules, by their number and model."""


def modules_of(expansion: str) -> list[Model]:
    """Return the modules of a word of EXPANSIONS, none for any other text."""
    if expansion not in EXPANSIONS:
        return []
    number, _, name = expansion.partition("x ")
    return int(number) * [MODULES[name]]


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
