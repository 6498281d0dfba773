"""The server with phones on real sockets; tests that take minutes jump the clock."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import errno
import hashlib
import json
import time
from typing import Any

import orjson
import pytest

from custom_components.snom_buttons.engine.phones import (
    Change,
    Dialled,
    KeyPress,
    Phone,
    free_port,
)
from custom_components.snom_buttons.engine.sip import Flow, parse_address
from custom_components.snom_buttons.engine.sip.net import TransportError
from custom_components.snom_buttons.engine.sip.net.udp import UdpTransport
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    Color,
    DocumentError,
    LightMode,
)
from tests.support.rawphone import RawMessage, RawPhone
from tests.support.serving import (
    LOCALHOST,
    add_phone,
    base,
    jumping,
    lit,
    make_phone,
    phone_setup,
    raw_phone,
    serving,
    setup,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture(params=["MD5", "SHA-256"])
def algorithm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# Registration and the whole picture


async def test_a_phone_that_registers_gets_the_whole_picture(algorithm: str) -> None:
    phone = make_phone()
    phone.keys["2"].show(lit("2"))
    async with (
        serving(phone) as server,
        raw_phone(server, algorithm=algorithm) as desk,
    ):
        assert not phone.available
        answer = await desk.register()
        assert (answer.status, answer.get("Require")) == (200, "buttons")
        await desk.shows("4")
        assert {key: lines.get("c") for key, lines in desk.keys.items()} == {
            "1": None,
            "2": "on",
            "3": None,
            "4": None,
        }
        assert desk.keys["1"] == {"n": "key1", "a": "message", "l": "Key 1"}
        assert len(desk.requests) == 1
        assert "ha.example" in desk.requests[0].get("Contact")
        assert phone.available
        assert phone.registration is not None
        assert phone.registration.address == f"udp {desk.address}"
        assert phone.registration.user_agent == desk.user_agent
        assert phone.registration.supports_buttons


async def test_the_whole_picture_is_sent_again_after_each_refresh() -> None:
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("4")
        desk.keys.clear()  # as if the phone had lost them
        await desk.register()
        await desk.shows("4")
        assert len(desk.requests) == 2


async def test_a_wrong_password_registers_nothing() -> None:
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        desk.password = "wrong"
        assert (await desk.register()).status == 401
        assert not phone.available


async def test_a_large_picture_travels_in_several_messages_of_1300_bytes() -> None:
    phone = make_phone(keys=48)
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("48")
        assert len(desk.keys) == 48
        assert len(desk.requests) > 1
        for request in desk.requests:
            head = [request.start, *(f"{n}: {v}" for n, v in request.headers)]
            size = len("\r\n".join(head)) + 4 + len(request.body.encode())
            assert size <= 1300


async def test_1300_bytes_are_used_up_and_never_exceeded() -> None:
    """Labels of every length: the largest request just fits."""
    sizes: list[int] = []
    for length in range(1, 41):
        keys = [setup(f"{n}", label="x" * length) for n in range(10, 50)]
        phone = Phone(phone_setup("44", keys))
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("49")
            for request in desk.requests:
                head = [request.start, *(f"{n}: {v}" for n, v in request.headers)]
                size = len("\r\n".join(head)) + 4 + len(request.body.encode())
                sizes.append(size)
    assert 1298 <= max(sizes) <= 1300


async def test_a_phone_with_a_new_address_replaces_the_old_one_at_once() -> None:
    """The server does not wait for the old address, where a document is under way."""
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as before:
        await before.register()
        await before.shows("4")
        before.answer = None  # it loses power
        phone.keys["1"].show(lit("1"))
        async with raw_phone(server) as after:
            after.instance = before.instance
            await after.register()
            assert (await after.shows("1", c="on"))["l"] == "Key 1"
            assert phone.registration is not None
            assert phone.registration.address == f"udp {after.address}"
            phone.keys["1"].show(lit("1", LightMode.HOLD))
            await after.shows("1", c="hold")
            assert len(before.requests) == 1


async def test_a_phone_that_was_reset_is_one_contact() -> None:
    """The 200 lists one Contact, and each change is sent once, to the new `line`."""
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("4")
        for _ in range(3):
            desk.reset()
            answer = await desk.register()
            (contact,) = answer.all("Contact")
            assert f"line={desk._line}>" in contact
            await desk.shows("4")
        phone.keys["1"].show(lit("1"))
        await desk.shows("1", c="on")
        phone.keys["1"].show(base("1"))
        await desk.shows("1", c=None)
        assert len(desk.requests) == 3
        for message in desk.requests:
            assert f";line={desk._line} SIP/2.0" in message.start
        # Its answer to the last document arrives before this press.
        assert (await desk.press("2")).status == 200
        assert (phone.in_sync, phone.refusal) == (True, None)


async def test_two_extensions_on_one_flow_both_get_their_keys() -> None:
    """Two identities of one phone have one instance, and often one Call-ID each."""
    first, second = make_phone("44"), make_phone("45")
    async with serving(first, second) as server, raw_phone(server) as desk:
        for desk.extension in ("44", "45", "44", "45"):
            desk.keys.clear()
            answer = await desk.register()
            assert len(answer.all("Contact")) == 1
            await desk.shows("4")
        desk.requests.clear()
        first.keys["1"].show(lit("1"))
        second.keys["2"].show(lit("2"))
        await desk.until(lambda: len(desk.requests) == 2)
        users = {message.start.split("@")[0] for message in desk.requests}
        assert users == {"MESSAGE sip:44", "MESSAGE sip:45"}
        for desk.extension in ("44", "45"):
            assert (await desk.press("1", number="key1")).status == 200


async def test_ten_softphones_of_one_extension_each_get_each_change_once() -> None:
    phone = make_phone()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(phone))
        desks = [await stack.enter_async_context(raw_phone(server)) for _ in range(10)]
        for desk in desks:
            await desk.register()
            await desk.shows("4")
        desks[0].reset()
        answer = await desks[0].register()
        assert len(answer.all("Contact")) == 10
        await desks[0].shows("4")
        phone.keys["1"].show(lit("1"))
        for desk in desks:
            await desk.shows("1", c="on")
            assert len(desk.requests) == 2
            assert (await desk.press("2")).status == 200


async def test_two_contacts_of_one_phone_both_show_its_keys() -> None:
    phone = make_phone()
    async with (
        serving(phone) as server,
        raw_phone(server) as desk,
        raw_phone(server) as kitchen,
    ):
        await desk.register()
        await kitchen.register()
        phone.keys["3"].show(lit("3"))
        await desk.shows("3", c="on")
        await kitchen.shows("3", c="on")
        await desk.unregister()
        assert phone.available
        await kitchen.unregister()
        assert not phone.available
        assert phone.registration is None


def test_registrations_that_are_not_renewed_end_one_by_one() -> None:
    async def test() -> None:
        phone, other = make_phone(), make_phone("45")
        gone = asyncio.Event()
        async with (
            serving(phone, other) as server,
            raw_phone(server) as desk,
            raw_phone(server, "45") as second,
        ):
            await second.register(expires=900)
            await desk.register(expires=600)
            await desk.shows("4")
            phone.status.subscribe(lambda _: None if phone.available else gone.set())
            begun = asyncio.get_running_loop().time()
            await gone.wait()
            assert asyncio.get_running_loop().time() - begun == pytest.approx(
                600, abs=1
            )

    jumping(test)


# Delivery


def test_silence_makes_a_phone_unavailable_and_an_answer_brings_it_back() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        phone = make_phone()
        changes: list[tuple[float, bool]] = []
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            await asyncio.sleep(1)
            phone.status.subscribe(
                lambda _: changes.append((loop.time() - begun, phone.available))
            )
            begun = loop.time()
            desk.answer = None
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(35)
            # Out of sync after a second; timer F of RFC 3261 17.1.2.2.
            assert changes == [
                (pytest.approx(1, abs=0.1), True),
                (pytest.approx(32, abs=0.1), False),
            ]
            desk.answer = 200
            await asyncio.sleep(10)
            assert desk.keys["1"]["c"] == "on"
            assert phone.available
            assert phone.in_sync

    jumping(test)


def test_a_lost_document_is_sent_again_in_time_behind_one_that_was_answered() -> None:
    """RFC 3261 17.1.2.2: after 0.5, 1, 2 and then every 4 seconds."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            await asyncio.sleep(0.01)
            loop = asyncio.get_running_loop()
            begin = loop.time()
            sent: list[float] = []
            receive = desk.datagram_received

            def note(data: bytes, addr: tuple[str, int]) -> None:
                sent.append(round(loop.time() - begin, 2))
                receive(data, addr)

            desk.datagram_received = note  # type: ignore[method-assign]
            desk.answer = None
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(20)
            assert sent == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5]

    jumping(test)


def test_a_refusal_leaves_a_phone_available_but_not_in_sync() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.answer = 500
            await desk.register()
            await asyncio.sleep(3)
            assert (phone.available, phone.in_sync) == (True, False)
            desk.answer = 200
            await asyncio.sleep(5)
            assert (phone.available, phone.in_sync) == (True, True)
            assert len(desk.keys) == 4

    jumping(test)


@pytest.mark.parametrize(
    ("status", "asks", "answers"),
    [
        (401, "WWW-Authenticate", "Authorization"),
        (407, "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
async def test_a_phone_that_challenges_us_is_answered_once(
    status: int, asks: str, answers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        seen: list[RawMessage] = []

        def challenge(message: RawMessage, branch: str) -> None:
            """Accept a message only with credentials for this user and method."""
            seen.append(message)
            credentials = message.all(answers)
            given = credentials[0] if credentials else ""
            desk.answer = 200 if 'username="44"' in given else status
            text = desk._text

            def with_challenge(start: str, headers: Any, body: str) -> bytes:
                extra = [f'{asks}: Digest realm="phone", nonce="n1", qop="auth"']
                return text(start, [*headers, *extra], body)

            with monkeypatch.context() as patch:
                if desk.answer == status:
                    patch.setattr(desk, "_text", with_challenge)
                take(message, branch)

        take = desk._take
        monkeypatch.setattr(desk, "_take", challenge)
        await desk.register()
        await desk.shows("4")
        first, second = seen
        assert first.get("Call-ID") == second.get("Call-ID")
        assert [first.get("CSeq"), second.get("CSeq")] == ["1 MESSAGE", "2 MESSAGE"]
        # An independent computation of RFC 7616 3.4.1 is in test_digest.py.
        assert 'realm="phone"' in second.get(answers)


def test_a_challenge_that_we_cannot_answer_counts_as_a_refusal() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.answer = 401  # and no WWW-Authenticate
            await desk.register()
            await asyncio.sleep(1)
            assert (phone.available, phone.in_sync) == (True, False)
            desk.answer = 200
            await asyncio.sleep(6)
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


async def test_a_phone_that_challenges_us_gets_smaller_documents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With credentials a request has 1300 bytes too (RFC 3261 18.1.1)."""
    phone = make_phone(keys=48)
    sizes: list[int] = []
    async with serving(phone) as server, raw_phone(server) as desk:
        text, take = desk._text, desk._take

        def challenge(message: RawMessage, branch: str) -> None:
            known = bool(message.all("Authorization"))
            desk.answer = 200 if known else 401
            extra = [] if known else ['WWW-Authenticate: Digest realm="p", nonce="n"']
            with monkeypatch.context() as patch:
                patch.setattr(
                    desk,
                    "_text",
                    lambda start, lines, body: text(start, [*lines, *extra], body),
                )
                take(message, branch)
            head = [message.start, *(f"{n}: {v}" for n, v in message.headers)]
            sizes.append(len("\r\n".join(head)) + 4 + len(message.body.encode()))

        monkeypatch.setattr(desk, "_take", challenge)
        await desk.register()
        await desk.shows("48")
        # The first one was built before the challenge.
        assert max(sizes[2:]) <= 1300


def test_one_that_never_answers_is_not_taken_for_back_at_each_refresh() -> None:
    async def test() -> None:
        phone = make_phone()
        changes: list[bool] = []
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.answer = None
            await desk.register()
            phone.status.subscribe(lambda _: changes.append(phone.available))
            await asyncio.sleep(40)
            # Behind after a second, then unavailable.
            assert changes == [True, False]
            changes.clear()
            await desk.register()
            await asyncio.sleep(40)
            assert set(changes) == {False}
            desk.answer = 200
            await desk.register()
            await desk.shows("4")
            await asyncio.sleep(1)
            assert changes[-1] is True

    jumping(test)


def test_a_press_makes_a_phone_available_before_it_is_emitted() -> None:
    async def test() -> None:
        phone = make_phone()
        available: list[bool] = []
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            desk.answer = None
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(40)
            assert not phone.available
            desk.answer = 200
            server.pressed.subscribe(lambda _: available.append(phone.available))
            await desk.press("2")
            assert available == [True]
            await desk.press("3")
            # What was due is sent at once, not when the back-off ends.
            pressed_at = asyncio.get_running_loop().time()
            await desk.shows("1", c="on")
            assert asyncio.get_running_loop().time() - pressed_at < 1

    jumping(test)


# Presses


async def test_a_press_is_emitted_by_its_key_and_by_the_server() -> None:
    phone = make_phone()
    presses: list[KeyPress] = []
    of_key: list[KeyPress] = []
    async with serving(phone) as server, raw_phone(server) as desk:
        server.pressed.subscribe(presses.append)
        phone.keys["4"].pressed.subscribe(of_key.append)
        await desk.register()
        await desk.shows("4")
        assert (await desk.press("4")).status == 200
        (press,) = presses
        assert (press.extension, press.key, press.action) == ("44", "4", Action.MESSAGE)
        assert press.number == "key4"
        assert press.time.utcoffset() is not None
        assert of_key == presses
        await desk.press("4")
        assert len(presses) == 2
        assert len({press.id for press in presses}) == 2


async def test_a_press_is_answered_before_it_is_emitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phone = make_phone()
    order: list[str] = []
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("4")
        send = UdpTransport.send

        def note(self: UdpTransport, data: bytes, flow: Flow) -> None:
            order.append(data.decode().split("\r\n")[0])
            send(self, data, flow)

        monkeypatch.setattr(UdpTransport, "send", note)
        server.pressed.subscribe(lambda press: order.append(f"key {press.key}"))
        await desk.press("4")
        assert order == ["SIP/2.0 200 OK", "key 4"]


async def test_a_number_is_emitted_as_it_can_be_shown() -> None:
    phone = make_phone()
    presses: list[KeyPress] = []
    async with serving(phone) as server, raw_phone(server) as desk:
        server.pressed.subscribe(presses.append)
        await desk.register()
        await desk.press("1", number="%0D%0Ax" + 100 * "1")
        assert presses[0].number == "x" + 61 * "1"


async def test_a_press_of_a_key_that_is_not_configured_is_emitted_too() -> None:
    phone = make_phone()
    presses: list[KeyPress] = []
    async with serving(phone) as server, raw_phone(server) as desk:
        server.pressed.subscribe(presses.append)
        await desk.register()
        assert (await desk.press("P7", "seize", "*1")).status == 200
        (press,) = presses
        assert (press.key, press.action, press.number) == ("P7", Action.SEIZE, "*1")


async def test_a_listener_that_fails_costs_neither_the_answer_nor_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    phone = make_phone()
    presses: list[KeyPress] = []
    async with serving(phone) as server, raw_phone(server) as desk:
        phone.keys["1"].pressed.subscribe(lambda _: 1 / 0)  # type: ignore[arg-type]
        server.pressed.subscribe(presses.append)
        await desk.register()
        assert (await desk.press("1", number="x")).status == 200
        assert len(presses) == 1
    assert "ZeroDivisionError" in caplog.text


async def test_a_call_to_a_key_s_number_is_a_press_and_others_are_dialled() -> None:
    phone = make_phone()
    presses: list[KeyPress] = []
    dialled: list[Dialled] = []
    async with serving(phone) as server, raw_phone(server) as desk:
        server.pressed.subscribe(presses.append)
        server.dialled.subscribe(dialled.append)
        await desk.register()
        assert (await desk.invite("key2")).status == 486
        assert (await desk.invite("%2A21%23")).status == 486
        (press,) = presses
        assert (press.key, press.action, press.number) == ("2", Action.INVITE, "key2")
        assert [(d.extension, d.number) for d in dialled] == [("44", "*21#")]


@pytest.mark.parametrize("what", ["press", "invite"])
async def test_a_stranger_is_challenged_and_one_with_the_password_is_not(
    what: str,
) -> None:
    """Trust belongs to the flow that registered, not to the user in From."""
    phone = make_phone()
    presses: list[KeyPress] = []
    async with (
        serving(phone) as server,
        raw_phone(server) as desk,
        raw_phone(server) as stranger,
        raw_phone(server) as second,
    ):
        server.pressed.subscribe(presses.append)
        await desk.register()

        async def act(by: RawPhone) -> int:
            if what == "press":
                return (await by.press("1", number="key1")).status
            return (await by.invite("key1")).status

        stranger.password = "guessed"
        assert await act(stranger) == 401
        assert presses == []
        assert await act(second) == (200 if what == "press" else 486)
        assert len(presses) == 1


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", "hello", 415),
        ("application/x-buttons", "c=on\r\n", 400),
        ("Application/X-Buttons;charset=utf-8", "k=1\r\na=message\r\n", 200),
        # No key can have been pressed.
        ("application/x-buttons", "k=1\n" * 9, 400),
        pytest.param(
            "application/x-buttons", f"k=1\n{'y=1\n' * 1024}", 413, id="too long"
        ),
        ("application/x-buttons", "", 400),
        ("application/x-buttons", f"k={'x' * 65}\n", 400),
        ("application/x-buttons", f"k=1\na={'x' * 65}\n", 400),
    ],
)
async def test_what_is_no_press_is_refused(
    content_type: str, body: str, status: int
) -> None:
    phone = make_phone()
    presses: list[KeyPress] = []
    async with serving(phone) as server, raw_phone(server) as desk:
        server.pressed.subscribe(presses.append)
        await desk.register()
        answer = await desk._authorized(
            "MESSAGE",
            "sip:44@ha",
            to="x",
            headers=[f"Content-Type: {content_type}"],
            body=body,
        )
        assert answer.status == status
        assert len(presses) == (status == 200)
        # What is refused keeps no state (RFC 3261 8.2.7).
        kept = [(key[0], key[-1]) for key in server._endpoint._transactions.running]
        assert kept.count(("server", "MESSAGE")) == len(presses)
        if status == 415:
            assert answer.get("Accept") == "application/x-buttons"


async def test_options_says_what_we_take() -> None:
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        answer = await desk._authorized("OPTIONS", "sip:ha", to="x", headers=[])
        assert answer.status == 200
        assert "MESSAGE" in answer.get("Allow")
        assert "SUBSCRIBE" in answer.get("Allow")
        assert answer.get("Allow-Events") == "dialog, message-summary"
        assert answer.get("Accept") == "application/x-buttons"
        assert answer.get("Supported") == "buttons, path"


# Configuration


async def test_configuring_keeps_lamps_and_darkens_what_is_gone() -> None:
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("4")
        phone.keys["1"].show(base("1", light=LightMode.PARK, color=Color.RED))
        phone.keys["2"].show(lit("2"))
        await desk.shows("2", c="on")
        renamed = [setup("1", label="Hall"), setup("5"), setup("3")]
        server.configure_phone(phone_setup("44", renamed))
        await desk.shows("1", l="Hall", c="park", o="red")
        await desk.shows("5", l="Key 5")
        assert await desk.shows("2", c=None) == {}
        assert list(phone.keys) == ["1", "5", "3"]
        # Unchanged keys were not sent again.
        assert all("k=3" not in request.body for request in desk.requests[1:])


def test_a_key_that_is_taken_away_goes_dark_though_the_phone_was_away() -> None:
    async def test() -> None:
        phone = make_phone()
        phone.keys["2"].show(lit("2"))
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("2", c="on")
            desk.answer = None
            server.configure_phone(phone_setup("44", [setup("1")]))
            await asyncio.sleep(40)
            desk.answer = 200
            await desk.register()
            assert await desk.shows("2", c=None) == {}
            snapshot, port = server.snapshot(), server.address[1]
            await server.stop()
            desk.keys.clear()
            again = make_phone(keys=1)
            async with serving(again, snapshot=snapshot, port=port) as second:
                assert await desk.shows("2", c=None) == {}
                # A key that is configured again is no longer due as a removed one.
                keys = [setup("1"), setup("2")]
                second.configure_phone(phone_setup("44", keys))
                await desk.shows("2", l="Key 2")
                await desk.register()
                await desk.shows("2", l="Key 2")
                stored = f"{second.snapshot()['phones']['44']['keys']}"
                assert stored.count("'shown': 'k=2") == 1

    jumping(test)


async def test_a_new_password_ends_the_registration() -> None:
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        server.configure_phone(phone_setup("44", [setup("1")], password="new"))
        assert not phone.available
        assert (await desk.register()).status == 401
        desk.password = "new"
        assert (await desk.register()).status == 200
        assert phone.available


async def test_phones_come_and_go_while_the_server_runs() -> None:
    async with serving() as server, raw_phone(server) as desk:
        assert (await desk.register()).status == 401
        phone = server.add_phone(make_phone().setup)
        with pytest.raises(ValueError, match="there is a phone 44 already"):
            server.add_phone(phone.setup)
        assert (await desk.register()).status == 200
        await desk.shows("4")
        server.remove_phone("44")
        assert server.phones == {}
        assert not phone.available
        assert (await desk.register()).status == 401


async def test_what_cannot_be_written_changes_nothing() -> None:
    phone = make_phone()
    key = phone.keys["1"]
    with pytest.raises(DocumentError, match="property 'l'"):
        key.show(base("1", label="two\nlines"))
    with pytest.raises(ValueError, match="key 1 cannot show key 2"):
        key.show(base("2"))
    assert key.look == key.setup.off
    shown: list[None] = []
    unsubscribe = key.shown.subscribe(shown.append)
    key.show(key.setup.off)
    assert shown == []
    key.show(lit("1"))
    unsubscribe()
    key.show(key.setup.off)
    assert shown == [None]


# Restarts and the port


async def test_a_restart_brings_back_looks_and_registrations() -> None:
    """The phone does not have to register again."""
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        changes: list[Change] = []
        server.changed.subscribe(changes.append)
        await desk.register()
        await desk.shows("4")
        server.phones["44"].keys["2"].show(base("2", light=LightMode.HOLD))
        await desk.shows("2", c="hold")
        assert changes
        snapshot, port = server.snapshot(), server.address[1]
        await server.stop()
        desk.keys.clear()
        phone = make_phone()
        async with serving(phone, snapshot=snapshot, port=port) as again:
            assert phone.available
            await desk.shows("2", c="hold", l="Key 2")
            await desk.shows("4")
            assert (await desk.press("2")).status == 200
            assert (
                again.snapshot()["phones"]["44"]["keys"]
                == snapshot["phones"]["44"]["keys"]
            )


def test_a_stored_registration_that_is_over_is_not_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        async with serving(make_phone()) as server, raw_phone(server) as desk:
            await desk.register()
            snapshot = server.snapshot()
        later = time.time() + 3601
        monkeypatch.setattr(time, "time", lambda: later)
        phone = make_phone()
        async with serving(phone, snapshot=snapshot):
            assert not phone.available

    jumping(test)


async def test_another_realm_ends_no_registration() -> None:
    """The phone learns it when it registers next."""
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("4")
        snapshot, port = server.snapshot(), server.address[1]
        await server.stop()
        desk.keys.clear()
        phone = make_phone()
        async with serving(phone, snapshot=snapshot, port=port, realm="other"):
            await desk.shows("4")
            assert (await desk.press("2")).status == 200
            assert (await desk.register()).status == 200
            assert phone.available


@pytest.mark.parametrize(("realm", "kept"), [("ha", True), ("other", False)])
async def test_a_registration_that_version_0_1_stored(realm: str, kept: bool) -> None:
    """The proof of its password had the realm in it."""
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        snapshot = server.snapshot()
    secret = f"44\0ha\0{desk.password}".encode()
    snapshot["phones"]["44"]["proof"] = hashlib.sha256(secret).hexdigest()
    phone = make_phone()
    async with serving(phone, snapshot=snapshot, realm=realm):
        assert phone.available is kept


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [("one", "one", True), ("one", "other", False), (None, None, False)],
)
async def test_a_proof_of_the_programs_own(
    before: str | None, after: str | None, kept: bool
) -> None:
    """It replaces the digest, which does not count then."""

    def proving(secret: str | None) -> Any:
        return lambda extension, password: secret and f"{secret} {extension} {password}"

    async with serving(make_phone(), prove=proving(before)) as server:
        async with raw_phone(server) as desk:
            await desk.register()
        snapshot, port = server.snapshot(), server.address[1]
    said = before and f"{before} 44 {desk.password}"
    assert snapshot["phones"]["44"]["proof"] == said
    phone = make_phone()
    async with serving(phone, snapshot=snapshot, port=port, prove=proving(after)):
        assert phone.available is kept
    async with serving(phone := make_phone(), snapshot=snapshot, port=port):
        assert not phone.available, "it is no digest"


async def test_a_phone_that_comes_after_the_start_gets_the_whole_picture() -> None:
    """As if it had been restored before."""
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("4")
        server.phones["44"].keys["2"].show(lit("2"))
        await desk.shows("2", c="on")
        saved, port = server.phone_snapshot("44"), server.address[1]
        await server.stop()
        desk.keys.clear()
        async with serving(port=port) as second:
            phone = make_phone()
            add_phone(second, phone)
            second.restore_phone("44", json.loads(json.dumps(saved)))
            await desk.shows("2", c="on")
            await desk.shows("4")
            assert (await desk.press("2")).status == 200
            assert phone.available


async def test_documents_take_the_path_that_the_registration_came() -> None:
    """RFC 3327 5.3: as Route, to the source of the REGISTER; after a restart too."""
    path = ["<sips:edge.test;lr>", "<sip:outer.test:5080;lr;x=y>"]
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        desk.supported = "buttons, path"
        desk.more = [f"Path: {', '.join(path)}"]
        answer = await desk.register()
        assert answer.all("Path") == [", ".join(path)]
        await desk.shows("4")
        assert desk.requests[-1].all("Route") == path
        assert desk.requests[-1].get("Contact").startswith("<sips:"), "RFC 3261 8.1.1.8"
        assert desk.requests[-1].start.startswith(f"MESSAGE sip:44@{desk.address};line")
        snapshot, port = server.snapshot(), server.address[1]
        await server.stop()
        desk.keys.clear()
        async with serving(make_phone(), snapshot=snapshot, port=port):
            await desk.shows("4")
            assert desk.requests[-1].all("Route") == path
            desk.password = "wrong"
            assert (await desk.press("2")).status == 401


async def test_a_stored_registration_with_another_password_is_not_trusted() -> None:
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        server.phones["44"].keys["1"].show(lit("1"))
        await desk.shows("1", c="on")
        snapshot, port = server.snapshot(), server.address[1]
        await server.stop()
        phone = Phone(phone_setup("44", [setup("1")], password="another password"))
        async with serving(phone, snapshot=snapshot, port=port):
            assert not phone.available
            assert phone.keys["1"].look == lit("1")
            desk.password = "guessed"
            assert (await desk.press("1")).status == 401


async def test_looks_are_kept_for_the_keys_that_there_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    snapshot = {
        "44": {"keys": "k=9\r\nc=on\r\n\r\nk=1\r\nc=park\r\n\r\n"},
        "45": {"keys": "no document"},
        "46": {"keys": "k=1\r\nc=on\r\n"},
    }
    phones = make_phone(), make_phone("45")
    async with serving(*phones, snapshot=snapshot):
        assert phones[0].keys["1"].look == base("1", light=LightMode.PARK)
        assert phones[1].keys["1"].look == base("1")
        assert not phones[0].available
    assert "cannot be read: document_no_property in line 1" in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"flow": ["UDP", "127.0.0.1", "5060"]},
        {"flow": ["UDP", "127.0.0.1", 70000]},
        {"flow": ["UDP", "127.0.0.1", -1]},
        {"instance": [1]},
        {"user_agent": 7},
        {"contact": "<sip:44@\ud800>"},
        {"call_id": "\ud800"},
        {"flow": ["UDP", "phone.example", 5060]},
        {"flow": ["TLS", "127.0.0.1", 5060]},
        {"flow": ["UDP", "127.0.0.1"]},
        {"flow": None},
        {"contact": "<"},
        {"contact": 7},
        {"aor": None},
        {"cseq": "many"},
        {"expires_at": None},
        {"expires_at": "soon"},
        {"path": "<sip:edge.test;lr>"},
        {"path": ["<sip:edge.test>"]},
        {"path": ["<sip:\ud800@edge.test;lr>"]},
        {"path": [7]},
        {"path": None},
        {"user": "45"},
    ],
    ids=repr,
)
async def test_a_broken_stored_registration_is_left_out(
    changes: dict[str, Any],
) -> None:
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        snapshot = server.snapshot()
    snapshot["phones"]["44"]["bindings"][0] |= changes
    phone = make_phone()
    async with serving(phone, snapshot=snapshot):
        assert not phone.available


@pytest.mark.parametrize(
    "snapshot",
    [
        {"44": 1},
        {"44": None},
        {"44": {"keys": None, "bindings": None}},
        {"44": {"keys": "\ud800"}},
        {"44": {"bindings": {"user": "44"}}},
        {"44": {"bindings": [None]}},
        {"phones": None, "lines": None},
        {"phones": [], "lines": []},
        {"phones": {"44": None}, "lines": {"line": 7}},
        {"phones": {"44": {"keys": {}, "bindings": {}, "proof": None}}},
        {"phones": {"44": {"keys": [None], "bindings": [None]}}},
        {"phones": {}},
        {},
    ],
    ids=repr,
)
async def test_a_store_of_another_shape_harms_nothing(snapshot: dict[str, Any]) -> None:
    async with serving(make_phone(), snapshot=snapshot) as server:
        assert not server.phones["44"].available


async def test_what_is_stored_can_be_written_as_json() -> None:
    """Home Assistant's JSON is strict: one bad byte would keep all from being stored."""
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        desk.user_agent = "snom320/8.7\u0160"
        await desk.register()
        desk.extension = "44"
        assert orjson.loads(orjson.dumps(server.snapshot()))["phones"]["44"]["bindings"]
        (binding,) = server._location.bindings("44")
        contact = parse_address('"J\udcfcrgen" <sip:44@192.0.2.4>')
        server._location.forget("44")
        server._location.restore("44", [replace(binding, contact=contact)])
        assert server._location.bindings("44")
        assert (
            orjson.loads(orjson.dumps(server.snapshot()))["phones"]["44"]["bindings"]
            == []
        )


async def test_a_stored_registration_lasts_an_hour_at_most() -> None:
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        snapshot = server.snapshot()
    snapshot["phones"]["44"]["bindings"][0]["expires_at"] = 1e300
    phone = make_phone()
    async with serving(phone, snapshot=snapshot):
        assert phone.registration is not None
        left = phone.registration.expires_at - datetime.now(UTC)
        assert left <= timedelta(hours=1)


async def test_a_start_that_fails_half_way_frees_the_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port(LOCALHOST, 20000)
    phone = make_phone()
    monkeypatch.setattr(phone, "registered", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        async with serving(phone, port=port):
            pass
    async with serving(make_phone(), port=port):
        pass


async def test_a_taken_port_raises_and_stopping_frees_it() -> None:
    async with serving(make_phone()) as server:
        port = server.address[1]
        with pytest.raises(OSError) as error:
            async with serving(port=port):
                pass
        assert error.value.errno == errno.EADDRINUSE
        await server.stop()
        await server.stop()
        with pytest.raises(TransportError):
            _ = server.address
        async with serving(port=port):
            pass


def test_stopping_ends_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        datagrams: list[bytes] = []
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            monkeypatch.setattr(
                desk, "datagram_received", lambda data, _: datagrams.append(data)
            )
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(5)
            # Sent at 0, 0.5, 1.5 and 3.5 s.
            assert len(datagrams) == 4
            await server.stop()
            await asyncio.sleep(120)
            assert len(datagrams) == 4

    jumping(test)
