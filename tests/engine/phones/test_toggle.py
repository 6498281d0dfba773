"""Keys that a press toggles: the document's do-not-disturb."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from custom_components.snom_buttons.engine.phones import KeySetup, Phone, PhoneServer
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    KeyDescription,
    LightMode,
)
from tests.support.rawphone import RawPhone
from tests.support.serving import (
    jumping,
    noting_messages,
    phone_setup,
    raw_phone,
    serving,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

OFF = KeyDescription(name="4", number="*78", action=Action.MESSAGE, label="DND")
ON = KeyDescription(
    name="4", light=LightMode.OFFLINE, number="*79", action=Action.MESSAGE, label="DND"
)
DND = KeySetup(off=OFF, on=ON, toggles=True)

# "First, the registrar would send a document like this", and its answer to a press.
FIRST = {"l": "DND", "n": "*78", "a": "message"}
SECOND = {"c": "offline", "l": "DND", "n": "*79", "a": "message"}
FIRST_DOCUMENT = "k=4\r\nn=*78\r\na=message\r\nl=DND\r\n\r\n"
SECOND_DOCUMENT = "k=4\r\nc=offline\r\nn=*79\r\na=message\r\nl=DND\r\n\r\n"


@asynccontextmanager
async def desk_with_dnd(
    setup: KeySetup = DND,
) -> AsyncIterator[tuple[PhoneServer, RawPhone]]:
    phone = Phone(phone_setup("404", [setup]))
    async with serving(phone) as server, raw_phone(server, "404") as desk:
        await desk.register()
        await desk.until(lambda: desk.keys.get("4") == FIRST)
        yield server, desk


async def test_a_press_brings_the_other_document() -> None:
    async with desk_with_dnd() as (server, desk):
        key = server.phones["404"].keys["4"]
        for document, is_on in ((SECOND, True), (FIRST, False), (SECOND, True)):
            assert (await desk.press("4")).status == 200
            await desk.until(lambda document=document: desk.keys["4"] == document)
            assert key.is_on == is_on
        bodies = [request.body for request in desk.requests]
        assert bodies == 2 * [FIRST_DOCUMENT, SECOND_DOCUMENT]


async def test_state_then_message_then_event() -> None:
    async with desk_with_dnd() as (server, desk):
        key = server.phones["404"].keys["4"]
        order = noting_messages(server)
        key.shown.subscribe(lambda _: order.append("state"))
        key.pressed.subscribe(lambda _: order.append("event of the key"))
        server.pressed.subscribe(lambda _: order.append("event of the server"))
        await desk.press("4")
        await desk.until(lambda: desk.keys["4"] == SECOND)
        assert order == ["state", "MESSAGE", "event of the key", "event of the server"]


async def test_a_phone_that_is_busy_holds_up_no_event() -> None:
    """Its document follows once it has answered the last one."""
    async with desk_with_dnd() as (server, desk):
        key = server.phones["404"].keys["4"]
        desk.answer = None
        key.turn(True)
        presses: list[bool] = []
        server.pressed.subscribe(lambda _: presses.append(key.is_on))
        await desk.press("4")
        assert presses == [False]
        desk.answer = 200
        await desk.until(lambda: desk.keys["4"] == FIRST and len(desk.requests) > 1)


async def test_two_quick_presses_are_two() -> None:
    async with desk_with_dnd() as (server, desk):
        desk.answer = None
        await desk.press("4")
        await desk.press("4")
        assert not server.phones["404"].keys["4"].is_on


async def test_the_number_can_be_dialled_too() -> None:
    """The key's current number, dialled by a phone whose key calls, is a press."""
    async with desk_with_dnd() as (server, desk):
        dialled: list[str] = []
        server.dialled.subscribe(lambda event: dialled.append(event.number))
        assert (await desk.invite("*79")).status == 486
        assert (await desk.invite("*78")).status == 486
        await desk.until(lambda: desk.keys["4"] == SECOND)
        assert dialled == ["*79"]


def test_a_press_that_is_sent_again_is_one_press() -> None:
    """The phone repeats it until the answer arrives, which may have been lost."""

    async def test() -> None:
        async with desk_with_dnd() as (server, desk):
            presses: list[str] = []
            server.pressed.subscribe(lambda press: presses.append(press.key))
            body = "k=4\r\na=message\r\n"
            for method, number, content in (
                ("MESSAGE", "404", body),
                ("INVITE", "*79", ""),
            ):
                lines = (
                    f"Via: SIP/2.0/UDP {desk.address};branch=z9hG4bK-{method};rport",
                    "From: <sip:404@ha>;tag=1",
                    f"To: <sip:{number}@ha>",
                    f"Call-ID: {method}",
                    f"CSeq: 1 {method}",
                    "Max-Forwards: 70",
                    "Content-Type: application/x-buttons",
                )
                data = desk._text(f"{method} sip:{number}@ha SIP/2.0", lines, content)
                is_on = server.phones["404"].keys["4"].is_on
                for pause in (0.0, 0.5, 1, 2, 4, 4, 4):
                    await asyncio.sleep(pause)
                    desk._transport.sendto(data, desk.server)
                await asyncio.sleep(1)
                assert server.phones["404"].keys["4"].is_on is not is_on
            assert presses == ["4", "4"]

    jumping(test)


async def test_a_press_while_a_document_is_under_way_is_answered_by_the_newest() -> (
    None
):
    async with desk_with_dnd() as (server, desk):
        desk.answer = None
        for _ in range(3):
            await desk.press("4")
        sent = len(desk.requests)
        desk.answer = 200
        await desk.until(lambda: len(desk.requests) == sent + 2)
        # The first was repeated, and all later changes went out in one.
        shown = [request.body for request in desk.requests[sent:]]
        assert shown == [SECOND_DOCUMENT, SECOND_DOCUMENT]
        assert server.phones["404"].keys["4"].is_on


async def test_new_looks_reach_a_key_that_is_on() -> None:
    async with desk_with_dnd() as (server, desk):
        await desk.press("4")
        await desk.until(lambda: desk.keys["4"] == SECOND)
        looks = KeySetup(
            off=replace(OFF, label="Do not disturb"),
            on=replace(ON, light=LightMode.ERROR, label="Do not disturb", number="*80"),
            toggles=True,
        )
        server.configure_phone(phone_setup("404", [looks]))
        await desk.shows("4", c="error", n="*80", l="Do not disturb")
        await desk.press("4")
        await desk.shows("4", c=None, n="*78", l="Do not disturb")


async def test_a_restart_keeps_a_key_on_and_the_next_press_turns_it_off() -> None:
    async with desk_with_dnd() as (server, desk):
        await desk.press("4")
        await desk.until(lambda: desk.keys["4"] == SECOND)
        snapshot, port = server.snapshot(), server.address[1]
        await server.stop()
        desk.keys.clear()
        phone = Phone(phone_setup("404", [DND]))
        async with serving(phone, snapshot=snapshot, port=port):
            await desk.until(lambda: desk.keys.get("4") == SECOND)
            await desk.press("4")
            await desk.until(lambda: desk.keys["4"] == FIRST)


async def test_a_press_has_the_caller_that_the_key_showed() -> None:
    async with desk_with_dnd() as (server, desk):
        key = server.phones["404"].keys["4"]
        callers: list[str | None] = []
        server.pressed.subscribe(lambda press: callers.append(press.caller))
        key.show(replace(key.look, caller="19781234567", light=LightMode.PICKUP))
        await desk.shows("4", i="19781234567")
        await desk.press("4")
        key.show(replace(key.look, caller=None))
        await desk.press("4")
        await desk.press("9", number="*1")
        assert callers == ["19781234567", None, None]


async def test_a_key_that_does_not_toggle_keeps_its_look() -> None:
    async with desk_with_dnd(KeySetup(off=OFF, on=ON)) as (server, desk):
        await desk.press("4")
        assert not server.phones["404"].keys["4"].is_on
