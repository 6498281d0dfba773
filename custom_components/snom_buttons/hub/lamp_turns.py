"""The turns of lamps, so that one action does not hold the event loop for all of them."""

import asyncio
from collections import defaultdict
from collections.abc import Hashable
from typing import Final

LAMPS_A_TURN: Final = 50
"""Lamps that change in one turn of the event loop; more only if they are of one phone."""


class LampTurns:
    """Lets lamps change in turns of the event loop, those of a phone in the same one.

    Home Assistant calls a thousand lamps of one action in one turn, in any order.
    """

    def __init__(self) -> None:
        """Create turns that no lamp waits for."""
        self._waiting: defaultdict[Hashable, list[asyncio.Future[None]]]
        self._waiting = defaultdict(list)
        self._is_planned = False

    async def wait(self, phone: Hashable) -> None:
        """Return when a lamp of a phone may change."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting[phone].append(turn)
        if not self._is_planned:
            self._is_planned = True
            loop.call_soon(self._next)
        await turn

    def _next(self) -> None:
        """Let the lamps of as many phones change as LAMPS_A_TURN allows, one at least."""
        number = 0
        while self._waiting:
            phone, turns = next(iter(self._waiting.items()))
            if number and number + len(turns) > LAMPS_A_TURN:
                break
            del self._waiting[phone]
            number += len(turns)
            for turn in turns:
                if not turn.done():  # a script that is stopped cancels its calls
                    turn.set_result(None)
        self._is_planned = bool(self._waiting)
        if self._is_planned:
            asyncio.get_running_loop().call_soon(self._next)
