"""A phone of the hub: its settings and its device."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
import logging
from typing import Protocol

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.typing import UNDEFINED

from ..const import DOMAIN, PANEL_PATH
from ..engine.phones import Phone, Registration, firmware_of, hardware_of
from .settings import PhoneSettings

_LOGGER = logging.getLogger(__name__)


def _identifiers(entry_id: str, settings: PhoneSettings) -> set[tuple[str, str]]:
    """Return what identifies the device of a phone: its subentry, and its extension.

    By its extension a phone that is removed and added again gets its device back, and
    with that its area and the automations that name the device. Home Assistant looks for
    removed devices of all servers, and another server may have the same extension.
    """
    return {
        (DOMAIN, settings.subentry_id),
        (DOMAIN, f"{entry_id}_{settings.setup.extension}"),
    }


@callback
def async_release_extensions(
    hass: HomeAssistant, entry_id: str, phones: Iterable[PhoneSettings]
) -> None:
    """Remove from devices the extensions that their phones no longer have.

    To be called before other phones get these extensions.
    """
    registry = dr.async_get(hass)
    for phone in phones:
        device = registry.async_get_device_by_identifier(
            (DOMAIN, phone.subentry_id), entry_id
        )
        identifiers = _identifiers(entry_id, phone)
        if device is not None and device.identifiers - identifiers:
            registry.async_update_device(
                device.id, new_identifiers=device.identifiers & identifiers
            )


class Press(Protocol):
    """Presses a key of a phone."""

    def __call__(
        self, key: str, cause: object, *, wait: bool
    ) -> Mapping[str, Awaitable[str]]:
        """Press a key as a finger does; `cause` as in Happening.

        With `wait`, returns how the presses of linked keys end, by key; these raise
        Failed. Raises Refused for a key that sends nothing.
        """


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
        press: Press,
        check_press: Callable[[str], None],
        turn: Callable[[], Awaitable[None]],
    ) -> None:
        """Create the phone's device.

        `identified` is called when the phone has named its firmware and hardware.
        `press` presses a key, and `check_press` raises what it would. `turn` returns when
        actions may change what the keys show.
        """
        self.settings = settings
        self.phone = phone
        self.press = press
        self.check_press = check_press
        self.turn = turn
        self.connection: tuple[str, str] | None = None
        """The hardware address that the phone named, while it is registered."""
        self._registry = dr.async_get(hass)
        self._entry_id = entry_id
        self._via_device_id = via_device_id
        self._identified = identified
        self._available = False
        self._named: tuple[str, str | None] | None = None
        """The User-Agent, and the host of its web page, of a contact that is registered."""
        self.registration: Registration | None = None
        """The registration of that contact, which device and sensors show."""
        self.device_id = self._async_update_device()
        self._unsubscribe = phone.status.subscribe(self._async_status_changed)
        self._async_status_changed(None)

    @callback
    def async_configure(self, settings: PhoneSettings) -> None:
        """Apply new settings to the device; the hub configures the phone itself."""
        is_other = settings.setup.maker != self.settings.setup.maker
        self.settings = settings
        self._async_update_device()
        if is_other:
            # What the device shows was named by the former phone.
            self._named = None
            self._async_status_changed(None)
            if self._named is None:
                self._async_identify("", None)

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
        named = {_named(it): it for it in self.phone.registrations}
        if not named:
            # The device is not changed, but another may get its hardware address.
            self._named = self.connection = self.registration = None
            return
        if self._named not in named:
            # The device keeps what one contact names, while others refresh theirs.
            self._named = _named(self.phone.registrations[-1])
            self._async_identify(*self._named)
        self.registration = named[self._named]

    def _async_update_device(self) -> str:
        """Create or update the phone's device; return its ID."""
        settings = self.settings
        identifier = (DOMAIN, settings.subentry_id)
        known = self._registry.async_get_device_by_identifier(
            identifier, self._entry_id
        )
        # What the phone itself has named stays.
        is_named = known is not None and known.model_id is not None
        device = self._registry.async_get_or_create(
            config_entry_id=self._entry_id,
            config_subentry_id=settings.subentry_id,
            identifiers=_identifiers(self._entry_id, settings),
            manufacturer=settings.setup.maker or None,
            model=UNDEFINED if is_named else settings.setup.model or None,
            name=settings.setup.name,
            via_device_id=self._via_device_id,
        )
        if device.configuration_url is None:
            self._registry.async_update_device(
                device.id, configuration_url=_picture_of(device.id)
            )
        return device.id

    @callback
    def _async_identify(self, user_agent: str, web_host: str | None) -> None:
        """Store what a phone names in its User-Agent, or that it names nothing."""
        self.connection = None
        hardware = hardware_of(user_agent)
        if hardware and hardware.address:
            address = dr.format_mac(hardware.address)
            self.connection = (dr.CONNECTION_NETWORK_MAC, address)
        device = self._registry.async_get(self.device_id)
        assert isinstance(device, dr.DeviceEntry)
        connections = device.connections & {self.connection}
        self._registry.async_update_device(
            self.device_id,
            configuration_url=(
                f"http://{web_host}" if web_host else _picture_of(self.device_id)
            ),
            hw_version=hardware and hardware.hardware,
            model=(hardware and hardware.model) or self.settings.setup.model or None,
            model_id=hardware and hardware.model_id,
            # Home Assistant takes equal ones for a change.
            new_connections=(
                UNDEFINED if connections == device.connections else connections
            ),
            serial_number=hardware and hardware.serial,
            sw_version=firmware_of(user_agent),
        )
        self._identified(self)


def _picture_of(device_id: str) -> str:
    """Return the URL of the page on which the keys of a phone are arranged."""
    return f"homeassistant://{PANEL_PATH}/{device_id}"


def _named(registration: Registration) -> tuple[str, str | None]:
    return registration.user_agent or "", registration.web_host
