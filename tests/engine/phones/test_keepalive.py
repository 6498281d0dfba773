"""Keep-alive of contacts, with a clock that jumps (`tests.support.clock`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from custom_components.snom_buttons.engine.phones import (
    Phone,
    PhoneServer,
    ServerSettings,
)
from custom_components.snom_buttons.engine.phones.contact import RESTORED_PATIENCE
from custom_components.snom_buttons.engine.phones.keepalive import AGAIN, Keepalive
from custom_components.snom_buttons.engine.sip import Flow
from custom_components.snom_buttons.engine.sip.net import TransportError
from custom_components.snom_buttons.engine.sip.net.udp import UdpTransport
from tests.support.rawphone import RawPhone
from tests.support.serving import (
    LOCALHOST,
    add_phone,
    jumping,
    lit,
    make_phone,
    raw_phone,
    serving,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

INTERVAL = 60.0
UNPLUGGED = 100.0
"""Seconds after which an unplugged phone must be unavailable."""


def asking(phone: Phone, snapshot: Any = None, port: int = 0) -> Any:
    """Return a server that sends keep-alive requests."""
    return serving(phone, snapshot=snapshot, port=port, keepalive=INTERVAL)


@asynccontextmanager
async def asked(phone: Phone) -> AsyncIterator[tuple[PhoneServer, RawPhone]]:
    """Run such a server, and a registered phone that is in sync."""
    async with asking(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("4")
        yield server, desk


def test_a_phone_is_asked_every_minute() -> None:
    async def test() -> None:
        phone = make_phone()
        async with asked(phone) as (_, desk):
            assert phone.round_trip is None
            measured: list[float | None] = []
            phone.measured.subscribe(lambda _: measured.append(phone.round_trip))
            await asyncio.sleep(10 * INTERVAL)
            assert 9 <= len(desk.questions) <= 11
            assert len(measured) == len(desk.questions)
            assert phone.round_trip is not None
            assert 0 <= phone.round_trip < 0.1
            question = desk.questions[0]
            assert question.start.startswith(f"OPTIONS sip:44@{desk.address};line=")
            assert question.get("Accept") == "application/sdp"
            assert question.body == ""
            assert phone.available
            # That does not send its documents again.
            assert len(desk.requests) == 1

    jumping(test)


def test_whatever_it_answers_it_is_there() -> None:
    async def test() -> None:
        phone = make_phone()
        async with asked(phone) as (_, desk):
            desk.answer = 404
            await asyncio.sleep(3 * INTERVAL)
            assert (phone.available, phone.in_sync) == (True, True)
            assert phone.round_trip is not None

    jumping(test)


def test_an_unplugged_phone_is_unavailable_soon_and_back_by_itself() -> None:
    async def test() -> None:
        phone = make_phone()
        async with asked(phone) as (_, desk):
            await asyncio.sleep(5 * INTERVAL + 1)
            desk.answer = None
            await asyncio.sleep(UNPLUGGED)
            assert not phone.available
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(1000)
            desk.answer = 200
            # The next keep-alive comes within a minute, and then what the phone missed.
            await asyncio.sleep(INTERVAL + 32)
            assert (phone.available, phone.in_sync) == (True, True)
            assert desk.keys["1"]["c"] == "on"

    jumping(test)


def test_a_phone_that_was_away_for_a_moment_is_in_sync_as_before() -> None:
    async def test() -> None:
        phone = make_phone()
        async with asked(phone) as (_, desk):
            desk.answer = None
            await asyncio.sleep(UNPLUGGED)
            assert not phone.available
            desk.answer = 200
            await asyncio.sleep(INTERVAL + 32)
            assert (phone.available, phone.in_sync) == (True, True)
            assert len(desk.requests) == 1, "it missed nothing"

    jumping(test)


def test_a_phone_that_presses_is_there_though_it_answers_no_question() -> None:
    async def test() -> None:
        phone = make_phone()
        changes: list[bool] = []
        async with asking(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            phone.status.subscribe(lambda _: changes.append(phone.available))
            desk.answer = None
            for _ in range(30):
                await asyncio.sleep(10)
                assert (await desk.press("1")).status == 200
            assert len(desk.questions) > 3
            assert False not in changes

    jumping(test)


def test_it_can_be_switched_off() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            desk.answer = None
            await asyncio.sleep(3000)
            assert desk.questions == []
            assert phone.available

    jumping(test)


def test_phones_that_register_together_are_not_asked_together() -> None:
    async def test() -> None:
        phones = [make_phone(f"{number}") for number in range(40, 60)]
        settings = ServerSettings(
            host=LOCALHOST, port=0, realm="ha", advertised_host="a", keepalive=INTERVAL
        )
        server = PhoneServer(settings, clock=asyncio.get_running_loop().time)
        for phone in phones:
            add_phone(server, phone)
        await server.start()
        asked: list[float] = []
        for phone in phones:
            phone.measured.subscribe(
                lambda _: asked.append(asyncio.get_running_loop().time())
            )
        desks = [raw_phone(server, phone.extension) for phone in phones]
        for desk in desks:
            await desk.__aenter__()
            await desk.register()
        await asyncio.sleep(INTERVAL + 1)
        assert len(asked) >= 20
        assert max(asked[:20]) - min(asked[:20]) > INTERVAL / 4
        for desk in desks:
            await desk.__aexit__()
        await server.stop()

    jumping(test)


@pytest.mark.parametrize("interval", [0.0, INTERVAL])
def test_a_stored_registration_of_a_phone_that_is_gone(interval: float) -> None:
    async def test() -> None:
        phone = make_phone()
        async with asked(phone) as (server, desk):
            snapshot, port = server.snapshot(), server.address[1]
            await server.stop()
            again = make_phone()
            async with serving(
                again, snapshot=snapshot, port=port, keepalive=interval
            ) as second:
                desk.answer = None
                await asyncio.sleep(RESTORED_PATIENCE - 1)
                assert again.registration is not None
                assert not again.available
                await asyncio.sleep(400)
                assert again.registration is None
                (stored,) = second.snapshot()["phones"].values()
                assert stored["bindings"] == []
                # It may register again.
                desk.answer = 200
                assert (await desk.register()).status == 200
                await asyncio.sleep(1)
                assert (again.available, again.in_sync) == (True, True)

    jumping(test)


def test_a_stored_registration_that_has_answered_once_is_like_any_other() -> None:
    async def test() -> None:
        phone = make_phone()
        async with asked(phone) as (server, desk):
            snapshot, port = server.snapshot(), server.address[1]
            await server.stop()
            again = make_phone()
            async with asking(again, snapshot, port):
                await asyncio.sleep(1)
                assert again.in_sync
                desk.answer = None
                await asyncio.sleep(2000)
                assert again.registration is not None
                desk.answer = 200
                await asyncio.sleep(INTERVAL + 32)
                assert again.available

    jumping(test)


def test_a_network_that_is_away_for_a_moment_makes_no_phone_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed: list[float] = []
    send = UdpTransport.send

    def away(self: UdpTransport, data: bytes, flow: Flow) -> None:
        now = asyncio.get_running_loop().time()
        if data.startswith(b"OPTIONS"):
            if not failed or now < failed[0] + 3:
                failed.append(now)
                raise TransportError("Network is unreachable")
        send(self, data, flow)

    async def test() -> None:
        phone = make_phone()
        async with asked(phone) as (_, desk):
            changes: list[bool] = []
            phone.status.subscribe(lambda _: changes.append(phone.available))
            monkeypatch.setattr(UdpTransport, "send", away)
            await asyncio.sleep(INTERVAL + AGAIN + 1)
            assert failed
            assert len(desk.questions) == 1
            assert False not in changes

    jumping(test)


def test_a_question_that_cannot_be_asked_ends_no_asking(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        asked: list[float] = []
        answered: list[float] = []
        silent: list[float] = []
        loop = asyncio.get_running_loop()

        async def ask() -> None:
            asked.append(loop.time())
            if len(asked) < 3:
                raise RuntimeError("a mistake of ours")

        keepalive = Keepalive(
            ask=ask, interval=INTERVAL, answered=answered.append, silent=silent.append
        )
        await asyncio.sleep(2 * INTERVAL + AGAIN + 1)
        keepalive.close()
        await asyncio.sleep(0)
        assert asked[1] - asked[0] == pytest.approx(AGAIN)
        assert (len(silent), len(answered)) == (1, 1)

    jumping(test)
    assert [record.levelname for record in caplog.records].count("ERROR") == 2


def test_a_question_ends_with_its_keep_alive() -> None:
    async def test() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()
        news: list[float] = []

        async def ask() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        keepalive = Keepalive(
            ask=ask, interval=INTERVAL, answered=news.append, silent=news.append
        )
        await begun.wait()
        keepalive.close()
        await ended.wait()
        await asyncio.sleep(2 * INTERVAL)
        assert news == []

    jumping(test)
