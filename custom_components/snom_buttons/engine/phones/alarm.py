"""Timers that can be set again."""

import asyncio
from collections.abc import Callable
import math
import time


class Timer:
    """A timer that calls a function once, unless it is set anew before."""

    __slots__ = ("_handle",)

    def __init__(self) -> None:
        """Create a timer that is not set."""
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether a function is going to be called."""
        return self._handle is not None

    def set_in(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call a function so many seconds from now."""
        self.cancel()
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(seconds, self._ring, callback)

    def cancel(self) -> None:
        """Call nothing."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self, callback: Callable[[], None]) -> None:
        self._handle = None
        callback()


class Alarm(Timer):
    """A timer of one function, which is set by a clock."""

    __slots__ = ("_callback", "_clock")

    def __init__(
        self, callback: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create an alarm that is not set; `clock` runs like that of the event loop."""
        super().__init__()
        self._callback = callback
        self._clock = clock

    def set(self, due: float | None) -> None:
        """Set the time by the clock; None or infinity for never."""
        self.cancel()
        self.advance(due)

    def advance(self, due: float | None) -> None:
        """Set the time, unless an earlier one is set."""
        if due is None or due == math.inf:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + max(0.0, due - self._clock())
        if self._handle is not None:
            if self._handle.when() <= at:
                return
            self._handle.cancel()
        self._handle = loop.call_at(at, self._ring, self._callback)
