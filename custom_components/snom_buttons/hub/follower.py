"""The shape of what follows a server while its config entry is loaded."""

from homeassistant.core import CALLBACK_TYPE, callback

from .settings import EntrySettings


class Follower:
    """Something that follows a server, its phones and its lines.

    A new feature is a new follower: the hub starts, updates and stops all alike.
    """

    def __init__(self) -> None:
        """Follow nothing yet."""
        self._subscriptions: list[CALLBACK_TYPE] = []
        """What `stop` calls to end them."""

    @callback
    def start(self) -> None:
        """Begin to follow, before the server opens its ports."""

    async def update(self, settings: EntrySettings) -> None:
        """Apply settings; by default nothing.

        Called after `start`, and after each change of the config entry. The hub's phones
        and lines are those of `settings` by now.
        """

    async def stop(self) -> None:
        """Stop following, after the server has closed its ports. May be called twice."""
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._subscriptions = []
