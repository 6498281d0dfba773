"""Whether a device is there: it is asked every so often (RFC 3261 11, OPTIONS).

An unplugged phone says nothing, and its registration lasts for up to an hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import logging
import random

from .outbox import DeliveryFailed

EARLIEST = 0.5
"""The part of the interval after which the first question may come.

Phones that registered together, as after a power cut, are not asked together.
"""

AGAIN = 5.0
"""Seconds after which a question is repeated that did not even leave.

So a network that is away for a moment makes no phone unavailable.
"""

_LOGGER = logging.getLogger(__name__)


class Keepalive:
    """Asks one device, from its making on until `close`."""

    def __init__(
        self,
        *,
        ask: Callable[[], Awaitable[None]],
        interval: float,
        answered: Callable[[float], None],
        silent: Callable[[float], None],
    ) -> None:
        """Ask every `interval` seconds, or never if that is 0.

        `ask` raises DeliveryFailed when no answer comes. `answered` gets the seconds that
        the answer took, `silent` the loop's time when it was asked.
        """
        self._ask = ask
        self._interval = interval
        self._answered = answered
        self._silent = silent
        self._task = (
            asyncio.create_task(self._run(), name="snom_buttons keep-alive")
            if interval
            else None
        )

    def close(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        pause = random.uniform(EARLIEST, 1.0) * self._interval  # noqa: S311
        while True:
            await asyncio.sleep(pause)
            pause = self._interval
            asked = loop.time()
            is_answered = await self._is_answered()
            if not is_answered and loop.time() - asked < AGAIN:
                await asyncio.sleep(AGAIN)
                is_answered = await self._is_answered()
            if not is_answered:
                self._silent(asked)

    async def _is_answered(self) -> bool:
        """Ask once, and return whether there was an answer."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            await self._ask()
        except DeliveryFailed:
            return False
        except Exception:
            _LOGGER.exception("A phone could not be asked whether it is there")
            return False
        self._answered(loop.time() - asked)
        return True
