"""The phones of a server on the MQTT broker that Home Assistant is connected to.

What phones and keys do goes out by the publisher, what others command comes in.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
import logging
from typing import Any, Final

from homeassistant.components import mqtt
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.json import json_dumps

from .const import DOMAIN
from .devices import SnomPhone
from .key_fields import invalid, quoted
from .mqtt_commands import send_document, set_key
from .mqtt_discovery import async_hide, discovery_payload, discovery_topic
from .mqtt_messages import (
    OFFLINE,
    ONLINE,
    Topics,
    dialled_payload,
    error_payload,
    press_payload,
    state_payload,
)
from .mqtt_publisher import MAX_AGE, Message, MqttPublisher
from .phones import Dialled, KeyPress, PhoneServer
from .settings import MqttSettings, mqtt_settings

_LOGGER = logging.getLogger(__name__)

ISSUE_MQTT_MISSING: Final = "mqtt_missing"
ADD_MQTT: Final = "/config/integrations/dashboard/add?domain=mqtt"
"""Where a user sets up Home Assistant's MQTT integration."""
QOS: Final = 1
CLEARING: Final = 10.0
"""Seconds in which the broker can forget a server that is removed."""


class MqttBridge:
    """What one server has on the broker; nothing while the option is off."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
        retained_changed: Callable[[], None],
    ) -> None:
        """Make a bridge that does nothing until `async_start`.

        `retained_changed` is called when `retained` may have changed.
        """
        self.publisher = make_publisher(hass)
        self._hass = hass
        self._entry = entry
        self._server = server
        self._phones = phones
        self._retained_changed = retained_changed
        self._settings: MqttSettings | None = None
        self._topics = Topics(DOMAIN)
        self._prefix = ""
        self._lock = asyncio.Lock()
        self._is_listening = False
        self._is_loaded = _is_loaded(hass)
        self._kept: set[str] = set()
        self._announced: dict[str, dict[str, str]] = {}
        """For each topic the platforms of all components that were ever on it."""
        self._running: list[CALLBACK_TYPE] = []
        self._followed: list[CALLBACK_TYPE] = []
        self._subscribed: list[CALLBACK_TYPE] = []

    @property
    def retained(self) -> list[str]:
        """The topics of which the broker may keep something that we have to clear."""
        return sorted(self._kept.union(self.publisher.retained))

    @callback
    def async_start(self, retained: Iterable[str]) -> None:
        """Follow the connection; `retained` are topics from before the last stop."""
        self._kept.update(retained)
        self._running = [
            async_dispatcher_connect(
                self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
            ),
            mqtt.async_subscribe_connection_status(
                self._hass, self._async_connection_changed
            ),
            # Before the MQTT integration hears that Home Assistant stops.
            self._hass.async_add_shutdown_job(HassJob(self._async_shut_down)),
        ]

    async def _async_shut_down(self) -> None:
        # Stopping takes this job off the list that Home Assistant goes through now.
        await asyncio.sleep(0)
        await self.async_stop()

    async def async_stop(self) -> None:
        """Say that the server is gone, and end everything."""
        for unsubscribe in (*self._running, *self._followed, *self._subscribed):
            unsubscribe()
        was_running, self._running = bool(self._running), []
        self._followed, self._subscribed = [], []
        if was_running:
            if self._settings is not None:
                self.publisher.keep(self._topics.status, OFFLINE)
            await self.publisher.close()
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    async def async_update(self) -> None:
        """Hold the broker in step with the settings, the phones and their keys."""
        async with self._lock:
            if self._running:
                await self._async_update()

    async def _async_update(self) -> None:
        settings = mqtt_settings(self._entry.options)
        prefix = discovery_prefix(self._hass)
        if (settings, prefix) != (self._settings, self._prefix):
            self._async_unsubscribe()
            self._settings, self._prefix = settings, prefix
            self._topics = Topics(settings.base if settings else DOMAIN)
        self._async_report_missing()
        await self._async_subscribe()
        for unsubscribe in self._followed:
            unsubscribe()
        self._followed = []
        before, self._kept = self.retained, set()
        self._async_announce()
        if settings is not None:
            self._kept.add(self._topics.status)
            if self._is_listening or not settings.commands:
                self._async_say_online()
            self._async_follow()
        # What is announced no more first: who reads states shall not read "".
        for topic in sorted(before, key=lambda topic: not topic.endswith("/config")):
            if topic not in self._kept:
                self.publisher.keep(topic, "")
        self._retained_changed()

    @callback
    def _async_say_online(self) -> None:
        """Say that the server runs: from now on no command is lost."""
        self._is_listening = True
        self.publisher.keep(self._topics.status, ONLINE)

    @callback
    def _async_follow(self) -> None:
        """Publish what all phones and keys do now, and from now on."""
        self._followed = [
            self._server.pressed.subscribe(self._async_pressed),
            self._server.dialled.subscribe(self._async_dialled),
        ]
        for phone in self._phones.values():
            show_phone = partial(self._async_show_phone, phone)
            show_phone(None)
            self._followed.append(phone.sip.status.subscribe(show_phone))
            for name, key in phone.sip.keys.items():
                show_key = partial(self._async_show_key, phone, name)
                self._followed.append(key.shown.subscribe(show_key))

    @callback
    def _async_keep(self, topic: str, payload: str) -> None:
        self._kept.add(topic)
        self.publisher.keep(topic, payload)

    @callback
    def _async_show_phone(self, phone: SnomPhone, _: None) -> None:
        """Publish whether a phone is there, and whether its keys show what they should."""
        self._async_keep(
            self._topics.availability(phone.settings.extension),
            ONLINE if phone.sip.available else OFFLINE,
        )
        for name in phone.sip.keys:
            self._async_show_key(phone, name, None)

    @callback
    def _async_show_key(self, phone: SnomPhone, name: str, _: None) -> None:
        self._async_keep(
            self._topics.state(phone.settings.extension, name),
            state_payload(
                phone.sip.keys[name],
                colors=name in phone.colored,
                in_sync=phone.sip.in_sync,
            ),
        )

    @callback
    def _async_pressed(self, press: KeyPress) -> None:
        topic = self._topics.event(press.phone.extension, press.key)
        self.publisher.tell(topic, press_payload(press))

    @callback
    def _async_dialled(self, dialled: Dialled) -> None:
        topic = self._topics.dialled(dialled.phone.extension)
        self.publisher.tell(topic, dialled_payload(dialled))

    @callback
    def _async_announce(self) -> None:
        """Announce the phones to others, and take back keys that were announced."""
        settings = self._settings
        if settings is None or not settings.discovery:
            return
        for phone in self._phones.values():
            topic = discovery_topic(self._prefix, phone)
            payload = discovery_payload(self._topics, phone, commands=settings.commands)
            known = self._announced.setdefault(topic, {})
            known |= {
                name: component["platform"]
                for name, component in payload["components"].items()
            }
            payload["components"] = {
                name: {"platform": platform} for name, platform in known.items()
            } | payload["components"]
            async_hide(self._hass, phone, payload)
            self._kept.add(topic)
            self.publisher.keep(topic, json_dumps(payload), retain=False)

    @callback
    def _async_born(self, msg: mqtt.ReceiveMessage) -> None:
        """Announce the phones again to a Home Assistant that has just started."""
        if msg.payload == ONLINE and not msg.retain:
            self._async_announce()
            for phone in self._phones.values():
                self.publisher.again(discovery_topic(self._prefix, phone))

    @callback
    def _async_command(self, msg: mqtt.ReceiveMessage) -> None:
        """Carry a command out, or say what was wrong with it."""
        payload = msg.payload
        assert isinstance(payload, bytes)
        if not payload:  # somebody clears a retained command
            return
        phone, key = self._topics.addressee(msg.topic)
        try:
            if msg.retain:
                raise invalid("retained_command")
            if phone not in self._phones:
                raise invalid(
                    "unknown_phone",
                    value=quoted(phone),
                    allowed=", ".join(self._phones),
                )
            if key is not None:
                set_key(self._phones[phone], key, payload)
            else:
                send_document(self._phones[phone], payload)
        except ServiceValidationError as err:
            self.publisher.complain(
                self._topics.error, error_payload(msg.topic, str(err))
            )

    async def _async_subscribe(self) -> None:
        """Subscribe to commands, once Home Assistant's client is there."""
        settings = self._settings
        if settings is None or self._subscribed or not _is_loaded(self._hass):
            return
        if settings.commands:
            topics = (self._topics.every_set, self._topics.every_document)
            for topic in topics:
                self._subscribed.append(
                    await mqtt.async_subscribe(
                        self._hass, topic, self._async_command, QOS, encoding=None
                    )
                )
            self._subscribed.append(
                mqtt.async_on_subscribe_done(
                    self._hass, topics[-1], QOS, self._async_say_online
                )
            )
        if settings.discovery:
            self._subscribed.append(
                await mqtt.async_subscribe(
                    self._hass, f"{self._prefix}/status", self._async_born
                )
            )

    @callback
    def _async_unsubscribe(self) -> None:
        for unsubscribe in self._subscribed:
            unsubscribe()
        self._subscribed = []
        self._async_hear_nothing()

    @callback
    def _async_hear_nothing(self) -> None:
        """Do not say that we are online until commands are subscribed to again."""
        if self._settings is not None and self._settings.commands:
            self._is_listening = False
            self.publisher.forget(self._topics.status)

    @callback
    def _async_connection_changed(self, connected: bool) -> None:
        if not connected:
            self._async_hear_nothing()
        # Not before the client has repeated what was not acknowledged.
        self._hass.loop.call_soon(self._async_publish_all)

    @callback
    def _async_publish_all(self) -> None:
        if not self._running:
            return
        self._async_announce()
        self.publisher.connection_changed()

    @callback
    def _async_entry_changed(
        self, change: ConfigEntryChange, entry: ConfigEntry
    ) -> None:
        """Follow how Home Assistant's MQTT integration does."""
        if entry.domain != mqtt.DOMAIN:
            return
        was_loaded, self._is_loaded = self._is_loaded, _is_loaded(self._hass)
        if was_loaded and not self._is_loaded:
            # Of this client; the next one would not know of it.
            self._async_unsubscribe()
        came = self._is_loaded and not was_loaded
        self._entry.async_create_task(self._hass, self._async_mqtt_changed(came))

    async def _async_mqtt_changed(self, came: bool) -> None:
        await self.async_update()
        if came:
            self._async_publish_all()

    @property
    def _issue_id(self) -> str:
        return f"{ISSUE_MQTT_MISSING}_{self._entry.entry_id}"

    @callback
    def _async_report_missing(self) -> None:
        """Tell the user if the option is on and there is no MQTT integration."""
        if self._settings is None or mqtt_entry(self._hass) is not None:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=ISSUE_MQTT_MISSING,
            translation_placeholders={"name": self._entry.title, "link": ADD_MQTT},
        )


def make_publisher(hass: HomeAssistant) -> MqttPublisher:
    """Return a publisher that uses Home Assistant's client."""

    async def publish(message: Message) -> None:
        entry = mqtt_entry(hass)
        is_mqtt5 = entry is not None and entry.data.get(mqtt.CONF_PROTOCOL) == "5"
        await mqtt.async_publish(
            hass,
            message.topic,
            message.payload,
            QOS,
            message.retain,
            # So a subscriber that was away does not get it late either.
            message_expiry_interval=(
                int(MAX_AGE) if message.expires and is_mqtt5 else None
            ),
        )

    return MqttPublisher(
        publish,
        lambda: _is_loaded(hass) and mqtt.is_connected(hass),
        hass.loop.time,
    )


async def async_clear(hass: HomeAssistant, retained: Iterable[str]) -> None:
    """Clear topics of a server that is no more."""
    publisher = make_publisher(hass)
    for topic in retained:
        publisher.keep(topic, "")
    await publisher.close(CLEARING)
    if left := publisher.retained:
        _LOGGER.warning(
            "The MQTT broker could not be reached, and keeps %s topics, such as %s."
            " Clear them with: mosquitto_pub -r -n -t TOPIC",
            len(left),
            left[0],
        )


def mqtt_entry(hass: HomeAssistant) -> ConfigEntry | None:
    """Return the entry of Home Assistant's MQTT integration, which has one at most."""
    entries = hass.config_entries.async_entries(
        mqtt.DOMAIN, include_ignore=False, include_disabled=False
    )
    return entries[0] if entries else None


def discovery_prefix(hass: HomeAssistant) -> str:
    """Return what the topics begin with on which things are announced."""
    entry = mqtt_entry(hass)
    options: Mapping[str, Any] = entry.options if entry else {}
    prefix: str = options.get(mqtt.CONF_DISCOVERY_PREFIX, mqtt.DEFAULT_PREFIX)
    return prefix


def _is_loaded(hass: HomeAssistant) -> bool:
    entry = mqtt_entry(hass)
    return entry is not None and entry.state is ConfigEntryState.LOADED
