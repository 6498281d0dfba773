"""The answer to a phone that dials: 486, 302 or 603."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import re

from hypothesis import given, strategies as st
import pytest

from custom_components.snom_buttons.engine.phones import (
    DialAnswer,
    Dialling,
    KeySetup,
    Phone,
    redirection,
)
from custom_components.snom_buttons.engine.sip import parse_address, parse_uri
from custom_components.snom_buttons.engine.xbuttons import Action
from tests.support.caller import Caller
from tests.support.rawphone import RawMessage
from tests.support.serving import base, jumping, phone_setup, raw_phone, serving

pytestmark = pytest.mark.usefixtures("socket_enabled")

PBX = Dialling(
    answer=DialAnswer.REDIRECT,
    redirect_to="sip:{number}@192.0.2.7",
    own=frozenset({"500"}),
)


@pytest.mark.parametrize(
    ("dialling", "number", "status", "contact"),
    [
        (Dialling(), "100", 486, None),
        (Dialling(answer=DialAnswer.DECLINE), "100", 603, None),
        (PBX, "100", 302, "<sip:100@192.0.2.7>"),
        (PBX, "*78", 302, "<sip:*78@192.0.2.7>"),
        (PBX, "500", 486, None),
        # The server's own number of a key means nothing elsewhere.
        (PBX, "key1", 486, None),
        # A key whose number was set makes calls.
        (PBX, "*6013", 302, "<sip:*6013@192.0.2.7>"),
        # What could end the URI or the header stays escaped.
        (PBX, "a%40b%3e", 302, "<sip:a%40b%3E@192.0.2.7>"),
        (PBX, "%3c%22,%20%7b", 302, "<sip:%3C%22,%20%7B@192.0.2.7>"),
        (PBX, "1;x=y", 302, "<sip:1;x=y@192.0.2.7>"),
        (PBX, "gr%C3%BCn", 302, "<sip:gr%C3%BCn@192.0.2.7>"),
        (PBX, "%25", 302, "<sip:%25@192.0.2.7>"),
        (PBX, "%7bnumber%7d", 302, "<sip:%7Bnumber%7D@192.0.2.7>"),
        # A password is not part of the number.
        (PBX, "100:secret", 302, "<sip:100@192.0.2.7>"),
        (PBX, 64 * "1", 302, f"<sip:{64 * '1'}@192.0.2.7>"),
        # If a part would have to be left out, neither that part nor the rest is a number.
        (PBX, 65 * "1", 486, None),
        (PBX, "1%0d%0aX:%20y", 486, None),
        (PBX, "1%00", 486, None),
        (PBX, "%e2%80%a8", 486, None),
        (Dialling(answer=DialAnswer.DECLINE), 65 * "1", 603, None),
        (Dialling(answer=DialAnswer.DECLINE), "1%0d%0a", 603, None),
    ],
)
async def test_answers(
    dialling: Dialling, number: str, status: int, contact: str | None
) -> None:
    keys = [KeySetup(off=base("1")), KeySetup(off=base("2"))]
    phone = Phone(phone_setup("44", keys, dialling=dialling))
    phone.keys["2"].show(base("2", number="*6013", action=Action.INVITE))
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        answer = await desk.invite(number)
        assert answer.status == status
        contacts = answer.all("Contact")
        assert contacts == ([] if contact is None else [contact])
        assert answer.all("X") == []


async def test_dialling_can_be_set_anew() -> None:
    phone = Phone(phone_setup("44", []))
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        assert (await desk.invite("100")).status == 486
        server.configure_phone(phone_setup("44", [], dialling=PBX))
        assert (await desk.invite("100")).status == 302
        server.configure_phone(phone_setup("44", []))
        assert (await desk.invite("100")).status == 486


async def test_a_dialled_number_is_emitted_even_if_a_key_has_it() -> None:
    rules = Dialling(own=frozenset({"key1"}))
    phone = Phone(phone_setup("44", [KeySetup(off=base("1"))], dialling=rules))
    async with serving(phone) as server, raw_phone(server) as desk:
        emitted: list[str] = []
        server.dialled.subscribe(lambda dialled: emitted.append(dialled.number))
        server.pressed.subscribe(lambda press: emitted.append(f"press {press.key}"))
        await desk.register()
        await desk.invite("key1")
        assert sorted(emitted) == ["key1", "press 1"]


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("sip:{number}@192.0.2.7", "sip:*78@192.0.2.7"),
        ("sips:0{number}@pbx.example:5061", "sips:0*78@pbx.example:5061"),
        ("sip:{number}@[2001:db8::1];transport=tcp", None),
        ("sip:{number}@pbx;transport=tcp", "sip:*78@pbx;transport=tcp"),
    ],
)
def test_templates(template: str, uri: str | None) -> None:
    expected = uri or template.replace("{number}", "*78")
    assert str(redirection(template, "*78")) == expected


@pytest.mark.parametrize(
    "template",
    [
        "",
        "sip:100@192.0.2.7",
        "sip:{number}",
        "{number}@192.0.2.7",
        "tel:{number}",
        "mailto:{number}@192.0.2.7",
        "sip:100@{number}",
        "sip:{number}@{number}",
        "sip:{number}@a@b",
        "sip:{number}@",
        "sip:{number}@192.0.2.7>;x=<",
        "sip:{number}@192.0.2.7\r\nX: y",
        "sip:{other}{number}@192.0.2.7",
        "sip:{number}@192.0.2.7:port",
        "sip:{number}@192.0.2.7:0",
    ],
)
def test_what_is_no_template(template: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        redirection(template, "0")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64))
def test_a_redirection_holds_the_number_and_nothing_else(number: str) -> None:
    uri = str(redirection("sip:0{number}@192.0.2.7;transport=tcp", number))
    assert re.fullmatch(r"sip:0[^@<>\"\s\x00-\x1f]+@192\.0\.2\.7;transport=tcp", uri)
    assert uri.isascii()
    for read in (parse_uri(uri), parse_address(f"<{uri}>").uri):
        assert (read.user, read.host) == (f"0{number}", "192.0.2.7")
        assert read.parameters == "transport=tcp"


def test_a_number_that_is_not_there_is_not_redirected() -> None:
    assert PBX.answer_to(None) == PBX.answer_to(parse_uri("sip:ha")) == (486, ())


async def test_a_call_to_the_server_itself_has_no_number() -> None:
    phone = Phone(
        phone_setup("44", [KeySetup(off=base("1", number=None))], dialling=PBX)
    )
    async with serving(phone) as server, raw_phone(server) as desk:
        emitted: list[str] = []
        server.dialled.subscribe(lambda dialled: emitted.append(dialled.number))
        server.pressed.subscribe(lambda press: emitted.append(f"press {press.key}"))
        await desk.register()
        answer = await desk._authorized("INVITE", "sip:ha", to="x", headers=[])
        assert answer.status == 486
        assert emitted == [""]


# The transaction (RFC 3261 17.2.1)


@asynccontextmanager
async def calling(dialling: Dialling) -> AsyncIterator[tuple[Caller, list[str]]]:
    """Let a registered phone call 100; yield the caller and the dialled numbers."""
    phone = Phone(phone_setup("44", [], dialling=dialling))
    async with serving(phone) as server, raw_phone(server) as desk:
        dialled: list[str] = []
        server.dialled.subscribe(lambda event: dialled.append(event.number))
        await desk.register()
        caller = Caller(desk, "100")
        caller.send("INVITE")
        yield caller, dialled


@pytest.mark.parametrize(
    ("dialling", "status"),
    [
        (Dialling(), "486 Busy Here"),
        (PBX, "302 Moved Temporarily"),
        (Dialling(answer=DialAnswer.DECLINE), "603 Decline"),
    ],
    ids=["busy", "redirect", "decline"],
)
def test_an_answer_is_repeated_until_it_is_acknowledged(
    dialling: Dialling, status: str
) -> None:
    async def test() -> None:
        async with calling(dialling) as (caller, dialled):
            await asyncio.sleep(2)
            # Timer G: T1, doubled each time.
            assert caller.times == pytest.approx([0, 0.5, 1.5], abs=0.05)
            answer = caller.answer
            assert answer.start == f"SIP/2.0 {status}"
            assert answer.get("From") == '"Desk" <sip:44@ha>;tag=from-tag'
            assert answer.get("Call-ID") == "one@desk"
            assert answer.get("CSeq") == "7 INVITE"
            assert answer.get("Via").startswith(f"SIP/2.0/UDP {caller.address};branch=")
            to, _, tag = answer.get("To").partition(";tag=")
            assert to == "<sip:100@ha>"
            assert tag
            redirected = dialling.answer is DialAnswer.REDIRECT
            assert len(answer.all("Contact")) == redirected
            # A retransmission gets the same bytes at once, and is not a new call.
            caller.send("INVITE")
            await asyncio.sleep(0.1)
            assert len(caller.answers) == 4
            assert caller.answer == answer
            # The ACK ends it and gets no answer; neither does what follows.
            caller.send("ACK", f";tag={tag}")
            await asyncio.sleep(0.1)
            caller.send("INVITE")
            await asyncio.sleep(60)
            assert len(caller.answers) == 4
            assert dialled == ["100"]

    jumping(test)


def test_an_answer_without_an_acknowledgement_is_given_up() -> None:
    async def test() -> None:
        async with calling(PBX) as (caller, dialled):
            # The caller may send it as long as the server waits, and it may arrive late.
            await asyncio.sleep(36)
            caller.send("INVITE")
            await asyncio.sleep(120)
            assert dialled == ["100"]
            # Timer G up to T2, until timer H fires.
            times = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
            assert caller.times == pytest.approx(times, abs=0.1)
            assert caller.answer.get("Contact") == "<sip:100@192.0.2.7>"

    jumping(test)


def test_a_call_that_is_cancelled_had_its_answer_already() -> None:
    async def test() -> None:
        async with calling(PBX) as (caller, _):
            await asyncio.sleep(0.1)
            caller.send("CANCEL")
            await asyncio.sleep(0.1)
            starts = [RawMessage.parse(data).start for _, data in caller.answers]
            assert starts == ["SIP/2.0 302 Moved Temporarily", "SIP/2.0 200 OK"]

    jumping(test)


async def test_no_call_is_sent_to_where_it_comes_from() -> None:
    """RFC 3261 8.3: "redirect servers MUST NOT redirect a request to a URI equal"."""
    here = Dialling(answer=DialAnswer.REDIRECT, redirect_to="sip:{number}@127.0.0.1")
    async with (
        serving(Phone(phone_setup("44", [], dialling=here))) as server,
        raw_phone(server) as desk,
    ):
        await desk.register()
        assert (await desk.invite("100")).status == 486


@pytest.mark.parametrize(
    "template",
    [
        "sip:trunk:{number}@pbx",
        "sip:%{number}@pbx",
        "sip:%4{number}@pbx",
        "sip:é{number}@pbx",
        "sip:[{number}]@pbx",
        "sip:#{number}@pbx",
        "sip:{number}{number}@pbx",
    ],
)
def test_a_number_stands_in_a_user_and_nowhere_else(template: str) -> None:
    with pytest.raises(ValueError, match="is not like"):
        redirection(template, "0")
