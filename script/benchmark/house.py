"""A house of fifty phones, of each of which an automation flips 20 keys, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import gc
import statistics
from time import perf_counter
from typing import Any, override

from homeassistant.components.light import DATA_COMPONENT, ColorMode, LightEntity
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from script.benchmark.crowd import FIRST, Plan, crowd
from script.benchmark.home_assistant import home_assistant, set_up
from script.benchmark.phone import PASSWORD, keys_up_to
from script.benchmark.table import percentiles, show

PHONES = 50
EXTENSIONS = [f"{FIRST + number}" for number in range(PHONES)]
KEYS = 24
FLIPPED = 20
"""Keys of each phone that are flipped."""
TICK = 0.001
"""Seconds between two looks at the loop's lag."""
PAUSE = 0.5
"""Seconds between two flips; meanwhile the lag at rest is measured."""
PATIENCE = 10.0


class Countdown:
    """Sets a future when it has been counted down to zero."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._left = 0
        self._done: asyncio.Future[None] | None = None

    def start(self, number: int) -> asyncio.Future[None]:
        """Return a future that is done after this many counts."""
        self._left = number
        self._done = asyncio.get_running_loop().create_future()
        return self._done

    def count(self, number: int = 1) -> None:
        """Count down."""
        self._left -= number
        if self._done is not None and not self._left:
            self._done.set_result(None)


class PlainLight(LightEntity):
    """A light that has a state and drives nothing."""

    _attr_color_mode = ColorMode.ONOFF
    _attr_supported_color_modes = {ColorMode.ONOFF}
    _attr_should_poll = False
    _attr_is_on = False

    def __init__(self, number: int, written: Countdown) -> None:
        """Make a light that counts each state that it writes."""
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
    """The event loop's lag: by how much a timer that was due each millisecond was late.

    While the loop is blocked, each millisecond counts and not only the first. The times
    are therefore what an event waits that arrives at a random moment.
    """

    def __init__(self) -> None:
        """Measure from now on."""
        self.late: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + TICK
        self._timer = self._loop.call_at(self._due, self._tick)

    def stop(self) -> list[float]:
        """End the measurement; return the seconds by which each millisecond was late."""
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
    """What was measured during an action, or at rest."""

    seconds: float
    late: list[float]
    collected: bool
    """Whether a full garbage collection ran meanwhile."""
    documents: list[int] = field(default_factory=list)
    """The number of documents of each phone."""


async def span(act: Callable[[], asyncio.Future[None] | None]) -> Span:
    """Measure until the future of an action is done, or for `PAUSE` if it returns none."""

    def collections() -> int:
        return int(gc.get_stats()[-1]["collections"])

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
    have acknowledged all, or all states are written. For the phones, `seconds` ends
    when the last document arrives.
    """
    (entry,) = hass.config_entries.async_entries("snom_buttons")
    number = PHONES * FLIPPED
    countdown = Countdown()
    plan = Plan(port=port, count=PHONES, keys=KEYS, password=password)
    async with crowd(plan) as ask:
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
                    flipped.seconds = news.latest - begun
                    flipped.documents = news.documents
                measured[what].append(flipped)
    return measured


async def bench_house(rounds: int) -> None:
    """Many keys at once, against as many lights that only write their state.

    Flips with a full garbage collection are listed apart: it stops the whole process,
    and when it comes depends on all objects that are made.
    """
    async with home_assistant() as hass:
        keys = keys_up_to(KEYS)
        port, _ = await set_up(hass, *EXTENSIONS, keys=keys)
        measured = await measure(hass, port, PASSWORD, rounds)
    clean = {
        what: [it for it in spans if not it.collected] or spans
        for what, spans in measured.items()
    }

    def show_both(what: str, figures: Callable[[list[Span]], list[float]]) -> None:
        ours, floor = figures(clean["ours"]), figures(clean["floor"])
        show(what, shown(ours), shown(floor), f"{ours[0] / floor[0]:.1f} times")

    def shown(figures: list[float]) -> str:
        return " / ".join(f"{figure * 1000:.2f}" for figure in figures) + " ms"

    def seconds(spans: list[Span]) -> list[float]:
        times = [it.seconds for it in spans]
        return [statistics.median(times), max(times)]

    def lag(spans: list[Span]) -> list[float]:
        late = [time for it in spans for time in it.late]
        return [percentiles(late)[1] / 1000, max(late)]

    def longest(spans: list[Span]) -> list[float]:
        return [statistics.median(max(it.late) for it in spans)]

    show_both(f"{FLIPPED} keys of {PHONES} phones, p50 / max", seconds)
    show_both("loop's lag meanwhile, p99 / max", lag)
    show_both("longest lag of the median flip", longest)
    show("loop's lag at rest, p99 / max", shown(lag(clean["rest"])))
    documents = [count for it in measured["ours"] for count in it.documents]
    mean = statistics.mean(documents)
    print(f"  {mean:.1f} documents a phone, {max(documents)} at most")
    for what, spans in measured.items():
        if collected := [it for it in spans if it.collected]:
            slowest = max(it.seconds for it in collected) * 1000
            print(
                f"  {what}: full garbage collection in {len(collected)} of"
                f" {len(spans)}, which took {slowest:.0f} ms at most"
            )
