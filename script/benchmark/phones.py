"""Phones that register at once, the time and the memory; and a restart of their server."""

from __future__ import annotations

import asyncio
import gc
import socket
import statistics
from time import perf_counter
import tracemalloc

from custom_components.snom_buttons.engine.phones import (
    KeySetup,
    PhoneServer,
    PhoneSetup,
    ServerSettings,
    Speakers,
)
from custom_components.snom_buttons.engine.xbuttons import Action, KeyDescription
from script.benchmark.crowd import (
    FIRST,
    PATIENCE,
    News,
    Plan,
    Registered,
    crowd,
    register_crowd,
)
from script.benchmark.phone import LOCALHOST, PASSWORD
from script.benchmark.table import show

KEYS = 24
SETUPS = tuple(
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


def server_of(
    count: int, port: int = 0, speakers: Speakers = Speakers.AUTOMATIC
) -> PhoneServer:
    """Return a server with this many phones that is not started."""
    server = PhoneServer(
        ServerSettings(host=LOCALHOST, port=port, realm="ha", advertised_host=LOCALHOST)
    )
    for number in range(count):
        server.add_phone(
            PhoneSetup(
                extension=f"{FIRST + number}",
                password=PASSWORD,
                keys=SETUPS,
                speakers=speakers,
            )
        )
    return server


async def serve(count: int, *, traced: bool) -> tuple[Registered, float, float]:
    """Return what the phones measured, and KiB per phone: at the end, and at most."""
    gc.collect()
    if traced:
        tracemalloc.start()
    server = server_of(count)
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


async def all_in_sync(server: PhoneServer) -> None:
    """Return when all phones have acknowledged all their keys."""
    async with asyncio.timeout(PATIENCE):
        while not all(phone.in_sync for phone in server.phones.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def send_bare(flows: list[tuple[str, int]], like: News) -> float:
    """Send as many datagrams of the same size from a bare socket; return when it began.

    All of them have been acknowledged when it returns.
    """
    loop = asyncio.get_running_loop()
    number = sum(like.documents)
    datagram = b"MESSAGE".ljust(like.size // number)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bare:
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * 1024)
        bare.bind((LOCALHOST, 0))
        bare.setblocking(False)
        begun = perf_counter()
        for flow, documents in zip(flows, like.documents, strict=True):
            for _ in range(documents):
                await loop.sock_sendto(bare, datagram, flow)
        async with asyncio.timeout(PATIENCE):
            for _ in range(number):
                await loop.sock_recv(bare, 65536)
    return begun


async def bench_restart(count: int, rounds: int) -> None:
    """Restart the server of registered phones: from `restore` until all know their keys.

    The old server sends nothing when it stops, and no phone registers again. The floor
    is as many datagrams of the same size to the same phones, which acknowledge them too.
    """
    server = server_of(count)
    await server.start()
    port = server.address[1]
    plan = Plan(port=port, count=count, keys=KEYS, password=PASSWORD)
    ours, floor = [], []
    async with crowd(plan) as ask:
        for _ in range(rounds):
            await all_in_sync(server)
            snapshot = server.snapshot()
            await server.stop()
            await ask()
            server = server_of(count, port)
            begun = perf_counter()
            server.restore(snapshot)
            await server.start()
            await all_in_sync(server)
            news = await ask()
            assert news.whole is not None, "a phone lacks keys"
            ours.append(news.whole - begun)

            bindings = [phone["bindings"] for phone in snapshot["phones"].values()]
            flows = [(it["flow"][1], it["flow"][2]) for (it,) in bindings]
            begun = await send_bare(flows, news)
            floor.append((await ask()).latest - begun)
    await server.stop()

    def shown(times: list[float]) -> str:
        return f"{statistics.median(times) * 1000:.1f} / {max(times) * 1000:.1f} ms"

    show(
        f"restart to whole picture, {count} phones",
        shown(ours),
        shown(floor),
        f"{statistics.median(ours) / statistics.median(floor):.1f} times",
    )
