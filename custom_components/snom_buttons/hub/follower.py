"""The base class of followers of a server while its config entry is loaded."""

from homeassistant.core import CALLBACK_TYPE, callback

from .settings import EntrySettings


class Follower:
    """A follower of a server; the hub starts, updates and stops all alike."""

    def __init__(self) -> None:
        """Create a follower that follows nothing."""
        self._subscriptions: list[CALLBACK_TYPE] = []

    @callback
    def start(self) -> None:
        """Begin to follow, before the server opens its ports."""

    async def update(self, settings: EntrySettings) -> None:
        """Apply settings; by default nothing.

        Called after `start`, and after each change of the config entry. The hub's phones
        and lines are already those of `settings`.
        """

    async def stop(self) -> None:
        """Stop following, after the server has closed its ports. May be called twice."""
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._subscriptions = []
