"""A shared line of the hub: its settings and its device."""

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
        self._hass = hass
        self._entry_id = entry_id
        self._via_device_id = via_device_id
        self.device_id = self._async_update_device()
        line.used.subscribe(lambda use: used.emit((self, use)))

    @callback
    def async_configure(self, settings: SharedLineSettings) -> None:
        """Apply new settings to the device; the hub configures the line itself."""
        self.settings = settings
        self._async_update_device()

    def _async_update_device(self) -> str:
        """Create or update the line's device; return its ID."""
        device = dr.async_get(self._hass).async_get_or_create(
            config_entry_id=self._entry_id,
            config_subentry_id=self.settings.subentry_id,
            entry_type=dr.DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, self.settings.subentry_id)},
            name=self.settings.setup.name,
            via_device_id=self._via_device_id,
        )
        return device.id
