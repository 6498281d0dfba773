"""Timers whose time can be changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import math

import pytest

from custom_components.snom_buttons.engine.phones.alarm import Alarm, Timer
from tests.support.clock import run


@pytest.mark.parametrize(
    ("act", "times"),
    [
        (lambda alarm: alarm.set(20.0), [20.0]),
        (lambda alarm: (alarm.set(20.0), alarm.set(30.0)), [30.0]),
        (lambda alarm: (alarm.set(20.0), alarm.set(10.0)), [10.0]),
        (lambda alarm: (alarm.set(20.0), alarm.set(None)), []),
        (lambda alarm: alarm.set(math.inf), []),
        (lambda alarm: (alarm.advance(20.0), alarm.advance(30.0)), [20.0]),
        (lambda alarm: (alarm.advance(20.0), alarm.advance(10.0)), [10.0]),
        (lambda alarm: (alarm.advance(20.0), alarm.advance(None)), [20.0]),
        (lambda alarm: (alarm.advance(20.0), alarm.cancel()), []),
        (lambda alarm: alarm.advance(-5.0), [0.0]),
    ],
)
def test_an_alarm_rings_once_at_its_time(
    act: Callable[[Alarm], object], times: list[float]
) -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        rung: list[float] = []
        alarm = Alarm(
            lambda: rung.append(loop.time() - begun), lambda: loop.time() - begun
        )
        act(alarm)
        await asyncio.sleep(100)
        assert rung == pytest.approx(times, abs=0.01)

    run(test())


def test_a_timer_calls_what_was_set_last() -> None:
    async def test() -> None:
        rung: list[str] = []
        timer, cancelled = Timer(), Timer()
        timer.set_in(10.0, lambda: rung.append("first"))
        timer.set_in(20.0, lambda: rung.append("second"))
        cancelled.set_in(10.0, lambda: rung.append("cancelled"))
        cancelled.cancel()
        await asyncio.sleep(15)
        assert (rung, timer.is_set, cancelled.is_set) == ([], True, False)
        await asyncio.sleep(15)
        assert (rung, timer.is_set) == (["second"], False)

    run(test())
