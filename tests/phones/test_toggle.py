"""Keys that turn over by themselves: the document's do-not-disturb."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from custom_components.snom_buttons.phones import (
    Action,
    KeyDescription,
    KeySetup,
    Light,
    Phone,
    PhoneServer,
)
from tests.rawphone import RawPhone

from .test_server import PASSWORD, device, noting_messages, serving

pytestmark = pytest.mark.usefixtures("socket_enabled")

OFF = KeyDescription(name="4", number="*78", action=Action.MESSAGE, label="DND")
ON = KeyDescription(
    name="4", light=Light.OFFLINE, number="*79", action=Action.MESSAGE, label="DND"
)
DND = KeySetup(off=OFF, on=ON, toggles=True)

# "First, the registrar would send a document like this", and its answer to a press.
FIRST = {"l": "DND", "n": "*78", "a": "message"}
SECOND = {"c": "offline", "l": "DND", "n": "*79", "a": "message"}


@asynccontextmanager
async def desk_with_dnd(
    setup: KeySetup = DND,
) -> AsyncIterator[tuple[PhoneServer, RawPhone]]:
    phone = Phone("404", PASSWORD, [setup])
    async with serving(phone) as server, device(server, "404") as desk:
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
    """Its document follows when it has answered the last one."""
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
    """As a press of the key, for a phone whose key calls; only the number it has now."""
    async with desk_with_dnd() as (server, desk):
        dialled: list[str] = []
        server.dialled.subscribe(lambda event: dialled.append(event.number))
        assert (await desk.invite("*79")).status == 486
        assert (await desk.invite("*78")).status == 486
        await desk.until(lambda: desk.keys["4"] == SECOND)
        assert dialled == ["*79"]


async def test_a_key_that_does_not_toggle_waits_to_be_told() -> None:
    async with desk_with_dnd(KeySetup(off=OFF, on=ON)) as (server, desk):
        await desk.press("4")
        assert not server.phones["404"].keys["4"].is_on
