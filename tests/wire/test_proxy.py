"""Kamailio between phones and server: Via, Record-Route, and Path (RFC 3327)."""

from __future__ import annotations

from contextlib import AsyncExitStack
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.snom_buttons.engine.phones import KeyPress
from tests.support.certificates import make_certificate
from tests.support.kamailio import Kamailio, proxying
from tests.support.patience import PATIENCE
from tests.support.peers import LOCALHOST, PEERS, Account
from tests.support.ports import free_port
from tests.support.rawphone import RawPhone
from tests.support.serving import lit
from tests.support.serving_peers import (
    PASSWORD,
    REALM,
    make_phone,
    serving,
    settings_for,
)

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

OTHER_PASSWORD = "geheim45"


def behind(
    proxy: Kamailio, server: Any, extension: str = "44", **options: Any
) -> RawPhone:
    """Return a phone that knows buttons, behind the proxy."""
    password = PASSWORD if extension == "44" else OTHER_PASSWORD
    through = (LOCALHOST, proxy.port)
    return RawPhone(server.address, extension, password, through=through, **options)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_registration_documents_and_presses_pass_through(
    algorithm: str, tmp_path: Path
) -> None:
    phone = make_phone()
    presses: list[KeyPress] = []
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            serving(phone, settings=settings_for("udp"))
        )
        server.pressed.subscribe(presses.append)
        proxy = await stack.enter_async_context(
            proxying(server.address[1], tmp_path / "proxy")
        )
        desk = await stack.enter_async_context(
            behind(proxy, server, algorithm=algorithm)
        )

        answer = await desk.register()
        assert answer.status == 200
        assert len(answer.all("Via")) == 1
        (path,) = answer.all("Path")
        assert f"127.0.0.1:{proxy.port};lr;received=" in path
        assert phone.registration is not None
        assert phone.registration.address == f"udp {LOCALHOST}:{proxy.port}"

        await desk.shows("4")
        (document,) = desk.requests
        # The proxy was first in the Route and removed itself.
        assert len(document.all("Via")) == 2
        assert document.all("Route") == []
        assert document.start.startswith(f"MESSAGE sip:44@{desk.address};line=")

        # So does the request to fetch settings.
        await phone.check_sync(reboot=False, within=PATIENCE)
        (notice,) = desk.notices
        assert len(notice.all("Via")) == 2
        assert notice.all("Route") == []
        assert notice.get("Event") == "check-sync;reboot=false"

        assert (await desk.press("1")).status == 200
        assert (await desk.invite("4711")).status == 486
        assert [press.key for press in presses] == ["1"]

        # Its registration outlives the server, and so does its Path.
        snapshot = json.loads(json.dumps(server.snapshot()))
        settings = settings_for("udp", port=server.address[1])
        await server.stop()
        desk.keys.clear()
        again = make_phone()
        server = await stack.enter_async_context(
            serving(again, settings=settings, snapshot=snapshot)
        )
        server.pressed.subscribe(presses.append)
        await desk.shows("4")
        assert (await desk.press("2")).status == 200
        assert [press.key for press in presses] == ["1", "2"]
        assert (await desk.unregister()).status == 200
        assert not again.available


async def test_a_phone_behind_the_proxy_cannot_press_keys_of_another(
    tmp_path: Path,
) -> None:
    """All of them share one flow, so the flow proves nothing."""
    phones = (make_phone(), make_phone("45", OTHER_PASSWORD))
    presses: list[KeyPress] = []
    async with (
        serving(*phones, settings=settings_for("udp")) as server,
        proxying(server.address[1], tmp_path / "proxy") as proxy,
        behind(proxy, server) as victim,
        behind(proxy, server, "45") as attacker,
    ):
        server.pressed.subscribe(presses.append)
        for desk in (victim, attacker):
            assert (await desk.register()).status == 200
            await desk.shows("4")
        # With the attacker's password, in the name of 44.
        attacker.extension = "44"
        assert (await attacker.press("1")).status == 401
        assert (await attacker.invite("key1")).status == 401
        # With the attacker's name and password, except in From.
        attacker.username = "45"
        assert (await attacker.press("1")).status == 403
        assert (await attacker.invite("key1")).status == 403
        assert presses == []
        attacker.extension = "45"
        assert (await attacker.press("1")).status == 200
        assert [press.extension for press in presses] == ["45"]


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("name", PEERS)
async def test_a_phone_that_knows_no_buttons(
    name: str, transport: str, tmp_path: Path
) -> None:
    """With each transport between phone and proxy."""
    certificate = make_certificate(tmp_path) if transport == "tls" else None
    phone = make_phone()
    async with (
        serving(phone, settings=settings_for("udp")) as server,
        proxying(server.address[1], tmp_path / "proxy", certificate) as proxy,
    ):
        port = proxy.port_of(transport)
        account = Account("44", PASSWORD, REALM, port, transport, certificate)
        async with PEERS[name](account, tmp_path / name) as peer:
            await proxy.program.says(f"REGISTER from {transport} ")
            await peer.is_registered()
            await peer.has_refused_a_document()
            assert await peer.send("hello") == 415
            await proxy.program.says(f"MESSAGE from {transport} ")
            assert peer.program.is_running()
            assert phone.available
            assert not phone.in_sync


async def test_subscriptions_of_two_contacts_of_a_phone(tmp_path: Path) -> None:
    """They share the flow; each gets the keys that it has subscribed to."""
    phone = make_phone()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            serving(phone, settings=settings_for("udp"))
        )
        proxy = await stack.enter_async_context(
            proxying(server.address[1], tmp_path / "proxy")
        )
        desk = await stack.enter_async_context(behind(proxy, server))
        hall = await stack.enter_async_context(behind(proxy, server))
        for each, key in ((desk, "1"), (hall, "2")):
            await each.register()
            await each.shows("4")
            assert (await each.subscribe(key)).status == 200
            await each.until(lambda each=each: len(each.notices) == 1)  # type: ignore[misc]
            each.requests.clear()
        for key in "12":
            phone.keys[key].show(lit(key))
        await desk.shows("2", c="on")
        await hall.shows("1", c="on")
        for each, key in ((desk, "1"), (hall, "2")):
            await each.until(lambda each=each: len(each.notices) == 2)  # type: ignore[misc]
            notice = each.notices[1]
            assert "<state>confirmed</state>" in notice.body
            assert f"sip:{key}@" in notice.get("From")
            (document,) = each.requests
            assert f"k={key}" not in document.body


async def test_blf_keys_of_a_phone_behind_the_proxy(tmp_path: Path) -> None:
    """Subscribe, lamp, press, restart of the server, refresh and end pass through."""
    phone, again = make_phone(), make_phone()
    presses: list[str] = []
    async with proxying(port := free_port(), tmp_path / "proxy") as proxy:
        settings = settings_for("udp", port)
        through = (LOCALHOST, proxy.port)
        async with AsyncExitStack() as stack:
            async with serving(phone, settings=settings) as server:
                server.pressed.subscribe(lambda press: presses.append(press.key))
                desk = await stack.enter_async_context(
                    RawPhone(server.address, "44", PASSWORD, through=through)
                )
                await desk.register()
                answer = await desk.subscribe("1")
                assert answer.status == 200
                (route,) = answer.all("Record-Route")
                assert f":{proxy.port};lr" in route
                await desk.until(lambda: len(desk.notices) == 1)
                phone.keys["1"].show(lit("1"))
                await desk.until(lambda: len(desk.notices) == 2)
                assert (await desk.invite("1")).status == 486
                assert presses == ["1"]
                snapshot = json.loads(json.dumps(server.snapshot()))
            async with serving(again, settings=settings, snapshot=snapshot) as server:
                server.pressed.subscribe(lambda press: presses.append(press.key))
                await desk.until(lambda: len(desk.notices) == 3)
                ours = f"Route: {route}"
                refreshed = await desk.subscribe("1", ours, within=answer)
                assert refreshed.status == 200
                await desk.until(lambda: len(desk.notices) == 4)
                assert (await desk.invite("1")).status == 486
                ended = await desk.subscribe("1", ours, within=answer, expires=0)
                assert ended.status == 200
                await desk.until(lambda: len(desk.notices) == 5)
    assert presses == ["1", "1"]
    dialog = {(n.get("Call-ID"), n.get("From"), n.get("To")) for n in desk.notices}
    assert dialog == {
        (answer.get("Call-ID"), answer.get("To"), answer.get("From")),
    }
    cseqs = [int(notice.get("CSeq").split()[0]) for notice in desk.notices]
    assert cseqs == sorted(set(cseqs))
    for notice in desk.notices:
        # The proxy was first in the Route and removed itself.
        assert len(notice.all("Via")) == 2
        assert notice.all("Route") == []
        assert notice.start == f"NOTIFY sip:44@{desk.address} SIP/2.0"
