"""A broker without sockets, for tests of clients with a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from snom_buttons.mqtt import CannotPublish, Message, Received


class FakeBroker:
    """A broker that delivers to all clients in one order."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.clients: list[FakeClient] = []
        self.log: list[tuple[str, str]] = []

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self.log.append((topic, payload))
        if retain:
            self.retained[topic] = payload.encode()
            if not payload:
                del self.retained[topic]
        for client in self.clients:
            if client.is_connected:
                client.deliver(Received(topic, payload.encode(), retain=False))

    def on(self, topic: str) -> list[str]:
        return [payload for name, payload in self.log if name == topic]


def matches(topic: str, filter_: str) -> bool:
    ours, theirs = topic.split("/"), filter_.split("/")
    return len(ours) == len(theirs) and all(
        b in ("+", a) for a, b in zip(ours, theirs, strict=True)
    )


class FakeClient:
    """A client; while it is cut, nothing gets through in either direction."""

    is_ready = True
    repeats_late = False
    has_refused = False

    def __init__(self, broker: FakeBroker, changed: Callable[[bool], None]) -> None:
        self.is_connected = False
        self.is_cut = False
        self.broker = broker
        self._changed = changed
        self._subscribed: list[tuple[str, Callable[[Received], None]]] = []
        self._held: list[Received] = []
        broker.clients.append(self)

    def connect(self) -> None:
        self.is_connected, self.is_cut = True, False
        self._held.clear()
        self._changed(True)
        for filter_, _ in self._subscribed:
            for topic, payload in [*self.broker.retained.items()]:
                if matches(topic, filter_):
                    self.deliver(Received(topic, payload, retain=True))

    def lose(self) -> None:
        self.is_connected = False
        self._changed(False)

    def deliver(self, message: Received) -> None:
        if self.is_cut:
            self._held.append(message)
            return
        asyncio.get_running_loop().call_soon(self._receive, message)

    def _receive(self, message: Received) -> None:
        for filter_, received in self._subscribed:
            if matches(message.topic, filter_) and self.is_connected:
                received(message)

    def heal(self) -> None:
        self.is_cut = False
        held, self._held = self._held, []
        for message in held:
            self.deliver(message)

    async def publish(self, message: Message) -> None:
        if not self.is_connected:
            raise CannotPublish("there is no connection")
        if self.is_cut:
            await asyncio.sleep(10)
            return
        # As a broker does: no message arrives in the call that sends it.
        asyncio.get_running_loop().call_soon(
            lambda: self.broker.publish(
                message.topic, message.payload, retain=message.retain
            )
        )
        await asyncio.sleep(0)

    async def subscribe(
        self,
        topic: str,
        qos: int,
        received: Callable[[Received], None],
        confirmed: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        self._subscribed.append((topic, received))
        return lambda: self._subscribed.remove((topic, received))

    def hide(self, phone_id: str, payload: Mapping[str, Any]) -> bool:
        return True
