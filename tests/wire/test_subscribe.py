"""Subscriptions of phones that are not ours: sipp's, and some behind Kamailio."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
import re
import sys

import pytest

from custom_components.snom_buttons.engine.dialoginfo import DialogState
from custom_components.snom_buttons.engine.phones import Phone, Speakers
from custom_components.snom_buttons.engine.xbuttons import LightMode
from tests.support.entries import PASSWORD as ENTRY_PASSWORD
from tests.support.kamailio import proxying
from tests.support.killed import ask, started, stored
from tests.support.notifying import LOCALHOST, notifying
from tests.support.patience import PATIENCE
from tests.support.peers import Account, Linphone
from tests.support.ports import free_port
from tests.support.programs import program
from tests.support.rawphone import RawMessage
from tests.support.running import running
from tests.support.serving import PASSWORD, lit, phone_setup, serving, setup
from tests.support.sipp import lamps, sipp, succeeded, until

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

STATES = ("early", "confirmed", "terminated")
"""Of keys 1 to 3 after the phone has come back."""


def blf_phone() -> Phone:
    keys = [setup(key) for key in "123"]
    return Phone(phone_setup(keys=keys, speakers=Speakers.BLF))


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_sipp_subscribes(transport: str, tmp_path: Path) -> None:
    """Subscribe, two NOTIFYs, refresh, unsubscribe, and a dialog that is no more."""
    phone = blf_phone()
    udp, tcp = free_port(), free_port()
    async with serving(phone, port=udp, tcp_port=tcp, keepalive=0.0) as server:
        process = await sipp(
            tcp if transport == "t1" else udp,
            "subscribe.xml",
            tmp_path,
            *("-t", transport),
            password=PASSWORD,
        )
        await until(lambda: phone.has_taken("1") and phone.available)
        phone.keys["1"].show(lit("1", LightMode.PICKUP))
        await succeeded(process, tmp_path)
        assert server._notifier.subscriptions("44") == ()


async def test_sipp_dies_and_comes_back(tmp_path: Path) -> None:
    """Its lamps follow in new dialogs, and the dead ones end by its 481, at once."""
    phone = blf_phone()
    own = free_port()
    async with serving(phone, keepalive=0.0) as server:
        port = server.address[1]
        options = {"password": PASSWORD, "others": "dead.xml"}
        async with lamps(port, own, tmp_path / "first", **options) as first:
            for key in "123":
                await first.shows(key, "terminated")
            phone.keys["2"].show(lit("2"))
            await first.shows("2", "confirmed")
            await until(lambda: phone.in_sync)
        dead = {it.key for it in server._notifier.subscriptions("44")}
        assert len(dead) == 3
        phone.keys["1"].show(lit("1", LightMode.PICKUP))
        async with lamps(port, own, tmp_path / "second", **options) as second:
            for key, state in zip("123", STATES, strict=True):
                await second.shows(key, state)
            held = server._notifier.subscriptions
            await until(lambda: len(held("44")) == 3 and phone.in_sync)
            assert dead.isdisjoint(it.key for it in held("44"))
            phone.keys["3"].show(lit("3"))
            phone.keys["1"].show(lit("1"))
            await second.shows("3", "confirmed")
            await second.shows("1", "confirmed")
            await until(lambda: phone.in_sync)
            # One when the key changed, and one with the whole picture.
            calls = {key.call_id for key in dead}
            late = [it for it in second.notices if it.get("Call-ID") in calls]
            assert len({(it.get("Call-ID"), it.get("CSeq")) for it in late}) <= 4
            own_ones = [it for it in second.notices if it not in late]
            assert len({(it.get("Call-ID"), it.get("CSeq")) for it in own_ones}) <= 8
            assert phone.traffic.sent < 30


async def test_home_assistant_is_killed(tmp_path: Path) -> None:
    """NOTIFYs go on in the dialogs of before, and their CSeq and version rise."""
    port, home = free_port(), tmp_path / "home"
    home.mkdir()
    async with AsyncExitStack() as stack:
        async with started(home, port) as program:
            desk = await stack.enter_async_context(
                lamps(
                    port,
                    free_port(),
                    tmp_path / "phone",
                    password=ENTRY_PASSWORD,
                    others="refused.xml",
                )
            )
            for key in "123":
                await desk.shows(key, "terminated")
            assert await ask(program, "turn") == "shows on Key 1"
            await desk.shows("3", "confirmed")
            for key in "123":
                await stored(home, desk.dialog(key)[0].get("Call-ID"))
            await stored(home, "c=on")
        before = {key: desk.dialog(key)[:] for key in "123"}
        async with started(home, port) as program:
            for key, state in zip(
                "123", ("terminated", "terminated", "confirmed"), strict=True
            ):
                await until(lambda key=key: len(desk.dialog(key)) > len(before[key]))
                last, notice = before[key][-1], await desk.shows(key, state)
                assert notice.get("Call-ID") == last.get("Call-ID")
                assert notice.get("From") == last.get("From")
                assert notice.get("Subscription-State").startswith("active;expires=")
                assert cseq_of(notice) > cseq_of(last)
                assert version_of(notice) > version_of(last)
            assert await ask(program, "turn") == "shows off Key 1"
            notice = await desk.shows("3", "terminated")
            assert notice.get("Subscription-State").startswith("active;expires=")


def cseq_of(notice: RawMessage) -> int:
    return int(notice.get("CSeq").split()[0])


def version_of(notice: RawMessage) -> int:
    found = re.search(r'version="(\d+)"', notice.body)
    assert found
    return int(found[1])


async def test_behind_kamailio(tmp_path: Path) -> None:
    """It puts itself into the dialog (Record-Route), whose requests it has to relay."""
    async with notifying() as server, proxying(server.address[1], tmp_path) as proxy:
        through = (LOCALHOST, proxy.port)
        async with server.phone(through=through) as desk:
            await desk.register()
            answer = await desk.subscribe("1")
            assert answer.status == 200
            (route,) = answer.all("Record-Route")
            assert f":{proxy.port};lr" in route
            (subscription,) = server.subscriptions()
            assert subscription.route == (route,)
            assert subscription.forwarded
            await desk.until(lambda: len(desk.notices) == 1)
            server.show("1", DialogState.EARLY)
            await desk.until(lambda: len(desk.notices) == 2)
            notice = desk.notices[1]
            assert notice.start == f"NOTIFY sip:44@{desk.address} SIP/2.0"
            # The proxy was first in the Route and removed itself.
            assert len(notice.all("Via")) == 2
            assert notice.all("Route") == []
            again = await desk.subscribe("1", f"Route: {route}", within=answer)
            assert again.status == 200
            await desk.until(lambda: len(desk.notices) == 3)
            ended = await desk.subscribe(
                "1", f"Route: {route}", within=answer, expires=0
            )
            assert ended.status == 200
            await desk.until(lambda: len(desk.notices) == 4)
            state = desk.notices[3].get("Subscription-State")
            assert state == "terminated;reason=timeout"
            assert server.subscriptions() == ()


async def test_many_notifies_through_kamailio(tmp_path: Path) -> None:
    """Their answers are in the share of the phone, not in one of all that is behind it."""
    keys = [f"{n}" for n in range(1, 41)]
    async with (
        notifying() as server,
        proxying(server.address[1], tmp_path) as proxy,
        server.phone(through=(LOCALHOST, proxy.port)) as desk,
    ):
        await desk.register()
        for key in keys:
            assert (await desk.subscribe(key)).status == 200
        for n in range(10):
            for key in keys:
                server.show(key, [DialogState.EARLY, DialogState.CONFIRMED][n % 2])
        await server.idle()
        assert not any(server.guard.drops.counts.values())
        assert len(desk.notices) == 11 * len(keys)  # none was repeated


async def test_phones_behind_kamailio_share_a_flow(tmp_path: Path) -> None:
    """So the flow proves nothing: each SUBSCRIBE is challenged."""
    async with notifying() as server, proxying(server.address[1], tmp_path) as proxy:
        through = (LOCALHOST, proxy.port)
        async with (
            server.phone(through=through) as victim,
            server.phone("45", through=through) as attacker,
        ):
            for desk in (victim, attacker):
                await desk.register()
            answer = await victim.subscribe("1")
            attacker._line, attacker.extension = victim._line, "44"
            assert (
                await attacker.subscribe("1", within=answer, expires=0)
            ).status == 401
            attacker.username = "45"
            assert (
                await attacker.subscribe("1", within=answer, expires=0)
            ).status == 403
            assert (await attacker.subscribe("2")).status == 403
            assert len(server.subscriptions()) == 1


async def test_linphone_subscribes_to_a_key(tmp_path: Path) -> None:
    """At the whole server: its lamp follows, and it unsubscribes."""
    program("linphonec")  # of the same package as the library
    phone = Phone(phone_setup(keys=[setup("1")], speakers=Speakers.BLF))
    async with serving(phone) as server:
        port = server.address[1]
        Linphone.set_up(Account("44", PASSWORD, "ha", port, "udp"), tmp_path)
        async with running(
            sys.executable,
            Path(__file__).with_name("linphone_subscriber.py"),
            tmp_path / "linphonerc",
            f"sip:1@{LOCALHOST}:{port}",
            home=tmp_path,
        ) as linphone:
            await linphone.says("subscription active")
            await linphone.says('version="0".* <state>terminated</state>')
            phone.keys["1"].show(replace(lit("1", LightMode.PICKUP), caller="Door"))
            await linphone.says('version="1".* <state>early</state> .* display="Door"')
            phone.keys["1"].show(lit("1"))
            await linphone.says('version="2".* <state>confirmed</state>')
            await linphone.write_line("end")
            await linphone.says("subscription terminated")
            async with asyncio.timeout(PATIENCE):
                while server._notifier.subscriptions("44"):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            assert phone.available
