"""The endpoint over real sockets on 127.0.0.1, with a clock that jumps (`tests.support.clock`)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import errno
import socket
from typing import Any

import pytest

from custom_components.snom_buttons.engine.sip import (
    Flow,
    Guard,
    Response,
    backlog,
    parse_datagram,
)
from custom_components.snom_buttons.engine.sip.digest import answer_challenge
from custom_components.snom_buttons.engine.sip.drops import Drop
from custom_components.snom_buttons.engine.sip.net import (
    Endpoint,
    IncomingRequest,
    NoAnswer,
    TransportError,
    transaction_layer,
    udp,
)
from custom_components.snom_buttons.engine.sip.net.udp import (
    RECEIVE_BUFFER,
    UdpTransport,
)
from tests.support.bindings import bind
from tests.support.clock import jumping, timers_left
from tests.support.messages import (
    MESSAGE,
    answer_to,
    request_bytes,
    response,
    response_bytes,
    status_of,
    values_of,
)
from tests.support.registration import CONTACT, PASSWORDS, Stack
from tests.support.udp import LOCALHOST

pytestmark = pytest.mark.usefixtures("socket_enabled")

RETRANSMITTED = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]

type Handler = Callable[[IncomingRequest], None]


def now() -> float:
    return asyncio.get_running_loop().time()


class Peer(asyncio.DatagramProtocol):
    """The other side: a bare socket that stores each datagram with its time."""

    def __init__(self) -> None:
        self.got: list[tuple[float, bytes]] = []
        self._new = asyncio.Event()
        self._read = 0

    async def open(self, server: tuple[str, int], host: str = LOCALHOST) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(host, 0)
        )
        self._server = server
        host, port = self._transport.get_extra_info("sockname")
        self.flow = Flow("UDP", host, port)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.append((now(), data))
        self._new.set()

    def send(self, data: bytes) -> None:
        self._transport.sendto(data, self._server)

    async def next(self) -> bytes:
        """Return the next datagram."""
        while self._read == len(self.got):
            self._new.clear()
            async with asyncio.timeout(1000):
                await self._new.wait()
        self._read += 1
        return self.got[self._read - 1][1]

    async def ask(self, data: bytes) -> bytes:
        """Send a request and return the first answer."""
        self.send(data)
        return await self.next()

    async def silence(self, seconds: float = 100.0) -> None:
        """Let time pass; fail if a datagram arrives."""
        before = len(self.got)
        await asyncio.sleep(seconds)
        assert [data for _, data in self.got[before:]] == []

    def close(self) -> None:
        self._transport.close()


@asynccontextmanager
async def serving(
    handler: Handler = lambda incoming: incoming.reply(200),
    **options: Any,
) -> AsyncIterator[tuple[Endpoint, Peer]]:
    endpoint, peer = Endpoint(handler, **options), Peer()
    await endpoint.open(LOCALHOST, 0)
    await peer.open(endpoint.address_of("UDP"))
    try:
        yield endpoint, peer
    finally:
        peer.close()
        await endpoint.close()
        assert timers_left() == []


class TestRequestsThatComeIn:
    """RFC 3261 8.2, 17.2 and 18.2."""

    @jumping
    async def test_the_answer_goes_where_the_request_came_from(self) -> None:
        """RFC 3581 4."""
        async with serving() as (_, peer):
            data = await peer.ask(request_bytes())
            assert status_of(data) == "200 OK"
            (via,) = values_of(data, "Via")
            assert via == (
                "SIP/2.0/UDP 192.0.2.4:2048;branch=z9hG4bKa1"
                f";rport={peer.flow.port};received={LOCALHOST}"
            )
            assert response(data).to.tag

    @jumping
    async def test_the_handler_sees_request_and_flow(self) -> None:
        seen: list[IncomingRequest] = []

        def handler(incoming: IncomingRequest) -> None:
            seen.append(incoming)
            incoming.reply(403, [("Warning", "x")], reason="Not You")

        async with serving(handler) as (_, peer):
            data = await peer.ask(request_bytes("OPTIONS"))
            assert seen[0].request.method == "OPTIONS"
            assert seen[0].flow == peer.flow
            assert seen[0].answered
            assert status_of(data) == "403 Not You"
            assert values_of(data, "Warning") == ["x"]
            assert data.endswith(b"\r\nContent-Length: 0\r\n\r\n")

    @pytest.mark.parametrize(
        "via",
        ["SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKa1", "SIP/2.0/UDP 192.0.2.4;branch=1"],
        ids=["RFC 3261", "RFC 2543"],
    )
    @jumping
    async def test_a_retransmission_gets_the_very_bytes_again(self, via: str) -> None:
        handled: list[IncomingRequest] = []

        def handler(incoming: IncomingRequest) -> None:
            handled.append(incoming)
            incoming.reply(200, [("X-Count", str(len(handled)))])

        async with serving(handler) as (_, peer):
            first = await peer.ask(request_bytes(Via=via))
            await asyncio.sleep(36)
            assert await peer.ask(request_bytes(Via=via)) == first
            assert len(handled) == 1
            # After timer J the same bytes are a new request.
            await asyncio.sleep(2)
            assert await peer.ask(request_bytes(Via=via)) != first
            assert len(handled) == 2

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({}, "482 Loop Detected"),
            ({"uri": "sip:44@elsewhere.test"}, "482 Loop Detected"),
            # Each of these is a request of its own.
            ({"Call_ID": "call-2"}, "200 OK"),
            ({"CSeq": "8 MESSAGE"}, "200 OK"),
            ({"method": "OPTIONS"}, "200 OK"),
            ({"From": "<sip:44@ha.test>;tag=from2"}, "200 OK"),
            ({"body": b"k=2"}, "200 OK"),
        ],
    )
    @jumping
    async def test_a_merged_request_is_refused(
        self, changes: dict[str, Any], status: str
    ) -> None:
        """RFC 3261 8.2.2.2: the copy of a request by another path through proxies."""
        first = request_bytes(Via="SIP/2.0/UDP h;branch=z9hG4bK1", body=b"k=1")
        copy = {"Via": "SIP/2.0/UDP h;branch=z9hG4bK2", "body": b"k=1"} | changes
        async with serving() as (_, peer):
            assert status_of(await peer.ask(first)) == "200 OK"
            answer = await peer.ask(request_bytes(**copy))
            assert status_of(answer) == status
            # Without state, but each time with the same tag (8.2.7).
            assert await peer.ask(request_bytes(**copy)) == answer
            assert status_of(await peer.ask(first)) == "200 OK"
            # It is over with the transaction of the first.
            await asyncio.sleep(40)
            assert status_of(await peer.ask(request_bytes(**copy))) == "200 OK"

    @jumping
    async def test_the_copy_of_a_request_with_credentials_is_refused_as_well(
        self,
    ) -> None:
        """A proxy forks it with its credentials, which are good for one request."""

        def forked(number: int, *more: str) -> bytes:
            via = f"SIP/2.0/UDP proxy;branch=z9hG4bK{number}, SIP/2.0/UDP h;branch=z9h"
            return request_bytes("MESSAGE", *more, Via=via)

        async with serving(trust=Stack().trust) as (_, peer):
            challenge = await peer.ask(forked(1))
            assert status_of(challenge) == "401 Unauthorized"
            credentials = answer_challenge(
                values_of(challenge, "WWW-Authenticate"),
                username="44",
                password=PASSWORDS["44"],
                method="MESSAGE",
                uri="sip:44@ha.test",
            )
            line = f"Authorization: {credentials}"
            answers = [await peer.ask(forked(number, line)) for number in (2, 3, 2)]
            assert [*map(status_of, answers)] == [
                "200 OK",
                "482 Loop Detected",
                "200 OK",
            ]

    @jumping
    async def test_an_invite_after_the_ack_is_another_attempt(self) -> None:
        def invite(number: int, method: str = "INVITE") -> bytes:
            via = f"SIP/2.0/UDP h;branch=z9hG4bK{number}"
            return request_bytes(method, Via=via, CSeq=f"7 {method}")

        async with serving(lambda incoming: incoming.reply(486)) as (_, peer):
            assert status_of(await peer.ask(invite(1))) == "486 Busy Here"
            assert status_of(await peer.ask(invite(2))) == "482 Loop Detected"
            peer.send(invite(1, "ACK"))
            assert status_of(await peer.ask(invite(3))) == "486 Busy Here"
            peer.send(invite(3, "ACK"))

    @pytest.mark.parametrize(
        "changes",
        [
            # A snom phone repeats its Call-ID and CSeq: 8.2.2.2 asks for "no tag in To".
            {"To": "<sip:*602co1@ha.test>;tag=4bmp7edhiz"},
            {"From": "<sip:44@ha.test>"},
        ],
        ids=["To tag", "no From tag"],
    )
    @jumping
    async def test_a_request_that_may_be_another_press_is_not_merged(
        self, changes: dict[str, Any]
    ) -> None:
        async with serving() as (_, peer):
            for number in range(2):
                via = f"SIP/2.0/UDP h;branch=z9hG4bK{number}"
                data = request_bytes(Via=via, **changes)
                assert status_of(await peer.ask(data)) == "200 OK"

    @jumping
    async def test_a_refused_request_is_not_merged_with_its_repetition(self) -> None:
        """A client repeats it by another branch (RFC 3263 4.3)."""
        statuses = [503, 200]

        def handler(incoming: IncomingRequest) -> None:
            status = statuses.pop(0)
            (incoming.reply_stateless if status == 503 else incoming.reply)(status)

        async with serving(handler) as (_, peer):
            for number, expected in enumerate(("503 Service Unavailable", "200 OK")):
                via = f"SIP/2.0/UDP h;branch=z9hG4bK{number}"
                assert status_of(await peer.ask(request_bytes(Via=via))) == expected

    @jumping
    async def test_a_copy_from_elsewhere_is_a_request_of_its_own(self) -> None:
        """It neither gets the response of the first, nor makes the endpoint repeat it."""
        handled: list[IncomingRequest] = []

        def handle(incoming: IncomingRequest) -> None:
            handled.append(incoming)
            incoming.reply(200)

        async with serving(handle) as (endpoint, peer):
            stranger = Peer()
            await stranger.open(endpoint.address_of("UDP"))
            assert status_of(await stranger.ask(request_bytes())) == "200 OK"
            assert status_of(await peer.ask(request_bytes())) == "200 OK"
            await peer.silence()
            assert len({incoming.flow for incoming in handled}) == 2
            stranger.close()

    @jumping
    async def test_a_flow_without_room_for_a_transaction_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A retransmission of what was not kept would count again."""
        monkeypatch.setattr(transaction_layer, "MAX_OF_PHONE", 3)
        monkeypatch.setattr(transaction_layer, "ALWAYS_OF_PHONE", 2)
        handled: list[IncomingRequest] = []

        def handler(incoming: IncomingRequest) -> None:
            handled.append(incoming)
            incoming.reply(200)

        def message(number: int) -> bytes:
            via = f"SIP/2.0/UDP h;branch=z9hG4bK{number}"
            return request_bytes(Via=via, Call_ID=f"{number}")

        async with serving(handler) as (endpoint, peer):
            answers = [await peer.ask(message(number)) for number in range(4)]
            assert [*map(status_of, answers)] == [
                *(3 * ["200 OK"]),
                "503 Service Unavailable",
            ]
            assert values_of(answers[3], "Retry-After") == ["5"]
            assert len(handled) == 3
            # What has a transaction keeps it.
            assert await peer.ask(message(0)) == answers[0]
            assert len(handled) == 3
            # The whole table is full, and another flow has room all the same.
            monkeypatch.setattr(transaction_layer, "MAX_TRANSACTIONS", 3)
            other = Peer()
            await other.open(endpoint.address_of("UDP"))
            answers = [await other.ask(message(number)) for number in range(3)]
            assert [*map(status_of, answers)] == [
                *(2 * ["200 OK"]),
                "503 Service Unavailable",
            ]
            other.close()
            await asyncio.sleep(40)
            assert not endpoint._transactions._of_owner
            assert not endpoint._transactions._merged
            assert status_of(await peer.ask(message(9))) == "200 OK"

    @jumping
    async def test_phones_behind_a_proxy_have_room_of_their_own(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transaction_layer, "MAX_OF_PHONE", 2)
        monkeypatch.setattr(transaction_layer, "ALWAYS_OF_PHONE", 2)

        def message(number: int, user: str, method: str = "MESSAGE") -> bytes:
            via = f"SIP/2.0/UDP proxy;branch=z9hG4bK{number}, SIP/2.0/UDP h"
            who = {"MESSAGE": "From", "REGISTER": "To"}[method]
            address = f"<sip:{user}@ha.test>;tag={number}"
            return request_bytes(method, Via=via, **{who: address})

        async with serving() as (_, peer):
            for number in range(2):
                answer = await peer.ask(message(number, "44"))
                assert status_of(answer) == "200 OK"
            refused = (message(3, "44"), message(4, "44", "REGISTER"))
            for data in refused:
                assert status_of(await peer.ask(data)) == "503 Service Unavailable"
            for data in (message(5, "45"), message(6, "45", "REGISTER")):
                assert status_of(await peer.ask(data)) == "200 OK"

    @jumping
    async def test_a_stateless_answer_leaves_nothing_behind(self) -> None:
        """8.2.7: its tag is the same each time."""

        def handler(incoming: IncomingRequest) -> None:
            incoming.reply_stateless(401, [("WWW-Authenticate", "Digest x=1")])

        async with serving(handler) as (endpoint, peer):
            first = await peer.ask(request_bytes())
            assert status_of(first) == "401 Unauthorized"
            assert endpoint._transactions.running == {}
            assert await peer.ask(request_bytes()) == first

    @jumping
    async def test_a_handler_that_fails_costs_one_500(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        def handler(incoming: IncomingRequest) -> None:
            if incoming.request.call_id == "bad":
                raise LookupError("a bug")
            incoming.reply(200)

        async with serving(handler) as (_, peer):
            bad = request_bytes(
                Call_ID="bad", Via="SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKbad"
            )
            data = await peer.ask(bad)
            assert status_of(data) == "500 Server Internal Error"
            assert await peer.ask(bad) == data
            assert status_of(await peer.ask(request_bytes())) == "200 OK"
        assert "a bug" in caplog.text

    @jumping
    async def test_a_handler_that_fails_after_its_answer(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        def handler(incoming: IncomingRequest) -> None:
            incoming.reply(200)
            raise LookupError("a bug")

        async with serving(handler) as (_, peer):
            assert status_of(await peer.ask(request_bytes())) == "200 OK"
            await peer.silence()
        assert "a bug" in caplog.text

    @pytest.mark.parametrize("second", ["reply", "reply_stateless"])
    @jumping
    async def test_only_one_answer(
        self, second: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        def handler(incoming: IncomingRequest) -> None:
            incoming.reply(200)
            getattr(incoming, second)(500)

        async with serving(handler) as (_, peer):
            assert status_of(await peer.ask(request_bytes())) == "200 OK"
            await peer.silence()
        assert "only one final response" in caplog.text

    @pytest.mark.parametrize(
        ("status", "headers"),
        [(799, []), (200, [("X", "a\r\nEvil: b")])],
        ids=["no such status", "line end in a header"],
    )
    @jumping
    async def test_an_answer_that_cannot_be_written(
        self, status: int, headers: list[tuple[str, str]]
    ) -> None:
        async with serving(lambda incoming: incoming.reply(status, headers)) as (
            _,
            peer,
        ):
            data = await peer.ask(request_bytes())
            assert status_of(data) == "500 Server Internal Error"

    @jumping
    async def test_a_handler_that_says_nothing_is_asked_again(self) -> None:
        waiting: list[IncomingRequest] = []
        async with serving(waiting.append) as (_, peer):
            peer.send(request_bytes())
            await peer.silence(0.5)
            peer.send(request_bytes())
            await peer.silence(0.5)
            assert len(waiting) == 2
            waiting[1].reply(200)
            assert status_of(await peer.next()) == "200 OK"

    @jumping
    async def test_an_answer_that_cannot_be_sent_is_sent_with_the_retransmission(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Unlike 17.2.4: the request was acted on, which must not happen twice."""
        handled: list[IncomingRequest] = []

        def handle(incoming: IncomingRequest) -> None:
            handled.append(incoming)
            incoming.reply(200)

        def unreachable(self: UdpTransport, data: bytes, flow: Flow) -> None:
            raise TransportError("no route")

        async with serving(handle) as (_, peer):
            with monkeypatch.context() as patch:
                patch.setattr(UdpTransport, "send", unreachable)
                peer.send(request_bytes())
                await peer.silence(1)
            assert status_of(await peer.ask(request_bytes())) == "200 OK"
            assert len(handled) == 1

    @jumping
    async def test_a_stateless_answer_that_cannot_be_sent(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        async with serving() as (endpoint, _):
            endpoint.send(b"SIP/2.0 200 OK\r\n\r\n", Flow("UDP", LOCALHOST, 0))
        assert f"Could not send to udp {LOCALHOST}:0" in caplog.text


@pytest.mark.parametrize(
    ("method", "more", "status", "header"),
    [
        ("BYE", [], "481 Call/Transaction Does Not Exist", None),
        ("UNKNOWN", [], "501 Not Implemented", "Allow"),
        ("PUBLISH", [], "405 Method Not Allowed", "Allow"),
        ("OPTIONS", ["Require: foo"], "420 Bad Extension", "Unsupported"),
        ("CANCEL", [], "481 Call/Transaction Does Not Exist", None),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
@jumping
async def test_refused_without_asking_the_handler(
    method: str, more: list[str], status: str, header: str | None
) -> None:
    handled: list[IncomingRequest] = []
    async with serving(handled.append) as (endpoint, peer):
        data = await peer.ask(request_bytes(method, *more))
        assert status_of(data) == status
        assert header is None or len(values_of(data, header)) == 1
        assert await peer.ask(request_bytes(method, *more)) == data
        assert handled == []
        assert endpoint._transactions.running == {}


class TestTrustAndRegistrar:
    """RFC 3261 8.2: trust judges each request first, the registrar answers REGISTER."""

    @staticmethod
    @asynccontextmanager
    async def serving_stack(
        handler: Handler, stack: Stack
    ) -> AsyncIterator[tuple[Endpoint, Peer]]:
        guard = Guard(clock=stack.clock, location=stack.location)
        async with serving(
            handler, guard=guard, trust=stack.trust, registrar=stack.registrar
        ) as (endpoint, peer):
            yield endpoint, peer

    @jumping
    async def test_a_register_goes_to_the_registrar_only(self) -> None:
        handled: list[IncomingRequest] = []
        stack = Stack()
        async with self.serving_stack(handled.append, stack) as (endpoint, peer):
            padding = f"User-Agent: {300 * 'x'}"
            contact = f"Contact: {CONTACT}"
            data = await peer.ask(request_bytes("REGISTER", contact, padding))
            assert status_of(data) == "401 Unauthorized"
            assert endpoint._transactions.running == {}
            credentials = answer_challenge(
                values_of(data, "WWW-Authenticate"),
                username="44",
                password=PASSWORDS["44"],
                method="REGISTER",
                uri="sip:44@ha.test",
            )
            via = "SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKa2"
            again = request_bytes(
                "REGISTER", contact, f"Authorization: {credentials}", Via=via
            )
            data = await peer.ask(again)
            assert status_of(data) == "200 OK"
            assert values_of(data, "Contact") == [f"{CONTACT};expires=3600"]
            assert await peer.ask(again) == data, "the transaction repeats it"
            assert stack.registered == ["44"]
            assert handled == []
            assert stack.location.bindings("44")[0].flow == peer.flow

    @jumping
    async def test_the_handler_gets_trusted_requests_only(self) -> None:
        handled: list[IncomingRequest] = []

        def handle(incoming: IncomingRequest) -> None:
            handled.append(incoming)
            incoming.reply(200)

        stack = Stack()
        async with self.serving_stack(handle, stack) as (_, peer):
            stranger = request_bytes("MESSAGE", f"User-Agent: {300 * 'x'}")
            assert status_of(await peer.ask(stranger)) == "401 Unauthorized"
            assert handled == []
            bind(stack.location, peer.flow)
            assert status_of(await peer.ask(stranger)) == "200 OK"
            assert len(handled) == 1
            # A trusted request may still be refused (8.2.1), without the handler.
            publish = request_bytes("PUBLISH")
            assert status_of(await peer.ask(publish)) == "405 Method Not Allowed"
            assert len(handled) == 1

    @jumping
    async def test_what_waits_is_handled_in_the_order_of_its_urgency(self) -> None:
        def named(method: str, name: str) -> bytes:
            return request_bytes(
                method,
                Via=f"SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK{name}",
                Call_ID=name,
            )

        handled: list[str] = []

        def handle(incoming: IncomingRequest) -> None:
            handled.append(incoming.request.call_id)
            incoming.reply(200)

        stack = Stack()
        async with self.serving_stack(handle, stack) as (_, peer):
            bind(stack.location, peer.flow)
            for method, name in (
                ("SUBSCRIBE", "first-key"),  # is handled at once
                ("SUBSCRIBE", "second-key"),
                ("SUBSCRIBE", "third-key"),
                ("SUBSCRIBE", "second-key"),  # sent again
                ("MESSAGE", "press"),
            ):
                peer.send(named(method, name))
            await asyncio.sleep(1)
            assert handled == ["first-key", "press", "second-key", "third-key"]
            assert [status_of(await peer.next()) for _ in handled] == 4 * ["200 OK"]
            await peer.silence()

    @pytest.mark.parametrize("is_phone", [True, False])
    @jumping
    async def test_what_finds_no_room_is_counted(
        self, is_phone: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stack = Stack()
        async with self.serving_stack(lambda _: None, stack) as (endpoint, peer):
            if is_phone:
                bind(stack.location, peer.flow)
            monkeypatch.setattr(backlog, "MAX_SIZE", 100)
            peer.send(request_bytes())
            await peer.silence()
            assert endpoint._guard is not None
            assert endpoint._guard.drops.counts == {Drop.BACKLOG: 1}

    @jumping
    async def test_nothing_that_waits_is_handled_after_the_close(self) -> None:
        handled: list[IncomingRequest] = []
        async with serving(handled.append) as (endpoint, peer):
            endpoint._wait(request_bytes(), peer.flow)
            await endpoint.close()
            assert endpoint._handle_next() is None
            assert handled == []

    @jumping
    async def test_our_own_request_that_comes_back_is_refused(self) -> None:
        stack = Stack()
        async with self.serving_stack(lambda _: None, stack) as (_, peer):
            bind(stack.location, peer.flow)
            ours = request_bytes("MESSAGE", uri=f"sip:44@{LOCALHOST}:{peer.flow.port}")
            assert status_of(await peer.ask(ours)) == "482 Loop Detected"

    @jumping
    async def test_a_fault_in_trust_costs_strangers_no_answer(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def judge(*_: object) -> None:
            raise LookupError("a bug")

        stack = Stack()
        monkeypatch.setattr(stack.trust, "judge", judge)
        async with self.serving_stack(lambda _: None, stack) as (_, peer):
            peer.send(request_bytes())
            await peer.silence()
            assert "a bug" in caplog.text
            bind(stack.location, peer.flow)
            data = await peer.ask(request_bytes())
            assert status_of(data) == "500 Server Internal Error"


class TestMalformed:
    @pytest.mark.parametrize(
        ("data", "status"),
        [
            (request_bytes(To=None), "400 Bad Request: To is missing"),
            (request_bytes(CSeq="7 INVITE"), "400 Bad Request: CSeq and the request name different methods"),
            (request_bytes("MESSAGE", "l: 9"), "400 Bad Request: Content-Length says 9, but 0 bytes arrived"),
            (request_bytes(version="SIP/3.0"), "505 Version Not Supported"),
            (request_bytes(uri="http://x"), "416 Unsupported URI Scheme"),
        ],
    )  # fmt: skip
    @jumping
    async def test_it_is_answered_with_its_fault(
        self, data: bytes, status: str
    ) -> None:
        handled: list[IncomingRequest] = []
        async with serving(handled.append) as (endpoint, peer):
            answer = await peer.ask(data)
            assert status_of(answer) == status
            assert values_of(answer, "Via")[0].endswith(f"received={LOCALHOST}")
            assert ("tag=" in "".join(values_of(answer, "To"))) is (b"To: " in data)
            assert handled == []
            assert endpoint._transactions.running == {}

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\r\n\r\n",
            b"\x00\x00\x00\x00",
            b"garbage\r\n\r\n",
            request_bytes(Via=None),
            request_bytes(Via="nonsense"),
            request_bytes("ACK"),
            request_bytes("ACK", To=None),
            request_bytes("ACK", "nonsense"),
            response_bytes(),
            response_bytes("SIP/2.0 180 Ringing"),
            response_bytes(To=None),
            response_bytes("SIP/2.0 200 OK", "v: SIP/2.0/UDP other"),
        ],
        ids=lambda data: repr(data[:24]),
    )
    @jumping
    async def test_nothing_is_answered_to_these(self, data: bytes) -> None:
        async with serving() as (_, peer):
            peer.send(data)
            await peer.silence()
            assert status_of(await peer.ask(request_bytes())) == "200 OK"

    @jumping
    async def test_what_it_holds_cannot_split_the_answer(self) -> None:
        async with serving() as (_, peer):
            data = await peer.ask(
                request_bytes(From="<sip:x@y>;tag=1\rEvil: 1", Call_ID="\r\r")
            )
            assert b"Evil: 1" in data
            assert data.count(b"\r") == data.count(b"\r\n")


class TestInvite:
    """RFC 3261 17.2.1 and 9.2: from the refusal to its ACK."""

    @staticmethod
    def busy(incoming: IncomingRequest) -> None:
        incoming.reply(486)

    @jumping
    async def test_the_refusal_is_sent_until_the_ack(self) -> None:
        async with serving(self.busy) as (endpoint, peer):
            begun = now()
            refusal = await peer.ask(request_bytes("INVITE"))
            assert status_of(refusal) == "486 Busy Here"
            for _ in range(3):
                assert await peer.next() == refusal
            assert [at - begun for at, _ in peer.got] == [0, 0.5, 1.5, 3.5]
            peer.send(request_bytes("ACK", To=values_of(refusal, "To")[0]))
            await peer.silence(4.9)
            assert endpoint._transactions.running
            peer.send(request_bytes("INVITE"))
            await peer.silence()
            assert endpoint._transactions.running == {}

    @jumping
    async def test_without_an_ack_it_ends_with_timer_h(self) -> None:
        async with serving(self.busy) as (endpoint, peer):
            begun = now()
            refusal = await peer.ask(request_bytes("INVITE"))
            await asyncio.sleep(36.9)
            assert endpoint._transactions.running
            await peer.silence()
            assert [at - begun for at, _ in peer.got] == [0, *RETRANSMITTED]
            assert {data for _, data in peer.got} == {refusal}
            assert endpoint._transactions.running == {}

    @jumping
    async def test_a_retransmitted_invite_gets_the_refusal_again(self) -> None:
        async with serving(self.busy) as (_, peer):
            refusal = await peer.ask(request_bytes("INVITE"))
            assert await peer.ask(request_bytes("INVITE")) == refusal

    @jumping
    async def test_cancel_finds_it_and_changes_nothing(self) -> None:
        async with serving(self.busy) as (endpoint, peer):
            refusal = await peer.ask(request_bytes("INVITE"))
            answer = await peer.ask(request_bytes("CANCEL"))
            assert status_of(answer) == "200 OK"
            assert values_of(answer, "CSeq") == ["7 CANCEL"]
            # 9.2: the response to CANCEL has the tag of the response to INVITE.
            assert values_of(answer, "To") == values_of(refusal, "To")
            assert len(endpoint._transactions.running) == 1


class TestRequestsThatGoOut:
    """RFC 3261 8.1 and 17.1.2."""

    @jumping
    async def test_bytes(self) -> None:
        async with serving() as (endpoint, peer):
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            data = await peer.next()
            (via,) = values_of(data, "Via")
            sent_by = f"{LOCALHOST}:{endpoint.address_of('UDP')[1]}"
            assert endpoint.sent_by("UDP") == sent_by
            assert via.startswith(f"SIP/2.0/UDP {sent_by};branch=z9hG4bK")
            assert via.endswith(";rport")
            assert data.decode() == (
                "MESSAGE sip:44@192.0.2.4:2048 SIP/2.0\r\n"
                f"Via: {via}\r\n"
                "From: <sip:44@ha.test>;tag=ours\r\n"
                "To: <sip:44@ha.test>\r\n"
                "Call-ID: call-9\r\n"
                "CSeq: 3 MESSAGE\r\n"
                "Max-Forwards: 70\r\n"
                "Content-Type: application/x-buttons\r\n"
                "Content-Length: 5\r\n"
                "\r\n"
                "k=1\r\n"
            )
            assert len(data) == endpoint.size_of(MESSAGE, "UDP")
            peer.send(answer_to(data))
            answer = await task
            assert (answer.status, answer.reason) == (200, "OK")

    @jumping
    async def test_branches_are_new_each_time_and_from_after_2543(self) -> None:
        async with serving() as (endpoint, peer):
            branches = set()
            for _ in range(3):
                task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
                data = await peer.next()
                message = parse_datagram(data)
                assert message is not None
                branches.add(message.via.branch)
                peer.send(answer_to(data))
                await task
            assert len(branches) == 3
            assert all(branch.startswith("z9hG4bK") for branch in branches)

    @pytest.mark.parametrize("status", [200, 302, 401, 486, 503, 699])
    @jumping
    async def test_any_final_response_is_returned(self, status: int) -> None:
        async with serving() as (endpoint, peer):
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            peer.send(answer_to(await peer.next(), f"SIP/2.0 {status} X"))
            assert (await task).status == status

    @jumping
    async def test_a_response_from_another_host_is_none(self) -> None:
        """A host that intercepted the request cannot answer it."""
        async with serving() as (endpoint, peer):
            stranger = Peer()
            await stranger.open(endpoint.address_of("UDP"), host="127.0.0.2")
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            asked = await peer.next()
            stranger.send(answer_to(asked, "SIP/2.0 603 Decline"))
            await asyncio.sleep(0.1)
            peer.send(answer_to(asked))
            assert (await task).status == 200
            stranger.close()

    @jumping
    async def test_one_that_waits_keeps_no_other_waiting(self) -> None:
        """All timers share one queue; each fires when it is due."""
        async with serving() as (endpoint, peer):
            begun = now()
            first = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            await asyncio.sleep(0.2)
            second = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            await asyncio.sleep(2)
            times = [at - begun for at, _ in peer.got]
            expected = [0, 0.2, 0.5, 0.7, 1.5, 1.7]
            assert times == pytest.approx(expected, abs=0.01)
            for task in (first, second):
                with pytest.raises(NoAnswer):
                    await task

    @jumping
    async def test_no_answer(self) -> None:
        async with serving() as (endpoint, peer):
            begun = now()
            with pytest.raises(NoAnswer, match=f"no answer from {peer.flow}"):
                await endpoint.request(MESSAGE, peer.flow)
            assert now() - begun == 32
            assert [at - begun for at, _ in peer.got] == [0, *RETRANSMITTED]
            assert len({data for _, data in peer.got}) == 1
            assert endpoint._transactions.running == {}

    @jumping
    async def test_a_provisional_response_slows_it_down(self) -> None:
        async with serving() as (endpoint, peer):
            begun = now()
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            peer.send(answer_to(await peer.next(), "SIP/2.0 100 Trying"))
            with pytest.raises(NoAnswer):
                await task
            sent = [at - begun for at, _ in peer.got]
            assert sent == [0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]

    @jumping
    async def test_a_late_answer_and_its_retransmissions(self) -> None:
        async with serving() as (endpoint, peer):
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            data = await peer.next()
            assert await peer.next() == data
            peer.send(answer_to(data))
            assert (await task).status == 200
            # Until timer K retransmissions are absorbed, and nothing is sent.
            peer.send(answer_to(data, "SIP/2.0 500 Late"))
            await peer.silence(4.9)
            assert endpoint._transactions.running
            await peer.silence()
            assert endpoint._transactions.running == {}

    @pytest.mark.parametrize(
        "changes",
        [
            {"CSeq": "3 OPTIONS"},
            {"Via": "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKother"},
            {"Via": "SIP/2.0/UDP 127.0.0.1"},
            {"CSeq": "3"},
        ],
        ids=repr,
    )
    @jumping
    async def test_an_answer_to_something_else_is_dropped(
        self, changes: dict[str, str]
    ) -> None:
        """17.1.3."""
        async with serving() as (endpoint, peer):
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            data = await peer.next()
            peer.send(answer_to(data, "SIP/2.0 500 Forged", **changes))
            await peer.next()
            assert not task.done()
            peer.send(answer_to(data))
            assert (await task).status == 200

    @jumping
    async def test_a_stray_answer_goes_to_its_handler(self) -> None:
        """Such as the response to an INVITE, whose transaction is not the endpoint's."""
        stray: list[Response] = []
        async with serving(on_stray_response=stray.append) as (endpoint, peer):
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            peer.send(answer_to(await peer.next()))
            await task
            assert stray == []
            peer.send(response_bytes("SIP/2.0 486 Busy Here", CSeq="1 INVITE"))
            await peer.silence()
            assert [response.status for response in stray] == [486]

    @jumping
    async def test_where_nothing_can_be_sent(self) -> None:
        async with serving() as (endpoint, _):
            with pytest.raises(TransportError):
                await endpoint.request(MESSAGE, Flow("UDP", LOCALHOST, 0))
            assert endpoint._transactions.running == {}

    @jumping
    async def test_where_nothing_can_be_sent_any_more(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """17.1.4."""

        def unreachable(self: UdpTransport, data: bytes, flow: Flow) -> None:
            raise TransportError("no route")

        async with serving() as (endpoint, peer):
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            await peer.next()
            monkeypatch.setattr(UdpTransport, "send", unreachable)
            with pytest.raises(TransportError, match=f"cannot reach {peer.flow}"):
                await task
            assert endpoint._transactions.running == {}

    @jumping
    async def test_cancelling_ends_it(self) -> None:
        async with serving() as (endpoint, peer):
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            await peer.next()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert endpoint._transactions.running == {}
            await peer.silence()

    @jumping
    async def test_cancelling_at_the_moment_of_the_answer(self) -> None:
        async with serving() as (endpoint, peer):
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            data = answer_to(await peer.next())
            task.cancel()
            endpoint._receive(data, peer.flow)
            with pytest.raises(asyncio.CancelledError):
                await task
            assert endpoint._transactions.running == {}

    @jumping
    async def test_cancelling_at_the_moment_of_the_close(self) -> None:
        async with serving() as (endpoint, peer):
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            await peer.next()
            task.cancel()
            await endpoint.close()
            with pytest.raises(asyncio.CancelledError):
                await task


class TestOpenAndClose:
    @jumping
    async def test_a_port_that_is_taken(self) -> None:
        async with serving() as (endpoint, _):
            other = Endpoint(lambda incoming: None)
            with pytest.raises(OSError) as caught:
                await other.open(*endpoint.address_of("UDP"))
            assert caught.value.errno == errno.EADDRINUSE
            await other.close()

    @jumping
    async def test_a_port_is_free_again_after_close(self) -> None:
        endpoint = Endpoint(lambda incoming: None)
        await endpoint.open(LOCALHOST, 0)
        host, port = endpoint.address_of("UDP")
        await endpoint.close()
        await endpoint.close()
        await endpoint.open(host, port)
        assert endpoint.address_of("UDP") == (host, port)
        await endpoint.close()

    @jumping
    async def test_close_ends_what_is_under_way(self) -> None:
        async with serving(lambda incoming: incoming.reply(486)) as (endpoint, peer):
            await peer.ask(request_bytes("INVITE"))
            task = asyncio.ensure_future(endpoint.request(MESSAGE, peer.flow))
            await peer.next()
            assert timers_left()
            await endpoint.close()
            with pytest.raises(TransportError, match="the endpoint was closed"):
                await task
            assert timers_left() == []
            await peer.silence()

    @jumping
    async def test_what_comes_during_the_close_is_not_looked_at(self) -> None:
        got: list[IncomingRequest] = []
        async with serving(got.append) as (endpoint, peer):
            closing = asyncio.ensure_future(endpoint.close())
            await asyncio.sleep(0)
            assert not closing.done()
            endpoint._receive(request_bytes(), peer.flow)
            await endpoint.close()
            await closing
            assert got == []
            await peer.silence()

    @jumping
    async def test_nothing_goes_before_open_or_after_close(self) -> None:
        endpoint = Endpoint(lambda incoming: None)
        flow = Flow("UDP", LOCALHOST, 5060)
        for _ in range(2):
            with pytest.raises(TransportError, match="not open"):
                await endpoint.request(MESSAGE, flow)
            with pytest.raises(TransportError, match="not open"):
                _ = endpoint.address_of("UDP")
            await endpoint.open(LOCALHOST, 0)
            await endpoint.close()

    @jumping
    async def test_an_answer_after_close_is_lost_without_a_trace(self) -> None:
        waiting: list[IncomingRequest] = []
        async with serving(waiting.append) as (endpoint, peer):
            peer.send(request_bytes())
            await peer.silence(1)
            await endpoint.close()
            waiting[0].reply(200)
            assert endpoint._transactions.running == {}
            await peer.silence()

    @pytest.mark.parametrize(
        ("advertised", "shown"),
        [
            ("", "127.0.0.1"),
            ("ha.test", "ha.test"),
            ("2001:db8::1", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
        ],
        ids=repr,
    )
    @jumping
    async def test_what_our_via_says(self, advertised: str, shown: str) -> None:
        endpoint = Endpoint(lambda incoming: None)
        await endpoint.open(LOCALHOST, 0, advertised_host=advertised)
        assert endpoint.sent_by("UDP") == f"{shown}:{endpoint.address_of('UDP')[1]}"
        await endpoint.close()

    @jumping
    async def test_over_ipv6(self) -> None:
        endpoint, other = (
            Endpoint(lambda incoming: incoming.reply(200)) for _ in range(2)
        )
        try:
            await endpoint.open("::1", 0)
        except OSError:
            pytest.skip("this machine has no IPv6")
        await other.open("::1", 0)
        flow = Flow("UDP", *endpoint.address_of("UDP"))
        answer = await other.request(MESSAGE, flow)
        assert answer.status == 200
        assert other.sent_by("UDP").startswith("[::1]:")
        await endpoint.close()
        await other.close()


class TestTransport:
    @jumping
    async def test_a_socket_that_is_lost_takes_nothing_more(self) -> None:
        transport = UdpTransport(lambda data, flow: None, lambda: None)
        await transport.open(LOCALHOST, 0)
        assert transport._transport is not None
        transport._transport.abort()
        await asyncio.sleep(0.1)
        with pytest.raises(TransportError, match="not open"):
            transport.send(b"x", Flow("UDP", LOCALHOST, 5060))
        await transport.close()
        transport.connection_lost(None)

    @jumping
    async def test_what_the_system_says_later_spoils_no_other_datagram(self) -> None:
        async with serving() as (endpoint, peer):
            endpoint._transports["UDP"].error_received(OSError("port unreachable"))
            endpoint._transports["UDP"].error_received(ValueError("something else"))
            assert status_of(await peer.ask(request_bytes())) == "200 OK"

    @pytest.mark.parametrize(
        ("turn", "dropped", "first", "turns"),
        [
            (60.0, False, ["+1", "1", "+2", "+3"], [["2"], ["3"], [], []]),
            (60.0, True, ["+1", "1", "+2", "+3"], [["2", "3"], [], []]),
            (0.0, True, ["+1", "1"], []),
        ],
    )
    @jumping
    async def test_what_has_arrived_is_read_at_once_and_handled_in_turns(
        self,
        turn: float,
        dropped: bool,
        first: list[str],
        turns: list[list[str]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(udp, "TURN", turn)
        did: list[str] = []
        waiting: deque[str] = deque()

        def receive(data: bytes, _: Flow) -> None:
            did.append(f"+{data.decode()}")
            waiting.append(data.decode())

        def handle() -> bool | None:
            if not waiting:
                return None
            did.append(waiting.popleft())
            return dropped

        transport = UdpTransport(receive, handle)
        await transport.open(LOCALHOST, 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            for data in (b"2", b"3"):
                other.sendto(data, transport.address)
        transport.datagram_received(b"1", (LOCALHOST, 5060))
        assert did == first
        for done in turns:
            before = len(did)
            await asyncio.sleep(0)
            assert did[before:] == done
        monkeypatch.setattr(udp, "TURN", 0.0)
        await asyncio.sleep(0.1)
        assert sorted(did) == ["+1", "+2", "+3", "1", "2", "3"]
        # An error of the socket is logged, as asyncio does with its own.
        transport._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        transport._socket.close()
        did.clear()
        transport.datagram_received(b"4", (LOCALHOST, 5060))
        assert did == ["+4", "4"]
        await transport.close()

    @pytest.mark.parametrize("is_privileged", [True, False])
    @jumping
    async def test_a_burst_finds_room(
        self, is_privileged: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not is_privileged:
            monkeypatch.setattr(udp, "_SO_RCVBUFFORCE", -1)  # is refused as well
        transport = UdpTransport(lambda data, flow: None, lambda: None)
        await transport.open(LOCALHOST, 0)
        assert transport._transport is not None
        sock: socket.socket = transport._transport.get_extra_info("socket")
        size = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            # The system may grant another size, but the same to each socket that asks
            # without privilege.
            granted = other.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            assert size >= granted if is_privileged else size == granted
        await transport.close()
