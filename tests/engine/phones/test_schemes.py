"""Other URI schemes than sip, by header and method, from a registered phone."""

from __future__ import annotations

from itertools import count

import pytest

from custom_components.snom_buttons.engine.phones import KeyPress, Phone
from custom_components.snom_buttons.engine.phones.dialling import DialAnswer, Dialling
from tests.support import streams
from tests.support.messages import request_bytes
from tests.support.serving import (
    PASSWORD,
    lit,
    make_phone,
    phone_setup,
    raw_phone,
    serving,
    setup,
)
from tests.support.streams import Contexts

pytestmark = pytest.mark.usefixtures("socket_enabled")

_numbers = count(1)

OTHERS = [
    "<urn:service:sos>",
    "<tel:+4930123456>",
    "<mailto:key1@ha.test>",
    "<http://www.example.com>",
    "isbn:2983792873",
    "<sips:key1@ha.test>",
    "key1@ha.test",
]
ANSWERS = {
    "MESSAGE": [200],
    "INVITE": [486],
    "OPTIONS": [200],
    "BYE": [481],
    "CANCEL": [481],
    "NOTIFY": [481],
    "SUBSCRIBE": [489],
    "REFER": [405],
    "UNKNOWN": [501],
}


def requested(method: str, *lines: str, **changes: str) -> bytes:
    """Return a request of phone 44; a MESSAGE is a press of key 2."""
    number = next(_numbers)
    body = b"k=2\r\na=message\r\n" if method == "MESSAGE" else b""
    return request_bytes(
        method,
        *lines,
        *(["Content-Type: application/x-buttons"] if body else []),
        body=body,
        **{
            "Via": f"SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK{number};rport",
            "From": "<sip:44@ha.test>;tag=1",
            "Call-ID": f"scheme-{number}",
            "CSeq": f"{number} {method}",
            **changes,
        },  # type: ignore[arg-type]
    )


async def statuses(data: bytes) -> tuple[list[int], list[str]]:
    """Return the statuses of the answers, and the keys that were pressed by `data`."""
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        pressed: list[KeyPress] = []
        server.pressed.subscribe(pressed.append)
        await desk.register()
        await desk.shows("4")
        answers = await desk.answers_to(data, PASSWORD)
        return answers, [press.key for press in pressed if press.key != "1"]


@pytest.mark.parametrize("method", ANSWERS)
@pytest.mark.parametrize("to", OTHERS)
async def test_to(to: str, method: str) -> None:
    """It means nothing to a server of its own requests (RFC 3261 8.2.2.1)."""
    answers, _ = await statuses(requested(method, To=to))
    assert answers == ANSWERS[method]


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("<sip:44@ha.test>", 200),
        ("<sips:44@ha.test>", 200),
        ("44@ha.test", 200),
        # An address-of-record is a sip or sips URI (10.2, RFC 4475 3.3.4).
        ("<tel:44>", 400),
        ("<urn:service:sos>", 400),
        ("<mailto:44@ha.test>", 400),
    ],
)
async def test_to_of_a_register(to: str, status: int) -> None:
    answers, _ = await statuses(requested("REGISTER", To=to))
    assert answers == [401, status]


@pytest.mark.parametrize("method", ANSWERS)
@pytest.mark.parametrize("contact", OTHERS)
async def test_contact(contact: str, method: str) -> None:
    """Nothing is sent to that of a request outside of a dialog."""
    answers, _ = await statuses(requested(method, f"Contact: {contact}"))
    assert answers == ANSWERS[method]


@pytest.mark.parametrize(
    ("contact", "status"),
    [
        *((contact, 200) for contact in OTHERS[:5]),
        ("<sip:44@192.0.2.4>", 200),
        ("<sip:44@192.0.2.4:0>", 200),
        ("<sips:44@192.0.2.4>", 400),  # by UDP
        ("44@192.0.2.4", 400),
        ("Kueche, Wand <sip:44@192.0.2.4>", 400),
    ],
)
async def test_contact_of_a_register(contact: str, status: int) -> None:
    data = requested("REGISTER", f"Contact: {contact}", To="<sip:44@ha.test>")
    answers, _ = await statuses(data)
    assert answers == [401, status]


@pytest.mark.parametrize("method", [*ANSWERS, "REGISTER"])
@pytest.mark.parametrize(
    "uri", ["urn:service:sos", "mailto:key1@ha.test", "isbn:2983792873"]
)
async def test_request_uri(uri: str, method: str) -> None:
    """RFC 3261 8.2.2.1."""
    answers, _ = await statuses(requested(method, uri=uri))
    assert answers == [416]


async def test_port_0_in_a_via() -> None:
    """The grammar allows it, and answers go where the request came from."""
    via = "SIP/2.0/UDP 192.0.2.4:0;branch=z9hG4bKzero"
    answers, pressed = await statuses(requested("MESSAGE", Via=via))
    assert (answers, pressed) == ([200], ["2"])


@pytest.mark.parametrize("sender", ["<urn:service:sos>", "<http://www.example.com>"])
async def test_from(sender: str) -> None:
    """No user has such an identity, whatever the flow."""
    answers, _ = await statuses(requested("MESSAGE", From=f"{sender};tag=1"))
    assert answers == [401, 403]


async def test_a_press_counts_whatever_its_to() -> None:
    for to in OTHERS:
        _, pressed = await statuses(requested("MESSAGE", To=to))
        assert pressed == ["2"]


@pytest.mark.parametrize(
    "sender",
    [
        'sip:44@ha.test;x="<sip:45@ha.test>;y=\\"z\\"";tag=1',
        '"<sip:45@ha.test>" <sip:44@ha.test>;tag=1',
        '<sip:44@ha.test>;x="<sip:45@ha.test>";tag=1',
    ],
)
async def test_no_identity_is_read_from_a_quoted_string(sender: str) -> None:
    phones = [Phone(phone_setup(e, [setup("1")])) for e in ("44", "45")]
    async with serving(*phones) as server, raw_phone(server) as desk:
        pressed: list[str] = []
        server.pressed.subscribe(lambda press: pressed.append(press.extension))
        await desk.register()
        assert await desk.answers_to(requested("MESSAGE", From=sender)) == [200]
        await desk.press("1", number="key1")
        assert set(pressed) == {"44"}
        other = sender.replace(":44@", ":x@").replace(":45@", ":44@")
        other = other.replace(":x@", ":45@")
        assert await desk.answers_to(requested("MESSAGE", From=other)) == [401]


async def test_a_contact_without_brackets_is_bound() -> None:
    """With quoted and bracketed parameters of the header."""
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        contact = f'sip:44@{desk.address};reg-id=1;+sip.instance="<urn:uuid:1>"'
        data = requested("REGISTER", f"Contact: {contact}", To="<sip:44@ha.test>")
        await desk.register()
        assert await desk.answers_to(data, PASSWORD) == [401, 200]
        assert f"Contact: {contact};expires=3600" in desk.strays[0].decode()
        await desk.until(lambda: bool(desk.requests))
        assert desk.requests[-1].start.startswith("MESSAGE sip:44@127.0.0.1:")


async def test_sips_from_end_to_end(contexts: Contexts) -> None:
    """All URIs of a phone are sips (RFC 3261 26.2.2), so it needs TLS."""
    pbx = Dialling(answer=DialAnswer.REDIRECT, redirect_to="sips:{number}@pbx.test")
    phone = Phone(phone_setup("44", [setup("1")], dialling=pbx))
    pressed: list[str] = []
    async with (
        streams.serving(contexts, phone, keepalive=0.1) as server,
        streams.raw_phone(server, contexts) as desk,
    ):
        server.pressed.subscribe(lambda press: pressed.append(press.key))
        desk.scheme = "sips"
        registered = await desk.register()
        if desk.transport == "TCP":
            assert registered.status == 400
            return
        own = f"sips:44@{desk.address};transport=tls;line={desk._line}"
        assert registered.get("Contact").startswith(f"<{own}>;")
        await desk.shows("1", l="Key 1")
        (first,) = desk.requests
        assert first.start == f"MESSAGE {own} SIP/2.0"
        for name in ("From", "To", "Contact"):
            assert first.get(name).startswith("<sips:")
        assert first.get("Via").startswith("SIP/2.0/TLS ")
        await desk.until(lambda: bool(desk.questions))
        assert desk.questions[0].start == f"OPTIONS {own} SIP/2.0"
        await phone.check_sync(reboot=False, within=10.0)
        (notice,) = desk.notices
        assert notice.start == f"NOTIFY {own} SIP/2.0"
        for name in ("From", "To", "Contact"):
            assert notice.get(name).startswith("<sips:")
        phone.keys["1"].show(lit("1"))
        await desk.shows("1", c="on")
        assert (await desk.press("1")).status == 200
        assert pressed == ["1"]
        redirected = await desk.invite("0815")
        assert redirected.status == 302
        assert redirected.get("Contact") == "<sips:0815@pbx.test>"
        assert (await desk.unregister()).all("Contact") == []
        assert not phone.available
