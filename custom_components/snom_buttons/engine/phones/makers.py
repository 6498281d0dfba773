"""Makers other than snom, whose phones have keys of type BLF, and their common models.

`docs/any-phone.md` has the source of each number and what was not tried. Where sources
disagree about the number of keys the larger one stands.
"""

from collections.abc import Mapping
import re
from types import MappingProxyType
from typing import Final, NamedTuple

from .models import Model, hardware_of
from .setup import BlfSetup, PressAnswer, Speakers


class Maker(NamedTuple):
    """What the phones of a maker have in common."""

    name: str
    """Such as `Yealink`; "" if it is not known."""
    models: Mapping[str, Model]
    """By name. The keys of a model are those that can be BLF beside the phone's line."""
    first_key: int = 1
    """The number of the first key that can be BLF: those before it are the phone's line."""
    idle_is_green: bool | None = None
    """Whether a lamp is green while its key is off, as the phone comes; None if that is not
    known."""
    speakers: Speakers = Speakers.BLF
    """A phone that does not know buttons documents may show them as text messages."""
    blf: BlfSetup = BlfSetup(press_answer=PressAnswer.BUSY)
    """No source says which answer a phone shows or plays least, so it is the usual one."""


def _maker(
    name: str,
    keys: Mapping[str, int],
    *,
    first_key: int = 1,
    idle_is_green: bool | None = None,
) -> Maker:
    """Return a maker; `keys` are all programmable keys of each model."""
    return Maker(
        name=name,
        models=MappingProxyType(
            {
                model: Model(model, count - first_key + 1, colors=False)
                for model, count in keys.items()
            }
        ),
        first_key=first_key,
        idle_is_green=idle_is_green,
    )


MAKERS: Final[Mapping[str, Maker]] = MappingProxyType(
    {
        "yealink": _maker(
            "Yealink",
            {
                "T21": 2,
                "T23": 3,
                "T27": 21,
                "T29": 27,
                "T31": 2,
                "T33": 12,
                "T34": 12,
                "T40": 3,
                "T41": 15,
                "T42": 15,
                "T43": 21,
                "T44": 24,
                "T46": 27,
                "T48": 29,
                "T52": 21,
                "T53": 21,
                "T54": 27,
                "T56": 27,
                "T57": 29,
                "T58": 27,
                "T73": 48,
                "T74": 60,
                "T77": 95,
                "T85": 72,
                "T87": 95,
                "T88": 95,
                "VP59": 27,
            },
            idle_is_green=True,
        ),
        "grandstream": _maker(
            "Grandstream",
            {
                "GRP2612": 16,
                "GRP2613": 24,
                "GRP2614": 40,
                "GRP2615": 40,
                "GRP2616": 40,
                "GRP2670": 12,
                "GXP1760": 24,
                "GXP1780": 32,
                "GXP1782": 32,
                "GXP2130": 20,
                "GXP2135": 32,
                "GXP2140": 16,
                "GXP2160": 48,
                "GXP2170": 48,
            },
            idle_is_green=True,
        ),
        "fanvil": _maker(
            "Fanvil",
            {
                "V61": 12,
                "V62": 21,
                "V63": 21,
                "V64": 21,
                "V65": 27,
                "V67": 116,
                "X3U": 3,
                "X4": 30,
                "X4G": 30,
                "X4SG": 30,
                "X4U": 33,
                "X5": 40,
                "X5U": 34,
                "X6": 60,
                "X6U": 65,
                "X7": 116,
                "X7C": 60,
                "X210": 106,
                "X303": 3,
            },
            idle_is_green=True,
        ),
        "poly": _maker(
            "Poly",
            {
                "Edge E100": 8,
                "Edge E220": 16,
                "Edge E300": 32,
                "Edge E320": 32,
                "Edge E350": 32,
                "Edge E450": 44,
                "Edge E550": 48,
                "VVX150": 2,
                "VVX250": 4,
                "VVX301": 6,
                "VVX311": 6,
                "VVX350": 6,
                "VVX401": 12,
                "VVX411": 12,
                "VVX450": 12,
                "VVX501": 12,
                "VVX601": 16,
                "VVX1500": 6,
            },
            first_key=2,
        ),
        "cisco": _maker(
            "Cisco",
            {
                "6821": 2,
                "6841": 4,
                "6851": 4,
                "6861": 4,
                "6871": 6,
                "7821": 2,
                "7841": 4,
                "7861": 16,
                "8811": 10,
                "8841": 10,
                "8845": 10,
                "8851": 10,
                "8861": 10,
                "8865": 10,
                "SPA303": 3,
                "SPA501G": 8,
                "SPA504G": 4,
                "SPA508G": 8,
                "SPA509G": 12,
                "SPA514G": 4,
                "SPA525G": 5,
            },
            first_key=2,
            idle_is_green=True,
        ),
        "gigaset": _maker("Gigaset", {"Maxwell 2": 8, "Maxwell 3": 8, "Maxwell 4": 8}),
        "other": _maker("", {}),
    }
)
"""By the name that is stored. Gigaset's P7xx and P8xx have the firmware of snom."""


def maker_of(user_agent: str) -> str:
    """Return the maker that a User-Agent begins with, "" for an unknown one or snom.

    Of Gigaset only Maxwell phones: others may have the firmware of snom.
    """
    named = user_agent.casefold()
    if named.startswith("gigaset") and "maxwell" not in named:
        return ""
    return next((maker for maker in MAKERS if named.startswith(maker)), "")


_VERSION: Final = re.compile(
    r"[ /-](\d{1,3}(?:\.\d{1,4}){1,3}[a-z]?)(?![A-Za-z0-9.:-])", re.ASCII
)


def firmware_of(user_agent: str) -> str | None:
    """Return the version of the firmware that a User-Agent names, None if it does not.

    Such as `Yealink SIP-T46G 28.82.0.20`, `PolycomVVX-VVX_450-UA/6.4.3.5018` and that of
    a snom phone. The version that another program names is none of a firmware.
    """
    if hardware := hardware_of(user_agent):
        return hardware.version
    version = _VERSION.search(user_agent) if maker_of(user_agent) else None
    return version and version[1]
