"""A hundred strangers that send long requests by TCP as fast as they are read, as a program.

It prints how many requests were sent, in how many seconds.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
import sys
from time import monotonic

from .messages import LONG
from .stranger import connect

BY_TCP = LONG.replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n")
CONNECTIONS = 180
RETRY = 0.1


async def clamour(server: tuple[str, int], seconds: float) -> int:
    """Send for some seconds; return how many requests were sent."""
    sent = 0

    async def send(host: str) -> None:
        nonlocal sent
        while True:
            with suppress(OSError):
                _, writer = await connect(server, host)
                while not writer.is_closing():
                    writer.write(BY_TCP)
                    await writer.drain()
                    sent += 1
            await asyncio.sleep(RETRY)

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for number in range(CONNECTIONS):
                group.create_task(send(f"127.0.7.{number % 100 + 1}"))
    return sent


if __name__ == "__main__":
    begun = monotonic()
    host, port, seconds = sys.argv[1:]
    sent = asyncio.run(clamour((host, int(port)), float(seconds)))
    sys.stdout.write(f"{sent} {monotonic() - begun}\n")
