"""The datagrams that wait, with a clock that only tests move."""

from __future__ import annotations

import pytest

from custom_components.snom_buttons.engine.sip import Flow
from custom_components.snom_buttons.engine.sip.backlog import (
    LONGEST,
    MAX_OF_FLOW,
    MAX_SIZE,
    OVERHEAD,
    Backlog,
    Urgency,
    urgency_of,
)

DESK, HALL = Flow("UDP", "192.0.2.4", 5060), Flow("UDP", "192.0.2.5", 5060)
KIB = 1024


class Waiting:
    """A backlog, with its clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.backlog = Backlog(lambda: self.now)

    def add(self, text: str, urgency: Urgency, flow: Flow = DESK) -> bool:
        return self.backlog.add(text.encode(), flow, urgency)

    def fill(self, flow: Flow, first: int = 0) -> int:
        """Add datagrams of a KiB, each another one, until there is no room."""
        number = first
        while self.add(f"{number}".ljust(KIB - OVERHEAD), Urgency.FIRST, flow):
            number += 1
        return number - first

    def rest(self) -> list[str]:
        """Return all that waits, in its order."""
        popped = iter(self.backlog.pop, None)
        return [waiting.data.decode().strip() for waiting in popped]


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.mark.parametrize(
    ("data", "urgency"),
    [
        (b"SIP/2.0 200 OK\r\n", Urgency.FIRST),
        (b"MESSAGE sip:44@192.0.2.1 SIP/2.0\r\n", Urgency.FIRST),
        (b"SUBSCRIBE sip:1@192.0.2.1 SIP/2.0\r\n", Urgency.SUBSCRIBE),
        (b"REGISTER sip:192.0.2.1 SIP/2.0\r\n", Urgency.REGISTER),
        (b"REGISTERED", Urgency.FIRST),
        (b"", Urgency.FIRST),
    ],
)
def test_the_method_says_how_urgent_a_datagram_is(data: bytes, urgency: int) -> None:
    assert urgency_of(data) is urgency


def test_a_phone_gets_its_keys_before_the_next_one_registers(waiting: Waiting) -> None:
    waiting.add("stranger", Urgency.STRANGER, HALL)
    waiting.add("register", Urgency.REGISTER, HALL)
    waiting.add("key 1", Urgency.SUBSCRIBE)
    waiting.add("key 2", Urgency.SUBSCRIBE)
    waiting.add("press 1", Urgency.FIRST)
    waiting.add("press 2", Urgency.FIRST, HALL)
    order = ["press 1", "press 2", "key 1", "key 2", "register", "stranger"]
    assert waiting.rest() == order


def test_a_datagram_says_where_it_came_from(waiting: Waiting) -> None:
    waiting.add("key", Urgency.SUBSCRIBE, HALL)
    popped = waiting.backlog.pop()
    assert popped is not None
    assert popped[:3] == (b"key", HALL, Urgency.SUBSCRIBE)
    assert waiting.backlog.pop() is None


def test_a_copy_of_one_that_waits_is_dropped(waiting: Waiting) -> None:
    for _ in range(3):
        assert waiting.add("key", Urgency.SUBSCRIBE)
    assert waiting.add("key", Urgency.SUBSCRIBE, HALL)
    assert waiting.rest() == ["key", "key"]
    assert waiting.add("key", Urgency.SUBSCRIBE)  # it may be answered once more
    assert waiting.rest() == ["key"]


def test_what_has_waited_for_long_has_every_other_turn(waiting: Waiting) -> None:
    for number in (1, 2):
        waiting.add(f"register {number}", Urgency.REGISTER)
    waiting.now += LONGEST
    for number in (1, 2, 3, 4):
        waiting.add(f"key {number}", Urgency.SUBSCRIBE)
    order = ["register 1", "key 1", "register 2", "key 2", "key 3", "key 4"]
    assert waiting.rest() == order


def test_what_has_not_waited_for_long_gives_way(waiting: Waiting) -> None:
    waiting.add("register", Urgency.REGISTER)
    waiting.now += LONGEST - 0.1
    waiting.add("key", Urgency.SUBSCRIBE)
    assert waiting.rest() == ["key", "register"]


def test_one_sender_leaves_room_for_the_others(waiting: Waiting) -> None:
    assert waiting.fill(DESK) == MAX_OF_FLOW // KIB
    assert waiting.add("press", Urgency.FIRST, HALL)
    waiting.backlog.pop()
    assert waiting.fill(DESK, first=5000) == 1


def test_all_senders_together_have_a_limit(waiting: Waiting) -> None:
    flows = [
        Flow("UDP", f"192.0.2.{number}", 5060)
        for number in range(MAX_SIZE // MAX_OF_FLOW + 1)
    ]
    assert sum(map(waiting.fill, flows)) == MAX_SIZE // KIB
    assert not waiting.add("press", Urgency.FIRST, HALL)
    assert len(waiting.rest()) == MAX_SIZE // KIB
    assert sum(map(waiting.fill, flows)) == MAX_SIZE // KIB


def test_nothing_waits_after_the_end(waiting: Waiting) -> None:
    waiting.fill(DESK)
    waiting.backlog.clear()
    assert waiting.rest() == []
    assert waiting.fill(DESK) == MAX_OF_FLOW // KIB
