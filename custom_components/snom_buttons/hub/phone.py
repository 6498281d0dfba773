"""What a hub holds: its phones and shared lines, each with settings and a device."""

import logging
import re
from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr

from ..const import DOMAIN, MANUFACTURER, MODEL_OTHER
from ..engine.phones import Phone, SharedLine
from .settings import PhoneSettings, SharedLineSettings

if TYPE_CHECKING:
    from .hub import SnomHub

_LOGGER = logging.getLogger(__name__)

# snomD785/10.1.198.12 0004130DD7C9
USER_AGENT = re.compile(
    r"snom[^/\s]*/(?P<version>\S+)(?:\s+(?P<mac>[0-9A-F]{12}))?",
    re.IGNORECASE,
)


class SnomPhone:
    """A phone of the server, together with its settings and its device."""

    def __init__(self, hub: SnomHub, settings: PhoneSettings, phone: Phone) -> None:
        """Make the phone's device."""
        self.settings = settings
        self.phone = phone
        self._hub = hub
        self._available = False
        self._user_agent: str | None = None
        self.connection: tuple[str, str] | None = None
        """The hardware address that the phone told, while it is registered."""
        self._unsubscribe = self.phone.status.subscribe(self._async_status_changed)
        self.device_id = self._async_update_device()
        if phone.is_followed:
            self._async_status_changed(None)

    @property
    def colored(self) -> list[str]:
        """The keys whose lamps have several colours."""
        return [key.key for key in self.settings.keys if key.colors]

    @callback
    def async_configure(self, settings: PhoneSettings) -> None:
        """Take new settings over; what kept keys show stays as it is."""
        self.settings = settings
        self._hub.server.configure_phone(settings.setup)
        self._async_update_device()

    @callback
    def async_remove(self) -> None:
        """Stop following the phone; Home Assistant itself removes the device."""
        self._unsubscribe()

    @callback
    def _async_status_changed(self, _: None) -> None:
        """Follow whether the phone is there, and what it says that it is."""
        if self.phone.available != self._available:
            self._available = self.phone.available
            _LOGGER.info(
                "Phone %s is %s",
                self.settings.extension,
                "available" if self._available else "unavailable",
            )
        self._hub.issues.async_follow_phone(self)
        registration = self.phone.registration
        if registration is None:
            # The device stays as it is, but another may take its hardware address.
            self._user_agent = self.connection = None
        elif (user_agent := registration.user_agent or "") != self._user_agent:
            self._user_agent = user_agent
            self._async_update_device_details(USER_AGENT.match(user_agent))

    def _async_update_device(self) -> str:
        """Create or update the phone's device; return its ID."""
        entry_id = self._hub.entry.entry_id
        device = dr.async_get(self._hub.hass).async_get_or_create(
            config_entry_id=entry_id,
            config_subentry_id=self.settings.subentry_id,
            identifiers={(DOMAIN, self.settings.subentry_id)},
            manufacturer=MANUFACTURER,
            model=None if self.settings.model == MODEL_OTHER else self.settings.model,
            name=self.settings.name,
            via_device_id=self._hub.device_id,
        )
        return device.id

    @callback
    def _async_update_device_details(self, told: re.Match[str] | None) -> None:
        """Note the firmware and the hardware address that the phone tells, or does not.

        Another phone may have waited for the address that was here until now.
        """
        self.connection = None
        if told and told["mac"]:
            address = dr.format_mac(told["mac"])
            self.connection = (dr.CONNECTION_NETWORK_MAC, address)
        registry = dr.async_get(self._hub.hass)
        device = registry.async_get(self.device_id)
        assert isinstance(device, dr.DeviceEntry)
        registry.async_update_device(
            self.device_id,
            new_connections=device.connections & {self.connection},
            sw_version=told and told["version"],
        )
        for phone in (self, *self._hub.phones.values()):
            phone.async_claim_connection()

    @callback
    def async_claim_connection(self) -> None:
        """Take the hardware address, unless another phone that tells it has it.

        Two identities of one phone are two devices, and a connection is of one only.
        """
        if self.connection is None:
            return
        registry = dr.async_get(self._hub.hass)
        holder = registry.async_get_device_by_connection(
            self.connection, self._hub.entry.entry_id
        )
        if holder is not None:
            if holder.id == self.device_id or any(
                phone.device_id == holder.id and phone.connection == self.connection
                for phone in self._hub.phones.values()
            ):
                return
            registry.async_update_device(
                holder.id, new_connections=holder.connections - {self.connection}
            )
        registry.async_update_device(self.device_id, new_connections={self.connection})


class SnomLine:
    """A shared line of the server, together with its settings and its device."""

    def __init__(
        self, hub: SnomHub, settings: SharedLineSettings, line: SharedLine
    ) -> None:
        """Make the line's device."""
        self.settings = settings
        self.line = line
        self._hub = hub
        self.device_id = self._async_update_device()

    @callback
    def async_configure(self, settings: SharedLineSettings) -> None:
        """Take a new name over; the line itself is configured by the hub."""
        self.settings = settings
        self._async_update_device()

    def _async_update_device(self) -> str:
        """Create or update the line's device; return its ID."""
        device = dr.async_get(self._hub.hass).async_get_or_create(
            config_entry_id=self._hub.entry.entry_id,
            config_subentry_id=self.settings.subentry_id,
            entry_type=dr.DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, self.settings.subentry_id)},
            name=self.settings.name,
            via_device_id=self._hub.device_id,
        )
        return device.id
