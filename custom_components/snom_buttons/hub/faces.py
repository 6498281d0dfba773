"""The feeds of faces: a face, and then what changes, to all who look at a phone."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.json import json_bytes

from ..const import DOMAIN, SUBENTRY_TYPE_PHONE
from ..engine.phones import PhoneServer
from .face import (
    Changes,
    ChangesMessage,
    GoneMessage,
    KeyFace,
    KeyPreview,
    May,
    Messages,
    PhoneMessage,
    Status,
)
from .face_reader import FaceHead, FaceReader, messages_of, status_of
from .follower import Follower
from .links.describe import describe
from .links.follower import KeyLinks
from .phone import SnomPhone
from .settings import EntrySettings, KeySettings

STOPPED: Final[GoneMessage] = {"gone": "stopped"}
REMOVED: Final[GoneMessage] = {"gone": "removed"}
UNAUTHORIZED: Final[GoneMessage] = {"gone": "unauthorized"}
"""The user may not see the phone any more."""

INTERVAL: Final = 0.1
"""Seconds between two messages about a phone; changes meanwhile go together."""


class Subscriber(NamedTuple):
    """What gets the messages about a phone."""

    send: Callable[[bytes], None]
    """Takes a FaceMessage as JSON."""
    may: Callable[[], May]


class Faces(Follower):
    """The feeds of the phones of one server that are looked at."""

    def __init__(
        self,
        hass: HomeAssistant,
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
        links: KeyLinks,
    ) -> None:
        """Create a follower. `phones` are the phones by extension, which may change."""
        super().__init__()
        self._hass = hass
        self._server = server
        self._phones = phones
        self._links = links
        self._reader = FaceReader(hass, server, phones, links)
        self._feeds: dict[str, FaceFeed] = {}
        """By subentry. A feed is there while it has a subscriber."""

    @callback
    def async_subscribe(
        self, subentry_id: str, subscriber: Subscriber
    ) -> CALLBACK_TYPE:
        """Send a phone's face, and its changes; return the function that ends that.

        STOPPED is the last message before the server stops, and the first one of a phone
        that is not added yet.
        """
        feed = self._feeds.get(subentry_id)
        if feed is None:
            feed = self._feeds[subentry_id] = FaceFeed(
                self._hass, self._server, self._links, self._reader
            )
            feed.async_follow(self._part(subentry_id))
        token = feed.async_add(subscriber)

        @callback
        def unsubscribe() -> None:
            if feed.async_remove(token):
                return
            feed.async_stop()
            if self._feeds.get(subentry_id) is feed:
                del self._feeds[subentry_id]

        return unsubscribe

    @callback
    def async_preview(self, part: SnomPhone, settings: KeySettings) -> KeyPreview:
        """Return a key of a phone as it would be with other settings.

        The texts have to be loaded before (`async_load_texts`).
        """
        return {
            "face": self._reader.preview(part, settings),
            "text": describe(self._hass, settings),
        }

    @override
    async def update(self, settings: EntrySettings) -> None:
        for subentry_id, feed in self._feeds.items():
            feed.async_follow(self._part(subentry_id))

    @override
    async def stop(self) -> None:
        await super().stop()
        feeds, self._feeds = self._feeds, {}
        for feed in feeds.values():
            feed.async_end()

    def _part(self, subentry_id: str) -> SnomPhone | None:
        for phone in self._phones.values():
            if phone.settings.subentry_id == subentry_id:
                return phone
        return None


class FaceFeed:
    """The face of one phone, for all who look at it.

    A change is sent in the loop's next turn, and at most ten times a second; then all
    that has changed goes in one message, as it is now.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        server: PhoneServer,
        links: KeyLinks,
        reader: FaceReader,
    ) -> None:
        """Create a feed that follows nothing."""
        self._hass = hass
        self._server = server
        self._links = links
        self._reader = reader
        self._part: SnomPhone | None = None
        self._subscribers: dict[object, Subscriber] = {}
        self._subscriptions: list[CALLBACK_TYPE] = []
        self._head: FaceHead | None = None
        """As it was sent last, as are these; None while there is no phone."""
        self._status: Status = "absent"
        self._messages: Messages | None = None
        self._keys: dict[str, KeyFace] = {}
        self._due: dict[str, None] = {}
        """The keys that may have changed since."""
        self._is_head_due = False
        self._timer: asyncio.Handle | None = None
        self._next = 0.0
        """The earliest time of the next message, by the loop."""

    # Subscribers

    @callback
    def async_add(self, subscriber: Subscriber) -> object:
        """Send a subscriber what the others have; return what `async_remove` takes.

        What has changed since is sent to all of them.
        """
        token = object()
        self._subscribers[token] = subscriber
        self._async_send_whole([subscriber])
        return token

    @callback
    def async_remove(self, token: object) -> bool:
        """Send nothing more to a subscriber; return whether there are others."""
        self._subscribers.pop(token, None)
        return bool(self._subscribers)

    @callback
    def async_end(self) -> None:
        """Stop, and say so."""
        self.async_stop()
        self._async_send(json_bytes(STOPPED))
        self._subscribers.clear()

    @callback
    def _async_send(self, message: bytes) -> None:
        for subscriber in list(self._subscribers.values()):
            subscriber.send(message)

    @callback
    def _async_send_whole(self, subscribers: list[Subscriber]) -> None:
        """Send the face as it was sent last, or that there is none."""
        if self._head is None:
            for subscriber in subscribers:
                subscriber.send(json_bytes(STOPPED))
            return
        for subscriber in subscribers:
            message: PhoneMessage = {
                "phone": {
                    **self._head,
                    "may": subscriber.may(),
                    "status": self._status,
                    "messages": self._messages,
                    "keys": list(self._keys.values()),
                }
            }
            subscriber.send(json_bytes(message))

    # What is followed

    @callback
    def async_follow(self, part: SnomPhone | None) -> None:
        """Follow a phone with its current settings; None for one that is not there."""
        self._async_unfollow()
        self._part = part
        if part is None:
            return
        hass, phone = self._hass, part.phone
        self._subscriptions = [
            phone.status.subscribe(self._async_refresh),
            phone.messages.subscribe(self._async_schedule),
            self._links.passing_changed.subscribe(self._async_passing_changed),
            hass.bus.async_listen(
                dr.EVENT_DEVICE_REGISTRY_UPDATED, self._async_device_updated
            ),
            hass.bus.async_listen(
                er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_entity_updated
            ),
            # Before the entity of the key: then Home Assistant sends the face together
            # with its state, and a page that shows both draws them at once.
            *(
                key.shown.subscribe(partial(self._async_shown, name), first=True)
                for name, key in phone.keys.items()
            ),
            *(
                line.status.subscribe(
                    partial(self._async_shown, line.setup.keys[phone.extension])
                )
                for line in self._server.lines.values()
                if phone.extension in line.setup.keys
            ),
        ]
        if self._head is None:
            self._read()
            self._async_send_whole(list(self._subscribers.values()))
        else:
            self._is_head_due = True
            self._async_refresh()

    @callback
    def async_stop(self) -> None:
        """Follow nothing, and send nothing more."""
        self._async_unfollow()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @callback
    def _async_unfollow(self) -> None:
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._subscriptions = []

    @callback
    def _async_shown(self, key: str, _: object) -> None:
        self._due[key] = None
        self._async_schedule()

    @callback
    def _async_passing_changed(self, which: tuple[str, str]) -> None:
        extension, key = which
        if self._part is not None and extension == self._part.phone.extension:
            self._async_shown(key, None)

    @callback
    def _async_refresh(self, _: object = None) -> None:
        """Look at all keys: what the phone has taken may have changed."""
        if self._part is not None:
            self._due = dict.fromkeys(self._part.phone.keys)
        self._async_schedule()

    @callback
    def _async_device_updated(
        self, event: Event[dr.EventDeviceRegistryUpdatedData]
    ) -> None:
        """Follow the name and the model, and the names of phones that hold lines."""
        if self._part is None:
            return
        if event.data["device_id"] == self._part.device_id:
            self._is_head_due = True
            self._async_refresh()
        elif any(face["held_by"] for face in self._keys.values()):
            self._async_refresh()

    @callback
    def _async_entity_updated(
        self, event: Event[er.EventEntityRegistryUpdatedData]
    ) -> None:
        """Follow the events of the keys."""
        data = event.data
        names = {data["entity_id"], data.get("old_entity_id")}
        known = er.async_get(self._hass).async_get(data["entity_id"])
        if self._part is not None and (
            (known is not None and known.device_id == self._part.device_id)
            or any(face["entity_id"] in names for face in self._keys.values())
        ):
            self._async_refresh()

    # What is sent

    @callback
    def _async_schedule(self, _: object = None) -> None:
        if self._timer is not None:
            return
        loop = self._hass.loop
        if loop.time() < self._next:
            self._timer = loop.call_at(self._next, self._async_flush)
        else:
            self._timer = loop.call_soon(self._async_flush)

    @callback
    def _async_flush(self) -> None:
        """Send what has changed since the last message."""
        self._timer = None
        if self._part is None or self._head is None:
            return
        if self._is_head_due:
            before = self._head, list(self._keys)
            changes = self._read()
            if (self._head, list(self._keys)) != before:
                self._sent()
                self._async_send_whole(list(self._subscribers.values()))
                return
        else:
            changes = self._changes()
        if changes:
            self._sent()
            message: ChangesMessage = {"changes": changes}
            self._async_send(json_bytes(message))

    def _sent(self) -> None:
        self._next = self._hass.loop.time() + INTERVAL

    def _read(self) -> Changes:
        """Read all of the phone; return what has changed of what changes often."""
        assert self._part is not None
        keys = self._part.phone.keys
        self._is_head_due = False
        self._head = self._reader.head(self._part)
        self._due = dict.fromkeys(keys)
        changes = self._changes()
        self._keys = {name: self._keys[name] for name in keys}
        return changes

    def _changes(self) -> Changes:
        """Return what has changed since it was read before, and keep it."""
        assert self._part is not None
        phone = self._part.phone
        changes: Changes = {}
        if (status := status_of(phone)) != self._status:
            self._status = changes["status"] = status
        if (messages := messages_of(phone)) != self._messages:
            self._messages = changes["messages"] = messages
        due, self._due = self._due, {}
        keys = [face for name in due if (face := self._changed_key(name)) is not None]
        if keys:
            changes["keys"] = keys
        return changes

    def _changed_key(self, name: str) -> KeyFace | None:
        """Return the face of a key if it has changed, and keep it."""
        assert self._part is not None
        key = self._part.phone.keys.get(name)
        if key is None:  # it is not configured any more
            return None
        face = self._reader.key(self._part, key)
        if face == self._keys.get(name):
            return None
        self._keys[name] = face
        return face


@callback
def async_phone_of(
    hass: HomeAssistant, device_id: str
) -> tuple[ConfigEntry, str] | None:
    """Return the config entry and the subentry of a phone's device, None for another."""
    device = dr.async_get(hass).async_get(device_id)
    # Other integrations may have identifiers of more parts.
    for domain, identifier, *_ in device.identifiers if device else ():
        for entry in hass.config_entries.async_entries(DOMAIN):
            subentry = entry.subentries.get(identifier)
            if (
                domain == DOMAIN
                and subentry is not None
                and subentry.subentry_type == SUBENTRY_TYPE_PHONE
            ):
                return entry, identifier
    return None
