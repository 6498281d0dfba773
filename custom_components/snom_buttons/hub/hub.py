"""The SIP server of one config entry, and what Home Assistant keeps beside it.

The hub holds phones and lines in step with the config entry, and the store in step
with the server; it puts on the event bus what happens at the phones.
"""

import asyncio
from collections.abc import Awaitable, Callable
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import (
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_ID,
    ATTR_TIME,
    SERVICE_TURN_ON,
)
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    HomeAssistant,
    callback,
    split_entity_id,
)
from homeassistant.exceptions import (
    ConfigEntryError,
    HomeAssistantError,
    UnsupportedStorageVersionError,
)
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.storage import Store

from ..const import (
    ATTR_ACTION,
    ATTR_CALLER,
    ATTR_CODE,
    ATTR_KEY,
    ATTR_LINE,
    ATTR_NUMBER,
    ATTR_PHONE,
    DOMAIN,
    EVENT_DIALLED,
    EVENT_KEY_PRESS,
    EVENT_SHARED_LINE,
)
from ..engine.phones import (
    CannotListen,
    Dialled,
    KeyPress,
    LineUse,
    PhoneServer,
    check_bind,
)
from .issues import ServerIssues
from .mqtt import LeftBehind, MqttBridge
from .mqtt_client import async_clear
from .phone import SnomLine, SnomPhone
from .settings import EntrySettings, PhoneSettings, SharedLineSettings

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION = 1
SAVE_DELAY = 1
"""How long after a change the store is written, in seconds."""

STORED_MQTT = "mqtt"
"""Where the store has, beside the server's snapshot, what others on the MQTT broker may have of the server."""

type SnomConfigEntry = ConfigEntry[SnomHub]
type SnomPart = SnomPhone | SnomLine
"""What entities belong to."""
type PartListener = Callable[[SnomPart], Awaitable[None]]


class SnomHub:
    """The SIP server of one config entry with its phones, its store and its events."""

    def __init__(self, hass: HomeAssistant, entry: SnomConfigEntry) -> None:
        """Make the server, and its phones with their devices.

        The ports are taken by `async_open`.
        """
        self.hass = hass
        self.entry = entry
        self.settings = EntrySettings.from_entry(entry)
        self.server = PhoneServer(self.settings.server)
        self.phones: dict[str, SnomPhone] = {}
        """By extension."""
        self.lines: dict[str, SnomLine] = {}
        """By subentry."""
        self.device_id = self._async_update_device()
        self.issues = ServerIssues(hass, entry, self.server, self.settings)
        self._listeners: list[PartListener] = []
        self._save_pending = False
        self._store = async_get_store(hass, entry)
        self._update_lock = asyncio.Lock()
        self._port_lock = asyncio.Lock()
        """Held by whoever takes the ports or lets them go."""
        self._is_closed = False
        self.mqtt = MqttBridge(
            hass,
            entry,
            self.server,
            self.phones,
            left_behind_changed=self._async_save_soon,
            async_save=self._async_save_now,
        )
        for settings in self.settings.phones:
            self._async_add_phone(settings)
        for line in self.settings.lines:
            self._async_add_line(line)

    async def async_load(self) -> None:
        """Take over what was stored, and the certificate, before `async_start`.

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
            _merge_key_lists(stored)
            self.server.restore(stored)
            self.mqtt.async_recall(LeftBehind.from_json(stored.get(STORED_MQTT)))
        elif stored is not None:
            _LOGGER.warning("What was stored for %s cannot be read", self.entry.title)
        # Last, for it may tell the user something that `async_stop` has to take back.
        self.server.context = await self.issues.async_load_certificate()

    @callback
    def async_check_ports(self) -> None:
        """See whether the server can listen, before others are told of it.

        Raises CannotListen.
        """
        settings = self.server.settings
        for transport, port in settings.ports.items():
            if transport == "TLS" and self.server.context is None:
                continue
            try:
                check_bind(settings.host, port, transport)
            except OSError as err:
                raise CannotListen(err, transport, port) from err

    @callback
    def async_start(self) -> None:
        """Hear of all that happens, from the first press on."""
        self.server.pressed.subscribe(self._async_pressed)
        self.server.dialled.subscribe(self._async_dialled)
        self.server.changed.subscribe(lambda _: self._async_save_soon())
        self.issues.async_start()
        self.mqtt.async_start()

    async def async_open(self) -> None:
        """Let phones in, now that everybody is there who hears of their presses.

        Raises CannotListen.
        """
        async with self._port_lock:
            if not self._is_closed:  # by a Home Assistant that stops
                await self.server.start()

    async def async_close(self) -> None:
        """Let nobody in any more; all that was answered before has been told then."""
        async with self._port_lock:
            self._is_closed = True
            await self.server.stop()

    async def async_stop(self, _event: Event | None = None) -> None:
        """Stop the server, and store what the next start needs."""
        await self.async_close()
        await self.mqtt.async_stop()
        self.issues.async_stop()
        # This replaces a write that is due, so later changes have to ask for another.
        await self._async_save_now()

    async def async_check_bind(self, host: str, port: int, transport: str) -> None:
        """Try to bind our port at another address; meanwhile the server lets it go.

        Raises what `check_bind` raises.
        """
        async with self._port_lock:
            if self._is_closed:  # by a reload meanwhile, say: nothing to open again
                check_bind(host, port, transport)
                return
            try:
                await self.server.stop()
                check_bind(host, port, transport)
            finally:
                try:
                    await self.server.start()
                except OSError:
                    self.hass.config_entries.async_schedule_reload(self.entry.entry_id)

    @callback
    def async_listen_parts(self, listener: PartListener) -> CALLBACK_TYPE:
        """Call and await a listener for each phone or line that is added or changed."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def async_update(self) -> None:
        """Apply what changed in the config entry; phones without a change don't notice.

        Other settings of the server take a restart of the server, hence a reload.
        """
        self._async_update_device()
        settings = EntrySettings.from_entry(self.entry)
        if (settings.server, settings.certificate) != (
            self.settings.server,
            self.settings.certificate,
        ):
            self.hass.config_entries.async_schedule_reload(self.entry.entry_id)
            return
        async with self._update_lock:
            self.settings = settings
            # Lines first: a key that leaves one is free before its phone takes it back.
            parts: list[SnomPart] = [
                *self._async_update_lines(),
                *self._async_update_phones(),
            ]
            for part in parts:
                for listener in self._listeners:
                    await listener(part)
        await self.mqtt.async_update()

    @callback
    def _async_update_phones(self) -> list[SnomPhone]:
        """Hold the phones in step with the entry; return those that changed."""
        changed = []
        wanted = {phone.subentry_id: phone for phone in self.settings.phones}
        removed: dict[str, SnomPhone] = {}
        for extension, phone in list(self.phones.items()):
            settings = wanted.get(phone.settings.subentry_id)
            if settings is None or settings.extension != extension:
                removed[phone.settings.subentry_id] = phone
                self._async_remove_phone(extension)
        for settings in wanted.values():
            if (known := self.phones.get(settings.extension)) is None:
                known = self._async_add_phone(
                    settings, removed.get(settings.subentry_id)
                )
            elif known.settings != settings:
                known.async_configure(settings)
            else:
                continue
            changed.append(known)
        return changed

    @callback
    def _async_update_lines(self) -> list[SnomLine]:
        """Hold the lines in step with the entry; return those that changed."""
        changed = []
        phones = self.settings.phones
        wanted = {line.subentry_id: line for line in self.settings.lines}
        for subentry_id in self.lines.keys() - wanted.keys():
            del self.lines[subentry_id]
            self.server.remove_line(subentry_id)
        for settings in wanted.values():
            if (known := self.lines.get(settings.subentry_id)) is None:
                known = self._async_add_line(settings)
            else:
                known.line.configure(settings.line(phones))
                if known.settings == settings:
                    continue
                known.async_configure(settings)
            changed.append(known)
        return changed

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
    def _async_add_phone(
        self, settings: PhoneSettings, before: SnomPhone | None = None
    ) -> SnomPhone:
        # The same phone by another account: what it shows stays.
        added = self.server.add_phone(settings.setup, before.phone if before else None)
        phone = SnomPhone(self, settings, added)
        self.phones[settings.extension] = phone
        return phone

    @callback
    def _async_remove_phone(self, extension: str) -> None:
        phone = self.phones.pop(extension)
        phone.async_remove()
        self.issues.async_forget_phone(phone)
        self.server.remove_phone(extension)

    @callback
    def _async_add_line(self, settings: SharedLineSettings) -> SnomLine:
        line = self.server.add_line(
            settings.subentry_id, settings.line(self.settings.phones)
        )
        part = SnomLine(self, settings, line)
        line.used.subscribe(lambda use: self._async_line_used(part, use))
        self.lines[settings.subentry_id] = part
        return part

    @callback
    def _async_pressed(self, press: KeyPress) -> None:
        """Put a press on the event bus, also that of a key which is not set up."""
        data = self._event_source(press, press.extension)
        data |= {
            ATTR_NUMBER: press.number,
            ATTR_KEY: press.key,
            ATTR_ACTION: str(press.action),
        }
        if press.caller is not None:
            data[ATTR_CALLER] = press.caller
        self.hass.bus.async_fire(EVENT_KEY_PRESS, data)

    @callback
    def _async_dialled(self, dialled: Dialled) -> None:
        """Put a number that somebody dialled on the event bus, and run what it is for."""
        extension, number = dialled.extension, dialled.number
        data = self._event_source(dialled, extension) | {ATTR_NUMBER: number}
        self.hass.bus.async_fire(EVENT_DIALLED, data)
        phone = self.phones.get(extension)
        if phone and (entity_id := phone.settings.dial_rules.get(number)):
            self.entry.async_create_task(self.hass, self._async_run(entity_id, number))

    async def _async_run(self, entity_id: str, number: str) -> None:
        """Turn on the script or scene that a number is for."""
        try:
            await self.hass.services.async_call(
                split_entity_id(entity_id)[0],
                SERVICE_TURN_ON,
                {ATTR_ENTITY_ID: entity_id},
                blocking=True,
            )
        except HomeAssistantError as err:
            _LOGGER.warning("%s, which %s is for, failed: %s", entity_id, number, err)

    @callback
    def _async_line_used(self, part: SnomLine, use: LineUse) -> None:
        """Put on the event bus that a shared line was seized or released."""
        data = self._event_source(use, use.extension)
        data |= {
            ATTR_DEVICE_ID: part.device_id,
            ATTR_LINE: part.settings.name,
            ATTR_CODE: part.settings.code,
            ATTR_ACTION: use.use.value,
        }
        self.hass.bus.async_fire(EVENT_SHARED_LINE, data)

    def _event_source(
        self, event: KeyPress | Dialled | LineUse, extension: str | None
    ) -> dict[str, Any]:
        """Return what the data of all events have in common."""
        phone = self.phones.get(extension or "")
        return {
            ATTR_PHONE: extension,
            ATTR_DEVICE_ID: phone.device_id if phone else None,
            ATTR_TIME: event.time.isoformat(),
            ATTR_ID: event.id,
        }

    @callback
    def _async_save_soon(self) -> None:
        """Write the store soon, however long the changes go on.

        `async_delay_save` alone would wait until they pause.
        """
        if not self._save_pending:
            self._save_pending = True
            self._store.async_delay_save(self._async_snapshot, SAVE_DELAY)

    async def _async_save_now(self) -> None:
        await self._store.async_save(self._async_snapshot())

    @callback
    def _async_snapshot(self) -> dict[str, Any]:
        self._save_pending = False
        return self.server.snapshot() | {
            STORED_MQTT: self.mqtt.left_behind.as_json(),
        }


def _merge_key_lists(stored: dict[str, Any]) -> None:
    """Mark the stored keys by two lists that were stored beside them before.

    These are, by phone, the `unused` keys and the `colored` ones, with lamps of several
    colours.
    """
    for listed, mark in (("unused", {"used": False}), ("colored", {"colors": True})):
        match stored:
            case {"phones": dict(phones)} if isinstance(stored.get(listed), dict):
                for extension, names in stored[listed].items():
                    match phones.get(extension):
                        case {"keys": list(keys)} if isinstance(names, list):
                            _mark(keys, names, mark)


def _mark(keys: list[Any], names: list[Any], mark: dict[str, bool]) -> None:
    for key in keys:
        match key:
            case {"configured": str(document)}:
                name = document.partition("\r\n")[0].removeprefix("k=")
                if name in names:
                    key |= mark


async def async_remove_stored(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Remove what is left of a config entry: its store, and its topics."""
    store = async_get_store(hass, entry)
    try:
        stored: object = await store.async_load()
    except UnsupportedStorageVersionError:
        stored = None
    await store.async_remove()
    if isinstance(stored, dict):
        left = LeftBehind.from_json(stored.get(STORED_MQTT))
        await async_clear(hass, left.known)


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
