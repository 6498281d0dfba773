"""What people do at a phone, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..xbuttons import Action
    from .phone import Phone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Happening:
    """What every event has."""

    phone: Phone
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When it arrived, aware, in UTC."""
    id: str = field(default_factory=partial(secrets.token_hex, 16))
    """Different for each event, to tell one that came twice by some other way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPress(_Happening):
    """Somebody pressed a key."""

    key: str
    """The key's name; it need not be a configured one."""
    action: Action | str
    """`message`, `seize` or `release`; `invite` if the phone called the key's number."""
    number: str
    """The destination that the phone sent the press to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled(_Happening):
    """Somebody dialled a number on the phone's identity with us."""

    number: str
