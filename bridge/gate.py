"""The MQTT client of a member of a cluster, as its follower sees it."""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from snom_buttons.mqtt import Client, Message, Received

MAX_WAITING: Final = 1000
"""The most messages that wait at a gate; beyond that the oldest are dropped."""


class Gate:
    """A client that counts as connected only while the gate is open.

    A member that was cut off would otherwise publish states of phones that it has lost
    meanwhile. Received messages wait while `waits` returns True for their topic.
    """

    is_ready = True
    repeats_late = False

    def __init__(self, client: Client) -> None:
        """Create a gate that is closed."""
        self.is_open = False
        self.waits: Callable[[str], bool] = lambda _: False
        """Whether a message on a topic has to wait; called again by `release`."""
        self._client = client
        self._waiting: deque[tuple[Callable[[Received], None], Received]] = deque(
            maxlen=MAX_WAITING
        )
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

    def release(self) -> None:
        """Deliver the messages that need not wait any more, in order."""
        waiting = [*self._waiting]
        self._waiting.clear()
        for received, message in waiting:
            self._receive(received, message)

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
        if not self.is_open or self.waits(message.topic):
            self._waiting.append((received, message))
        else:
            received(message)
