"""The gate before the client of a member."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge import gate as gate_module
from bridge.gate import Gate
from bridge.kept import OVERHEAD, Waiting
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

    gate.waits = lambda topic: topic if topic == "b" or not gate.is_open else None
    for topic in "abc":
        receive(topic)
    assert not got
    gate.open()
    assert got == ["a", "c"]
    receive("b")
    gate.waits = lambda _: None
    gate.release()
    assert got == ["a", "c", "b", "b"]
    gate.waits = lambda _: None if gate.is_open else ""
    gate.close()
    receive("a")
    gate.close()
    gate.open()
    assert got == ["a", "c", "b", "b"]
    kept: list[str] = []

    def keep(waiting: Waiting) -> bool:
        kept.append(waiting[1].topic)
        return kept[-1] == "b"

    gate.keep = keep
    for topic in "ab":  # one that is kept is not delivered
        receive(topic)
    assert kept == ["a", "b"] and got[4:] == ["a"]
    await gate.publish(Message("x", ""))
    end()


async def test_messages_for_a_phone_wait_for_it_alone() -> None:
    client, gate = gated()
    gate.open()
    got: list[str] = []
    await gate.subscribe("+", 1, lambda message: got.append(message.topic))
    waiting = {"a", "b", "c"}
    gate.waits = lambda topic: topic[0] if topic[0] in waiting else None
    for topic in ("a1", "b1", "c1", "a2", "d1", "b2"):
        client._receive(Received(topic, b"", retain=False))
    assert got == ["d1"]
    waiting -= {"b", "c"}
    gate.release("b")
    gate.release("x")  # nothing waits for it
    assert got == ["d1", "b1", "b2"]
    waiting.clear()
    gate.release()
    assert got == ["d1", "b1", "b2", "a1", "a2", "c1"]


async def test_the_oldest_is_lost_if_too_many_wait(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gate_module, "MAX_WAITING", 3 * (OVERHEAD + 1002))
    client, gate = gated()
    gate.open()
    got: list[str] = []
    await gate.subscribe("+", 1, lambda message: got.append(message.topic))
    for times in (1, 2):
        gate.waits = lambda topic: topic[0]
        for topic in ("a1", "b1", "b2", "b3", "c1"):
            client._receive(Received(topic, bytes(1000), retain=False))
        gate.waits = lambda _: None
        gate.release()
        assert got == ["b2", "b3", "c1"]
        got.clear()
        assert len(caplog.records) == times
