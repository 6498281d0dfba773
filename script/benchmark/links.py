"""Linked keys: how fast they show a state and act, and what they cost.

Each row has its floor in the same run, and where both act once a round, in turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from script.benchmark.crowd import Plan
from script.benchmark.home_assistant import home_assistant, set_up
from script.benchmark.house import (
    EXTENSIONS,
    FLIPPED,
    PHONES,
    Countdown,
    Flip,
    lights_of_keys,
    measure,
    plain_lights,
    show_flips,
)
from script.benchmark.latency import timed
from script.benchmark.phone import (
    LOCALHOST,
    PASSWORD,
    BarePhone,
    keys_up_to,
    press,
    registered,
)
from script.benchmark.table import percentiles, show, times_shown

FOLLOWED = "switch.followed"
DIRECT, LINKED, BY_LIGHT, BY_SET_KEY = 1, 2, 3, 4
"""Keys of the phone: a light, a linked one, and two lights that automations set."""
AUTOMATIONS = [
    {
        "alias": alias,
        "triggers": {"trigger": "state", "entity_id": f"switch.{alias}"},
        "actions": action,
    }
    for alias, action in {
        "by_light": {
            "action": "light.turn_{{ trigger.to_state.state }}",
            "target": {"entity_id": f"light.phone_44_key_number_{BY_LIGHT}"},
        },
        "by_set_key": {
            "action": "snom_buttons.set_key",
            "target": {"entity_id": f"light.phone_44_key_number_{BY_SET_KEY}"},
            "data": {"light": "{{ trigger.to_state.state }}"},
        },
    }.items()
]
UNRELATED = "sensor.unrelated"
WRITES = 2_000
"""State changes of an entity that no key follows, for one figure."""


async def bench_links(count: int, rounds: int, repetitions: int) -> None:
    """Time a linked key, a house of them, and states that no key follows."""
    await bench_one(count)
    await bench_many(rounds)
    await bench_unrelated(repetitions)


async def bench_one(count: int) -> None:
    """Time a state to its datagram, and a press to the call of an action."""
    loop = asyncio.get_running_loop()
    async with home_assistant() as hass:
        hass.states.async_set(FOLLOWED, "off")
        for automation in AUTOMATIONS:
            hass.states.async_set(f"switch.{automation['alias']}", "off")
        port, light = await set_up(hass, follows={f"{LINKED}": FOLLOWED})
        assert await async_setup_component(
            hass, "automation", {"automation": AUTOMATIONS}
        )
        (entry,) = hass.config_entries.async_entries("snom_buttons")
        peer = await registered(entry.runtime_data.server)
        transport, phone = await loop.create_datagram_endpoint(BarePhone, sock=peer)
        await timed(phone, lambda: None)  # the whole picture
        await hass.async_block_till_done()
        await bench_state(hass, phone, light, count)
        server = LOCALHOST, port
        await bench_press(hass, lambda data: transport.sendto(data, server), count)
        transport.close()


async def bench_state(
    hass: HomeAssistant, phone: BarePhone, light: str, count: int
) -> None:
    """Time a state to its datagram, beside `light.turn_on` and two automations."""

    async def turn(state: str) -> None:
        await hass.services.async_call(
            "light", f"turn_{state}", {"entity_id": light}, blocking=True
        )

    acts: dict[str, Callable[[str], Any]] = {
        "light": turn,
        "linked": partial(hass.states.async_set, FOLLOWED),
        "by light.turn_on": partial(hass.states.async_set, "switch.by_light"),
        "by set_key": partial(hass.states.async_set, "switch.by_set_key"),
    }
    times: dict[str, list[float]] = {what: [] for what in acts}
    # All keys are off, but for the light.
    await turn("off")
    await hass.async_block_till_done()
    for number in range(count):
        state = "off" if number % 2 else "on"
        for what, act in acts.items():
            times[what].append(await timed(phone, partial(act, state)))
            await hass.async_block_till_done()
    linked = times.pop("linked")
    for what, floor in times.items():
        show(
            f"state to datagram, beside {what}",
            times_shown(linked),
            times_shown(floor),
            compared(linked, floor),
        )


async def bench_press(
    hass: HomeAssistant, send: Callable[[bytes], None], count: int
) -> None:
    """Time a press to the call of the linked entity, beside a press to the bus."""
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[float]

    def hear(cause: ServiceCall | Event) -> None:
        if isinstance(cause, ServiceCall) or cause.data["key"] == f"{DIRECT}":
            heard.set_result(perf_counter())

    hass.bus.async_listen("snom_buttons_key_press", hear)
    hass.services.async_register("switch", "toggle", hear)
    times: dict[int, list[float]] = {DIRECT: [], LINKED: []}
    for number in range(count):
        for key, measured in times.items():
            heard = loop.create_future()
            begun = perf_counter()
            send(press(2 * number + key, key))
            measured.append(await heard - begun)
            await hass.async_block_till_done()
    ours, floor = times[LINKED], times[DIRECT]
    show(
        "press to the action's call, beside the bus",
        times_shown(ours),
        times_shown(floor),
        compared(ours, floor),
    )


async def bench_many(rounds: int) -> None:
    """Flip what a thousand keys follow, a thousand lights of keys, and plain lights."""
    number = PHONES * FLIPPED
    async with home_assistant() as hass:
        countdown = Countdown()
        assert await async_setup_component(hass, "light", {})
        followed = await plain_lights(hass, FLIPPED, Countdown())
        keys = keys_up_to(2 * FLIPPED)
        port, _ = await set_up(
            hass,
            *EXTENSIONS,
            keys=keys,
            follows={f"{key + FLIPPED + 1}": it for key, it in enumerate(followed)},
        )
        flips = {
            "linked": Flip(lights=followed),
            "direct": Flip(lights=lights_of_keys(1)),
            "floor": Flip(
                lights=await plain_lights(hass, number, countdown), on_phones=False
            ),
        }
        plan = Plan(port=port, count=PHONES, keys=len(keys), password=PASSWORD)
        measured = await measure(hass, plan, flips, countdown, rounds)
    show_flips(measured, {"linked": "linked keys", "direct": "lights of keys"})


async def bench_unrelated(repetitions: int) -> None:
    """Time states that no key follows, with a thousand linked keys set up and without."""
    followed = [f"switch.followed_{number}" for number in range(FLIPPED)]
    keys = keys_up_to(FLIPPED)
    with_links, without = [], []
    async with home_assistant() as hass:
        for entity_id in followed:
            hass.states.async_set(entity_id, "off")
        before = listeners(hass)
        await set_up(
            hass,
            *EXTENSIONS,
            keys=keys,
            follows={key.name: it for key, it in zip(keys, followed, strict=True)},
        )
        (entry,) = hass.config_entries.async_entries("snom_buttons")
        added = [now - then for now, then in zip(listeners(hass), before, strict=True)]
        for _ in range(repetitions):
            with_links += await writes(hass)
            await hass.config_entries.async_unload(entry.entry_id)
            without += await writes(hass)
            await hass.config_entries.async_setup(entry.entry_id)
    show(
        "state change that no key follows, p50 / p99",
        microseconds(with_links),
        microseconds(without),
        compared(with_links, without),
    )
    show(
        f"{PHONES * FLIPPED} keys that follow {FLIPPED}, listeners",
        "{} of states, {} by entity".format(*added),
    )


def listeners(hass: HomeAssistant) -> tuple[int, int]:
    """Return the number of listeners to all states, and of those to one entity each.

    Home Assistant has one listener to all states for all those of the second kind.
    """
    tracked = hass.data.get("track_state_change_data")
    return (
        hass.bus.async_listeners().get(EVENT_STATE_CHANGED, 0),
        sum(map(len, tracked.callbacks.values())) if tracked else 0,
    )


def microseconds(times: list[float]) -> str:
    """Return a column of median and 99th percentile in microseconds."""
    return " / ".join(f"{time * 1000:.1f}" for time in percentiles(times)) + " µs"


def compared(ours: list[float], floor: list[float]) -> str:
    """Return the ratios of the medians and of the 99th percentiles."""
    ratios = zip(percentiles(ours), percentiles(floor), strict=True)
    return " / ".join(f"{mine / other:.2f}" for mine, other in ratios) + " times"


async def writes(hass: HomeAssistant) -> list[float]:
    """Return the seconds that each of many state changes took."""
    times = []
    await hass.async_block_till_done()
    for number in range(WRITES):
        begun = perf_counter()
        hass.states.async_set(UNRELATED, f"{number}")
        times.append(perf_counter() - begun)
        if number % 100 == 0:
            await asyncio.sleep(0)
    return times
