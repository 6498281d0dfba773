"""A bridge: a phone server, and what follows it, on an MQTT broker."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from hashlib import sha256
import logging
from typing import Any, Final, Protocol

from snom_buttons.mqtt import MqttFollower, Topics
from snom_buttons.phones import PhoneServer

from .alone import Alone
from .client import BridgeClient
from .member import Member
from .seal import Seal
from .settings import Settings
from .stored import Stored
from .texts import explain

_LOGGER = logging.getLogger(__name__)

RESTORING: Final = 10.0
"""Seconds without a broker after which the ports are opened all the same."""
RESTORE_AGAIN: Final = 1.0
"""Seconds after which the broker is read again."""
PHONE_IDS: Final = "snom_bridge_"
"""How the IDs begin under which phones are announced."""


class Follower(Protocol):
    """What follows the server of a bridge."""

    async def start(self) -> None:
        """Begin, before the ports are open."""

    async def update(self, settings: Settings) -> None:
        """Apply settings that the server has already."""

    async def stop(self) -> None:
        """End, after the ports are closed and before the client disconnects."""


class Bridge:
    """One running bridge. All calls are made in one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Create a bridge that is not started."""
        self.settings = settings
        contexts = settings.contexts
        base, name = settings.mqtt.setup.base, settings.mqtt.setup.member
        topics = Topics(base, name)
        seal = Seal(settings.secret, base)
        self.client = BridgeClient(settings.mqtt, topics.status, contexts.broker)
        member = None
        if name is not None:
            repeats = settings.mqtt.is_retained_by_node
            member = Member(name, self.client, topics, repeats=repeats)
            self.client.of_others = frozenset((topics.all_stored,))
            self.client.read_by_name = self.client.of_others | {
                topics.all_claims,
                topics.all_line_states,
            }
        self.member = member
        """What the bridge is in a cluster, None if it is alone."""
        self.server = PhoneServer(
            settings.server,
            asyncio.get_running_loop().time,
            contexts.server,
            elsewhere=lambda it: self.settings.phones.get(it) if member else None,
            adopt=member.adopt if member else lambda _: None,
            healthy=lambda: member is None or member.takes,
            prove=seal.prove,
            takes=lambda: self.takes,
            was_published=member.was_published if member else lambda _: False,
        )
        self.server.edge_context = contexts.edge
        self.mqtt = MqttFollower(
            member.gate if member else self.client,
            self.server,
            explain=explain,
            phone_ids=PHONE_IDS,
            phone_id=lambda extension: phone_id(base, extension),
            is_foreign=lambda _: False,
            left_behind_changed=lambda: None,
            save=_save,
            is_elsewhere=member.claims.is_elsewhere if member else lambda _: False,
            changing=self._changing,
        )
        self.stored = Stored(
            self.client,
            self.mqtt.publisher,
            self.server,
            topics,
            seal,
            bridge=name or "",
            epoch_of=lambda it: member.claims.of(it).epoch if member else 0,
            heard=member.heard if member else lambda *_: None,
            is_awaited=member.stored if member else lambda *_: True,
            announced_of=self.mqtt.announcements.saved_of,
            published_of=(
                self.mqtt.digest_of
                if member and not settings.mqtt.is_retained_by_node
                else None
            ),
            recall_announced=self.mqtt.announcements.recall_phone,
        )
        self.alone: Alone | None = None
        """What the bridge does without others, None in a cluster."""
        if member is None:
            self.alone = Alone(
                self.client,
                self.mqtt.publisher,
                self.server,
                self.stored,
                topics=topics,
                seal=seal,
            )
        self.is_restored = False
        """Whether what the broker retains is known, and presses are published."""
        self._topics = topics
        self._restoring: asyncio.Task[None] | None = None
        """What reads from the broker before this bridge acts."""
        self._said = ""
        """Why it has not read yet."""
        self.followers: list[Follower] = []
        """Further followers, which are started in this order and stopped in reverse."""
        self._updating = asyncio.Lock()
        self._unfollow = self.client.changed.subscribe(self._connection_changed)

    @property
    def takes(self) -> bool:
        """Whether the broker is there, so that presses can be published."""
        if self.member is not None:
            return self.member.takes
        return self.is_restored and self.client.is_connected

    async def start(self) -> None:
        """Add the phones, restore them, and open the ports. Raises CannotListen.

        Without a broker the ports are opened after RESTORING seconds. What it retains is
        restored once it is there, and nothing is published before.
        """
        await self._apply(self.settings)
        if self.member is not None:
            await self._join(self.member)
        self.client.start()
        if not self.settings.secret:
            _LOGGER.warning(
                "There is no secret in the settings: after a restart of the bridge, phones"
                " get no lamps until they register again, and what the broker retains is"
                " not sealed"
            )
        if self.alone is not None:
            self._restore_by(self._restore(self.alone))
        while self._restoring is not None and not self._restoring.done():
            await asyncio.wait((self._restoring,), timeout=RESTORING)
            if not self.client.is_connected:
                _LOGGER.warning("Started without what the broker retains")
                break
        for follower in self.followers:
            await follower.start()
        await self.server.start()

    async def stop(self) -> None:
        """Close the ports, publish that the bridge is offline, and disconnect."""
        if self._restoring is not None:
            self._restoring.cancel()
            await asyncio.gather(self._restoring, return_exceptions=True)
        async with self._updating:
            await self.server.stop()
            for follower in reversed(self.followers):
                await follower.stop()
            if self.is_restored:
                self.stored.stop()
                if self.alone is not None:
                    self.alone.stop()
            self._unfollow()  # a member that has ended would begin again
            if self.member is not None:
                await self.member.stop()
            await self.mqtt.stop()
            await self.client.stop()

    async def reload(self, settings: Settings) -> Sequence[str]:
        """Apply other phones and lines; return the sections that need a restart.

        Phones and lines without a change are left alone. Certificates are read anew.
        """
        async with self._updating:
            ignored = settings.needs_restart(self.settings)
            contexts = settings.contexts
            if "certificate" not in ignored and contexts.server is not None:
                self.server.renew(contexts.server, contexts.edge)
            if "mqtt" not in ignored:
                self.client.context = contexts.broker
            self.settings = settings = replace(
                self.settings,
                phones=settings.phones,
                lines=settings.lines,
                own=settings.own,
                contexts=contexts,
            )
            await self._apply(settings)
            if self.member is not None:
                self.member.update(settings.phones)
            elif self.alone is not None and self.is_restored:
                self.alone.write_index()
            for follower in self.followers:
                await follower.update(settings)
            return ignored

    def _changing(self, extension: str) -> None:
        self.stored.changing(extension)

    async def _join(self, member: Member) -> None:
        """Become a member of the cluster: phones come when they are claimed."""
        await self.mqtt.update(self.settings.mqtt.setup)
        self.stored.start()
        self.is_restored = True
        await self.stored.follow_others()
        await member.start(self.server, self.mqtt, self.stored, self.settings.phones)

    async def _read(self, member: Member) -> None:
        """Read claims, lines and what is stored; let the member join then.

        What is read comes to those that have subscribed to it.
        """
        topics, settings = self._topics, self.settings
        names = [topics.line_state(code) for code in settings.lines]
        for extension in settings.phones:
            names += (topics.claim(extension), topics.stored(extension))
        while self.client.is_connected:
            try:
                await self.client.read(names)
            except ConnectionError as error:
                self._not_yet(f"Claims are not read yet: {error}")
                await asyncio.sleep(RESTORE_AGAIN)
            else:
                member.connection_changed(connected=True)
                return

    async def _restore(self, alone: Alone) -> None:
        """Restore what the broker retains, as soon as it is there; publish from then on."""
        connected = asyncio.Event()
        unsubscribe = self.client.changed.subscribe(
            lambda is_there: connected.set() if is_there else None
        )
        while not self.is_restored:
            if not self.client.is_connected:
                connected.clear()
                await connected.wait()
            try:
                async with self._updating:  # a reload waits, so that no topic is left
                    await self._restore_now(alone)
            except ConnectionError as error:
                self._not_yet(f"Nothing is restored yet: {error}")
                await asyncio.sleep(RESTORE_AGAIN)
        unsubscribe()

    async def _restore_now(self, alone: Alone) -> None:
        """Restore what the broker retains. Raises ConnectionError."""
        await alone.restore()
        await self.mqtt.update(self.settings.mqtt.setup)
        alone.start()
        self.stored.start()
        self.is_restored = True
        for extension in [*self.server.phones]:
            self.stored.add_phone(extension)
            await asyncio.sleep(0)  # between phones, others have their turn
        alone.write_index()

    def _not_yet(self, text: str) -> None:
        """Log why nothing is read, unless that was so a moment ago."""
        if text != self._said:
            _LOGGER.warning(text)
        self._said = text

    def _restore_by(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._said = ""
        self._restoring = asyncio.create_task(coroutine)
        self._restoring.add_done_callback(_report)

    def _connection_changed(self, connected: bool) -> None:
        if self.member is not None and connected:
            self._restore_by(self._read(self.member))
        elif self.member is not None:
            if self._restoring is not None:
                self._restoring.cancel()
            self.member.connection_changed(connected)
        elif connected:
            self.mqtt.connection_changed()
        if not connected:
            self.stored.connection_lost()
            self.mqtt.connection_lost()

    async def _apply(self, settings: Settings) -> None:
        """Add, configure and remove lines and phones."""
        server = self.server
        # Lines first: a key that leaves one is free before its phone configures it.
        for code in server.lines.keys() - settings.lines.keys():
            server.remove_line(code)
            # Others may still have it, and its home has published this.
            if self.member is None or self.member.claims.is_alone:
                self.mqtt.publisher.clear(self._topics.line_state(code))
        for code, line in settings.lines.items():
            if code not in server.lines:
                server.add_line(code, line)
            elif server.lines[code].setup != line:
                server.lines[code].configure(line)
        # In a cluster phones are added and removed as they are claimed and given up.
        is_alone = self.member is None
        if is_alone:
            for extension in server.phones.keys() - settings.phones.keys():
                server.remove_phone(extension)
                self.mqtt.remove_phone(extension)
                self.stored.remove_phone(extension)
        for extension, phone in settings.phones.items():
            if extension not in server.phones:
                if not is_alone:
                    continue
                server.add_phone(phone)
            elif server.phones[extension].setup != phone:
                server.configure_phone(phone)
            else:
                continue
            if self.is_restored:
                self.mqtt.add_phone(extension)
                self.stored.add_phone(extension)
            await asyncio.sleep(0)  # between phones, others have their turn


def phone_id(base: str, extension: str) -> str:
    """Return the name, unique on the broker, under which a phone is announced."""
    return PHONE_IDS + sha256(f"{base}/{extension}".encode()).hexdigest()[:16]


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _LOGGER.error("What the broker retains is not restored", exc_info=error)


async def _save() -> None:
    """Store nothing: what is retained on the broker is the state."""
