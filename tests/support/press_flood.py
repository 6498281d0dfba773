"""Phones that press their keys without a pause, and what came of each press."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from typing import Any, Self

from .cluster import Cluster
from .mqtt_peers import MqttClient
from .patience import PATIENCE
from .rawphone import RawPhone

PAUSE = 0.1
"""Seconds until a phone that was refused presses again."""


class Flood:
    """Presses of one key of each phone. Use it as an asynchronous context manager.

    Each press has a number of its own, by which its event is found.
    """

    def __init__(self, phones: Iterable[RawPhone], key: str, pause: float = 0) -> None:
        """Press `key` of each phone, again `pause` seconds after it was answered."""
        self.key = key
        self.statuses: Counter[int] = Counter()
        """How many presses got each status; 0 for no answer."""
        self._phones = list(phones)
        self._pause = pause
        self._taken: defaultdict[str, set[str]] = defaultdict(set)
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        self._is_ending = False

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._press(it)) for it in self._phones]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait for the answers to what was sent last."""
        self._is_ending = True
        await asyncio.gather(*self._tasks)

    async def _press(self, phone: RawPhone) -> None:
        for number in count():
            if self._is_ending:
                return
            destination = f"{phone.extension}-{self.key}-{number}"
            status = 0
            with suppress(TimeoutError):
                status = (await phone.press(self.key, number=destination)).status
            self.statuses[status] += 1
            if status == 200:
                self._taken[phone.extension].add(destination)
                self._news.set()
            await asyncio.sleep(self._pause if status == 200 else PAUSE)

    def taken(self, extension: str) -> int:
        """Return how many presses of a phone were answered 200."""
        return len(self._taken[extension])

    async def goes_on(self, presses: int = 5) -> None:
        """Wait until each phone has as many further presses answered 200."""
        wanted = {
            it.extension: self.taken(it.extension) + presses for it in self._phones
        }
        async with asyncio.timeout(PATIENCE):
            while any(self.taken(it) < least for it, least in wanted.items()):
                self._news.clear()
                await self._news.wait()

    def _events(self, client: MqttClient, phone: RawPhone) -> list[Any]:
        topic = f"snom_buttons/{phone.extension}/key/{self.key}/event"
        return [heard.json for heard in client.on(topic)]

    async def is_heard(self, client: MqttClient) -> None:
        """Wait until a client has heard each press that was answered 200."""

        def all_are() -> bool:
            return all(
                self._taken[phone.extension]
                <= {press["number"] for press in self._events(client, phone)}
                for phone in self._phones
            )

        await client.until(all_are)

    async def check(self, client: MqttClient) -> dict[str, int]:
        """Check that no press is lost, and none has two IDs; return the presses by phone.

        `client` has heard everything since before the flood.
        """
        await self.is_heard(client)
        ids: defaultdict[str, set[str]] = defaultdict(set)
        pressed: Counter[str] = Counter()
        for phone in self._phones:
            events = self._events(client, phone)
            for press in events:
                ids[press["number"]].add(press["id"])
            pressed[phone.extension] = len({press["id"] for press in events})
        twice = {number: held for number, held in ids.items() if len(held) > 1}
        assert twice == {}
        # An ID is that of one press.
        assert sum(pressed.values()) == len(ids)
        return dict(pressed)


@asynccontextmanager
async def phones_at(
    cluster: Cluster, password: str, extensions: Iterable[str], key: str
) -> AsyncIterator[list[RawPhone]]:
    """Register phones at the edge; each has a key's look then."""
    async with AsyncExitStack() as stack:
        phones = [
            await stack.enter_async_context(
                RawPhone(cluster.address, it, password, through=cluster.address)
            )
            for it in extensions
        ]
        for phone in phones:
            # A bridge that comes is not ready at once.
            while (answer := await phone.register()).status == 503:  # noqa: ASYNC110
                await asyncio.sleep(PAUSE)
            assert answer.status == 200
            await phone.shows(key)
        yield phones
