"""SUBSCRIBE and NOTIFY on sockets: proof, order, the way of a NOTIFY, and limits."""

from __future__ import annotations

import asyncio
import re

import pytest

from custom_components.snom_buttons.engine.dialoginfo import DialogState
from custom_components.snom_buttons.engine.sip.guard import (
    MORE_SUBSCRIPTIONS,
    OWN_SUBSCRIPTIONS,
)
from tests.support.clock import jumping
from tests.support.notifying import notifying
from tests.support.rawphone import TIMER_F, RawMessage, RawPhone
from tests.support.stranger import Stranger, request, status
from tests.support.udp import LOCALHOST, Ear

pytestmark = pytest.mark.usefixtures("socket_enabled")

EARLY, TERMINATED = DialogState.EARLY, DialogState.TERMINATED


def state_in(notice: RawMessage) -> str:
    """Return what a NOTIFY says of its subscription and of the key."""
    found = re.search(r"<state>(.+)</state>", notice.body)
    return f"{notice.get('Subscription-State')} {found[1] if found else notice.body}"


@jumping
async def test_a_phone_that_has_registered_subscribes_without_a_challenge() -> None:
    async with notifying() as server, server.phone() as desk:
        await desk.register()
        answer = await desk.subscribe("1")
        assert answer.status == 200
        assert answer.get("CSeq") == "3 SUBSCRIBE"  # after two REGISTERs
        assert answer.get("Expires") == "3600"
        host, port = server.address
        assert answer.get("Contact") == f"<sip:1@{host}:{port};transport=udp>"
        assert answer.get("Allow-Events") == "dialog, message-summary"
        await desk.until(lambda: len(desk.notices) == 1)
        (notice,) = desk.notices
        assert notice.start == f"NOTIFY sip:44@{desk.address} SIP/2.0"
        assert notice.get("From") == answer.get("To")
        assert notice.get("To") == answer.get("From")
        assert notice.get("Call-ID") == answer.get("Call-ID")
        assert notice.get("Content-Type") == "application/dialog-info+xml"
        assert notice.get("Event") == "dialog"
        assert state_in(notice) == "active;expires=3600 terminated"
        # The NOTIFY follows the answer.
        server.show("1", EARLY)
        await desk.until(lambda: len(desk.notices) == 2)
        assert state_in(desk.notices[1]) == "active;expires=3600 early"
        assert 'version="1"' in desk.notices[1].body
        assert server.handled == []


@jumping
async def test_the_answer_comes_before_the_notify() -> None:
    async with notifying() as server, server.phone() as desk:
        await desk.register()
        order: list[str] = []
        received = desk.datagram_received

        def noting(data: bytes, address: tuple[str, int]) -> None:
            order.append(data.split(b" ", 1)[0].decode())
            received(data, address)

        desk.datagram_received = noting  # type: ignore[method-assign]
        await desk.subscribe("1")
        await desk.until(lambda: len(desk.notices) == 1)
        assert order == ["SIP/2.0", "NOTIFY"]


@jumping
async def test_a_life() -> None:
    """Subscribe, refresh, unsubscribe, and a dialog that is no more."""
    async with notifying() as server, server.phone() as desk:
        await desk.register()
        answer = await desk.subscribe("1")
        server.show("1", EARLY)
        await desk.until(lambda: len(desk.notices) == 2)
        assert (await desk.subscribe("1", within=answer)).status == 200
        assert (await desk.subscribe("1", within=answer, expires=0)).status == 200
        await desk.until(lambda: len(desk.notices) == 4)
        assert [notice.get("CSeq") for notice in desk.notices] == [
            f"{n} NOTIFY" for n in range(1, 5)
        ]
        assert state_in(desk.notices[3]) == "terminated;reason=timeout early"
        assert (await desk.subscribe("1", within=answer)).status == 481
        assert server.subscriptions() == ()


@jumping
async def test_a_phone_that_has_not_registered_is_challenged() -> None:
    async with notifying() as server, server.phone() as desk:
        assert (await desk.subscribe("1")).status == 200
        assert len(server.subscriptions()) == 1
        await desk.until(lambda: len(desk.notices) == 1)


@jumping
async def test_the_dialog_of_another_phone() -> None:
    async with (
        notifying() as server,
        server.phone() as desk,
        server.phone("45") as other,
    ):
        for phone in (desk, other):
            await phone.register()
        answer = await desk.subscribe("1")
        other._line = desk._line  # its tag
        assert (await other.subscribe("1", within=answer, expires=0)).status == 481
        # In the name of the phone, with a password of its own.
        other.extension, other.username = "44", "45"
        assert (await other.subscribe("1", within=answer, expires=0)).status == 403
        assert len(server.subscriptions()) == 1


@pytest.mark.parametrize(
    ("event", "resource", "expected"),
    [
        ("message-summary", "44", 200),
        ("message-summary", "45", 403),
        ("dialog", "127", 404),
        ("presence", "1", 489),
        ("ua-profile", "1", 489),
        ("check-sync", "1", 489),
    ],
)
@jumping
async def test_what_is_there(event: str, resource: str, expected: int) -> None:
    async with notifying() as server, server.phone() as desk:
        await desk.register()
        answer = await desk.subscribe(resource, event=event)
        assert answer.status == expected
        assert len(server.subscriptions()) == (expected == 200)
        if expected == 489:
            assert answer.get("Allow-Events") == "dialog, message-summary"


@jumping
async def test_a_message_summary() -> None:
    async with notifying() as server, server.phone() as desk:
        await desk.register()
        await desk.subscribe("44", event="message-summary")
        await desk.until(lambda: len(desk.notices) == 1)
        (notice,) = desk.notices
        assert notice.get("Content-Type") == "application/simple-message-summary"
        assert notice.body.startswith("Messages-Waiting: no\r\n")


@jumping
async def test_register_and_its_answer_name_the_packages() -> None:
    async with notifying() as server, server.phone() as desk:
        answer = await desk.register()
        assert answer.get("Allow-Events") == "dialog, message-summary"
        assert "SUBSCRIBE" in answer.get("Allow")


@jumping
async def test_a_retransmission_gets_the_same_answer_and_no_second_notify() -> None:
    async with notifying() as server, server.phone() as desk:
        await desk.register()
        user, port = f"sip:44@{desk.address}", server.address[1]
        lines = [f"Contact: <{user}>", "Event: dialog"]
        data = request("SUBSCRIBE", *lines, uri=f"sip:1@{LOCALHOST}:{port}")
        first = await desk.answers_to(data)
        strays = list(desk.strays)
        assert first == [200]
        assert await desk.answers_to(data) == [200]
        assert desk.strays == strays
        assert len(desk.notices) == len(server.subscriptions()) == 1


@jumping
async def test_cancel_finds_it_and_changes_nothing() -> None:
    """RFC 6665 4.6."""
    async with notifying() as server, server.phone() as desk:
        await desk.register()
        lines = [f"Contact: <sip:44@{desk.address}>", "Event: dialog"]
        data = request("SUBSCRIBE", *lines, uri="sip:1@ha.test")
        assert await desk.answers_to(data) == [200]
        cancel = data.replace(b"SUBSCRIBE", b"CANCEL")
        assert await desk.answers_to(cancel) == [200]
        assert len(server.subscriptions()) == 1


class TestHowANotifyFails:
    @jumping
    async def test_a_phone_that_is_gone_for_a_while(self) -> None:
        """Its subscription stays until its end, unlike RFC 6665 4.2.2 recommends."""
        async with notifying() as server, server.phone() as desk:
            await desk.register()
            await desk.subscribe("1")
            await desk.until(lambda: len(desk.notices) == 1)
            desk.answer = None
            server.show("1", EARLY)
            await asyncio.sleep(TIMER_F + 1)
            desk.answer, heard = 200, len(desk.notices)
            server.show("1", TERMINATED)
            await desk.until(lambda: len(desk.notices) > heard)
            assert state_in(desk.notices[-1]).endswith(" terminated")
            await asyncio.sleep(3600)
            server.notifier.expire()
            assert server.subscriptions() == ()
            heard = len(desk.notices)
            await desk.until(lambda: len(desk.notices) > heard)
            assert state_in(desk.notices[-1]) == "terminated;reason=timeout terminated"

    @pytest.mark.parametrize(("refusal", "left"), [(481, 0), (500, 1), (503, 1)])
    @jumping
    async def test_a_phone_that_refuses(self, refusal: int, left: int) -> None:
        async with notifying() as server, server.phone() as desk:
            await desk.register()
            desk.answer = refusal
            await desk.subscribe("1")
            await desk.until(lambda: len(desk.notices) == 1)
            await asyncio.sleep(1)
            assert len(server.subscriptions()) == left


@jumping
async def test_a_server_that_has_restarted() -> None:
    """The phone is told by 481, and subscribes anew."""
    async with notifying() as server, server.phone() as desk:
        await desk.register()
        port = server.address[1]
        answer = await desk.subscribe("1")
        await desk.until(lambda: len(desk.notices) == 1)
        await server.stop()
        async with notifying(port) as again:
            again.show("1", EARLY)
            assert (await desk.subscribe("1", within=answer)).status == 481
            assert (await desk.subscribe("1")).status == 200
            await desk.until(lambda: len(desk.notices) == 2)
            assert state_in(desk.notices[1]) == "active;expires=3600 early"


@jumping
async def test_a_notify_goes_to_no_address_that_a_header_names() -> None:
    """Neither Contact, Via, Record-Route nor From is the way: the flow is."""
    async with notifying() as server, server.phone() as desk, Ear() as ear:
        await desk.register()
        named = ear.address
        answer = await desk.subscribe(
            "1",
            f"Record-Route: <sip:{named};lr>",
            f"Route: <sip:{named};lr>",
            f"Reply-To: <sip:44@{named}>",
            contact=f"sip:44@{named};maddr={LOCALHOST}",
        )
        assert answer.status == 200
        await desk.until(lambda: len(desk.notices) == 1)
        (notice,) = desk.notices
        assert notice.start == f"NOTIFY sip:44@{named};maddr={LOCALHOST} SIP/2.0"
        assert notice.get("Route") == f"<sip:{named};lr>"
        server.show("1", EARLY)
        await desk.until(lambda: len(desk.notices) == 2)
        await asyncio.sleep(TIMER_F)
        assert ear.heard == []


class TestStrangers:
    @pytest.mark.parametrize("tag", ["", ";tag=guessed"])
    @jumping
    async def test_they_cost_no_state(self, tag: str) -> None:
        async with notifying() as server, Ear() as ear:
            transactions = server.endpoint._transactions
            with Stranger(server.address, "127.66.0.1") as stranger:
                to = b"\r\nTo: <sip:44@ha.test>"
                answers = await stranger.say(
                    *(
                        request(
                            "SUBSCRIBE",
                            "Event: dialog",
                            f"Contact: <sip:44@{ear.address}>",
                            f"Record-Route: <sip:{ear.address};lr>",
                            uri=f"sip:{n}@ha.test",
                        ).replace(to, to + tag.encode())
                        for n in range(20)
                    )
                )
            assert answers
            assert {status(answer) for answer in answers} == {401}
            await asyncio.sleep(TIMER_F)
            assert transactions.running == {}
            assert server.subscriptions() == ()
            assert ear.heard == []

    @jumping
    async def test_a_wrong_password(self) -> None:
        async with notifying() as server, server.phone() as desk:
            desk.password = "guessed"
            assert (await desk.subscribe("1")).status == 401
            assert server.subscriptions() == ()
            assert server.endpoint._transactions.running == {}


class TestShares:
    @jumping
    async def test_a_phone_with_126_keys_subscribes_at_once(self) -> None:
        async with notifying() as server, server.phone() as desk:
            await desk.register()
            answers = await asyncio.gather(
                *(desk.subscribe(f"{n}") for n in range(1, 127))
            )
            assert {answer.status for answer in answers} == {200}
            await desk.until(lambda: len(desk.notices) == 126)
            assert len(server.subscriptions()) == 126

    @jumping
    async def test_ten_thousand_from_one_phone(self) -> None:
        """Only its share is acted on; another phone is served meanwhile."""
        async with (
            notifying() as server,
            server.phone() as desk,
            server.phone("45") as other,
        ):
            for phone in (desk, other):
                await phone.register()
            most = sum(sum(r) for r in (OWN_SUBSCRIPTIONS, MORE_SUBSCRIPTIONS))
            for batch in range(100):
                flood(desk, 100, first=100 * batch)
                await asyncio.sleep(0.01)  # in all a second
            assert (await other.subscribe("1")).status == 200
            kept = len(server.subscriptions())
            assert 0 < kept <= most
            assert "44" in server.exceeded
            assert "45" not in server.exceeded


def flood(desk: RawPhone, count: int, first: int) -> None:
    """Send SUBSCRIBEs of a phone without waiting for their answers."""
    for n in range(first, first + count):
        data = request(
            "SUBSCRIBE",
            "Event: dialog",
            f"Contact: <sip:44@{desk.address}>",
            uri=f"sip:{n % 126 + 1}@ha.test",
            padding=0,
        )
        desk._transport.sendto(data, desk.next_hop)
