"""Gets to the broker what should be on it: the newest of what stands, fresh news.

While there is no connection, what stands waits, of each topic the newest,
and news grow old: a press that is told too late must not open a door.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
import logging
from typing import Final, NamedTuple

from homeassistant.exceptions import HomeAssistantError

_LOGGER = logging.getLogger(__name__)

MAX_AGE: Final = 30.0
"""Seconds after which news that could not be told are dropped."""
MAX_NEWS: Final = 30_000
"""News that wait at most; beyond that the oldest are dropped.

A thousand a second for MAX_AGE, which is more than phones press; some 15 MB.
"""
MAX_ERRORS: Final = 100
"""Errors that wait at most, for what asks for them can be a flood."""
WINDOW: Final = 20
"""Messages that the broker has yet to acknowledge: as many as paho sends at once."""
RETRY: Final = 10.0
"""Seconds after which what the client did not take is handed to it again."""
STALLED: Final = 2.0
"""Seconds without an acknowledgement after which nobody knows if the broker hears us.

What is handed over from then on may lie in the client until the connection is back.
"""
ACK_TIMEOUT: Final = 10.0
"""Seconds after which Home Assistant's client no longer waits for an acknowledgement.

It then comes back as if there had been one. So what takes as long was none, and does
not show that the broker hears us or has cleared a topic.
"""
CLOSING: Final = 2.0
"""Seconds in which the last messages can be acknowledged."""


class Message(NamedTuple):
    """What to publish, with QoS 1."""

    topic: str
    payload: str
    retain: bool = False
    born: float | None = None
    """When news happened, which are of no use later than MAX_AGE; None for the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class UnderWay:
    """A message that the client has and the broker has yet to acknowledge."""

    message: Message
    since: float


@dataclass(slots=True)
class Counts:
    """What became of news, for diagnostics."""

    told: int = 0
    dropped: int = 0
    """Too late, too many, or not taken by the client."""


class MqttPublisher:
    """Publishes by a client that has the connection.

    `publish` comes back when the broker has the message, at the latest after
    ACK_TIMEOUT; what it hands over, it hands over before it first waits.

    What stands on a topic is published at once and after each reconnect. It is either
    kept, by the broker too, or announced, to those who listen at the moment. Both are
    known until they are cleared and the broker has acknowledged that.
    """

    def __init__(
        self,
        publish: Callable[[Message], Awaitable[None]],
        is_connected: Callable[[], bool],
        time: Callable[[], float],
    ) -> None:
        """Make a publisher; `time` is a clock in seconds that never goes back."""
        self.counts = Counts()
        self._publish = publish
        self._is_connected = is_connected
        self._time = time
        self._known: set[str] = set()
        self._standing: dict[str, Message] = {}
        self._due: dict[str, None] = {}
        self._news: deque[Message] = deque()
        self._in_hand: UnderWay | None = None
        """News that the client has, and of which nobody knows if the broker has them."""
        self._errors: deque[Message] = deque(maxlen=MAX_ERRORS)
        self._under_way: list[UnderWay] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._stalled = False
        self._failing = False
        self._working = False
        self._retry: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()

    @property
    def known(self) -> list[str]:
        """The topics of which the broker or who listens to it may have something."""
        return sorted(self._known)

    @property
    def waiting(self) -> int:
        """How many messages wait for the broker, which they may do for long."""
        self._drop_old()
        return len(self._due) + len(self._news) + len(self._errors)

    def recall(self, known: Iterable[str]) -> None:
        """Take over what was known before a restart."""
        self._known.update(known)

    def keep(self, topic: str, payload: str) -> None:
        """Have the broker keep this on a topic."""
        self._stand(Message(topic, payload, retain=True))

    def announce(self, topic: str, payload: str) -> None:
        """Tell this to those who listen now, and after each reconnect."""
        self._stand(Message(topic, payload))

    def clear(self, topic: str) -> None:
        """Take back what was kept or announced on a topic: nothing is the newest."""
        self._stand(Message(topic, "", retain=True))

    def again(self, topic: str) -> None:
        """Publish once more what stands on a topic."""
        if topic in self._standing:
            self._due[topic] = None
            self._work()

    def withhold(self, topic: str) -> None:
        """Say nothing on a topic for now; what the broker may keep there stays."""
        self._known.add(topic)
        self._standing.pop(topic, None)
        self._due.pop(topic, None)

    def leave(self, topic: str) -> None:
        """Have nothing more to do with a topic: it is somebody else's now."""
        self.withhold(topic)
        self._known.discard(topic)

    def tell(self, topic: str, payload: str) -> None:
        """Tell what has just happened, now or within MAX_AGE."""
        self._news.append(Message(topic, payload, born=self._time()))
        self._drop_old()
        self._work()

    def complain(self, topic: str, payload: str) -> None:
        """Tell what went wrong, after everything else; of too many the newest."""
        self._errors.append(Message(topic, payload))
        self._work()

    def connection_changed(self) -> None:
        """Publish all that stands anew if there is a connection: the broker may be new.

        What was under way is the client's affair: it has said it again already.
        """
        self._under_way.clear()
        self._stalled = False
        self._due = dict.fromkeys(self._standing)
        self._drop_old()
        self._work()

    async def close(
        self,
        timeout: float = CLOSING,  # noqa: ASYNC109
        *,
        wait_for_connection: bool = False,
    ) -> None:
        """Get out what stands, if that takes no longer than this; end the rest.

        While there is no connection nothing gets out; then it is waited for one if that
        is wanted, for which `connection_changed` has to be called.
        """
        self._news.clear()
        self._errors.clear()
        try:
            async with asyncio.timeout(timeout):
                while (self._is_connected() or wait_for_connection) and (
                    self._due or self._under_way
                ):
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            _LOGGER.debug("The broker has not got %s topics", len(self._due))
        if self._retry is not None:
            self._retry.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _stand(self, message: Message) -> None:
        """Have a message be the newest on its topic, and publish it unless it was."""
        self._known.add(message.topic)
        if self._standing.get(message.topic) != message:
            self._standing[message.topic] = message
            self.again(message.topic)

    def _drop_old(self) -> None:
        """Drop the news that are too old or too many."""
        oldest = self._time() - MAX_AGE
        while self._news:
            born = self._news[0].born
            assert born is not None
            if born >= oldest and len(self._news) <= MAX_NEWS:
                return
            self._news.popleft()
            self.counts.dropped += 1

    def _work(self) -> None:
        """Hand over what can be handed over now: news, what stands, errors."""
        if self._working:  # one that is sent at once asks for more before that
            return
        self._working = True
        try:
            while self._is_connected() and (message := self._next()) is not None:
                sent = UnderWay(message, self._time())
                self._under_way.append(sent)
                if message.born is not None:
                    self._in_hand = sent
                task = asyncio.create_task(self._send(sent), eager_start=True)
                if not task.done():
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            self._working = False
        if not self._under_way:
            self._idle.set()

    def _next(self) -> Message | None:
        """Take the next message out of its queue; None if nothing can be sent now.

        Of news one is in the client's hand at a time, over all connections: it repeats
        what was not acknowledged when the next one is there, however late, and that shall
        be one at most.
        Of a topic one payload is under way at a time, so that of many changes only the
        newest follows. While nobody knows if the broker hears us, a single message of
        what stands is under way, and may come as late as it likes.
        """
        under_way = self._under_way
        if under_way and self._time() - under_way[0].since > STALLED:
            self._stalled = True
        if under_way and (self._stalled or len(under_way) >= WINDOW):
            return None
        if not self._stalled and self._in_hand is None:
            self._drop_old()
            if self._news:
                self.counts.told += 1
                return self._news.popleft()
        busy = {sent.message.topic for sent in under_way}
        for topic in self._due:
            if topic not in busy:
                del self._due[topic]
                return self._standing[topic]
        if self._stalled:
            # What the client did not take is tried again later, not at once.
            return None if self._retry else next(iter(self._standing.values()), None)
        return self._errors.popleft() if self._errors else None

    async def _send(self, sent: UnderWay) -> None:
        """Publish a message, and go on with the next."""
        message = sent.message
        is_published = False
        try:
            await self._publish(message)
            is_published = True
        except HomeAssistantError as err:
            if not self._failing:
                _LOGGER.warning("Cannot publish on %s: %s", message.topic, err)
            self._failing = True
        except Exception:
            _LOGGER.exception("A message on %s could not be published", message.topic)
        finally:
            is_current = sent in self._under_way
            if is_current:
                self._under_way.remove(sent)
        is_acknowledged = is_published and self._time() - sent.since < ACK_TIMEOUT
        if self._in_hand is sent:
            if is_acknowledged or not is_published:
                self._in_hand = None
        elif is_acknowledged and self._in_hand not in self._under_way and is_current:
            # What the client repeats comes before what it is given on a new connection:
            # so the broker has that too.
            self._in_hand = None
        if message.born is not None and not is_published:
            self.counts.told -= 1
            self.counts.dropped += 1
        elif not is_published and self._standing.get(message.topic) is message:
            self._try_later()
        if not is_current:  # of a connection that is gone
            self._work()
            return
        if is_published:
            self._failing = False
            # Also if nothing has asked for it since it is so: the next may be a press.
            self._stalled = not is_acknowledged
            if is_acknowledged and not message.payload:
                self._cleared(message)
        self._work()

    def _try_later(self) -> None:
        """Hand all that stands to the client again, later: it did not take something."""
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(RETRY, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self._due |= dict.fromkeys(self._standing)
        self._work()

    def _cleared(self, message: Message) -> None:
        """Forget a topic of which the broker has nothing any more."""
        # Not `==`: one that was asked for later comes after something else on the topic,
        # and has yet to go out.
        if self._standing.get(message.topic) is message:
            self.leave(message.topic)
