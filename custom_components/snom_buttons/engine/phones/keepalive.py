"""Checks regularly that a contact answers, by OPTIONS (RFC 3261 11).

A phone that is unplugged stays registered for up to an hour.
"""

import asyncio
from collections.abc import Awaitable, Callable
import logging
import random

from .alarm import Timer
from .speaker import DeliveryFailed

EARLIEST = 0.5
"""The part of the interval before the first request, so that phones that registered
together, as after a power cut, get it at different times."""

AGAIN = 5.0
"""Seconds until a request that could not be sent is repeated, so that a short failure
of the network makes no phone unavailable."""

_LOGGER = logging.getLogger(__name__)


class Keepalive:
    """The keep-alive of one contact, from its creation until `close`."""

    def __init__(
        self,
        *,
        ask: Callable[[], Awaitable[None]],
        interval: float,
        answered: Callable[[float], None],
        silent: Callable[[float], None],
    ) -> None:
        """Ask every `interval` seconds, never if 0; `ask` raises DeliveryFailed.

        `answered` gets the seconds it took, `silent` the loop's time of the request.
        """
        self._ask = ask
        self._interval = interval
        self._answered = answered
        self._silent = silent
        self._task: asyncio.Task[None] | None = None
        self._due = Timer()  # a task that sleeps would take a kilobyte
        if interval:
            self._due.set_in(random.uniform(EARLIEST, 1.0) * interval, self._begin)  # noqa: S311

    def close(self) -> None:
        """Stop asking."""
        self._due.cancel()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._run(), name="snom_buttons keep-alive")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        is_answered = await self._is_answered()
        if not is_answered and loop.time() - asked < AGAIN:
            await asyncio.sleep(AGAIN)
            is_answered = await self._is_answered()
        self._task = None
        self._due.set_in(self._interval, self._begin)
        if not is_answered:
            self._silent(asked)

    async def _is_answered(self) -> bool:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            await self._ask()
        except DeliveryFailed:
            return False
        except Exception:
            _LOGGER.exception("OPTIONS could not be sent to a phone")
            return False
        self._answered(loop.time() - asked)
        return True
