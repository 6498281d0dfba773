"""A server on the MQTT broker of Home Assistant: a follower of the config entry.

The MQTT integration is imported only if the option is on or topics are to be cleared.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final, override

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import DOMAIN
from ..engine.mqtt import EventNames, MqttFollower
from ..engine.phones import PhoneServer
from .follower import Follower
from .issues import async_report
from .mqtt_client import PHONE_IDS, HomeAssistantClient
from .mqtt_entry import MQTT_DOMAIN, discovery_prefix, mqtt_entry, mqtt_link
from .phone import SnomPhone
from .refused import translated
from .settings import EntrySettings, mqtt_base, mqtt_settings
from .texts import text

ISSUE_MQTT_MISSING: Final = "mqtt_missing"


class SnomMqtt(Follower):
    """Publishes one server on the broker; does nothing while the option is off."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
        *,
        left_behind_changed: Callable[[], None],
        save: Callable[[], Awaitable[None]],
    ) -> None:
        """Create a follower that does nothing until `update`.

        `phones` are the phones by extension, now and later. `left_behind_changed` and
        `save` are those of MqttFollower.
        """
        super().__init__()
        self._hass = hass
        self._entry = entry
        self._phones = phones
        self._client = HomeAssistantClient(hass)
        self.follower = MqttFollower(
            self._client,
            server,
            explain=lambda refused: str(translated(refused)),
            phone_ids=PHONE_IDS,
            phone_id=self._phone_id,
            is_foreign=self._is_foreign,
            left_behind_changed=left_behind_changed,
            save=save,
        )
        self._settings: EntrySettings | None = None
        self._issue_id = f"{ISSUE_MQTT_MISSING}_{entry.entry_id}"
        self._is_loaded = False

    @property
    def diagnostics(self) -> dict[str, Any]:
        """The number of published and dropped events, and of waiting messages."""
        if not self._subscriptions:
            return {}
        publisher = self.follower.publisher
        return asdict(publisher.counts) | {"waiting": publisher.waiting}

    def recall(self, left_behind: object) -> None:
        """Restore what was left on the broker before a restart."""
        self.follower.recall(left_behind, mqtt_base(self._entry.options))

    @override
    async def update(self, settings: EntrySettings) -> None:
        self._settings = settings
        if not self._subscriptions:  # there was nothing to do yet
            if settings.mqtt is None and not self.follower.publisher.known:
                return
            await self._client.load()
            settings = self._settings  # may have changed meanwhile
        setup = settings.mqtt
        if self.follower.is_stopped:
            return
        self._async_follow_client()
        self._async_report_missing(settings.title, is_wanted=setup is not None)
        if setup is not None:
            names = EventNames(
                text(self._hass, "dialled_name"),
                text(self._hass, "press_name", key="{key}"),
                text(self._hass, "message_lamp_name"),
            )
            prefix = discovery_prefix(self._hass)
            setup = replace(setup, prefix=prefix, names=names)
        await self.follower.update(setup)

    @override
    async def stop(self) -> None:
        """Publish that the server is offline, end everything, and withdraw the issue.

        The issue stays if Home Assistant stops, so that a user need not ignore it again.
        """
        await self._end()
        if not self._hass.is_stopping:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    async def _end(self) -> None:
        await super().stop()
        await self.follower.stop()

    @callback
    def _async_follow_client(self) -> None:
        """Follow the MQTT integration and its client from now on."""
        if self._subscriptions:
            return
        self._is_loaded = self._client.is_ready
        self._subscriptions = [
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
            ),
            self._client.follow_connection(self._async_connection_changed),
            # Before the MQTT integration is stopped, if Home Assistant stops.
            self._hass.async_add_shutdown_job(HassJob(self._async_shut_down)),
        ]

    def _phone_id(self, extension: str) -> str | None:
        phone = self._phones.get(extension)
        return f"{PHONE_IDS}{phone.settings.subentry_id}" if phone else None

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
        if not connected:
            self.follower.connection_lost()
        # The client repeats what was not acknowledged after it has called this.
        self._hass.loop.call_soon(self.follower.connection_changed)

    @callback
    def _async_entry_changed(
        self, change: ConfigEntryChange, entry: ConfigEntry[Any]
    ) -> None:
        """Follow whether the MQTT integration is loaded."""
        if entry.domain != MQTT_DOMAIN:
            return
        was_loaded, self._is_loaded = self._is_loaded, self._client.is_ready
        left = was_loaded and not self._is_loaded
        if left and (last := self.follower.client_leaves()) is not None:
            # The client waits for it before it is unloaded.
            self._entry.async_create_task(self._hass, self._client.publish_last(last))
        came = self._is_loaded and not was_loaded
        self._entry.async_create_task(self._hass, self._async_mqtt_changed(came))

    async def _async_mqtt_changed(self, came: bool) -> None:
        assert self._settings is not None
        await self.update(self._settings)
        if came:
            self.follower.connection_changed()

    async def _async_shut_down(self) -> None:
        # `_end` removes this job from the list that Home Assistant iterates over now.
        await asyncio.sleep(0)
        await self._end()

    @callback
    def _async_report_missing(self, name: str, *, is_wanted: bool) -> None:
        """Report an option that is on without an MQTT integration."""
        if not is_wanted or mqtt_entry(self._hass) is not None:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
            return
        async_report(
            self._hass,
            self._issue_id,
            ISSUE_MQTT_MISSING,
            {"name": name},
            literal={"link": mqtt_link(self._hass)},
        )
