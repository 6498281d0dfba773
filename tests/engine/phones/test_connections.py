"""Phones that connect by TCP or TLS, on real sockets."""

from __future__ import annotations

import asyncio

import pytest

from custom_components.snom_buttons.engine.phones import KeyPress
from custom_components.snom_buttons.engine.sip import Flow
from custom_components.snom_buttons.engine.sip.binding import MAX_BINDINGS
from custom_components.snom_buttons.engine.xbuttons import LightMode
from tests.support.clock import run
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone
from tests.support.serving import PASSWORD, base, lit, make_phone
from tests.support.streams import Contexts, raw_phone, serving

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_a_phone_registers_shows_and_presses(contexts: Contexts) -> None:
    phone = make_phone()
    pressed: list[KeyPress] = []
    async with serving(contexts, phone) as server, raw_phone(server, contexts) as desk:
        server.pressed.subscribe(pressed.append)
        assert (await desk.register()).status == 200
        await desk.shows("4", l="Key 4")
        (first,) = desk.requests
        name = desk.transport.lower()
        port = server.address_of(desk.transport)[1]
        assert first.get("Via").startswith(
            f"SIP/2.0/{desk.transport} ha.example:{port};branch="
        )
        assert first.get("Contact") == f"<sip:ha.example:{port};transport={name}>"
        assert first.start == (
            f"MESSAGE sip:44@{desk.address};transport={name};line={desk._line} SIP/2.0"
        )
        phone.keys["1"].show(lit("1"))
        await desk.shows("1", c="on")
        assert (await desk.press("2")).status == 200
        assert (await desk.invite("0815")).status == 486
        assert [press.key for press in pressed] == ["2"]
        assert (phone.available, phone.in_sync) == (True, True)
        assert phone.registration is not None
        assert phone.registration.address.startswith(f"{name} 127.0.0.1:")


async def test_a_sips_contact_gets_ours_as_sips(contexts: Contexts) -> None:
    """RFC 3261 8.1.1.8; without TLS it would be used in clear."""
    phone = make_phone()
    async with serving(contexts, phone) as server, raw_phone(server, contexts) as desk:
        desk.scheme = "sips"
        answer = await desk.register()
        if desk.transport == "TCP":
            assert answer.status == 400
            assert not phone.available
            return
        await desk.shows("4")
        (first,) = desk.requests
        port = server.address_of(desk.transport)[1]
        assert first.start.startswith(f"MESSAGE sips:44@{desk.address};")
        assert first.get("Contact") == f"<sips:ha.example:{port}>"


async def test_a_phone_that_connects_often_displaces_no_other(
    contexts: Contexts,
) -> None:
    phone = make_phone()
    lost: asyncio.Queue[Flow] = asyncio.Queue()
    async with (
        serving(contexts, phone) as server,
        RawPhone(server.address, "44", PASSWORD) as desk,
    ):
        await desk.register()
        on_lost = server._endpoint._on_lost

        def noting(flow: Flow) -> None:
            on_lost(flow)
            lost.put_nowait(flow)

        server._endpoint._on_lost = noting
        for _ in range(MAX_BINDINGS + 1):
            async with raw_phone(server, contexts) as roaming:
                await roaming.register()
            await asyncio.wait_for(lost.get(), PATIENCE)
        phone.keys["1"].show(lit("1"))
        await desk.shows("1", c="on")


async def test_a_large_picture_is_one_document(contexts: Contexts) -> None:
    """RFC 3261 18.1.1: a connection carries what is too large for a datagram."""
    phone = make_phone(keys=48)
    async with (
        serving(contexts, phone) as server,
        raw_phone(server, contexts) as desk,
        RawPhone(server.address, "44", PASSWORD) as other,
    ):
        await desk.register()
        await desk.shows("48")
        (document,) = desk.requests
        assert len(document.body) > 1300
        await other.register()
        await other.shows("48")
        assert len(other.requests) > 1
        assert max(len(message.body) for message in other.requests) < 1300


def test_a_phone_whose_connection_is_gone(contexts: Contexts) -> None:
    """It is unavailable at once, and gets the whole picture when it is back."""

    async def test() -> None:
        phone = make_phone()
        changes: list[bool] = []
        async with serving(contexts, phone) as server:
            desk = raw_phone(server, contexts)
            async with desk:
                await desk.register()
                await desk.shows("4")
                await asyncio.sleep(1)
                assert (phone.available, phone.in_sync) == (True, True)
                phone.status.subscribe(lambda _: changes.append(phone.available))
            await asyncio.sleep(1)
            assert changes == [False]
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(100)
            assert changes == [False]
            begun = asyncio.get_running_loop().time()
            async with desk:
                await desk.register()
                await desk.shows("1", c="on")
                assert asyncio.get_running_loop().time() - begun < 1
                await asyncio.sleep(1)
                assert (phone.available, phone.in_sync) == (True, True)

    run(test(), patience=0.02)


async def test_a_connection_is_trusted_and_another_is_not(contexts: Contexts) -> None:
    phone = make_phone()
    pressed: list[KeyPress] = []
    async with (
        serving(contexts, phone) as server,
        raw_phone(server, contexts) as desk,
        raw_phone(server, contexts) as thief,
    ):
        server.pressed.subscribe(pressed.append)
        await desk.register()
        await desk.shows("4")
        thief.password = "wrong"
        assert (await thief.press("1", number="key1")).status == 401
        assert pressed == []
        desk.password = "forgotten"  # its connection suffices
        assert (await desk.press("1")).status == 200


def test_a_server_that_stops_closes_connections(contexts: Contexts) -> None:
    async def test() -> None:
        phone = make_phone()
        async with (
            serving(contexts, phone) as server,
            raw_phone(server, contexts) as desk,
        ):
            await desk.register()
            await desk.shows("4")
            phone.keys["1"].show(base("1", light=LightMode.ON))
            await server.stop()
            await desk.until(lambda: not desk.is_connected)

    run(test(), patience=0.02)


async def test_subscriptions_follow_the_phone_to_its_next_connection(
    contexts: Contexts,
) -> None:
    phone = make_phone()
    async with serving(contexts, phone) as server:
        async with raw_phone(server, contexts) as desk:
            await desk.register()
            assert (await desk.subscribe("1")).status == 200
            await desk.until(lambda: len(desk.notices) == 1)
        phone.keys["1"].show(lit("1"))
        async with raw_phone(server, contexts) as again:
            again.instance = desk.instance
            await again.register()
            await again.until(lambda: len(again.notices) > 0)
            assert "<state>confirmed</state>" in again.notices[-1].body
            assert again.notices[-1].get("Call-ID") == desk.notices[0].get("Call-ID")
