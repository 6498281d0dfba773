"""The gate before the client of a member."""

from __future__ import annotations

from collections.abc import Callable

from bridge.gate import MAX_WAITING, Gate
from snom_buttons.mqtt import Message, Received
from tests.support.fakebroker import FakeBroker, FakeClient


class Confirming(FakeClient):
    """A client that confirms a subscription at once."""

    async def subscribe(
        self,
        topic: str,
        qos: int,
        received: Callable[[Received], None],
        confirmed: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        if confirmed is not None:
            confirmed()
        return await super().subscribe(topic, qos, received)


def gated() -> tuple[Confirming, Gate]:
    client = Confirming(FakeBroker(), lambda _: None)
    client.is_connected = True
    return client, Gate(client)


async def test_it_counts_as_connected_while_it_is_open() -> None:
    client, gate = gated()
    assert not gate.is_connected
    gate.open()
    assert gate.is_connected
    client.is_connected = False
    assert not gate.is_connected
    assert gate.hide("x", {})


async def test_subscriptions_are_confirmed_when_it_is_opened() -> None:
    _, gate = gated()
    confirmed: list[str] = []
    await gate.subscribe("a", 1, lambda _: None, lambda: confirmed.append("a"))
    await gate.subscribe("b", 1, lambda _: None)
    assert not confirmed
    gate.open()
    assert confirmed == ["a"]
    await gate.subscribe("c", 1, lambda _: None, lambda: confirmed.append("c"))
    assert confirmed == ["a", "c"]
    gate.close()
    await gate.subscribe("d", 1, lambda _: None, lambda: confirmed.append("d"))
    gate.close()  # the broker confirms all of them on the next connection
    gate.open()
    assert confirmed == ["a", "c"]


async def test_messages_wait_in_order_until_they_need_not() -> None:
    client, gate = gated()
    got: list[str] = []
    end = await gate.subscribe("+", 1, lambda message: got.append(message.topic))

    def receive(topic: str) -> None:
        client._receive(Received(topic, b"", retain=False))

    for topic in "abc":
        receive(topic)
    assert not got
    gate.waits = lambda topic: topic == "b"
    gate.open()
    assert got == ["a", "c"]
    receive("b")
    gate.waits = lambda _: False
    gate.release()
    assert got == ["a", "c", "b", "b"]
    gate.close()
    receive("a")
    gate.close()
    gate.open()
    assert got == ["a", "c", "b", "b"]
    gate.close()
    for _ in range(MAX_WAITING + 5):
        receive("z")
    gate.open()
    assert len(got) == 4 + MAX_WAITING
    await gate.publish(Message("x", ""))
    end()
