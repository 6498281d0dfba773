"""Publishes states and events: the newest of each state, and fresh events.

Without a connection the newest state of each topic waits, and events expire: a press
that arrives late must not open a door.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
import logging
from typing import Final

from ..phones import MAX_AGE
from .client import CannotPublish, Client, Message

_LOGGER = logging.getLogger(__name__)

MAX_EVENTS: Final = 30_000
"""The most events that wait; beyond that the oldest are dropped.

A thousand a second for MAX_AGE, which is more than phones press; some 15 MB.
"""
MAX_ERRORS: Final = 100
"""The most errors that wait: a flood of commands can cause a flood of errors."""
WINDOW: Final = 20
"""Messages without an acknowledgement: as many as paho sends at once."""
LATER_WINDOW: Final = WINDOW // 2
"""As many of these may be there when a state is sent that was to be published later."""
RETRY: Final = 10.0
"""Seconds after which a message that the client did not accept is handed over again."""
STALLED: Final = 2.0
"""Seconds without an acknowledgement after which the broker may be unreachable.

A message that is handed over later may stay in the client until it reconnects.
"""
ACK_TIMEOUT: Final = 10.0
"""Seconds after which a client no longer waits for an acknowledgement.

It then returns as if there had been one. So a message that took as long does not show
that the broker is reachable or has cleared a topic.
"""
CLOSING: Final = 2.0
"""Seconds in which the last messages can be acknowledged."""


type Taken = asyncio.Future[bool]
"""Gets whether the broker has acknowledged an event. It is done before if that no longer
matters, and then the event is dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class UnderWay:
    """A message that the client has and the broker has not acknowledged yet."""

    message: Message
    since: float
    taken: Taken | None = None


@dataclass(slots=True)
class Counts:
    """The number of published and dropped events, for diagnostics."""

    published: int = 0
    dropped: int = 0
    """Too late, too many, or not accepted by the client."""


class MqttPublisher:
    """Publishes with a client.

    A topic with a state is published at once and after each reconnect. The state is
    either kept, that is retained by the broker, or announced to current subscribers.
    Both kinds of topics are `known` until they are cleared, and the broker has
    acknowledged that.
    """

    def __init__(self, client: Client, time: Callable[[], float]) -> None:
        """Create a publisher; `time` is a monotonic clock in seconds."""
        self.counts = Counts()
        self._client = client
        self._time = time
        self._states: dict[str, Message] = {}
        self._others: set[str] = set()
        """The further topics of which the broker or a subscriber may have a state."""
        # Not a dict: its first item, once others before it are gone, is found by a search.
        self._due: OrderedDict[str, None] = OrderedDict()
        self._first: OrderedDict[str, None] = OrderedDict()
        """Those of the due topics that go before all else."""
        self._later: OrderedDict[str, None] = OrderedDict()
        """The topics that go after all else. None of them is due."""
        self._is_held = False
        """Whether these wait for `hold`."""
        self._released: set[str] = set()
        """Those that are another server's once they are published."""
        self._events: deque[tuple[Message, Taken | None]] = deque()
        self._in_hand: UnderWay | None = None
        """The event that the client repeats late, and that may not have reached the
        broker."""
        self._errors: deque[Message] = deque(maxlen=MAX_ERRORS)
        self._under_way: list[UnderWay] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._stalled = False
        self._failing = False
        self._failed: set[str] = set()
        """The topics on which the client has not accepted the last message."""
        self._working = False
        self._retry: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()

    @property
    def known(self) -> list[str]:
        """The topics of which the broker or a subscriber may have a state."""
        return sorted(self._others.union(self._states))

    @property
    def waiting(self) -> int:
        """The number of messages that wait for the broker."""
        self._drop_old()
        states = len(self._due) + len(self._later)
        return states + len(self._events) + len(self._errors)

    def recall(self, known: Iterable[str]) -> None:
        """Add the topics that were known before a restart."""
        self._others.update(it for it in known if it not in self._states)

    def state_of(self, topic: str) -> str | None:
        """Return the state of a topic, None without one."""
        message = self._states.get(topic)
        return None if message is None else message.payload

    def is_due(self, topic: str) -> bool:
        """Return whether the client has not got the state of a topic yet."""
        return topic in self._due or topic in self._later

    def keep(
        self, topic: str, payload: str, *, first: bool = False, later: bool = False
    ) -> None:
        """Publish a state that the broker retains.

        If it is to go `first`, nothing is published before it. If it may go `later`, as
        the broker has it already or soon another one, all else is published before it.
        """
        message = Message(topic, payload, retain=True)
        self._set_state(message, first=first, later=later)

    def announce(self, topic: str, payload: str) -> None:
        """Publish a state to current subscribers, and again after each reconnect."""
        self._set_state(Message(topic, payload))

    def clear(self, topic: str) -> None:
        """Remove the state of a topic: an empty, retained payload is the newest."""
        self._set_state(Message(topic, "", retain=True))

    def assume(self, topic: str, payload: str) -> None:
        """Take a state as published: the broker retains it from another server."""
        self._others.discard(topic)
        self._states[topic] = Message(topic, payload, retain=True)

    def republish(self, topic: str) -> None:
        """Publish the state of a topic once more."""
        if topic in self._states:
            self._make_due(topic)
            self._work()

    def suspend(self, topic: str) -> None:
        """Publish nothing on a topic for now; the broker keeps what it retains there."""
        self._others.add(topic)
        self._states.pop(topic, None)
        for due in (self._due, self._first, self._later):
            due.pop(topic, None)
        self._released.discard(topic)

    def forget(self, topic: str) -> None:
        """Give up a topic, without clearing it: it belongs to another server now."""
        self.suspend(topic)
        self._others.discard(topic)

    def release(self, topic: str) -> None:
        """Publish what is due of a topic, and give it up."""
        if topic in self._due or topic in self._later:
            self._released.add(topic)
        else:
            self.forget(topic)

    def hold(self, is_held: bool) -> None:
        """Publish nothing that may come later, until it `is_held` no more."""
        self._is_held = is_held
        self._work()

    def publish_event(
        self, topic: str, payload: str, taken: Taken | None = None
    ) -> None:
        """Publish an event that happens now, within MAX_AGE or not at all."""
        self._events.append((Message(topic, payload, born=self._time()), taken))
        self._drop_old()
        self._work()

    def publish_error(self, topic: str, payload: str) -> None:
        """Publish an error after all else; only the newest MAX_ERRORS wait."""
        self._errors.append(Message(topic, payload))
        self._work()

    def connection_lost(self) -> None:
        """Take states as due that the broker has not acknowledged: it may not have them.

        Those that were to be released are another server's by now.
        """
        for topic in [*self._released]:
            self.forget(topic)
        for sent in self._under_way:
            if self._states.get(sent.message.topic) is sent.message:
                self._make_due(sent.message.topic)
        self._under_way.clear()

    def connection_changed(self) -> None:
        """Publish all states if there is a connection: the broker may have lost them.

        Those that change meanwhile go first. The client itself repeats what was under way.
        """
        self._under_way.clear()
        self._failed.clear()
        self._stalled = False
        self._repeat_all()
        self._drop_old()
        self._work()

    async def close(
        self,
        timeout: float = CLOSING,  # noqa: ASYNC109
        *,
        wait_for_connection: bool = False,
        last: Message | None = None,
    ) -> None:
        """Publish the states that are due within `timeout` seconds, then end.

        Waiting for a connection depends on calls of `connection_changed`. The state `last`
        is published after all others, within CLOSING seconds more.
        """
        while self._events:
            self._drop()
        self._errors.clear()
        await self._empty(timeout, wait_for_connection=wait_for_connection)
        if last is not None:
            for due in (self._due, self._first, self._later):
                due.clear()
            self.keep(last.topic, last.payload)
            await self._empty(CLOSING, wait_for_connection=wait_for_connection)
        if self._retry is not None:
            self._retry.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _empty(
        self,
        timeout: float,  # noqa: ASYNC109
        *,
        wait_for_connection: bool,
    ) -> None:
        """Wait until the states that are due are published, for at most `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                while (self._due or self._later or self._under_way) and (
                    wait_for_connection or self._client.is_connected
                ):
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            left = len(self._due) + len(self._later)
            _LOGGER.debug("%s topics are not published", left)

    def _set_state(
        self, message: Message, *, first: bool = False, later: bool = False
    ) -> None:
        """Make a message the state of its topic, and publish it unless it was before."""
        topic = message.topic
        self._others.discard(topic)
        self._released.discard(topic)
        before = self._states.get(topic)
        if is_new := before != message:
            # The same text of the topic as in the keys here, not one more.
            topic = topic if before is None else before.topic
            self._states[topic] = message._replace(topic=topic)
        elif topic not in self._due and topic not in self._later:
            return
        if first:
            self._make_due(topic)
            self._first[topic] = None
        elif is_new and not later:
            self._make_due(topic)
        elif topic not in self._due:
            self._later[topic] = None
        self._work()

    def _make_due(self, topic: str) -> None:
        self._due[topic] = None
        self._later.pop(topic, None)

    def _repeat_all(self) -> None:
        """Publish all states once more, after those that are due."""
        self._later |= dict.fromkeys(it for it in self._states if it not in self._due)

    def _drop_old(self) -> None:
        """Drop the events that are too old or too many."""
        if not self._events:  # asked for each message
            return
        oldest = self._time() - MAX_AGE
        while self._events:
            message, taken = self._events[0]
            assert message.born is not None
            is_given_up = taken is not None and taken.done()
            is_late = message.born < oldest or len(self._events) > MAX_EVENTS
            if not is_late and not is_given_up:
                return
            self._drop()

    def _drop(self) -> None:
        """Drop the oldest event."""
        _, taken = self._events.popleft()
        self.counts.dropped += 1
        _end(taken, is_taken=False)

    def _work(self) -> None:
        """Hand over what can be handed over now: events, states, errors."""
        if self._working:  # a message that is sent at once calls this again
            return
        self._working = True
        try:
            while self._client.is_connected and (found := self._next()) is not None:
                message, taken = found
                sent = UnderWay(message, self._time(), taken)
                self._under_way.append(sent)
                if message.born is not None and self._client.repeats_late:
                    self._in_hand = sent
                task = asyncio.create_task(self._send(sent), eager_start=True)
                if not task.done():
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            self._working = False
        if not self._under_way:
            self._idle.set()

    def _next(self) -> tuple[Message, Taken | None] | None:
        """Take the next message out of its queue; None if nothing can be sent now.

        A client that repeats late has one event at a time, over all connections. One
        payload of a topic is under way at a time, so that only the newest of many changes
        follows. While the broker may be unreachable, a single state is under way, which
        does no harm if it is late.
        """
        under_way = self._under_way
        if under_way and self._time() - under_way[0].since > STALLED:
            self._stalled = True
        if under_way and (self._stalled or len(under_way) >= WINDOW):
            return None
        busy = {sent.message.topic for sent in under_way}
        if not self._stalled and not self._first and self._in_hand is None:
            self._drop_old()
            if self._events:
                self.counts.published += 1
                return self._events.popleft()
        for topic in self._first or self._due:
            if topic not in busy:
                return self._take(topic), None
        if self._first:
            return None  # no state goes before them
        if self._stalled:
            # A message that the client did not accept is retried later, not at once.
            probe = None if self._retry else next(iter(self._states.values()), None)
            return None if probe is None else (probe, None)
        if self._errors:
            return self._errors.popleft(), None
        if len(under_way) < LATER_WINDOW and not self._is_held:
            for topic in self._later:
                if topic not in busy:
                    return self._take(topic), None
        return None

    def _take(self, topic: str) -> Message:
        """Take the state of a topic out of its queue."""
        message = self._states[topic]
        if topic in self._released:
            self.forget(topic)
        else:
            for due in (self._due, self._first, self._later):
                due.pop(topic, None)
        return message

    async def _send(self, sent: UnderWay) -> None:
        """Publish a message, then the next."""
        message = sent.message
        is_published = False
        try:
            await self._client.publish(message)
            is_published = True
        except CannotPublish as err:
            if not self._failing and message.topic not in self._failed:
                _LOGGER.warning("Cannot publish on %s: %s", message.topic, err)
            self._failing = True
            self._failed.add(message.topic)
        except Exception:
            _LOGGER.exception("A message on %s could not be published", message.topic)
        finally:
            is_current = sent in self._under_way
            if is_current:
                self._under_way.remove(sent)
            _end(sent.taken, is_taken=is_published)
        is_acknowledged = is_published and (
            self._time() - sent.since < ACK_TIMEOUT
            or (message.born is not None and not self._client.repeats_late)
        )
        if self._in_hand is sent:
            if is_acknowledged or not is_published:
                self._in_hand = None
        elif is_acknowledged and self._in_hand not in self._under_way and is_current:
            # The client repeats old messages before it sends new ones: the broker has
            # the event, too.
            self._in_hand = None
        if message.born is not None and not is_published:
            self.counts.published -= 1
            self.counts.dropped += 1
        elif not is_published and self._states.get(message.topic) is message:
            if self._retry is None:
                loop = asyncio.get_running_loop()
                self._retry = loop.call_later(RETRY, self._try_again)
        if not is_current:  # of a connection that is gone
            self._work()
            return
        if is_published:
            self._failing = False
            self._failed.discard(message.topic)
            # Even if no message has waited for it: the next may be a press.
            self._stalled = not is_acknowledged
            # Not `==`: an equal message that was set later follows another state and is
            # still to be published.
            is_newest = self._states.get(message.topic) is message
            if is_acknowledged and is_newest and not message.payload:
                self.forget(message.topic)
        self._work()

    def _try_again(self) -> None:
        """Hand all states to the client again."""
        self._retry = None
        self._repeat_all()
        self._work()


def _end(taken: Taken | None, *, is_taken: bool) -> None:
    if taken is not None and not taken.done():
        taken.set_result(is_taken)
