"""Answers of phones to a document, as the RFCs have them, with a clock that jumps."""

from __future__ import annotations

import asyncio

import pytest

from custom_components.snom_buttons.engine.phones.outbox import FIRST_RETRY, REFUSALS
from custom_components.snom_buttons.engine.sip import Flow
from custom_components.snom_buttons.engine.sip.net import TransportError
from custom_components.snom_buttons.engine.sip.net.udp import UdpTransport
from tests.support.serving import base, jumping, lit, make_phone, raw_phone, serving

pytestmark = pytest.mark.usefixtures("socket_enabled")

LONG = 2000.0


@pytest.mark.parametrize("status", [302, 403, 404, 406, 420, 480, 481, 500, 503, 603])
def test_a_phone_that_keeps_refusing(status: int) -> None:
    """It is available but not in sync, and after a few refusals the reason is reported."""

    async def test() -> None:
        phone = make_phone()
        refusals: list[str | None] = []
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.answer = status
            desk.answer_lines = ["Contact: <sip:44@127.0.0.2>", "Unsupported: buttons"]
            phone.status.subscribe(lambda _: refusals.append(phone.refusal))
            await desk.register()
            await asyncio.sleep(1)
            assert (phone.available, phone.in_sync) == (True, False)
            assert phone.refusal is None
            await asyncio.sleep(FIRST_RETRY * 2**REFUSALS)
            assert phone.refusal == f"{status} Whatever"
            # Retries become rarer, and a key that changes is sent.
            before = len(desk.requests)
            await asyncio.sleep(LONG)
            assert len(desk.requests) - before < 100
            desk.answer = 200
            await asyncio.sleep(LONG / 5)
            assert (phone.available, phone.in_sync) == (True, True)
            assert phone.refusal is None
            assert [r for r in dict.fromkeys(refusals) if r] == [f"{status} Whatever"]

    jumping(test)


@pytest.mark.parametrize("status", [480, 500, 503])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("1800;duration=3600", 1800), ("60 (busy)", 60)],
)
def test_retry_after(status: int, value: str, seconds: int) -> None:
    """RFC 3261 20.33 and 21.5.4: until then nothing is sent, whatever changes."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.answer, desk.answer_lines = status, [f"Retry-After: {value}"]
            await desk.register()
            await asyncio.sleep(1)
            assert len(desk.requests) == 1
            desk.answer = 200
            await asyncio.sleep(seconds / 2)
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(seconds / 2 - 2)
            assert len(desk.requests) == 1
            assert (phone.available, phone.in_sync) == (True, False)
            await asyncio.sleep(2)
            assert desk.keys["1"]["c"] == "on"
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "1e3", "Fri, 27 Nov 2026 12:00 GMT"]
)
def test_a_retry_after_that_cannot_be_read(value: str) -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.answer, desk.answer_lines = 503, [f"Retry-After: {value}"]
            await desk.register()
            await asyncio.sleep(1)
            desk.answer = 200
            await asyncio.sleep(FIRST_RETRY)
            assert phone.in_sync

    jumping(test)


def test_a_new_registration_ends_the_waiting() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.answer, desk.answer_lines = 503, ["Retry-After: 3000"]
            await desk.register()
            await asyncio.sleep(1)
            desk.answer = 200
            await desk.register()
            await asyncio.sleep(1)
            assert phone.in_sync

    jumping(test)


def test_a_nonce_that_was_too_old_is_answered_once_more() -> None:
    """RFC 7616 3.3: `stale=true` means that the password was right."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            numbers: list[str] = []

            def challenge(message: object, branch: str) -> None:
                headers = [v for n, v in message.headers if n == "Authorization"]  # type: ignore[attr-defined]
                numbers.append(headers[0] if headers else "")
                desk.answer = 200 if len(numbers) == 3 else 401
                stale = ", stale=true" if len(numbers) == 2 else ""
                desk.answer_lines = [
                    f'WWW-Authenticate: Digest realm="p", nonce="n{len(numbers)}"{stale}'
                ]
                take(message, branch)  # type: ignore[arg-type]

            take = desk._take
            desk._take = challenge  # type: ignore[method-assign, assignment]
            await desk.register()
            await asyncio.sleep(2)
            assert phone.in_sync
            assert [f'nonce="n{n}"' in numbers[n] for n in (1, 2)] == [True, True]
            assert [len(message.all("Authorization")) for message in desk.requests] == [
                0,
                1,
                1,
            ]

    jumping(test)


def test_a_wrong_password_is_not_tried_twice() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.answer = 401
            desk.answer_lines = ['WWW-Authenticate: Digest realm="p", nonce="n"']
            await desk.register()
            await asyncio.sleep(2)
            assert len(desk.requests) == 2
            assert (phone.available, phone.in_sync) == (True, False)

    jumping(test)


@pytest.mark.parametrize("status", [408, 430])
def test_what_says_that_a_phone_did_not_answer(status: int) -> None:
    """A proxy answers for it (RFC 3261 8.1.3.1, RFC 5626 11.6): that is no refusal."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            desk.answer = status
            phone.keys["1"].show(base("1", label="new"))
            await asyncio.sleep(2)
            assert (phone.available, phone.refusal) == (False, None)
            desk.answer = 200
            await asyncio.sleep(LONG)
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


def test_what_is_no_answer_counts_as_none() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            desk.answer_lines = ["CSeq: nonsense"]
            phone.keys["1"].show(base("1", label="new"))
            await asyncio.sleep(40)
            assert (phone.available, phone.in_sync) == (False, False)
            desk.answer_lines = []
            await asyncio.sleep(LONG)
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


def test_a_document_that_the_system_does_not_send(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One failure says nothing about the phone; a failure of the retry does."""
    failing: list[float] = []
    send = UdpTransport.send

    def away(self: UdpTransport, data: bytes, flow: Flow) -> None:
        now = asyncio.get_running_loop().time()
        if data.startswith(b"MESSAGE") and now < until:
            failing.append(now)
            raise TransportError("Network is unreachable")
        send(self, data, flow)

    until = 0.0

    async def test() -> None:
        nonlocal until
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await asyncio.sleep(1)
            changes: list[tuple[bool, bool]] = []
            phone.status.subscribe(
                lambda _: changes.append((phone.available, phone.in_sync))
            )
            monkeypatch.setattr(UdpTransport, "send", away)
            until = asyncio.get_running_loop().time() + 1
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(0.05)
            phone.keys["3"].show(lit("3"))
            await asyncio.sleep(FIRST_RETRY + 1)
            assert desk.keys["1"]["c"] == desk.keys["3"]["c"] == "on"
            assert changes == [(True, False), (True, True)]
            until = asyncio.get_running_loop().time() + 7
            phone.keys["2"].show(lit("2"))
            await asyncio.sleep(FIRST_RETRY + 1)
            assert changes[2:] == [(True, False), (False, False)]
            await asyncio.sleep(60)
            assert desk.keys["2"]["c"] == "on"
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)
    assert failing


def test_one_key_that_is_disliked_keeps_no_other_dark() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")

            def dislike(message: object, branch: str) -> None:
                desk.answer = 415 if "l=bad" in message.body else 200  # type: ignore[attr-defined]
                take(message, branch)  # type: ignore[arg-type]

            take = desk._take
            desk._take = dislike  # type: ignore[method-assign, assignment]
            phone.keys["1"].show(base("1", label="bad"))
            await asyncio.sleep(100)
            assert phone.refusal == "415 Whatever"
            phone.keys["2"].show(lit("2"))
            await asyncio.sleep(1)
            assert desk.keys["2"]["c"] == "on"
            phone.keys["1"].show(base("1", label="good"))
            await asyncio.sleep(400)
            assert (phone.in_sync, phone.refusal) == (True, None)

    jumping(test)


def test_a_phone_that_keeps_refusing_is_no_better_for_registering_again() -> None:
    """Otherwise its repair would come and go with each registration."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.answer = 400
            await desk.register()
            await asyncio.sleep(FIRST_RETRY * 2**REFUSALS)
            assert phone.refusal == "400 Whatever"
            refusals: list[str | None] = []
            phone.status.subscribe(lambda _: refusals.append(phone.refusal))
            for _ in range(3):
                await desk.register()
                await asyncio.sleep(2)
            assert set(refusals) == {"400 Whatever"}
            desk.answer = 200
            await desk.register()
            await asyncio.sleep(1)
            assert (phone.in_sync, phone.refusal) == (True, None)

    jumping(test)


def test_a_phone_that_registers_after_each_refusal_keeps_refusing_too() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.answer = 400
            for _ in range(REFUSALS):
                assert phone.refusal is None
                await desk.register()
                await asyncio.sleep(FIRST_RETRY / 2)
            assert phone.refusal == "400 Whatever"

    jumping(test)


def test_a_key_that_a_phone_wants_later_keeps_no_other_dark() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:

            def dislike(message: object, branch: str) -> None:
                is_bad = "l=bad" in message.body  # type: ignore[attr-defined]
                desk.answer = 500 if is_bad else 200
                desk.answer_lines = ["Retry-After: 10"] if is_bad else []
                take(message, branch)  # type: ignore[arg-type]

            take = desk._take
            desk._take = dislike  # type: ignore[method-assign, assignment]
            phone.keys["1"].show(base("1", label="bad"))
            phone.keys["4"].show(lit("4"))
            await desk.register()
            # Twice in one document, then each key alone, the bad one first.
            await asyncio.sleep(45)
            assert desk.keys["4"]["c"] == "on"
            assert "1" not in desk.keys
            phone.keys["2"].show(lit("2"))
            await asyncio.sleep(300)
            assert desk.keys["2"]["c"] == "on"
            assert phone.refusal == "500 Whatever"

    jumping(test)
