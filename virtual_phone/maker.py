"""The makers of phones: what their requests look like, and how their lamps show a call.

The traces and manuals that this is taken from are named in docs/virtual-phone.md, which
also says what is assumed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from snom_buttons.keywords import Pattern
from snom_buttons.xbuttons import Color

from .dialog_info import State


class Lamp(NamedTuple):
    """What a lamp does."""

    pattern: Pattern
    color: Color | None = None


_DARK = Lamp(Pattern.DARK)
_RED = Lamp(Pattern.STEADY, Color.RED)
_BLINKS = Lamp(Pattern.FAST, Color.RED)

DARK_WHEN_IDLE: Final = MappingProxyType(
    {
        State.TERMINATED: _DARK,
        State.TRYING: _RED,
        State.EARLY: _BLINKS,
        State.CONFIRMED: _RED,
    }
)
GREEN_WHEN_IDLE: Final = MappingProxyType(
    {**DARK_WHEN_IDLE, State.TERMINATED: Lamp(Pattern.STEADY, Color.GREEN)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What the phones of a maker have in common."""

    name: str
    model: str
    """The model of a phone that was given no other."""
    oui: str
    """The first six digits of its hardware addresses."""
    user_agent: str
    """The User-Agent of SIP, with `{model}` and perhaps `{mac}`."""
    allow: str
    """The methods that it says it knows."""
    allow_events: str = "check-sync"
    supported: str = ""
    """The extensions of a REGISTER, "" without the header."""
    has_line: bool = False
    """Whether its Contact has a `line`, without which it takes no request."""
    names_port: bool = False
    """Whether its URIs have the registrar's port."""
    blf_uri: str = ""
    """The parameters of the URI that it subscribes to."""
    subscribe: tuple[tuple[str, str], ...] = ()
    """The headers of a SUBSCRIBE that not all makers have."""
    accept: str = "application/dialog-info+xml"
    expires: int = 3600
    """Seconds of a subscription that are asked for."""
    first_cseq: int = 1
    pickup: str = ""
    """What is dialled before the number while a lamp blinks, as it leaves the factory."""
    lamps: Mapping[State, Lamp] = DARK_WHEN_IDLE
    """The lamp of a key that is subscribed; that of any other is dark."""
    takes_documents: bool = False
    """Whether it takes buttons documents."""

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that it knows."""
        return tuple(self.allow.split(", "))


FIRMWARE: Final = "10.1.198.12"
"""That of a snom phone."""

_METHODS_OF_SNOM = "INVITE, ACK, CANCEL, OPTIONS, MESSAGE, NOTIFY"
_GRANDSTREAM_METHODS = (
    "INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE"
)
_POLY_METHODS = (
    "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, MESSAGE, SUBSCRIBE, NOTIFY, PRACK, UPDATE,"
    " REFER"
)

SNOM: Final = Maker(
    name="snom",
    model="D735",
    oui="000413",
    user_agent=f"snom{{model}}/{FIRMWARE}",
    allow=_METHODS_OF_SNOM,
    supported="buttons",
    has_line=True,
    blf_uri=";user=phone",
    takes_documents=True,
)
YEALINK: Final = Maker(
    name="Yealink",
    model="T46S",
    oui="001565",
    user_agent="Yealink SIP-{model} 66.86.0.15",
    allow=(
        "INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE,"
        " REFER, PUBLISH, UPDATE, MESSAGE"
    ),
    allow_events="talk,hold,conference,refer,check-sync",
    names_port=True,
    expires=1800,
    lamps=MappingProxyType({**GREEN_WHEN_IDLE, State.TRYING: _BLINKS}),
)
GRANDSTREAM: Final = Maker(
    name="Grandstream",
    model="GRP2612W",
    oui="C074AD",
    user_agent="Grandstream {model} 1.0.5.67",
    allow=_GRANDSTREAM_METHODS,
    supported="replaces, path",
    subscribe=(("Supported", "replaces, path"), ("Allow", _GRANDSTREAM_METHODS)),
    first_cseq=20000,
    pickup="**",
    lamps=GREEN_WHEN_IDLE,
)
FANVIL: Final = Maker(
    name="Fanvil",
    model="X4U",
    oui="0C383E",
    user_agent="Fanvil {model} 2.12.7.6 {mac}",
    allow=(
        "INVITE, ACK, OPTIONS, BYE, CANCEL, REFER, NOTIFY, INFO, PRACK, UPDATE, MESSAGE"
    ),
    supported="path",
    lamps=GREEN_WHEN_IDLE,
)
POLY: Final = Maker(
    name="Poly",
    model="VVX_450",
    oui="482567",
    user_agent="PolycomVVX-{model}-UA/6.4.3.5018",
    allow=_POLY_METHODS,
    allow_events="conference,talk,hold",
    subscribe=(
        ("Allow", _POLY_METHODS),
        ("Accept-Language", "en"),
        ("Supported", "eventlist"),
    ),
    accept="application/dialog-info+xml,application/rlmi+xml,multipart/related",
)
CISCO: Final = Maker(
    name="Cisco",
    model="SPA504G",
    oui="689E0B",
    user_agent="Cisco/{model}-7.6.2c",
    allow="ACK, BYE, CANCEL, INFO, INVITE, NOTIFY, OPTIONS, REFER, UPDATE",
    supported="replaces",
    names_port=True,
    expires=1800,
    lamps=GREEN_WHEN_IDLE,
)
GIGASET: Final = Maker(
    name="Gigaset",
    model="Maxwell 3",
    oui="7C2F80",
    user_agent="Gigaset {model}/2.23.0;{mac}",
    allow="INVITE, ACK, CANCEL, OPTIONS, BYE, NOTIFY, REFER, UPDATE, INFO",
)

MAKERS: Final[Mapping[str, Maker]] = MappingProxyType(
    {
        maker.name.lower(): maker
        for maker in (SNOM, YEALINK, GRANDSTREAM, FANVIL, POLY, CISCO, GIGASET)
    }
)
"""The makers by the names that the command takes."""
