"""A timer whose time can be changed."""

import asyncio
from collections.abc import Callable
import math
import time


class Alarm:
    """A timer that calls a function once, at the time that was set last."""

    __slots__ = ("_callback", "_clock", "_handle")

    def __init__(
        self, callback: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create an alarm that is not set; `clock` runs like that of the event loop."""
        self._callback = callback
        self._clock = clock
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether the function is going to be called."""
        return self._handle is not None

    def set_in(self, seconds: float) -> None:
        """Set the time to so many seconds from now."""
        self.cancel()
        self._handle = asyncio.get_running_loop().call_later(seconds, self._ring)

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
        self._handle = loop.call_at(at, self._ring)

    def cancel(self) -> None:
        """Clear the time."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        self._handle = None
        self._callback()
