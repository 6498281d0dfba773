"""A sender without a password gets a challenge or nothing, whatever it sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from ipaddress import ip_network
import logging
import re
import resource
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.snom_buttons.engine.phones import (
    KeyPress,
    Phone,
    PhoneServer,
    server as server_module,
)
from custom_components.snom_buttons.engine.sip.digest import NONCE_LIFETIME
from custom_components.snom_buttons.engine.sip.drops import LOGGED_EVERY, Drop
from custom_components.snom_buttons.engine.sip.flow import Flow
from custom_components.snom_buttons.engine.sip.guard import FAILURES, LOCKED_FOR, Guard
from custom_components.snom_buttons.engine.sip.net.endpoint import AMPLIFICATION
from custom_components.snom_buttons.engine.sip.net.stream import (
    HANDSHAKE_DEADLINE,
    MAX_STRANGERS,
    MAX_TCP_STRANGERS,
    MAX_TLS_STRANGERS,
    MESSAGE_DEADLINE,
    STRANGER_IDLE,
)
from custom_components.snom_buttons.engine.sip.strangers import (
    ALL_RATE,
    BURST,
    RATE,
    RESERVE,
)
from tests.support import stranger as stranger_module
from tests.support.faults import FAULTS
from tests.support.messages import LONG, request_bytes, response_bytes
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone
from tests.support.serving import PASSWORD, make_phone, phone_setup, raw_phone
from tests.support.stranger import (
    METHODS,
    Stranger,
    connect,
    converse,
    credentials,
    request,
    status,
)
from tests.support.streams import (
    Contexts,
    jumping,
    raw_phone as stream_phone,
    serving,
    tls_contexts,
    until_closed,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

STRANGER = "127.0.9.1"
TCP = Contexts(None, None)
WITNESSES = ip_network("127.77.0.0/16")
PRESS = b"k=1\r\na=message\r\n"
BUTTONS = "Content-Type: application/x-buttons"
PROXY = "Via: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKproxy"
ANSWERED = {
    "via",
    "from",
    "to",
    "call-id",
    "cseq",
    "www-authenticate",
    "content-length",
}


@pytest.fixture(autouse=True)
def secrets(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Check that no password, and no digest made with one, is logged."""
    caplog.set_level(logging.DEBUG, logger="custom_components")
    given_out = {PASSWORD}

    def noted[**P](make: Any) -> Any:
        def noting(*arguments: Any, **options: Any) -> str:
            line: str = make(*arguments, **options)
            given_out.update(re.findall('response="([^"]+)"', line))
            return line

        return noting

    monkeypatch.setattr(RawPhone, "_credentials", noted(RawPhone._credentials))
    for module in (stranger_module, globals()):
        noting = noted(credentials)
        if isinstance(module, dict):
            monkeypatch.setitem(module, "credentials", noting)
        else:
            monkeypatch.setattr(module, "credentials", noting)
    yield
    logged = "\n".join(record.getMessage() for record in caplog.get_records("call"))
    assert not [secret for secret in given_out if secret[:20] in logged]


@asynccontextmanager
async def house(contexts: Contexts = TCP, **options: Any) -> AsyncIterator[PhoneServer]:
    """Run a server with phone 44, which has registered, and phone 45, which has not."""
    async with (
        serving(
            contexts, make_phone(), Phone(phone_setup("45", [])), **options
        ) as server,
        raw_phone(server) as desk,
    ):
        assert (await desk.register()).status == 200
        await desk.shows("4")
        yield server


def hostile() -> Iterator[bytes]:
    """Yield requests, responses and garbage of all kinds that strangers send."""
    for method in METHODS:
        for user in ("44", "45", "47", "%", "a" * 200):
            yield request(method, user=user)
        yield request(method, to="47")
        for line in (
            "Require: nonsense",
            "Require: ,;",
            "Proxy-Require: nonsense",
            "Content-Type: text/html",
            "Content-Encoding: gzip",
            "Event: presence",
            "Contact: *",
            "Contact: <sip:44@127.0.0.1:9>",
            "Expires: 0",
            "Max-Forwards: 0",
            "Path: <sip:127.0.0.1:9>",
            "Route: <sip:127.0.0.1:9;lr>",
            "Record-Route: <sip:127.0.0.1:9;lr>",
            "Authorization: Basic NDQ6",
            "Authorization: Digest",
            'Authorization: Digest username="44", realm="ha"',
            'Authorization: Digest username="44", realm="ha", nonce="00", response=""',
            'Authorization: Digest username="44", realm="ha", nonce="' + 500 * "0",
            'Proxy-Authorization: Digest username="44", realm="ha"',
            PROXY,
        ):
            yield request(method, line)
        yield request(method, BUTTONS, body=PRESS)
        yield request(method, BUTTONS, body=b"\xff\0")
        yield request(method, uri="sip:44@ha.test")
        yield request(method, uri="sips:44@ha.test")
        yield request(method, uri="tel:112")
        yield request_bytes(method, f"X-Padding: {700 * 'x'}", From="<sip:44@ha.test>")
        # A request within a dialog that does not exist.
        yield request(method).replace(b"@ha.test>\r\nCall", b"@ha.test>;tag=1\r\nCall")
    for fault in FAULTS.values():
        yield fault
        yield fault.replace(b"\r\nCSeq", b"\r\nX-Padding: " + 700 * b"x" + b"\r\nCSeq")
    for code in (100, 180, 200, 302, 401, 407, 487, 500, 699):
        yield response_bytes(f"SIP/2.0 {code} Whatever")
        yield response_bytes(f"SIP/2.0 {code} Whatever", Via="SIP/2.0/UDP 127.0.0.1")
    yield request("REGISTER").replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1)
    yield request("REGISTER").replace(b"sip:ha.test", b"soap.beep://x", 1)
    yield from (
        b"",
        b"\0",
        b"\r\n",
        b"x" * 65000,
        b"GET / HTTP/1.1\r\n\r\n",
        b"\r\n\r\n",
    )


def framed(message: bytes) -> bytes:
    """Return a message with a Content-Length, so that it does not break a stream."""
    if b"content-length" in message.lower() or b"\nl:" in message:
        return message
    head, blank, body = message.partition(b"\r\n\r\n")
    return b"%b\r\nContent-Length: %d%b%b" % (head, len(body), blank, body)


def check_answer(answer: bytes, asked: bytes) -> None:
    """Check that an answer is a challenge and reveals nothing but what was sent."""
    head, _, body = answer.partition(b"\r\n\r\n")
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    assert start == "SIP/2.0 401 Unauthorized", asked
    assert body == b""
    assert {line.partition(":")[0].lower() for line in lines} <= ANSWERED
    revealed = re.sub(
        r'nonce="[^"]*"|;tag=\w*|(received|rport)=[\d.]+', "", head.decode("latin-1")
    )
    for user in ("44", "45"):
        assert f"sip:{user}@" not in revealed or user.encode() in asked
    assert not re.search(r"snom|home|python|buttons|0\.1\.0", revealed, re.IGNORECASE)


async def test_datagrams_get_a_challenge_or_nothing() -> None:
    async with house() as server:
        pressed: list[KeyPress] = []
        server.pressed.subscribe(pressed.append)
        challenged = 0
        for number, data in enumerate(hostile()):
            host = f"127.9.{number // 250}.{number % 250 + 1}"
            with Stranger(server.address, host) as stranger:
                for answer in await stranger.say(data):
                    check_answer(answer, data)
                    assert len(answer) <= AMPLIFICATION * len(data)
                    challenged += 1
        assert challenged > 300
        assert not pressed
        assert not server.locked
        assert [len(server._location.bindings(user)) for user in ("44", "45")] == [
            1,
            0,
        ]


@jumping
async def test_messages_by_a_connection_get_a_challenge_or_nothing(
    contexts: Contexts,
) -> None:
    async with house(contexts) as server:
        address = server.address_of("TLS" if contexts.client else "TCP")
        # With TLS only every seventh: a handshake is slow.
        step = 7 if contexts.client else 1
        challenged = 0
        for number, data in enumerate([*hostile()][::step]):
            for message in {data, framed(data)}:
                host = f"127.9.{number // 250}.{number % 250 + 1}"
                said = await converse(address, host, message, context=contexts.client)
                for answer in re.split(rb"(?<=\r\n\r\n)(?=SIP/2.0)", said):
                    # The answer to a ping (RFC 5626 4.4.1).
                    if answer.lstrip(b"\r\n"):
                        check_answer(answer.lstrip(b"\r\n"), message + b"witness")
                        challenged += 1
        assert challenged > 300 / step


# Users that exist, and users that do not


def masked(answers: list[bytes], user: str) -> list[str]:
    """Return answers without the parts that always differ."""
    return [
        re.sub(
            r'(?<=nonce=")[\w-]+|(?<=tag=)\w+|(?<=branch=)\w+|(?<=rport=)\d+|n\d{8}(?=@)',
            lambda found: len(found[0]) * "-",
            answer.decode().replace(f"sip:{user}@", "sip:NN@"),
        )
        for answer in answers
    ]


@pytest.mark.parametrize("more", [(), (PROXY,)], ids=["direct", "behind a proxy"])
async def test_all_users_get_the_same(more: tuple[str, ...]) -> None:
    """Lock-outs, and the answers after them, are the same, too."""
    async with house() as server:
        got = {}
        for user in ("44", "45", "47"):
            with Stranger(server.address, f"127.9.1.{user}") as stranger:
                answers = []
                for method in METHODS:
                    answers += await stranger.say(request(method, *more, user=user))
                stale = credentials(answers[0], "wrong", user=user, nonce="00" * 20)
                for _ in range(FAILURES + 2):
                    answers += await stranger.say(
                        request("REGISTER", *more, stale, user=user)
                    )
                    asked = await stranger.say(request("REGISTER", *more, user=user))
                    answers += asked
                    if asked:
                        line = credentials(asked[0], "wrong", user=user)
                        answers += await stranger.say(
                            request("REGISTER", *more, line, user=user)
                        )
                got[user] = [
                    text.replace(f"127.9.1.{user}", "HOST")
                    for text in masked(answers, user)
                ]
        assert got["44"] == got["45"] == got["47"]
        assert len(server.locked) == 3
        assert {len(text) for text in got["44"]}


# The length of answers


def made(parts: tuple[str, list[str], str, int], is_compact: bool) -> bytes:
    """Return a request, perhaps with the short names of RFC 3261 7.3.3."""
    method, more, user, padding = parts
    data = request(method, *more, user=user, padding=padding)
    if is_compact:
        for name, short in (("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i")):
            data = data.replace(f"\r\n{name}: ".encode(), f"\r\n{short}:".encode())
    return data


LINES = (PROXY, "User-Agent: baresip v1", "Require: x", "Timestamp: 1", BUTTONS)


@given(
    data=st.builds(
        made,
        st.tuples(
            st.sampled_from(METHODS),
            st.lists(st.sampled_from(LINES), max_size=3),
            st.text("4567", min_size=1, max_size=40),
            st.integers(0, 900),
        ),
        st.booleans(),
    ),
    number=st.integers(0, 60_000),
)
@settings(max_examples=300)
def law_of_length(data: bytes, number: int) -> None:
    host = f"127.10.{number // 250}.{number % 250 + 1}"

    async def ask() -> list[bytes]:
        with Stranger(_address, host) as stranger:
            return await stranger.say(data)

    for answer in _runner.run(ask()):
        check_answer(answer, data)
        assert len(answer) <= AMPLIFICATION * len(data)


_runner: asyncio.Runner
_address: tuple[str, int]


def test_an_answer_by_udp_is_at_most_three_times_as_long_as_the_request() -> None:
    global _runner, _address  # noqa: PLW0603

    async def started() -> PhoneServer:
        return await stack.__aenter__()

    with asyncio.Runner() as _runner:
        stack = serving(TCP, make_phone())
        _address = _runner.run(started()).address
        try:
            law_of_length()
        finally:
            _runner.run(stack.__aexit__(None, None, None))


# As other programs send them, without a header that they could do without.
LEAN = {
    "RFC 3261 24.1": (
        "REGISTER sip:registrar.biloxi.com SIP/2.0",
        "Via: SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bKnashds7",
        "Max-Forwards: 70",
        "To: Bob <sip:bob@biloxi.com>",
        "From: Bob <sip:bob@biloxi.com>;tag=456248",
        "Call-ID: 843817637684230@998sdasdh09",
        "CSeq: 1826 REGISTER",
        "Contact: <sip:bob@192.0.2.4>",
        "Expires: 7200",
        "Content-Length: 0",
    ),
    "Net::SIP": (
        "REGISTER sip:192.0.2.2 SIP/2.0",
        f"Via: SIP/2.0/UDP 192.168.178.44;branch=z9hG4bK{62 * '5'}",
        "Call-id: 54ebb8eca88f12e02b366e23dc973906",
        "Contact: 44 <sip:44@192.168.178.44>",
        "Cseq: 1 REGISTER",
        "Expires: 60",
        "From: 44 <sip:44@ha.test>;tag=714cfb48238be6f9e1117f4c459b03a1",
        "Max-forwards: 70",
        "To: 44 <sip:44@ha.test>",
        "Content-length: 0",
    ),
    "mjsip": (
        "REGISTER sip:192.0.2.2 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.44:5060;rport;branch=z9hG4bK79874",
        "Max-Forwards: 70",
        "To: <sip:44@192.0.2.2>",
        "From: <sip:44@192.0.2.2>;tag=z9hG4bK32343431",
        "Call-ID: 442013041122@192.0.2.44",
        "CSeq: 1 REGISTER",
        "Contact: <sip:44@192.0.2.44>",
        "Expires: 3600",
        "User-Agent: mjsip 1.8",
        "Content-Length: 0",
    ),
    "libre": (
        "REGISTER sip:192.0.2.2 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.44:5060;branch=z9hG4bK6b3f1a4d8f1c2e77;rport",
        "Contact: <sip:44@192.0.2.44:5060>;expires=60",
        "Max-Forwards: 70",
        "To: <sip:44@192.0.2.2>",
        "From: <sip:44@192.0.2.2>;tag=2d1f0c9a7b3e5d41",
        "Call-ID: 9c1b2f3a4d5e6f70",
        "CSeq: 1 REGISTER",
        "Content-Length: 0",
    ),
    "as short as a phone can": (
        "REGISTER sip:10.0.0.2 SIP/2.0",
        "v:SIP/2.0/UDP 10.0.0.4;branch=z9hG4bK1",
        "f:sip:4@10.0.0.2;tag=1",
        "t:sip:4@10.0.0.2",
        "i:1",
        "CSeq:1 REGISTER",
        "m:sip:4@10.0.0.4",
    ),
}
REALMS = ("ha", "our-own-phones", 64 * "x")


@pytest.mark.parametrize("realm", REALMS, ids=["short", "usual", "longest"])
@pytest.mark.parametrize("name", LEAN)
async def test_the_shortest_register_of_a_phone_is_challenged(
    name: str, realm: str
) -> None:
    """From an address that its Via does not name, so that `received` is added."""
    data = "\r\n".join((*LEAN[name], "", "")).encode()
    async with serving(TCP, make_phone(), realm=realm) as server:
        with Stranger(server.address, STRANGER) as stranger:
            (answer,) = await stranger.say(data)
    check_answer(answer, data)
    assert f";received={STRANGER}".encode() in answer
    assert len(answer) <= AMPLIFICATION * len(data)
    # Only compact headers and a long realm leave no room for SHA-256.
    both = not (name == "as short as a phone can" and len(realm) == 64)
    assert answer.count(b"WWW-Authenticate:") == 1 + both


async def test_a_request_that_is_too_short_for_a_challenge_gets_none() -> None:
    tiny = (
        b"REGISTER sip:h SIP/2.0\r\nv:SIP/2.0/UDP h;branch=z9hG4bK1\r\nf:sip:4@h;tag=1"
        b"\r\nt:sip:4@h\r\ni:1\r\nCSeq:1 REGISTER\r\n\r\n"
    )
    async with serving(TCP, make_phone(), realm=64 * "x") as server:
        with Stranger(server.address, STRANGER) as stranger:
            assert await stranger.say(tiny) == []
        assert dropped(server) == {Drop.TOO_SHORT: 1}


# What gets no answer is counted, and logged at debug level


def dropped(server: PhoneServer) -> dict[str, int]:
    return {reason: count for reason, count in server.dropped.items() if count}


async def test_what_gets_no_answer_is_counted_by_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with house(networks=(ip_network("127.0.0.0/16"), WITNESSES)) as server:
        assert server.dropped == dict.fromkeys(Drop, 0)
        with (
            Stranger(server.address, "127.1.0.1") as outsider,
            Stranger(server.address, STRANGER) as stranger,
            Stranger(server.address, "127.0.9.2") as noisy,
        ):
            assert await outsider.say(request("REGISTER")) == []
            malformed = request("REGISTER").replace(b"CSeq", b"X-CSeq")
            assert (
                await stranger.say(malformed, request("CANCEL"), response_bytes()) == []
            )
            for number in range(FAILURES):
                await stranger.guess(f"wrong{number}")
            assert await stranger.say(request("REGISTER")) == []
            while not server.dropped[Drop.RATE]:
                await noisy.say(*50 * [request("REGISTER")])
        assert dropped(server) == {
            Drop.NETWORK: 1,
            Drop.MALFORMED: 1,
            Drop.STRAY: 2,
            Drop.LOCKED_OUT: 1,
            Drop.RATE: server.dropped[Drop.RATE],
        }
    logged = [r.getMessage() for r in caplog.records if "Dropped (" in r.getMessage()]
    assert f"Dropped (locked_out): 1, the last from udp {STRANGER}:" in "\n".join(
        logged
    )


@jumping
async def test_drops_are_logged_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    async with house() as server:
        with Stranger(server.address, STRANGER) as stranger:
            for _ in range(3):
                await stranger.say(request("CANCEL"))
            await asyncio.sleep(LOGGED_EVERY)
            await stranger.say(request("CANCEL"))
    logged = [r.getMessage() for r in caplog.records if "Dropped (" in r.getMessage()]
    assert [line.partition(",")[0] for line in logged] == [
        "Dropped (stray): 1",
        "Dropped (stray): 3",
    ]


async def test_connections_that_are_too_many_are_counted() -> None:
    async with house() as server:
        address = server.address_of("TCP")
        opened = [await connect(address, STRANGER) for _ in range(MAX_STRANGERS + 2)]
        # The last ones are closed at once.
        for reader, _ in opened[MAX_STRANGERS:]:
            await until_closed(reader)
        assert dropped(server) == {Drop.CONNECTIONS: 2}
        for _, writer in opened:
            writer.close()


async def test_a_phone_registers_while_a_hundred_strangers_send_long_messages() -> None:
    long = request("REGISTER", f"X-Long: {14_000 * 'x'}", padding=0)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(house())
        desk = await stack.enter_async_context(raw_phone(server, "45"))
        noisy = [
            stack.enter_context(Stranger(server.address, f"127.13.0.{number + 1}"))
            for number in range(100)
        ]
        while not server.dropped[Drop.ALL_STRANGERS]:
            for stranger in noisy:
                await stranger.say(long)
        assert (await desk.register()).status == 200


@jumping
async def test_a_long_request_by_a_connection_waits_for_an_allowance() -> None:
    """Were it read and dropped instead, reading it would cost time without a limit."""
    async with house() as server:
        reader, writer = await connect(server.address_of("TCP"), STRANGER)
        strangers = server._guard._strangers
        strangers._all["TCP"].tokens = RESERVE - ALL_RATE
        writer.write(framed(LONG) + framed(LONG))
        begun = asyncio.get_running_loop().time()
        for _ in range(2):
            answer = await reader.readuntil(b"\r\n\r\n")
            assert status(answer) == 401
        assert asyncio.get_running_loop().time() - begun >= 1
        assert not dropped(server)
        writer.close()


async def test_what_breaks_a_connection_counts_by_its_length() -> None:
    head = LONG.replace(b"Max-Forwards", b"Content-Length: x\r\nMax-Forwards")
    async with house() as server:
        connections = 0
        while not server.dropped[Drop.RATE]:
            reader, writer = await connect(server.address_of("TCP"), STRANGER)
            with suppress(ConnectionError):
                writer.write(head)
                await until_closed(reader)
            writer.close()
            connections += 1
        assert BURST / 16 <= connections <= BURST / 8


# Intercepted requests


async def test_a_request_is_good_once_and_from_one_address() -> None:
    async with house() as server:
        with (
            Stranger(server.address, STRANGER) as phone,
            Stranger(server.address, STRANGER) as other_port,
            Stranger(server.address, "127.0.9.2") as other_host,
        ):
            (challenge,) = await phone.say(request("REGISTER"))
            line = credentials(challenge, PASSWORD)
            seen = request("REGISTER", line, "Contact: <sip:44@127.0.9.1:9>")
            for thief in (other_port, other_host):
                (answer,) = await thief.say(seen)
                assert status(answer) == 401
            address = server.address_of("TCP")
            said = await converse(address, STRANGER, seen)
            assert b"SIP/2.0 200" not in said
            assert len(server._location.bindings("44")) == 1
            assert [status(answer) for answer in (await phone.say(seen))[:1]] == [200]
            # The same bytes are a retransmission, and with another branch a merged request
            # (RFC 3261 8.2.2.2). A new request needs new credentials.
            merged = seen.replace(b"branch=z9hG4bK", b"branch=z9hG4bK9")
            (answer,) = await phone.say(merged)
            assert status(answer) == 482
            again = merged.replace(b"CSeq: 1 ", b"CSeq: 2 ")
            (answer,) = await phone.say(again)
            assert status(answer) == 401
            for thief in (other_port, other_host):
                (answer,) = await thief.say(again)
                assert status(answer) == 401
            # No address was locked out for it: a stale nonce is not a wrong password.
            assert not server.locked


async def test_a_request_by_a_connection_is_good_once_and_from_one_address(
    contexts: Contexts,
) -> None:
    """It may use another connection: some phones open one for each request."""
    async with house(contexts) as server:
        address = server.address_of("TLS" if contexts.client else "TCP")
        reader, writer = await connect(address, STRANGER, contexts.client)
        writer.write(request("REGISTER", transport="TCP"))
        challenge = await reader.readuntil(b"\r\n\r\n")
        line = credentials(challenge, PASSWORD)
        seen = request("REGISTER", line, "Contact: <sip:44@127.0.9.1:9>")
        said = await converse(address, "127.0.9.2", seen, context=contexts.client)
        assert b"SIP/2.0 200" not in said
        assert b"SIP/2.0 401" in said
        said = await converse(address, STRANGER, seen, context=contexts.client)
        assert b"SIP/2.0 200" in said
        # The same bytes on another connection are not a retransmission.
        writer.write(seen)
        assert status(await reader.readuntil(b"\r\n\r\n")) == 401
        writer.close()


@jumping
async def test_a_nonce_is_good_for_a_while_only() -> None:
    async with house() as server:
        with Stranger(server.address, STRANGER) as phone:
            (challenge,) = await phone.say(request("REGISTER"))
            line = credentials(challenge, PASSWORD)
            await asyncio.sleep(NONCE_LIFETIME + 1)
            (answer,) = await phone.say(request("REGISTER", line))
            assert status(answer) == 401
            assert b"stale=true" in answer


async def test_no_guess_goes_uncounted() -> None:
    """With an invalid nonce the right password gets the same answer as a wrong one."""
    async with house() as server:
        with Stranger(server.address, STRANGER) as stranger:
            (challenge,) = await stranger.say(request("REGISTER"))
            got = set()
            for password in (*(f"wrong{n}" for n in range(50)), PASSWORD):
                line = credentials(challenge, password, nonce="00" * 20)
                got |= set(masked(await stranger.say(request("REGISTER", line)), "44"))
            assert len(got) == 1
            assert not server.locked


# Lock-outs


@jumping
async def test_wrong_passwords_end_in_silence_for_a_quarter_of_an_hour() -> None:
    phone = make_phone()
    async with serving(TCP, phone, Phone(phone_setup("45", []))) as server:
        pressed: list[KeyPress] = []
        server.pressed.subscribe(pressed.append)
        # Phones at the address from which passwords are guessed.
        async with stream_phone(server, TCP) as desk, raw_phone(server) as other:
            await desk.register()
            await desk.shows("4")
            await other.register()
            with Stranger(server.address, "127.0.0.1") as stranger:
                for number in range(FAILURES):
                    (answer,) = await stranger.guess(f"wrong{number}")
                    assert status(answer) == 401
                assert server.locked == ["127.0.0.1"]
                for method in METHODS:
                    assert await stranger.say(request(method)) == []
                assert await converse(server.address_of("TCP"), "127.0.0.1") == b""
                assert (await desk.press("1")).status == 200
                assert (await other.press("2", number="key2")).status == 200
                assert [press.key for press in pressed] == ["1", "2"]
                # They can also refresh their registrations.
                assert (await desk.register()).status == 200
                assert (await other.register()).status == 200
                await asyncio.sleep(LOCKED_FOR - 2)
                assert await stranger.say(request("REGISTER")) == []
                await asyncio.sleep(3)
                assert server.locked == []
                answer, *_ = await stranger.guess(PASSWORD)
                assert status(answer) == 200


async def test_a_user_ends_a_lock_out() -> None:
    async with house() as server:
        with Stranger(server.address, STRANGER) as stranger:
            for number in range(FAILURES):
                await stranger.guess(f"wrong{number}")
            assert await stranger.say(request("REGISTER")) == []
            server.release(STRANGER)
            answer, *_ = await stranger.guess(PASSWORD)
            assert status(answer) == 200


@jumping
async def test_a_lock_out_ends_though_the_server_has_been_stopped_meanwhile() -> None:
    """As when a user changes settings; more wrong passwords lock the address out again."""
    async with house() as server:
        for _ in range(2):
            with Stranger(server.address, STRANGER) as stranger:
                for number in range(FAILURES):
                    await stranger.guess(f"wrong{number}")
                assert server.locked == [STRANGER]
            locked: list[list[str]] = []
            server.locked_out.subscribe(
                lambda _, locked=locked: locked.append(server.locked)
            )
            await server.stop()
            await server.start()
            await asyncio.sleep(LOCKED_FOR + 1)
            assert locked[-1] == []
            assert server._guard.next_release is None


@jumping
async def test_the_connection_of_a_proxy_stays() -> None:
    """It leads to the phones behind the proxy."""
    via = "Via: SIP/2.0/TCP 192.0.2.99;branch=z9hG4bKproxy"
    contact = "Contact: <sip:45@192.0.2.7>"
    async with house() as server:
        reader, writer = await connect(server.address_of("TCP"), STRANGER)
        writer.write(request("REGISTER", via, contact, user="45"))
        challenge = await reader.readuntil(b"\r\n\r\n")
        line = credentials(challenge, PASSWORD, user="45")
        writer.write(request("REGISTER", via, contact, line, user="45"))
        assert status(await reader.readuntil(b"\r\n\r\n")) == 200
        await asyncio.sleep(20 * STRANGER_IDLE)
        assert server.phones["45"].available
        writer.write(b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass
        # It is not trusted: other phones use it too.
        (flow,) = {binding.flow for binding in server._location.bindings("45")}
        assert not server._location.knows(flow)
        writer.close()


@jumping
async def test_pings_do_not_keep_a_connection_open() -> None:
    async with house() as server:
        reader, writer = await connect(server.address_of("TCP"), STRANGER)
        loop = asyncio.get_running_loop()
        begun = loop.time()

        async def ping() -> None:
            while True:
                writer.write(b"\r\n\r\n")
                await asyncio.sleep(25)

        pinging = asyncio.create_task(ping())
        assert await until_closed(reader) <= STRANGER_IDLE + 1
        assert loop.time() - begun >= STRANGER_IDLE - 1
        pinging.cancel()
        await asyncio.wait([pinging])
        writer.close()


async def test_a_connection_of_a_locked_out_address_is_closed() -> None:
    async with house() as server:
        address = server.address_of("TCP")
        reader, writer = await connect(address, STRANGER)
        with Stranger(server.address, STRANGER) as stranger:
            for number in range(FAILURES):
                await stranger.guess(f"wrong{number}")
        writer.write(b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            assert await reader.read() == b""
        writer.close()


async def test_behind_a_proxy_it_is_the_user_who_is_locked_out() -> None:
    async with house() as server:
        with Stranger(server.address, STRANGER) as proxy:
            for number in range(FAILURES):
                await proxy.guess(f"wrong{number}", PROXY)
            assert server.locked == [f"{STRANGER} 44"]
            (answer,) = await proxy.guess(PASSWORD, PROXY)
            assert status(answer) == 401
            (answer,) = await proxy.guess(PASSWORD, PROXY, user="45")
            assert status(answer) == 200
            server.release(f"{STRANGER} 44")
            answer, *_ = await proxy.guess(PASSWORD, PROXY)
            assert status(answer) == 200


async def test_a_client_that_claims_to_be_a_proxy_cannot_spread_guesses_over_names() -> (
    None
):
    """Guesses count for the user whose password is guessed, not for the names in To or From."""
    async with house() as server:
        with Stranger(server.address, STRANGER) as stranger:
            for number in range(FAILURES):
                (answer,) = await stranger.guess(
                    f"wrong{number}", PROXY, to=f"n{number}"
                )
                assert status(answer) == 401
            assert server.locked == [f"{STRANGER} 44"]
            # Without the lock-out it would get 403: right password, another user.
            (answer,) = await stranger.guess(PASSWORD, PROXY, to="47")
            assert status(answer) == 401


async def test_long_names_do_not_fill_the_memory() -> None:
    async with house() as server:
        with Stranger(server.address, STRANGER) as stranger:
            # A long request counts as several.
            for number in range(5):
                await stranger.guess("wrong", PROXY, user=f"{number}{4000 * 'x'}")
        assert max(map(len, server._guard._failures)) < 100


async def test_a_digest_on_a_broken_line_is_not_logged() -> None:
    """The log quotes faults, but no digest: the fixture checks it."""
    async with house() as server:
        with Stranger(server.address, STRANGER) as stranger:
            (challenge,) = await stranger.say(request("REGISTER"))
            line = credentials(challenge, PASSWORD)
            for torn in (
                line.replace(" response", "\r\nresponse"),
                line.replace(": ", " "),
            ):
                assert await stranger.say(request("REGISTER", torn)) == []


# Other networks


@pytest.mark.parametrize("host", ["127.0.9.9", "127.0.0.4"])
async def test_other_networks_get_nothing(host: str, contexts: Contexts) -> None:
    phone = make_phone()
    async with serving(
        contexts, phone, networks=(ip_network("127.0.0.0/30"),)
    ) as server:
        with Stranger(server.address, host) as stranger:
            for method in METHODS:
                stranger._socket.sendto(request(method), server.address)
            async with raw_phone(server) as desk:
                assert (await desk.register()).status == 200
            with pytest.raises(BlockingIOError):
                stranger._socket.recv(1)
        address = server.address_of("TLS" if contexts.client else "TCP")
        assert await converse(address, host, context=contexts.client) == b""


# Slow senders and floods


def raise_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections(server: PhoneServer) -> int:
    transports: list[Any] = [
        transport
        for name, transport in server._endpoint._transports.items()
        if name != "UDP"
    ]
    return sum(len(transport._all) for transport in transports)


@pytest.mark.parametrize("kind", ["silence", "a message", "a handshake"])
def test_a_thousand_slow_connections_keep_no_phone_out(
    kind: str, tmp_path: Any
) -> None:
    """One byte a second, from 63 addresses at once."""
    raise_open_files()
    contexts = tls_contexts(tmp_path) if kind == "a handshake" else TCP
    limit = {
        "silence": STRANGER_IDLE,
        "a message": MESSAGE_DEADLINE,
        "a handshake": HANDSHAKE_DEADLINE,
    }[kind]

    @jumping
    async def test() -> None:
        async with serving(contexts, make_phone()) as server:
            address = server.address_of("TLS" if contexts.client else "TCP")
            loop = asyncio.get_running_loop()
            begun = loop.time()
            slow = [
                await connect(address, f"127.12.0.{number // MAX_STRANGERS + 1}")
                for number in range(1000)
            ]

            async def drip(writer: asyncio.StreamWriter) -> None:
                for byte in b"\x16\x03\x01\x02\x00\x01REGISTER":
                    if writer.transport.is_closing():
                        return
                    writer.write(bytes((byte,)) if contexts.client else b"R")
                    await asyncio.sleep(1)

            dripping = [
                asyncio.create_task(drip(writer))
                for _, writer in slow
                if kind != "silence"
            ]
            async with stream_phone(server, contexts) as desk:
                assert (await desk.register()).status == 200
                await desk.shows("4")
                most = MAX_TLS_STRANGERS if contexts.client else MAX_TCP_STRANGERS
                # The phone was a stranger, too, until it had registered.
                assert most <= connections(server) <= most + 1
                assert (await desk.press("1")).status == 200
                for reader, writer in slow:
                    await until_closed(reader)
                    writer.close()
                assert limit <= loop.time() - begun < limit + 2
                await asyncio.gather(*dripping)
                assert connections(server) == 1
                assert (await desk.press("2")).status == 200
            await asyncio.sleep(1)
            assert connections(server) == 0

    test()


@pytest.mark.parametrize(
    ("bytes_", "least"),
    # So many pings end each connection.
    [(b"\r\n" * 20_000, MAX_STRANGERS), (b"x\nl:0\n\n" * 20_000, BURST)],
    ids=["pings", "nonsense"],
)
async def test_a_flood_by_connections_is_not_even_read(
    bytes_: bytes, least: float, contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted = 0

    class Counting(Guard):
        def admits(self, flow: Flow, *arguments: Any, **options: Any) -> bool:
            nonlocal admitted
            taken = super().admits(flow, *arguments, **options)
            admitted += taken and flow.host == STRANGER
            return taken

    monkeypatch.setattr(server_module, "Guard", Counting)
    async with house(contexts) as server, raw_phone(server, "45") as desk:
        await desk.register()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        address = server.address_of("TLS" if contexts.client else "TCP")
        flood = [
            (await connect(address, STRANGER, contexts.client))[1]
            for _ in range(MAX_STRANGERS)
        ]
        for writer in flood:
            writer.write(bytes_)
        for _ in range(20):
            assert (await desk.press("1", number="key1")).status == 200
            await asyncio.sleep(0.01)
        allowed = BURST + RATE * (loop.time() - begun)
        assert least <= admitted <= allowed
        for writer in flood:
            writer.transport.abort()
