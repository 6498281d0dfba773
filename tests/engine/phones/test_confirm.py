"""Waiting for the answer of a phone's contacts to what its keys should show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from custom_components.snom_buttons.engine.phones import Phone
from custom_components.snom_buttons.engine.refused import Failed
from tests.support.clock import jumping
from tests.support.rawphone import RawPhone
from tests.support.serving import lit, make_phone, raw_phone, serving

pytestmark = pytest.mark.usefixtures("socket_enabled")

WITHIN = 10.0
TAKEN = "200 Whatever"


@asynccontextmanager
async def contacts(count: int) -> AsyncIterator[tuple[Phone, list[RawPhone]]]:
    """Yield a phone with so many contacts, which have taken all keys."""
    async with AsyncExitStack() as stack:
        phone = make_phone()
        server = await stack.enter_async_context(serving(phone))
        desks = [
            await stack.enter_async_context(raw_phone(server)) for _ in range(count)
        ]
        for desk in desks:
            await desk.register()
        await asyncio.sleep(1)
        yield phone, desks


async def failure(confirming: Awaitable[list[str]]) -> tuple[str, dict[str, str]]:
    with pytest.raises(Failed) as caught:
        await confirming
    return caught.value.key, caught.value.placeholders


@jumping
async def test_a_change_is_sent_once_and_its_answer_returned() -> None:
    async with contacts(1) as (phone, [desk]):
        before = len(desk.requests)
        phone.keys["1"].show(lit("1"))
        assert await phone.confirm(["1"], WITHIN) == [TAKEN]
        assert desk.keys["1"]["c"] == "on"
        assert len(desk.requests) == before + 1


@jumping
async def test_what_has_not_changed_is_sent_again() -> None:
    """Otherwise there would be no answer."""
    async with contacts(1) as (phone, [desk]):
        before = len(desk.requests)
        assert await phone.confirm(["1", "2"], WITHIN) == [TAKEN]
        assert len(desk.requests) == before + 1


@jumping
async def test_a_refusal_is_named() -> None:
    async with contacts(1) as (phone, [desk]):
        desk.answer = 415
        phone.keys["1"].show(lit("1"))
        begun = asyncio.get_running_loop().time()
        key, about = await failure(phone.confirm(["1"], WITHIN))
        assert (key, about["answer"]) == ("phone_refused", "415 Whatever")
        assert asyncio.get_running_loop().time() - begun < 1
        # It stays due.
        desk.answer = 200
        await asyncio.sleep(10)
        assert desk.keys["1"]["c"] == "on"
        assert phone.in_sync


@jumping
async def test_silence_ends_after_the_time_limit() -> None:
    async with contacts(1) as (phone, [desk]):
        desk.answer = None
        phone.keys["1"].show(lit("1"))
        begun = asyncio.get_running_loop().time()
        key, about = await failure(phone.confirm(["1"], WITHIN))
        assert (key, about["seconds"]) == ("phone_silent", "10")
        assert asyncio.get_running_loop().time() - begun == pytest.approx(WITHIN)


@jumping
async def test_a_late_answer_counts() -> None:
    async with contacts(1) as (phone, [desk]):
        desk.answer = None
        phone.keys["1"].show(lit("1"))
        confirming = asyncio.create_task(phone.confirm(["1"], WITHIN))
        await asyncio.sleep(5)
        desk.answer = 200
        assert await confirming == [TAKEN]


@jumping
async def test_without_a_registration_it_fails_at_once() -> None:
    async with contacts(0) as (phone, _):
        phone.keys["1"].show(lit("1"))
        key, _ = await failure(phone.confirm(["1"], WITHIN))
        assert key == "phone_not_registered"


@jumping
async def test_without_keys_there_is_nothing_to_wait_for() -> None:
    async with contacts(1) as (phone, _):
        assert await phone.confirm([], WITHIN) == []


@jumping
async def test_a_phone_that_asks_to_wait_has_answered_already() -> None:
    async with contacts(1) as (phone, [desk]):
        desk.answer = 503
        desk.answer_lines = ["Retry-After: 60"]
        phone.keys["1"].show(lit("1"))
        await asyncio.sleep(1)
        before = len(desk.requests)
        key, about = await failure(phone.confirm(["2"], WITHIN))
        assert (key, about["answer"]) == ("phone_refused", "503 Whatever")
        assert len(desk.requests) == before


@jumping
async def test_all_contacts_must_take_it() -> None:
    async with contacts(2) as (phone, [one, other]):
        phone.keys["1"].show(lit("1"))
        assert await phone.confirm(["1"], WITHIN) == [TAKEN, TAKEN]
        other.answer = 415
        phone.keys["2"].show(lit("2"))
        key, about = await failure(phone.confirm(["2"], WITHIN))
        assert (key, about["answer"]) == ("phone_refused", "415 Whatever")
        assert one.keys["2"]["c"] == "on"
        other.answer = None
        phone.keys["3"].show(lit("3"))
        key, _ = await failure(phone.confirm(["3"], WITHIN))
        assert key == "phone_silent"


@jumping
async def test_a_contact_that_has_stopped_answering_does_not_count() -> None:
    """Unless it is the only one: then it is tried."""
    async with contacts(2) as (phone, [one, other]):
        other.answer = None
        phone.keys["1"].show(lit("1"))
        await asyncio.sleep(40)
        phone.keys["1"].show(lit("1", "hold"))
        assert await phone.confirm(["1"], WITHIN) == [TAKEN]
        one.answer = None
        phone.keys["1"].show(lit("1"))
        await asyncio.sleep(40)
        assert not phone.available
        one.answer = other.answer = 200
        assert await phone.confirm(["1"], 400) == [TAKEN, TAKEN]


@jumping
async def test_a_registration_meanwhile_brings_the_answer() -> None:
    async with contacts(1) as (phone, [desk]):
        desk.answer = None
        phone.keys["1"].show(lit("1"))
        confirming = asyncio.create_task(phone.confirm(["1"], WITHIN))
        await asyncio.sleep(1)
        desk.answer = 200
        await desk.register()
        assert await confirming == [TAKEN]


@jumping
async def test_a_contact_that_leaves_does_not_count() -> None:
    async with contacts(2) as (phone, [one, other]):
        other.answer = None
        confirming = asyncio.create_task(phone.confirm(["1"], WITHIN))
        await asyncio.sleep(1)
        await other.unregister()
        assert await confirming == [TAKEN]

        one.answer = None
        confirming = asyncio.create_task(phone.confirm(["1"], WITHIN))
        await asyncio.sleep(1)
        begun = asyncio.get_running_loop().time()
        await one.unregister()
        assert (await failure(confirming))[0] == "phone_not_registered"
        assert asyncio.get_running_loop().time() - begun < 1


@jumping
async def test_a_server_that_stops_ends_the_waiting() -> None:
    async with contacts(1) as (phone, [desk]):
        desk.answer = None
        confirming = asyncio.create_task(phone.confirm(["1"], WITHIN))
        await asyncio.sleep(1)
        phone.close()
        assert (await failure(confirming))[0] == "phone_not_registered"


@jumping
async def test_a_phone_that_is_reset_meanwhile_gets_it() -> None:
    async with contacts(1) as (phone, [desk]):
        desk.answer = None
        phone.keys["1"].show(lit("1"))
        confirming = asyncio.create_task(phone.confirm(["1"], WITHIN))
        await asyncio.sleep(1)
        desk.reset()
        desk.answer = 200
        await desk.register()
        assert await confirming == [TAKEN]
        assert desk.keys["1"]["c"] == "on"
