"""Commands that are kept for phones of other bridges."""

from __future__ import annotations

from bridge.kept import KEPT, MAX_BYTES, MAX_OF_PHONE, Kept, Waiting
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
    kept.clear()
    assert kept.take("45") == []


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
