"""A linked key: it shows what an entity does, and its press acts on the entity."""

from collections.abc import Callable

from homeassistant.core import HomeAssistant

from ...engine.phones import Key
from ..settings import LinkSettings
from .look import LinkedLook
from .press import LinkedPress, Run


class LinkedKey:
    """One linked key: its look, and what its presses do."""

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        extension: str,
        key: Key,
        link: LinkSettings,
        event_entity: Callable[[], str | None],
        device_name: Callable[[], str],
        passing_changed: Callable[[], None],
        run: Run,
    ) -> None:
        """Create a link that shows nothing yet.

        `event_entity` and `device_name` name the key in the logbook. `passing_changed`
        is that of LinkedLook.
        """
        self.look = LinkedLook(
            hass,
            extension=extension,
            key=key,
            link=link,
            passing_changed=passing_changed,
        )
        self.press = LinkedPress(
            hass,
            self.look,
            event_entity=event_entity,
            device_name=device_name,
            run=run,
        )

    @property
    def link(self) -> LinkSettings:
        """What the key follows, shows and does."""
        return self.look.link

    def serves(self, key: Key, link: LinkSettings) -> bool:
        """Return whether this link can stay under new settings."""
        look = self.look
        return key is look.key and key.setup == look.setup and link == look.link

    async def stop(self) -> None:
        """End all that is under way. The key keeps its look."""
        self.look.async_stop()
        await self.press.stop()
