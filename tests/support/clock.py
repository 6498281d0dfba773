"""An event loop whose clock jumps to the next timer when there is nothing to do.

Tests that wait for minutes take milliseconds with it, and never sleep. Sockets on the
loopback address work as usual: a datagram arrives before the clock moves on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import wraps
import selectors
from typing import Any
from unittest.mock import patch


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: moves the clock to the next timer instead."""

    now = 1000.0
    patience = 0.0
    """Real seconds to wait for data under way before the clock jumps."""

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is not None and timeout > 0 and self.patience:
            ready = super().select(self.patience)
        if ready or timeout is None or timeout <= 0:
            return ready if ready or timeout is not None else super().select(None)
        self.now += timeout
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """The loop; `time` is its own."""

    def __init__(self, patience: float = 0.0) -> None:
        self._jumping = _JumpingSelector()
        self._jumping.patience = patience
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run[T](test: Coroutine[Any, Any, T], patience: float = 0.0) -> T:
    """Run a test to its end in such a loop; fail if it leaves tasks behind.

    TCP needs `patience`: the system delivers its data later.
    """

    async def checked() -> T:
        loop: Any = asyncio.get_running_loop()
        with ThreadPoolExecutor() as threads:
            loop.set_default_executor(threads)
            result = await test
        # Their threads have ended: `asyncio.run` would wait by the clock that jumps.
        loop._default_executor = None
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks were left behind: {left}"
        return result

    return asyncio.run(checked(), loop_factory=lambda: JumpingLoop(patience))


def jumping[**P](
    test: Callable[P, Coroutine[Any, Any, None]], patience: float = 0.0
) -> Callable[P, None]:
    """Return a test that runs in such a loop."""

    @wraps(test)
    def in_jumping_time(*args: P.args, **kwargs: P.kwargs) -> None:
        run(test(*args, **kwargs), patience)

    return in_jumping_time


def timers_left() -> list[asyncio.TimerHandle]:
    """Return the timers that are still scheduled."""
    scheduled: list[asyncio.TimerHandle] = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
    return [handle for handle in scheduled if not handle.cancelled()]


@contextmanager
def hurrying(loop: Any, *, only_jumps: bool = False) -> Iterator[None]:
    """Let the clock of a running loop jump within this context.

    For the loop of a real Home Assistant: it starts with threads, and a loop that
    always jumps does not wait for threads. Skipped time stays skipped. With `only_jumps`
    no other time passes within this context.
    """
    skipped = 0.0
    time, select = loop.time, loop._selector.select
    if only_jumps:
        began = time()
        time = lambda: began  # noqa: E731

    def jump(timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        nonlocal skipped
        if timeout is None:
            return select(None)
        ready = select(0)
        if not ready and timeout > 0:
            skipped += timeout
        return ready

    loop.time = lambda: time() + skipped
    with patch.object(loop._selector, "select", jump):
        yield
