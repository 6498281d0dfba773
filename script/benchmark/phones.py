"""Phones that register at once: ten, a hundred, a thousand; the time and the memory."""

from __future__ import annotations

import gc
import tracemalloc

from custom_components.snom_buttons.engine.phones import (
    KeySetup,
    PhoneServer,
    PhoneSetup,
    ServerSettings,
)
from custom_components.snom_buttons.engine.xbuttons import Action, KeyDescription
from script.benchmark.crowd import FIRST, Plan, Registered, register_crowd
from script.benchmark.phone import LOCALHOST, PASSWORD

KEYS = 24


async def serve(count: int, *, traced: bool) -> tuple[Registered, float, float]:
    """Return what the phones measured, and KiB per phone: at the end, and at most."""
    keys = tuple(
        KeySetup(
            off=KeyDescription(
                name=f"{number}",
                action=Action.MESSAGE,
                number=f"key{number}",
                label=f"Key number {number}",
            )
        )
        for number in range(1, KEYS + 1)
    )
    gc.collect()
    if traced:
        tracemalloc.start()
    server = PhoneServer(
        ServerSettings(host=LOCALHOST, port=0, realm="ha", advertised_host=LOCALHOST)
    )
    for number in range(count):
        server.add_phone(
            PhoneSetup(extension=f"{FIRST + number}", password=PASSWORD, keys=keys)
        )
    await server.start()
    port = server.address[1]
    plan = Plan(port=port, count=count, keys=KEYS, password=PASSWORD)
    registered = await register_crowd(plan)
    used = most = 0
    if traced:
        gc.collect()
        used, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    in_sync = sum(phone.in_sync for phone in server.phones.values())
    await server.stop()
    assert registered.complete == in_sync == count, (registered, in_sync)
    return registered, used / count / 1024, most / count / 1024


async def bench_phones(counts: tuple[int, ...]) -> None:
    """Print how long it takes until all phones show their keys, and the memory."""
    for count in counts:
        registered, _, _ = await serve(count, traced=False)
        _, used, most = await serve(count, traced=True)
        seconds = registered.seconds
        print(
            f"{count:>6,} phones of {KEYS} keys at once: {seconds:.2f} s until all show"
            f" their keys ({seconds / count * 1000:.1f} ms each), {registered.repeated}"
            f" REGISTERs sent again, none lost; {used:.1f} KiB a phone,"
            f" at most {most:.1f}",
            flush=True,
        )
