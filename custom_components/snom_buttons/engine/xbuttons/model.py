"""The words and values of a buttons document.

Every enumeration holds the document's own words. A word that is not among them is
kept as plain text: firmware knows words that the document does not.
"""

from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Final

MAX_TEXT: Final = 64
"""Characters of a key's name, action or number that events carry."""

_OTHER_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


class LightMode(StrEnum):
    """What the lamp shows, `c=` (buttons document, "Light").

    `SEIZED` and `RECORD` are not in the document; other vendors' pages have them.
    """

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
    """The lamp's colour, `o=` (buttons document, "Color").

    Any other colour is the text `#RRGGBB`. Lamps of one colour ignore it.
    """

    LOCAL = "local"
    REMOTE = "remote"
    RED = "red"
    GREEN = "green"
    ORANGE = "orange"


def is_other_color(text: str) -> bool:
    """Return whether a text is a colour of one's own, `#RRGGBB`."""
    return _OTHER_COLOR.fullmatch(text) is not None


class Action(StrEnum):
    """What a press makes the phone send, `a=`.

    `SEIZE` and `RELEASE` come from the document's shared-line examples.
    """

    INVITE = "invite"
    MESSAGE = "message"
    SEIZE = "seize"
    RELEASE = "release"


class Direction(StrEnum):
    """Which way the call on the key goes, `b=`."""

    IN = "in"
    OUT = "out"


class ForwardCondition(StrEnum):
    """When calls are forwarded, the first part of `f=`."""

    ALWAYS = "always"
    BUSY = "busy"


class Release(StrEnum):
    """What letting go of the key does, `r=`."""

    IGNORE = "ignore"
    HANGUP = "hangup"
    ENGAGE = "engage"


class KeyState(StrEnum):
    """A state of what the key stands for, one word of `s=`."""

    DND = "dnd"
    LOGOFF = "logoff"
    OFFLINE = "offline"


class KeyType(StrEnum):
    """What the key stands for, `x=`."""

    EXT = "ext"
    QUEUE = "queue"
    GROUP = "group"
    LINE = "line"
    FLAG = "flag"
    CONF = "conf"
    MWI = "mwi"


@dataclass(frozen=True, slots=True)
class Forward:
    """Call forwarding, `f=`: the condition with the target right behind it."""

    condition: ForwardCondition
    target: str

    def __str__(self) -> str:
        """Return the property's value as the document writes it."""
        return f"{self.condition}{self.target}"


@dataclass(frozen=True, slots=True)
class MessageWaiting:
    """Messages that wait, `m=`: new ones, then old ones."""

    new: int
    old: int

    def __str__(self) -> str:
        """Return the property's value as the document writes it."""
        return f"{self.new}/{self.old}"


@dataclass(frozen=True, slots=True)
class Treatment:
    """Treatment, `t=`: a token and, after a space, a text.

    In a phone's press the token is its instance, `<urn:uuid:…>`, and `text` is empty.
    """

    token: str
    text: str = ""

    def __str__(self) -> str:
        """Return the property's value as the document writes it."""
        return f"{self.token} {self.text}" if self.text else self.token


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDescription:
    """All that a document says about one key.

    The phone forgets what a description leaves out: "the previously stored value …
    will be overwritten in any case". So a description is always the whole key, and
    the defaults here are the document's.

    Nothing is checked on construction; `format` refuses what cannot be written.
    """

    name: str
    """`k=`, the name of the key: usually its number, counted from 1."""
    light: LightMode | str = LightMode.OFF
    """`c=`"""
    color: Color | str | None = None
    """`o=`"""
    number: str | None = None
    """`n=`, where a press goes; without it "the device will not perform any action"."""
    action: Action | str = Action.INVITE
    """`a=`"""
    label: str | None = None
    """`l=`"""
    display_name: str | None = None
    """`d=`"""
    caller: str | None = None
    """`i=`"""
    direction: Direction | str | None = None
    """`b=`"""
    forward: Forward | str | None = None
    """`f=`"""
    message_waiting: MessageWaiting | str | None = None
    """`m=`"""
    release: Release | str | None = None
    """`r=`"""
    states: tuple[KeyState | str, ...] = ()
    """`s=`; a value that is not made of known words is kept whole, as the only one."""
    treatment: Treatment | None = None
    """`t=`"""
    type: KeyType | str | None = None
    """`x=`"""
    extensions: tuple[tuple[str, str], ...] = ()
    """Properties that the document does not know: names and values, in order."""
