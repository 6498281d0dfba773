"""The face of a phone: all that a dashboard shows of it, and its changes.

The types are the source of `card/src/face.ts`, which `script/card_types.py` writes.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Literal, NamedTuple, NotRequired, TypedDict, cast, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.json import json_bytes

from ..const import DOMAIN, SUBENTRY_TYPE_PHONE
from ..engine.keywords import color_of, lamp_of_state, pattern_of
from ..engine.phones import (
    MAKERS,
    MODELS,
    Key,
    Phone,
    PhoneServer,
    PhoneSetup,
    key_groups,
    modules_of,
)
from ..engine.refused import Refused
from ..engine.xbuttons import KeyDescription
from .card import card_version
from .follower import Follower
from .links.describe import describe
from .links.follower import KeyLinks
from .links.look import CONFIRM, LinkPreview
from .phone import SnomPhone
from .settings import EntrySettings, KeySettings

type Status = Literal["in_sync", "behind", "refusing", "silent", "absent"]
"""Of the phone: it has taken what its keys should show, has not yet, refuses it; it is
registered and does not answer; it is not registered."""
type Pattern = Literal["dark", "steady", "slow", "medium", "fast"]
"""Of a lamp. The half periods of those that blink: 1 s, 0.5 s and 0.25 s."""
type Kind = Literal["light", "switch", "linked", "shared", "none"]
type GroupKind = Literal["paper", "screen", "generic"]
"""Labels on paper, labels on a display, and a phone whose layout is not known."""


class May(TypedDict):
    """What the user may do who sees the face."""

    press: bool
    arrange: bool


class Messages(TypedDict):
    """The waiting messages that the message lamp shows."""

    new: int
    old: int


class KeyGroup(TypedDict):
    """The keys of the phone itself, or of an expansion module, as they are arranged.

    Row by row, page by page: position n is in column n % columns.
    """

    kind: GroupKind
    module: str | None
    """The model of the module; null for the phone itself."""
    columns: int
    rows: int
    """Of one page."""
    keys: list[str]
    """The name of the key at each position, in `keys` if the key is set up; "" for a
    position that is not a key of Home Assistant."""


class KeyFace(TypedDict):
    """A key."""

    key: str
    kind: Kind
    title: str
    """The user's name of the key."""
    label: str
    """What the phone shows beside the key."""
    caller: str
    """Who calls."""
    waiting: str
    """The messages that the key shows, as `new/old`; "" for none."""
    light: str
    """The light mode, such as `hold`."""
    pattern: Pattern
    color: str
    """The colour of the lamp, `#rrggbb`; while it is dark, the one that it would have."""
    held_by: str | None
    """Of a shared line: the name of the phone that holds it, "" for Home Assistant; null
    if it is free."""
    lacking: bool
    """Whether the phone has not taken what the key should show."""
    confirming: bool
    """Whether a second press acts."""
    pressable: bool
    entity_id: str | None
    """The entity that the key follows, else its event."""


class PhoneFace(TypedDict):
    """A phone."""

    name: str
    maker: str
    model: str
    """Empty if it is not known."""
    card: str
    """The version of the card that Home Assistant serves."""
    may: May
    status: Status
    messages: Messages | None
    """Null if the phone has not subscribed to its message lamp."""
    groups: list[KeyGroup]
    keys: list[KeyFace]


class Changes(TypedDict):
    """What has changed of a face, and nothing else."""

    status: NotRequired[Status]
    messages: NotRequired[Messages | None]
    keys: NotRequired[list[KeyFace]]
    """The keys that have changed, whole."""


class PhoneMessage(TypedDict):
    """The whole face: the first message, and after a change of settings."""

    phone: PhoneFace


class ChangesMessage(TypedDict):
    """A change of the face that was sent before."""

    changes: Changes


class GoneMessage(TypedDict):
    """There is no face, until another whole one; there will be none once it is removed."""

    gone: Literal["removed", "stopped", "unauthorized"]


class KeyPreview(TypedDict):
    """What a key with other settings would be."""

    face: KeyFace
    text: str
    """What the key follows and what its press does; "" for one that is not linked."""


type FaceMessage = PhoneMessage | ChangesMessage | GoneMessage


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


class _Head(TypedDict):
    """The part of a face that changes with settings, and is the same for all users."""

    name: str
    maker: str
    model: str
    card: str
    groups: list[KeyGroup]


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
                self._hass, self._server, self._phones, self._links
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
        feed = FaceFeed(self._hass, self._server, self._phones, self._links)
        return {
            "face": feed.async_preview(part, settings),
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
        phones: Mapping[str, SnomPhone],
        links: KeyLinks,
    ) -> None:
        """Create a feed that follows nothing."""
        self._hass = hass
        self._server = server
        self._phones = phones
        self._links = links
        self._part: SnomPhone | None = None
        self._subscribers: dict[object, Subscriber] = {}
        self._subscriptions: list[CALLBACK_TYPE] = []
        self._head: _Head | None = None
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
        self._head = self._read_head(self._part)
        self._due = dict.fromkeys(keys)
        changes = self._changes()
        self._keys = {name: self._keys[name] for name in keys}
        return changes

    def _changes(self) -> Changes:
        """Return what has changed since it was read before, and keep it."""
        assert self._part is not None
        phone = self._part.phone
        changes: Changes = {}
        if (status := _status(phone)) != self._status:
            self._status = changes["status"] = status
        if (messages := _messages(phone)) != self._messages:
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
        face = self._read_key(self._part, key)
        if face == self._keys.get(name):
            return None
        self._keys[name] = face
        return face

    def _read_head(self, part: SnomPhone) -> _Head:
        setup = part.settings.setup
        model = self._device(part).model or ""
        groups = key_groups(
            list(part.phone.keys),
            MODELS.get(model),
            modules_of(part.settings.expansion),
        )
        return {
            "name": self._name(part),
            "maker": setup.maker,
            "model": model,
            "card": card_version(),
            "groups": [
                {
                    "kind": _GROUP_KINDS[group.layout and group.layout.on_paper],
                    "module": group.module or None,
                    "columns": group.columns,
                    "rows": group.rows,
                    "keys": list(group.keys),
                }
                for group in groups
            ],
        }

    def _read_key(self, part: SnomPhone, key: Key) -> KeyFace:
        phone = part.phone
        link = self._links.async_link(phone.extension, key.name)
        return self._face(
            part, key, link.link.follows if link is not None else None
        ) | {
            "held_by": self._holder(phone, key),
            "lacking": phone.lacks(key.name),
            "confirming": link is not None and link.look.passing == CONFIRM,
            "pressable": key.setup.used and _is_pressable(part, key),
        }

    @callback
    def async_preview(self, part: SnomPhone, settings: KeySettings) -> KeyFace:
        """Return the face of a key as it would be with other settings."""
        key, link = Key(settings.setup, _ignore), settings.link
        current = part.phone.keys.get(key.name)
        is_linked = self._links.async_link(part.phone.extension, key.name) is not None
        if current is not None and not is_linked:
            key.restore(current.saved)
        if link is not None:
            look = LinkPreview(
                self._hass, extension=part.phone.extension, key=key, link=link
            )
            look.async_start()
            look.async_stop()
        return self._face(part, key, link.follows if link is not None else None)

    def _face(self, part: SnomPhone, key: Key, follows: str | None) -> KeyFace:
        """Return the face of a key that is not held, and that a phone has taken."""
        look, setup = key.look, key.setup
        pattern, color = _lamp(part.phone, look)
        waiting = str(look.message_waiting or "")
        return {
            "key": key.name,
            "kind": setup.kind.value,
            "title": setup.title,
            "label": look.label or look.display_name or "",
            "caller": look.caller or "",
            "waiting": "" if waiting == "0/0" else waiting,
            "light": look.light,
            "pattern": pattern,
            "color": color,
            "held_by": None,
            "lacking": False,
            "confirming": False,
            "pressable": setup.used,
            "entity_id": follows or self._event_entity(part, key),
        }

    def _holder(self, phone: Phone, key: Key) -> str | None:
        line = self._server.line_of(phone.extension, key.name)
        if line is None or not line.seized:
            return None
        holder = self._phones.get(line.owner or "")
        return self._name(holder) if holder is not None else ""

    def _event_entity(self, part: SnomPhone, key: Key) -> str | None:
        registry = er.async_get(self._hass)
        unique_id = f"{part.settings.subentry_id}_{key.name}_press"
        entity_id = registry.async_get_entity_id("event", DOMAIN, unique_id)
        known = registry.async_get(entity_id) if entity_id else None
        return known.entity_id if known is not None and not known.disabled else None

    def _name(self, part: SnomPhone) -> str:
        device = self._device(part)
        return device.name_by_user or device.name or part.settings.setup.name

    def _device(self, part: SnomPhone) -> dr.DeviceEntry:
        device = dr.async_get(self._hass).async_get(part.device_id)
        assert isinstance(device, dr.DeviceEntry)
        return device


_GROUP_KINDS: Final[Mapping[bool | None, GroupKind]] = {
    True: "paper",
    False: "screen",
    None: "generic",
}
"""By whether the labels are on paper."""


def _ignore(_: Key, __: bool) -> None:
    """Send nothing of a key that is only looked at."""


def _is_pressable(part: SnomPhone, key: Key) -> bool:
    number = key.look.number
    if number and number.isprintable():  # the phone sends it, or the name of the key
        return True
    try:
        part.check_press(key.name)
    except Refused:
        return False
    return True


def _status(phone: Phone) -> Status:
    if not phone.registrations:
        return "absent"
    if not phone.available:
        return "silent"
    if phone.refusal is not None:
        return "refusing"
    return "in_sync" if phone.in_sync else "behind"


def _messages(phone: Phone) -> Messages | None:
    if not phone.has_subscribed_messages:
        return None
    return {"new": phone.waiting.new, "old": phone.waiting.old}


def _lamp(phone: Phone, look: KeyDescription) -> tuple[Pattern, str]:
    """Return the pattern and the colour of a lamp, as the phone shows it."""
    pattern, color = pattern_of(look), color_of(look)
    if phone.shows_dialog_state(look.name):
        pattern, color = lamp_of_state(
            phone.setup.blf.state_of(look), idle_is_green=_is_idle_green(phone.setup)
        )
    return cast("Pattern", pattern.name.lower()), color.lower()


def _is_idle_green(setup: PhoneSetup) -> bool:
    """Return whether the lamp of a BLF key is green while its state is terminated.

    If the maker's lamps are not known, it is if the user has inverted them: that is for
    lamps which are lit then.
    """
    if setup.maker == "snom":
        return False
    about = MAKERS.get(setup.maker.lower())
    is_green = about and about.idle_is_green
    return setup.blf.is_inverted if is_green is None else is_green


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
