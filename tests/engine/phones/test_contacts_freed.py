"""What has ended is freed at once, without the garbage collector.

A full collection stops the server: for a second, with 10,000 phones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
import gc
import weakref

import pytest

from custom_components.snom_buttons.engine.phones import Phone
from tests.support.rawphone import TIMER_F, RawPhone
from tests.support.serving import jumping, lit, make_phone, raw_phone, serving

pytestmark = pytest.mark.usefixtures("socket_enabled")

INTERVAL = 60.0


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def contact_of(phone: Phone) -> weakref.ref[object]:
    (contact,) = phone._contacts.values()
    return weakref.ref(contact)


async def nothing(_desk: RawPhone) -> None:
    """Register, and no more."""


async def subscribes(desk: RawPhone) -> None:
    assert (await desk.subscribe("1")).status == 200


async def refuses(desk: RawPhone) -> None:
    desk.answer = 486


async def is_silent(desk: RawPhone) -> None:
    desk.answer = None


async def is_asked(_desk: RawPhone) -> None:
    await asyncio.sleep(2 * INTERVAL)


@pytest.mark.parametrize("act", [nothing, subscribes, refuses, is_silent, is_asked])
def test_a_contact_is_freed_when_its_phone_registers_again(
    act: Callable[[RawPhone], Awaitable[None]],
) -> None:
    async def test() -> None:
        phone = make_phone(keys=4)
        async with (
            serving(phone, keepalive=INTERVAL) as server,
            raw_phone(server) as desk,
        ):
            await desk.register()
            await desk.shows("4")
            await act(desk)
            phone.show([lit("1")])
            ended = contact_of(phone)
            await asyncio.sleep(TIMER_F + 1)
            await desk.register()
            await asyncio.sleep(TIMER_F + 1)
            assert contact_of(phone)() is not None
            assert ended() is None

    jumping(test)


def test_a_contact_is_freed_when_it_leaves() -> None:
    async def test() -> None:
        phone = make_phone(keys=4)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            ended = contact_of(phone)
            await desk.register(expires=0)
            await asyncio.sleep(1)
            assert not phone.registrations
            assert ended() is None

    jumping(test)
