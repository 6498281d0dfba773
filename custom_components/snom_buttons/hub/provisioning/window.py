"""A window in which the next phone that is plugged in is set up."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ...engine.phones import Signal
from ...engine.provisioning import Announcement, Mac

MAX_HEARD: Final = 5
"""Phones that a window remembers to show them; an attacker can make up any number."""

type MakePhone = Callable[[Announcement], ConfigSubentry]
"""Returns a new phone with what it said."""


class Window:
    """It is for one phone: the only one that is heard, or the one that is chosen.

    It ends when that phone has fetched its settings.
    """

    def __init__(self, make: MakePhone) -> None:
        """Open a window. `make` is called once, when the phone fetches its settings."""
        self.changed: Final[Signal[None]] = Signal()
        """`heard`, `answered` or `is_contested` has changed."""
        self.ended: Final[asyncio.Future[ConfigSubentry | None]] = (
            asyncio.get_running_loop().create_future()
        )
        """The phone that was added; None if the window was closed without one."""
        self.opened: Final[datetime] = dt_util.utcnow()
        self.heard: Final[dict[Mac, Announcement]] = {}
        """The first phones that were heard, also those of other makers."""
        self.answered: Announcement | None = None
        """The phone that was answered last."""
        self.chosen: Announcement | None = None
        """The phone that the user has chosen among several."""
        self.passed_over: Final[set[Mac]] = set()
        """The phones that the user does not want."""
        self.is_contested = False
        """Whether several phones were heard and the user has not chosen yet."""
        self.is_superseded = False
        """Whether another window was opened while this one was open."""
        self._make = make

    @callback
    def async_note(self, said: Announcement) -> None:
        """Remember a phone that was heard."""
        if said.mac not in self.heard and len(self.heard) < MAX_HEARD:
            self.heard[said.mac] = said
            self.changed.emit(None)

    @callback
    def async_admit(self, said: Announcement, *, is_alone: bool) -> bool:
        """Return whether a phone is answered.

        `is_alone` says that no other phone was heard for which the window may be.
        """
        if self.chosen is not None:
            is_wanted = said.mac == self.chosen.mac
        else:
            is_wanted = is_alone
            if not is_alone and not self.is_contested:
                self.is_contested = True
                self.changed.emit(None)
        if is_wanted:
            self.answered = said
            self.changed.emit(None)
        return is_wanted

    @callback
    def async_choose(self, said: Announcement) -> None:
        """Answer this phone only."""
        self.chosen = said
        self.is_contested = False

    @callback
    def async_pass_over(self, macs: Iterable[Mac]) -> None:
        """Answer none of these phones, and go on as if they were not heard."""
        self.passed_over.update(macs)
        self.is_contested = False
        if self.answered is not None and self.answered.mac in self.passed_over:
            self.answered = None

    @callback
    def async_phone(self, mac: Mac) -> ConfigSubentry | None:
        """Return the new phone for the hardware address that was answered last."""
        said = self.answered
        if (
            said is None
            or mac != said.mac
            or self.is_contested
            or (self.chosen is not None and mac != self.chosen.mac)
            or self.ended.done()
        ):
            return None
        return self._make(said)

    @callback
    def async_supersede(self) -> None:
        """End, as another window opens."""
        self.is_superseded = True
        self.async_end(None)

    @callback
    def async_end(self, phone: ConfigSubentry | None) -> None:
        """End with the phone that was added, or without one. A second call does nothing."""
        if not self.ended.done():
            self.ended.set_result(phone)
