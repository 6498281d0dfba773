"""A registered phone that sends far too much, and what others notice of it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from custom_components.snom_buttons.engine.phones import KeyPress, Phone
from custom_components.snom_buttons.engine.phones.reception import (
    MORE_PRESSES,
    OWN_PRESSES,
    SLOW_PRESSES,
)
from custom_components.snom_buttons.engine.sip import CALM
from custom_components.snom_buttons.engine.sip.guard import (
    MORE_REGISTRATIONS,
    OWN_REGISTRATIONS,
    PHONE_MORE,
    PHONE_OWN,
    REFUSALS,
    SLOW_REGISTRATIONS,
)
from tests.support.hammer import press
from tests.support.rawphone import RawMessage, RawPhone
from tests.support.rawstream import StreamPhone
from tests.support.serving import (
    PASSWORD,
    jumping,
    lit,
    make_phone,
    phone_setup,
    raw_phone,
    serving,
    setup,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

AT_ONCE = PHONE_OWN.at_once + PHONE_MORE.at_once
PRESSES_AT_ONCE = OWN_PRESSES.at_once + MORE_PRESSES.at_once
REGISTRATIONS_AT_ONCE = OWN_REGISTRATIONS.at_once + MORE_REGISTRATIONS.at_once


class Answers:
    """The responses to what a raw phone sends without waiting for them."""

    def __init__(self, phone: RawPhone) -> None:
        self.got: list[RawMessage] = []
        received = phone.datagram_received

        def receive(data: bytes, addr: tuple[str, int]) -> None:
            if data.startswith(b"SIP/2.0"):
                self.got.append(RawMessage.parse(data))
            received(data, addr)
            phone._news.set()

        phone.datagram_received = receive  # type: ignore[method-assign]

    def count(self, status: int) -> int:
        return sum(answer.status == status for answer in self.got)


async def flood(
    phone: RawPhone, numbers: range, body: str = "k=1\r\n", **options: str
) -> None:
    """Send presses as fast as the server reads them."""
    for number in numbers:
        phone._transport.sendto(press(phone, number, body, **options), phone.server)
        if number % 50 == 49:
            for _ in range(60):
                await asyncio.sleep(0)


def test_what_exceeds_a_share_is_refused_then_dropped() -> None:
    async def test() -> None:
        phone, other = make_phone(), make_phone("45")
        changes: list[bool] = []
        async with (
            serving(phone, other) as server,
            raw_phone(server) as desk,
            raw_phone(server, "45") as hall,
        ):
            await desk.register()
            await hall.register()
            await desk.shows("4")
            await hall.shows("4")
            await asyncio.sleep(60)
            phone.status.subscribe(lambda _: changes.append(phone.exceeds))
            answers = Answers(desk)
            await flood(desk, range(2000), "hello", content_type="text/plain")
            assert answers.count(415) == AT_ONCE
            assert answers.count(503) == REFUSALS.at_once
            busy = [answer for answer in answers.got if answer.status == 503]
            assert {answer.get("Retry-After") for answer in busy} == {"5"}
            assert (phone.exceeds, other.exceeds) == (True, False)
            assert changes == [True]
            # Another phone is answered at once.
            assert (await hall.press("1")).status == 200
            # This one has its slow share.
            await asyncio.sleep(2)
            assert (await desk.press("1")).status == 200
            await asyncio.sleep(CALM)
            assert changes == [True, False]
            assert not phone.exceeds

    jumping(test)


def test_presses_of_a_phone_are_bounded() -> None:
    async def test() -> None:
        phone = make_phone()
        presses: list[KeyPress] = []
        async with serving(phone) as server, raw_phone(server) as desk:
            server.pressed.subscribe(presses.append)
            await desk.register()
            await desk.shows("4")
            answers = Answers(desk)
            body = "".join(f"k={key}\r\n" for key in range(8))
            for second in range(10):
                await flood(desk, range(1000 * second, 1000 * (second + 1)), body)
                await asyncio.sleep(1)
            allowed = PRESSES_AT_ONCE + 10 * (SLOW_PRESSES + MORE_PRESSES.per_second)
            assert PRESSES_AT_ONCE <= len(presses) <= allowed + 2 * len("01234567")
            # A press that was refused has done nothing.
            assert len(presses) == 8 * answers.count(200)
            assert answers.count(503) > 0
            assert phone.exceeds

    jumping(test)


def test_numbers_that_are_dialled_are_bounded_too() -> None:
    async def test() -> None:
        phone = make_phone()
        dialled: list[object] = []
        async with serving(phone) as server, raw_phone(server) as desk:
            server.dialled.subscribe(dialled.append)
            await desk.register()
            calls = (desk.invite(f"{number}") for number in range(150))
            statuses = [answer.status for answer in await asyncio.gather(*calls)]
            assert statuses.count(486) == len(dialled) == PRESSES_AT_ONCE
            assert statuses.count(503) == 150 - PRESSES_AT_ONCE

    jumping(test)


def test_registrations_of_a_phone_are_bounded() -> None:
    """Each one sent all keys, for whose answers the phone got a further share."""

    async def test() -> None:
        phone, other = make_phone(), make_phone("45")
        changes: list[None] = []
        async with (
            serving(phone, other) as server,
            raw_phone(server) as desk,
            raw_phone(server) as moved,
            raw_phone(server, "45") as hall,
        ):
            moved.instance = desk.instance
            phone.status.subscribe(changes.append)
            statuses = []
            for number in range(300):
                # From another flow, too, and with an end of the registration.
                sender = moved if number % 3 else desk
                answer = await sender.register(3600 * (number % 2))
                statuses.append(answer.status)
            # A few more while the clock goes on.
            accepted = statuses.count(200)
            assert REGISTRATIONS_AT_ONCE <= accepted < REGISTRATIONS_AT_ONCE + 10
            assert statuses.count(503) == 300 - accepted
            assert answer.get("Retry-After") == "5"
            assert len(moved.requests + desk.requests) <= accepted
            assert len(changes) < 5 * accepted
            assert (phone.exceeds, other.exceeds) == (True, False)
            # Another phone registers, and this one has its slow share.
            assert (await hall.register()).status == 200
            await asyncio.sleep(1 / SLOW_REGISTRATIONS)
            assert (await desk.register()).status == 200
            await desk.shows("4")
            assert (await desk.press("1")).status == 200
            await asyncio.sleep(CALM)
            assert not phone.exceeds

    jumping(test)


def test_ten_contacts_that_register_every_minute_are_never_refused() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, AsyncExitStack() as stack:
            desks = [
                await stack.enter_async_context(raw_phone(server)) for _ in range(10)
            ]
            for _ in range(30):
                for desk in desks:
                    assert (await desk.register(60)).status == 200
                await asyncio.sleep(30)
            assert not phone.exceeds

    jumping(test)


def test_what_people_and_phones_do_is_never_refused() -> None:
    """126 keys of which all change again and again, and quick fingers on several."""

    async def test() -> None:
        keys = [setup(f"{number}") for number in range(1, 127)]
        phone = Phone(phone_setup("44", keys))
        presses: list[KeyPress] = []
        async with serving(phone) as server, raw_phone(server) as desk:
            server.pressed.subscribe(presses.append)
            for _ in range(10):
                assert (await desk.register()).status == 200
            await desk.shows("126")
            for _ in range(100):
                for key in phone.keys.values():
                    key.turn(not key.is_on)
                await desk.until(lambda: phone.in_sync)
            for number in range(400):
                await asyncio.sleep(0.05)
                assert (await desk.press(f"{number % 5 + 1}")).status == 200
            assert len(presses) == 400
            assert not phone.exceeds

    jumping(test)


def test_a_retransmission_over_the_share_gets_the_answer_of_the_first() -> None:
    async def test() -> None:
        phone = make_phone()
        presses: list[KeyPress] = []
        async with serving(phone) as server, raw_phone(server) as desk:
            server.pressed.subscribe(presses.append)
            await desk.register()
            await desk.shows("4")
            answers = Answers(desk)
            first = press(desk, 99_999)
            desk._transport.sendto(first, desk.server)
            await flood(desk, range(300), "hello", content_type="text/plain")
            await asyncio.sleep(2)
            assert (answers.count(200), answers.count(503)) == (1, REFUSALS.at_once)
            await flood(desk, range(300, 600), "hello", content_type="text/plain")
            desk._transport.sendto(first, desk.server)
            await asyncio.sleep(1)
            assert len(presses) == 1
            # Neither an answer nor a malformed message or an ACK is answered with 503.
            for data in (b"SIP/2.0 200 OK\r\n\r\n", b"x", b"ACK sip:x SIP/2.0\r\n"):
                desk._transport.sendto(data, desk.server)
            await asyncio.sleep(1)

    jumping(test)


async def test_refusals_of_one_phone_end_no_transaction_of_another() -> None:
    """A toggle was turned back by the retransmission of its press."""
    phone, other = make_phone(), make_phone("45")
    presses: list[KeyPress] = []
    async with (
        serving(phone, other) as server,
        raw_phone(server) as desk,
        raw_phone(server, "45") as hall,
    ):
        server.pressed.subscribe(presses.append)
        await desk.register()
        await hall.register()
        await hall.shows("4")
        await desk.shows("4")
        answers = Answers(hall)
        pressed = press(hall, 1)
        hall._transport.sendto(pressed, hall.server)
        await hall.until(lambda: answers.count(200) == 1)
        await flood(desk, range(22_000), "hello", content_type="text/plain")
        # The system may lose a datagram meanwhile.
        while answers.count(200) == 1:
            hall._transport.sendto(pressed, hall.server)
            await asyncio.sleep(0.1)
        assert len(presses) == 1


async def test_a_connection_is_read_as_fast_as_its_share() -> None:
    """By TCP nothing is dropped or refused: the phone has to wait."""
    phone = make_phone()
    async with (
        serving(phone, tcp_port=0) as server,
        StreamPhone(server.address_of("TCP"), "44", PASSWORD) as desk,
    ):
        await desk.register()
        await desk.shows("4")
        answers = Answers(desk)
        for number in range(300):
            data = press(desk, number, "hello", "text/plain")
            desk._transport.sendto(data, desk.server)
        await desk.until(lambda: answers.count(415) == 300)
        assert answers.count(503) == 0
        assert phone.exceeds
        # It is still a phone that shows its keys.
        phone.keys["1"].show(lit("1"))
        await desk.shows("1", c="on")
