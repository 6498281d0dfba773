"""A shared line of the hub: its settings and its device."""

from functools import partial

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..const import DOMAIN
from ..engine.phones import LineUse, SharedLine, Signal
from .settings import SharedLineSettings


class SnomLine:
    """A shared line of the server, with its settings and its device."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        *,
        via_device_id: str,
        settings: SharedLineSettings,
        line: SharedLine,
        used: Signal[tuple[SnomLine, LineUse]],
    ) -> None:
        """Create the line's device. `used` is emitted at each seizure and release."""
        self.settings = settings
        self.line = line
        self._update_device = partial(
            dr.async_get(hass).async_get_or_create,
            config_entry_id=entry_id,
            config_subentry_id=settings.subentry_id,
            entry_type=dr.DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, settings.subentry_id)},
            via_device_id=via_device_id,
        )
        self.device_id = self._update_device(name=settings.setup.name).id
        line.used.subscribe(lambda use: used.emit((self, use)))

    @callback
    def async_configure(self, settings: SharedLineSettings) -> None:
        """Apply new settings to the device; the hub configures the line itself."""
        self.settings = settings
        self._update_device(name=settings.setup.name)
