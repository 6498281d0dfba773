"""sipp plays a phone: an implementation of SIP that shares nothing with ours."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Callable
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
from tests.support.patience import PATIENCE
from tests.support.programs import program

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

SCENARIOS = Path(__file__).parent / "sipp"
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
    process = await asyncio.create_subprocess_exec(
        *(program("sipp"), f"127.0.0.1:{server.address[1]}", "-i", "127.0.0.1"),
        *("-sf", SCENARIOS / "phone.xml", "-oocsf", SCENARIOS / "documents.xml"),
        *("-au", "44", "-ap", PASSWORD),
        *("-m", "1", "-timeout", "20s", "-timeout_error", "-nostdin"),
        *("-trace_err", "-error_file", tmp_path / "errors.log"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=tmp_path,
    )
    printed, _ = await process.communicate()
    errors = tmp_path / "errors.log"
    assert process.returncode == 0, (
        f"{printed.decode(errors='replace')[-3000:]}\n"
        f"{errors.read_text() if errors.exists() else ''}"
    )
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


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110, sipp is another process
            await asyncio.sleep(0.02)


async def test_a_blf_key_is_pressed_once_and_outlives_a_restart(tmp_path: Path) -> None:
    server = make_server(0)
    presses: list[KeyPress] = []
    server.pressed.subscribe(presses.append)
    await server.start()
    port = server.address[1]
    process = await asyncio.create_subprocess_exec(
        *(program("sipp"), f"127.0.0.1:{port}", "-i", "127.0.0.1"),
        *("-sf", SCENARIOS / "press.xml", "-au", "44", "-ap", PASSWORD),
        *("-m", "1", "-timeout", "20s", "-timeout_error", "-nostdin"),
        *("-trace_err", "-error_file", tmp_path / "errors.log"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=tmp_path,
    )
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
    printed, _ = await process.communicate()
    errors = tmp_path / "errors.log"
    assert process.returncode == 0, (
        f"{printed.decode(errors='replace')[-3000:]}\n"
        f"{errors.read_text() if errors.exists() else ''}"
    )
    (press,) = presses
    assert (press.key, press.action, press.number) == ("1", Action.INVITE, "1")
    await until(lambda: again.phones["44"].in_sync)
    await again.stop()
