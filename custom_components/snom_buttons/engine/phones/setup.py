"""What a user sets up: phones, their keys, and shared lines. Values, without state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..dialoginfo import STATES, DialogState, state_of
from ..xbuttons import Action, KeyDescription, LightMode
from .dialling import Dialling


class KeyKind(StrEnum):
    """What a key is used for."""

    LIGHT = "light"
    SWITCH = "switch"
    LINKED = "linked"
    """A key that shows what it follows, and has no light or switch of its own."""
    NONE = "none"
    """Not used."""
    SHARED = "shared"
    """A key of a shared line, whatever the phone's own settings are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySetup:
    """One key of a phone."""

    off: KeyDescription
    """The look of the key while it is off, and before anything is set."""
    on: KeyDescription | None = None
    """The look while it is on; None if the caller that turns it on chooses the look."""
    toggles: bool = False
    """Whether a press toggles the key."""
    kind: KeyKind = KeyKind.LIGHT
    colors: bool = False
    """Whether the lamp has several colours."""
    title: str = ""
    """The user's name of the key."""

    @property
    def name(self) -> str:
        """The key's name in the document."""
        return self.off.name

    @property
    def used(self) -> bool:
        """Whether the key is used."""
        return self.kind is not KeyKind.NONE


class Speakers(StrEnum):
    """How the looks of a phone's keys are sent."""

    AUTOMATIC = "automatic"
    """By NOTIFY if the phone has subscribed to the key, else by documents."""
    BUTTONS = "buttons"
    """By buttons documents only."""
    BLF = "blf"
    """By NOTIFY only."""
    BOTH = "both"


class PressAnswer(StrEnum):
    """The answer to the INVITE by which a phone sends the press of a BLF key."""

    BUSY = "busy"
    """486 Busy Here (RFC 3261 21.4.24)."""
    DECLINE = "decline"
    """603 Decline (21.6.2)."""
    UNAVAILABLE = "unavailable"
    """480 Temporarily Unavailable (21.4.18)."""

    @property
    def status(self) -> int:
        """The status of the response."""
        return {"busy": 486, "decline": 603, "unavailable": 480}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlfSetup:
    """How a phone shows its BLF keys, and what it hears when one is pressed."""

    press_answer: PressAnswer = PressAnswer.BUSY
    states: Mapping[str, DialogState] = STATES
    """The dialog states of light modes; those that are left out are as in `STATES`."""
    is_inverted: bool = False
    """Whether the lamps are lit while nothing is on."""

    def state_of(self, look: KeyDescription) -> DialogState:
        """Return the dialog state that a look is sent as."""
        return state_of(look.light, self.states, is_inverted=self.is_inverted)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSetup:
    """One phone."""

    extension: str
    name: str = ""
    """The user's name of the phone."""
    password: str = field(repr=False)
    former_password: str = field(default="", repr=False)
    """Accepted beside the other until the phone has registered with that; "" for none."""
    maker: str = "snom"
    """Empty if it is not known."""
    model: str = ""
    """Such as `D785`; empty for a model that is not known."""
    keys: tuple[KeySetup, ...] = ()
    dialling: Dialling = field(default_factory=Dialling)
    """How calls from the phone are answered; by default it is always busy."""
    speakers: Speakers = Speakers.AUTOMATIC
    blf: BlfSetup = field(default_factory=BlfSetup)
    address: tuple[str, int] | None = None
    """IP address and UDP port of a phone that does not register, and then cannot."""
    room_lights: bool = False
    """Whether the lamps count as lights of the room; by default they are indicators."""

    @property
    def held_password(self) -> str:
        """The password with which the phone has registered last, if it has."""
        return self.former_password or self.password


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSetup:
    """One shared line."""

    name: str = ""
    """The user's name of the line."""
    code: str
    """The line's name in the document, such as `co2`."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """The name of the line's key on each phone, by extension."""
    release_after: float | None = None
    """Seconds for which an owner may be unavailable before it loses the line; None for
    until its registration ends."""


def shared_key(name: str, code: str) -> KeySetup:
    """Return a key of a line (LED Remote Control, "shared lines")."""
    free = KeyDescription(
        name=name, number=f"*602{code}", action=Action.SEIZE, label=f"({code})"
    )
    seized = KeyDescription(
        name=name,
        light=LightMode.ON,
        number=f"*603{code}",
        action=Action.RELEASE,
        label=f"({code})",
    )
    return KeySetup(off=free, on=seized, kind=KeyKind.SHARED)
