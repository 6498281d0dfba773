"""Switch entities: keys that are set up as switches, and shared lines."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity

from .const import ATTR_PHONE
from .engine.phones import KeyKind
from .entity import SnomKeyLampEntity, SnomLineEntity, platform_setup
from .hub.line import SnomLine

PARALLEL_UPDATES = 0


class SnomSwitch(SnomKeyLampEntity, SwitchEntity):
    """A key that is on or off, as its lamp shows."""

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        self.key.show(self.key.turned(self.key.look, True), self._context)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        self.key.show(self.key.turned(self.key.look, False), self._context)


class SnomLineSwitch(SnomLineEntity, SwitchEntity):
    """A shared line, on while it is seized."""

    _attr_name = None
    _attr_translation_key = "shared_line"

    def __init__(self, line: SnomLine) -> None:
        """Create the line's switch."""
        super().__init__(line, "line")
        self.follow(self.line.status)

    @property
    @override
    def is_on(self) -> bool:
        return self.line.seized

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str | None]:
        """Return the extension of the phone that holds the line."""
        return {ATTR_PHONE: self.line.owner}

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Seize the line for Home Assistant, if it is free."""
        self.line.seize(cause=self._context)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Release the line, even if a phone holds it."""
        self.line.release(cause=self._context)


async_setup_entry = platform_setup(
    of_key={KeyKind.SWITCH: SnomSwitch}, of_line=[SnomLineSwitch]
)
