"""The turns of lamps, so that one action does not hold the event loop for all of them."""

import asyncio
from collections import defaultdict
from collections.abc import Hashable
from itertools import count
from typing import Final

LAMPS_A_TURN: Final = 50
"""Lamps that change in one turn of the event loop; more only if they are of one phone."""


class LampTurns:
    """Lets up to LAMPS_A_TURN lamps change at once; of more, those of a phone together.

    Home Assistant calls a thousand lamps of one action in one turn, in any order.
    """

    def __init__(self) -> None:
        """Create turns that no lamp waits for."""
        self._asked = 0
        """Lamps in this turn that change in the next one, unless there are too many."""
        self._numbers = count()
        self._waiting: defaultdict[Hashable, list[tuple[int, asyncio.Future[None]]]]
        self._waiting = defaultdict(list)
        """By phone, each with its number in the order of the calls."""

    async def wait(self, phone: Hashable) -> None:
        """Return when a lamp of a phone may change, or another action on it may act."""
        loop = asyncio.get_running_loop()
        number = next(self._numbers)
        if not self._waiting and self._asked < LAMPS_A_TURN:
            if not self._asked:
                loop.call_soon(self._end_turn)
            self._asked += 1
            await asyncio.sleep(0)
            if not self._waiting:
                return
        if not self._waiting:
            loop.call_soon(self._next)
        turn = loop.create_future()
        self._waiting[phone].append((number, turn))
        await turn

    def _end_turn(self) -> None:
        self._asked = 0

    def _next(self) -> None:
        """Let the lamps of as many phones change as LAMPS_A_TURN allows, one at least."""
        lamps = 0
        while self._waiting:
            phone, turns = next(iter(self._waiting.items()))
            if lamps and lamps + len(turns) > LAMPS_A_TURN:
                asyncio.get_running_loop().call_soon(self._next)
                return
            del self._waiting[phone]
            lamps += len(turns)
            for _, turn in sorted(turns):
                if not turn.done():  # a script that is stopped cancels its calls
                    turn.set_result(None)
