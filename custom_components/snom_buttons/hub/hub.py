"""The hub of a config entry: it runs the server, and applies changes of the entry."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..const import DOMAIN, PANEL_PATH, SUBENTRY_TYPE_PHONE
from ..engine.names import without_forbidden
from ..engine.phones import Change, LineUse, PhoneServer, Signal
from ..engine.provisioning import read_mac
from .bus import EventBus
from .dial_rules import DialRules
from .exchanges import async_move_entities, origins_of
from .faces import Faces
from .follower import Follower
from .hardware import async_assign_addresses
from .issues import ServerIssues
from .lamp_turns import LampTurns
from .line import SnomLine
from .links.follower import KeyLinks
from .mqtt import SnomMqtt
from .mqtt_client import async_clear
from .phone import SnomPhone, async_release_extensions
from .ports import ServerPorts
from .provisioning.discovery import async_drop_card
from .provisioning.follower import Provisioning
from .provisioning.hearing import Hearing
from .provisioning.listener import Listener
from .settings import HTTP, EntrySettings, PhoneSettings, SharedLineSettings, mqtt_base
from .store import LINES, MQTT, ServerStore, Snapshot, async_remove_store

type SnomConfigEntry = ConfigEntry[SnomHub]
type SnomPart = SnomPhone | SnomLine
"""A part of a server that has entities."""
type PartListener = Callable[[SnomPart], Awaitable[None]]

PASSES: Final = 3
"""Passes of the event loop in which requests that have arrived reach their handlers."""


class SnomHub:
    """The SIP server of one config entry, with its phones, lines, store and followers."""

    def __init__(self, hass: HomeAssistant, entry: SnomConfigEntry) -> None:
        """Create the server and its device."""
        self.hass = hass
        self.entry = entry
        self.settings = EntrySettings.from_entry(entry)
        self.server = PhoneServer(self.settings.server)
        self.phones: dict[str, SnomPhone] = {}
        """By extension."""
        self.lines: dict[str, SnomLine] = {}
        """By subentry."""
        self._turns = LampTurns()
        self.device_id = self._async_update_device()
        self._listeners: list[PartListener] = []
        self._asked = 0
        """Updates so far."""
        self._applied = 0
        """The last update whose settings are applied."""
        self._exchanges: dict[str, list[tuple[str, str]]] = {}
        """By subentry: pairs of keys that were exchanged since the last update."""
        self._update_lock = asyncio.Lock()
        self._is_closed = False
        self._line_used: Signal[tuple[SnomLine, LineUse]] = Signal()
        self.issues = ServerIssues(
            hass, entry.entry_id, self.server, self.phones, self.settings
        )
        self._store = ServerStore(hass, entry.entry_id, self.issues.async_follow_store)
        self.mqtt = SnomMqtt(
            hass,
            entry,
            self.server,
            self.phones,
            left_behind_changed=self._async_left_behind_changed,
            save=self._async_save_left_behind,
        )
        self._links = KeyLinks(
            hass,
            entry,
            self.server,
            self.phones,
            missing_changed=self.issues.async_follow_links,
        )
        self.provisioning = Provisioning(
            hass, entry, self.server, self.phones, self._async_save_phone
        )
        self.faces = Faces(hass, self.server, self.phones, self._links)
        self.hearing = Hearing(
            hass,
            entry,
            self.server,
            self.provisioning.plug_and_play,
            self.issues.async_follow_hearing,
        )
        self.listener = Listener(hass, self.settings, self.issues.async_follow_listener)
        self.ports = ServerPorts(
            self.server, (self.hearing, self.listener), self._async_schedule_reload
        )
        self._followers: list[Follower] = [
            EventBus(hass, self.server, self.phones, self._line_used),
            DialRules(hass, entry, self.server, self.phones),
            self._links,
            self.issues,
            self.mqtt,
            self.provisioning,
            self.faces,
        ]

    @property
    def listening(self) -> dict[str, int]:
        """The open ports by transport."""
        port = self.listener.listening
        return self.server.listening | ({} if port is None else {HTTP: port})

    async def async_load(self) -> None:
        """Create the phones and lines and their devices, and restore what was stored.

        Also load the certificate. To be called once, before `async_start`.

        Raises ConfigEntryError if a later version has stored it.
        """
        async_release_extensions(self.hass, self.entry.entry_id, self.settings.phones)
        for phone in self.settings.phones:
            self._async_add_phone(phone)
            await asyncio.sleep(0)  # see `platform_setup`
        for line in self.settings.lines:
            self._async_add_line(line)
        extensions = {
            phone.settings.subentry_id: extension
            for extension, phone in self.phones.items()
        }
        stored = await self._store.load(self.settings.title, extensions)
        for extension, saved in stored["phones"].items():
            self.server.restore_phone(extension, saved)
            subentry_id = self.phones[extension].settings.subentry_id
            self.provisioning.async_recall(subentry_id, saved)
            await asyncio.sleep(0)
        self.server.restore_lines(stored[LINES])
        self.mqtt.recall(stored[MQTT])
        if self._store.is_earlier:
            await self._store.save_now(
                {name: self._snapshot_of(extensions[name]) for name in extensions}
                | {LINES: self.server.lines_snapshot, MQTT: self._left_behind}
            )
        # Last, because it may report an issue that `async_stop` has to withdraw.
        contexts = await self.issues.async_load_certificate()
        self.server.context, self.server.edge_context = contexts

    @callback
    def async_start(self) -> None:
        """Start the followers, so that they get the first press."""
        self.server.changed.subscribe(self._async_changed)
        for follower in self._followers:
            follower.start()

    async def async_close(self) -> None:
        """Close the ports, and apply no more changes, before entities are removed.

        A press that is answered meanwhile would be lost, and a new entity left behind.
        """
        async with self._update_lock:
            self._is_closed = True
        await self.ports.close()

    async def async_stop(self, _event: Event | None = None) -> None:
        """Stop the server and its followers, and store what the next start needs."""
        self._is_closed = True
        await self.ports.close()
        for follower in reversed(self._followers):
            await follower.stop()
        await self._store.close()

    @callback
    def async_listen_parts(self, listener: PartListener) -> CALLBACK_TYPE:
        """Call and await a listener for each phone or line that is added or changed."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def async_update(self) -> None:
        """Apply changes of the config entry; phones without a change are left alone.

        Updates that wait while one runs become one: each reads all settings. Other
        settings need a restart of the server, and so a reload.
        """
        asked = self._asked = self._asked + 1
        async with self._update_lock:
            if self._is_closed or asked <= self._applied:  # by one that began later
                return
            applied = self._asked
            settings = EntrySettings.from_entry(self.entry)
            if settings.needs_restart(self.settings):
                self._async_schedule_reload()
                return
            self.settings = settings
            self._async_update_device()
            # Lines first: a key that leaves one is free before its phone configures it.
            parts: list[SnomPart] = [
                *self._async_update_lines(),
                *self._async_update_phones(),
            ]
            for part in parts:
                for listener in self._listeners:
                    await listener(part)
            self._applied = applied
            # At once, but one that waits, as MQTT for its import, holds up no other change.
            following = self.hass.async_create_task(
                self._async_update_followers(), f"followers of {self.entry.title}"
            )
            # Phones that asked for their settings meanwhile change the entry too.
            for _ in range(PASSES):
                await asyncio.sleep(0)
        await following

    @callback
    def async_exchange_keys(
        self, subentry: ConfigSubentry, one: str, other: str, data: Mapping[str, Any]
    ) -> None:
        """Store a phone in whose `data` two keys have exchanged all but the number.

        What they show goes along, and so do their entities: an automation that names an
        entity means what the key is for, and not where it is.
        """
        self._exchanges.setdefault(subentry.subentry_id, []).append((one, other))
        if not self.hass.config_entries.async_update_subentry(
            self.entry, subentry, data=data
        ):  # they differ in their looks and entities only
            self.entry.async_create_task(self.hass, self.async_update())

    async def _async_update_followers(self) -> None:
        for follower in self._followers:
            if self._is_closed:  # meanwhile: its timers would stay
                return
            await follower.update(self.settings)

    @callback
    def _async_update_phones(self) -> list[SnomPhone]:
        """Add, configure and remove phones; return those added or changed."""
        changed = []
        wanted = {phone.subentry_id: phone for phone in self.settings.phones}
        removed: dict[str, SnomPhone] = {}
        for extension, phone in list(self.phones.items()):
            settings = wanted.get(phone.settings.subentry_id)
            if settings is None or settings.setup.extension != extension:
                removed[phone.settings.subentry_id] = phone
                self.phones.pop(extension).async_remove()
                self.server.remove_phone(extension)
                self._store.remove_soon(phone.settings.subentry_id)
        async_release_extensions(self.hass, self.entry.entry_id, wanted.values())
        for settings in wanted.values():
            origins = origins_of(self._exchanges.pop(settings.subentry_id, ()))
            if origins:
                self._links.async_exchanged(settings.setup.extension, origins)
                async_move_entities(
                    self.hass, self.entry.entry_id, settings.subentry_id, origins
                )
            if (known := self.phones.get(settings.setup.extension)) is None:
                # The same phone with another account keeps its looks.
                known = self._async_add_phone(
                    settings, removed.get(settings.subentry_id)
                )
                self._async_changed(Change(settings.setup.extension))
            elif known.settings == settings and not origins:
                continue
            elif not origins and settings == replace(
                known.settings, links=settings.links, named=settings.named
            ):
                # Links have no entities, and a renamed one may be on its way.
                known.async_configure(settings)
                continue
            else:
                self.server.configure_phone(settings.setup, origins)
                known.async_configure(settings)
            changed.append(known)
        return changed

    @callback
    def _async_update_lines(self) -> list[SnomLine]:
        """Add, configure and remove lines; return those added or changed."""
        changed = []
        wanted = {line.subentry_id: line for line in self.settings.lines}
        for subentry_id in self.lines.keys() - wanted.keys():
            del self.lines[subentry_id]
            self.server.remove_line(subentry_id)
        for settings in wanted.values():
            if (known := self.lines.get(settings.subentry_id)) is None:
                known = self._async_add_line(settings)
            elif known.settings != settings:
                known.line.configure(settings.setup)
                known.async_configure(settings)
            else:
                continue
            changed.append(known)
        return changed

    def _async_update_device(self) -> str:
        """Create or update the server's device; return its ID."""
        registry = dr.async_get(self.hass)
        return registry.async_get_or_create(
            config_entry_id=self.entry.entry_id,
            configuration_url=f"homeassistant://{PANEL_PATH}",
            entry_type=dr.DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, self.entry.entry_id)},
            name=self.settings.title,
        ).id

    @callback
    def _async_add_phone(
        self, settings: PhoneSettings, before: SnomPhone | None = None
    ) -> SnomPhone:
        phone = self.server.add_phone(settings.setup, before.phone if before else None)
        self.phones[settings.setup.extension] = part = SnomPhone(
            self.hass,
            self.entry.entry_id,
            via_device_id=self.device_id,
            settings=settings,
            phone=phone,
            identified=self._async_identified,
            press=partial(self._async_press, settings.setup.extension),
            check_press=partial(self.server.check_press, settings.setup.extension),
            turn=partial(self._turns.wait, phone),
        )
        return part

    @callback
    def _async_press(
        self, extension: str, key: str, cause: object, *, wait: bool
    ) -> Mapping[str, Awaitable[str]]:
        """Press a key, as `SnomPhone.press`."""
        presses = self.server.press(extension, key, cause)
        ends = {it.key: self._links.async_expect(it) for it in presses if wait}
        return {name: end for name, end in ends.items() if end is not None}

    @callback
    def _async_identified(self, phone: SnomPhone) -> None:
        async_assign_addresses(self.hass, self.entry.entry_id, self.phones, phone)
        if phone.connection is not None and (mac := read_mac(phone.connection[1])):
            async_drop_card(self.hass, mac)

    @callback
    def _async_add_line(self, settings: SharedLineSettings) -> SnomLine:
        line = self.server.add_line(settings.subentry_id, settings.setup)
        self.lines[settings.subentry_id] = part = SnomLine(
            self.hass,
            self.entry.entry_id,
            via_device_id=self.device_id,
            settings=settings,
            line=line,
            used=self._line_used,
        )
        return part

    @callback
    def _async_schedule_reload(self) -> None:
        self.hass.config_entries.async_schedule_reload(self.entry.entry_id)

    # What is stored

    @callback
    def _async_changed(self, change: Change) -> None:
        if change.extension is None:
            self._store.save_soon(LINES, self.server.lines_snapshot)
        elif phone := self.phones.get(change.extension):
            self._store.save_soon(
                phone.settings.subentry_id,
                self._snapshot_of(change.extension),
                only_label=change.only_label,
                registration=change.registration,
            )

    @callback
    def _async_save_phone(self, subentry_id: str) -> None:
        """Store a phone; one that is not here yet is stored when it is added."""
        for phone in self.phones.values():
            if phone.settings.subentry_id == subentry_id:
                self._async_changed(Change(phone.settings.setup.extension))

    def _snapshot_of(self, extension: str) -> Snapshot:
        return partial(self._phone_snapshot, extension)

    def _phone_snapshot(self, extension: str) -> dict[str, Any]:
        subentry_id = self.phones[extension].settings.subentry_id
        saved = self.provisioning.async_saved(subentry_id)
        return self.server.phone_snapshot(extension) | saved

    def _left_behind(self) -> dict[str, Any]:
        return self.mqtt.follower.left_behind

    @callback
    def _async_left_behind_changed(self) -> None:
        self._store.save_soon(MQTT, self._left_behind)

    async def _async_save_left_behind(self) -> None:
        await self._store.save_now({MQTT: self._left_behind})


async def async_remove_stored(hass: HomeAssistant, entry: SnomConfigEntry) -> None:
    """Remove what is left of a config entry: its store, and its topics."""
    phones = [
        it.subentry_id for it in entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE)
    ]
    title = without_forbidden(entry.title)
    left_behind = await async_remove_store(hass, entry.entry_id, title, phones)
    await async_clear(hass, left_behind, mqtt_base(entry.options))
