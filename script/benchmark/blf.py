"""Phones of BLF keys that subscribe at once, as after a power cut, and their lamps afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import replace
import gc
from itertools import product
import statistics
from time import perf_counter, process_time
import tracemalloc
from typing import NamedTuple

from custom_components.snom_buttons.engine.phones import PhoneServer, Speakers
from custom_components.snom_buttons.engine.sip import TIMER_J
from custom_components.snom_buttons.engine.xbuttons import LightMode
from script.benchmark.crowd import PATIENCE, Plan, Registered, crowd, register_crowd
from script.benchmark.phone import PASSWORD
from script.benchmark.phones import KEYS, all_in_sync, server_of
from script.benchmark.table import show


async def taken(server: PhoneServer) -> None:
    """Return when all phones have acknowledged the newest look of all their keys."""
    async with asyncio.timeout(PATIENCE):
        for phone in server.phones.values():
            while not all(phone.has_taken(key) for key in phone.keys):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


class Subscribed(NamedTuple):
    """What it took until all phones had subscribed to their keys."""

    registered: Registered
    processor: float
    """Seconds of the server's process."""
    memory: float
    """KiB a phone when all transactions have ended, if it is traced."""


PAUSE = 0.1
"""Seconds after which phones subscribe that take their time: all have registered by then,
and subscribe together. Those that do so without delay subscribe one after the other, since
their REGISTERs are answered one after the other."""


async def subscribe(
    count: int, subscribed: int, *, pause: float = 0.0, traced: bool = False
) -> Subscribed:
    """Let phones register at once, and subscribe to their keys after a pause."""
    gc.collect()
    if traced:
        tracemalloc.start()
    server = server_of(count, speakers=Speakers.BLF)
    await server.start()
    plan = Plan(
        port=server.address[1],
        count=count,
        keys=KEYS,
        password=PASSWORD,
        subscribed=subscribed,
        pause=pause,
    )
    begun = process_time()
    registered = await register_crowd(plan)
    processor = process_time() - begun
    used = 0
    if traced:
        await asyncio.sleep(TIMER_J + 1)  # the transactions end
        gc.collect()
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    held = sum(len(server._notifier.subscriptions(name)) for name in server.phones)  # noqa: SLF001
    in_sync = sum(phone.in_sync for phone in server.phones.values())
    await server.stop()
    assert registered.complete == count, registered
    assert held == count * subscribed, (held, registered)
    assert in_sync == (count if subscribed == KEYS else 0)
    return Subscribed(registered, processor, used / count / 1024)


async def bench_power_cut(counts: tuple[int, ...]) -> None:
    """Print how long it takes until all lamps of all phones have their state."""
    for pause, count in product((0.0, PAUSE), counts):
        registered, processor, _ = await subscribe(count, KEYS, pause=pause)
        seconds = registered.seconds
        print(
            f"{count:>6,} phones subscribe to {KEYS} keys {pause} s after they have"
            f" registered: {seconds:.2f} s until all lamps have their state"
            f" ({seconds / count * 1000:.1f} ms a phone, of the server's processor"
            f" {processor / count * 1000:.1f} ms), {registered.repeated} requests of"
            f" phones and {registered.again} NOTIFYs sent again, no subscription lost",
            flush=True,
        )
    count = counts[0]
    without = (await subscribe(count, 0, traced=True)).memory
    used = (await subscribe(count, KEYS, traced=True)).memory
    print(
        f"{without:.1f} KiB a phone without subscriptions, {used:.1f} with {KEYS}:"
        f" {(used - without) / KEYS * 1024:,.0f} bytes a subscription",
        flush=True,
    )


class Flips(NamedTuple):
    """What it took to change all lamps of all phones at once."""

    seconds: float
    """Median of the time until the last phone had the last lamp."""
    longest: float
    sent: float
    """Requests to a phone."""
    size: float
    """Bytes of all requests to a phone."""


def flip(server: PhoneServer, light: LightMode) -> None:
    """Change all lamps of all phones in one turn of the loop."""
    for phone in server.phones.values():
        for key in phone.keys.values():
            key.show(replace(key.look, light=light))


async def flips(count: int, rounds: int, subscribed: int | None) -> Flips:
    """Return what changing all lamps takes by documents, or by NOTIFYs."""
    speakers = Speakers.AUTOMATIC if subscribed is None else Speakers.BLF
    server = server_of(count, speakers=speakers)
    await server.start()
    plan = Plan(
        port=server.address[1],
        count=count,
        keys=KEYS,
        password=PASSWORD,
        subscribed=subscribed,
    )
    times, sent, size = [], [], []
    async with crowd(plan) as ask:
        for number in range(rounds):
            await all_in_sync(server)
            await ask()
            begun = perf_counter()
            flip(server, LightMode.ON if number % 2 == 0 else LightMode.OFF)
            await taken(server)
            news = await ask()
            assert news.whole is not None, "a phone lacks keys"
            times.append(news.whole - begun)
            sent.append(sum(news.documents) / count)
            size.append(news.size / count)
    await server.stop()
    return Flips(
        statistics.median(times),
        max(times),
        statistics.median(sent),
        statistics.median(size),
    )


async def bench_lamps(count: int, rounds: int) -> None:
    """Print how long it takes to change all lamps by NOTIFYs, with documents as floor."""
    blf = await flips(count, rounds, KEYS)
    documents = await flips(count, rounds, None)

    def shown(each: Flips) -> str:
        return (
            f"{each.seconds * 1000:.0f} / {each.longest * 1000:.0f} ms,"
            f" {each.sent:.1f} requests and {each.size / 1024:.1f} KiB a phone"
        )

    show(
        f"{count} phones, all {KEYS} lamps of each, by NOTIFYs and by documents",
        shown(blf),
        shown(documents),
        f"{blf.seconds / documents.seconds:.1f} times",
    )
