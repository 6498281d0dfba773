"""Signals and their listeners."""

from __future__ import annotations

from snom_buttons.phones import Signal


def test_a_listener_that_subscribed_twice_is_removed_once_for_each() -> None:
    signal: Signal[int] = Signal()
    got: list[int] = []
    listener = got.append
    one, two = signal.subscribe(listener), signal.subscribe(listener)
    signal.emit(1)
    one()
    one()
    signal.emit(2)
    two()
    signal.emit(3)
    assert got == [1, 1, 2]
