"""A house of fifty phones, of each of which an automation flips 20 keys, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import gc
import statistics
from time import perf_counter, process_time
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
    busy: float
    """Seconds of a processor that this process used."""
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
    begun, used = perf_counter(), process_time()
    if (done := act()) is not None:
        async with asyncio.timeout(PATIENCE):
            await done
    else:
        await asyncio.sleep(PAUSE)
    return Span(
        seconds=perf_counter() - begun,
        busy=process_time() - used,
        late=lag.stop(),
        collected=collections() > before,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """What an automation toggles at once, and what comes of it."""

    lights: list[str]
    """The entity IDs of the lights that are toggled."""
    on_phones: bool = True
    """Whether `PHONES * FLIPPED` keys of phones change, and not as many plain lights."""


async def plain_lights(
    hass: HomeAssistant, number: int, countdown: Countdown
) -> list[str]:
    """Add lights of Home Assistant; return their entity IDs."""
    known = len(hass.states.async_entity_ids("light"))
    lights = [PlainLight(known + index, countdown) for index in range(number)]
    await hass.data[DATA_COMPONENT].async_add_entities(lights)
    return [light.entity_id for light in lights]


async def measure(
    hass: HomeAssistant,
    plan: Plan,
    flips: dict[str, Flip],
    countdown: Countdown,
    rounds: int,
) -> dict[str, list[Span]]:
    """Flip each in turn, and measure also the time at `rest`.

    Each flip is measured from the event that triggers the automation until all phones
    have acknowledged all, or all states are written. For the phones, `seconds` ends
    when the last document arrives.
    """
    (entry,) = hass.config_entries.async_entries("snom_buttons")
    async with crowd(plan) as ask:
        await hass.async_block_till_done()
        for phone in entry.runtime_data.server.phones.values():
            phone.taken.subscribe(lambda keys: countdown.count(len(keys)))
        automations = [
            {
                "alias": what,
                "triggers": {"trigger": "event", "event_type": f"flip_{what}"},
                "actions": {
                    "action": "light.toggle",
                    "target": {"entity_id": flip.lights},
                },
            }
            for what, flip in flips.items()
        ]
        assert await async_setup_component(
            hass, "automation", {"automation": automations}
        )

        def fire(what: str) -> asyncio.Future[None]:
            done = countdown.start(PHONES * FLIPPED)
            hass.bus.async_fire(f"flip_{what}")
            return done

        measured: dict[str, list[Span]] = {what: [] for what in (*flips, "rest")}
        for _ in range(rounds):
            for what, flip in flips.items():
                await hass.async_block_till_done()
                measured["rest"].append(await span(lambda: None))
                await ask()
                begun = perf_counter()
                flipped = await span(lambda what=what: fire(what))  # type: ignore[misc]
                if flip.on_phones:
                    news = await ask()
                    flipped.seconds = news.latest - begun
                    flipped.documents = news.documents
                measured[what].append(flipped)
    return measured


def lights_of_keys(first: int) -> list[str]:
    """Return the lights of `FLIPPED` keys of each phone, from this key on."""
    return [
        f"light.phone_{extension}_key_number_{key}"
        for extension in EXTENSIONS
        for key in range(first, first + FLIPPED)
    ]


def show_flips(measured: dict[str, list[Span]], names: dict[str, str]) -> None:
    """Print what was measured of each of `names` beside the floor.

    Flips with a full garbage collection are listed apart: it stops the whole process,
    and when it comes depends on all objects that are made.
    """
    clean = {
        what: [it for it in spans if not it.collected] or spans
        for what, spans in measured.items()
    }

    def show_both(
        row: str, what: str, figures: Callable[[list[Span]], list[float]]
    ) -> None:
        ours, floor = figures(clean[what]), figures(clean["floor"])
        show(row, shown(ours), shown(floor), f"{ours[0] / floor[0]:.2f} times")

    def shown(figures: list[float]) -> str:
        return " / ".join(f"{figure * 1000:.2f}" for figure in figures) + " ms"

    def seconds(spans: list[Span]) -> list[float]:
        times = [it.seconds for it in spans]
        return [statistics.median(times), max(times)]

    def busy(spans: list[Span]) -> list[float]:
        times = [it.busy for it in spans]
        return [statistics.median(times), max(times)]

    def lag(spans: list[Span]) -> list[float]:
        late = [time for it in spans for time in it.late]
        return [percentiles(late)[1] / 1000, max(late)]

    def longest(spans: list[Span]) -> list[float]:
        return [statistics.median(max(it.late) for it in spans)]

    for what, name in names.items():
        show_both(f"{FLIPPED} {name} of {PHONES} phones, p50 / max", what, seconds)
        show_both("processor time of it, p50 / max", what, busy)
        show_both("loop's lag meanwhile, p99 / max", what, lag)
        show_both("longest lag of the median flip", what, longest)
        documents = [count for it in measured[what] for count in it.documents]
        mean = statistics.mean(documents)
        print(f"  {mean:.1f} documents a phone, {max(documents)} at most")
    show("loop's lag at rest, p99 / max", shown(lag(clean["rest"])))
    for what, spans in measured.items():
        if collected := [it for it in spans if it.collected]:
            slowest = max(it.seconds for it in collected) * 1000
            print(
                f"  {what}: full garbage collection in {len(collected)} of"
                f" {len(spans)}, which took {slowest:.0f} ms at most"
            )


async def bench_house(rounds: int) -> None:
    """Many keys at once, against as many lights that only write their state."""
    async with home_assistant() as hass:
        port, _ = await set_up(hass, *EXTENSIONS, keys=keys_up_to(KEYS))
        countdown = Countdown()
        flips = {
            "ours": Flip(lights=lights_of_keys(1)),
            "floor": Flip(
                lights=await plain_lights(hass, PHONES * FLIPPED, countdown),
                on_phones=False,
            ),
        }
        plan = Plan(port=port, count=PHONES, keys=KEYS, password=PASSWORD)
        measured = await measure(hass, plan, flips, countdown, rounds)
    show_flips(measured, {"ours": "keys"})
