"""Recorded dialogs of several makers, sent byte for byte to a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_components.snom_buttons.engine.phones import Phone, Speakers
from custom_components.snom_buttons.engine.xbuttons import LightMode
from tests.support.clock import run
from tests.support.notifying import PASSWORDS, notifying
from tests.support.rawphone import RawPhone
from tests.support.rawstream import StreamPhone
from tests.support.recorded import DIALOGS, PRESSES, Player, read, transport
from tests.support.serving import lit, phone_setup, raw_phone, serving, setup

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.mark.parametrize("path", DIALOGS, ids=lambda path: path.stem)
def test_a_recorded_subscription(path: Path) -> None:
    async def play() -> None:
        async with notifying() as server:
            host, port = server.address
            desk: RawPhone
            if transport(path) == "TCP":
                await server.endpoint.open(host, port, transport="TCP")
                desk = StreamPhone(server.address, "44", PASSWORDS["44"])
            else:
                desk = server.phone()
            async with desk:
                await desk.register()
                await Player(desk, f"{host}:{port}").play(read(path))
            assert server.subscriptions() == ()
            assert server.handled == []

    run(play(), patience=0.05)


def phone_with_a_key() -> Phone:
    return Phone(phone_setup(keys=[setup("1")], speakers=Speakers.BLF))


@pytest.mark.parametrize(
    "path",
    [path for path in DIALOGS if transport(path) == "UDP"],
    ids=lambda path: path.stem,
)
def test_a_recorded_subscription_of_a_phone(path: Path) -> None:
    async def play() -> None:
        phone = phone_with_a_key()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            player = Player(desk, f"ha.example:{server.address[1]}")
            await player.play(read(path))

    run(play(), patience=0.02)


@pytest.mark.parametrize("path", PRESSES, ids=lambda path: path.stem)
def test_a_recorded_press(path: Path) -> None:
    async def play() -> None:
        phone = phone_with_a_key()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            presses: list[str] = []
            server.pressed.subscribe(lambda press: presses.append(press.key))
            phone.keys["1"].show(lit("1", LightMode.PICKUP))
            player = Player(desk, f"ha.example:{server.address[1]}")
            invite, answer, acknowledgement = read(path)
            # A retransmission gets the same answer, and is no second press.
            await player.play([invite, answer, invite, answer, acknowledgement])
            assert presses == ["1"]

    run(play(), patience=0.02)
