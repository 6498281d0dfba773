"""A phone of the hub: its settings and its device."""

from collections.abc import Callable
import logging
import re

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..const import DOMAIN
from ..engine.phones import Phone
from .settings import PhoneSettings

_LOGGER = logging.getLogger(__name__)

# snomD785/10.1.198.12 0004130DD7C9
USER_AGENT = re.compile(
    r"snom[^/\s]*/(?P<version>\S+)(?:\s+(?P<mac>[0-9A-F]{12}))?", re.IGNORECASE
)


class SnomPhone:
    """A phone of the server, with its settings and its device."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        *,
        via_device_id: str,
        settings: PhoneSettings,
        phone: Phone,
        identified: Callable[[SnomPhone], None],
    ) -> None:
        """Create the phone's device.

        `identified` is called when the phone has named its firmware and hardware.
        """
        self.settings = settings
        self.phone = phone
        self.connection: tuple[str, str] | None = None
        """The hardware address that the phone named, while it is registered."""
        self._registry = dr.async_get(hass)
        self._entry_id = entry_id
        self._via_device_id = via_device_id
        self._identified = identified
        self._available = False
        self._user_agent: str | None = None
        self.device_id = self._async_update_device()
        self._unsubscribe = phone.status.subscribe(self._async_status_changed)
        self._async_status_changed(None)

    @callback
    def async_configure(self, settings: PhoneSettings) -> None:
        """Apply new settings to the device; the hub configures the phone itself."""
        self.settings = settings
        self._async_update_device()

    @callback
    def async_remove(self) -> None:
        """Stop following the phone; Home Assistant itself removes the device."""
        self._unsubscribe()

    @callback
    def _async_status_changed(self, _: None) -> None:
        if self.phone.available != self._available:
            self._available = self.phone.available
            _LOGGER.info(
                "Phone %s is %s",
                self.settings.setup.extension,
                "available" if self._available else "unavailable",
            )
        registration = self.phone.registration
        if registration is None:
            # The device is not changed, but another may get its hardware address.
            self._user_agent = self.connection = None
        elif (user_agent := registration.user_agent or "") != self._user_agent:
            self._user_agent = user_agent
            self._async_identify(USER_AGENT.match(user_agent))

    def _async_update_device(self) -> str:
        """Create or update the phone's device; return its ID."""
        settings = self.settings
        return self._registry.async_get_or_create(
            config_entry_id=self._entry_id,
            config_subentry_id=settings.subentry_id,
            identifiers={(DOMAIN, settings.subentry_id)},
            manufacturer="snom",
            model=settings.setup.model or None,
            name=settings.setup.name,
            via_device_id=self._via_device_id,
        ).id

    @callback
    def _async_identify(self, named: re.Match[str] | None) -> None:
        """Store the firmware of a User-Agent, and the hardware address or that it has none."""
        self.connection = None
        if named and named["mac"]:
            address = dr.format_mac(named["mac"])
            self.connection = (dr.CONNECTION_NETWORK_MAC, address)
        device = self._registry.async_get(self.device_id)
        assert isinstance(device, dr.DeviceEntry)
        self._registry.async_update_device(
            self.device_id,
            new_connections=device.connections & {self.connection},
            sw_version=named and named["version"],
        )
        self._identified(self)
