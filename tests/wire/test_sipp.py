"""sipp plays a phone: an implementation of SIP that shares nothing with ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from custom_components.snom_buttons.engine.phones import (
    BlfSetup,
    KeyPress,
    KeySetup,
    PhoneServer,
    PhoneSetup,
    PressAnswer,
    ServerSettings,
    Speakers,
)
from custom_components.snom_buttons.engine.sip.transaction import (
    InviteServerTransaction,
    State,
)
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    KeyDescription,
    LightMode,
)
from tests.support.rawphone import RawPhone
from tests.support.sipp import SCENARIOS, sipp, succeeded, until

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

PASSWORD = "geheim44"


async def test_a_phone_registers_shows_its_keys_and_presses_one(tmp_path: Path) -> None:
    keys = [
        KeySetup(
            off=KeyDescription(name=f"{n}", action=Action.MESSAGE, number=f"key{n}")
        )
        for n in range(1, 13)
    ]
    server = PhoneServer(
        ServerSettings(
            host="127.0.0.1",
            port=0,
            realm="home assistant",
            advertised_host="127.0.0.1",
        )
    )
    phone = server.add_phone(
        PhoneSetup(extension="44", password=PASSWORD, keys=tuple(keys))
    )
    presses: list[KeyPress] = []
    server.pressed.subscribe(presses.append)
    in_sync: list[bool] = []
    phone.status.subscribe(lambda _: in_sync.append(phone.in_sync))
    await server.start()
    documents = ("-oocsf", SCENARIOS / "documents.xml")
    port = server.address[1]
    process = await sipp(port, "phone.xml", tmp_path, *documents, password=PASSWORD)
    await succeeded(process, tmp_path)
    # The whole picture was sent and acknowledged.
    assert in_sync[-1] is True
    (press,) = presses
    assert (press.key, press.action, press.number) == ("4", Action.MESSAGE, "key4")
    await server.stop()


def make_server(port: int) -> PhoneServer:
    """Return a server with a phone whose only key is BLF."""
    server = PhoneServer(
        ServerSettings(
            host="127.0.0.1",
            port=port,
            realm="home assistant",
            advertised_host="127.0.0.1",
            keepalive=0.0,
        )
    )
    server.add_phone(
        PhoneSetup(
            extension="44",
            password=PASSWORD,
            keys=(KeySetup(off=KeyDescription(name="1")),),
            speakers=Speakers.BLF,
            blf=BlfSetup(press_answer=PressAnswer.DECLINE),
        )
    )
    return server


async def test_a_blf_key_is_pressed_once_and_outlives_a_restart(tmp_path: Path) -> None:
    server = make_server(0)
    presses: list[KeyPress] = []
    server.pressed.subscribe(presses.append)
    await server.start()
    port = server.address[1]
    process = await sipp(port, "press.xml", tmp_path, password=PASSWORD)
    transactions = server._endpoint._transactions.running
    await until(
        lambda: any(  # the refusal was acknowledged
            isinstance(running.machine, InviteServerTransaction)
            and running.machine.state is State.CONFIRMED
            for running in transactions.values()
        )
    )
    snapshot = json.loads(json.dumps(server.snapshot()))
    await server.stop()
    again = make_server(port)
    again.pressed.subscribe(presses.append)
    again.restore(snapshot)
    again.phones["44"].show([KeyDescription(name="1", light=LightMode.ON)])
    await again.start()
    await succeeded(process, tmp_path)
    (press,) = presses
    assert (press.key, press.action, press.number) == ("1", Action.INVITE, "1")
    await until(lambda: again.phones["44"].in_sync)
    await again.stop()


async def test_a_phone_that_crashed_subscribes_anew(tmp_path: Path) -> None:
    server = make_server(0)
    await server.start()
    async with RawPhone(server.address, "44", PASSWORD) as desk:
        await desk.register()
        assert (await desk.subscribe("1")).status == 200
        await until(lambda: server.phones["44"].in_sync)
        address = desk.address.rpartition(":")
    (lost,) = server._notifier.subscriptions("44")
    lost_by_phone = ("-p", address[2], "-oocsf", SCENARIOS / "lost.xml")
    process = await sipp(
        server.address[1], "reboot.xml", tmp_path, *lost_by_phone, password=PASSWORD
    )
    await succeeded(process, tmp_path)
    await until(lambda: len(server._notifier.subscriptions("44")) == 1)
    (subscription,) = server._notifier.subscriptions("44")
    assert subscription.key != lost.key
    await until(lambda: server.phones["44"].in_sync)
    await server.stop()
