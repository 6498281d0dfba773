"""A phone that is not set up tries to register: it is reported, and learns nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
import re

import pytest

from custom_components.snom_buttons.engine.phones import Attempt, Phone, PhoneServer
from custom_components.snom_buttons.engine.sip import MAX_USER_AGENT
from custom_components.snom_buttons.engine.sip.guard import FAILURES
from tests.support.serving import PASSWORD, make_phone, phone_setup, serving
from tests.support.stranger import Stranger, credentials, request, status

pytestmark = pytest.mark.usefixtures("socket_enabled")

HOST = "127.0.9.7"
PLACED = Phone(phone_setup("46", address=("127.0.9.8", 5060)))


@pytest.fixture
async def server() -> AsyncIterator[PhoneServer]:
    async with serving(make_phone(), PLACED) as server:
        yield server


@pytest.fixture
def attempts(server: PhoneServer) -> list[Attempt]:
    found: list[Attempt] = []
    server.attempted.subscribe(found.append)
    return found


async def test_an_unknown_extension_is_reported(
    server: PhoneServer, attempts: list[Attempt]
) -> None:
    """Once it has answered a challenge: a forged address makes no report."""
    with Stranger(server.address, HOST) as phone:
        agent = "User-Agent: snomD735/10.1.198.12 00041341A2B3"
        (challenge,) = await phone.say(request("REGISTER", agent, user="47"))
        assert attempts == []
        line = credentials(challenge, PASSWORD, user="47")
        with Stranger(server.address, "127.0.9.9") as other:
            await other.say(request("REGISTER", agent, line, user="47"))
        assert attempts == []
        (answer,) = await phone.say(request("REGISTER", agent, line, user="47"))
    assert status(answer) == 401
    assert attempts == [Attempt("47", HOST, "snomD735/10.1.198.12 00041341A2B3")]


async def test_it_is_answered_as_a_known_one_with_a_wrong_password(
    server: PhoneServer, attempts: list[Attempt]
) -> None:
    """By the same bytes, but for what differs from answer to answer, and before."""
    answers = []
    for user in ("44", "47"):
        with Stranger(server.address, HOST, 5092) as phone:
            (answer,) = await phone.guess("wrong", user=user)
        # Numbers of the requests, tags and nonces.
        answer = re.sub(rb"n\d{8}|tag=\w+|nonce=\"[^\"]+\"", b"?", answer)
        answers.append(answer.replace(f"sip:{user}@".encode(), b"sip:?@"))
    assert answers[0] == answers[1]
    assert [attempt.extension for attempt in attempts] == ["47"]


@pytest.mark.parametrize(
    ("password", "user", "to"),
    [
        ("wrong", "44", None),
        ("wrong", "44", "47"),
        ("wrong", "47", "44"),
        (PASSWORD, "44", "47"),
        ("wrong", "46", None),
    ],
)
async def test_nothing_is_reported_of_a_known_extension(
    server: PhoneServer,
    attempts: list[Attempt],
    password: str,
    user: str,
    to: str | None,
) -> None:
    """Be it in the credentials or in To, and also one that is set up by its address."""
    with Stranger(server.address, HOST) as phone:
        (answer,) = await phone.guess(password, user=user, to=to)
    assert status(answer) == (403 if password == PASSWORD else 401)
    assert attempts == []


async def test_only_registrations_that_came_directly_are_reported(
    server: PhoneServer, attempts: list[Attempt]
) -> None:
    """What is denied is emitted for all."""
    proxy = "Via: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKp"
    denied: list[Attempt] = []
    server.denied.subscribe(denied.append)
    with Stranger(server.address, HOST) as phone:
        await phone.guess("wrong", proxy, user="47")
        (challenge,) = await phone.say(request("MESSAGE", user="47"))
        line = credentials(challenge, "wrong", method="MESSAGE", user="47")
        await phone.say(request("MESSAGE", line, user="47"))
        await phone.guess("wrong", user="44")
    assert attempts == []
    assert [it[:2] for it in denied] == [("47", HOST), ("44", HOST)]


async def test_a_source_that_guesses_is_locked_out_and_reported_no_more(
    server: PhoneServer, attempts: list[Attempt]
) -> None:
    with Stranger(server.address, HOST) as phone:
        (challenge,) = await phone.say(request("REGISTER"))
        for number in range(3 * FAILURES):
            user = f"{100 + number}"
            line = credentials(challenge, "wrong", user=user)
            await phone.say(request("REGISTER", line, user=user))
    assert len(attempts) == FAILURES


async def test_what_is_reported_is_bounded(
    server: PhoneServer, attempts: list[Attempt]
) -> None:
    with Stranger(server.address, HOST) as phone:
        await phone.guess("wrong", f"User-Agent: \udcff{900 * 'x'}", user="47")
    [attempt] = attempts
    assert len(attempt.user_agent) == MAX_USER_AGENT
    assert attempt.user_agent.startswith("?x")
