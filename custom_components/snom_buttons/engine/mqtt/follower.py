"""Keeps the broker in step with a server: its states, its events, its commands."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

from ..phones import MESSAGES, Dialled, KeyPress, Phone, PhoneServer, Timer
from ..refused import Refused, quoted
from .announcements import Announcements
from .client import Client, Message, Received
from .commands import send_document, set_key, set_messages
from .left_behind import read_left_behind
from .payloads import (
    OFFLINE,
    ONLINE,
    dialled_payload,
    error_payload,
    messages_payload,
    press_payload,
    state_payload,
)
from .publisher import MqttPublisher
from .setup import MqttSetup
from .topics import Topics

SETTLED: Final = 0.2
"""Seconds that a phone has to acknowledge what it gets when it registers, before its keys
are published as not in sync."""
MAX_LISTED: Final = 100
"""Phones that the error for an unknown one names."""


@dataclass(frozen=True, slots=True)
class _FollowedPhone:
    """A phone whose topics are published."""

    keys: tuple[str, ...]
    """The names of its keys, as they are published."""
    signals: list[Callable[[], None]]
    """What ends the subscriptions to its signals."""

    def unfollow(self) -> None:
        for unsubscribe in self.signals:
            unsubscribe()


class MqttFollower:
    """Publishes one server on the broker; does nothing while it has no setup.

    Home Assistant or the program around the engine calls `connection_lost`,
    `connection_changed` and `client_leaves` as the client's connection changes.
    """

    def __init__(
        self,
        client: Client,
        server: PhoneServer,
        *,
        explain: Callable[[Refused], str],
        phone_ids: str,
        phone_id: Callable[[str], str | None],
        is_foreign: Callable[[str], bool],
        left_behind_changed: Callable[[], None],
        save: Callable[[], Awaitable[None]],
        is_elsewhere: Callable[[str], bool] = lambda _: False,
        changing: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Create a follower that does nothing until `update`.

        `explain` returns the text of an error. `phone_id` returns the name, unique on
        the broker, under which the phone of an extension is announced, None for not at
        all; all such names begin with `phone_ids`, those of other programs do not.
        `is_foreign` returns whether a topic belongs to another server now.
        `left_behind_changed` is called when `left_behind` may have changed; `save`
        stores it at once. `is_elsewhere` returns whether commands to an extension are
        another server's, to carry out or to refuse. `changing` is called with an
        extension before states of its phone are published that may differ from the last.
        """
        self.publisher = MqttPublisher(client, asyncio.get_running_loop().time)
        self.announcements = Announcements(
            client,
            self.publisher,
            server,
            setup=lambda: self._setup,
            phone_ids=phone_ids,
            phone_id=phone_id,
        )
        self.commands = 0
        """Commands to phones that are not elsewhere."""
        self.refused = 0
        """Those that were refused."""
        self._client = client
        self._server = server
        self._explain = explain
        self._phone_ids = phone_ids
        self._is_foreign = is_foreign
        self._left_behind_changed = left_behind_changed
        self._save = save
        self._is_elsewhere = is_elsewhere
        self._changing = changing
        self._setup: MqttSetup | None = None
        self._topics = Topics("")
        self._lock = asyncio.Lock()
        self._confirmed: set[str] = set()
        """The filters of commands to which the broker has confirmed the subscription."""
        self._bases: set[str] = set()
        """The bases of all topics that the broker may retain."""
        self.is_stopped = False
        self._followed = ExitStack()
        """The signals of the server."""
        self._phones: dict[str, _FollowedPhone] = {}
        self._subscribed: list[Callable[[], None]] = []

    @property
    def retained(self) -> list[str]:
        """The topics that the broker may retain for this server."""
        known = self.publisher.known
        return [topic for topic in known if topic not in self.announcements]

    @property
    def left_behind(self) -> dict[str, Any]:
        """What may be left of the server on the broker, as JSON."""
        known = self.publisher.known
        bases = [
            base for base in self._bases if any(map(Topics(base).has_state, known))
        ]
        announced = self.announcements.saved(known)
        return {"known": known, "announced": announced, "bases": sorted(bases)}

    def recall(self, left_behind: object, base: str) -> None:
        """Restore the `left_behind` of an earlier run; `update` clears obsolete topics.

        `base` is that of the settings. Anything else is left out, with a warning.
        """
        known, announced, bases = read_left_behind(left_behind, base, self._phone_ids)
        self.announcements.recall(announced)
        self.publisher.recall(known)
        self._bases.update(bases)

    async def stop(self) -> None:
        """Publish that the server is offline, and end everything."""
        was_stopped, self.is_stopped = self.is_stopped, True
        # An update that is under way ends first: offline is the last state.
        async with self._lock:
            if was_stopped:
                return
            self._unfollow()
            # Other servers take the phones then, so nothing is to follow it.
            await self.publisher.close(last=self.client_leaves())

    async def update(self, setup: MqttSetup | None) -> None:
        """Apply a setup, and the server's current phones and keys."""
        async with self._lock:
            if self.is_stopped:
                return
            if setup != self._setup:
                self._unsubscribe()
                self._topics = Topics(setup.base, setup.member) if setup else Topics("")
                if setup is not None:
                    self._bases.add(setup.base)
            self._setup = setup
            wanted = self._wanted()
            if not wanted.issubset(self.publisher.known):
                # Stored before it is published: a crash in between would leave topics on
                # the broker that are no longer known.
                self.publisher.recall(wanted)
                await self._save()
            await self._subscribe()
            self._unfollow()
            self.announcements.announce_all()
            self._publish_status()
            self._follow()
            self._clear_obsolete()
            self._left_behind_changed()

    def add_phone(self, extension: str, published: str | None = None) -> bool:
        """Follow a phone that was added or configured after `update`.

        At the cost of this phone only. What is published of it is not stored before:
        this is for a program that finds on the broker what it has left there. So all of a
        phone that is new here goes `later` (see `MqttPublisher.keep`). `published` is the
        `digest_of` what the broker retains of it, if that is known. Return whether its
        states would be the same: then they are not published.
        """
        if self._setup is None or self.is_stopped:
            return False
        phone = self._server.phones[extension]
        self.announcements.clear_former(extension)
        if published is not None and self._assume_published(phone, published):
            self.announcements.announce(extension, later=True)  # it names this server
            self._follow_phone(phone, is_published=True)
            return True
        self._changing(extension)
        before = self._phones.pop(extension, None)
        # The announcement first: a subscriber to a state should not read "".
        self.announcements.announce(extension, later=before is None)
        if before is not None:
            before.unfollow()
            for name in before.keys:
                if name not in phone.keys:
                    self.publisher.clear(self._topics.state(extension, name))
        self._follow_phone(phone)
        return False

    def digest_of(self, extension: str) -> str | None:
        """Return a digest of the states of a phone, None if one is not published yet.

        Its announcement is no part of it.
        """
        followed = self._phones.get(extension)
        if followed is None:
            return None
        topics = self._topics_of(extension, followed.keys)
        states = {topic: self.publisher.state_of(topic) for topic in topics}
        if None in states.values() or any(map(self.publisher.is_due, topics)):
            return None
        return _digest(topics, states)

    def _assume_published(self, phone: Phone, published: str) -> bool:
        """Take the states of a phone as published if their digest is `published`.

        They are those of a phone that takes all that it is sent. Return whether they are
        taken so.
        """
        extension, reaches = phone.extension, phone.reaches
        available = ONLINE if phone.available else OFFLINE
        states = {self._topics.availability(extension): available}
        for name, key in phone.keys.items():
            payload = state_payload(key, in_sync=reaches(name))
            states[self._topics.state(extension, name)] = payload
        states[self._topics.state(extension, MESSAGES)] = messages_payload(
            phone.waiting, in_sync=reaches(MESSAGES)
        )
        topics = self._topics_of(extension, phone.keys)
        if not phone.is_followed or _digest(topics, states) != published:
            return False
        for topic, payload in states.items():
            self.publisher.assume(topic, payload)
        return True

    def remove_phone(self, extension: str, *, clear: bool = True) -> None:
        """Follow a phone no more, at the cost of this phone only.

        `clear` its topics, unless they are another server's from now on.
        """
        followed = self._phones.pop(extension, None)
        if followed is None:
            return
        followed.unfollow()
        drop = self.publisher.clear if clear else self.publisher.forget
        # The announcement first: a subscriber to a state should not read "".
        if (announced := self.announcements.topic_of(extension)) is not None:
            drop(announced)
        for topic in self._topics_of(extension, followed.keys):
            drop(topic)

    def repeat_phone(self, extension: str) -> None:
        """Publish a phone once more: another server has published it meanwhile."""
        if (followed := self._phones.get(extension)) is not None:
            for topic in self._topics_of(extension, followed.keys):
                self.publisher.republish(topic)

    def _topics_of(self, extension: str, keys: Iterable[str]) -> list[str]:
        """Return the topics of the states of a phone with some keys."""
        states = (self._topics.state(extension, name) for name in (*keys, MESSAGES))
        return [self._topics.availability(extension), *states]

    def _clear_obsolete(self) -> None:
        """Clear the topics that are no longer part of the setup."""
        wanted = self._wanted()
        obsolete = [topic for topic in self.publisher.known if topic not in wanted]
        # Announcements first: a subscriber to a state should not read "".
        for topic in sorted(
            obsolete, key=lambda topic: topic not in self.announcements
        ):
            if self._is_foreign(topic):
                self.publisher.forget(topic)
            else:
                self.publisher.clear(topic)

    def _wanted(self) -> set[str]:
        """Return all topics with a state in the current setup."""
        if self._setup is None:
            return set()
        wanted = {self._topics.status}
        for extension, phone in self._server.phones.items():
            wanted.update(self._topics_of(extension, phone.keys))
        wanted.update(self.announcements.topics)
        return wanted

    # The connection

    def connection_lost(self) -> None:
        """Await new confirmations of the subscriptions."""
        self._confirmed.clear()
        self.publisher.connection_lost()
        self._publish_status()

    def connection_changed(self) -> None:
        """Publish everything again if there is a connection.

        To be called after the client has repeated what was not acknowledged: an older
        state must not follow the newest.
        """
        if not self.is_stopped:
            self.announcements.announce_all()
            self.publisher.connection_changed()

    def client_leaves(self) -> Message | None:
        """Drop the subscriptions, which the next client will not have.

        Return the last message that the client should publish, None without a setup.
        """
        self._unsubscribe()
        if self._setup is None:
            return None
        return Message(self._topics.status, OFFLINE, retain=True)

    async def _subscribe(self) -> None:
        """Subscribe to commands and births, once the client is ready."""
        setup = self._setup
        if setup is None or self._subscribed or not self._client.is_ready:
            return
        if setup.commands:
            for topic in self._topics.commands:
                confirmed = partial(self._confirm, self._confirmed, topic)
                self._subscribed.append(
                    await self._client.subscribe(topic, 1, self._command, confirmed)
                )
        if setup.discovery and not setup.retained:
            self._subscribed.append(
                await self._client.subscribe(
                    f"{setup.prefix}/status", 0, self.announcements.born
                )
            )

    def _unsubscribe(self) -> None:
        for unsubscribe in self._subscribed:
            unsubscribe()
        self._subscribed = []
        self._confirmed = set()
        self._publish_status()

    def _confirm(self, confirmed: set[str], topic: str) -> None:
        """Record that the broker sends commands on a topic from now on.

        A client may call this late: if the connection is gone or the subscription has
        changed, `confirmed` no longer counts.
        """
        if confirmed is self._confirmed and self._client.is_connected:
            confirmed.add(topic)
            self._publish_status()

    # States and events

    def _publish_status(self) -> None:
        """Publish that the server is online, once no command would be lost."""
        if (setup := self._setup) is None:
            return
        if not setup.commands or self._confirmed.issuperset(self._topics.commands):
            self.publisher.keep(self._topics.status, ONLINE)
        else:
            self.publisher.suspend(self._topics.status)

    def _follow(self) -> None:
        """Publish the state of all phones and keys, and their changes from now on."""
        if self._setup is None:
            return
        follow = self._followed.callback
        follow(self._server.pressed.subscribe(self._pressed))
        follow(self._server.dialled.subscribe(self._dialled))
        for phone in self._server.phones.values():
            self._follow_phone(phone)

    def _follow_phone(self, phone: Phone, *, is_published: bool = False) -> None:
        settled = Timer()
        if not is_published:
            self._publish_availability(phone, later=True)
            if phone.available and not phone.in_sync:
                settled.set_in(SETTLED, partial(self._publish_all_keys, phone))
            else:
                self._publish_all_keys(phone)
        follow: list[Callable[[], None]] = [
            settled.cancel,
            phone.status.subscribe(partial(self._status_changed, phone, settled)),
            phone.taken.subscribe(partial(self._publish_taken, phone, settled)),
            phone.messages.subscribe(partial(self._publish_keys, phone, (MESSAGES,))),
            phone.shown.subscribe(lambda name: self._publish_keys(phone, (name,))),
        ]
        self._phones[phone.extension] = _FollowedPhone(tuple(phone.keys), follow)

    def _unfollow(self) -> None:
        self._followed.close()
        for followed in self._phones.values():
            followed.unfollow()
        self._phones.clear()

    def _status_changed(self, phone: Phone, settled: Timer, _: None = None) -> None:
        """Publish whether a phone is available, and soon whether its keys are in sync.

        A phone that registers gets all keys again, and has taken them at once.
        """
        if phone.available:
            self._publish_availability(phone)
            if not settled.is_set:
                settled.set_in(SETTLED, partial(self._publish_all_keys, phone))
        else:
            settled.cancel()
            self._publish_phone(phone)

    def _publish_phone(self, phone: Phone) -> None:
        """Publish whether a phone is available, and whether its keys are in sync."""
        self._publish_availability(phone)
        self._publish_all_keys(phone)

    def _publish_all_keys(self, phone: Phone) -> None:
        self._publish_keys(phone, (*phone.keys, MESSAGES), later=True)

    def _publish_availability(self, phone: Phone, *, later: bool = False) -> None:
        if phone.is_followed:  # unknown before the server has started
            self._keep(
                phone.extension,
                self._topics.availability(phone.extension),
                ONLINE if phone.available else OFFLINE,
                later=later,
            )

    def _publish_taken(
        self, phone: Phone, settled: Timer, names: Iterable[str]
    ) -> None:
        """Publish that keys are in sync, which is less urgent than what they show."""
        if not settled.is_set:  # then all keys are published soon
            self._publish_keys(phone, names, later=True)

    def _publish_keys(
        self,
        phone: Phone,
        names: Iterable[str],
        _: object = None,
        *,
        later: bool = False,
    ) -> None:
        """Publish the state of those of the named keys that are configured."""
        for name in names:
            if name == MESSAGES:
                payload = messages_payload(phone.waiting, in_sync=phone.has_taken(name))
            elif key := phone.keys.get(name):
                payload = state_payload(key, in_sync=phone.has_taken(name))
            else:
                continue
            topic = self._topics.state(phone.extension, name)
            self._keep(phone.extension, topic, payload, later=later)

    def _keep(self, extension: str, topic: str, payload: str, *, later: bool) -> None:
        if payload != self.publisher.state_of(topic):
            self._changing(extension)
            self.publisher.keep(topic, payload, later=later)

    def _pressed(self, press: KeyPress) -> None:
        topic = self._topics.event(press.extension, press.key)
        self.publisher.publish_event(topic, press_payload(press), press.taken)

    def _dialled(self, dialled: Dialled) -> None:
        topic = self._topics.dialled(dialled.extension)
        self.publisher.publish_event(topic, dialled_payload(dialled), dialled.taken)

    # Commands

    def _command(self, message: Received) -> None:
        """Apply a command, or publish why it is refused."""
        if not message.payload:  # clears a retained command
            return
        try:
            self._apply(message)
        except Refused as refused:
            self.refused += 1
            self.publisher.publish_error(
                self._topics.error, error_payload(message.topic, self._explain(refused))
            )

    def _apply(self, message: Received) -> None:
        """Apply a command. Raises Refused."""
        extension, key = self._topics.addressee(message.topic)
        if self._is_elsewhere(extension):
            return
        self.commands += 1
        if message.retain:
            raise Refused("retained_command")
        if message.topic != (topic := self._topics.set(extension, key)):
            # An access rule of the broker for one spelling does not hold for the other.
            raise Refused(
                "other_spelling", value=quoted(message.topic), allowed=quoted(topic)
            )
        phone = self._server.phones.get(extension)
        if phone is None:
            raise Refused(
                "unknown_phone",
                value=quoted(extension),
                allowed=_listed(self._server.phones),
            )
        if key is None:
            send_document(phone, message.payload)
        elif key == MESSAGES:
            set_messages(phone, message.payload)
        else:
            set_key(phone, key, message.payload)


def _listed(phones: Collection[str]) -> str:
    """Return extensions as a text, cut after MAX_LISTED."""
    listed = ", ".join(islice(phones, MAX_LISTED))
    return listed if len(phones) <= MAX_LISTED else f"{listed}, …"


def _digest(topics: Iterable[str], states: Mapping[str, str | None]) -> str:
    """Return a digest of the states of topics, in their order."""
    lines = "\n".join(f"{topic} {states[topic]}" for topic in topics)
    return blake2b(lines.encode(), digest_size=16).hexdigest()
