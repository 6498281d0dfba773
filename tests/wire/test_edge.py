"""The edge of deploy/ in front of the server: it learns who has registered by which flow."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from custom_components.snom_buttons.engine.phones import PhoneServer, asking_edges
from custom_components.snom_buttons.engine.sip.guard import FAILURES
from custom_components.snom_buttons.hub.certificate import (
    CertificateFiles,
    load_certificate,
)
from tests.support.certificates import make_certificate
from tests.support.kamailio import Kamailio, edge
from tests.support.peers import LOCALHOST
from tests.support.rawphone import RawPhone
from tests.support.serving_peers import PASSWORD, make_phone, serving, settings_for
from tests.support.sipp import SCENARIOS, sipp, succeeded

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

EDGES = (ip_network(f"{LOCALHOST}/32"),)
ELSEWHERE = "127.0.0.66"


class Desk(RawPhone):
    """A phone that counts its requests, and writes lines into all of them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.requests_sent: list[str] = []
        self.lines: list[str] = []

    def _text(self, start: str, headers: Iterable[str], body: str) -> bytes:  # type: ignore[override]
        lines = list(headers)
        if not start.startswith("SIP/2.0"):
            self.requests_sent.append(start.split(maxsplit=1)[0])
            lines += self.lines
        return RawPhone._text(start, lines, body)


def behind(
    proxy: Kamailio, server: PhoneServer, extension: str = "44", **options: Any
) -> Desk:
    through = (LOCALHOST, proxy.port)
    return Desk(server.address, extension, PASSWORD, through=through, **options)


async def requests_of(desk: Desk) -> list[str]:
    """Send a press, a call and a SUBSCRIBE; return what had to be sent for them."""
    desk.requests_sent.clear()
    assert (await desk.press("1", number="key1")).status == 200
    assert (await desk.invite("key2")).status == 486
    assert (await desk.subscribe("3")).status == 200
    return [method for method in desk.requests_sent if method != "ACK"]


ONCE = ["MESSAGE", "INVITE", "SUBSCRIBE"]
TWICE = ["MESSAGE", "MESSAGE", "INVITE", "INVITE", "SUBSCRIBE", "SUBSCRIBE"]


async def test_a_press_costs_one_round_trip(tmp_path: Path) -> None:
    """By a flow that has registered, until it ends, and until Kamailio starts anew."""
    phone = make_phone()
    pressed: list[str] = []
    async with AsyncExitStack() as stack:
        settings = settings_for("udp", edges=EDGES)
        server = await stack.enter_async_context(serving(phone, settings=settings))
        server.pressed.subscribe(lambda press: pressed.append(press.key))
        async with edge([server.address[1]], tmp_path / "one") as proxy:
            desk = await stack.enter_async_context(behind(proxy, server))
            assert await requests_of(desk) == TWICE
            assert (await desk.register()).status == 200
            assert await requests_of(desk) == ONCE
            # What comes by another flow has not registered, whatever it says.
            async with behind(proxy, server) as other:
                assert await requests_of(other) == TWICE
            assert (await desk.unregister()).status == 200
            assert await requests_of(desk) == TWICE
            assert (await desk.register()).status == 200
            assert await requests_of(desk) == ONCE
        async with edge(
            [server.address[1]], tmp_path / "two", port=proxy.port
        ) as proxy:
            # The new process has learned nothing: digest takes its place meanwhile.
            assert await requests_of(desk) == TWICE
            assert (await desk.register()).status == 200
            assert await requests_of(desk) == ONCE
    assert pressed == ["1", "2"] * 7


async def test_an_edge_that_is_not_configured(tmp_path: Path) -> None:
    async with (
        serving(make_phone(), settings=settings_for("udp")) as server,
        edge([server.address[1]], tmp_path, PROBE=3600) as proxy,
        behind(proxy, server) as desk,
    ):
        assert (await desk.register()).status == 200
        assert await requests_of(desk) == TWICE


@pytest.mark.parametrize("registers", [True, False])
async def test_a_phone_that_asserts_another_user(
    registers: bool, tmp_path: Path
) -> None:
    """Kamailio strips what phones say, in any spelling."""
    pressed: list[str] = []
    settings = settings_for("udp", edges=EDGES)
    async with (
        serving(make_phone(), make_phone("45"), settings=settings) as server,
        edge([server.address[1]], tmp_path) as proxy,
        behind(proxy, server) as owner,
        behind(proxy, server, "45") as attacker,
    ):
        server.pressed.subscribe(lambda press: pressed.append(press.extension))
        assert (await owner.register()).status == 200
        if registers:
            assert (await attacker.register()).status == 200
        attacker.extension, attacker.username = "44", "45"
        for line in (
            "P-Asserted-Identity: <sip:44@edge.example>",
            "p-asserted-identity : <sip:44@edge.example>",
            "P-ASSERTED-IDENTITY:\r\n <sip:44@edge.example>",
            "P-Preferred-Identity: <sip:44@edge.example>",
        ):
            attacker.lines = [line, line]
            attacker.password = "wrong"
            assert (await attacker.press("1", number="key1")).status == 401
            attacker.password = PASSWORD
            assert (await attacker.press("1", number="key1")).status == 403
            assert (await attacker.invite("key1")).status == 403
            assert (await attacker.subscribe("1")).status == 403
        assert pressed == []
        # What Kamailio itself asserts of the owner is not changed by what that says.
        owner.lines = ["P-Asserted-Identity: <sip:45@edge.example>"]
        assert await requests_of(owner) == ONCE
        assert pressed == ["44", "44"]


async def test_wrong_passwords_lock_out_their_address(tmp_path: Path) -> None:
    """Kamailio names it by `received`, whatever the phone has written there."""
    settings = settings_for("udp", edges=EDGES)
    async with (
        serving(make_phone(), settings=settings) as server,
        edge([server.address[1]], tmp_path) as proxy,
        behind(proxy, server) as owner,
        behind(proxy, server, host=ELSEWHERE) as attacker,
    ):
        attacker.password = "wrong"
        for _ in range(FAILURES):
            assert (await attacker.register()).status == 401
        assert server.locked == [f"{ELSEWHERE} 44"]
        attacker.password = PASSWORD
        assert (await attacker.register()).status == 401
        assert (await owner.register()).status == 200
        assert await requests_of(owner) == ONCE


async def test_a_phone_on_ipv6(tmp_path: Path) -> None:
    """sipp, Kamailio and the server have no IPv4 address."""
    pressed: list[str] = []
    settings = settings_for("udp", host="::1", edges=(ip_network("::1/128"),))
    async with (
        serving(make_phone(), settings=settings) as server,
        edge([f"[::1]:{server.address[1]}"], tmp_path, HOST="[::1]") as proxy,
    ):
        server.pressed.subscribe(lambda press: pressed.append(press.key))
        documents = ("-oocsf", SCENARIOS / "documents.xml")
        process = await sipp(
            proxy.port,
            "phone.xml",
            tmp_path,
            *documents,
            password=PASSWORD,
            host="[::1]",
        )
        # The press is not challenged, and the keys were sent and acknowledged.
        await succeeded(process, tmp_path)
        assert pressed == ["4"]
        assert server.phones["44"].in_sync


async def test_an_edge_that_connects_by_tls(tmp_path: Path) -> None:
    """The server knows it by its certificate; its address is that of strangers."""
    ca = make_certificate(tmp_path, name="ca")
    own = make_certificate(tmp_path, name="edge", ca=ca)
    files = make_certificate(tmp_path)
    context, _ = load_certificate(CertificateFiles(*files))
    async with serving(
        make_phone(),
        settings=settings_for("tls"),
        certificate=files,
        edge_context=asking_edges(context, str(ca.certificate)),
    ) as server:
        address = server.address_of("TLS")
        bridge = f"{LOCALHOST}:{address[1]};transport=tls"
        async with (
            edge([bridge], tmp_path / "home", certificate=own) as proxy,
            Desk(address, "44", PASSWORD, through=(LOCALHOST, proxy.port)) as desk,
        ):
            assert (await desk.register()).status == 200
            assert await requests_of(desk) == ONCE
            # By the connection of the edge, and to the flow of the phone.
            await desk.shows("1", n="key1")


class Natted(Desk):
    """A phone that names an address at which it cannot be reached."""

    @property
    def address(self) -> str:
        return "192.0.2.44:5060"


async def test_a_phone_behind_nat(tmp_path: Path) -> None:
    settings = settings_for("udp", edges=EDGES)
    async with (
        serving(make_phone(), settings=settings) as server,
        edge([server.address[1]], tmp_path) as proxy,
        Natted(server.address, "44", PASSWORD, through=(LOCALHOST, proxy.port)) as desk,
    ):
        assert (await desk.register()).status == 200
        assert await requests_of(desk) == ONCE
        await desk.shows("1", n="key1")
        await desk.until(lambda: bool(desk.notices))
