"""What other programs answer to the request to fetch settings or to restart."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, STDOUT
from dataclasses import replace
from pathlib import Path

import pytest

from custom_components.snom_buttons.engine.refused import Failed
from tests.support.patience import PATIENCE
from tests.support.peers import LOCALHOST, PEERS, Account
from tests.support.ports import free_port
from tests.support.programs import program
from tests.support.serving_peers import (
    PASSWORD,
    REALM,
    make_phone,
    serving,
    settings_for,
)

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

WITHIN = 10.0


async def test_sipp_takes_it(tmp_path: Path) -> None:
    """It ends with an error if a header is not as it has to be."""
    port, errors = free_port(), tmp_path / "errors.log"
    scenario = Path(__file__).parent / "sipp" / "check_sync.xml"
    phone = make_phone()
    phone.setup = replace(phone.setup, address=(LOCALHOST, port))
    news = asyncio.Event()
    phone.status.subscribe(lambda _: news.set())
    process = await asyncio.create_subprocess_exec(
        *(program("sipp"), "-i", LOCALHOST, "-p", f"{port}", "-sf", scenario),
        *("-m", "3", "-timeout", "20s", "-timeout_error", "-nostdin"),
        *("-trace_err", "-error_file", errors),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=tmp_path,
    )
    async with serving(phone, settings=settings_for("udp")):
        async with asyncio.timeout(PATIENCE):  # the document, until sipp is there
            while not phone.in_sync:
                news.clear()
                await news.wait()
        for reboot in (False, True):
            await phone.check_sync(reboot=reboot, within=WITHIN)
    printed, _ = await process.communicate()
    assert process.returncode == 0, (
        f"{printed.decode(errors='replace')[-3000:]}\n"
        f"{errors.read_text() if errors.exists() else ''}"
    )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("baresip", "check_sync_no_subscription"),
        # linphone takes any NOTIFY outside a dialog.
        ("linphonec", None),
    ],
)
async def test_software_phones(
    name: str, refusal: str | None, transport: str, tmp_path: Path
) -> None:
    """Baresip wants a subscription, as RFC 6665 4.1.3 has it."""
    phone = make_phone()
    async with serving(phone, settings=settings_for(transport)) as server:
        port = server.address_of(transport.upper())[1]
        account = Account("44", PASSWORD, REALM, port, transport, None)
        async with PEERS[name](account, tmp_path / name) as peer:
            await peer.is_registered()
            if refusal is None:
                await phone.check_sync(reboot=True, within=WITHIN)
                return
            with pytest.raises(Failed) as failed:
                await phone.check_sync(reboot=True, within=WITHIN)
            assert failed.value.key == refusal
            answer = failed.value.placeholders["answer"]
            assert answer == "481 Subscription Does Not Exist"
