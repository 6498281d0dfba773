"""Commands that are kept for phones of other bridges."""

from __future__ import annotations

import time

import pytest

from bridge.kept import KEPT, MAX_BYTES, MAX_OF_PHONE, Kept, Waiting, after
from snom_buttons.mqtt import Received


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def command(payload: bytes = b"ON") -> Waiting:
    return print, Received("snom_buttons/44/key/1/set", payload, retain=False)


def test_the_newest_commands_of_a_phone_are_kept_in_order() -> None:
    kept = Kept(Clock())
    commands = [command(b"%d" % number) for number in range(MAX_OF_PHONE + 5)]
    for each in commands:
        kept.add("44", each)
    kept.add("45", command())
    assert kept.take("44") == commands[5:]
    assert kept.take("44") == []
    assert len(kept.take("45")) == 1


@pytest.mark.parametrize("stored", range(4))
def test_what_is_stored_is_not_kept(stored: int) -> None:
    kept = Kept(Clock())
    commands = [command(b"TOGGLE") for _ in range(3)]
    marks = ["0123456789abcdef"]
    for each in commands:
        kept.add("44", each)
        marks.append(after(marks[-1], each[1]))
    kept.stored("44", marks[0], marks[stored])
    kept.stored("45", marks[0], marks[stored])
    assert kept.take("44") == commands[stored:]


@pytest.mark.parametrize("now", ["", "0123456789abcdef", None])
def test_nothing_is_kept_if_other_commands_were_heard(now: str | None) -> None:
    """Or none of them is marked, as by a bridge of a former version."""
    kept = Kept(Clock())
    kept.add("44", command())
    kept.stored("44", "0123", now)
    assert kept.take("44") == []


def test_old_commands_are_dropped() -> None:
    clock = Clock()
    kept = Kept(clock)
    for phone in ("44", "45", "46"):
        kept.add(phone, command())
    clock.now += KEPT / 2
    kept.add("44", command(b"OFF"))
    clock.now += KEPT / 2 + 1
    kept.add("47", command())
    assert [*kept._commands] == ["44", "47"]
    assert kept.take("44") == [command(b"OFF")]


def test_a_command_costs_the_same_after_those_to_many_phones() -> None:
    def costs(phones: int) -> float:
        kept = Kept(Clock())
        kept.add("44", command())
        kept._commands.update({f"{it}": kept._commands["44"] for it in range(phones)})
        for phone in ("44", *range(phones - 1)):
            kept.drop(f"{phone}")
        times = []
        for number in range(20):
            began = time.perf_counter()
            kept.add(f"new {number}", command())
            times.append(time.perf_counter() - began)
        return min(times)

    # A look at the place of each of them costs dozens of times as much.
    assert costs(100_000) < 10 * costs(100)


def test_long_commands_do_not_fill_the_memory() -> None:
    kept = Kept(Clock())
    half = command(b"x" * (MAX_BYTES // 2))
    kept.add("44", half)
    kept.add("45", command())
    kept.add("46", half)
    assert [*kept._commands] == ["45", "46"]
    kept.add("47", command(b"x" * MAX_BYTES))
    assert not kept._commands
    kept.add("48", half)
    assert kept.take("48") == [half]
