"""sipp plays a phone: an implementation of SIP that shares nothing with ours."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from custom_components.snom_buttons.engine.phones import (
    KeyPress,
    KeySetup,
    PhoneServer,
    PhoneSetup,
    ServerSettings,
)
from custom_components.snom_buttons.engine.xbuttons import Action, KeyDescription
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
