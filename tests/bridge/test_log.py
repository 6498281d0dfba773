"""What the log says of phones that register, and of those that cannot."""

from collections.abc import AsyncIterator
import logging
from typing import Any, cast

import pytest

from bridge.log import PhoneLog
from snom_buttons.phones import (
    Attempt,
    Change,
    PhoneServer,
    PhoneSetup,
    Registration,
    ServerSettings,
)

HOST = "192.0.2.7"
UNUSED = cast("Any", None)
"""The settings, which the log does not look at."""


@pytest.fixture
def server() -> PhoneServer:
    settings = ServerSettings(
        host="127.0.0.1", port=0, realm="x", advertised_host="bridge.example"
    )
    server = PhoneServer(settings)
    server.add_phone(
        PhoneSetup(extension="44", name="44", password="geheim-44", keys=())
    )
    return server


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
async def log(
    server: PhoneServer, now: list[float], caplog: pytest.LogCaptureFixture
) -> AsyncIterator[PhoneLog]:
    caplog.set_level(logging.INFO, "bridge.log")
    log = PhoneLog(server, lambda: now[0])
    await log.start()
    yield log
    await log.stop()
    caplog.clear()
    server.denied.emit(Attempt("44", HOST, ""))
    assert not caplog.messages


def register(server: PhoneServer, port: int | None) -> None:
    """Let phone 44 be registered from a port, or not at all."""
    found = Registration(
        address=f"udp {HOST}:{port}",
        transport="udp",
        host=HOST,
        user_agent=None,
        expires_at=None,
        supports_buttons=True,
        web_host=None,
    )
    server.phones["44"].registrations = (found,) if port else ()
    server.changed.emit(Change("44", registration=True))


async def test_a_registration_is_logged_when_it_is_another_one(
    server: PhoneServer, log: PhoneLog, caplog: pytest.LogCaptureFixture
) -> None:
    register(server, None)
    register(server, 5060)
    register(server, 5060)
    register(server, 5062)
    server.changed.emit(Change("44"))
    register(server, None)
    assert caplog.messages == [
        f"Phone 44 is registered from udp {HOST}:5060",
        f"Phone 44 is registered from udp {HOST}:5062",
        "Phone 44 has ended its registration",
    ]


async def test_a_phone_that_was_removed_is_forgotten(
    server: PhoneServer, log: PhoneLog, caplog: pytest.LogCaptureFixture
) -> None:
    register(server, 5060)
    phone = server.phones.pop("44")
    await log.update(UNUSED)
    server.phones["44"] = phone
    register(server, 5060)
    assert len(caplog.messages) == 2


async def test_a_phone_that_cannot_register_is_named_with_the_reason(
    server: PhoneServer, log: PhoneLog, caplog: pytest.LogCaptureFixture
) -> None:
    server.denied.emit(Attempt("44", HOST, ""))
    server.denied.emit(Attempt("4\x1b5" + 99 * "5", HOST, ""))
    wrong, unknown = caplog.messages
    assert wrong == f"Phone 44 gave a wrong password, from {HOST}"
    assert unknown.startswith(r"Phone 4\x1b555")
    assert unknown.endswith(f"is not in the settings; it tried to register from {HOST}")
    assert len(unknown) < 120


async def test_strangers_cannot_fill_the_log(
    server: PhoneServer,
    log: PhoneLog,
    now: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(100):
        server.denied.emit(Attempt("47", HOST, ""))
    assert len(caplog.messages) == PhoneLog.MOST + 1
    assert caplog.messages[-1] == "There are more; they are not logged for a minute"
    now[0] += 60
    server.denied.emit(Attempt("47", HOST, ""))
    assert len(caplog.messages) == PhoneLog.MOST + 2
