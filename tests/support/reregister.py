"""Ten contacts of one phone that register again and again, as a program.

It prints how many registrations were tried, in how many seconds.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
import sys
from time import monotonic

from .besieged import PASSWORD
from .rawphone import RawPhone

CONTACTS = 10


async def reregister(
    server: tuple[str, int], seconds: float, extension: str
) -> tuple[int, float]:
    """Register for some seconds; return the number of registrations and the seconds."""
    begun = monotonic()
    tried = 0

    async def go_on(contact: RawPhone) -> None:
        nonlocal tried
        while True:
            tried += 1
            await contact.register()

    async with AsyncExitStack() as stack:
        contacts = [
            await stack.enter_async_context(RawPhone(server, extension, PASSWORD))
            for _ in range(CONTACTS)
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for contact in contacts:
                    group.create_task(go_on(contact))
    return tried, monotonic() - begun


if __name__ == "__main__":
    host, port, seconds, extension = sys.argv[1:]
    tried, took = asyncio.run(reregister((host, int(port)), float(seconds), extension))
    sys.stdout.write(f"{tried} {took}\n")
