"""A bridge without others: it restores all phones at its start, and publishes the lines.

Of several bridges each takes phones one by one (`cluster`), and each line has a home
(`lines`).
"""

import asyncio
from collections.abc import Callable
from typing import Any

from snom_buttons.mqtt import MqttPublisher, Topics
from snom_buttons.phones import Change, Dialled, KeyPress, PhoneServer

from .client import BridgeClient
from .seal import Seal
from .stored import REGISTERED, SOON, Stored, follow, names_in


class Alone:
    """Restores the phones and lines of a server, and publishes its lines."""

    def __init__(
        self,
        client: BridgeClient,
        publisher: MqttPublisher,
        server: PhoneServer,
        stored: Stored,
        *,
        topics: Topics,
        seal: Seal,
    ) -> None:
        """Create it, with what is `stored` of the phones; `publisher` is that of events."""
        self._client = client
        self._publisher = publisher
        self._server = server
        self._topics = topics
        self._seal = seal
        self._stored = stored
        self._lines_due = False
        self._followed: list[Callable[[], None]] = []

    def start(self) -> None:
        """Publish the lines, and their changes from now on."""
        self._followed = follow(self._server, self._changed, self._happened)
        self._write_lines()

    def stop(self) -> None:
        """Publish the lines if they have changed, and nothing from now on."""
        for unsubscribe in self._followed:
            unsubscribe()
        self._followed.clear()
        self._write_due()

    async def restore(self) -> None:
        """Restore the phones and lines; clear the topics of phones that are no more.

        To be called once, before or after the start of the server. Raises
        ConnectionError; then nothing is changed.
        """
        server = self._server
        phones = [*server.phones]
        lines = {self._topics.line_state(code): code for code in server.lines}
        index = self._topics.index
        await self._stored.read(phones)
        found = await self._client.read([*lines, index])
        gone = self._phones_gone(found.pop(index, b""))
        await self._stored.read(gone)
        for extension in phones:
            if extension not in server.phones:  # removed by a reload meanwhile
                continue
            saved = self._stored.copy_of(extension)
            if saved is not None:
                self._restore_phone(extension, saved)
            await asyncio.sleep(0)  # between phones, others have their turn
        server.restore_lines(
            {
                lines[topic]: {name: saved.get(name) for name in ("seized", "phone")}
                for topic, payload in found.items()
                if not server.lines[lines[topic]].seized
                and (saved := self._seal.read_or_report(topic, payload)) is not None
            }
        )
        self._stored.clear(gone)

    def write_index(self) -> None:
        """Publish which phones have topics, for the next start."""
        topic = self._topics.index
        fields = {"phones": sorted(self._server.phones)}
        self._publisher.keep(topic, self._seal.write(topic, fields))

    def _restore_phone(self, extension: str, saved: dict[str, Any]) -> None:
        """Restore a phone, of one that has registered meanwhile only what it shows."""
        self._stored.recall(extension)
        if self._server.phones[extension].registrations:
            saved = {name: it for name, it in saved.items() if name not in REGISTERED}
        self._server.restore_phone(extension, saved)

    def _phones_gone(self, index: bytes) -> list[str]:
        """Return the phones of an index that are no more."""
        fields = self._seal.read_or_report(self._topics.index, index) if index else None
        phones = names_in((fields or {}).get("phones"))
        return [it for it in phones if it not in self._server.phones]

    def _changed(self, change: Change) -> None:
        if change.extension is None and not self._lines_due:
            self._lines_due = True
            asyncio.get_running_loop().call_later(SOON, self._write_due)

    def _happened(self, _: KeyPress | Dialled) -> None:
        """Publish what a press has changed before the press."""
        if self._lines_due:
            self._write_lines(first=True)

    def _write_due(self) -> None:
        if self._lines_due:
            self._write_lines()

    def _write_lines(self, *, first: bool = False) -> None:
        """Publish who holds the shared lines."""
        self._lines_due = False
        for code, saved in self._server.lines_snapshot().items():
            topic = self._topics.line_state(code)
            payload = self._seal.write(topic, saved)
            self._publisher.keep(topic, payload, first=first)
