"""A house of fifty phones, of each of which an automation flips 20 keys, all at once.

The phones are a process of their own, so that their work does not count as ours: it is
this script with the arguments of `connect` as JSON. For each line that it reads it says
what has come since the last. On Linux both processes read one clock, `perf_counter`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import gc
import json
from pathlib import Path
import sys
from time import perf_counter
from typing import Any, override

sys.path.insert(0, str(Path(__file__).parent.parent))

from homeassistant.components.light import DATA_COMPONENT, ColorMode, LightEntity
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from script.bench_phones import connect

PHONES = 50
EXTENSIONS = [f"{1000 + number}" for number in range(PHONES)]
"""As `connect` numbers them."""
KEYS = 24
FLIPPED = 20
"""Keys of each phone that are flipped."""
TICK = 0.001
PAUSE = 0.5
"""Seconds between two flips; meanwhile the lag at rest is measured."""
PATIENCE = 10.0


# The phones


async def play(plan: dict[str, Any]) -> None:
    """Be the phones until nobody asks any more."""
    phones = await connect(**plan)
    assert all(phone.done.done() for phone in phones), "not all are registered"
    print(flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        documents = [phone.documents for phone in phones]
        latest = max(phone.latest for phone in phones)
        print(json.dumps({"documents": documents, "latest": latest}), flush=True)
        for phone in phones:
            phone.documents = 0


@asynccontextmanager
async def playing(plan: dict[str, Any]) -> AsyncIterator[Callable[[], Any]]:
    """Have the phones registered; yield what asks them for what came since."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        json.dumps(plan),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin and process.stdout
    stdin, stdout = process.stdin, process.stdout

    async def ask() -> dict[str, Any]:
        stdin.write(b"\n")
        news: dict[str, Any] = json.loads(await stdout.readline())
        return news

    try:
        assert await stdout.readline(), "the phones failed"
        yield ask
    finally:
        stdin.close()
        await process.wait()


# Home Assistant


class Countdown:
    """Has a future done when something has happened often enough."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._left = 0
        self._done: asyncio.Future[None] | None = None

    def start(self, number: int) -> asyncio.Future[None]:
        """Count from now on."""
        self._left = number
        self._done = asyncio.get_running_loop().create_future()
        return self._done

    def count(self, number: int = 1) -> None:
        """Note that it has happened."""
        self._left -= number
        if self._done is not None and not self._left:
            self._done.set_result(None)


class PlainLight(LightEntity):
    """A light that is nothing but its state."""

    _attr_color_mode = ColorMode.ONOFF
    _attr_supported_color_modes = {ColorMode.ONOFF}
    _attr_should_poll = False
    _attr_is_on = False

    def __init__(self, number: int, written: Countdown) -> None:
        """Make one that counts when it has written its state."""
        self._attr_name = self._attr_unique_id = f"Plain {number}"
        self._written = written

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn on."""
        self._write(is_on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Turn off."""
        self._write(is_on=False)

    def _write(self, *, is_on: bool) -> None:
        self._attr_is_on = is_on
        self.async_write_ha_state()
        self._written.count()


class Lag:
    """Notes of each millisecond how long after it the loop came to what was due then.

    While the loop is held up each millisecond counts, not only the first. So these are
    the times that something waits which comes at any time.
    """

    def __init__(self) -> None:
        """Begin now."""
        self.late: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + TICK
        self._timer = self._loop.call_at(self._due, self._tick)

    def stop(self) -> list[float]:
        """Return the seconds by which each millisecond was late."""
        self._timer.cancel()
        self._note()
        return self.late

    def _tick(self) -> None:
        self._note()
        self._timer = self._loop.call_at(self._due, self._tick)

    def _note(self) -> None:
        now = self._loop.time()
        while self._due <= now:
            self.late.append(now - self._due)
            self._due += TICK


@dataclass(slots=True, kw_only=True)
class Span:
    """What was measured while something went on."""

    seconds: float
    late: list[float]
    collected: bool
    """Whether Python went through all objects meanwhile, for what is garbage."""
    documents: list[int] = field(default_factory=list)
    """How many each phone got."""


async def span(act: Callable[[], asyncio.Future[None] | None]) -> Span:
    """Measure until what an action returns is done, or while nothing happens."""

    def collections() -> int:
        return gc.get_stats()[-1]["collections"]

    before = collections()
    lag = Lag()
    begun = perf_counter()
    if (done := act()) is not None:
        async with asyncio.timeout(PATIENCE):
            await done
    else:
        await asyncio.sleep(PAUSE)
    seconds = perf_counter() - begun
    return Span(seconds=seconds, late=lag.stop(), collected=collections() > before)


async def measure(
    hass: HomeAssistant, port: int, password: str, rounds: int
) -> dict[str, list[Span]]:
    """Flip keys of the phones, and as many plain lights, in turn.

    Each flip is measured from the event that triggers the automation until all phones
    have acknowledged all, or all states are written. Of the phones `seconds` is the
    time until the last document came to them.
    """
    (entry,) = hass.config_entries.async_entries("snom_buttons")
    number = PHONES * FLIPPED
    countdown = Countdown()
    plan = {"port": port, "count": PHONES, "keys": KEYS, "password": password}
    async with playing(plan) as ask:
        await hass.async_block_till_done()
        for phone in entry.runtime_data.server.phones.values():
            phone.taken.subscribe(lambda keys: countdown.count(len(keys)))
        plain = [PlainLight(index, countdown) for index in range(number)]
        await hass.data[DATA_COMPONENT].async_add_entities(plain)
        lights = {
            "ours": [
                f"light.phone_{extension}_key_number_{key}"
                for extension in EXTENSIONS
                for key in range(1, FLIPPED + 1)
            ],
            "floor": [light.entity_id for light in plain],
        }
        automations = [
            {
                "alias": what,
                "triggers": {"trigger": "event", "event_type": f"flip_{what}"},
                "actions": {
                    "action": "light.toggle",
                    "target": {"entity_id": entity_ids},
                },
            }
            for what, entity_ids in lights.items()
        ]
        assert await async_setup_component(
            hass, "automation", {"automation": automations}
        )

        def flip(what: str) -> asyncio.Future[None]:
            done = countdown.start(number)
            hass.bus.async_fire(f"flip_{what}")
            return done

        measured: dict[str, list[Span]] = {"ours": [], "floor": [], "rest": []}
        for _ in range(rounds):
            for what in lights:
                await hass.async_block_till_done()
                measured["rest"].append(await span(lambda: None))
                await ask()
                begun = perf_counter()
                flipped = await span(lambda what=what: flip(what))  # type: ignore[misc]
                if what == "ours":
                    news = await ask()
                    flipped.seconds = news["latest"] - begun
                    flipped.documents = news["documents"]
                measured[what].append(flipped)
    return measured


if __name__ == "__main__":
    asyncio.run(play(json.loads(sys.argv[1])))
