"""The face of a phone: the messages about all that a dashboard shows of it.

The types are the source of `card/src/face.ts`, which `script/card_types.py` writes.
"""

from typing import Literal, NotRequired, TypedDict

type Status = Literal["in_sync", "behind", "refusing", "silent", "absent"]
"""Of the phone: it has taken what its keys should show, has not yet, refuses it; it is
registered and does not answer; it is not registered."""
type Pattern = Literal["dark", "steady", "slow", "medium", "fast"]
"""Of a lamp. The half periods of those that blink: 1 s, 0.5 s and 0.25 s."""
type Kind = Literal["light", "switch", "linked", "shared", "none"]
type GroupKind = Literal["paper", "screen", "generic"]
"""Labels on paper, labels on a display, and a phone whose layout is not known."""


class May(TypedDict):
    """What the user may do who sees the face."""

    press: bool
    arrange: bool


class Messages(TypedDict):
    """The waiting messages that the message lamp shows."""

    new: int
    old: int


class KeyGroup(TypedDict):
    """The keys of the phone itself, or of an expansion module, as they are arranged.

    Row by row, page by page: position n is in column n % columns.
    """

    kind: GroupKind
    module: str | None
    """The model of the module; null for the phone itself."""
    columns: int
    rows: int
    """Of one page."""
    keys: list[str]
    """The name of the key at each position, in `keys` if the key is set up; "" for a
    position that is not a key of Home Assistant."""


class KeyFace(TypedDict):
    """A key."""

    key: str
    kind: Kind
    title: str
    """The user's name of the key."""
    label: str
    """What the phone shows beside the key."""
    caller: str
    """Who calls."""
    waiting: str
    """The messages that the key shows, as `new/old`; "" for none."""
    light: str
    """The light mode, such as `hold`."""
    pattern: Pattern
    color: str
    """The colour of the lamp, `#rrggbb`; while it is dark, the one that it would have."""
    held_by: str | None
    """Of a shared line: the name of the phone that holds it, "" for Home Assistant; null
    if it is free."""
    lacking: bool
    """Whether the phone has not taken what the key should show."""
    confirming: bool
    """Whether a second press acts."""
    pressable: bool
    entity_id: str | None
    """The entity that the key follows, else its event."""


class PhoneFace(TypedDict):
    """A phone."""

    name: str
    maker: str
    model: str
    """Empty if it is not known."""
    card: str
    """The version of the card that Home Assistant serves."""
    may: May
    status: Status
    messages: Messages | None
    """Null if the phone has not subscribed to its message lamp."""
    groups: list[KeyGroup]
    keys: list[KeyFace]


class Changes(TypedDict):
    """What has changed of a face, and nothing else."""

    status: NotRequired[Status]
    messages: NotRequired[Messages | None]
    keys: NotRequired[list[KeyFace]]
    """The keys that have changed, whole."""


class PhoneMessage(TypedDict):
    """The whole face: the first message, and after a change of settings."""

    phone: PhoneFace


class ChangesMessage(TypedDict):
    """A change of the face that was sent before."""

    changes: Changes


class GoneMessage(TypedDict):
    """There is no face, until another whole one; there will be none once it is removed."""

    gone: Literal["removed", "stopped", "unauthorized"]


class KeyPreview(TypedDict):
    """What a key with other settings would be."""

    face: KeyFace
    text: str
    """What the key follows and what its press does; "" for one that is not linked."""


type FaceMessage = PhoneMessage | ChangesMessage | GoneMessage
