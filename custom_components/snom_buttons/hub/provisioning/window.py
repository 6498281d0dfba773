"""A window in which the next phone that is plugged in is set up."""

import asyncio
from collections.abc import Callable
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

type MakePhone = Callable[[Announcement], ConfigSubentry]
"""Returns a new phone with what it said."""


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
        self._leased_until = 0.0

    @callback
    def async_note(self, said: Announcement) -> None:
        """Remember a phone that was heard."""
        if said.mac not in self.heard and len(self.heard) < MAX_HEARD:
            self.heard[said.mac] = said
            self.changed.emit(None)

    @callback
    def async_admit(self, said: Announcement) -> bool:
        """Return whether a phone is answered; not while the window belongs to another."""
        now = self._clock()
        is_other = self.answered is None or self.answered.mac != said.mac
        if is_other and now < self._leased_until:
            return False
        self._leased_until = now + LEASE
        self.answered = said
        self.changed.emit(None)
        return True

    @callback
    def async_phone(self, mac: Mac) -> ConfigSubentry | None:
        """Return the new phone for the hardware address that was answered last."""
        said = self.answered
        if said is None or mac != said.mac or self.ended.done():
            return None
        return self._make(said)

    @callback
    def async_end(self, phone: ConfigSubentry | None) -> None:
        """End with the phone that was added, or without one."""
        if not self.ended.done():
            self.ended.set_result(phone)
