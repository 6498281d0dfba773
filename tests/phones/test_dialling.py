"""What a phone hears that dials: 486, 302 or 603."""

from __future__ import annotations

import pytest

from custom_components.snom_buttons.phones import (
    Action,
    DialAnswer,
    Dialling,
    KeySetup,
    Phone,
    redirection,
)

from .test_server import PASSWORD, base, device, serving

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
        # A key that was told to call, calls.
        (PBX, "*6013", 302, "<sip:*6013@192.0.2.7>"),
        # What could end the header stays escaped.
        (PBX, "1%0d%0aX:%20y", 302, "<sip:1X@192.0.2.7>"),
        (PBX, "a%40b%3e", 302, "<sip:a%40b%3E@192.0.2.7>"),
        (PBX, "gr%C3%BCn", 302, "<sip:gr%C3%BCn@192.0.2.7>"),
        (PBX, "%25", 302, "<sip:%25@192.0.2.7>"),
    ],
)
async def test_answers(
    dialling: Dialling, number: str, status: int, contact: str | None
) -> None:
    keys = [KeySetup(off=base("1")), KeySetup(off=base("2"))]
    phone = Phone("44", PASSWORD, keys, dialling)
    phone.keys["2"].show(base("2", number="*6013", action=Action.INVITE))
    async with serving(phone) as server, device(server) as desk:
        await desk.register()
        answer = await desk.invite(number)
        assert answer.status == status
        told = answer.all("Contact")
        assert told == ([] if contact is None else [contact])
        assert answer.all("X") == []


async def test_dialling_can_be_set_anew() -> None:
    phone = Phone("44", PASSWORD, [])
    async with serving(phone) as server, device(server) as desk:
        await desk.register()
        assert (await desk.invite("100")).status == 486
        server.configure_phone("44", password=PASSWORD, keys=[], dialling=PBX)
        assert (await desk.invite("100")).status == 302
        server.configure_phone("44", password=PASSWORD, keys=[])
        assert (await desk.invite("100")).status == 486


async def test_a_number_that_means_something_is_told_also_if_a_key_has_it() -> None:
    rules = Dialling(own=frozenset({"key1"}))
    phone = Phone("44", PASSWORD, [KeySetup(off=base("1"))], rules)
    async with serving(phone) as server, device(server) as desk:
        told: list[str] = []
        server.dialled.subscribe(lambda dialled: told.append(dialled.number))
        server.pressed.subscribe(lambda press: told.append(f"press {press.key}"))
        await desk.register()
        await desk.invite("key1")
        assert sorted(told) == ["key1", "press 1"]


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
    assert redirection(template, "*78") == expected


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
    ],
)
def test_what_is_no_template(template: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        redirection(template, "0")
