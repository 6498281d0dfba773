"""The MQTT client of a member of a cluster, as its follower sees it."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
import logging
from typing import Any, Final

from snom_buttons.mqtt import Client, Message, Received

from .kept import Waiting, size_of

_LOGGER = logging.getLogger(__name__)

MAX_WAITING: Final = 64 * 1024 * 1024
"""The most bytes of messages that wait at a gate; beyond that the oldest are dropped.

Enough for a command for each of 20 keys of 5,000 phones.
"""


class Gate:
    """A client that counts as connected only while the gate is open.

    A member that was cut off would otherwise publish states of phones that it has lost
    meanwhile. Received messages wait while `waits` returns a phone for their topic.
    """

    is_ready = True
    repeats_late = False

    def __init__(self, client: Client) -> None:
        """Create a gate that is closed."""
        self.is_open = False
        self.waits: Callable[[str], str | None] = lambda _: None if self.is_open else ""
        """Returns the phone for which a message on a topic has to wait, None for none.

        Called again by `release`."""
        self.keep: Callable[[Waiting], bool] = lambda _: False
        """Gets what need not wait; returns whether it keeps that, instead of delivery."""
        self._client = client
        self._waiting: dict[str, deque[Waiting]] = {}
        """By phone."""
        self._size = 0
        self._drops = False
        """Whether messages were dropped since the last time that none waited."""
        self._confirmed: list[Callable[[], None]] = []

    @property
    def is_connected(self) -> bool:
        """Whether the gate is open, and there is a connection to the broker."""
        return self.is_open and self._client.is_connected

    def open(self) -> None:
        """Confirm the subscriptions, and deliver what has waited."""
        self.is_open = True
        confirmed, self._confirmed = self._confirmed, []
        for confirm in confirmed:
            confirm()
        self.release()

    def close(self) -> None:
        """Close the gate. What waits is dropped, as is what the broker did not deliver."""
        self.is_open = False
        self._confirmed.clear()
        self._waiting.clear()
        self._size = 0

    def release(self, phone: str | None = None) -> None:
        """Deliver the messages that need not wait any more, those for a phone in order.

        Without a phone, those for all phones.
        """
        for each in [*self._waiting] if phone is None else (phone,):
            waiting = self._waiting.pop(each, ())
            self._size -= sum(size_of(message) for _, message in waiting)
            for received, message in waiting:
                self._receive(received, message)
        self._drops = self._drops and self._size > 0

    def delay(self, phone: str, waiting: Sequence[Waiting]) -> None:
        """Let messages wait for a phone, before those that wait for it already."""
        if waiting:
            self._waiting.setdefault(phone, deque()).extendleft(reversed(waiting))
            self._size += sum(size_of(message) for _, message in waiting)

    async def publish(self, message: Message) -> None:
        """Publish a message as the client does."""
        await self._client.publish(message)

    async def subscribe(
        self,
        topic: str,
        qos: int,
        received: Callable[[Received], None],
        confirmed: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        """Subscribe as the client does; `confirmed` is called while the gate is open."""
        confirm = None if confirmed is None else partial(self._confirm, confirmed)
        return await self._client.subscribe(
            topic, qos, partial(self._receive, received), confirm
        )

    def hide(self, phone_id: str, payload: Mapping[str, Any]) -> bool:
        """Return whether to publish an announcement."""
        return self._client.hide(phone_id, payload)

    def _confirm(self, confirmed: Callable[[], None]) -> None:
        if self.is_open:
            confirmed()
        else:
            self._confirmed.append(confirmed)

    def _receive(self, received: Callable[[Received], None], message: Received) -> None:
        if not self._holds(received, message) and not self.keep((received, message)):
            received(message)

    def _holds(self, received: Callable[[Received], None], message: Received) -> bool:
        """Let a message wait if it has to; return whether it has to."""
        phone = self.waits(message.topic)
        if phone is None:
            return False
        self._waiting.setdefault(phone, deque()).append((received, message))
        self._size += size_of(message)
        while self._size > MAX_WAITING:
            self._drop_oldest()
        return True

    def _drop_oldest(self) -> None:
        """Drop the oldest message for the phone that has waited longest."""
        if not self._drops:
            _LOGGER.error("Commands of %s bytes wait; the oldest are lost", self._size)
            self._drops = True
        phone, waiting = next(iter(self._waiting.items()))
        _, message = waiting.popleft()
        self._size -= size_of(message)
        if not waiting:
            del self._waiting[phone]
