"""A window in which the next phone that is plugged in is set up."""

import asyncio
from collections.abc import Callable
import hmac
import secrets
from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import callback

from ...engine.phones import Signal
from ...engine.provisioning import Announcement, Mac

LEASE: Final = 30.0
"""Seconds in which the phone that was answered fetches its settings, before another one
is answered."""
MAX_HEARD: Final = 5
"""Phones that a window remembers to show them; an attacker can make up any number."""
TOKEN_BYTES: Final = 16
"""Bytes of the secret in the address of a settings file."""

type MakePhone = Callable[[Announcement, str], ConfigSubentry]
"""Returns a new phone with what it said and its token."""


def new_token() -> str:
    """Return a secret for the address of a settings file."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class Window:
    """It belongs to one phone at a time, and ends when that has fetched its settings."""

    def __init__(self, make: MakePhone, clock: Callable[[], float]) -> None:
        """Open a window. `make` is called once, when the phone fetches its settings."""
        self.changed: Final[Signal[None]] = Signal()
        """`heard` or `answered` has changed."""
        self.ended: Final[asyncio.Future[ConfigSubentry | None]] = (
            asyncio.get_running_loop().create_future()
        )
        """The phone that was added; None if the window was closed without one."""
        self.heard: Final[dict[Mac, Announcement]] = {}
        """The first phones that were heard, also those of other makers."""
        self.answered: Announcement | None = None
        """The phone that was answered last."""
        self._make = make
        self._clock = clock
        self._token = ""
        self._leased_until = 0.0

    @callback
    def async_note(self, said: Announcement) -> None:
        """Remember a phone that was heard."""
        if said.mac not in self.heard and len(self.heard) < MAX_HEARD:
            self.heard[said.mac] = said
            self.changed.emit(None)

    @callback
    def async_admit(self, said: Announcement) -> str | None:
        """Return the token for a phone, None while the window belongs to another one."""
        now = self._clock()
        if self.answered is None or self.answered.mac != said.mac:
            if now < self._leased_until:
                return None
            # The phone before has had its time, and its token is of no use any more.
            self._token = new_token()
        self._leased_until = now + LEASE
        self.answered = said
        self.changed.emit(None)
        return self._token

    @callback
    def async_phone(self, token: str, mac: Mac | None) -> ConfigSubentry | None:
        """Return the new phone for its token and hardware address; None for all else."""
        is_right = hmac.compare_digest(self._token.encode(), token.encode())
        said = self.answered
        if said is None or not is_right or mac != said.mac or self.ended.done():
            return None
        return self._make(said, token)

    @callback
    def async_end(self, phone: ConfigSubentry | None) -> None:
        """End with the phone that was added, or without one."""
        if not self.ended.done():
            self.ended.set_result(phone)
