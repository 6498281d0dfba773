"""The phone on real sockets, with a registrar that shares no code with it."""

import asyncio
from collections.abc import AsyncIterator
import re

import pytest

from snom_buttons.sip import timers
from snom_buttons.xbuttons import KeyDescription, LightMode
from tests.support.stub_registrar import (
    MD5,
    SHA_256,
    StubRegistrar,
    body,
    credentials,
    digest_is_right,
    header,
)
from virtual_phone import Kind, VirtualPhone, identity, invite

INSTANCE = "urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f"
"""The instance in the press examples of the LED Remote Control document."""


def make_phone(registrar: StubRegistrar) -> VirtualPhone:
    return VirtualPhone("404", "secret", registrar=registrar.address)


@pytest.fixture
async def phone(registrar: StubRegistrar) -> AsyncIterator[VirtualPhone]:
    """Yield a registered phone."""
    async with make_phone(registrar) as phone:
        phone._identity.instance = INSTANCE
        await registrar.accept_registration()
        await phone.wait_for(lambda p: p.registered)
        yield phone
        # The test needs no de-registration.
        phone._identity.registered_until = None


@pytest.fixture
def quick_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten retransmissions and time-outs."""
    for name, seconds in (("T1", 0.01), ("TIMER_E", 0.01), ("TIMER_F", 0.05)):
        monkeypatch.setattr(timers, name, seconds)
    monkeypatch.setattr(invite, "T1", timers.T1)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Skip the pauses between registrations; return their lengths."""
    pauses = []
    timeout = asyncio.timeout

    def no_pause(seconds: float) -> asyncio.Timeout:
        task = asyncio.current_task()
        assert task is not None
        if task.get_coro().__name__ != "_stay_registered":
            return timeout(seconds)
        pauses.append(seconds)
        return timeout(0)

    monkeypatch.setattr(asyncio, "timeout", no_pause)
    return pauses


def message(
    phone: VirtualPhone,
    document: str | bytes,
    *,
    method: str = "MESSAGE",
    target: str = "",
    content_type: str = "application/x-buttons",
    branch: str = "z9hG4bKa",
) -> bytes:
    """Return a request like those in the LED Remote Control document."""
    document = document.encode() if isinstance(document, str) else document
    head = (
        f"{method} {target or phone._identity._contact_uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:9;branch={branch};rport\r\n"
        f"From: <sip:404@localhost>;tag=38473\r\n"
        f"To: <sip:404@localhost>\r\n"
        f"Call-ID: 6algjorv@pbx\r\n"
        f"CSeq: 59620 {method}\r\n"
        f"Max-Forwards: 70\r\n"
        f"Contact: <sip:127.0.0.1:9>\r\n"
        f"Subject: buttons\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Length: {len(document)}\r\n\r\n"
    )
    return head.encode() + document


def notify(phone: VirtualPhone, event: str, branch: str) -> bytes:
    """Return a NOTIFY outside a dialog; without an Event if that is empty."""
    request = message(phone, "", method="NOTIFY", branch=branch)
    request = request.replace(b"6algjorv", branch.encode())
    return request.replace(
        b"Subject: buttons\r\n", f"Event: {event}\r\n".encode() if event else b""
    )


def masked(data: bytes) -> str:
    """Return a message with random values and addresses masked."""
    text = re.sub(r"(branch|tag|line)=[^;>\r]+", r"\1=*", data.decode())
    text = re.sub(r"Call-ID: .*", "Call-ID: *\r", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:*", text)


class TestRegistration:
    async def test_register_is_as_the_document_prints_it(
        self, registrar: StubRegistrar
    ) -> None:
        async with make_phone(registrar) as phone:
            register = await registrar.receive()
            assert masked(register) == (
                "REGISTER sip:127.0.0.1 SIP/2.0\r\n"
                "Via: SIP/2.0/UDP 127.0.0.1:*;branch=*;rport\r\n"
                'From: "404" <sip:404@127.0.0.1>;tag=*\r\n'
                'To: "404" <sip:404@127.0.0.1>\r\n'
                "Call-ID: *\r\n"
                "CSeq: 1 REGISTER\r\n"
                "Max-Forwards: 70\r\n"
                "Contact: <sip:404@127.0.0.1:*;line=*>"
                f';+sip.instance="<{phone.instance}>"\r\n'
                f"User-Agent: snomD735/10.1.198.12 {phone._identity.mac.upper()}\r\n"
                "Supported: buttons\r\n"
                "Expires: 3600\r\n"
                "Content-Length: 0\r\n\r\n"
            )
            assert f"127.0.0.1:{phone.address[1]}" in header(register, "Contact")

    async def test_the_instance_outlives_the_program(self) -> None:
        assert VirtualPhone("44").instance == VirtualPhone("44").instance
        assert VirtualPhone("44").instance != VirtualPhone("45").instance
        assert VirtualPhone("44", mac="0004130DD7C9")._identity._user_agent == (
            "User-Agent",
            "snomD735/10.1.198.12 0004130DD7C9",
        )

    @pytest.mark.parametrize(
        ("offered", "taken"),
        [([SHA_256, MD5], "SHA-256"), ([MD5, SHA_256], "MD5"), ([MD5], "MD5")],
        ids=["best first", "worst first", "MD5 only"],
    )
    async def test_answers_the_first_challenge_that_is_offered(
        self, registrar: StubRegistrar, offered: list[str], taken: str
    ) -> None:
        async with make_phone(registrar) as phone:
            first = await registrar.receive("REGISTER ")
            registrar.answer(
                first,
                "401 Unauthorized",
                *(f"WWW-Authenticate: {challenge}" for challenge in offered),
            )
            second = await registrar.receive("REGISTER ")
            given = credentials(header(second, "Authorization"))
            assert given["algorithm"] == taken
            assert given["uri"] == "sip:127.0.0.1"
            assert digest_is_right(second, "Authorization", "404", "secret")
            assert header(second, "Call-ID") == header(first, "Call-ID")
            assert header(second, "Contact") == header(first, "Contact")
            assert header(second, "CSeq") == "2 REGISTER"
            assert not phone.registered
            phone._identity.registered_until = None

    async def test_is_registered_for_what_was_granted(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        assert phone.registered_until is not None
        noted = phone.history[-1]
        seconds = (phone.registered_until - noted.at).total_seconds()
        assert seconds == pytest.approx(3600, abs=1)
        assert noted.text == phone.status
        assert phone.status.startswith(f"registered with udp {registrar.address} until")

    async def test_registers_again_at_half_of_the_time(
        self, registrar: StubRegistrar, pauses: list[float]
    ) -> None:
        async with make_phone(registrar) as phone:
            first = await registrar.accept_registration(expires=60)
            second = await registrar.accept_registration(expires=240)
            await registrar.receive("REGISTER ")
            assert pauses == [30, 120]
            assert header(second, "Call-ID") == header(first, "Call-ID")
            assert header(second, "CSeq") == "4 REGISTER"
            phone._identity.registered_until = None

    async def test_registers_at_once_on_request(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        assert registrar.idle
        phone.register_again()
        await registrar.accept_registration()
        await phone.wait_for(
            lambda p: [e.kind for e in p.history] == 2 * [Kind.REGISTRATION]
        )

    async def test_expires_header_counts_where_the_contact_has_none(
        self, registrar: StubRegistrar
    ) -> None:
        async with make_phone(registrar) as phone:
            register = await registrar.receive("REGISTER ")
            registrar.answer(
                register,
                "200 OK",
                "Contact: <sip:404@192.0.2.1:5060;line=other>;expires=9",
                f"Contact: {header(register, 'Contact')}",
                "Expires: 120",
            )
            await phone.wait_for(lambda p: p.registered)
            assert phone.registered_until is not None
            left = phone.registered_until - phone.history[-1].at
            assert left.total_seconds() == pytest.approx(120, abs=1)
            phone._identity.registered_until = None

    @pytest.mark.parametrize(
        ("status", "headers", "said"),
        [
            ("403 Forbidden", [], "not registered: 403 Forbidden"),
            (
                "200 OK",
                [],
                "not registered: the answer does not contain the phone's Contact",
            ),
            (
                "200 OK",
                ["Contact: <sip:404@other;line=1>;expires=60"],
                "not registered: the answer does not contain the phone's Contact",
            ),
            (
                "200 OK",
                ["Contact: <sip:404@other"],
                "not registered: the answer is broken: an angle bracket is not closed",
            ),
            (
                "401 Unauthorized",
                ['WWW-Authenticate: Basic realm="x"'],
                "not registered: 401 Unauthorized",
            ),
        ],
    )
    async def test_is_not_registered_after_another_answer(
        self, registrar: StubRegistrar, status: str, headers: list[str], said: str
    ) -> None:
        async with make_phone(registrar) as phone:
            assert phone.status == "not registered"
            registrar.answer(await registrar.receive(), status, *headers)
            await phone.wait_for(lambda p: bool(p.history))
            assert phone.status == said
            assert not phone.registered

    async def test_a_second_challenge_is_not_answered(
        self, registrar: StubRegistrar
    ) -> None:
        async with make_phone(registrar) as phone:
            for _ in range(2):
                request = await registrar.receive("REGISTER ")
                registrar.answer(
                    request, "401 Unauthorized", f"WWW-Authenticate: {MD5}"
                )
            await phone.wait_for(lambda p: bool(p.history))
            assert phone.status == "not registered: 401 Unauthorized"
            assert registrar.idle

    async def test_asks_for_as_long_as_the_registrar_wants(
        self, registrar: StubRegistrar, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(identity, "FIRST_RETRY", 0.0)
        async with make_phone(registrar):
            first = await registrar.receive("REGISTER ")
            registrar.answer(first, "423 Interval Too Brief", "Min-Expires: 7200")
            second = await registrar.receive("REGISTER ")
            assert header(second, "Expires") == "7200"

    async def test_tries_again_ever_more_seldom(
        self, registrar: StubRegistrar, pauses: list[float]
    ) -> None:
        async with make_phone(registrar):
            for _ in range(9):
                registrar.answer(await registrar.receive(), "503 Service Unavailable")
            await registrar.receive("REGISTER ")
            assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]

    @pytest.mark.usefixtures("quick_timers")
    async def test_tries_again_when_there_is_no_answer(
        self, registrar: StubRegistrar, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(identity, "FIRST_RETRY", 0.0)
        async with make_phone(registrar) as phone:
            register = await registrar.receive("REGISTER ")
            await registrar.receive_again(register)
            await phone.wait_for(lambda p: bool(p.history))
            assert phone.status.startswith("not registered: no answer from udp 127")
            while header(await registrar.receive(), "CSeq") != "3 REGISTER":
                pass

    async def test_says_good_bye(self, registrar: StubRegistrar) -> None:
        phone = make_phone(registrar)
        await phone.open()
        await registrar.accept_registration()
        await phone.wait_for(lambda p: p.registered)
        closing = asyncio.create_task(phone.close())
        request = await registrar.receive("REGISTER ")
        registrar.answer(request, "401 Unauthorized", f"WWW-Authenticate: {MD5}")
        request = await registrar.receive("REGISTER ")
        assert header(request, "Expires") == "0"
        registrar.answer(request, "200 OK")
        await closing
        assert phone.status == "not registered"
        await phone.close()

    async def test_good_bye_takes_no_longer_than_it_may(
        self, registrar: StubRegistrar, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(identity, "DEREGISTRATION", 0.01)
        async with make_phone(registrar) as phone:
            await registrar.accept_registration()
            await phone.wait_for(lambda p: p.registered)
        assert header(await registrar.receive(), "Expires") == "0"

    async def test_localhost_is_an_address_too(self, registrar: StubRegistrar) -> None:
        port = registrar.address.partition(":")[2]
        phone = VirtualPhone(
            "404",
            registrar=f"localhost:{port}",
            host="0.0.0.0",
        )
        async with phone:
            register = await registrar.receive("REGISTER sip:localhost SIP/2.0\r\n")
            assert "@127.0.0.1:" in header(register, "Contact")

    async def test_a_taken_port_is_an_oserror(self, registrar: StubRegistrar) -> None:
        port = int(registrar.address.partition(":")[2])
        with pytest.raises(OSError, match="in use"):
            await VirtualPhone("404", register=False, port=port).open()


class TestDocuments:
    async def test_keys_begin_dark(self) -> None:
        phone = VirtualPhone("44", keys=2)
        assert phone.keys == {
            "1": KeyDescription(name="1"),
            "2": KeyDescription(name="2"),
        }
        assert list(VirtualPhone("44", keys=["top", "7"]).keys) == ["top", "7"]

    async def test_the_walk_through_of_the_document(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        initial = (
            "k=1\r\n\r\nk=2\r\n\r\nk=3\r\nl=42\r\n\r\n"
            "k=4\r\nc=on\r\nn=79\r\na=invite\r\nl=Office Hours\r\n\r\n"
        )
        registrar.send(message(phone, initial))
        answer = await registrar.receive()
        assert re.sub("tag=[0-9a-f]+", "tag=*", answer.decode()) == (
            "SIP/2.0 200 OK\r\n"
            "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKa;rport="
            f"{registrar.address.partition(':')[2]};received=127.0.0.1\r\n"
            "From: <sip:404@localhost>;tag=*473\r\n".replace("*473", "*")
            + "To: <sip:404@localhost>;tag=*\r\n"
            "Call-ID: 6algjorv@pbx\r\n"
            "CSeq: 59620 MESSAGE\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        assert phone.keys["4"].light == "on"
        assert phone.keys["4"].label == "Office Hours"
        assert phone.keys["3"] == KeyDescription(name="3", label="42")

        call = "k=3\r\nl=42\r\nc=pickup\r\ni=19781234567\r\nn=*6013\r\na=invite\r\n"
        registrar.send(message(phone, call, branch="z9hG4bKb"))
        await phone.wait_for(lambda p: p.keys["3"].light is LightMode.PICKUP)
        assert phone.keys["3"].caller == "19781234567"
        assert phone.keys["4"].light == "on"

        registrar.send(message(phone, "k=3\r\nl=42\r\n", branch="z9hG4bKc"))
        await phone.wait_for(lambda p: p.keys["3"].light is LightMode.OFF)
        assert phone.keys["3"] == KeyDescription(name="3", label="42")
        assert [e.text for e in phone.history if e.kind is Kind.KEY] == [
            "key 3: off · 42",
            "key 4: on · Office Hours · press calls 79",
            "key 3: ringing · 42 · caller 19781234567 · press calls *6013",
            "key 3: off · 42",
        ]
        documents = [e for e in phone.history if e.kind is Kind.DOCUMENT]
        assert [e.text for e in documents][0] == "document: 1 2 3 4"
        assert documents[0].body == initial.encode()

    async def test_a_key_that_it_does_not_have_changes_nothing(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        before = dict(phone.keys)
        registrar.send(message(phone, "k=13\r\nc=on\r\n"))
        assert (await registrar.receive()).startswith(b"SIP/2.0 200 ")
        assert phone.keys == before

    async def test_a_retransmission_is_answered_alike_and_applied_once(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        registrar.send(message(phone, "k=1\r\nc=on\r\n"))
        registrar.send(message(phone, "k=1\r\nc=on\r\n"))
        await registrar.receive_again(await registrar.receive())
        assert [e.kind for e in phone.history].count(Kind.DOCUMENT) == 1

    @pytest.mark.parametrize(
        ("request_", "status", "said"),
        [
            ({"document": "c=on\r\n"}, "400 Bad Request: line 1", "broken document"),
            ({"document": b"k=\xff\r\n"}, "400 Bad Request: line 1", "broken document"),
            (
                {"document": "x", "content_type": "text/plain"},
                "415 Unsupported Media Type",
                "not a document: 415",
            ),
            ({"document": "k=1\r\n", "target": "sip:45@127.0.0.1"}, "404", ""),
            ({"document": "k=1\r\n", "target": "sip:404@127.0.0.1"}, "404", ""),
            ({"document": "", "target": "sip:404@127.0.0.1;line=x"}, "404", ""),
            (
                {"document": "", "method": "INVITE"},
                "486 Busy Here",
                "takes no calls",
            ),
            ({"document": "", "method": "REGISTER"}, "405 Method Not Allowed", ""),
            ({"document": "", "method": "OPTIONS"}, "200 OK", ""),
        ],
    )
    async def test_answers_other_requests(
        self,
        registrar: StubRegistrar,
        phone: VirtualPhone,
        request_: dict[str, str],
        status: str,
        said: str,
    ) -> None:
        before = dict(phone.keys)
        registrar.send(message(phone, **request_))
        answer = await registrar.receive(f"SIP/2.0 {status}")
        assert said in phone.history[-1].text
        assert phone.keys == before
        if "415" in status or request_.get("method") == "OPTIONS":
            assert header(answer, "Accept") == "application/x-buttons"
        if request_.get("method") == "OPTIONS":
            assert "MESSAGE" in header(answer, "Allow")
            # RFC 6665 8.2.2
            assert header(answer, "Allow-Events") == "check-sync"
            assert header(answer, "Supported") == "buttons"

    async def test_check_sync_is_logged_and_the_phone_registers_again(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        registrar.send(message(phone, "k=1\r\nc=on\r\n"))
        await registrar.receive("SIP/2.0 200")
        registrar.send(notify(phone, "check-sync;reboot=false", "z9hG4bKb"))
        await registrar.receive("SIP/2.0 200")
        await registrar.accept_registration()
        assert phone.keys["1"].light == "on"
        registrar.send(notify(phone, "Check-Sync ; reboot=true", "z9hG4bKc"))
        await registrar.receive("SIP/2.0 200")
        await registrar.accept_registration()
        # A phone that has restarted shows nothing until the server sends its keys.
        assert phone.keys["1"].light == "off"
        assert [e.text for e in phone.history if e.kind is Kind.CHECK_SYNC] == [
            "check-sync: fetch settings",
            "check-sync: restart",
        ]

    @pytest.mark.parametrize("event", ["message-summary", ""])
    async def test_other_events_are_refused(
        self, registrar: StubRegistrar, phone: VirtualPhone, event: str
    ) -> None:
        registrar.send(notify(phone, event, "z9hG4bKb"))
        answer = await registrar.receive("SIP/2.0 489 Bad Event")
        assert header(answer, "Allow-Events") == "check-sync"
        assert phone.history[-1].kind is Kind.REFUSED

    async def test_a_registered_phone_accepts_only_its_registrar(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        phone._identity._flow = phone._identity._flow._replace(host="127.0.0.2")
        registrar.send(message(phone, "k=1\r\nc=on\r\n"))
        # The second request is refused before its sender is checked, so the response to it
        # shows that the first request was ignored.
        registrar.send(message(phone, "", method="SUBSCRIBE", branch="z9hG4bKb"))
        await registrar.receive("SIP/2.0 405")
        assert phone.keys["1"].light == "off"

    async def test_without_a_registration_the_user_is_enough(
        self, registrar: StubRegistrar
    ) -> None:
        async with VirtualPhone("1004", register=False) as phone:
            assert phone.status == "without a registration"
            request = message(phone, "k=1\r\nc=on\r\n", target="sip:1004@192.0.2.7")
            registrar.send(request, phone.address)
            await phone.wait_for(lambda p: p.keys["1"].light == "on")


class TestWaiting:
    async def test_a_short_moment_is_not_missed(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        waiting = asyncio.create_task(
            phone.wait_for(lambda p: p.keys["1"].light == "on")
        )
        await asyncio.sleep(0)
        registrar.send(message(phone, "k=1\r\nc=on\r\n"))
        registrar.send(message(phone, "k=1\r\n", branch="z9hG4bKb"))
        await registrar.receive("SIP/2.0 200")
        await registrar.receive("SIP/2.0 200")
        await waiting
        assert phone.keys["1"].light == "off"

    async def test_what_is_so_already_is_not_waited_for(self) -> None:
        await VirtualPhone("44").wait_for(lambda p: not p.registered, 0)

    async def test_what_never_comes_is_a_timeout(self) -> None:
        with pytest.raises(TimeoutError):
            await VirtualPhone("44").wait_for(lambda p: p.registered, 0.01)

    async def test_listeners_can_stop(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        heard = []
        stop = phone.on_change(heard.append)
        await phone.press("1")
        stop()
        await phone.press("2")
        assert [entry.text for entry in heard] == ["press 1: the key has no number"]


class TestPresses:
    @pytest.fixture
    async def show(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> AsyncIterator[None]:
        """Send the phone a document with a key of each kind."""
        registrar.send(
            message(
                phone,
                "k=1\r\nn=*602co1\r\na=seize\r\n\r\n"
                "k=2\r\nc=on\r\nn=*603co2\r\na=release\r\nl=(co2)\r\n\r\n"
                "k=3\r\nn=*6013\r\n\r\n"
                "k=4\r\nl=DND\r\nn=*78\r\na=message\r\n\r\n"
                "k=5\r\nn=1\r\na=dance\r\n",
            )
        )
        await registrar.receive("SIP/2.0 200")
        return

    @pytest.mark.usefixtures("show")
    @pytest.mark.parametrize(
        ("press", "length"),
        [
            ("1: seize *602co1", 65),
            ("2: release *603co2", 67),
            ("4: message *78", 67),
        ],
    )
    async def test_a_press_is_as_the_document_prints_it(
        self,
        registrar: StubRegistrar,
        phone: VirtualPhone,
        press: str,
        length: int,
    ) -> None:
        name, action, number = press.replace(":", "").split()
        pressing = asyncio.create_task(phone.press(name))
        request = await registrar.receive()
        assert masked(request) == (
            "MESSAGE sip:404@127.0.0.1 SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 127.0.0.1:*;branch=*;rport\r\n"
            'From: "404" <sip:404@127.0.0.1>;tag=*\r\n'
            f"To: <sip:{number}@127.0.0.1>;tag=*\r\n"
            "Call-ID: *\r\n"
            "CSeq: 1 MESSAGE\r\n"
            "Max-Forwards: 70\r\n"
            "Proxy-Require: buttons\r\n"
            "Content-Type: application/x-buttons\r\n"
            f"Content-Length: {length}\r\n\r\n"
            f"k={name}\r\n"
            f"a={action}\r\n"
            f"t=<{INSTANCE}>\r\n"
        )
        assert len(body(request)) == length
        registrar.answer(request, "200 OK")
        assert await pressing == 200
        assert [entry.text for entry in phone.history][-2:] == [
            f"press {press}",
            f"press {name}: 200 OK",
        ]

    @pytest.mark.usefixtures("show")
    @pytest.mark.parametrize(
        ("status", "challenge", "answer"),
        [
            ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
            (
                "407 Proxy Authentication Required",
                "Proxy-Authenticate",
                "Proxy-Authorization",
            ),
        ],
    )
    async def test_a_challenged_press_is_sent_once_more(
        self,
        registrar: StubRegistrar,
        phone: VirtualPhone,
        status: str,
        challenge: str,
        answer: str,
    ) -> None:
        press = asyncio.create_task(phone.press("4"))
        first = await registrar.receive("MESSAGE ")
        registrar.answer(first, status, f"{challenge}: {SHA_256}")
        second = await registrar.receive("MESSAGE ")
        assert digest_is_right(second, answer, "404", "secret")
        assert header(second, "CSeq") == "2 MESSAGE"
        assert header(second, "Call-ID") == header(first, "Call-ID")
        assert header(second, "Via") != header(first, "Via")
        assert body(second) == body(first)
        registrar.answer(second, "200 OK")
        assert await press == 200

    @pytest.mark.usefixtures("show", "quick_timers")
    async def test_a_press_without_an_answer_is_sent_again_then_given_up(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        press = asyncio.create_task(phone.press("4"))
        await registrar.receive_again(await registrar.receive("MESSAGE "))
        assert await press == 408

    @pytest.mark.usefixtures("show")
    async def test_keys_that_do_nothing(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        assert await phone.press("6") is None
        assert await phone.press("5") is None
        assert [entry.text for entry in phone.history][-3:] == [
            "press 6: the key has no number",
            "press 5: dance 1",
            "press 5: an action no phone knows",
        ]
        with pytest.raises(KeyError):
            await phone.press("13")
        assert registrar.idle

    async def test_without_a_registrar_a_press_goes_nowhere(self) -> None:
        async with VirtualPhone("1004", register=False) as phone:
            phone.keys["1"] = KeyDescription(name="1", number="5")
            assert await phone.press("1") == 503
            assert phone.history[-1].text.endswith("there is no registrar to send to")

    async def test_a_press_on_a_closed_phone_fails(
        self, registrar: StubRegistrar
    ) -> None:
        phone = make_phone(registrar)
        await phone.open()
        phone.keys["1"] = KeyDescription(name="1", number="5", action="message")
        await phone.close()
        assert await phone.press("1") == 503


class TestCalls:
    async def test_a_call_is_refused_and_acknowledged(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        call = asyncio.create_task(phone.dial("*6013"))
        invite = await registrar.receive()
        assert masked(invite) == (
            "INVITE sip:*6013@127.0.0.1 SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 127.0.0.1:*;branch=*;rport\r\n"
            'From: "404" <sip:404@127.0.0.1>;tag=*\r\n'
            "To: <sip:*6013@127.0.0.1>\r\n"
            "Call-ID: *\r\n"
            "CSeq: 1 INVITE\r\n"
            "Max-Forwards: 70\r\n"
            "Contact: <sip:404@127.0.0.1:*;line=*>\r\n"
            f"User-Agent: snomD735/10.1.198.12 {phone._identity.mac.upper()}\r\n"
            "Allow: INVITE, ACK, CANCEL, OPTIONS, MESSAGE, NOTIFY\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        registrar.answer(invite, "100 Trying")
        registrar.answer(invite, "486 Busy Here")
        ack = await registrar.receive()
        assert ack.decode() == (
            "ACK sip:*6013@127.0.0.1 SIP/2.0\r\n"
            f"Via: {header(invite, 'Via')}\r\n"
            f"From: {header(invite, 'From')}\r\n"
            f"To: {header(invite, 'To')};tag=stub\r\n"
            f"Call-ID: {header(invite, 'Call-ID')}\r\n"
            "CSeq: 1 ACK\r\n"
            "Max-Forwards: 70\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        assert await call == 486
        registrar.answer(invite, "486 Busy Here")
        await registrar.receive_again(ack)
        assert [entry.text for entry in phone.history][-2:] == [
            "dial *6013",
            "dial *6013: 486 Busy Here",
        ]

    async def test_an_invite_key_dials(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        registrar.send(message(phone, "k=3\r\nn=*6013\r\na=invite\r\n"))
        await registrar.receive("SIP/2.0 200")
        press = asyncio.create_task(phone.press("3"))
        invite = await registrar.receive("INVITE sip:*6013@127.0.0.1 ")
        registrar.answer(
            invite, "302 Moved Temporarily", "Contact: <sip:*6013@pbx.example>"
        )
        await registrar.receive("ACK ")
        assert await press == 302
        assert phone.history[-1].text == (
            "press 3: 302 Moved Temporarily to <sip:*6013@pbx.example>"
        )

    async def test_a_challenged_call_is_made_once_more(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        call = asyncio.create_task(phone.dial("100"))
        first = await registrar.receive("INVITE ")
        registrar.answer(first, "401 Unauthorized", f"WWW-Authenticate: {MD5}")
        await registrar.receive("ACK ")
        second = await registrar.receive("INVITE ")
        assert digest_is_right(second, "Authorization", "404", "secret")
        assert header(second, "CSeq") == "2 INVITE"
        registrar.answer(second, "603 Decline")
        ack = await registrar.receive("ACK ")
        assert header(ack, "Authorization") == header(second, "Authorization")
        assert await call == 603

    async def test_a_call_that_is_taken_is_hung_up(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        call = asyncio.create_task(phone.dial("100"))
        invite = await registrar.receive("INVITE ")
        registrar.answer(invite, "200 OK", "Contact: <sip:pbx@127.0.0.1:9>")
        ack = await registrar.receive("ACK sip:pbx@127.0.0.1:9 SIP/2.0\r\n")
        assert header(ack, "CSeq") == "1 ACK"
        assert header(ack, "Via") != header(invite, "Via")
        bye = await registrar.receive("BYE sip:pbx@127.0.0.1:9 SIP/2.0\r\n")
        assert header(bye, "To") == header(invite, "To") + ";tag=stub"
        assert header(bye, "CSeq") == "2 BYE"
        registrar.answer(bye, "200 OK")
        assert await call == 200

    async def test_answers_to_nothing_are_dropped(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        call = asyncio.create_task(phone.dial("100"))
        invite = await registrar.receive("INVITE ")
        registrar.answer(invite.replace(b"branch=z9hG4bK", b"branch=z"), "486 Busy")
        registrar.answer(invite.replace(b"1 INVITE", b"1 BYE"), "486 Busy")
        registrar.answer(invite, "603 Decline")
        await registrar.receive("ACK ")
        assert await call == 603
        assert registrar.idle

    @pytest.mark.usefixtures("quick_timers")
    async def test_a_call_without_an_answer_is_sent_again_then_given_up(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        call = asyncio.create_task(phone.dial("100"))
        await registrar.receive_again(await registrar.receive("INVITE "))
        assert await call == 408

    async def test_a_call_ends_with_the_phone(
        self, registrar: StubRegistrar, phone: VirtualPhone
    ) -> None:
        call = asyncio.create_task(phone.dial("100"))
        invite = await registrar.receive("INVITE ")
        registrar.answer(invite, "180 Ringing")
        phone._identity.registered_until = None
        await phone.close()
        assert await call == 503
