"""The edge alone, with stand-ins for bridges and raw sockets for phones."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
import re
import ssl

import pytest

from tests.support.certificates import make_certificate
from tests.support.kamailio import Kamailio, edge
from tests.support.ports import LOCALHOST, free_port
from tests.support.programs import program
from tests.support.rawphone import RawMessage, RawPhone
from tests.support.rawstream import StreamPhone
from tests.support.stand_in import StandIn
from tests.support.udp import Ear

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

PROMPT = 5000
"""ms: no stand-in is slower, however busy the machine is."""


@dataclass
class Scene:
    """An edge in front of three bridges."""

    edge: Kamailio
    bridges: list[StandIn]
    stack: AsyncExitStack
    phones: dict[str, RawPhone] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        return LOCALHOST, self.edge.port

    async def phone(self, extension: str) -> RawPhone:
        """Return a phone that does nothing yet."""
        phone = RawPhone(self.address, extension, "x", through=self.address)
        return await self.stack.enter_async_context(phone)

    async def registered(self, extension: str = "44") -> RawPhone:
        phone = await self.phone(extension)
        assert (await phone.register()).status == 200
        return phone

    def bridge_of(self, extension: str, method: str = "REGISTER") -> StandIn:
        """Return the only bridge that got requests of a phone."""
        (found,) = (it for it in self.bridges if it.got(method, extension))
        return found

    def path_of(self, extension: str) -> str:
        request = self.bridge_of(extension).got("REGISTER", extension)[-1]
        return request.get("Path")


@asynccontextmanager
async def scene(home: Path, **values: int) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        bridges = [await stack.enter_async_context(StandIn()) for _ in range(3)]
        ports = [bridge.port for bridge in bridges]
        values = {"NO_ANSWER": PROMPT, **values}
        running = await stack.enter_async_context(edge(ports, home, **values))
        yield Scene(running, bridges, stack)


async def press(phone: RawPhone) -> int:
    return (await phone.press("1", number="key1")).status


def asserted(bridge: StandIn, extension: str) -> list[str]:
    """Return whom the edge says that the newest press is from."""
    return bridge.got("MESSAGE", extension)[-1].all("P-Asserted-Identity")


async def test_all_requests_of_a_phone_go_to_one_bridge(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        for extension in map(str, range(40, 56)):
            phone = await it.registered(extension)
            assert await press(phone) == 200
            assert (await phone.subscribe("1")).status == 200
            assert (await phone.invite("key1")).status == 200
            bridge = it.bridge_of(extension)
            for method in ("MESSAGE", "SUBSCRIBE", "INVITE"):
                assert it.bridge_of(extension, method) is bridge
        assert all(bridge.requests for bridge in it.bridges)


async def test_the_bridge_of_a_phone_is_the_same_at_another_edge(
    tmp_path: Path,
) -> None:
    """Also after a restart: nothing is kept."""
    async with scene(tmp_path / "one") as it:
        ports = [bridge.port for bridge in it.bridges]
        async with edge(ports, tmp_path / "two") as other:
            for extension in map(str, range(40, 50)):
                await it.registered(extension)
                async with RawPhone((LOCALHOST, other.port), extension, "x") as phone:
                    phone._through = (LOCALHOST, other.port)
                    assert await press(phone) == 200
                assert it.bridge_of(extension, "MESSAGE") is it.bridge_of(extension)


async def test_a_request_that_a_dead_bridge_does_not_answer_goes_to_the_next(
    tmp_path: Path,
) -> None:
    """Before a probe has found out; the probes here are an hour apart."""
    async with scene(tmp_path, NO_ANSWER=300, PROBE=3600) as it:
        phone = await it.registered()
        dead = it.bridge_of("44")
        dead.die()
        for _ in range(2):
            assert await press(phone) == 200
        heir = it.bridge_of("44", "MESSAGE")
        assert heir is not dead
        assert len(heir.got("MESSAGE", "44")) == 2


async def test_a_request_that_a_dead_bridge_cannot_get_goes_to_the_next(
    tmp_path: Path,
) -> None:
    """It refuses the connection of the edge; a probe finds out later."""
    async with StandIn() as living:
        dead = f"{LOCALHOST}:{free_port()};transport=tcp"
        async with edge([dead, living.port], tmp_path, PROBE=3600) as proxy:
            address = (LOCALHOST, proxy.port)
            for extension in map(str, range(40, 44)):
                async with RawPhone(address, extension, "x", through=address) as phone:
                    assert (await phone.register()).status == 200
                    assert await press(phone) == 200
                    assert (await phone.invite("key1")).status == 200
                assert len(living.got("REGISTER", extension)[0].all("Path")) == 1
                assert asserted(living, extension) == [f"<sip:{extension}@{LOCALHOST}>"]
    async with edge([dead], tmp_path / "alone", PROBE=3600) as proxy:
        address = (LOCALHOST, proxy.port)
        async with RawPhone(address, "44", "x", through=address) as phone:
            answer = await phone.press("1", number="key1")
            assert answer.status == 503
            assert answer.get("Retry-After") == "5"


async def test_a_request_that_no_bridge_answers_takes_none_from_the_others(
    tmp_path: Path,
) -> None:
    """A stranger can send what a bridge drops, such as one with a broken header."""
    async with scene(tmp_path, NO_ANSWER=300, PROBE=3600) as it:
        phone = await it.registered()
        own = it.bridge_of("44")
        for bridge in it.bridges:
            bridge.answer = None
        assert await press(phone) == 503
        for bridge in it.bridges:
            assert bridge.got("MESSAGE", "44")
            bridge.requests.clear()
            bridge.answer = 200
        assert await press(phone) == 200
        assert it.bridge_of("44", "MESSAGE") is own


@pytest.mark.parametrize("health", [None, 503])
async def test_probes_find_a_bridge_that_is_ill_and_that_is_well_again(
    health: int | None, tmp_path: Path
) -> None:
    async with scene(tmp_path, NO_ANSWER=500) as it:
        phone = await it.registered()
        ill = it.bridge_of("44")
        ill.health = health
        await it.edge.program.says(f"bridge sip:{LOCALHOST}:{ill.port} is down")
        assert await press(phone) == 200
        assert it.bridge_of("44", "MESSAGE") is not ill
        ill.health = 200
        await it.edge.program.says(f"bridge sip:{LOCALHOST}:{ill.port} is up")
        assert await press(phone) == 200
        assert ill.got("MESSAGE", "44")


async def test_a_request_that_a_bridge_refuses_with_503_goes_to_the_next(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as it:
        phone = await it.registered()
        it.bridge_of("44").answer = 503
        assert await press(phone) == 200
        for bridge in it.bridges:
            bridge.answer = 503
        assert await press(phone) == 503
        # No other failure is worth a second try.
        for bridge in it.bridges:
            bridge.answer = 500
            bridge.requests.clear()
        assert await press(phone) == 500
        assert it.bridge_of("44", "MESSAGE")


async def test_without_a_bridge_a_phone_is_asked_to_try_later(tmp_path: Path) -> None:
    async with scene(tmp_path, NO_ANSWER=300) as it:
        phone = await it.registered()
        for bridge in it.bridges:
            bridge.die()
        for _ in range(2):
            answer = await phone.press("1", number="key1")
            assert answer.status == 503
            assert answer.get("Retry-After") == "5"


async def test_repeated_requests_are_absorbed(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        phone = await it.registered()
        bridge = it.bridge_of("44")
        press = request_text("MESSAGE", "44", phone.address)
        for _ in range(3):
            phone._transport.sendto(press, it.address)
            await phone.until(lambda: len(phone.strays) == 1)
        # The answers to the repeated ones are the same, and came before this one's.
        assert (await phone.press("2", number="key1")).status == 200
        assert len(bridge.got("MESSAGE", "44")) == 2


def request_text(method: str, extension: str, source: str, *lines: str) -> bytes:
    """Return a request as bytes, with further lines."""
    branch = f"z9hG4bK-{method}-{extension}-{source}"
    head = (
        f"{method} sip:{extension}@{LOCALHOST} SIP/2.0",
        f"Via: SIP/2.0/UDP {source};branch={branch};rport",
        f"From: <sip:{extension}@{LOCALHOST}>;tag=1",
        f"To: <sip:key1@{LOCALHOST}>",
        f"Call-ID: {branch}",
        f"CSeq: 1 {method}",
        "Max-Forwards: 70",
        *lines,
        "Content-Length: 0",
    )
    return "\r\n".join([*head, "", ""]).encode()


# Who a request is from


async def test_the_edge_asserts_whom_it_has_seen_registered(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        phone = await it.registered()
        bridge = it.bridge_of("44")
        assert await press(phone) == 200
        assert asserted(bridge, "44") == [f"<sip:44@{LOCALHOST}>"]
        # Its next REGISTER is not in the share of those that claim its name.
        assert (await phone.register()).status == 200
        refreshed = bridge.got("REGISTER", "44")
        assert [len(it.all("P-Asserted-Identity")) for it in refreshed] == [0, 1]
        assert (await phone.unregister()).status == 200
        assert await press(phone) == 200
        assert asserted(bridge, "44") == []
        # A refused registration proves nothing.
        bridge.answer = 403
        assert (await phone.register()).status == 403
        bridge.answer = 200
        assert await press(phone) == 200
        assert asserted(bridge, "44") == []


async def test_an_answer_that_no_bridge_has_sent_proves_nothing(
    tmp_path: Path,
) -> None:
    """The branch that it has to name is a digest of what its sender has written."""
    async with StandIn() as bridge, edge([bridge.port], tmp_path) as proxy:
        address = (LOCALHOST, proxy.port)
        bridge.answer = None
        async with RawPhone(address, "44", "x", through=address) as stranger:
            text = request_text("REGISTER", "44", stranger.address)
            text = text.replace(b"sip:key1@", b"sip:44@")
            stranger._transport.sendto(text, address)
            await bridge.until(lambda: bool(bridge.got("REGISTER", "44")))
            names = ("Via", "From", "To", "Call-ID", "CSeq")
            asked = bridge.got("REGISTER", "44")[0].headers
            lines = [f"{name}: {value}" for name, value in asked if name in names]
            forged = ["SIP/2.0 200 OK", *lines, "Expires: 3600", "Content-Length: 0"]
            text = "\r\n".join([*forged, "", ""]).encode()
            stranger._transport.sendto(text, address)
            bridge.answer = 200
            assert await press(stranger) == 200
            assert asserted(bridge, "44") == []


async def test_what_others_assert_is_removed(tmp_path: Path) -> None:
    lines = (
        f"P-Asserted-Identity: <sip:44@{LOCALHOST}>",
        f"p-asserted-identity: <sip:45@{LOCALHOST}>",
        "P-Asserted-Identity: <tel:+4944>",
        f"P-Preferred-Identity: <sip:44@{LOCALHOST}>",
        f"Path: <sip:{LOCALHOST}:9;lr>",
    )
    async with scene(tmp_path) as it:
        await it.registered("44")
        own = await it.registered("45")
        stranger = await it.phone("44")
        # A stranger; a phone as itself; a phone as another one.
        for phone, extension, expected in (
            (stranger, "44", []),
            (own, "45", [f"<sip:45@{LOCALHOST}>"]),
            (own, "44", []),
        ):
            text = request_text("MESSAGE", extension, phone.address, *lines)
            phone.strays.clear()
            phone._transport.sendto(text, it.address)
            await phone.until(lambda phone=phone: bool(phone.strays))  # type: ignore[misc]
            (bridge,) = (b for b in it.bridges if b.got("MESSAGE", extension))
            (request,) = bridge.got("MESSAGE", extension)
            assert request.all("P-Asserted-Identity") == expected
            assert request.all("P-Preferred-Identity") == request.all("Path") == []
            bridge.requests.clear()


async def test_a_restarted_edge_knows_the_way_to_a_phone_but_asserts_nothing(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        bridge = await stack.enter_async_context(StandIn())
        port = free_port()
        address = (LOCALHOST, port)
        async with edge([bridge.port], tmp_path / "first", port=port):
            phone = await stack.enter_async_context(
                RawPhone(address, "44", "x", through=address)
            )
            assert (await phone.register()).status == 200
            assert (await phone.subscribe("1")).status == 200
        async with edge([bridge.port], tmp_path / "second", port=port):
            (registered,) = bridge.got("REGISTER", "44")
            (subscribed,) = bridge.got("SUBSCRIBE", "44")
            for route in (registered.get("Path"), subscribed.get("Record-Route")):
                uri = f"sip:44@{phone.address}"
                assert await bridge.ask(address, uri, f"Route: {route}") == 200
            assert len(phone.requests) == 2
            assert await press(phone) == 200
            assert asserted(bridge, "44") == []
            assert (await phone.register()).status == 200
            assert await press(phone) == 200
            assert asserted(bridge, "44") == [f"<sip:44@{LOCALHOST}>"]


# Where requests go


async def test_a_subscription_moves_to_a_living_bridge(tmp_path: Path) -> None:
    """Its Request-URI is the Contact of the dead one."""
    async with scene(tmp_path, NO_ANSWER=300) as it:
        phone = await it.registered()
        answer = await phone.subscribe("1")
        dead = it.bridge_of("44", "SUBSCRIBE")
        assert answer.get("Contact") == f"<sip:{LOCALHOST}:{dead.port}>"
        dead.die()
        dead.requests.clear()
        route = f"Route: {answer.get('Record-Route')}"
        assert (await phone.subscribe("1", route, within=answer)).status == 200
        heir = it.bridge_of("44", "SUBSCRIBE")
        (refreshed,) = heir.got("SUBSCRIBE", "44")
        assert refreshed.start == f"SUBSCRIBE sip:{LOCALHOST}:{dead.port} SIP/2.0"
        assert refreshed.all("Route") == []


async def test_a_stranger_reaches_only_bridges(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, Ear() as ear, Ear() as stranger:
        phone = await it.registered()
        requests = (
            ("sip:44@{ear}", "X: nothing"),
            (f"sip:44@{LOCALHOST}", "Route: <sip:{ear};lr>"),
            ("sip:{ear}", "Route: <sip:{edge};lr>, <sip:{ear};lr>"),
            ("sip:{ear}", "Route: <sip:x@{edge};lr;received=sip:{ear}>"),
            # The way to another phone, if a stranger has got to know it.
            (f"sip:44@{phone.address}", f"Route: {it.path_of('44')}"),
        )
        names = {"ear": ear.address, "edge": f"{LOCALHOST}:{it.edge.port}"}
        for number, (uri, line) in enumerate(requests):
            text = request_text("MESSAGE", f"6{number}", stranger.address, line)
            text = text.replace(
                f"sip:6{number}@{LOCALHOST} ".encode(), f"{uri} ".encode()
            )
            stranger.say(text.decode().format(**names).encode(), it.address)
        # An answer to a request that the edge has not sent.
        lines = (
            "SIP/2.0 200 OK",
            f"Via: SIP/2.0/UDP {LOCALHOST}:{it.edge.port};branch=z9hG4bK1.2.0",
            f"Via: SIP/2.0/UDP {ear.address};branch=z9hG4bK2",
            "From: <sip:a@b>;tag=1",
            "To: <sip:a@b>;tag=2",
            "Call-ID: 1",
            "CSeq: 1 MESSAGE",
            "Content-Length: 0",
        )
        stranger.say("\r\n".join([*lines, "", ""]).encode(), it.address)
        # All of it has been dealt with when this is answered.
        assert await press(phone) == 200
        assert ear.heard == []
        assert phone.requests == []
        got = [request for bridge in it.bridges for request in bridge.requests]
        assert len([r for r in got if "sip:6" in r.get("From")]) == len(requests)
        assert all(request.all("Route") == [] for request in got)


async def test_a_bridge_reaches_only_phones_by_their_path(tmp_path: Path) -> None:
    async with scene(tmp_path) as it, Ear() as ear:
        phone = await it.registered()
        await it.registered("45")
        path, other = it.path_of("44"), it.path_of("45")
        bridge = it.bridge_of("44")
        seal = re.findall("sip:(.+?)@", path)[0]
        own = f"{LOCALHOST}:{it.edge.port}"
        flow = f"received=sip:{phone.address}"
        assert path == f"<sip:{seal}@{own};lr;{flow}>"
        for route in (
            "",
            f"Route: <sip:{ear.address};lr>",
            f"Route: <sip:{own};lr>",
            f"Route: <sip:{own};lr;received=sip:{ear.address}>",
            f"Route: {path.replace(seal, seal[::-1])}",
            f"Route: {path.replace(flow, f'received=sip:{ear.address}')}",
            f"Route: {path.replace(seal, re.findall('sip:(.+?)@', other)[0])}",
        ):
            lines = [route] if route else []
            status = await bridge.ask(it.address, f"sip:44@{ear.address}", *lines)
            assert status == 403, route
        # Whatever follows the Path, and whatever is the Request-URI.
        for route in (
            f"Route: {path}",
            f"Route: {path}, <sip:{ear.address};lr>",
            f"Route: {path}\r\nRoute: <sip:{ear.address};lr>",
        ):
            assert await bridge.ask(it.address, f"sip:44@{ear.address}", route) == 200
        assert ear.heard == []
        assert len(phone.requests) == 3
        assert all(request.all("Route") == [] for request in phone.requests)


@pytest.mark.parametrize(
    "line", ["Subject: x", "Supported: xpath", "k: buttons,\r\n outbound"]
)
async def test_a_phone_that_does_not_know_path(line: str, tmp_path: Path) -> None:
    """The bridges would refuse its REGISTER otherwise (RFC 3327 5.3)."""
    async with StandIn() as bridge, edge([bridge.port], tmp_path) as proxy:
        address = (LOCALHOST, proxy.port)
        async with RawPhone(address, "44", "x", through=address) as phone:
            text = request_text("REGISTER", "44", phone.address, line)
            phone._transport.sendto(text, address)
            await bridge.until(lambda: bool(bridge.got("REGISTER", "44")))
            assert "path" in bridge.got("REGISTER", "44")[0].all("Supported")


async def test_what_the_edge_refuses_by_itself(tmp_path: Path) -> None:
    """RFC 3261 16.3, 3 and 21.4.6."""
    async with scene(tmp_path) as it:
        phone = await it.phone("44")
        for method, hops, expected in (("MESSAGE", "0", 483), ("PUBLISH", "70", 405)):
            text = request_text(method, "44", phone.address)
            text = text.replace(b"Max-Forwards: 70", f"Max-Forwards: {hops}".encode())
            phone.strays.clear()
            phone._transport.sendto(text, it.address)
            await phone.until(lambda: bool(phone.strays))
            answer = RawMessage.parse(phone.strays[0])
            assert answer.status == expected
        assert "SUBSCRIBE" in answer.get("Allow").split(", ")
        assert all(bridge.requests == [] for bridge in it.bridges)


async def test_scanners_and_floods_are_dropped(tmp_path: Path) -> None:
    async with scene(tmp_path, STRANGERS=20, KNOWN=1000) as it, Ear() as ear:
        text = request_text(
            "OPTIONS", "100", ear.address, "User-Agent: friendly-scanner"
        )
        ear.say(text, it.address)
        phone = await it.registered()
        for number in range(60):
            ear.say(request_text("REGISTER", f"9{number}", ear.address), it.address)
        # A phone with the same address, which has proved itself, is not stopped.
        for _ in range(30):
            assert await press(phone) == 200
        assert not any(bridge.got("OPTIONS", "100") for bridge in it.bridges)
        got = [r for b in it.bridges for r in b.requests if ":9" in r.get("From")]
        assert len(got) < 60


async def test_a_call_of_a_forged_source_gets_one_answer(tmp_path: Path) -> None:
    """Three for each INVITE had ten times its bytes."""
    async with (
        StandIn() as bridge,
        edge([bridge.port], tmp_path, NO_ANSWER=1200) as proxy,
        RawPhone((LOCALHOST, proxy.port), "45", "x") as phone,
        Ear() as ear,
    ):
        phone._through = address = (LOCALHOST, proxy.port)
        call = request_text("INVITE", "44", ear.address)
        bridge.answer = 401
        ear.say(call, address)
        await bridge.until(lambda: bool(bridge.got("INVITE", "44")))
        # What follows by itself comes within the second that this takes.
        bridge.answer = None
        assert await press(phone) == 503
        assert len(ear.heard) == 1
        # If it is no forged source, it repeats its call.
        ear.say(call, address)
        bridge.answer = 200
        assert await press(phone) == 200
        assert [RawMessage.parse(it).status for it in ear.heard] == [401, 401]
        assert len(bridge.got("INVITE", "44")) == 1


async def test_a_phone_that_floods_is_limited(tmp_path: Path) -> None:
    async with scene(tmp_path, KNOWN=10) as it:
        phone = await it.registered()
        for number in range(200):
            text = request_text("MESSAGE", "44", phone.address, f"X: {number}")
            text = text.replace(b"-44-", b"-%d-" % number)
            phone._transport.sendto(text, it.address)
        # Repeated until the second in which it flooded is over.
        assert await press(phone) == 200
        assert len(it.bridge_of("44").got("MESSAGE", "44")) < 100


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_only_a_phone_may_keep_a_connection_that_is_idle(
    transport: str, tmp_path: Path
) -> None:
    """Kamailio has room for 2,048, which a stranger could hold for an hour."""
    certificate, home = make_certificate(tmp_path), tmp_path / "edge"
    context = None
    if transport == "tls":
        context = ssl.create_default_context(cafile=certificate.certificate)
    async with (
        StandIn() as bridge,
        edge([bridge.port], home, certificate=certificate) as proxy,
    ):
        address = (LOCALHOST, proxy.port_of(transport))
        async with (
            StreamPhone(address, "44", "x", context=context) as phone,
            StreamPhone(address, "45", "x", context=context) as stranger,
        ):
            assert (await phone.register()).status == 200
            assert await press(stranger) == 200
            assert await lifetimes(home) == {phone.address: 3605, stranger.address: 60}


async def lifetimes(home: Path) -> dict[str, int]:
    """Return the addresses that are connected to an edge, and after how long it closes them."""
    asking = await asyncio.create_subprocess_exec(
        *(program("kamcmd"), "-s", f"unix:{home / 'kamailio_ctl'}", "core.tcp_list"),
        stdout=PIPE,
    )
    listed = (await asking.communicate())[0].decode()
    found = re.findall(r"lifetime: (\d+)[^}]*src_ip: (\S+)[^}]*src_port: (\d+)", listed)
    return {f"{host}:{port}": int(seconds) for seconds, host, port in found}


async def test_a_phone_subscribes_to_all_its_keys_at_once(tmp_path: Path) -> None:
    """By a connection, on which a request that is dropped is not repeated."""
    async with StandIn() as bridge, edge([bridge.port], tmp_path) as proxy:
        address = (LOCALHOST, proxy.port)
        async with StreamPhone(address, "44", "x") as phone:
            assert (await phone.register()).status == 200
            for key in range(126):
                text = request_text("SUBSCRIBE", "44", phone.address, f"X: {key}")
                text = text.replace(b"-44-", b"-%d-" % key).replace(b"/UDP", b"/TCP")
                phone._transport.sendto(text, address)
            assert await press(phone) == 200
            await bridge.until(lambda: len(bridge.got("SUBSCRIBE", "44")) == 126)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_a_phone_by_a_connection(transport: str, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    async with AsyncExitStack() as stack:
        bridge = await stack.enter_async_context(StandIn())
        proxy = await stack.enter_async_context(
            edge([bridge.port], tmp_path / "edge", certificate=certificate)
        )
        address = (LOCALHOST, proxy.port_of(transport))
        context = None
        if transport == "tls":
            context = ssl.create_default_context(cafile=certificate.certificate)
        phone = StreamPhone(address, "44", "x", context=context)
        async with phone:
            assert (await phone.register()).status == 200
            assert (await phone.subscribe("1")).status == 200
            assert await press(phone) == 200
            assert asserted(bridge, "44") == [f"<sip:44@{LOCALHOST}>"]
            (registered,) = bridge.got("REGISTER", "44")
            (subscribed,) = bridge.got("SUBSCRIBE", "44")
            routes = [f"Route: {registered.get('Path')}"]
            routes.append(f"Route: {', '.join(subscribed.all('Record-Route'))}")
            source = phone.address
            uri = f"sip:44@{source}"
            edge_address = (LOCALHOST, proxy.port)
            for route in routes:
                assert await bridge.ask(edge_address, uri, route) == 200
            assert len(phone.requests) == 2
        # The edge does not connect to a phone, and nothing is asserted of a new connection.
        while source in await lifetimes(tmp_path / "edge"):
            pass
        assert await bridge.ask(edge_address, uri, routes[0]) == 430
        async with StreamPhone(address, "44", "x", context=context) as again:
            assert await press(again) == 200
            assert asserted(bridge, "44") == []


async def test_a_load_balancer_learns_whether_there_is_a_bridge(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, NO_ANSWER=300) as it:
        phone = await it.phone("44")

        async def status() -> int:
            text = request_text("OPTIONS", "44", phone.address)
            text = text.replace(b"sip:44@", b"sip:")
            phone.strays.clear()
            phone._transport.sendto(text, it.address)
            await phone.until(lambda: bool(phone.strays))
            return RawMessage.parse(phone.strays[0]).status

        assert await status() == 200
        for bridge in it.bridges:
            bridge.health = 503
            await it.edge.program.says("is down")
        assert await status() == 503
