"""Subscriptions outlive a restart of the server, and the phones are not asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
import re
from typing import Any

import pytest

from custom_components.snom_buttons.engine.phones import Phone, PhoneServer, Speakers
from custom_components.snom_buttons.engine.phones.contact import RESTORED_PATIENCE
from custom_components.snom_buttons.engine.xbuttons import LightMode
from tests.support.rawphone import RawMessage, RawPhone
from tests.support.rawstream import StreamPhone
from tests.support.serving import (
    PASSWORD,
    base,
    jumping,
    make_phone,
    phone_setup,
    raw_phone,
    serving,
    setup,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")


def version_of(notice: RawMessage) -> int:
    found = re.search(r' version="(\d+)"', notice.body)
    assert found is not None
    return int(found[1])


def cseq_of(notice: RawMessage) -> int:
    return int(notice.get("CSeq").split()[0])


def states_of(notices: list[RawMessage]) -> list[str]:
    """Return the states of NOTIFYs, in the order of their keys."""
    states = {n.get("From"): re.findall("<state>(.+)</state>", n.body) for n in notices}
    return [state for key in sorted(states) for state in states[key]]


@asynccontextmanager
async def subscribed(
    *keys: str,
) -> AsyncIterator[tuple[PhoneServer, RawPhone, list[RawMessage]]]:
    """Run a server, whose phone has subscribed to keys; with the answers."""
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        answers = [await desk.subscribe(key) for key in keys]
        await desk.until(lambda: len(desk.notices) == len(keys))
        await asyncio.sleep(0.1)
        yield server, desk, answers


async def stopped(server: PhoneServer, desk: RawPhone) -> dict[str, Any]:
    """Stop a server; return what it stored, and where it was."""
    stored = {"snapshot": server.snapshot(), "port": server.address[1]}
    await server.stop()
    desk.notices.clear()
    desk.keys.clear()
    return stored


async def test_the_whole_picture_comes_in_the_same_dialogs() -> None:
    async with subscribed("1", "2") as (server, desk, answers):
        server.phones["44"].keys["2"].show(base("2", light=LightMode.PICKUP))
        await desk.until(lambda: len(desk.notices) == 3)
        before = desk.notices[:]
        async with serving(make_phone(), **await stopped(server, desk)) as second:
            await desk.until(lambda: len(desk.notices) == 2)
            assert states_of(desk.notices) == ["terminated", "early"]
            for notice in desk.notices:
                call_id = notice.get("Call-ID")
                (answer,) = (a for a in answers if a.get("Call-ID") == call_id)
                assert notice.get("From") == answer.get("To")
                assert notice.get("To") == answer.get("From")
                same = [n for n in before if n.get("Call-ID") == call_id]
                assert cseq_of(notice) > max(map(cseq_of, same))
                assert version_of(notice) > max(map(version_of, same))
            # The dialogs go on, with presses.
            desk.notices.clear()
            answer = await desk.subscribe("1", within=answers[0])
            assert (answer.status, answer.get("Expires")) == (200, "3600")
            pressed: list[str] = []
            second.pressed.subscribe(lambda press: pressed.append(press.key))
            await desk.invite("2")
            assert pressed == ["2"]
            ended = await desk.subscribe("2", within=answers[1], expires=0)
            assert ended.status == 200
            await desk.until(lambda: len(desk.notices) == 2)
            state = desk.notices[-1].get("Subscription-State")
            assert state == "terminated;reason=timeout"


async def test_a_subscription_is_stored_soon() -> None:
    async with serving(make_phone()) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("4")
        changes: list[str | None] = []
        server.changed.subscribe(lambda change: changes.append(change.extension))
        answer = await desk.subscribe("1")
        assert changes == ["44"]
        await desk.subscribe("1", within=answer, expires=0)
        assert changes == ["44", "44"]
        assert server.phone_snapshot("44")["subscriptions"] == []


@pytest.mark.parametrize(
    ("setups", "settings"),
    [
        ({"password": "another"}, {}),
        ({"address": ("127.0.0.1", 5060)}, {}),
        ({"speakers": Speakers.BUTTONS}, {}),
        ({"keys": [setup("2")]}, {}),
        ({}, {"networks": (ip_network("192.0.2.0/24"),)}),
    ],
    ids=["password", "address", "buttons", "key", "network"],
)
async def test_what_is_not_restored(
    setups: dict[str, Any], settings: dict[str, Any]
) -> None:
    async with subscribed("1") as (server, desk, _):
        stored = await stopped(server, desk)
        again = Phone(phone_setup(**{"keys": [setup("1")]} | setups))
        async with serving(again, **stored, **settings) as second:
            assert second._notifier.subscriptions("44") == ()
            assert desk.notices == []


async def test_a_dialog_that_was_not_stored_ends_by_481() -> None:
    """The phone then subscribes anew (RFC 6665 4.1.2.2)."""
    async with subscribed("1") as (server, desk, answers):
        stored = await stopped(server, desk)
        del stored["snapshot"]["phones"]["44"]["subscriptions"]
        async with serving(make_phone(), **stored):
            assert (await desk.subscribe("1", within=answers[0])).status == 481
            assert (await desk.subscribe("1")).status == 200


async def test_a_phone_that_was_restarted_meanwhile_has_lost_its_own() -> None:
    async with subscribed("1") as (server, desk, _):
        stored = await stopped(server, desk)
        desk.notice_answers["1"] = 481
        async with serving(make_phone(), **stored) as second:
            await desk.until(lambda: len(desk.notices) == 1)
            await desk.shows("1")  # as a document, until it subscribes again
            assert second._notifier.subscriptions("44") == ()


async def test_subscriptions_by_a_connection_end_with_it() -> None:
    phone = make_phone()
    async with (
        serving(phone, tcp_port=0) as server,
        StreamPhone(server.address_of("TCP"), "44", PASSWORD) as desk,
    ):
        await desk.register()
        assert (await desk.subscribe("1")).status == 200
        assert len(server._notifier.subscriptions("44")) == 1
        assert server.phone_snapshot("44")["subscriptions"] == []


def test_they_expire_when_they_would_have() -> None:
    async def test() -> None:
        async with subscribed("1") as (server, desk, _):
            stored = await stopped(server, desk)
            saved = stored["snapshot"]["phones"]["44"]["subscriptions"]
            saved[0]["expires_at"] -= 3000
            async with serving(make_phone(), **stored) as second:
                await asyncio.sleep(550)
                assert len(second._notifier.subscriptions("44")) == 1
                await asyncio.sleep(60)
                assert second._notifier.subscriptions("44") == ()
                state = desk.notices[-1].get("Subscription-State")
                assert state == "terminated;reason=timeout"

    jumping(test)


def test_those_of_a_phone_that_is_gone_end_with_its_registration() -> None:
    """What was stored is no sign that the phone is there."""

    async def test() -> None:
        async with subscribed("1") as (server, desk, _):
            stored = await stopped(server, desk)
            again = make_phone()
            async with serving(again, **stored) as second:
                desk.answer = None
                await asyncio.sleep(RESTORED_PATIENCE - 1)
                assert again.registrations
                await asyncio.sleep(400)
                assert not again.registrations
                assert second._notifier.subscriptions("44") == ()

    jumping(test)
