"""The SIP server of one config entry, and what Home Assistant keeps beside it.

The hub holds the phones in step with the config entry, the devices in step with the
phones, and the store in step with the server; it puts presses on the event bus.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
import logging
import re
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ID, ATTR_TIME
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, UnsupportedStorageVersionError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.storage import Store

from .const import (
    ATTR_ACTION,
    ATTR_KEY,
    ATTR_NUMBER,
    ATTR_PHONE,
    DOMAIN,
    EVENT_DIALLED,
    EVENT_KEY_PRESS,
    MANUFACTURER,
    MODEL_OTHER,
)
from .phones import Dialled, KeyDescription, KeyPress, Phone, PhoneServer, check_bind
from .settings import PhoneSettings, phone_settings, server_settings

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION = 1
SAVE_DELAY = 1
"""How long after a change the store is written, in seconds."""

# snomD785/10.1.198.12 0004130DD7C9
USER_AGENT = re.compile(
    r"snom[^/\s]*/(?P<version>\S+)(?:\s+(?P<mac>[0-9A-F]{12}))?",
    re.IGNORECASE,
)

type SnomConfigEntry = ConfigEntry[SnomHub]
type PhoneListener = Callable[[SnomPhone], Awaitable[None]]


class SnomPhone:
    """A phone of the server, together with its settings and its device."""

    def __init__(self, hub: SnomHub, settings: PhoneSettings) -> None:
        """Make the phone and its device."""
        self.settings = settings
        self.sip = Phone(
            settings.extension,
            settings.password,
            [key.description for key in settings.keys],
        )
        self._hub = hub
        self._available = False
        self._user_agent: str | None = None
        self.connection: tuple[str, str] | None = None
        """The hardware address that the phone told, while it is registered."""
        self._unsubscribe = self.sip.status.subscribe(self._async_status_changed)
        self.device_id = self._async_update_device()

    @callback
    def async_configure(self, settings: PhoneSettings) -> None:
        """Take new settings over; what kept keys show stays as it is."""
        self.settings = settings
        self._hub.server.configure_phone(
            settings.extension,
            password=settings.password,
            keys=[key.description for key in settings.keys],
        )
        self.async_limit_keys()
        self._async_update_device()

    @callback
    def async_restore(self, shown: Iterable[KeyDescription]) -> None:
        """Let the keys that there are show what keys of these names showed before."""
        self.sip.restore(shown)
        self.async_limit_keys()

    @callback
    def async_limit_keys(self) -> None:
        """Let each key show only what somebody can change here."""
        for settings in self.settings.keys:
            key = self.sip.keys[settings.key]
            key.show(settings.limit(key.description))

    @callback
    def async_remove(self) -> None:
        """Stop following the phone; Home Assistant itself removes the device."""
        self._unsubscribe()

    @callback
    def _async_status_changed(self, _: None) -> None:
        """Follow whether the phone is there, and what it says that it is."""
        if self.sip.available != self._available:
            self._available = self.sip.available
            _LOGGER.info(
                "Phone %s is %s",
                self.settings.extension,
                "available" if self._available else "unavailable",
            )
        registration = self.sip.registration
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


class SnomHub:
    """The SIP server of one config entry with its phones, its store and its events."""

    def __init__(self, hass: HomeAssistant, entry: SnomConfigEntry) -> None:
        """Make the server, and its phones with their devices.

        The port is taken by `async_start`.
        """
        self.hass = hass
        self.entry = entry
        self.server = PhoneServer(server_settings(entry.data))
        self.phones: dict[str, SnomPhone] = {}
        self.device_id = self._async_update_device()
        self._listeners: list[PhoneListener] = []
        self._save_pending = False
        self._store = async_get_store(hass, entry)
        self._update_lock = asyncio.Lock()
        for settings in phone_settings(entry):
            self._async_add_phone(settings)

    async def async_load(self) -> None:
        """Take over what was stored, before `async_start`.

        Raises ConfigEntryError if a later version has stored it.
        """
        try:
            stored: object = await self._store.async_load()
        except UnsupportedStorageVersionError as err:
            raise ConfigEntryError(
                translation_domain=DOMAIN,
                translation_key="store_too_new",
            ) from err
        if isinstance(stored, dict):
            self.server.restore(stored)
        elif stored is not None:
            _LOGGER.warning("What was stored for %s cannot be read", self.entry.title)
        for phone in self.phones.values():
            phone.async_limit_keys()

    async def async_start(self) -> None:
        """Start the server. Raises OSError if it cannot bind."""
        await self.server.start()
        self.server.pressed.subscribe(self._async_pressed)
        self.server.dialled.subscribe(self._async_dialled)
        self.server.changed.subscribe(self._async_changed)

    async def async_stop(self, _event: Event | None = None) -> None:
        """Stop the server, and store what the next start needs."""
        await self.server.stop()
        # This replaces a write that is due, so later changes have to ask for another.
        self._save_pending = False
        await self._store.async_save(self.server.snapshot())

    async def async_check_bind(self, host: str) -> None:
        """Try to bind our port at another address; meanwhile the server lets it go.

        Raises what `check_bind` raises.
        """
        await self.server.stop()
        try:
            check_bind(host, self.server.settings.port)
        finally:
            try:
                await self.server.start()
            except OSError:
                self.hass.config_entries.async_schedule_reload(self.entry.entry_id)

    @callback
    def async_listen_phones(self, listener: PhoneListener) -> CALLBACK_TYPE:
        """Call and await a listener for each phone that is added or changed."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def async_update(self) -> None:
        """Apply what changed in the config entry; phones without a change don't notice.

        Other settings of the server take a restart of the server, hence a reload.
        """
        self._async_update_device()
        if server_settings(self.entry.data) != self.server.settings:
            self.hass.config_entries.async_schedule_reload(self.entry.entry_id)
            return
        async with self._update_lock:
            wanted = {phone.subentry_id: phone for phone in phone_settings(self.entry)}
            removed: dict[str, Phone] = {}
            for extension, phone in list(self.phones.items()):
                settings = wanted.get(phone.settings.subentry_id)
                if settings is None or settings.extension != extension:
                    removed[phone.settings.subentry_id] = phone.sip
                    self._async_remove_phone(extension)
            for settings in wanted.values():
                if (known := self.phones.get(settings.extension)) is None:
                    known = self._async_add_phone(settings)
                    if before := removed.get(settings.subentry_id):
                        # The same phone by another account: what it shows stays.
                        known.async_restore(before.descriptions)
                elif known.settings != settings:
                    known.async_configure(settings)
                else:
                    continue
                for listener in self._listeners:
                    await listener(known)

    def _async_update_device(self) -> str:
        """Create or update the server's device; return its ID."""
        device = dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.entry.entry_id,
            entry_type=dr.DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, self.entry.entry_id)},
            name=self.entry.title,
        )
        return device.id

    @callback
    def _async_add_phone(self, settings: PhoneSettings) -> SnomPhone:
        phone = SnomPhone(self, settings)
        self.server.add_phone(phone.sip)
        self.phones[settings.extension] = phone
        return phone

    @callback
    def _async_remove_phone(self, extension: str) -> None:
        self.phones.pop(extension).async_remove()
        self.server.remove_phone(extension)

    @callback
    def _async_pressed(self, press: KeyPress) -> None:
        """Put a press on the event bus, also that of a key which is not set up."""
        self.hass.bus.async_fire(
            EVENT_KEY_PRESS,
            {
                **self._event_source(press),
                ATTR_KEY: press.key,
                ATTR_ACTION: str(press.action),
            },
        )

    @callback
    def _async_dialled(self, dialled: Dialled) -> None:
        """Put a number that somebody dialled on the event bus."""
        self.hass.bus.async_fire(EVENT_DIALLED, self._event_source(dialled))

    def _event_source(self, event: KeyPress | Dialled) -> dict[str, Any]:
        """Return what the data of both events have in common."""
        extension = event.phone.extension
        return {
            ATTR_PHONE: extension,
            ATTR_DEVICE_ID: self.phones[extension].device_id,
            ATTR_NUMBER: event.number,
            ATTR_TIME: event.time.isoformat(),
            ATTR_ID: event.id,
        }

    @callback
    def _async_changed(self, _: None) -> None:
        """Write the store soon, however long the changes go on.

        `async_delay_save` alone would wait until they pause.
        """
        if not self._save_pending:
            self._save_pending = True
            self._store.async_delay_save(self._async_snapshot, SAVE_DELAY)

    @callback
    def _async_snapshot(self) -> dict[str, Any]:
        self._save_pending = False
        return self.server.snapshot()


@callback
def async_get_store(hass: HomeAssistant, entry: ConfigEntry) -> Store[dict[str, Any]]:
    """Return the store of a config entry; private, for it tells where phones are."""
    return Store(
        hass,
        STORAGE_VERSION,
        f"{DOMAIN}.{entry.entry_id}",
        private=True,
        atomic_writes=True,
    )
