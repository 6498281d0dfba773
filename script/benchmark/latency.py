"""Latency: from an action to the datagram, and from a press to the event on the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
import shutil
from time import perf_counter
from typing import Any

from homeassistant.core import Event, HomeAssistant
from homeassistant.setup import async_setup_component
from script.benchmark.home_assistant import home_assistant, set_up
from script.benchmark.phone import LOCALHOST, PRESS_BODY, BarePhone, press, registered
from script.benchmark.table import percentiles, show, times_shown


async def timed(phone: BarePhone, act: Callable[[], Any]) -> float:
    """Return the seconds from an action to the datagram that it leads to."""
    phone.came = asyncio.get_running_loop().create_future()
    begun = perf_counter()
    result = act()
    if asyncio.iscoroutine(result):
        await result
    async with asyncio.timeout(10):
        return await phone.came - begun


async def bench_latency(count: int, sipsak_count: int) -> None:
    """Time `light.turn_on` to the datagram, and a press's datagram to the bus event."""
    loop = asyncio.get_running_loop()
    async with home_assistant() as hass:
        port, light = await set_up(hass)

        # The socket registers first and then becomes the phone.
        (entry,) = hass.config_entries.async_entries("snom_buttons")
        peer = await registered(entry.runtime_data.server)
        transport, phone = await loop.create_datagram_endpoint(BarePhone, sock=peer)
        await timed(phone, lambda: None)  # the whole picture
        await hass.async_block_till_done()

        probe, prober = await loop.create_datagram_endpoint(
            BarePhone, local_addr=(LOCALHOST, 0)
        )
        address = probe.get_extra_info("sockname")
        bare = [
            await timed(prober, lambda: probe.sendto(PRESS_BODY, address))
            for _ in range(count)
        ]

        turned = []
        for number in range(count):
            action = "turn_off" if number % 2 else "turn_on"

            async def turn(action: str = action) -> None:
                await hass.services.async_call(
                    "light", action, {"entity_id": light}, blocking=True
                )

            turned.append(await timed(phone, turn))
            await hass.async_block_till_done()

        pressed = []
        heard: asyncio.Future[float]

        def hear(_: Event) -> None:
            heard.set_result(perf_counter())

        hass.bus.async_listen("snom_buttons_key_press", hear)
        for number in range(count):
            heard = loop.create_future()
            begun = perf_counter()
            transport.sendto(press(number), (LOCALHOST, port))
            pressed.append(await heard - begun)
            await hass.async_block_till_done()

        for what, times in (
            ("light.turn_on to datagram, p50 / p99", turned),
            ("press datagram to bus event, p50 / p99", pressed),
        ):
            factor = percentiles(times)[0] / percentiles(bare)[0]
            show(what, times_shown(times), times_shown(bare), f"{factor:.1f} times")

        await bench_sipsak(
            hass, phone, address=peer.getsockname(), count=sipsak_count, ours=turned
        )
        probe.close()
        transport.close()


async def bench_sipsak(
    hass: HomeAssistant,
    phone: BarePhone,
    *,
    address: tuple[str, int],
    count: int,
    ours: list[float],
) -> None:
    """Time a lamp that a shell_command lights by sipsak, as without this integration."""
    sipsak = shutil.which("sipsak")
    what = "the same by shell_command and sipsak"
    if sipsak is None:
        show(what, "sipsak is missing")
        return
    host, port = address
    body = "k=1\r\nc=on\r\n"
    message = Path(hass.config.config_dir) / "led.txt"
    message.write_bytes(
        f"MESSAGE sip:44@{host} SIP/2.0\r\n"
        f"From: <sip:sipsak@{host}>;tag=38473\r\n"
        f"To: <sip:44@{host}>\r\n"
        "Call-ID: 6algjorv@test\r\n"
        "CSeq: 59620 MESSAGE\r\n"
        "Max-Forwards: 70\r\n"
        "Subject: buttons\r\n"
        "Content-Type: application/x-buttons\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    command = f"{sipsak} -s sip:44@{host}:{port} --filename {message}"
    assert await async_setup_component(
        hass, "shell_command", {"shell_command": {"led": command}}
    )

    async def call() -> None:
        await hass.services.async_call("shell_command", "led", blocking=True)

    times = [await timed(phone, call) for _ in range(count)]
    factor = percentiles(times)[0] / percentiles(ours)[0]
    show(what, times_shown(times), times_shown(ours), f"{factor:.0f} times")
