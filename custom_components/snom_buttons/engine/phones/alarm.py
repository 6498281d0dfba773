"""A timer of which the time can be changed."""

import asyncio
from collections.abc import Callable
import math


class Alarm:
    """Calls a function once, at the time that was set last."""

    def __init__(
        self, clock: Callable[[], float], callback: Callable[[], None]
    ) -> None:
        """Create an alarm that is not set; `clock` returns seconds as the loop does."""
        self._clock = clock
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None

    def set(self, due: float | None) -> None:
        """Set the time; None or infinity for never."""
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
        self._handle = loop.call_at(at, self._ring)

    def cancel(self) -> None:
        """Set no time."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        self._handle = None
        self._callback()
