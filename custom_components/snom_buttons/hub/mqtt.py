"""The phones of a server on the MQTT broker that Home Assistant is connected to.

What phones and keys do goes out by the publisher, what others command comes in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple, Self

from homeassistant.components import mqtt
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.json import json_dumps

from ..const import DOMAIN
from ..engine.mqtt.commands import send_document, set_key
from ..engine.mqtt.discovery import async_hide, discovery_payload, discovery_topic
from ..engine.mqtt.payloads import (
    OFFLINE,
    ONLINE,
    Topics,
    dialled_payload,
    error_payload,
    press_payload,
    state_payload,
)
from ..engine.phones import Dialled, KeyPress, PhoneServer
from ..engine.refused import Refused, quoted
from .mqtt_client import (
    QOS,
    discovery_prefix,
    is_mqtt_loaded,
    make_publisher,
    mqtt_entry,
    mqtt_link,
)
from .phone import SnomPhone
from .refused import translated
from .settings import EntrySettings, MqttSettings, mqtt_settings

ISSUE_MQTT_MISSING: Final = "mqtt_missing"


class LeftBehind(NamedTuple):
    """What others on the broker may still have of a server."""

    known: list[str]
    """Topics of which the broker may keep something, and those of announcements."""
    announced: dict[str, dict[str, str]]
    """For each of the latter the platforms of all components ever on it."""

    @classmethod
    def from_json(cls, stored: object) -> Self:
        """Return what was stored, nothing if it cannot be read."""
        match stored:
            case {"known": list(known), "announced": dict(announced)}:
                return cls(known, announced)
        return cls([], {})

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return self._asdict()


class MqttBridge:
    """What one server has on the broker; nothing while the option is off."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
        *,
        left_behind_changed: Callable[[], None],
        async_save: Callable[[], Awaitable[None]],
    ) -> None:
        """Make a bridge that does nothing until `start`.

        `left_behind_changed` is called when `left_behind` may have changed;
        `async_save` stores it at once.
        """
        self.publisher = make_publisher(hass)
        self._hass = hass
        self._entry = entry
        self._server = server
        self._phones = phones
        self._left_behind_changed = left_behind_changed
        self._async_save = async_save
        self._settings: MqttSettings | None = None
        self._wanted_settings: MqttSettings | None = None
        self._topics = Topics(DOMAIN)
        self._prefix = ""
        self._lock = asyncio.Lock()
        self._confirmed: set[str] = set()
        """Those of `_filters` that the broker has subscribed us to."""
        self._is_loaded = False
        self._announced: dict[str, dict[str, str]] = {}
        self._running: list[CALLBACK_TYPE] = []
        self._followed: list[CALLBACK_TYPE] = []
        self._subscribed: list[CALLBACK_TYPE] = []

    @property
    def retained(self) -> list[str]:
        """The topics of which the broker may keep something that we have to clear."""
        return [topic for topic in self.publisher.known if topic not in self._announced]

    @property
    def left_behind(self) -> LeftBehind:
        """What others may have of us, for `async_recall` after a restart."""
        known = self.publisher.known
        announced = {
            topic: {**self._announced[topic]}
            for topic in known
            if topic in self._announced
        }
        return LeftBehind(known, announced)

    @callback
    def async_recall(self, before: LeftBehind) -> None:
        """Know again what is left from before a restart; `update` takes it back."""
        self.publisher.recall(before.known)
        self._announced = before.announced

    @callback
    def start(self) -> None:
        """Follow the connection."""
        self._is_loaded = is_mqtt_loaded(self._hass)
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
        await self.stop()

    async def stop(self) -> None:
        """Say that the server is gone, and end everything."""
        running, self._running = self._running, []
        for unsubscribe in running:
            unsubscribe()
        # An update that is under way ends first: the last word is ours.
        async with self._lock:
            if running:
                self._async_unfollow()
                self._async_unsubscribe()
                if self._settings is not None:
                    self.publisher.keep(self._topics.status, OFFLINE)
                await self.publisher.close()
                ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)

    async def update(self, settings: EntrySettings) -> None:
        """Hold the broker in step with the settings, the phones and their keys."""
        async with self._lock:
            self._wanted_settings = settings.mqtt
            if self._running:
                await self._async_update()

    async def _async_update(self) -> None:
        settings = self._wanted_settings
        prefix = discovery_prefix(self._hass)
        if (settings, prefix) != (self._settings, self._prefix):
            self._async_unsubscribe()
            self._settings, self._prefix = settings, prefix
            self._topics = Topics(settings.base if settings else DOMAIN)
        self._async_report_missing()
        if not self._wanted().issubset(self.publisher.known):
            # Stored before it is published: else a crash in between would leave topics
            # on the broker of which nobody knows any more.
            self.publisher.recall(self._wanted())
            await self._async_save()
        await self._async_subscribe()
        self._async_unfollow()
        self._async_announce()
        self._async_show_status()
        self._async_follow()
        self._async_take_back()
        self._left_behind_changed()

    @callback
    def _async_take_back(self) -> None:
        """Clear what others may have of us and should no longer."""
        wanted = self._wanted()
        # What is announced no more first: who reads states shall not read "".
        for topic in sorted(
            self.publisher.known, key=lambda topic: topic not in self._announced
        ):
            if topic in wanted:
                continue
            if self._is_others(topic):
                self.publisher.leave(topic)
            else:
                self.publisher.clear(topic)

    def _wanted(self) -> set[str]:
        """Return the topics on which something of us stands, as we are set up now."""
        settings = self._settings
        if settings is None:
            return set()
        wanted = {self._topics.status}
        for phone in self._phones.values():
            extension = phone.settings.extension
            wanted.add(self._topics.availability(extension))
            wanted.update(
                self._topics.state(extension, key) for key in phone.phone.keys
            )
            if settings.discovery:
                wanted.add(discovery_topic(self._prefix, phone))
        return wanted

    def _is_others(self, topic: str) -> bool:
        """Whether another server has a topic now that was ours."""
        return any(
            (settings := mqtt_settings(entry.options)) is not None
            and topic.startswith(f"{settings.base}/")
            for entry in self._hass.config_entries.async_entries(DOMAIN)
            if entry is not self._entry
        )

    @callback
    def _async_confirmed(self, confirmed: set[str], topic: str) -> None:
        """Take note that the broker sends us commands on a topic from now on.

        Home Assistant says so in a later turn of the loop. Then the connection may be
        gone, or we may have subscribed anew, and `confirmed` counts no more.
        """
        if confirmed is self._confirmed and mqtt.is_connected(self._hass):
            confirmed.add(topic)
            self._async_show_status()

    @callback
    def _async_show_status(self) -> None:
        """Say that the server runs if no command is lost; until then say nothing."""
        settings = self._settings
        if settings is None:
            return
        if not settings.commands or self._confirmed.issuperset(self._filters):
            self.publisher.keep(self._topics.status, ONLINE)
        else:
            self.publisher.withhold(self._topics.status)

    @property
    def _filters(self) -> tuple[str, ...]:
        """What we subscribe to for commands."""
        return self._topics.every_set, self._topics.every_document

    @callback
    def _async_follow(self) -> None:
        """Publish what all phones and keys do now, and from now on."""
        if self._settings is None:
            return
        self._followed = [
            self._server.pressed.subscribe(self._async_pressed),
            self._server.dialled.subscribe(self._async_dialled),
        ]
        for phone in self._phones.values():
            show_phone = partial(self._async_show_phone, phone)
            show_phone(None)
            self._followed.append(phone.phone.status.subscribe(show_phone))
            show_taken = partial(self._async_show_taken, phone)
            self._followed.append(phone.phone.taken.subscribe(show_taken))
            for name, key in phone.phone.keys.items():
                show_key = partial(self._async_show_key, phone, name)
                self._followed.append(key.shown.subscribe(show_key))

    @callback
    def _async_unfollow(self) -> None:
        for unsubscribe in self._followed:
            unsubscribe()
        self._followed = []

    @callback
    def _async_show_phone(self, phone: SnomPhone, _: None) -> None:
        """Publish whether a phone is there, and whether its keys show what they should."""
        if phone.phone.is_followed:  # else it is known in a moment
            self.publisher.keep(
                self._topics.availability(phone.settings.extension),
                ONLINE if phone.phone.available else OFFLINE,
            )
        for name in phone.phone.keys:
            self._async_show_key(phone, name, None)

    @callback
    def _async_show_key(self, phone: SnomPhone, name: str, _: None) -> None:
        self.publisher.keep(
            self._topics.state(phone.settings.extension, name),
            state_payload(
                phone.phone.keys[name],
                colors=phone.phone.keys[name].setup.colors,
                in_sync=phone.phone.has_taken(name),
            ),
        )

    @callback
    def _async_show_taken(self, phone: SnomPhone, keys: list[str]) -> None:
        """Publish that a device has what keys show; it may have others as well."""
        for name in keys:
            if name in phone.phone.keys:
                self._async_show_key(phone, name, None)

    @callback
    def _async_pressed(self, press: KeyPress) -> None:
        topic = self._topics.event(press.extension, press.key)
        self.publisher.tell(topic, press_payload(press))

    @callback
    def _async_dialled(self, dialled: Dialled) -> None:
        topic = self._topics.dialled(dialled.extension)
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
            self.publisher.announce(topic, json_dumps(payload))

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
        try:
            self._async_carry_out(msg.topic, payload, retained=msg.retain)
        except Refused as err:
            self.publisher.complain(
                self._topics.error, error_payload(msg.topic, str(translated(err)))
            )

    @callback
    def _async_carry_out(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Carry a command out. Raises Refused."""
        phone, key = self._topics.addressee(topic)
        if retained:
            raise Refused("retained_command")
        if topic != (own := self._topics.command(phone, key)):
            # Else rules of the broker for the one would not hold for the other.
            raise Refused("other_spelling", value=quoted(topic), allowed=quoted(own))
        if phone not in self._phones:
            raise Refused(
                "unknown_phone", value=quoted(phone), allowed=", ".join(self._phones)
            )
        if key is not None:
            set_key(self._phones[phone], key, payload)
        else:
            send_document(self._phones[phone], payload)

    async def _async_subscribe(self) -> None:
        """Subscribe to commands, once Home Assistant's client is there."""
        settings = self._settings
        if settings is None or self._subscribed or not is_mqtt_loaded(self._hass):
            return
        if settings.commands:
            for topic in self._filters:
                self._subscribed.append(
                    await mqtt.async_subscribe(
                        self._hass, topic, self._async_command, QOS, encoding=None
                    )
                )
                confirmed = partial(self._async_confirmed, self._confirmed, topic)
                # If others subscribe to the same with another QoS, theirs may count.
                self._subscribed += [
                    mqtt.async_on_subscribe_done(self._hass, topic, qos, confirmed)
                    for qos in (QOS, QOS + 1)
                ]
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
        self._confirmed = set()
        self._async_show_status()

    @callback
    def _async_connection_changed(self, connected: bool) -> None:
        if not connected:
            self._confirmed.clear()
            self._async_show_status()
        # The client repeats what was not acknowledged only after it has called this. If
        # we published now, an older state would come behind the newest.
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
        was_loaded, self._is_loaded = self._is_loaded, is_mqtt_loaded(self._hass)
        if was_loaded and not self._is_loaded:
            self._async_say_offline()
            # Of this client; the next one would not know of it.
            self._async_unsubscribe()
        came = self._is_loaded and not was_loaded
        self._entry.async_create_task(self._hass, self._async_mqtt_changed(came))

    @callback
    def _async_say_offline(self) -> None:
        """Say good-bye by a client that goes; it waits until the broker has that."""
        if self._settings is not None and mqtt.is_connected(self._hass):
            self._entry.async_create_task(
                self._hass, self._async_publish_offline(self._topics.status)
            )

    async def _async_publish_offline(self, topic: str) -> None:
        with suppress(HomeAssistantError):  # it went before it could
            await mqtt.async_publish(self._hass, topic, OFFLINE, QOS, retain=True)

    async def _async_mqtt_changed(self, came: bool) -> None:
        async with self._lock:
            if self._running:
                await self._async_update()
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
            translation_placeholders={
                "name": self._entry.title,
                "link": mqtt_link(self._hass),
            },
        )
