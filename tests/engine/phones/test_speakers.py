"""How the keys of a phone are sent: as documents, as dialog states, or as both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
import re
from typing import Any

import pytest

from custom_components.snom_buttons.engine.phones import MESSAGES, Phone, Speakers
from custom_components.snom_buttons.engine.phones.blf import AT_ONCE
from custom_components.snom_buttons.engine.phones.contact import FIRST_AT_ONCE
from custom_components.snom_buttons.engine.phones.server import EXPIRY_PAUSE
from custom_components.snom_buttons.engine.refused import Failed
from custom_components.snom_buttons.engine.xbuttons import Direction, LightMode
from tests.support.rawphone import TIMER_F, RawMessage, RawPhone
from tests.support.rawstream import StreamPhone
from tests.support.serving import (
    LOCALHOST,
    PASSWORD,
    base,
    jumping,
    lit,
    phone_setup,
    raw_phone,
    serving,
    setup,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

AUTOMATIC, BUTTONS, BLF, BOTH = Speakers
KEYS = ("1", "2", "3", "4")
NO_DOCUMENTS = (405, 415, 489, 501)


def make_phone(speakers: Speakers = AUTOMATIC, keys: int = 4, **options: Any) -> Phone:
    names = [f"{n}" for n in range(1, keys + 1)]
    return Phone(
        phone_setup(keys=[setup(name) for name in names], speakers=speakers, **options)
    )


def told(desk: RawPhone, key: str) -> list[str]:
    """Return what the NOTIFYs of a key said, without retransmissions."""
    said = {}
    for notice in desk.notices:
        if f"sip:{key}@" in notice.get("From"):
            found = re.search(r"<state>(.+)</state>", notice.body)
            state = notice.get("Subscription-State").partition(";expires")[0]
            said[notice.get("Call-ID"), notice.get("CSeq")] = (
                f"{state} {found and found[1]}"
            )
    return list(said.values())


def documented(desk: RawPhone) -> set[str]:
    """Return the keys of all documents that have come."""
    return {k for r in desk.requests for k in re.findall(r"(?m)^k=(\w+)", r.body)}


@asynccontextmanager
async def raw_phone_at_address() -> AsyncIterator[tuple[RawPhone, Callable[[], Phone]]]:
    """Return a phone that does not register, and a function that makes it for a server."""
    async with RawPhone((LOCALHOST, 9), "44", PASSWORD) as desk:
        host, _, port = desk.address.rpartition(":")

        def make() -> Phone:
            return make_phone(address=(host, int(port)))

        yield desk, make


async def subscribe(desk: RawPhone, *keys: str) -> list[RawMessage]:
    answers = [await desk.subscribe(key) for key in keys]
    assert {answer.status for answer in answers} == {200}
    await asyncio.sleep(0.1)
    return answers


def test_a_lamp_follows_by_notify() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            await subscribe(desk, "1")
            assert told(desk, "1") == ["active terminated"]
            assert (phone.available, phone.in_sync) == (True, True)
            desk.requests.clear()
            caller = base(
                "1", light=LightMode.PICKUP, caller="Door", direction=Direction.OUT
            )
            phone.keys["1"].show(caller)
            phone.keys["2"].show(lit("2"))
            await desk.shows("2", c="on")
            await desk.until(lambda: len(told(desk, "1")) == 2)
            assert told(desk, "1")[1] == "active early"
            body = desk.notices[-1].body
            assert 'display="Door"' in body
            assert 'direction="initiator"' in body
            assert 'version="1"' in body
            # A dialog state has no label.
            phone.keys["1"].show(
                base(
                    "1",
                    light=LightMode.PICKUP,
                    caller="Door",
                    direction=Direction.OUT,
                    label="x",
                )
            )
            await asyncio.sleep(5)
            assert len(told(desk, "1")) == 2
            assert documented(desk) == {"2"}
            assert (phone.has_taken("1"), phone.in_sync) == (True, True)

    jumping(test)


@pytest.mark.parametrize(
    ("speakers", "status", "documents", "notices"),
    [
        (AUTOMATIC, 200, {"2"}, {"1"}),
        (BUTTONS, 403, {"1", "2"}, set()),
        (BLF, 200, set(), {"1"}),
        (BOTH, 200, {"1", "2"}, {"1"}),
    ],
)
def test_which_key_is_sent_how(
    speakers: Speakers, status: int, documents: set[str], notices: set[str]
) -> None:
    """Key 1 is subscribed to, key 2 is not."""

    async def test() -> None:
        phone = make_phone(speakers, keys=2)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await asyncio.sleep(1)
            assert documented(desk) == (set() if speakers is BLF else {"1", "2"})
            assert (await desk.subscribe("1")).status == status
            await asyncio.sleep(1)
            desk.requests.clear()
            desk.notices.clear()
            for key in "12":
                phone.keys[key].show(lit(key))
            await asyncio.sleep(1)
            assert documented(desk) == documents
            assert {key for key in "12" if told(desk, key)} == notices
            is_reached = speakers is not BLF
            assert (phone.lacks("2"), phone.has_taken("2")) == (
                not is_reached,
                is_reached,
            )
            assert (phone.lacks("1"), phone.in_sync) == (False, is_reached)

    jumping(test)


@pytest.mark.parametrize("status", NO_DOCUMENTS)
def test_a_phone_that_does_not_know_documents_gets_no_more(status: int) -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.document_answer = status
            await desk.register()
            await asyncio.sleep(1000)
            assert len(desk.requests) == 1
            assert phone.refusal == f"{status} Whatever"
            assert (phone.available, phone.in_sync) == (True, False)
            assert phone.lacks("1")
            with pytest.raises(Failed, match="phone_refused"):
                await phone.confirm(["1"], 5.0)
            await desk.register()
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(1)
            assert len(desk.requests) == 1
            # Nor does it after a restart.
            snapshot = server.snapshot()
            again = make_phone()
            port = server.address[1]
            await server.stop()
            async with serving(again, snapshot=snapshot, port=port):
                await asyncio.sleep(1)
                assert again.refusal == f"{status} Whatever"
                assert len(desk.requests) == 1
                # With all keys subscribed to there is nothing left to refuse.
                await subscribe(desk, *KEYS)
                assert (again.refusal, again.in_sync) == (None, True)
                assert not again.lacks("1")
                # Another firmware is asked again.
                desk.document_answer, desk.user_agent = None, "snom/2"
                desk.notice_answers = dict.fromkeys(KEYS, 481)
                await desk.register()
                await desk.shows("4")
                assert again.in_sync

    jumping(test)


def test_a_phone_that_comes_back_is_not_asked_until_its_user_agent_changes() -> None:
    async def test() -> None:
        phone = make_phone()

        async def comes(desk: RawPhone) -> int:
            """Return how many documents it gets."""
            desk.requests.clear()
            assert (await desk.register()).status == 200
            await asyncio.sleep(10)
            return len(desk.requests)

        async with serving(phone) as server, raw_phone(server) as desk:
            desk.document_answer = 415
            assert await comes(desk) == 1
            await desk.unregister()
            assert await comes(desk) == 0
            # Nor after a reset, which makes it a new contact.
            desk.reset()
            assert await comes(desk) == 0
            # Nor if it registers while another one is there, which has not refused.
            async with raw_phone(server) as other:
                other.user_agent = "another/1"
                assert await comes(other) > 0
                assert await comes(desk) == 0
                assert list(phone.refused_documents.values()) == ["415 Whatever"]
                await other.unregister()
            await desk.unregister()
            # Nor after a restart, though it was not registered then.
            snapshot, port = server.snapshot(), server.address[1]
            await server.stop()
            again = make_phone()
            async with serving(again, snapshot=snapshot, port=port):
                assert again.refused_documents
                assert await comes(desk) == 0
                # The firmware is another one, and then the former one again.
                for user_agent in ("snomD785/10.1.999.1", desk.user_agent):
                    await desk.unregister()
                    desk.user_agent = user_agent
                    assert await comes(desk) == 1
                assert list(again.refused_documents) == [desk.user_agent]

    jumping(test)


def test_a_phone_that_is_restored_with_its_registration_is_not_asked() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.document_answer = 415
            await desk.register()
            await asyncio.sleep(10)
            async with raw_phone(server) as other:
                other.user_agent, other.document_answer = "another/1", 501
                await other.register()
                await asyncio.sleep(10)
                snapshot, port = server.snapshot(), server.address[1]
                await server.stop()
                again = make_phone()
                desk.requests.clear()
                other.requests.clear()
                async with serving(again, snapshot=snapshot, port=port):
                    await asyncio.sleep(10)
                    assert (desk.requests, other.requests) == ([], [])
                    assert sorted(again.refused_documents.values()) == [
                        "415 Whatever",
                        "501 Whatever",
                    ]

    jumping(test)


def test_a_phone_without_registration_is_asked_after_each_restart() -> None:
    """It has no User-Agent that could change."""

    async def test() -> None:
        async with raw_phone_at_address() as (desk, make):
            desk.document_answer = 415
            phone = make()
            async with serving(phone) as server:
                desk.server = server.address
                await asyncio.sleep(10)
                assert len(desk.requests) == 1
                assert phone.refused_documents == {}
                snapshot = server.snapshot()
            async with serving(make(), snapshot=snapshot) as server:
                desk.server = server.address
                await asyncio.sleep(10)
                assert len(desk.requests) == 2

    jumping(test)


def test_a_phone_that_has_taken_a_document_knows_them() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            desk.document_answer = 415
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(3)
            desk.document_answer = None
            await desk.shows("1", c="on")

    jumping(test)


@pytest.mark.parametrize("speakers", [BUTTONS, BOTH])
def test_a_phone_that_is_set_up_for_documents_is_asked_again(
    speakers: Speakers,
) -> None:
    async def test() -> None:
        phone = make_phone(speakers)
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.document_answer = 415
            await desk.register()
            await asyncio.sleep(30)
            assert len(desk.requests) > 1
            # Chosen as automatic, it is not.
            phone.configure(phone_setup(keys=phone.setup.keys))
            await asyncio.sleep(1)
            desk.requests.clear()
            await asyncio.sleep(1000)
            assert desk.requests == []
            assert phone.refusal == "415 Whatever"
            phone.configure(phone_setup(keys=phone.setup.keys, speakers=BUTTONS))
            desk.document_answer = None
            await desk.shows("4")
            # One that has taken a document knows them, in automatic, too.
            phone.configure(phone_setup(keys=phone.setup.keys))
            phone.keys["1"].show(lit("1"))
            await desk.shows("1", c="on")
            assert (phone.needs_blf, phone.in_sync) == (None, True)

    jumping(test)


@pytest.mark.parametrize("status", [404, 405, 480, 481, 489, 501])
def test_a_refusal_that_ends_the_subscription_gives_the_key_back(status: int) -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            await subscribe(desk, "1", "2")
            desk.notice_answers["1"] = status
            phone.keys["1"].show(lit("1"))
            phone.keys["2"].show(lit("2"))
            await desk.shows("1", c="on")
            await asyncio.sleep(100)
            assert len(told(desk, "1")) == 2
            assert told(desk, "2")[-1] == "active confirmed"
            assert (phone.in_sync, phone.refusal) == (True, None)

    jumping(test)


def test_without_documents_the_answer_that_ended_it_is_reported() -> None:
    async def test() -> None:
        phone = make_phone(BLF)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk, "1", "2")
            assert await phone.confirm(["1"], 5.0) == ["200 Whatever"]
            assert await phone.send_all(5.0) == ["200 Whatever"]
            desk.notice_answers["1"] = 481
            with pytest.raises(Failed) as caught:
                await phone.confirm(["1"], 5.0)
            assert caught.value.placeholders["answer"] == "481 Whatever"
            with pytest.raises(Failed, match="key_not_subscribed"):
                await phone.confirm(["1"], 5.0)
            with pytest.raises(Failed) as caught:
                await phone.confirm([MESSAGES, "1"], 5.0)
            assert caught.value.placeholders["value"] == "1"
            with pytest.raises(Failed) as caught:
                await phone.confirm(["2", "1"], 5.0)
            assert caught.value.placeholders["value"] == "1"
            await phone.confirm(["2"], 5.0)
            await phone.send_all(5.0)

    jumping(test)


def test_a_key_that_is_refused_keeps_no_other_dark() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk, *KEYS)
            desk.notice_answers["1"] = 500
            for key in KEYS:
                phone.keys[key].show(lit(key))
            await asyncio.sleep(1)
            assert [told(desk, key)[-1] for key in KEYS] == ["active confirmed"] * 4
            assert (phone.lacks("1"), phone.lacks("2")) == (True, False)
            assert not phone.in_sync
            await asyncio.sleep(40)
            assert phone.refusal == "500 Whatever"
            assert (len(told(desk, "2")), len(told(desk, "1")) > 3) == (2, True)
            del desk.notice_answers["1"]
            await asyncio.sleep(60)
            assert (phone.in_sync, phone.refusal) == (True, None)

    jumping(test)


def test_no_more_than_eight_at_once_and_one_to_a_silent_phone() -> None:
    async def test() -> None:
        phone = make_phone(keys=20)
        names = list(phone.keys)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk, *names)
            desk.answer = None
            desk.notices.clear()
            for key in names:
                phone.keys[key].show(lit(key))
            await asyncio.sleep(10)
            assert len([key for key in names if told(desk, key)]) == AT_ONCE
            assert phone.lacks("20")
            await asyncio.sleep(TIMER_F)
            assert not phone.available
            desk.notices.clear()
            await asyncio.sleep(TIMER_F)
            assert len([key for key in names if told(desk, key)]) == 1
            # It has lost nothing, and gets all as soon as it is heard.
            desk.answer = 200
            await desk.press("1")
            await asyncio.sleep(1)
            assert {told(desk, key)[-1] for key in names} == {"active confirmed"}
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


def test_a_contact_that_registers_anew_keeps_its_subscriptions() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server:
            async with raw_phone(server) as desk:
                await desk.register()
                await subscribe(desk, "1")
            async with raw_phone(server) as moved:
                moved.instance = desk.instance
                await moved.register()
                await moved.until(lambda: bool(told(moved, "1")))
                phone.keys["1"].show(lit("1"))
                await moved.until(lambda: len(told(moved, "1")) == 2)
                await moved.unregister()
                await asyncio.sleep(1)
                assert told(moved, "1")[-1] == "terminated;reason=deactivated confirmed"

    jumping(test)


def test_a_contact_that_is_gone_gets_no_last_notify() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register(expires=60)
            await subscribe(desk, "1")
            desk.answer = None
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(50)
            assert not phone.available
            desk.notices.clear()
            await asyncio.sleep(100)
            assert {s.partition(" ")[0] for s in told(desk, "1")} <= {"active"}
            assert server._notifier.subscriptions("44") == ()

    jumping(test)


def test_a_silent_phone_gets_one_notify_for_all_subscriptions_to_a_key() -> None:
    """In the newest one; the others may be of dialogs from before the phone's restart."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            *_, newest = await subscribe(desk, *["1"] * 10)
            desk.answer = None
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(TIMER_F + 1)
            assert not phone.available
            for _ in range(2):
                desk.notices.clear()
                await asyncio.sleep(TIMER_F)
                dialogs = {notice.get("Call-ID") for notice in desk.notices}
                assert dialogs == {newest.get("Call-ID")}
            # All of them follow the answer to that one.
            desk.notices.clear()
            desk.answer = 200
            await asyncio.sleep(300)
            assert told(desk, "1")[-10:] == ["active confirmed"] * 10
            assert len({notice.get("Call-ID") for notice in desk.notices}) == 10
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


def test_all_but_the_newest_of_ten_subscriptions_are_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of a phone that was restarted nine times: they end, and it stays in sync."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            *_, newest = await subscribe(desk, *["1"] * 10)
            answer = desk._answer

            def answer_newest(message: RawMessage, *rest: Any) -> None:
                if message.get("Call-ID") == newest.get("Call-ID"):
                    answer(message, *rest)

            monkeypatch.setattr(desk, "_answer", answer_newest)
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(2 * TIMER_F + 1)
            assert len(server._notifier.subscriptions("44")) == 1
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


@pytest.mark.parametrize("end", ["noresource", "rejected", "timeout"])
def test_a_silent_phone_gets_no_last_notify(end: str) -> None:
    """Each would be repeated ten times."""

    async def test() -> None:
        phone = make_phone(keys=20)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register(expires=3600)
            for key in phone.keys:
                assert (await desk.subscribe(key, expires=300)).status == 200
            await asyncio.sleep(1)
            desk.answer = None
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(TIMER_F + 1)
            assert not phone.available
            changed = {
                "noresource": phone_setup(),
                "rejected": replace(phone.setup, speakers=BUTTONS),
                "timeout": phone.setup,
            }
            server.configure_phone(changed[end])
            await asyncio.sleep(600)
            states = {it.get("Subscription-State") for it in desk.notices}
            assert not [state for state in states if state.startswith("terminated")]
            assert server._notifier.subscriptions("44") == ()
            # It gets what it shows when it is heard, and can subscribe anew.
            desk.answer = 200
            await desk.register()
            await asyncio.sleep(1)
            assert phone.available

    jumping(test)


def test_a_silent_phone_that_unsubscribes_gets_its_last_notify() -> None:
    """RFC 6665 4.2.1.4: it has been heard."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            (answer,) = await subscribe(desk, "1")
            desk.answer = None
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(TIMER_F + 1)
            assert not phone.available
            desk.answer = 200
            assert (await desk.subscribe("1", within=answer, expires=0)).status == 200
            await asyncio.sleep(1)
            assert told(desk, "1")[-1] == "terminated;reason=timeout confirmed"
            assert phone.available

    jumping(test)


PROXY = "<sip:p@192.0.2.9;lr>"
FURTHER = "<sip:q@192.0.2.10;lr>"
VIA = "Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKof-the-phone"
"""The second one of a SUBSCRIBE that came through a proxy."""


def test_notifies_follow_a_registration_through_a_proxy_and_back() -> None:
    """RFC 3327 5.3; in the dialog of a SUBSCRIBE that came directly."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            (answer,) = await subscribe(desk, "1")
            async with raw_phone(server) as moved:
                moved.instance, moved.supported = desk.instance, "path"
                moved.more = [f"Path: {PROXY}", f"Path: {FURTHER}"]
                assert (await moved.register()).status == 200
                await moved.until(lambda: bool(moved.notices))
                notice = moved.notices[-1]
                assert notice.get("Call-ID") == answer.get("Call-ID")
                assert notice.start == f"NOTIFY sip:44@{desk.address} SIP/2.0"
                assert notice.all("Route") == [PROXY, FURTHER]
                (subscription,) = server._notifier.subscriptions("44")
                assert subscription.forwarded
                # Also after a restart.
                saved = server.snapshot()["phones"]["44"]["subscriptions"]
                assert [it["path"] for it in saved] == [[PROXY, FURTHER]]
                desk.notices.clear()
            assert (await desk.register()).status == 200
            await desk.until(lambda: bool(desk.notices))
            assert desk.notices[-1].all("Route") == []
            assert not subscription.forwarded
            assert phone.in_sync

    jumping(test)


def test_the_route_set_stays_that_of_the_dialog() -> None:
    """RFC 3261 12.2.2: but for a registration by another way (RFC 3327 5.3)."""

    async def test() -> None:
        phone = make_phone()

        async def route(desk: RawPhone) -> list[str]:
            desk.notices.clear()
            is_on = phone.keys["1"].look.light == LightMode.ON
            phone.keys["1"].show(base("1") if is_on else lit("1"))
            await desk.until(lambda: bool(desk.notices))
            await asyncio.sleep(0.1)
            return desk.notices[-1].all("Route")

        async with serving(phone) as server, raw_phone(server) as desk:
            desk.supported = "path"
            desk.more = [f"Path: {PROXY}"]
            await desk.register()
            answer = await desk.subscribe(
                "1", VIA, f"Record-Route: {FURTHER}", f"Record-Route: {PROXY}"
            )
            assert answer.status == 200
            await asyncio.sleep(0.1)
            assert await route(desk) == [FURTHER, PROXY]
            # By the same way.
            assert (await desk.register()).status == 200
            assert await route(desk) == [FURTHER, PROXY]
            # Directly, by another port.
            async with raw_phone(server) as moved:
                moved.instance, moved.supported = desk.instance, ""
                assert (await moved.register()).status == 200
                await moved.until(lambda: bool(moved.notices))
                assert await route(moved) == []
            # In the dialog.
            again = await desk.subscribe(
                "1", VIA, f"Record-Route: {PROXY}", within=answer
            )
            assert again.status == 200
            await asyncio.sleep(0.1)
            assert await route(desk) == [FURTHER, PROXY]

    jumping(test)


def test_a_phone_subscribes_by_another_way_than_it_registers() -> None:
    """Its lamps follow by the way of the SUBSCRIBE."""

    async def test() -> None:
        phone = make_phone()
        async with (
            serving(phone) as server,
            raw_phone(server) as desk,
            raw_phone(server) as other,
        ):
            await desk.register()
            contact = f"sip:44@{desk.address};line={desk._line}"
            assert (await other.subscribe("1", contact=contact)).status == 200
            await other.until(lambda: bool(told(other, "1")))
            phone.keys["1"].show(lit("1"))
            await other.until(lambda: len(told(other, "1")) == 2)
            assert (await desk.register()).status == 200
            await asyncio.sleep(1)
            phone.keys["1"].show(base("1"))
            await asyncio.sleep(1)
            assert told(other, "1")[-1] == "active terminated"
            assert told(desk, "1") == []

    jumping(test)


def test_no_older_state_comes_behind_a_newer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a repeated first NOTIFY would, to a phone that compares neither CSeq nor version."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            with monkeypatch.context() as away:
                away.setattr(desk, "_answer", lambda *_: None)
                assert (await desk.subscribe("1")).status == 200
                await desk.until(lambda: bool(told(desk, "1")))
            desk.notices.clear()
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(10)
            assert told(desk, "1") == ["active confirmed"]
            assert (phone.has_taken("1"), phone.in_sync) == (True, True)

    jumping(test)


@pytest.mark.parametrize("speakers", [AUTOMATIC, BLF])
def test_a_connection_of_its_own_for_a_subscribe(speakers: Speakers) -> None:
    """Once it is closed, the lamp follows by the connection of the registration."""

    async def test() -> None:
        phone = make_phone(speakers)
        async with serving(phone, tcp_port=0) as server:
            address = server.address_of("TCP")
            async with StreamPhone(address, "44", PASSWORD) as desk:
                await desk.register()
                contact = f"sip:44@{desk.address};transport=tcp;line={desk._line}"
                async with StreamPhone(address, "44", PASSWORD) as other:
                    answer = await other.subscribe("1", contact=contact)
                    assert answer.status == 200
                    await other.until(lambda: bool(told(other, "1")))
                    phone.keys["1"].show(lit("1"))
                    await other.until(lambda: len(told(other, "1")) == 2)
                phone.keys["1"].show(base("1"))
                await desk.until(lambda: told(desk, "1") == ["active terminated"])
                await subscribe(desk, "2", "3", "4")
                assert (phone.available, phone.in_sync) == (True, True)
                # Nothing is left to be sent by, if that is closed, too.
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(1)
            assert not phone.available

    jumping(test)


def test_behind_a_proxy_its_only_contact_may_subscribe_by_another_uri() -> None:
    """Until the one with that URI registers."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.more = [VIA]
            await desk.register()
            contact = f"sip:44@{desk.address};transport=udp"
            assert (await desk.subscribe("1", VIA, contact=contact)).status == 200
            phone.keys["1"].show(lit("1"))
            await desk.until(lambda: told(desk, "1")[-1:] == ["active confirmed"])
            assert [it.subscriptions for it in phone.sendings] == [1]
            desk.reset()
            desk.more = [VIA, f"Contact: <{contact}>"]
            assert (await desk.register()).status == 200
            assert [it.subscriptions for it in phone.sendings] == [0, 0, 1]
            # Of which of the others it is cannot be told.
            assert (await desk.subscribe("2", VIA, contact="sip:44@a")).status == 480
            assert [it.subscriptions for it in phone.sendings] == [0, 0, 1]

    jumping(test)


def test_what_ends_a_subscription() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register(expires=3600)
            await desk.shows("4")
            one, _, three, _ = await subscribe(desk, *KEYS)
            desk.requests.clear()
            # The phone.
            assert (await desk.subscribe("1", within=one, expires=0)).status == 200
            await desk.until(
                lambda: documented(desk) == {"1"} and len(told(desk, "1")) > 1
            )
            assert told(desk, "1")[-1] == "terminated;reason=timeout terminated"
            # The key is removed.
            keys = [key for key in phone.setup.keys if key.name != "2"]
            server.configure_phone(phone_setup(keys=keys))
            await asyncio.sleep(1)
            assert told(desk, "2")[-1] == "terminated;reason=noresource terminated"
            assert (await desk.subscribe("2")).status == 404
            # Documents are chosen.
            server.configure_phone(phone_setup(keys=keys, speakers=BUTTONS))
            await asyncio.sleep(1)
            assert told(desk, "3")[-1] == "terminated;reason=rejected terminated"
            assert (await desk.subscribe("3", within=three)).status == 481
            assert (await desk.subscribe("3")).status == 403
            assert documented(desk) == {*KEYS}
            # Its time.
            server.configure_phone(phone_setup(keys=keys))
            answer = await desk.subscribe("4", expires=60)
            assert answer.status == 200
            await asyncio.sleep(61)
            assert told(desk, "4")[-1] == "terminated;reason=timeout terminated"
            # The phone is removed.
            assert (await desk.subscribe("4")).status == 200
            server.remove_phone("44")
            assert server._notifier.subscriptions("44") == ()

    jumping(test)


def test_subscriptions_that_expire_one_after_the_other_end_together() -> None:
    """A phone that has gone had made them one after the other, too."""

    async def test() -> None:
        async with serving(make_phone()) as server, raw_phone(server) as desk:
            await desk.register(expires=3600)
            for key in ("1", "2", "3"):
                assert (await desk.subscribe(key, expires=60)).status == 200
                await asyncio.sleep(0.1)
            ended = "terminated;reason=timeout terminated"
            await asyncio.sleep(60)  # the last one has expired 0.1 s before
            assert [told(desk, key)[-1] == ended for key in "123"] == [
                True,
                False,
                False,
            ]
            await asyncio.sleep(EXPIRY_PAUSE)
            assert [told(desk, key)[-1] for key in "123"] == 3 * [ended]

    jumping(test)


def test_a_fetch_and_a_subscription_without_registration_are_answered() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await subscribe(desk, "1")
            assert told(desk, "1") == ["active terminated"]
            phone.keys["1"].show(lit("1"))
            assert (await desk.subscribe("2", expires=0)).status == 200
            await asyncio.sleep(1)
            assert told(desk, "2") == ["terminated;reason=timeout terminated"]
            assert len(told(desk, "1")) == 1
            # From its registration on, the lamp follows.
            await desk.register()
            await desk.until(lambda: len(told(desk, "1")) == 2)
            assert told(desk, "1")[-1] == "active confirmed"
            desk.answer = 500
            assert (await desk.subscribe("2", expires=0)).status == 200
            await asyncio.sleep(1)

    jumping(test)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"speakers": BUTTONS}, "rejected"),
        ({"keys": [setup("2")]}, "noresource"),
    ],
)
def test_a_subscription_without_registration_follows_the_setup(
    change: dict[str, Any], reason: str
) -> None:
    """No contact holds it; the one that registers later gets what is set up."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await subscribe(desk, "1")
            server.configure_phone(replace(phone.setup, **change))
            await desk.until(lambda: len(told(desk, "1")) == 2)
            assert told(desk, "1")[-1] == f"terminated;reason={reason} terminated"
            await desk.register()
            assert phone.sendings[0].subscriptions == 0

    jumping(test)


def test_a_phone_set_up_for_documents_presses_by_number_again() -> None:
    """The key whose name is that number is a document, and no call presses it."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            presses: list[str] = []
            server.pressed.subscribe(lambda press: presses.append(press.key))
            await desk.register()
            await subscribe(desk, "1")
            phone.keys["2"].show(replace(base("2"), number="1"))
            await desk.invite("1")
            server.configure_phone(replace(phone.setup, speakers=BUTTONS))
            await desk.invite("1")
            await asyncio.sleep(0.1)
            assert presses == ["1", "2"]

    jumping(test)


def test_each_contact_has_its_own_subscriptions() -> None:
    async def test() -> None:
        phone = make_phone()
        async with (
            serving(phone) as server,
            raw_phone(server) as desk,
            raw_phone(server) as hall,
        ):
            await desk.register()
            await hall.register()
            await subscribe(hall, "1")
            desk.requests.clear()
            hall.requests.clear()
            phone.keys["1"].show(lit("1"))
            await hall.until(lambda: len(told(hall, "1")) == 2)
            await desk.shows("1", c="on")
            assert (told(desk, "1"), hall.requests) == ([], [])

    jumping(test)


def test_several_subscriptions_to_a_key() -> None:
    """As of a phone that was restarted, and has lost its former dialogs."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk, *["1"] * 10)
            desk.notices.clear()
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(1)
            assert told(desk, "1") == ["active confirmed"] * 10
            assert len({notice.get("Call-ID") for notice in desk.notices}) == 10
            desk.notice_answers["1"] = 500
            phone.keys["1"].show(base("1"))
            await asyncio.sleep(1)
            assert phone.lacks("1")

    jumping(test)


def test_challenged_notifies_of_one_dialog_differ_in_their_cseq() -> None:
    """RFC 3261 12.2.1.1: the last NOTIFY does not wait for the answer to the one before."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk, "1")
            desk.answer_lines = ['WWW-Authenticate: Digest realm="desk", nonce="x"']
            desk.answer = 401
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(0)
            server.configure_phone(replace(phone.setup, speakers=BUTTONS))
            await desk.until(lambda: len(told(desk, "1")) == 5)
            await asyncio.sleep(1)
            numbers = [notice.get("CSeq") for notice in desk.notices]
            assert len(set(numbers)) == len(numbers) == 5

    jumping(test)


def test_a_lost_dialog_that_gets_no_answer_ends_beside_one_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of a phone that was restarted, and does not say 481."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register(expires=3600)
            lost, _ = await subscribe(desk, "1", "1")
            answer = desk._answer

            def answer_others(message: RawMessage, *rest: Any) -> None:
                if message.get("Call-ID") != lost.get("Call-ID"):
                    answer(message, *rest)

            monkeypatch.setattr(desk, "_answer", answer_others)
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(TIMER_F + 1)
            assert phone.available
            assert len(server._notifier.subscriptions("44")) == 1
            desk.notices.clear()
            phone.keys["1"].show(base("1"))
            await asyncio.sleep(1)
            assert told(desk, "1") == ["active terminated"]
            assert phone.in_sync

    jumping(test)


def test_a_subscription_does_not_wait_for_dialogs_that_the_phone_has_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RFC 6665 4.2.1.2: its NOTIFY comes immediately, whatever else has no answer."""

    async def test() -> None:
        phone = make_phone(keys=20)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            lost = {it.get("Call-ID") for it in await subscribe(desk, *phone.keys)}
            answer = desk._answer

            def answer_others(message: RawMessage, *rest: Any) -> None:
                if message.get("Call-ID") not in lost:
                    answer(message, *rest)

            monkeypatch.setattr(desk, "_answer", answer_others)
            for key in phone.keys:
                phone.keys[key].show(lit(key))
            await asyncio.sleep(10)
            desk.notices.clear()
            await desk.register()
            for key in phone.keys:
                new = await desk.subscribe(key)
                await asyncio.sleep(0.1)
                states = [
                    re.findall("<state>(.+)</state>", it.body)
                    for it in desk.notices
                    if it.get("Call-ID") == new.get("Call-ID")
                ]
                assert states == [["confirmed"]]
            # The others end, and the lamps follow in those that are left.
            await asyncio.sleep(600)
            assert len(server._notifier.subscriptions("44")) == 20
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


def test_a_first_notify_that_is_not_taken_is_sent_again() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            desk.notice_answers["1"] = 500
            assert (await desk.subscribe("1")).status == 200
            assert not phone.has_taken("1")
            await asyncio.sleep(0.5)
            assert phone.lacks("1")
            del desk.notice_answers["1"]
            await asyncio.sleep(30)
            assert phone.has_taken("1")
            # Without an answer it is due after a second, as all looks are.
            desk.answer = None
            assert (await desk.subscribe("2")).status == 200
            await asyncio.sleep(0.5)
            assert (phone.lacks("2"), phone.has_taken("2")) == (False, False)
            await asyncio.sleep(2)
            assert phone.lacks("2")
            desk.answer = 200
            await asyncio.sleep(60)
            assert phone.has_taken("2")
            # The phone has lost it, and takes documents.
            desk.notice_answers["3"] = 481
            desk.requests.clear()
            assert (await desk.subscribe("3")).status == 200
            await desk.until(lambda: documented(desk) == {"3"})
            assert phone.in_sync

    jumping(test)


def test_a_phone_that_subscribes_all_the_time_gets_few_notifies_at_once() -> None:
    """Those in one dialog go together while none is answered."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            (answer,) = await subscribe(desk, "1")
            desk.answer = None
            desk.notices.clear()
            for _ in range(50):
                again = await desk.subscribe("1", within=answer)
                assert again.status == 200
            await asyncio.sleep(0.5)
            assert len({it.get("CSeq") for it in desk.notices}) <= 2
            contact = next(iter(phone._contacts.values()))
            for key in "1234" * 10:
                assert (await desk.subscribe(key)).status == 200
            assert len(contact._firsts) <= FIRST_AT_ONCE
            assert server._notifier.subscriptions("44")

    jumping(test)


def silence(
    monkeypatch: pytest.MonkeyPatch, desk: RawPhone, *dialogs: RawMessage
) -> None:
    """Let a phone answer no NOTIFY of these dialogs."""
    answer = desk._answer
    silent = {dialog.get("Call-ID") for dialog in dialogs}

    def answer_others(message: RawMessage, *rest: Any) -> None:
        if message.get("Call-ID") not in silent:
            answer(message, *rest)

    monkeypatch.setattr(desk, "_answer", answer_others)


def test_a_lost_dialog_that_gets_no_answer_holds_up_no_other_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It ends by the second NOTIFY without an answer, as others have one in between."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await desk.shows("4")
            lost, _ = await subscribe(desk, "1", "2")
            silence(monkeypatch, desk, lost)
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(1)
            phone.keys["2"].show(lit("2"))
            assert (await desk.subscribe("3")).status == 200
            await asyncio.sleep(2 * TIMER_F)
            assert told(desk, "2")[-1] == "active confirmed"
            phone.keys["3"].show(lit("3"))
            await asyncio.sleep(2 * TIMER_F)
            assert told(desk, "3")[-1] == "active confirmed"
            # The key is a document again.
            assert "1" in documented(desk)
            held = server._notifier.subscriptions("44")
            assert [subscription.resource for subscription in held] == ["2", "3"]
            assert (phone.available, phone.in_sync) == (True, True)
            desk.notices.clear()
            phone.keys["2"].show(base("2"))
            await asyncio.sleep(1)
            assert told(desk, "2") == ["active terminated"]

    jumping(test)


def test_without_documents_a_lost_dialog_that_gets_no_answer_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        phone = make_phone(BLF)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            lost, _ = await subscribe(desk, "1", "2")
            silence(monkeypatch, desk, lost)
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(TIMER_F + 1)
            phone.keys["2"].show(lit("2"))
            with pytest.raises(Failed) as caught:
                await phone.confirm(["1"], 100.0)
            assert caught.value.placeholders["answer"] == "408 Request Timeout"
            assert (phone.available, phone.lacks("1"), phone.lacks("2")) == (
                True,
                True,
                False,
            )

    jumping(test)


def test_a_phone_that_is_away_for_long_loses_no_dialog(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has answered nothing else in between."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            dialogs = await subscribe(desk, "1", "2")
            with monkeypatch.context() as away:
                silence(away, desk, *dialogs)
                for _ in range(5):
                    for key in "12":
                        phone.keys[key].show(lit(key))
                        phone.keys[key].show(base(key))
                    await asyncio.sleep(2 * TIMER_F)
                assert not phone.available
            phone.keys["1"].show(lit("1"))
            assert (await desk.subscribe("1", within=dialogs[0])).status == 200
            await asyncio.sleep(1)
            assert told(desk, "1")[-1] == "active confirmed"
            assert len(server._notifier.subscriptions("44")) == 2

    jumping(test)


def test_both_have_to_be_taken() -> None:
    async def test() -> None:
        phone = make_phone(BOTH)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk, *KEYS)
            taken: list[str] = []
            phone.taken.subscribe(taken.extend)
            assert await phone.confirm(["1"], 5.0) == ["200 Whatever"]
            assert taken.count("1") == 1
            desk.notice_answers["1"] = 500
            phone.keys["1"].show(lit("1"))
            with pytest.raises(Failed, match="phone_refused"):
                await phone.confirm(["1"], 5.0)
            assert desk.keys["1"]["c"] == "on"
            assert not phone.has_taken("1")

    jumping(test)


def test_a_challenge_to_a_notify_is_answered() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk, "1")
            desk.answer_lines = ['WWW-Authenticate: Digest realm="desk", nonce="x"']
            desk.answer = 401
            phone.keys["1"].show(lit("1"))
            await desk.until(lambda: "Authorization" in dict(desk.notices[-1].headers))
            desk.answer = 200
            number = int(desk.notices[-1].get("CSeq").split()[0])
            phone.keys["1"].show(base("1"))
            await desk.until(lambda: len(told(desk, "1")) == 4)
            assert int(desk.notices[-1].get("CSeq").split()[0]) == number + 1

    jumping(test)


def test_a_subscribe_ends_the_wait_that_the_phone_asked_for() -> None:
    """Its NOTIFY follows at once (RFC 6665 4.2.1.2), whatever an earlier one was answered."""

    async def test() -> None:
        phone = make_phone(BLF)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            (first,) = await subscribe(desk, "1")
            desk.notice_answers["1"] = 503
            desk.answer_lines = ["Retry-After: 3600"]
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(100)
            assert len(told(desk, "1")) == 2
            desk.notice_answers.clear()
            desk.answer_lines.clear()
            await subscribe(desk, "2")
            assert told(desk, "2") == ["active terminated"]
            assert told(desk, "1")[2:] == ["active confirmed"]
            assert (await desk.subscribe("1", within=first)).status == 200
            await desk.until(lambda: len(told(desk, "1")) == 4)

    jumping(test)


def test_documents_that_are_ignored_leave_a_phone_available() -> None:
    """It takes the NOTIFYs of one key, and never answers the documents of the others."""

    async def test() -> None:
        phone = make_phone(keys=3)
        async with serving(phone) as server, raw_phone(server) as desk:
            desk.ignores_documents = True
            await desk.register()
            await subscribe(desk, "1")
            statuses: list[bool] = []
            phone.status.subscribe(lambda _: statuses.append(phone.available))
            on = False
            for _ in range(20):
                on = not on
                phone.keys["1"].show(lit("1") if on else base("1"))
                await asyncio.sleep(60)
                assert phone.has_taken("1")
            assert all(statuses)
            assert not phone.in_sync
            assert phone.lacks("2")
            assert not phone.lacks("1")
            assert phone.refusal == "408 Request Timeout"
            # A document each five minutes, eleven times.
            desk.ignored = 0
            phone.keys["2"].show(lit("2"))
            await asyncio.sleep(1660)
            assert 0 < desk.ignored <= 11 * 5
            # Without a NOTIFY, too, its silence says nothing.
            assert all(statuses)
            (answer,) = await phone.confirm(["1"], 5)
            assert answer.startswith("200")
            with pytest.raises(Failed) as failed:
                await phone.confirm(["2"], 5)
            assert failed.value.placeholders["answer"] == "408 Request Timeout"
            # Silence to NOTIFYs does.
            desk.answer = None
            phone.keys["1"].show(lit("1", LightMode.HOLD))
            await asyncio.sleep(TIMER_F + 1)
            assert not phone.available
            # Once a document is answered, all are sent as before.
            desk.answer, desk.ignores_documents = 200, False
            await desk.register()
            await desk.shows("2", c="on")
            await desk.shows("3")
            await asyncio.sleep(1)
            assert (phone.available, phone.in_sync, phone.refusal) == (True, True, None)

    jumping(test)


def test_a_subscription_by_the_address_of_a_contact_is_its_own() -> None:
    """By another port and another URI than it registers with."""

    async def test() -> None:
        phone = make_phone()
        async with (
            serving(phone) as server,
            raw_phone(server) as desk,
            raw_phone(server) as other,
        ):
            await desk.register()
            (answer,) = await subscribe(other, "1")
            assert answer.status == 200
            await other.until(lambda: told(other, "1") == ["active terminated"])
            phone.keys["1"].show(lit("1"))
            await other.until(lambda: told(other, "1")[1:] == ["active confirmed"])
            await desk.register()
            phone.keys["1"].show(base("1"))
            await other.until(lambda: told(other, "1")[-1] == "active terminated")

    jumping(test)


def test_a_subscription_of_no_contact_is_refused_until_it_registers() -> None:
    """Its changes would be those of no contact: 480, and it comes again."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            elsewhere = RawPhone(server.address, "44", PASSWORD, host="127.0.0.2")
            async with elsewhere as other:
                answer = await other.subscribe("1")
                assert (answer.status, answer.get("Retry-After")) == (480, "30")
                assert server._notifier.subscriptions("44") == ()
                # A fetch asks for the state of now only.
                assert (await other.subscribe("1", expires=0)).status == 200
                await other.register()
                await subscribe(other, "1")
                await other.until(lambda: len(told(other, "1")) == 2)
                phone.keys["1"].show(lit("1"))
                await other.until(lambda: told(other, "1")[-1] == "active confirmed")

    jumping(test)
