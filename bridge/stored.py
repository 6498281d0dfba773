"""The state of phones, which is what the broker retains of them.

docs/decisions/0023 says why there is no file.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import islice
import re
from typing import Any, Final

from snom_buttons.mqtt import MqttPublisher, Received, Topics
from snom_buttons.names import SIP_USER
from snom_buttons.phones import MESSAGES, Change, Dialled, KeyPress, PhoneServer

from .client import BridgeClient
from .kept import after
from .seal import Broken, Seal, report

SOON: Final = 0.1
"""Seconds after a change in which further ones of a phone are published with it."""
LATER: Final = 1.0
"""The same for a change of nothing but a label: a template may write ten a second."""
SETTLED: Final = 10.0
"""Seconds without a change of a phone after which it is stored what is published of it."""
SETTLED_AT_ONCE: Final = 20
"""Phones of which that is stored at once."""
SETTLING: Final = 0.1
"""Seconds from then until it is stored of the next ones."""
REGISTERED: Final = ("bindings", "subscriptions", "proof")
"""What a phone has registered, and the proof of its password. Not restored of a phone that
has registered with this bridge already."""
_COMMANDS: Final = re.compile(
    rb'\{(?:"seal":"[^"]*",)?"commands":"([0-9a-f]*)"', re.ASCII
)


def follow(
    server: PhoneServer,
    changed: Callable[[Change], None],
    happened: Callable[[KeyPress | Dialled], None],
) -> list[Callable[[], None]]:
    """Give changes to `changed`, and events to `happened`; return what ends that.

    An event comes before MqttFollower publishes it.
    """
    return [
        server.changed.subscribe(changed),
        server.pressed.subscribe(happened, first=True),
        server.dialled.subscribe(happened, first=True),
    ]


class Stored:
    """Publishes what is to be restored of phones, and keeps copies of others.

    A phone is `add_phone`ed when it is this bridge's to publish.
    """

    def __init__(
        self,
        client: BridgeClient,
        publisher: MqttPublisher,
        server: PhoneServer,
        topics: Topics,
        seal: Seal,
        *,
        bridge: str = "",
        epoch_of: Callable[[str], int] = lambda _: 0,
        heard: Callable[[str, str, int, Any], None] = lambda *_: None,
        is_awaited: Callable[[str, str, str | None], bool] = lambda *_: True,
        announced_of: Callable[[str], dict[str, Any]] = lambda _: {},
        published_of: Callable[[str], str | None] | None = None,
        recall_announced: Callable[[str, object], list[str]] = lambda *_: [],
    ) -> None:
        """Create it without phones.

        `publisher` is that of the events. `bridge` is the name of this bridge and
        `epoch_of` returns the epoch of its claim to a phone. `heard` gets what other
        bridges publish: phone, bridge, epoch and snapshot; of phones that are not ours
        only if `is_awaited`, which is called for each with the marks of the commands that
        were part of what was stored before, and are now, returns True. `announced_of` and
        `recall_announced` are `saved_of` and `recall_phone` of Announcements, and
        `published_of` is `digest_of` of MqttFollower, without which it is not stored what
        is published.
        """
        self._client = client
        self._publisher = publisher
        self._server = server
        self._topics = topics
        self._seal = seal
        self._bridge = bridge
        self._epoch_of = epoch_of
        self._heard = heard
        self._is_awaited = is_awaited
        self._announced_of = announced_of
        self._published_of = published_of
        self._recall_announced = recall_announced
        self._phones: set[str] = set()
        self._copies: dict[str, bytes] = {}
        """The newest of each phone that is not ours; its seal is right."""
        self._last_read: tuple[bytes, dict[str, Any] | None] = b"", None
        """The copy that was read last, which is asked for several times."""
        self._stale: set[str] = set()
        """Those of which the broker may have lost what is published."""
        self._settled: dict[str, str] = {}
        """What is published of phones, a digest, if that is stored with them: the next
        bridge need not publish it again. It is stored no more before anything changes."""
        self._unsettled: OrderedDict[str, float] = OrderedDict()
        """When to store what is published of the others, the first first."""
        self._settling: asyncio.TimerHandle | None = None
        self._is_settling = False
        """Whether there is a connection on which all is published again."""
        self._outdated: dict[str, str] = {}
        """The phones that were settled when the last connection broke."""
        self._rewritten: set[str] = set()
        """Those of them that are due for nothing else."""
        self._rewriting: asyncio.Task[None] | None = None
        self._commands: dict[str, str] = {}
        """The marks of the commands that are part of what phones show."""
        self._due: dict[str, asyncio.TimerHandle] = {}
        self._followed: list[Callable[[], None]] = []

    # Publishing

    def start(self) -> None:
        """Publish the changes of phones that are added."""
        self._followed = follow(self._server, self._changed, self._happened)

    def stop(self) -> None:
        """Publish what has changed, and nothing from now on."""
        for unsubscribe in self._followed:
            unsubscribe()
        self._followed.clear()
        for extension in [*self._due]:
            self.write(extension)
        self._unsettled.clear()
        if self._settling is not None:
            self._settling.cancel()
        if self._rewriting is not None:
            self._rewriting.cancel()

    def add_phone(self, extension: str, *, is_stored: bool = False) -> None:
        """Publish what is stored of a phone, after each change and, unless it is, now.

        Keys that it had when it was stored, and has no more, are cleared.
        """
        self._phones.add(extension)
        keys = self._server.phones[extension].keys
        for name in self._keys_of(extension) - keys.keys():
            self._publisher.clear(self._topics.state(extension, name))
        fields = self._fields_of(extension) if is_stored else None
        self._commands[extension] = self._commands_of(extension)
        copy = self._copies.pop(extension, b"")
        if fields is not None and self._is_current(extension, fields):
            self._publisher.assume(self._topics.stored(extension), copy.decode())
            self._settled[extension] = fields["published"]
        else:
            self.write(extension, later=True)

    def _is_current(self, extension: str, fields: dict[str, Any]) -> bool:
        """Whether a phone that was restored need not be stored again.

        That of a subscription has to be: the numbers of its next NOTIFY have risen.
        """
        announced = fields.get("announced", {})
        is_announced = announced == self._announced_of(extension)
        return is_announced and not fields["phone"].get("subscriptions")

    def remove_phone(self, extension: str, *, clear: bool = True) -> None:
        """Publish a phone no more; `clear` its topic if no other bridge has it."""
        topic = self._part_with(extension)
        if clear:
            self._copies.pop(extension, None)
            self._publisher.clear(topic)
        else:
            self._publisher.forget(topic)

    def hand_over(self, extension: str) -> None:
        """Publish the last state of a phone for its next bridge, and no more of it."""
        self.write(extension, first=True)
        self._publisher.release(self._part_with(extension))

    def commanded(self, extension: str, message: Received) -> None:
        """Record that a command to a phone is carried out now."""
        if self._topics.addressee(message.topic)[1] is None:
            # Before the first of its keys changes: it would be stored as all of them.
            self.changing(extension)
        self._commands[extension] = after(self._commands_of(extension), message)

    def _commands_of(self, extension: str) -> str:
        """Return the mark of the commands that are part of what a phone shows."""
        if (commands := self._commands.get(extension)) is not None:
            return commands
        return _commands_in(self._copies.get(extension, b"")) or ""

    def is_due(self, extension: str) -> bool:
        """Return whether a phone has changed since it was handed to the client."""
        topic = self._topics.stored(extension)
        is_rewritten = extension in self._rewritten
        is_due = self._publisher.is_due(topic) and not is_rewritten
        return is_due or extension in self._due

    def write_again(self, extension: str) -> None:
        """Publish a phone once more: another bridge has published it."""
        self._settled.pop(extension, None)
        self.write(extension)
        self._publisher.republish(self._topics.stored(extension))

    def _part_with(self, extension: str) -> str:
        """Keep a copy of what was published last of a phone; return its topic."""
        self._phones.discard(extension)
        self._rewritten.discard(extension)
        for those in (self._settled, self._unsettled, self._outdated, self._commands):
            those.pop(extension, None)
        if (due := self._due.pop(extension, None)) is not None:
            due.cancel()
        topic = self._topics.stored(extension)
        if (last := self._publisher.state_of(topic)) is not None:
            self._copies[extension] = last.encode()
        return topic

    def write(
        self, extension: str, *, first: bool = False, later: bool = False
    ) -> None:
        """Publish what is stored of a phone now; `first` and `later` are those of `keep`."""
        if (due := self._due.pop(extension, None)) is not None:
            due.cancel()
        self._rewritten.discard(extension)
        topic = self._topics.stored(extension)
        fields: dict[str, Any] = {}
        if self._bridge:
            fields["commands"] = self._commands_of(extension)  # first: see _commands_in
        fields |= {
            "epoch": self._epoch_of(extension),
            "bridge": self._bridge,
            "keys": [*self._server.phones[extension].keys],
            "phone": self._server.phone_snapshot(extension),
        }
        if announced := self._announced_of(extension):
            fields["announced"] = announced
        if (published := self._settled.get(extension)) is not None:
            fields["published"] = published
        elif extension in self._phones and self._published_of is not None:
            self._settle_later(extension)
        payload = self._seal.write(topic, fields)
        self._publisher.keep(topic, payload, first=first, later=later)

    def changing(self, extension: str) -> None:
        """Store, before something else is published of a phone, that it will be."""
        if self._settled.pop(extension, None) is not None:
            self.write(extension, first=True)

    def connection_lost(self) -> None:
        """Take nothing as published: the broker may not have got it, or lose it."""
        self._is_settling = False
        self._stale = {*self._copies}
        self._outdated |= self._settled
        self._settled.clear()
        if self._outdated and self._rewriting is None:
            self._rewriting = asyncio.create_task(self._rewrite_all())

    def connected(self) -> None:
        """Store all phones before their states are published again."""
        while self._outdated:
            self._rewrite()
        self._rewritten.clear()
        self.repeat()
        self._is_settling = True

    async def _rewrite_all(self) -> None:
        while self._outdated:
            self._rewrite()
            await asyncio.sleep(0)  # between phones, others have their turn
        self._rewriting = None

    def _rewrite(self) -> None:
        extension, _ = self._outdated.popitem()
        is_due = self.is_due(extension)
        self.write(extension)
        if not is_due:
            self._rewritten.add(extension)

    def _settle_later(self, extension: str) -> None:
        loop = asyncio.get_running_loop()
        self._unsettled[extension] = loop.time() + SETTLED
        self._unsettled.move_to_end(extension)
        if self._settling is None:
            self._settling = loop.call_later(SETTLED, self._settle)

    def _settle(self) -> None:
        """Store what is published of the phones that have not changed for a while."""
        assert self._published_of is not None
        loop = asyncio.get_running_loop()
        self._settling = None
        for extension, at in [*islice(self._unsettled.items(), SETTLED_AT_ONCE)]:
            if at > loop.time():
                break
            del self._unsettled[extension]
            is_known = self._is_settling and not self._client.has_refused
            published = self._published_of(extension) if is_known else None
            if published is None:
                self._settle_later(extension)
            else:
                self._settled[extension] = published
                self.write(extension, later=True)
        if self._unsettled:
            at = max(next(iter(self._unsettled.values())), loop.time() + SETTLING)
            self._settling = loop.call_at(at, self._settle)

    def repeat(self) -> None:
        """Publish all phones once more, for a bridge that has not heard of them."""
        for extension in self._phones:
            self._publisher.republish(self._topics.stored(extension))

    def _changed(self, change: Change) -> None:
        extension = change.extension
        if extension is not None and extension in self._phones:
            loop = asyncio.get_running_loop()
            at = loop.time() + (LATER if change.only_label else SOON)
            due = self._due.get(extension)
            if due is None or due.when() > at:
                if due is not None:
                    due.cancel()
                self._due[extension] = loop.call_at(at, self.write, extension)

    def _happened(self, event: KeyPress | Dialled) -> None:
        """Publish what a press has changed before the press.

        That it was answered is published after the answer, once more: stored before its
        event, a press could be answered that was never published (docs/decisions/0023).
        """
        if event.extension in self._due:
            self.write(event.extension, first=True)

    # Reading

    async def read(self, phones: Iterable[str]) -> None:
        """Read what is retained of phones that are not ours. Raises ConnectionError."""
        topics = {self._topics.stored(it): it for it in phones}
        found = await self._client.read(topics)
        for topic, payload in found.items():
            self._store(topics[topic], topic, payload)

    async def follow_others(self) -> None:
        """Follow what other bridges publish of their phones."""
        await self._client.subscribe(self._topics.all_stored, 1, self._received)

    def copy_of(self, extension: str) -> dict[str, Any] | None:
        """Return the `phone_snapshot` that is retained of a phone, None without one."""
        fields = self._fields_of(extension)
        return None if fields is None else fields["phone"]

    def published_of(self, extension: str) -> str | None:
        """Return the digest of what is published of a phone that is not ours, if known."""
        fields = self._fields_of(extension) or {}
        published = fields.get("published")
        is_known = extension not in self._stale and isinstance(published, str)
        return published if is_known else None

    def recall(self, extension: str) -> list[str]:
        """Recall how a phone was announced; return the topics of its announcements."""
        announced = (self._fields_of(extension) or {}).get("announced")
        return self._recall_announced(extension, announced) if announced else []

    def _fields_of(self, extension: str) -> dict[str, Any] | None:
        payload = self._copies.get(extension)
        if payload is None:
            return None
        last, fields = self._last_read
        if payload is not last:
            fields = self._read(self._topics.stored(extension), payload)
            self._last_read = payload, fields
        if fields is None:
            del self._copies[extension]
        return fields

    def _read(self, topic: str, payload: bytes) -> dict[str, Any] | None:
        fields = self._seal.read_or_report(topic, payload)
        match fields:
            case None | {"epoch": int(), "bridge": str(), "phone": dict()}:
                return fields
        report(topic, "it has other fields")
        return None

    def _received(self, message: Received) -> None:
        extension = self._topics.phone_of(message.topic)
        if extension is None:
            return
        if extension not in self._phones:
            before = _commands_in(self._copies.get(extension, b"")) or ""
            is_whole = self._store(extension, message.topic, message.payload)
            now = _commands_in(message.payload)
            if not is_whole or not self._is_awaited(extension, before, now):
                return
            fields = self._fields_of(extension)
        elif not message.payload or self._is_ours(message):
            return
        else:
            fields = self._read(message.topic, message.payload)
        if fields is not None and fields["bridge"] != self._bridge:
            self._heard(extension, fields["bridge"], fields["epoch"], fields["phone"])

    def _is_ours(self, message: Received) -> bool:
        """Whether it is what we have published last, or have taken a phone over from."""
        ours = self._publisher.state_of(message.topic)
        return ours is not None and message.payload == ours.encode()

    def _store(self, extension: str, topic: str, payload: bytes) -> bool:
        """Keep a copy; return whether there is one.

        A broken one is reported, and changes nothing.
        """
        if not payload:
            self._copies.pop(extension, None)
            return False
        try:
            self._seal.check(topic, payload)
        except Broken as error:
            report(topic, error)
            return False
        self._copies[extension] = payload
        self._stale.discard(extension)
        return True

    def _keys_of(self, extension: str) -> set[str]:
        """Return the names of the keys of a phone that had topics when it was stored."""
        names = (self._fields_of(extension) or {}).get("keys")
        return {*names_in(names)}

    def clear(self, gone: Iterable[str]) -> None:
        """Clear all topics of phones that are no more, by what was stored of them last."""
        topics = self._topics
        for extension in gone:
            # First: a subscriber to a state should not read "".
            for topic in self.recall(extension):
                self._publisher.clear(topic)
            for name in (*self._keys_of(extension), MESSAGES):
                self._publisher.clear(topics.state(extension, name))
            self._publisher.clear(topics.availability(extension))
            self.remove_phone(extension)


def _commands_in(payload: bytes) -> str | None:
    """Return the mark of the commands that are part of what is stored, None if it has none.

    Read for each that another bridge stores, so without the rest.
    """
    found = _COMMANDS.match(payload)
    return None if found is None else found[1].decode()


def names_in(value: object) -> list[str]:
    """Return the names of phones or keys in a list of a payload, which may be anything."""
    names = value if isinstance(value, list) else []
    return [it for it in names if isinstance(it, str) and SIP_USER.fullmatch(it)]
