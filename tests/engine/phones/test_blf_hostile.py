"""Hostile subscriptions at the whole server: strangers, and phones that name an address of others."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import product
import json

import pytest

from custom_components.snom_buttons.engine.phones import Phone, PhoneServer, Speakers
from tests.support.rawphone import TIMER_F
from tests.support.serving import (
    jumping,
    lit,
    make_phone,
    phone_setup,
    raw_phone,
    serving,
    setup,
)
from tests.support.stranger import METHODS, Stranger, request, status
from tests.support.udp import LOCALHOST, Ear

pytestmark = pytest.mark.usefixtures("socket_enabled")

STRANGERS = 20


def blf_phone() -> Phone:
    return Phone(phone_setup(keys=[setup("1"), setup("2")], speakers=Speakers.BLF))


def state_of(server: PhoneServer) -> tuple[object, ...]:
    """Return all that a subscription leaves behind, once its transactions have ended."""
    return (
        server._endpoint._transactions.running,
        server._notifier._count,
        server._notifier._subscriptions,
        server._notifier._subscribed,
        server.snapshot(),
    )


@pytest.mark.parametrize("tag", ["", ";tag=guessed"])
def test_subscriptions_of_strangers_leave_nothing(tag: str) -> None:
    async def test() -> None:
        async with serving(make_phone(), make_phone("45")) as server, Ear() as ear:
            before = json.dumps(state_of(server), default=repr)
            to = b"\r\nTo: <sip:44@ha.test>"
            for number in range(1, STRANGERS + 1):
                with Stranger(server.address, f"127.66.1.{number}") as stranger:
                    answers = await stranger.say(
                        *(
                            request(
                                "SUBSCRIBE",
                                f"Event: {package}",
                                "Expires: 3600",
                                f"Contact: <sip:44@{ear.address}>",
                                f"Record-Route: <sip:{ear.address};lr>",
                                uri=f"sip:{resource}@ha.test",
                            ).replace(to, to + tag.encode())
                            for package in ("dialog", "message-summary")
                            for resource in ("1", "44", "99")
                        )
                    )
                assert {status(answer) for answer in answers} == {401}
            await asyncio.sleep(TIMER_F)
            assert json.dumps(state_of(server), default=repr) == before
            assert ear.heard == []

    jumping(test)


def test_a_lamp_goes_to_no_address_that_a_header_names() -> None:
    """Neither at once, nor after a change, a restart, a refresh or the end."""

    async def test() -> None:
        phone, again = blf_phone(), blf_phone()
        async with serving(phone) as server, raw_phone(server) as desk, Ear() as ear:
            named = (
                f"Record-Route: <sip:{ear.address};lr>",
                f"Route: <sip:{ear.address};lr>",
                f"Reply-To: <sip:44@{ear.address}>",
            )
            contact = f"sip:44@{ear.address};maddr={LOCALHOST}"
            desk.more = [f"Record-Route: <sip:{ear.address};lr>"]
            assert (await desk.register()).status == 200
            answers = {}
            for key in "12":
                answers[key] = await desk.subscribe(key, *named, contact=contact)
                assert answers[key].status == 200
            await desk.until(lambda: len(desk.notices) == 2)
            phone.keys["1"].show(lit("1"))
            await desk.until(lambda: len(desk.notices) == 3)
            stored = {"snapshot": server.snapshot(), "port": server.address[1]}
            await server.stop()
            async with serving(again, **stored) as restarted:
                await desk.until(lambda: len(desk.notices) == 5)
                for key, expires in (("1", 3600), ("2", 0)):
                    answer = await desk.subscribe(
                        key,
                        *named,
                        within=answers[key],
                        contact=contact,
                        expires=expires,
                    )
                    assert answer.status == 200
                await desk.until(lambda: len(desk.notices) == 7)
                # The phone leaves, and the other subscription ends with it.
                assert (await desk.unregister()).status == 200
                await asyncio.sleep(TIMER_F)
                assert restarted._notifier.subscriptions("44") == ()
                ended = [
                    notice.get("From")
                    for notice in desk.notices
                    if "terminated" in notice.get("Subscription-State")
                ]
                assert len(set(ended)) == 2
            assert ear.heard == []

    jumping(test)


def test_a_lamp_goes_to_no_address_that_a_source_is_forged_to_be() -> None:
    """A phone that does not register has proved nothing, and may send from any port.

    What a SUBSCRIBE from there makes due goes to the port that is set up, and each NOTIFY
    is repeated there until it is answered.
    """

    async def test() -> None:
        async with Ear() as desk, Ear() as forged:
            host, port = desk.address.split(":")
            setup_of = partial(
                phone_setup, keys=[setup("1")], address=(host, int(port)), password=""
            )
            phone, again = Phone(setup_of()), Phone(setup_of())
            async with serving(phone) as server:
                for expires in (0, 3600):
                    forged.say(
                        request(
                            "SUBSCRIBE",
                            "Event: dialog",
                            f"Expires: {expires}",
                            f"Contact: <sip:44@{forged.address}>",
                            uri="sip:1@ha.test",
                            to="1",
                        ),
                        server.address,
                    )
                await asyncio.sleep(TIMER_F)
                phone.keys["1"].show(lit("1"))
                await asyncio.sleep(TIMER_F)
                assert [status(answer) for answer in forged.heard] == [200, 200]
                assert any(said.startswith(b"NOTIFY ") for said in desk.heard)
                stored = {"snapshot": server.snapshot(), "port": server.address[1]}
                await server.stop()
                async with serving(again, **stored):
                    await asyncio.sleep(TIMER_F)
                assert len(forged.heard) == 2

    jumping(test)


def short(method: str, resource: str, call: str) -> bytes:
    """Return about the shortest request that is not refused as malformed."""
    return (
        f"{method} sip:{resource}@h SIP/2.0\r\nv:SIP/2.0/UDP h;branch=z9hG4bK{call}\r\n"
        f"f:sip:44@h;tag=1\r\nt:sip:h\r\ni:{call}\r\nCSeq:1 {method}\r\n\r\n"
    ).encode()


def by_address(port: int) -> Phone:
    """Return a phone that does not register, at a port of this host."""
    return Phone(phone_setup(keys=[setup("1")], address=(LOCALHOST, port), password=""))


def test_an_address_that_a_source_is_forged_to_be_gets_an_answer_once() -> None:
    """Nothing is sent to it by a timer, also from the very port that is set up.

    The sender has proved nothing. A caller without an answer repeats its INVITE, since no
    1xx stops it, and each copy is answered.
    """

    async def test() -> None:
        async with Ear() as desk, Ear() as forged:
            phone = by_address(int(desk.address.rpartition(":")[2]))
            async with serving(phone) as server:
                for ear in (desk, forged):
                    call = short("INVITE", "1", f"c{ear.address[-3:]}")
                    ear.say(call, server.address)
                    await asyncio.sleep(TIMER_F / 2)
                    answers = [it for it in ear.heard if it.startswith(b"SIP/2.0 ")]
                    assert [status(it) for it in answers] == [486]
                    ear.say(call, server.address)
                    await asyncio.sleep(TIMER_F)
                    again = [it for it in ear.heard if it.startswith(b"SIP/2.0 ")]
                    assert again == 2 * answers

    jumping(test)


def test_an_answer_to_an_address_that_may_be_forged_is_short() -> None:
    """At most three times what came, as a challenge to a stranger (RFC 9000 8.1)."""

    async def test() -> None:
        async with Ear() as desk, Ear() as forged:
            phone = by_address(int(desk.address.rpartition(":")[2]))
            async with serving(phone) as server:
                for ear, method in product((forged, desk), METHODS):
                    ear.heard.clear()
                    asked = short(method, "1", f"{ear.address[-3:]}{method}")
                    if method == "SUBSCRIBE":
                        asked = asked[:-2] + b"o:dialog\r\nm:<sip:h>\r\n\r\n"
                    ear.say(asked, server.address)
                    await asyncio.sleep(TIMER_F)
                    said = [it for it in ear.heard if it.startswith(b"SIP/2.0 ")]
                    assert len(b"".join(said)) <= 3 * len(asked), (method, said)

    jumping(test)
