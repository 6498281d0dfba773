"""The phones of all makers with keys of type BLF, on sockets."""

import asyncio
from collections.abc import Callable
import re
from typing import Any

import pytest

from custom_components.snom_buttons.engine.dialoginfo import DialogState
from custom_components.snom_buttons.engine.sip import (
    OutgoingRequest,
    make_address,
    make_uri,
)
from snom_buttons.keywords import Pattern
from tests.support.clock import run
from tests.support.notifying import PASSWORDS, Notifying, notifying
from tests.support.stub_registrar import StubRegistrar, header
from virtual_phone import VirtualPhone
from virtual_phone.maker import MAKERS

EARLY, CONFIRMED = DialogState.EARLY, DialogState.CONFIRMED
TRYING, TERMINATED = DialogState.TRYING, DialogState.TERMINATED


def phone_of(server: Notifying, maker: str, **options: Any) -> VirtualPhone:
    host, port = server.address
    return VirtualPhone(
        "44",
        PASSWORDS["44"],
        registrar=f"{host}:{port}",
        maker=MAKERS[maker],
        blf=True,
        **{"keys": 3} | options,
    )


async def ready(phone: VirtualPhone) -> None:
    await phone.wait_for(lambda p: p.subscribed == set(p.keys))


SUBSCRIBES = {
    "snom": """\
SUBSCRIBE sip:1@127.0.0.1;user=phone SIP/2.0
From: "44" <sip:44@127.0.0.1>;tag=*
To: <sip:1@127.0.0.1;user=phone>
CSeq: 1 SUBSCRIBE
Contact: <sip:44@127.0.0.1:*;line=*>
User-Agent: snomD735/10.1.198.12 0004133D914F
Accept: application/dialog-info+xml
Event: dialog
Expires: 3600
""",
    "yealink": """\
SUBSCRIBE sip:1@127.0.0.1:* SIP/2.0
From: "44" <sip:44@127.0.0.1:*>;tag=*
To: <sip:1@127.0.0.1:*>
CSeq: 1 SUBSCRIBE
Contact: <sip:44@127.0.0.1:*>
User-Agent: Yealink SIP-T46S 66.86.0.15
Accept: application/dialog-info+xml
Event: dialog
Expires: 1800
""",
    "grandstream": """\
SUBSCRIBE sip:1@127.0.0.1 SIP/2.0
From: "44" <sip:44@127.0.0.1>;tag=*
To: <sip:1@127.0.0.1>
CSeq: 20000 SUBSCRIBE
Contact: <sip:44@127.0.0.1:*>
User-Agent: Grandstream GRP2612W 1.0.5.67
Supported: replaces, path
Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE
Accept: application/dialog-info+xml
Event: dialog
Expires: 3600
""",
    "fanvil": """\
SUBSCRIBE sip:1@127.0.0.1 SIP/2.0
From: "44" <sip:44@127.0.0.1>;tag=*
To: <sip:1@127.0.0.1>
CSeq: 1 SUBSCRIBE
Contact: <sip:44@127.0.0.1:*>
User-Agent: Fanvil X4U 2.12.7.6 0C383E3D914F
Accept: application/dialog-info+xml
Event: dialog
Expires: 3600
""",
    "poly": """\
SUBSCRIBE sip:1@127.0.0.1 SIP/2.0
From: "44" <sip:44@127.0.0.1>;tag=*
To: <sip:1@127.0.0.1>
CSeq: 1 SUBSCRIBE
Contact: <sip:44@127.0.0.1:*>
User-Agent: PolycomVVX-VVX_450-UA/6.4.3.5018
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, MESSAGE, SUBSCRIBE, NOTIFY, PRACK, UPDATE, REFER
Accept-Language: en
Supported: eventlist
Accept: application/dialog-info+xml,application/rlmi+xml,multipart/related
Event: dialog
Expires: 3600
""",
    "cisco": """\
SUBSCRIBE sip:1@127.0.0.1:* SIP/2.0
From: "44" <sip:44@127.0.0.1:*>;tag=*
To: <sip:1@127.0.0.1:*>
CSeq: 1 SUBSCRIBE
Contact: <sip:44@127.0.0.1:*>
User-Agent: Cisco/SPA504G-7.6.2c
Accept: application/dialog-info+xml
Event: dialog
Expires: 1800
""",
    "gigaset": """\
SUBSCRIBE sip:1@127.0.0.1 SIP/2.0
From: "44" <sip:44@127.0.0.1>;tag=*
To: <sip:1@127.0.0.1>
CSeq: 1 SUBSCRIBE
Contact: <sip:44@127.0.0.1:*>
User-Agent: Gigaset Maxwell 3/2.23.0;7C2F803D914F
Accept: application/dialog-info+xml
Event: dialog
Expires: 3600
""",
}


def masked(data: bytes) -> str:
    """Return a SUBSCRIBE without what is in each request, and with addresses masked."""
    text = re.sub(r"(tag|line)=[^;>\r]+", r"\1=*", data.decode())
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:*", text)
    lines = text.rstrip("\r\n").split("\r\n")
    dropped = ("Via:", "Call-ID:", "Max-Forwards:", "Content-Length:")
    return "".join(f"{line}\n" for line in lines if not line.startswith(dropped))


@pytest.mark.parametrize("maker", MAKERS)
async def test_the_subscribe_of_each_maker(
    registrar: StubRegistrar, maker: str
) -> None:
    phone = VirtualPhone(
        "44",
        "secret",
        registrar=registrar.address,
        keys=1,
        maker=MAKERS[maker],
        blf=True,
        mac=f"{MAKERS[maker].oui}3D914F",
    )
    async with phone:
        await registrar.accept_registration()
        subscribe = await registrar.receive("SUBSCRIBE ")
        assert masked(subscribe) == SUBSCRIBES[maker]
        registrar.answer(subscribe, "404 Not Found")
        await phone.wait_for(
            lambda p: p.history[-1].text == "1: not subscribed: 404 Not Found"
        )
        phone._identity.registered_until = None


IDLE_GREEN = {"yealink", "grandstream", "fanvil", "cisco"}


@pytest.mark.parametrize("maker", MAKERS)
async def test_the_lamps_of_each_maker(maker: str) -> None:
    async with notifying() as server, phone_of(server, maker) as phone:
        await ready(phone)

        async def shows(
            state: DialogState, light: str, color: str | None, pattern: Pattern
        ) -> None:
            server.show("2", state)
            await phone.wait_for(
                lambda p: (
                    (p.keys["2"].light, p.keys["2"].color, p.pattern("2"))
                    == (light, color, pattern)
                )
            )

        idle = "green" if maker in IDLE_GREEN else None
        at_rest = Pattern.STEADY if idle else Pattern.DARK
        dials = Pattern.FAST if maker == "yealink" else Pattern.STEADY
        await shows(EARLY, "pickup", "red", Pattern.FAST)
        await shows(TRYING, "on", "red", dials)
        await shows(CONFIRMED, "on", "red", Pattern.STEADY)
        await shows(TERMINATED, "off", idle, at_rest)
        assert phone.pattern("1") is at_rest
        assert phone.pattern("7") is Pattern.DARK
        # In the end nothing is known, and all lamps are dark.
        await phone.close()
        assert server.subscriptions() == ()
        assert [phone.pattern(name) for name in phone.keys] == 3 * [Pattern.DARK]
        assert "refused" not in [entry.kind for entry in phone.history]


def pressed(phone: VirtualPhone) -> list[str]:
    return [e.text for e in phone.history if e.kind == "press"]


@pytest.mark.parametrize(
    ("maker", "pickup", "dialled"),
    [
        ("yealink", None, "2"),
        ("grandstream", None, "**2"),
        ("snom", "*8", "*82"),
        ("grandstream", "", "2"),
    ],
)
async def test_a_press_calls_the_number(
    maker: str, pickup: str | None, dialled: str
) -> None:
    async with (
        notifying() as server,
        phone_of(server, maker, pickup=pickup) as phone,
    ):
        await ready(phone)
        assert await phone.press("2") == 200
        server.show("2", EARLY)
        await phone.wait_for(lambda p: p.keys["2"].light == "pickup")
        assert await phone.press("2") == 200
        assert pressed(phone) == ["press 2: invite 2", f"press 2: invite {dialled}"]
        assert server.handled.count("INVITE") == 2


@pytest.mark.parametrize(
    ("maker", "status"), [("yealink", 415), ("cisco", 405), ("snom", 200)]
)
async def test_only_a_snom_takes_documents(maker: str, status: int) -> None:
    async with notifying() as server, phone_of(server, maker) as phone:
        await ready(phone)
        (binding,) = server.location.bindings("44")
        document = OutgoingRequest(
            method="MESSAGE",
            uri=binding.contact.uri,
            from_=make_address(make_uri("44", "ha"), tag="1"),
            to=make_address(make_uri("44", "ha")),
            call_id="document",
            cseq=1,
            headers=(("Content-Type", "application/x-buttons"),),
            body=b"k=1\r\nc=hold\r\n",
        )
        assert (await server.endpoint.request(document, binding.flow)).status == status
        # A key that is subscribed shows what the subscription says.
        assert phone.keys["1"].light == "off"


async def test_who_calls_is_beside_the_lamp(registrar: StubRegistrar) -> None:
    async with VirtualPhone(
        "44",
        "secret",
        registrar=registrar.address,
        keys=1,
        maker=MAKERS["yealink"],
    ) as phone:
        await registrar.accept_registration()
        subscribe = await registrar.receive("SUBSCRIBE ")
        contact = header(subscribe, "Contact").strip("<>")
        registrar.answer(
            subscribe, "200 OK", "Expires: 1800", "Contact: <sip:1@127.0.0.1>"
        )
        body = (
            '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0"'
            ' state="full" entity="sip:1@pbx"><dialog id="1" direction="recipient">'
            '<state>early</state><remote><identity display="Ann">sip:100@pbx</identity></remote></dialog>'
            "</dialog-info>"
        )
        to = f"{header(subscribe, 'From')}\r\nFrom: {header(subscribe, 'To')};tag=stub"
        registrar.send(
            f"NOTIFY {contact} SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1;rport\r\n"
            f"To: {to}\r\nCall-ID: {header(subscribe, 'Call-ID')}\r\n"
            f"CSeq: 1 NOTIFY\r\nContact: <sip:127.0.0.1>\r\nEvent: dialog\r\n"
            f"Subscription-State: active;expires=1800\r\n"
            f"Content-Type: application/dialog-info+xml\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        await registrar.receive("SIP/2.0 200 ")
        key = phone.keys["1"]
        assert (key.light, key.caller, key.display_name) == ("pickup", "100", "Ann")
        assert phone.history[-1].text == (
            "key 1: ringing, red · Ann · ← 100 · press calls 1"
        )
        # It knows of no other dialog.
        registrar.send(
            f"NOTIFY {contact} SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK2;rport\r\n"
            f"To: {to}\r\nCall-ID: other\r\nCSeq: 2 NOTIFY\r\nEvent: dialog\r\n"
            f"Subscription-State: active\r\nContent-Length: 0\r\n\r\n".encode()
        )
        await registrar.receive("SIP/2.0 481 ")
        assert phone.history[-1].text == "a NOTIFY of no subscription"
        phone._subscriber.forget()
        phone._identity.registered_until = None


def test_a_day() -> None:
    """Refreshes, a server that ends subscriptions, one that restarts, and a restart."""

    async def day() -> None:
        async with notifying() as server, phone_of(server, "yealink") as phone:
            port = server.address[1]
            await ready(phone)
            first = {s.key.call_id for s in server.subscriptions()}
            await asyncio.sleep(6 * 3600)
            assert {s.key.call_id for s in server.subscriptions()} == first
            await calls_anew(server, phone, first, lambda: end_all(server))
            second = {s.key.call_id for s in server.subscriptions()}
            await server.stop()
            await asyncio.sleep(60)
            async with notifying(port) as again:
                await asyncio.sleep(2 * 3600)
                third = {s.key.call_id for s in again.subscriptions()}
                assert len(third) == 3
                assert third.isdisjoint(second)
                again.show("2", CONFIRMED)
                await phone.wait_for(lambda p: p.keys["2"].light == "on")
                # A phone that lost its power has lost its subscriptions.
                phone._restart()
                assert phone.keys["2"].light == "off"
                await asyncio.sleep(60)
                assert phone.keys["2"].light == "on"
                await phone.close()

    async def calls_anew(
        server: Notifying,
        phone: VirtualPhone,
        before: set[str],
        cause: Callable[[], None],
    ) -> None:
        cause()
        await asyncio.sleep(10)
        after = {s.key.call_id for s in server.subscriptions()}
        assert len(after) == 3
        assert after.isdisjoint(before)
        assert phone.subscribed == set(phone.keys)

    def end_all(server: Notifying) -> None:
        for subscription in server.subscriptions():
            server.notifier.end(subscription, "deactivated")

    run(day(), patience=0.02)


@pytest.mark.parametrize(
    ("reason", "returns"),
    [("deactivated", True), ("giveup", True), ("noresource", False)],
)
def test_after_an_end_by_the_server(reason: str, returns: bool) -> None:
    async def test() -> None:
        async with notifying() as server, phone_of(server, "poly", keys=1) as phone:
            await ready(phone)
            server.notifier.end(server.subscriptions()[0], reason)
            await asyncio.sleep(120)
            assert bool(server.subscriptions()) is returns
            assert (phone.subscribed == {"1"}) is returns
            said = f"1: ended by the server: {reason}"
            assert said in [entry.text for entry in phone.history]

    run(test(), patience=0.02)
