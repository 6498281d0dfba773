"""What was sent to a phone, counted: sent, repeated, refused."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import astuple

import pytest

from custom_components.snom_buttons.engine.phones import KeyPress
from custom_components.snom_buttons.engine.refused import Failed
from tests.support.serving import jumping, lit, make_phone, raw_phone, serving

pytestmark = pytest.mark.usefixtures("socket_enabled")


def test_documents_are_counted_for_all_contacts() -> None:
    async def test() -> None:
        phone = make_phone()
        assert astuple(phone.traffic) == (0, 0, 0)
        async with (
            serving(phone) as server,
            raw_phone(server) as desk,
            raw_phone(server) as hall,
        ):
            await desk.register()
            await asyncio.sleep(1)
            assert astuple(phone.traffic) == (1, 0, 0)
            await hall.register()
            await asyncio.sleep(1)
            assert astuple(phone.traffic) == (2, 0, 0)
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(1)
            assert astuple(phone.traffic) == (4, 0, 0)
            # A contact that registers anew gets the whole picture, and counts on.
            await hall.register()
            await asyncio.sleep(1)
            assert astuple(phone.traffic) == (5, 0, 0)

    jumping(test)


def test_a_refusal_and_retransmissions_are_counted() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await asyncio.sleep(1)
            desk.answer = 415
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(1)
            assert astuple(phone.traffic) == (2, 0, 1)
            desk.answer = 200
            await asyncio.sleep(20)
            assert astuple(phone.traffic) == (3, 0, 1)
            # At 0.5, 1.5, 3.5 and 7.5 s (RFC 3261 17.1.2.2)
            desk.answer = None
            with suppress(Failed):
                await phone.confirm(["1"], 10.0)
            assert astuple(phone.traffic) == (4, 4, 1)

    jumping(test)


def test_other_requests_are_not_counted() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone, keepalive=5.0) as server, raw_phone(server) as desk:
            await desk.register()
            await asyncio.sleep(30)
            assert desk.questions
            await phone.check_sync(reboot=False, within=10.0)
            assert (await desk.press("1")).status == 200
            assert astuple(phone.traffic) == (1, 0, 0)

    jumping(test)


async def test_a_phone_reports_its_presses() -> None:
    """After the key, and also a key that is not configured."""
    phone, other = make_phone(), make_phone("45")
    async with serving(phone, other) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("1")
        order: list[tuple[str, KeyPress]] = []
        phone.keys["1"].pressed.subscribe(lambda press: order.append(("key", press)))
        phone.pressed.subscribe(lambda press: order.append(("phone", press)))
        other.pressed.subscribe(lambda press: order.append(("other", press)))
        server.pressed.subscribe(lambda press: order.append(("server", press)))
        assert (await desk.press("1")).status == 200
        assert (await desk.press("77", number="x")).status == 200
        server.press("44", "1")
        await asyncio.sleep(0)
        assert [(who, press.key, press.simulated) for who, press in order] == [
            ("key", "1", False),
            ("phone", "1", False),
            ("server", "1", False),
            ("phone", "77", False),
            ("server", "77", False),
            ("key", "1", True),
            ("phone", "1", True),
            ("server", "1", True),
        ]
