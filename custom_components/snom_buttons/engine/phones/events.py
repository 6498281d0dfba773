"""What people do at a phone, as values, which nobody changes once they are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
import secrets
from typing import TYPE_CHECKING, Literal

from ..xbuttons import Action

if TYPE_CHECKING:
    from .phone import Phone

type Use = Literal[Action.SEIZE, Action.RELEASE]
"""What can be done to a shared line."""


@dataclass(slots=True, kw_only=True)
class Happening:
    """What every event has."""

    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When it arrived, aware, in UTC."""
    id: str = field(default_factory=partial(secrets.token_hex, 16))
    """Different for each event, to tell one that came twice by some other way."""


@dataclass(slots=True, kw_only=True)
class KeyPress(Happening):
    """Somebody pressed a key."""

    phone: Phone
    key: str
    """The key's name; it need not be a configured one."""
    action: Action | str
    """`message`, `seize` or `release`; `invite` if the phone called the key's number."""
    number: str
    """The destination that the phone sent the press to."""
    caller: str | None = None
    """Whose call the key shows."""
    use: Use | None = None
    """What it did to a shared line."""


@dataclass(slots=True, kw_only=True)
class Dialled(Happening):
    """Somebody dialled a number on the phone's identity with us."""

    phone: Phone
    number: str


@dataclass(slots=True, kw_only=True)
class LineUse(Happening):
    """A shared line was seized or released."""

    use: Use
    phone: str | None
    """The extension that did it, or that did not come back; None for us."""
