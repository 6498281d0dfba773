"""The state of phones and lines, which is what the broker retains of them.

docs/decisions/0023 says why there is no file.
"""

import asyncio
from collections.abc import Callable, Iterable
import logging
from typing import Any, Final, TypeIs

from snom_buttons.mqtt import MqttPublisher, Received, Topics
from snom_buttons.phones import MESSAGES, Change, Dialled, KeyPress, PhoneServer

from .client import BridgeClient
from .seal import Broken, Seal

_LOGGER = logging.getLogger(__name__)

SOON: Final = 0.1
"""Seconds after a change in which further ones of a phone are published with it."""
LATER: Final = 1.0
"""The same for a change of nothing but a label: a template may write ten a second."""
REGISTERED: Final = ("bindings", "subscriptions", "proof")
"""What a phone has registered, and the proof of its password. Not restored of a phone that
has registered with this bridge already."""


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
        announced_of: Callable[[str], dict[str, Any]] = lambda _: {},
        recall_announced: Callable[[str, object], list[str]] = lambda *_: [],
    ) -> None:
        """Create it without phones.

        `publisher` is that of the events. `bridge` is the name of this bridge and
        `epoch_of` returns the epoch of its claim to a phone. `heard` gets what other
        bridges publish: phone, bridge, epoch and snapshot. `announced_of` and
        `recall_announced` are those of MqttFollower.
        """
        self._client = client
        self._publisher = publisher
        self._server = server
        self._topics = topics
        self._seal = seal
        self._bridge = bridge
        self._epoch_of = epoch_of
        self._heard = heard
        self._announced_of = announced_of
        self._recall_announced = recall_announced
        self._phones: set[str] = set()
        self._copies: dict[str, bytes] = {}
        """The newest of each phone that is not ours; its seal is right."""
        self._due: dict[str, asyncio.TimerHandle] = {}
        self._lines_due = False
        self._has_lines = False
        """Whether the lines are published by this."""
        self._followed: list[Callable[[], None]] = []

    # Publishing

    def start(self, *, lines: bool = True) -> None:
        """Publish the changes of phones that are added, and of `lines`."""
        server = self._server
        self._has_lines = lines
        self._followed = [
            server.changed.subscribe(self._changed),
            # Before MqttFollower publishes the event.
            server.pressed.subscribe(self._happened, first=True),
            server.dialled.subscribe(self._happened, first=True),
        ]
        if lines:
            self.write_lines()

    def stop(self) -> None:
        """Publish what has changed, and nothing from now on."""
        for unsubscribe in self._followed:
            unsubscribe()
        self._followed.clear()
        for extension in [*self._due]:
            self.write(extension)
        if self._lines_due:
            self.write_lines()

    def add_phone(self, extension: str) -> None:
        """Publish what is stored of a phone, now and after each change."""
        self._phones.add(extension)
        self._copies.pop(extension, None)
        self.write(extension, later=True)

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

    def is_due(self, extension: str) -> bool:
        """Return whether a phone has changed since it was handed to the client."""
        topic = self._topics.stored(extension)
        return extension in self._due or self._publisher.is_due(topic)

    def write_again(self, extension: str) -> None:
        """Publish a phone once more: another bridge has published it."""
        self.write(extension)
        self._publisher.republish(self._topics.stored(extension))

    def _part_with(self, extension: str) -> str:
        """Keep a copy of what was published last of a phone; return its topic."""
        self._phones.discard(extension)
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
        topic = self._topics.stored(extension)
        fields = {
            "epoch": self._epoch_of(extension),
            "bridge": self._bridge,
            "keys": [*self._server.phones[extension].keys],
            "phone": self._server.phone_snapshot(extension),
        }
        if announced := self._announced_of(extension):
            fields["announced"] = announced
        payload = self._seal.write(topic, fields)
        self._publisher.keep(topic, payload, first=first, later=later)

    def write_lines(self, *, first: bool = False) -> None:
        """Publish who holds the shared lines."""
        self._lines_due = False
        for code, saved in self._server.lines_snapshot().items():
            topic = self._topics.line_state(code)
            payload = self._seal.write(topic, saved)
            self._publisher.keep(topic, payload, first=first)

    def remove_line(self, code: str) -> None:
        """Clear the topic of a line that is no more."""
        self._publisher.clear(self._topics.line_state(code))

    def repeat(self) -> None:
        """Publish all phones once more, for a bridge that has not heard of them."""
        for extension in self._phones:
            self._publisher.republish(self._topics.stored(extension))

    def _changed(self, change: Change) -> None:
        extension = change.extension
        if extension is None:
            if self._has_lines and not self._lines_due:
                self._lines_due = True
                asyncio.get_running_loop().call_later(SOON, self._write_lines)
        elif extension in self._phones:
            loop = asyncio.get_running_loop()
            at = loop.time() + (LATER if change.only_label else SOON)
            due = self._due.get(extension)
            if due is None or due.when() > at:
                if due is not None:
                    due.cancel()
                self._due[extension] = loop.call_at(at, self.write, extension)

    def _write_lines(self) -> None:
        if self._lines_due and self._followed:
            self.write_lines()

    def _happened(self, event: KeyPress | Dialled) -> None:
        """Publish what a press has changed before the press.

        That it was answered is published after the answer, once more: stored before its
        event, a press could be answered that was never published (docs/decisions/0023).
        """
        if event.extension in self._due:
            self.write(event.extension, first=True)
        if self._lines_due:
            self.write_lines(first=True)

    # Reading

    async def read(self, phones: Iterable[str]) -> None:
        """Read what is retained of phones that are not ours. Raises ConnectionError."""
        topics = {self._topics.stored(it): it for it in phones}
        found = await self._client.read(topics)
        for topic, payload in found.items():
            self._store(topics[topic], topic, payload)

    async def follow_others(self) -> Callable[[], None]:
        """Follow what other bridges publish of their phones; return what ends it."""
        topic = f"{self._topics.base}/+/stored"
        return await self._client.subscribe(topic, 1, self._received)

    def copy_of(self, extension: str) -> dict[str, Any] | None:
        """Return the `phone_snapshot` that is retained of a phone, None without one."""
        fields = self._fields_of(extension)
        return None if fields is None else fields["phone"]

    def recall(self, extension: str) -> list[str]:
        """Recall how a phone was announced; return the topics of its announcements."""
        announced = (self._fields_of(extension) or {}).get("announced", {})
        return self._recall_announced(extension, announced)

    def _fields_of(self, extension: str) -> dict[str, Any] | None:
        payload = self._copies.get(extension)
        if payload is None:
            return None
        fields = self._read(self._topics.stored(extension), payload)
        if fields is None:
            del self._copies[extension]
        return fields

    def _read(self, topic: str, payload: bytes) -> dict[str, Any] | None:
        try:
            return _checked(self._seal.read(topic, payload))
        except Broken as error:
            _report(topic, error)
            return None

    def _received(self, message: Received) -> None:
        extension = self._topics.phone_of(message.topic)
        if extension is None:
            return
        if extension not in self._phones:
            self._store(extension, message.topic, message.payload)
            fields = self._fields_of(extension)
        elif not message.payload:
            return
        else:
            fields = self._read(message.topic, message.payload)
        if fields is not None and fields["bridge"] != self._bridge:
            self._heard(extension, fields["bridge"], fields["epoch"], fields["phone"])

    def _store(self, extension: str, topic: str, payload: bytes) -> None:
        """Keep a copy; a broken one is reported, and changes nothing."""
        if not payload:
            self._copies.pop(extension, None)
            return
        try:
            self._seal.check(topic, payload)
        except Broken as error:
            _report(topic, error)
        else:
            self._copies[extension] = payload

    # A bridge that is alone

    async def restore(self) -> None:
        """Restore phones and lines of the server, and publish them from now on.

        To be called once, before or after the start of the server. Raises
        ConnectionError; then nothing is changed.
        """
        server = self._server
        phones = [*server.phones]
        lines = {self._topics.line_state(code): code for code in server.lines}
        index = self._topics.index
        await self.read(phones)
        found = await self._client.read([*lines, index])
        gone = self._phones_gone(found.pop(index, b""))
        await self.read(gone)
        for extension in phones:
            if extension not in server.phones:  # removed by a reload meanwhile
                continue
            saved = self.copy_of(extension)
            if saved is not None:
                self._restore_phone(extension, saved)
            await asyncio.sleep(0)  # between phones, others have their turn
        server.restore_lines(
            {
                lines[topic]: saved
                for topic, payload in found.items()
                if not server.lines[lines[topic]].seized
                and (saved := self._line(topic, payload)) is not None
            }
        )
        self.clear(gone)

    def _restore_phone(self, extension: str, saved: dict[str, Any]) -> None:
        """Restore a phone, of one that has registered meanwhile only what it shows."""
        phone = self._server.phones[extension]
        for name in self._keys_of(extension) - phone.keys.keys():
            self._publisher.clear(self._topics.state(extension, name))
        self.recall(extension)
        if phone.registrations:
            saved = {name: it for name, it in saved.items() if name not in REGISTERED}
        self._server.restore_phone(extension, saved)

    def _keys_of(self, extension: str) -> set[str]:
        """Return the names of the keys of a phone that had topics when it was stored."""
        fields = self._fields_of(extension) or {}
        names = fields.get("keys")
        return {*filter(_is_text, names)} if isinstance(names, list) else set()

    def _line(self, topic: str, payload: bytes) -> dict[str, Any] | None:
        try:
            fields = self._seal.read(topic, payload)
        except Broken as error:
            _report(topic, error)
            return None
        return {name: fields.get(name) for name in ("seized", "phone")}

    def write_index(self) -> None:
        """Publish which phones have topics, for the next start."""
        topic = self._topics.index
        fields = {"phones": sorted(self._server.phones)}
        self._publisher.keep(topic, self._seal.write(topic, fields))

    def _phones_gone(self, payload: bytes) -> list[str]:
        """Return the phones of an index that are no more."""
        if not payload:
            return []
        topic = self._topics.index
        try:
            phones = self._seal.read(topic, payload).get("phones")
        except Broken as error:
            _report(topic, error)
            return []
        names = filter(_is_text, phones if isinstance(phones, list) else [])
        return [name for name in names if name not in self._server.phones]

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


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of what is stored of a phone. Raises Broken."""
    match fields:
        case {"epoch": int(), "bridge": str(), "phone": dict()}:
            return fields
    raise Broken("it has other fields")


def _is_text(value: object) -> TypeIs[str]:
    """Return whether a value of a payload is a text."""
    return isinstance(value, str)


def _report(topic: str, error: Broken) -> None:
    _LOGGER.warning("What is retained on %s is ignored: %s", topic, error)
