"""Subscriptions of phones that are not ours: sipp's, and some behind Kamailio."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from dataclasses import replace
from pathlib import Path
import sys

import pytest

from custom_components.snom_buttons.engine.dialoginfo import DialogState
from custom_components.snom_buttons.engine.phones import Phone, Speakers
from custom_components.snom_buttons.engine.xbuttons import LightMode
from tests.support.kamailio import proxying
from tests.support.notifying import LOCALHOST, PASSWORDS, notifying
from tests.support.patience import PATIENCE
from tests.support.peers import Account, Linphone
from tests.support.programs import program
from tests.support.running import running
from tests.support.serving import PASSWORD, lit, phone_setup, serving, setup

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

SCENARIO = Path(__file__).parent / "sipp" / "subscribe.xml"


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_sipp_subscribes(transport: str, tmp_path: Path) -> None:
    """Subscribe, two NOTIFYs, refresh, unsubscribe, and a dialog that is no more."""
    async with notifying() as server:
        host, port = server.address
        await server.endpoint.open(host, port, transport="TCP")
        process = await asyncio.create_subprocess_exec(
            *(program("sipp"), f"{host}:{port}", "-i", LOCALHOST, "-t", transport),
            *("-sf", SCENARIO, "-au", "44", "-ap", PASSWORDS["44"]),
            *("-m", "1", "-timeout", "20s", "-timeout_error", "-nostdin"),
            *("-trace_err", "-error_file", tmp_path / "errors.log"),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            cwd=tmp_path,
        )
        async with asyncio.timeout(PATIENCE):
            await server.notified.wait()
        server.show("1", DialogState.EARLY)
        printed, _ = await process.communicate()
        errors = tmp_path / "errors.log"
        assert process.returncode == 0, (
            f"{printed.decode(errors='replace')[-3000:]}\n"
            f"{errors.read_text() if errors.exists() else ''}"
        )
        assert server.subscriptions() == ()


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
