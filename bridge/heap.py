"""The garbage collector of a bridge, which leaves out the phones.

A full collection stops the bridge for as long as it walks through all objects: a second
for 10,000 phones, after which the edge gives the phones to other bridges.
"""

import asyncio
from collections.abc import Callable, Set as AbstractSet
import gc
from typing import Final

from snom_buttons.phones import Change

TICK: Final = 1.0
"""Seconds between two looks at which phones there are."""
MUCH: Final = 0.05
"""The share of the phones that has to be new, or to have registered again and so to have
new objects, before they are left out while further ones still come."""
GONE: Final = 0.1
"""The share of the phones that has to have gone before their objects are collected, once no
more go."""


class Heap:
    """Freezes what is loaded whenever phones of a bridge have come or registered again."""

    def __init__(self, phones: Callable[[], AbstractSet[str]]) -> None:
        """Create it for the phones that a function returns."""
        self._phones = phones
        self._before: AbstractSet[str] = frozenset()
        self._frozen: AbstractSet[str] = frozenset()
        self._gone = 0
        """The phones that were frozen and have gone."""
        self._registered = 0
        """Registrations since phones were frozen; what they replace is freed, frozen or not."""

    async def run(self) -> None:
        """Look again and again."""
        while True:
            self.look()
            await asyncio.sleep(TICK)

    def changed(self, change: Change) -> None:
        """Count registrations: this is for the server's signal."""
        self._registered += change.registration

    def look(self) -> None:
        """Freeze what is there, if there are new phones; thaw it if many have gone."""
        now = frozenset(self._phones())
        is_settled = now == self._before
        self._gone += len((self._before - now) & self._frozen)
        self._before = now
        if is_settled and self._gone > GONE * len(now):
            gc.unfreeze()
            gc.collect()
            self._freeze(now)
            self._gone = 0
        new = len(now - self._frozen)
        most = max(new, self._registered)
        if most > MUCH * len(now) or (new and is_settled):
            self._freeze(now)

    def _freeze(self, phones: AbstractSet[str]) -> None:
        gc.collect(1)  # what is garbage already would stay for good
        gc.freeze()
        self._frozen = phones
        self._registered = 0
