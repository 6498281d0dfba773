"""The shape of what follows a server while its config entry is loaded."""

from typing import Protocol

from homeassistant.core import callback

from .settings import EntrySettings


class Follower(Protocol):
    """Something that follows a server, its phones and its lines.

    A new feature is a new follower: the hub starts, updates and stops all alike.
    """

    @callback
    def start(self) -> None:
        """Begin to follow, before the server opens its ports."""

    async def update(self, settings: EntrySettings) -> None:
        """Apply settings. The hub's phones and lines are those of `settings` by now.

        Called after `start`, and after each change of the config entry.
        """

    async def stop(self) -> None:
        """Stop following, after the server has closed its ports. May be called twice."""
