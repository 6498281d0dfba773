"""The MQTT client that the engine needs. The program around it provides one."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol


class CannotPublish(Exception):
    """The client does not accept a message."""


class Message(NamedTuple):
    """A message to publish with QoS 1."""

    topic: str
    payload: str
    retain: bool = False
    born: float | None = None
    """When an event happened, by the clock of the publisher; None for a state.

    An event is of no use to a subscriber after MAX_AGE.
    """


class Received(NamedTuple):
    """A message from the broker."""

    topic: str
    payload: bytes
    retain: bool
    """Whether the broker had retained it, and sends it because of a subscription."""


class Client(Protocol):
    """A client that may be there or not at any time."""

    @property
    def is_ready(self) -> bool:
        """Whether the client accepts subscriptions, with or without a connection."""

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection to the broker."""

    @property
    def repeats_late(self) -> bool:
        """Whether an event that was not acknowledged is repeated at any age.

        A client that does not raises CannotPublish for an event after MAX_AGE, and
        returns when it is acknowledged.
        """

    async def publish(self, message: Message) -> None:
        """Publish a message; return when the broker has acknowledged it.

        Returns after `publisher.ACK_TIMEOUT` in any case. The message is handed over
        before the first wait. Raises CannotPublish if the client does not accept it.
        """

    async def subscribe(
        self,
        topic: str,
        qos: int,
        received: Callable[[Received], None],
        confirmed: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        """Subscribe, now and after each reconnect; return a function that ends it.

        `confirmed` is called each time that the broker has confirmed it.
        """

    def hide(self, phone_id: str, payload: Mapping[str, Any]) -> bool:
        """Hide an announcement from the program itself; return whether to publish it.

        A Home Assistant around the engine has the phones already.
        """
