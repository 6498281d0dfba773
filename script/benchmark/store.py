"""What it costs to store a change, beside one file of all phones that is written at once.

A label, or a lamp, of one phone changes each second, for an hour of the event loop's
clock, which jumps. Bytes are those of the files; a file system writes more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
import statistics
from time import perf_counter
from typing import Any
from unittest.mock import patch

from custom_components.snom_buttons.engine.phones import Key
from custom_components.snom_buttons.engine.sip import Flow
from custom_components.snom_buttons.hub.store import PartStore
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import prepare_save_json
from script.benchmark.crowd import FIRST
from script.benchmark.home_assistant import home_assistant, set_up
from script.benchmark.phone import LOCALHOST, keys_up_to
from script.benchmark.table import show
from tests.support.bindings import bind
from tests.support.clock import hurrying

KEYS = 24
HOUR = 60 * 60
DAY = 24 * HOUR
ONE_FILE = 1.1
"""Seconds between two writes of one file for all phones, a second after a change."""


def change_label(key: Key, second: int) -> None:
    """Change nothing but the label of a key."""
    key.show(replace(key.look, label=f"{second} W"))


def change_lamp(key: Key, second: int) -> None:
    """Turn a key on or off."""
    key.turn(second % 2 == 0)


CHANGES: dict[str, Callable[[Key, int], None]] = {
    "a label": change_label,
    "a lamp": change_lamp,
}


def milliseconds(snapshot: Callable[[], dict[str, Any]]) -> float:
    """Return the median time that a snapshot and its JSON take."""
    times = []
    for _ in range(21):
        begun = perf_counter()
        prepare_save_json(snapshot())
        times.append(perf_counter() - begun)
    return statistics.median(times) * 1000


async def written_in_an_hour(
    hass: HomeAssistant, key: Key, change: Callable[[Key, int], None]
) -> int:
    """Return the bytes that are written while a key changes each second."""
    written = 0

    async def count(_store: PartStore, data: dict[str, Any]) -> None:
        nonlocal written
        # Not written: the clock does not wait for a thread.
        written += len(prepare_save_json(data)[1])

    with patch.object(PartStore, "_async_write_data", count), hurrying(hass.loop):
        await asyncio.sleep(HOUR)  # all that has changed before is written
        written = 0
        for second in range(HOUR):
            change(key, second)
            await asyncio.sleep(1)
    return written


async def bench_store(counts: tuple[int, ...]) -> None:
    """Print milliseconds a snapshot, and megabytes a day."""
    for count in counts:
        async with home_assistant() as hass:
            await bench_store_of(hass, count)


async def bench_store_of(hass: HomeAssistant, count: int) -> None:
    """Print the same for one number of phones."""
    extensions = [f"{FIRST + number}" for number in range(count)]
    await set_up(hass, *extensions, keys=keys_up_to(KEYS))
    (entry,) = hass.config_entries.async_entries("snom_buttons")
    server = entry.runtime_data.server
    for port, extension in enumerate(extensions, 2048):
        flow = Flow("UDP", LOCALHOST, port)
        bind(server._location, flow, user=extension)  # noqa: SLF001
    ours = milliseconds(lambda: server.phone_snapshot(extensions[0]))
    whole = milliseconds(server.snapshot)
    show(
        f"a snapshot, {count} phones",
        f"{ours:.2f} ms",
        f"{whole:.2f} ms",
        f"{ours / whole:.3f} times",
    )
    before = len(prepare_save_json(server.snapshot())[1]) * DAY / ONE_FILE / 1e6
    key = server.phones[extensions[0]].keys["1"]
    for what, change in CHANGES.items():
        now = await written_in_an_hour(hass, key, change) * DAY / HOUR / 1e6
        show(
            f"{what} a second, {count} phones, a day",
            f"{now:.1f} MB",
            f"{before:,.0f} MB",
            f"1 / {before / now:,.0f}",
        )
