"""Attackers' tools, SIPVicious and nmap, run against the server."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
import logging
from pathlib import Path
import re

import pytest

from custom_components.snom_buttons.engine.phones import KeyPress, PhoneServer
from custom_components.snom_buttons.engine.sip.guard import FAILURES
from tests.support.patience import PATIENCE
from tests.support.programs import program
from tests.support.serving import PASSWORD, make_phone, raw_phone, serving
from tests.support.siege import (
    Flood,
    announcements,
    besiege,
    hundred_strangers,
    one_phone_that_subscribes,
    strangers,
)

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

# The list that is tried contains this password.
assert PASSWORD == "correct horse"
WRONG = [f"wrong-{number}" for number in range(2 * FAILURES)]
USERS = ("-e", "40-50")


@asynccontextmanager
async def house() -> AsyncIterator[PhoneServer]:
    """Run a server with the registered phone 44, and with phone 45."""
    async with (
        serving(make_phone(), make_phone("45")) as server,
        raw_phone(server) as desk,
    ):
        assert (await desk.register()).status == 200
        await desk.shows("4")
        yield server
        # Whatever happened, the phone is still served.
        assert (await desk.press("1")).status == 200


@pytest.fixture(autouse=True)
def no_secrets(
    caplog: pytest.LogCaptureFixture,
) -> Iterator[None]:
    caplog.set_level(logging.DEBUG, logger="custom_components")
    yield
    logged = "\n".join(record.getMessage() for record in caplog.get_records("call"))
    assert PASSWORD not in logged
    assert "response=" not in logged


async def run(
    home: Path, name: str, *arguments: str, until: bytes | None = None
) -> str:
    """Run a program to its end, or until it prints something; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(program(name), *arguments),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=home,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    assert process.stdout is not None
    printed = b""
    try:
        async with asyncio.timeout(PATIENCE):
            async for line in process.stdout:
                printed += line
                if until is not None and until in line:
                    break
            else:
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return printed.decode(errors="replace")


async def crack(
    server: PhoneServer, home: Path, passwords: list[str], user: str
) -> str:
    """Try a list of passwords with svcrack."""
    words = home / "words.txt"
    words.write_text("\n".join(passwords))
    return await run(
        home,
        "sipvicious_svcrack",
        *("-u", user, "-d", str(words), "-x", "127.0.0.1"),
        *("--maximumtime", "1", f"udp://127.0.0.1:{server.address[1]}"),
        # After that it waits ten seconds for a last answer.
        until=b"since we last received a response",
    )


async def test_svcrack_would_find_a_password_that_it_may_try(tmp_path: Path) -> None:
    """Otherwise the next test would prove nothing."""
    async with house() as server:
        printed = await crack(server, tmp_path, [WRONG[0], PASSWORD, WRONG[1]], "45")
        assert re.search(rf"\|\s*{PASSWORD}\s*\|", printed), printed


async def test_svcrack_is_locked_out(tmp_path: Path) -> None:
    async with house() as server:
        printed = await crack(server, tmp_path, [*WRONG, PASSWORD], "45")
        assert "since we last received a response" in printed
        assert PASSWORD not in printed
        assert server.locked == ["127.0.0.1"]


async def test_svmap_and_svwar_find_no_user(tmp_path: Path) -> None:
    """Svmap sees at most that something answers 401, but not what it is.

    svwar gets the same 401 for a user that it made up and gives up; none of its INVITEs
    rings.
    """
    async with house() as server:
        port = server.address[1]
        target = f"udp://127.0.0.1:{port}"
        outputs = await asyncio.gather(
            *(
                run(
                    tmp_path,
                    "sipvicious_svmap",
                    "-p",
                    f"{port}",
                    "-m",
                    method,
                    "127.0.0.1",
                )
                for method in ("OPTIONS", "REGISTER", "INVITE")
            ),
            *(
                run(
                    tmp_path,
                    "sipvicious_svwar",
                    "--force",
                    *USERS,
                    "-m",
                    method,
                    target,
                )
                for method in ("REGISTER", "OPTIONS", "INVITE")
            ),
        )
        for printed in outputs[:3]:
            assert "found nothing" in printed or "| unknown    |" in printed, printed
            assert not re.search("snom|home|python|buttons", printed, re.IGNORECASE)
        for printed in outputs[3:]:
            assert "found nothing" in printed, printed
        for printed in outputs:
            assert "reqauth" not in printed
        assert len(server._location.bindings("44")) == 1


async def test_nmap_learns_neither_methods_nor_users(tmp_path: Path) -> None:
    async with house() as server:
        pressed: list[KeyPress] = []
        server.pressed.subscribe(pressed.append)
        host, port = server.address
        printed = await run(
            tmp_path,
            "nmap",
            *("-n", "-Pn", "-sU", "-p", f"{port}", "-d"),
            *("--script", "+sip-methods,+sip-enum-users,+sip-call-spoof"),
            "--script-args",
            "sip-enum-users.minext=40,sip-enum-users.maxext=50,sip.timeout=1,"
            "sip-call-spoof.timeout=1s",
            host,
        )
        for script in ("sip-methods", "sip-enum-users", "sip-call-spoof"):
            assert f"Finished {script}" in printed, printed
        # Findings of a script begin with a bar.
        found = [line for line in printed.splitlines() if line.startswith("|")]
        assert found in (
            [],
            [
                "| sip-enum-users: ",
                "|_  ERROR: Server not returning 404 for random extension.",
            ],
        )
        assert not pressed


@pytest.mark.parametrize(
    "flood",
    [strangers, hundred_strangers, announcements, one_phone_that_subscribes],
)
async def test_a_flood_goes_by_unnoticed(flood: Flood) -> None:
    """Each press becomes one event; `script/flood` prints how fast."""
    figures = await besiege(3, flood)
    assert figures.presses > 0
    assert figures.events == figures.presses, figures
    assert figures.peak - figures.before < 50, figures
    assert figures.after - figures.before < 25, figures
