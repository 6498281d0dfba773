"""A server on the MQTT broker of Home Assistant: a follower of the config entry.

The MQTT integration is imported only if the option is on or topics are to be cleared.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.importlib import async_import_module

from ..const import DOMAIN
from ..engine.mqtt import LeftBehind, MqttFollower, MqttSetup
from ..engine.phones import PhoneServer
from .follower import Follower
from .mqtt_entry import (
    MQTT_DOMAIN,
    discovery_prefix,
    is_mqtt_loaded,
    mqtt_entry,
    mqtt_link,
)
from .phone import SnomPhone
from .refused import translated
from .settings import EntrySettings, mqtt_settings

if TYPE_CHECKING:
    from .mqtt_client import HomeAssistantClient

ISSUE_MQTT_MISSING: Final = "mqtt_missing"


class SnomMqtt(Follower):
    """What one server has on the broker; nothing while the option is off."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
        *,
        left_behind_changed: Callable[[], None],
        save: Callable[[], Awaitable[None]],
    ) -> None:
        """Create a follower that does nothing until `start` and `update`.

        `phones` are the phones by extension, now and later. `left_behind_changed` is
        called when `left_behind` may have changed; `save` stores it at once.
        """
        super().__init__()
        self._hass = hass
        self._entry = entry
        self._server = server
        self._phones = phones
        self._left_behind_changed = left_behind_changed
        self._save = save
        self._settings: EntrySettings | None = None
        self._recalled = LeftBehind([], {})
        self._client: HomeAssistantClient | None = None
        self._follower: MqttFollower | None = None
        """None as long as there was nothing to do."""
        self._lock = asyncio.Lock()
        self._running = False
        self._is_loaded = False

    @property
    def follower(self) -> MqttFollower | None:
        """The engine's follower; None as long as there was nothing to do."""
        return self._follower

    @property
    def retained(self) -> list[str]:
        """The topics that the broker may retain for this server."""
        return self._follower.retained if self._follower else []

    @property
    def left_behind(self) -> LeftBehind:
        """What to give `recall` after a restart."""
        return self._follower.left_behind if self._follower else self._recalled

    @property
    def diagnostics(self) -> dict[str, Any]:
        """What became of events, and the number of messages that wait."""
        if self._follower is None:
            return {}
        publisher = self._follower.publisher
        return asdict(publisher.counts) | {"waiting": publisher.waiting}

    @callback
    def recall(self, before: LeftBehind) -> None:
        """Restore what was left before a restart, before the first `update`."""
        self._recalled = before

    @override
    @callback
    def start(self) -> None:
        """Allow updates."""
        self._running = True

    @override
    async def update(self, settings: EntrySettings) -> None:
        """Apply the settings."""
        self._settings = settings
        async with self._lock:
            if not self._running:
                return
            if self._follower is None:
                if settings.mqtt is None and not self._recalled.known:
                    return
                self._follower = await self._begin()
        await self._update(self._follower, settings)

    @override
    async def stop(self) -> None:
        """Publish that the server is offline, end everything, and withdraw the issue.

        Not if Home Assistant stops: an issue that a user ignores stays so after the start.
        """
        await self._end()
        if self._follower is not None and not self._hass.is_stopping:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    async def _end(self) -> None:
        self._running = False
        await super().stop()
        async with self._lock:  # `_begin` ends first
            if self._follower is not None:
                await self._follower.stop()

    async def _begin(self) -> MqttFollower:
        """Return a follower that uses Home Assistant's client."""
        module = await _async_import_client(self._hass)
        self._client = client = module.HomeAssistantClient(self._hass)
        follower = MqttFollower(
            client,
            self._server,
            explain=lambda refused: str(translated(refused)),
            phone_id=self._phone_id,
            is_foreign=self._is_foreign,
            hide=client.hide,
            left_behind_changed=self._left_behind_changed,
            save=self._save,
        )
        follower.recall(self._recalled)
        if not self._running:  # stopped during the import
            return follower
        follower.start()
        self._is_loaded = is_mqtt_loaded(self._hass)
        self._subscriptions = [
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
            ),
            client.follow_connection(self._async_connection_changed),
            # Before the MQTT integration is stopped by a Home Assistant that stops.
            self._hass.async_add_shutdown_job(HassJob(self._async_shut_down)),
        ]
        return follower

    async def _update(self, follower: MqttFollower, settings: EntrySettings) -> None:
        mqtt = settings.mqtt
        self._async_report_missing(is_wanted=mqtt is not None)
        if mqtt is None:
            await follower.update(None)
            return
        await follower.update(
            MqttSetup(
                base=mqtt.base,
                commands=mqtt.commands,
                discovery=mqtt.discovery,
                prefix=discovery_prefix(self._hass),
            )
        )

    def _phone_id(self, extension: str) -> str | None:
        phone = self._phones.get(extension)
        return f"{DOMAIN}_{phone.settings.subentry_id}" if phone else None

    def _is_foreign(self, topic: str) -> bool:
        """Return whether a topic belongs to another server now."""
        return any(
            (settings := mqtt_settings(entry.options)) is not None
            and topic.startswith(f"{settings.base}/")
            for entry in self._hass.config_entries.async_entries(DOMAIN)
            if entry is not self._entry
        )

    @callback
    def _async_connection_changed(self, connected: bool) -> None:
        assert self._follower is not None
        if not connected:
            self._follower.connection_lost()
        # The client repeats what was not acknowledged after it has called this.
        self._hass.loop.call_soon(self._follower.connection_changed)

    @callback
    def _async_entry_changed(
        self, change: ConfigEntryChange, entry: ConfigEntry
    ) -> None:
        """Follow whether the MQTT integration is loaded."""
        if entry.domain != MQTT_DOMAIN:
            return
        assert self._follower is not None
        assert self._client is not None
        was_loaded, self._is_loaded = self._is_loaded, is_mqtt_loaded(self._hass)
        if was_loaded and not self._is_loaded:
            if (last := self._follower.client_leaves()) is not None:
                # The client waits for it before it goes.
                self._entry.async_create_task(
                    self._hass, self._client.publish_last(last)
                )
        came = self._is_loaded and not was_loaded
        self._entry.async_create_task(self._hass, self._async_mqtt_changed(came))

    async def _async_mqtt_changed(self, came: bool) -> None:
        assert self._settings is not None
        assert self._follower is not None
        await self.update(self._settings)
        if came:
            self._follower.connection_changed()

    async def _async_shut_down(self) -> None:
        # `_end` removes this job from the list that Home Assistant iterates over now.
        await asyncio.sleep(0)
        await self._end()

    @property
    def _issue_id(self) -> str:
        return f"{ISSUE_MQTT_MISSING}_{self._entry.entry_id}"

    @callback
    def _async_report_missing(self, *, is_wanted: bool) -> None:
        """Report an option that is on without an MQTT integration."""
        if not is_wanted or mqtt_entry(self._hass) is not None:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=ISSUE_MQTT_MISSING,
            translation_placeholders={
                "name": self._entry.title,
                "link": mqtt_link(self._hass),
            },
        )


async def async_clear_left_behind(hass: HomeAssistant, left: LeftBehind) -> None:
    """Clear what a removed server has left on the broker."""
    if left.known:
        module = await _async_import_client(hass)
        await module.async_clear(hass, left.known)


async def _async_import_client(hass: HomeAssistant) -> ModuleType:
    """Return the module that imports the MQTT integration, imported in a thread."""
    return await async_import_module(hass, f"{__package__}.mqtt_client")
