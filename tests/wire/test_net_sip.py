"""Perl's Net::SIP, whose REGISTER is among the shortest, against the server."""

from __future__ import annotations

from pathlib import Path
import subprocess

import pytest

from tests.support.programs import missing, program
from tests.support.running import running
from tests.support.serving import PASSWORD, make_phone, serving

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

SCRIPT = Path(__file__).with_name("net_sip.pl")


@pytest.fixture(autouse=True)
def net_sip() -> None:
    asked = (program("perl"), "-MNet::SIP", "-e", "1")
    if subprocess.run(asked, check=False, capture_output=True).returncode:
        missing("Net::SIP")


@pytest.mark.parametrize("realm", ["ha", 64 * "x"], ids=["short", "longest"])
async def test_it_registers_behind_a_router(realm: str, tmp_path: Path) -> None:
    phone = make_phone()
    async with (
        serving(phone, realm=realm) as server,
        running(
            "perl",
            *(SCRIPT, f"127.0.0.1:{server.address[1]}", "44", PASSWORD),
            home=tmp_path,
        ) as net_sip,
    ):
        assert await net_sip.says("^registered for 60 s$")
        assert phone.registration is not None
