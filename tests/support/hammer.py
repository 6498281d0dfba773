"""Registered phones that press a key, or subscribe to it, far too often, as a program.

It prints how many requests were sent, in how many seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
import sys
from time import monotonic

from .besieged import PASSWORD
from .rawphone import RawPhone

TICK = 0.01


PRESS = "k=1\r\na=message\r\n"


def press(
    phone: RawPhone,
    number: int,
    body: str = PRESS,
    content_type: str = "application/x-buttons",
) -> bytes:
    """Return a press that no other one equals."""
    lines = (
        f"MESSAGE sip:{phone.extension}@{phone.host} SIP/2.0",
        f"Via: SIP/2.0/{phone.transport} {phone.address};branch=z9hG4bK{number:016x};rport",
        f'From: "{phone.extension}" <sip:{phone.extension}@{phone.host}>;tag={number:x}',
        f"To: <sip:key1@{phone.host}>",
        f"Call-ID: {number:x}-{phone.extension}",
        f"CSeq: {number} MESSAGE",
        "Max-Forwards: 70",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", body)).encode()


def subscribe(phone: RawPhone, number: int) -> bytes:
    """Return the first request of a subscription that no other one equals."""
    lines = (
        f"SUBSCRIBE sip:1@{phone.host} SIP/2.0",
        f"Via: SIP/2.0/{phone.transport} {phone.address};branch=z9hG4bK{number:016x};rport",
        f"From: <sip:{phone.extension}@{phone.host}>;tag={number:x}",
        f"To: <sip:1@{phone.host}>",
        f"Call-ID: {number:x}-{phone.extension}",
        f"CSeq: {number} SUBSCRIBE",
        "Max-Forwards: 70",
        f"Contact: <sip:{phone.extension}@{phone.address}>",
        "Event: dialog",
        "Expires: 3600",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()


async def hammer(
    request: Callable[[RawPhone, int], bytes],
    server: tuple[str, int],
    rate: float,
    seconds: float,
    extensions: list[str],
) -> None:
    async with AsyncExitStack() as stack:
        phones = []
        for extension in extensions:
            phone = RawPhone(server, extension, PASSWORD)
            phones.append(await stack.enter_async_context(phone))
            assert (await phone.register()).status == 200
            await phone.shows("4")
        begun = monotonic()
        sent = 0
        while (took := monotonic() - begun) < seconds:
            while sent < took * rate * len(phones):
                phone = phones[sent % len(phones)]
                phone._transport.sendto(request(phone, sent), server)
                sent += 1
            await asyncio.sleep(TICK)
        sys.stdout.write(f"{sent} {took}\n")


if __name__ == "__main__":
    what, host, port, rate, seconds, *extensions = sys.argv[1:]
    request = {"press": press, "subscribe": subscribe}[what]
    server = (host, int(port))
    asyncio.run(hammer(request, server, float(rate), float(seconds), extensions))
