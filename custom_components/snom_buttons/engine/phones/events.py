"""Events at a phone. A value does not change once it is emitted."""

from asyncio import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
import secrets
import time
from typing import Final, Literal, NamedTuple

from ..xbuttons import Action

MAX_AGE: Final = 30.0
"""Seconds after which an event is of no use: a late press must not open a door."""
type Use = Literal[Action.SEIZE, Action.RELEASE]
"""A change of a shared line."""

MEMORY: Final = 64.0
"""Seconds for which the ID of a press is remembered: a phone, and a proxy behind it, each
repeat a request for 32 (timer F, RFC 3261 17.1.2.2)."""


@dataclass(slots=True, kw_only=True)
class Happening:
    """The common part of all events."""

    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The time of arrival, aware, in UTC."""
    id: str = field(default_factory=partial(secrets.token_hex, 16))
    """Unique; copies of the event on another path have the same."""
    taken: Future[bool] | None = field(default=None, compare=False, repr=False)
    """Gets whether a follower has delivered the event. None if nothing waits for that."""
    cause: object = field(default=None, compare=False, repr=False)
    """The event that caused this one, or what the caller of `show`, `seize` or `release`
    gave. A follower may set it for an event without a cause."""


@dataclass(slots=True, kw_only=True)
class KeyPress(Happening):
    """A key was pressed."""

    extension: str
    """The phone's extension."""
    key: str
    """The key's name; the key need not be configured."""
    action: Action | str
    """`message`, `seize` or `release`; `invite` if the phone called the key's number."""
    number: str
    """The destination that the phone sent the press to."""
    caller: str | None = None
    """The caller that the key shows."""
    use: Use | None = None
    """The effect of the press on a shared line."""
    simulated: bool = False
    """Whether the server pressed the key, and no finger."""


@dataclass(slots=True, kw_only=True)
class Dialled(Happening):
    """A number was dialled on a phone's identity at this server."""

    extension: str
    """The phone's extension."""
    number: str


@dataclass(slots=True, kw_only=True)
class LineUse(Happening):
    """A shared line was seized or released."""

    use: Use
    extension: str | None
    """The phone that did it, or that is gone; None for the server itself."""


class Acted(NamedTuple):
    """A press that has changed its key or a shared line, as it is known elsewhere."""

    id: str
    at: float
    """In wall-clock time."""
    use: Use | None
    toggled: str = ""
    """The key that it has toggled; "" if it has toggled none."""

    @property
    def is_current(self) -> bool:
        """Whether the press may come again; the clock of another server may be ahead."""
        return abs(time.time() - self.at) < MEMORY


class Attempt(NamedTuple):
    """A REGISTER with wrong credentials.

    It came from where it says, since they answer a challenge that was sent there.
    """

    extension: str
    """As sent: any text."""
    host: str
    user_agent: str
    """As sent, cut; "" if there is none."""
