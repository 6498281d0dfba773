"""Software phones of all makers with busy lamp keys, at a whole server."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from custom_components.snom_buttons.engine.xbuttons import Direction, LightMode
from tests.support.clock import run
from tests.support.serving import LOCALHOST, PASSWORD, lit, make_phone, serving
from virtual_phone import VirtualPhone
from virtual_phone.maker import MAKERS

pytestmark = [
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.parametrize("maker", MAKERS),
]

KEYS = {"1", "2", "3"}


def desk_phone(port: int, maker: str) -> VirtualPhone:
    return VirtualPhone(
        "44",
        PASSWORD,
        registrar=f"{LOCALHOST}:{port}",
        maker=MAKERS[maker],
        blf=True,
        keys=3,
    )


async def shows(desk: VirtualPhone, light: str) -> None:
    await desk.wait_for(lambda p: p.keys["2"].light == light)


async def test_lamps_and_presses(maker: str) -> None:
    phone = make_phone(keys=3)
    async with (
        serving(phone) as server,
        desk_phone(server.address[1], maker) as desk,
    ):
        presses: list[str] = []
        server.pressed.subscribe(lambda press: presses.append(press.key))
        await desk.wait_for(lambda p: p.subscribed == KEYS)
        key = phone.keys["2"]
        for light, lamp in (
            (LightMode.PICKUP, "pickup"),
            (LightMode.ON, "on"),
            (LightMode.HOLD, "pickup"),
            (LightMode.MESSAGE, "on"),
            (LightMode.OFF, "off"),
        ):
            key.show(lit("2", light))
            await shows(desk, lamp)
            assert await desk.press("2") == 486
        assert presses == 5 * ["2"]
        assert phone.in_sync
        # Who calls is beside the lamp.
        called = replace(lit("2", LightMode.PICKUP), caller="100")
        key.show(replace(called, direction=Direction.IN))
        await shows(desk, "pickup")
        key_shown = desk.keys["2"]
        assert (key_shown.display_name, key_shown.direction) == ("100", "in")


def test_a_server_that_was_killed(maker: str) -> None:
    """Phones subscribe anew once the server does not know their subscriptions."""

    async def test() -> None:
        async with serving(make_phone(keys=3)) as server:
            port = server.address[1]
            desk = desk_phone(port, maker)
            await desk.open()
            await desk.wait_for(lambda p: p.subscribed == KEYS)
        phone = make_phone(keys=3)
        async with serving(phone, port=port):
            await asyncio.sleep(3700)
            phone.keys["2"].show(lit("2"))
            await shows(desk, "on")
            phone.keys["2"].show(lit("2", LightMode.OFF))
            await shows(desk, "off")
            await desk.close()

    run(test(), patience=0.02)
