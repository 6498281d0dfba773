"""The words and values of a buttons document; other words are kept as plain text."""

from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Final

MAX_TEXT: Final = 64
"""Characters of a key's name, action or number that events carry."""

_OTHER_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


class LightMode(StrEnum):
    """The light mode, `c=` ("Light"); SEIZED and RECORD are other vendors'."""

    OFF = "off"
    ON = "on"
    HOLD = "hold"
    PICKUP = "pickup"
    PARK = "park"
    MESSAGE = "message"
    OFFLINE = "offline"
    ERROR = "error"
    SEIZED = "seized"
    RECORD = "record"


class Color(StrEnum):
    """The lamp's colour, `o=` ("Color"); other colours are the text `#RRGGBB`."""

    LOCAL = "local"
    REMOTE = "remote"
    RED = "red"
    GREEN = "green"
    ORANGE = "orange"


def is_other_color(text: str) -> bool:
    """Return whether a text is another colour, `#RRGGBB`."""
    return _OTHER_COLOR.fullmatch(text) is not None


class Action(StrEnum):
    """What the phone sends for a press, `a=`; SEIZE and RELEASE for shared lines."""

    INVITE = "invite"
    MESSAGE = "message"
    SEIZE = "seize"
    RELEASE = "release"


class Direction(StrEnum):
    """The direction of the call on the key, `b=`."""

    IN = "in"
    OUT = "out"


class ForwardCondition(StrEnum):
    """The condition of call forwarding, the first part of `f=`."""

    ALWAYS = "always"
    BUSY = "busy"


class Release(StrEnum):
    """What the release of the key does, `r=`."""

    IGNORE = "ignore"
    HANGUP = "hangup"
    ENGAGE = "engage"


class KeyState(StrEnum):
    """A state of what the key represents, one word of `s=`."""

    DND = "dnd"
    LOGOFF = "logoff"
    OFFLINE = "offline"


class KeyType(StrEnum):
    """What the key represents, `x=`."""

    EXT = "ext"
    QUEUE = "queue"
    GROUP = "group"
    LINE = "line"
    FLAG = "flag"
    CONF = "conf"
    MWI = "mwi"


@dataclass(frozen=True, slots=True)
class Forward:
    """Call forwarding, `f=`: the condition, directly followed by the target."""

    condition: ForwardCondition
    target: str

    def __str__(self) -> str:
        """Return the value of the property as text."""
        return f"{self.condition}{self.target}"


@dataclass(frozen=True, slots=True)
class MessageWaiting:
    """Waiting messages, `m=`: new and old ones."""

    new: int
    old: int

    def __str__(self) -> str:
        """Return the value of the property as text."""
        return f"{self.new}/{self.old}"


@dataclass(frozen=True, slots=True)
class Treatment:
    """Treatment, `t=`: a token and a text; in a press only the phone's instance URN."""

    token: str
    text: str = ""

    def __str__(self) -> str:
        """Return the value of the property as text."""
        return f"{self.token} {self.text}" if self.text else self.token


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDescription:
    """All that a document says about one key: its look.

    It is always the whole key: "the previously stored value … will be overwritten in
    any case". The defaults are the document's. Nothing is checked before
    `format_document`.
    """

    name: str
    """`k=`, the name of the key: usually its number, counted from 1."""
    light: LightMode | str = LightMode.OFF
    color: Color | str | None = None
    number: str | None = None
    """`n=`, the destination of a press; without it "the device will not perform any
    action"."""
    action: Action | str = Action.INVITE
    label: str | None = None
    display_name: str | None = None
    caller: str | None = None
    direction: Direction | str | None = None
    forward: Forward | str | None = None
    message_waiting: MessageWaiting | str | None = None
    release: Release | str | None = None
    states: tuple[KeyState | str, ...] = ()
    """`s=`; a value with unknown words is kept whole, as the only one."""
    treatment: Treatment | None = None
    type: KeyType | str | None = None
    extensions: tuple[tuple[str, str], ...] = ()
    """Properties that are not in the document: names and values, in order."""
