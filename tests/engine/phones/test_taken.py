"""Whether the phone has acknowledged a key's look, key by key."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.serving import jumping, lit, make_phone, raw_phone, serving

pytestmark = pytest.mark.usefixtures("socket_enabled")


def test_a_key_is_taken_once_the_contact_has_answered() -> None:
    async def test() -> None:
        phone = make_phone()
        taken: list[str] = []
        async with serving(phone) as server, raw_phone(server) as desk:
            phone.taken.subscribe(taken.extend)
            assert not phone.has_taken("1")
            await desk.register()
            await asyncio.sleep(1)
            assert taken == ["1", "2", "3", "4"]
            assert all(phone.has_taken(key) for key in phone.keys)
            desk.answer = None
            phone.keys["1"].show(lit("1"))
            assert not phone.has_taken("1")
            await asyncio.sleep(1)  # under way
            assert not phone.has_taken("1")
            assert phone.has_taken("2")
            desk.answer = 200
            await asyncio.sleep(2)
            assert phone.has_taken("1")
            assert taken[4:] == ["1"]

    jumping(test)


def test_what_is_refused_is_not_taken() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await asyncio.sleep(1)
            desk.answer = 415
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(1)
            assert not phone.has_taken("1")
            assert phone.has_taken("2")

    jumping(test)


def test_all_contacts_count_that_answer() -> None:
    async def test() -> None:
        phone = make_phone()
        async with (
            serving(phone) as server,
            raw_phone(server) as one,
            raw_phone(server) as other,
        ):
            await one.register()
            await other.register()
            await asyncio.sleep(1)
            assert phone.has_taken("1")
            other.answer = 500
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(1)
            assert not phone.has_taken("1")
            other.answer = None
            await asyncio.sleep(400)
            assert phone.has_taken("1")
            one.answer = None
            phone.keys["2"].show(lit("2"))
            await asyncio.sleep(40)
            assert not phone.available
            assert not phone.has_taken("1")

    jumping(test)
