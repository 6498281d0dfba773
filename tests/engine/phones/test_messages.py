"""The message lamp of a phone, by subscriptions to `message-summary` (RFC 3842)."""

from __future__ import annotations

import asyncio
import logging

import pytest

from custom_components.snom_buttons.engine.phones import Phone, Speakers
from custom_components.snom_buttons.engine.refused import Failed
from custom_components.snom_buttons.engine.xbuttons import MessageWaiting
from tests.support.rawphone import RawMessage, RawPhone
from tests.support.serving import (
    add_phone,
    jumping,
    lit,
    make_phone,
    phone_setup,
    raw_phone,
    serving,
    setup,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

SUMMARY = "message-summary"
NONE, ONE, SOME = MessageWaiting(0, 0), MessageWaiting(1, 0), MessageWaiting(2, 8)


def summaries(desk: RawPhone) -> list[str]:
    """Return the lines after the account of all summaries, without retransmissions."""
    said = {}
    for notice in desk.notices:
        if notice.get("Event") == SUMMARY:
            lines = notice.body.split("\r\n")
            account = notice.get("From").partition(";tag")[0].strip("<>")
            assert lines[1] == f"Message-Account: {account}"
            assert lines[3:] == [""]
            said[notice.get("Call-ID"), notice.get("CSeq")] = (
                f"{lines[0].partition(': ')[2]} {lines[2].partition(': ')[2]}"
            )
    return list(said.values())


async def subscribe(desk: RawPhone, *lines: str, **options: int) -> RawMessage:
    """Subscribe to the phone's own messages, and wait for the first summary."""
    before = len(summaries(desk))
    answer = await desk.subscribe(desk.extension, *lines, event=SUMMARY, **options)
    assert answer.status == 200
    await desk.until(lambda: len(summaries(desk)) > before)
    return answer


async def test_it_is_subscribed_to_follows_and_ends() -> None:
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        answer = await subscribe(desk, "Accept: application/simple-message-summary")
        assert answer.get("Expires") == "3600"
        (first,) = desk.notices
        assert first.get("Content-Type") == "application/simple-message-summary"
        assert first.get("Subscription-State").startswith("active;expires=")
        causes: list[object] = []
        phone.messages.subscribe(causes.append)
        phone.show_messages(SOME, "cause")
        phone.show_messages(SOME, "nothing has changed")
        await desk.until(lambda: len(summaries(desk)) == 2)
        assert causes == ["cause"]
        # A refresh brings the whole state, and so does REGISTER.
        refreshed = await desk.subscribe("44", event=SUMMARY, within=answer)
        assert refreshed.status == 200
        await desk.until(lambda: len(summaries(desk)) == 3)
        await desk.register()
        await desk.until(lambda: len(summaries(desk)) == 4)
        ended = await desk.subscribe("44", event=SUMMARY, within=answer, expires=0)
        assert ended.status == 200
        await desk.until(lambda: len(summaries(desk)) == 5)
        assert desk.notices[-1].get("Subscription-State") == "terminated;reason=timeout"
        assert summaries(desk) == ["no 0/0 (0/0)", *4 * ["yes 2/8 (0/0)"]]
        phone.show_messages(ONE)
        await desk.shows("4")
        assert len(summaries(desk)) == 5
        assert not phone.has_subscribed_messages


@pytest.mark.parametrize("speakers", list(Speakers))
def test_no_choice_of_how_keys_are_sent_changes_it(speakers: Speakers) -> None:
    """Documents have no such lamp; and no key is affected by it."""

    async def test() -> None:
        keys = [setup("1"), setup("2")]
        phone = Phone(phone_setup(keys=keys, speakers=speakers))
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk)
            for key in () if speakers is Speakers.BUTTONS else "12":
                await desk.subscribe(key)
            await asyncio.sleep(3)
            assert (phone.in_sync, phone.refusal) == (True, None)
            for change in Speakers:
                phone.configure(phone_setup(keys=keys, speakers=change))
            phone.configure(phone_setup(keys=keys, speakers=speakers))
            before = len(summaries(desk))
            desk.requests.clear()
            phone.show_messages(ONE)
            await asyncio.sleep(1)
            assert summaries(desk)[before:] == ["yes 1/0 (0/0)"]

    jumping(test)


@pytest.mark.parametrize(("resource", "status"), [("45", 403), ("1", 404), ("46", 404)])
async def test_only_its_own_messages(resource: str, status: int) -> None:
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        add_phone(server, make_phone("45"))
        await desk.register()
        answer = await desk.subscribe(resource, event=SUMMARY)
        assert answer.status == status
        # Nor are its own dialogs a key.
        assert (await desk.subscribe("44")).status == 404


def test_a_key_with_the_name_of_the_phone_is_another_resource() -> None:
    async def test() -> None:
        phone = Phone(phone_setup(keys=[setup("44")]))
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk)
            await desk.shows("44")
            phone.keys["44"].show(lit("44"))
            await desk.shows("44", c="on")
            assert (await desk.subscribe("44")).status == 200
            await asyncio.sleep(1)
            notices = [n.get("Event") for n in desk.notices]
            assert notices == [SUMMARY, "dialog"]
            phone.show_messages(ONE)
            await asyncio.sleep(1)
            assert summaries(desk) == ["no 0/0 (0/0)", "yes 1/0 (0/0)"]

    jumping(test)


async def test_it_outlives_a_restart() -> None:
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        await subscribe(desk)
        server.phones["44"].show_messages(SOME)
        snapshot, port = server.snapshot(), server.address[1]
        await server.stop()
        desk.notices.clear()
        async with serving(again := make_phone(), snapshot=snapshot, port=port):
            await desk.until(lambda: len(summaries(desk)) == 1)
            assert summaries(desk) == ["yes 2/8 (0/0)"]
            assert again.waiting == SOME
            again.show_messages(NONE)
            await desk.until(lambda: len(summaries(desk)) == 2)


@pytest.mark.parametrize(
    "broken", [7, {}, {"new": 1}, {"new": -1, "old": 0}, {"new": 1, "old": 2**32}, []]
)
async def test_stored_messages_that_are_broken(
    broken: object, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(make_phone()) as server:
        snapshot = server.snapshot()
    snapshot["phones"]["44"]["messages"] = broken
    async with serving(again := make_phone(), snapshot=snapshot):
        assert again.waiting == NONE
    assert "stored messages of phone 44 cannot be read" in caplog.text


async def test_another_extension_keeps_what_waits() -> None:
    async with serving(make_phone()) as server:
        before = server.phones["44"]
        before.show_messages(SOME)
        server.remove_phone("44")
        assert server.add_phone(phone_setup("46"), before).waiting == SOME


@pytest.mark.parametrize("status", [404, 481, 489])
def test_a_refusal_that_ends_it(status: int) -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk)
            desk.notice_answers["44"] = status
            phone.show_messages(ONE)
            await asyncio.sleep(100)
            assert len(summaries(desk)) == 2
            assert not phone.has_subscribed_messages
            assert (phone.in_sync, phone.refusal) == (True, None)
            assert set(desk.keys) == set("1234")
            phone.show_messages(NONE)
            phone.keys["1"].show(lit("1"))
            await desk.shows("1", c="on")
            assert len(summaries(desk)) == 2

    jumping(test)


def test_a_summary_that_is_refused_is_sent_again_and_reported() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await subscribe(desk)
            desk.notice_answers["44"] = 500
            phone.show_messages(ONE)
            await asyncio.sleep(40)
            assert (phone.in_sync, phone.refusal) == (False, "500 Whatever")
            with pytest.raises(Failed, match="phone_refused"):
                await phone.send_all(5.0)
            del desk.notice_answers["44"]
            await asyncio.sleep(60)
            assert (phone.in_sync, phone.refusal) == (True, None)
            assert await phone.send_all(5.0) == ["200 Whatever"]
            assert summaries(desk)[-1] == "yes 1/0 (0/0)"

    jumping(test)


async def test_the_lamp_alone_is_not_all_that_a_phone_shows() -> None:
    keys = [setup(name) for name in ("1", "2", "10")]
    phone = Phone(phone_setup(keys=keys, speakers=Speakers.BLF))
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await subscribe(desk)
        with pytest.raises(Failed, match="key_not_subscribed") as caught:
            await phone.send_all(5.0)
        assert caught.value.placeholders["value"] == "1, 2, 10"
        await desk.subscribe("2")
        assert await phone.send_all(5.0) == ["200 Whatever"]


async def test_strange_accounts_break_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """To is the phone's; it is repeated as the account."""
    caplog.set_level(logging.WARNING)
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        uri = f"sip:44@{desk.host}"
        headers = (f"Event: {SUMMARY}", "Expires: 3600")
        for to in ("4\u00a04", "4\u20284", "%0d%0a"):
            contact = f"Contact: <sip:44@{desk.address}>"
            answer = await desk._authorized(
                "SUBSCRIBE", uri, to=to, headers=(*headers, contact)
            )
            assert answer.status in (200, 400)
        await desk.shows("4")
    assert not caplog.records
