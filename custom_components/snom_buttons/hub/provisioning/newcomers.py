"""The phones that announced themselves and are not set up."""

from collections.abc import Container
from datetime import datetime
from typing import Final, NamedTuple

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ...engine.phones import Signal
from ...engine.provisioning import Announcement, Mac

MAX_NEWCOMERS: Final = 64
"""Phones that are remembered; an attacker can make up any number."""


class Newcomer(NamedTuple):
    """A phone that is not set up, as it announced itself last."""

    announcement: Announcement
    at: datetime
    """When; aware, in UTC."""


class Newcomers:
    """The last phones that were heard and are not set up, of all makers."""

    def __init__(self) -> None:
        """Start without any."""
        self.heard: Final[Signal[Newcomer]] = Signal()
        self._phones: dict[Mac, Newcomer] = {}

    @property
    def phones(self) -> list[Newcomer]:
        """The phones, the one that was heard last at the end."""
        return list(self._phones.values())

    @callback
    def async_add(self, said: Announcement) -> None:
        """Add a phone that was heard, or what it says now."""
        newcomer = Newcomer(said, dt_util.utcnow())
        self._phones.pop(said.mac, None)
        self._phones[said.mac] = newcomer
        if len(self._phones) > MAX_NEWCOMERS:
            # Those of other makers are only shown, and must not hide phones of ours.
            before = list(self._phones.values())[:-1]
            others = (it for it in before if not it.announcement.is_ours)
            del self._phones[next(others, before[0]).announcement.mac]
        self.heard.emit(newcomer)

    @callback
    def async_drop(self, macs: Container[str]) -> None:
        """Forget phones that are set up now."""
        self._phones = {mac: it for mac, it in self._phones.items() if mac not in macs}
