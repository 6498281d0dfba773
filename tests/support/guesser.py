"""Asks for settings files with wrong secrets; a program that prints how often, and in how many seconds.

Run it with a URL, the seconds, and how many connections it has.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from time import monotonic

import aiohttp

AGENT = "Mozilla/4.0 (compatible; snomD735-SIP 10.1.33.33 2010.12 000413AABBCC)"


async def guess(url: str, seconds: float, connections: int) -> int:
    """Return the number of guesses; each must be answered 404."""
    until = monotonic() + seconds
    guesses = 0

    async def again(session: aiohttp.ClientSession) -> None:
        nonlocal guesses
        while monotonic() < until:
            path = f"/api/snom_buttons/settings/{secrets.token_urlsafe(16)}/"
            async with session.get(url + path) as answer:
                assert answer.status == 404
            guesses += 1

    async with aiohttp.ClientSession(headers={"User-Agent": AGENT}) as session:
        await asyncio.gather(*(again(session) for _ in range(connections)))
    return guesses


if __name__ == "__main__":
    begun = monotonic()
    sent = asyncio.run(guess(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
    sys.stdout.write(f"{sent} {monotonic() - begun}\n")
