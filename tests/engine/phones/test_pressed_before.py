"""A press whose answer was lost, and that is sent again after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
import json
from typing import Any

import pytest

from custom_components.snom_buttons.engine.phones import (
    Dialled,
    KeyPress,
    Phone,
    PhoneServer,
)
from custom_components.snom_buttons.engine.phones.events import MEMORY, Acted
from custom_components.snom_buttons.engine.phones.press_memory import MAX_REMEMBERED
from custom_components.snom_buttons.engine.phones.storage import (
    load_answered,
    save_answered,
)
from custom_components.snom_buttons.engine.sip import (
    Answered,
    Flow,
    Request,
    parse_datagram,
    timers,
)
from custom_components.snom_buttons.engine.sip.net.endpoint import MAX_RECORD
from custom_components.snom_buttons.engine.sip.transaction import server_key, text_of
from tests.support.hammer import press
from tests.support.messages import request_bytes
from tests.support.rawphone import RawPhone
from tests.support.serving import make_phone, phone_setup, raw_phone, serving, setup

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Counted:
    """What a server emitted."""

    def __init__(self, server: PhoneServer) -> None:
        self.presses: list[KeyPress] = []
        self.dialled: list[Dialled] = []
        server.pressed.subscribe(self.presses.append)
        server.dialled.subscribe(self.dialled.append)


async def exchange(desk: RawPhone, request: bytes) -> bytes:
    """Send a request; return its response."""
    responses: list[bytes] = []
    received = desk.datagram_received

    def receive(data: bytes, addr: tuple[str, int]) -> None:
        if data.startswith(b"SIP/2.0"):
            responses.append(data)
        received(data, addr)
        desk._news.set()

    desk.datagram_received = receive  # type: ignore[method-assign]
    desk._transport.sendto(request, desk.server)
    await desk.until(lambda: bool(responses))
    desk.datagram_received = received  # type: ignore[method-assign]
    return responses[0]


@asynccontextmanager
async def restarted(
    phone: Phone, desk: RawPhone, snapshot: dict[str, Any]
) -> AsyncIterator[tuple[PhoneServer, Counted]]:
    """Run another server with the state of the first one."""
    async with serving(phone, snapshot=json.loads(json.dumps(snapshot))) as server:
        desk.server = server.address
        yield server, Counted(server)


def toggling() -> Phone:
    return Phone(phone_setup("44", [replace(setup("1"), toggles=True)]))


async def test_a_press_does_not_count_again_after_a_restart() -> None:
    before, after, last = toggling(), toggling(), toggling()
    async with serving(before) as server, raw_phone(server) as desk:
        counted = Counted(server)
        changes: list[object] = []
        await desk.register()
        await desk.shows("1", c=None)
        server.changed.subscribe(changes.append)
        pressed = press(desk, 1)
        first = await exchange(desk, pressed)
        await desk.shows("1", c="on")
        assert len(counted.presses) == 1
        # It is stored soon, not only when the server is stopped.
        assert changes
        snapshot = server.snapshot()
        await server.stop()
        async with restarted(after, desk, snapshot) as (second, counted):
            await desk.shows("1", c="on")
            assert await exchange(desk, pressed) == first
            assert await exchange(desk, pressed) == first
            assert counted.presses == []
            assert after.keys["1"].is_on
            # Another press counts.
            assert b"200 OK" in await exchange(desk, press(desk, 2))
            assert len(counted.presses) == 1
            snapshot = second.snapshot()
            await second.stop()
            # A second restart within the time forgets neither.
            async with restarted(last, desk, snapshot) as (_, counted):
                assert await exchange(desk, pressed) == first
                assert b"200 OK" in await exchange(desk, press(desk, 2))
                assert counted.presses == []
                assert not last.keys["1"].is_on


async def test_a_call_does_not_count_again_after_a_restart() -> None:
    def call(desk: RawPhone) -> bytes:
        data = press(desk, 1).replace(b"1 MESSAGE\r\n", b"1 INVITE\r\n")
        return data.replace(b"MESSAGE sip:44@", b"INVITE sip:0123@")

    async with serving(make_phone()) as server, raw_phone(server) as desk:
        counted = Counted(server)
        await desk.register()
        await desk.shows("4")
        first = await exchange(desk, call(desk))
        assert b"486" in first.partition(b"\r\n")[0]
        assert len(counted.dialled) == 1
        snapshot = server.snapshot()
        # It may be a secret code.
        assert "0123@" not in json.dumps(snapshot)
        await server.stop()
        async with restarted(make_phone(), desk, snapshot) as (_, counted):
            assert b"486" in (await exchange(desk, call(desk))).partition(b"\r\n")[0]
            assert counted.dialled == []


def test_no_key_has_the_number() -> None:
    """That of a request by RFC 2543 has its Request-URI."""
    request = parse_datagram(
        request_bytes("INVITE", uri="sip:0123@h", Via="SIP/2.0/UDP h")
    )
    assert isinstance(request, Request)
    key = server_key(request, Flow("UDP", "192.0.2.1", 5060), "INVITE")
    assert "0123@" in str(key)
    assert "0123@" not in text_of(key)


async def test_a_press_through_another_flow_counts() -> None:
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("4")
        await exchange(desk, press(desk, 1))
        snapshot = server.snapshot()
        await server.stop()
        async with (
            restarted(make_phone(), desk, snapshot) as (second, counted),
            raw_phone(second) as moved,
        ):
            await moved.register()
            await moved.shows("4")
            assert b"200 OK" in await exchange(moved, press(desk, 1))
            await asyncio.sleep(0)
            assert len(counted.presses) == 1


async def test_a_press_with_long_headers_is_not_stored() -> None:
    """A phone that sends such ones would have a megabyte written again and again."""
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("4")
        for number, length in enumerate((100, MAX_RECORD)):
            pressed = press(desk, number)
            call_id = f"Call-ID: {length * 'x'}".encode()
            pressed = pressed.replace(b"Call-ID: ", call_id)
            assert b"200 OK" in await exchange(desk, pressed)
        assert len(phone.presses.answered) == 1


async def test_a_press_by_a_connection_is_not_stored() -> None:
    """The phone has to connect again, by which its transactions end (17.1.4)."""
    phone = make_phone()
    phone.acted_on(None)
    assert not phone.presses.answered


def answered(seconds_ago: float, key: str = 32 * "a") -> Answered:
    import time

    response = b"SIP/2.0 200 OK\r\nTo: \xff\r\n\r\n"
    return Answered(key, time.time() - seconds_ago, response)


def test_what_is_stored_is_current_and_bounded() -> None:
    recent = answered(timers.TIMER_J - 5)
    saved = save_answered([answered(timers.TIMER_J + 1), recent, answered(-60)])
    assert load_answered(json.loads(json.dumps(saved)), "44") == [recent]
    many = [answered(1, f"{number:032x}") for number in range(1000)]
    loaded = load_answered(save_answered(many), "44")
    assert loaded == many[-MAX_REMEMBERED:]
    phone = make_phone()
    for each in many:
        phone.acted_on(each)
    assert list(phone.presses.answered) == loaded


def test_a_press_that_cannot_come_again_is_forgotten_with_the_next() -> None:
    """Fifty would take as much memory as all else of a phone."""
    phone = make_phone()
    recent = answered(1)
    phone.presses.add([answered(timers.TIMER_J + 1)])
    phone.presses.add([recent])
    phone.acted_on(another := answered(0))
    assert phone.presses.answered == (recent, another)
    old = Acted("id", recent.at - 2 * MEMORY, None)
    phone.presses.add(acted=[old])
    assert phone.presses.acted == ()


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "x",
        {"key": 5},
        {"key": "\x00"},
        {"key": 20_000 * "a"},
        {"at": "now"},
        {"at": True},
        {"response": None},
        {"response": "GET / HTTP/1.1"},
        {"response": "SIP/2.0 200 \u20ac"},
        {"response": "SIP/2.0 200 OK" + 20_000 * "x"},
        {"at": float("nan")},
    ],
)
def test_what_is_broken_in_the_store_is_left_out(broken: Any) -> None:
    good = answered(1)
    (saved,) = save_answered([good])
    item = saved | broken if isinstance(broken, dict) else broken
    assert load_answered([item, saved], "44") == [good]


async def test_what_is_no_longer_current_counts() -> None:
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        counted = Counted(server)
        await desk.register()
        await desk.shows("4")
        old = answered(timers.TIMER_J + 1)
        server._endpoint.restore([old])
        assert b"200 OK" in await exchange(desk, press(desk, 1))
        assert server._endpoint._before == {}
        assert len(counted.presses) == 1
