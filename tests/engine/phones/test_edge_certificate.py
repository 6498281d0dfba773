"""An edge that is known by its client certificate, and phones that have another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
import ssl

import pytest

from custom_components.snom_buttons.engine.phones import (
    PhoneServer,
    asking_edges,
    outbox,
)
from tests.support.certificates import Certificate, make_certificate
from tests.support.edge import EdgePhone
from tests.support.rawstream import StreamPhone
from tests.support.serving import PASSWORD, lit, make_phone, serving
from tests.support.udp import LOCALHOST

pytestmark = pytest.mark.usefixtures("socket_enabled")


class EdgeStream(StreamPhone, EdgePhone):
    """A phone and the edge in front of it, which connects by TLS."""


class Authority:
    """The certificates of server and edge, and others."""

    def __init__(self, directory: Path) -> None:
        self.server = make_certificate(directory)
        self.ca = make_certificate(directory, name="ca")
        self.edge = make_certificate(directory, name="edge", ca=self.ca)
        self.expired = make_certificate(directory, name="old", ca=self.ca, days=0)
        self.maker = make_certificate(directory, name="maker")
        self.phone = make_certificate(directory, name="phone", ca=self.maker)

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server)
        return context

    def client(self, own: Certificate | None, *, old: bool = False) -> ssl.SSLContext:
        """Return the side of a client that shows its certificate whatever it is asked for."""
        context = ssl.create_default_context(cafile=self.server.certificate)
        if own is not None:
            context.load_cert_chain(*own)
        if old:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    @asynccontextmanager
    async def serving(self, **settings: object) -> AsyncIterator[PhoneServer]:
        async with serving(
            make_phone(),
            context=self.context(),
            edge_context=asking_edges(self.context(), str(self.ca.certificate)),
            tls_port=0,
            **settings,
        ) as server:
            yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def by_tls(server: PhoneServer, context: ssl.SSLContext) -> EdgeStream:
    address = server.address_of("TLS")
    desk = EdgeStream(address, "44", PASSWORD, context=context, host=LOCALHOST)
    desk.asserts("44")
    return desk


async def press(desk: StreamPhone) -> int:
    desk.password = "wrong"
    return (await desk.press("1", number="key1")).status


@pytest.mark.parametrize("old", [False, True], ids=["TLS 1.3", "TLS 1.2"])
async def test_a_certificate_of_the_right_ca(authority: Authority, old: bool) -> None:
    async with authority.serving() as server:
        context = authority.client(authority.edge, old=old)
        async with by_tls(server, context) as edge:
            assert (await edge.register()).status == 200
            await edge.shows("4")
            edge.sent.clear()
            assert await press(edge) == 200
            assert len(edge.sent) == 1
        # Another connection is another edge, or none.
        async with by_tls(server, authority.client(None, old=old)) as stranger:
            assert await press(stranger) == 401
        assert server._guard.edges._flows == set()


@pytest.mark.parametrize("ends_first", [True, False])
async def test_phones_behind_an_edge_outlive_its_connection(
    authority: Authority, ends_first: bool
) -> None:
    """The edge was started again, or makes another connection beside the former one."""
    async with authority.serving() as server:
        desk = by_tls(server, authority.client(authority.edge))
        await desk.connect()
        assert (await desk.register()).status == 200
        await desk.shows("4")
        former, reading = desk._writer, desk._reading
        if ends_first:
            await desk.disconnect()
            await desk.connect()
        else:
            await desk.connect()
            former.close()
            await reading
        desk.is_connected = True
        assert await press(desk) == 200
        server.phones["44"].keys["1"].show(lit("1"))
        await desk.shows("1", c="on")
        await desk.disconnect()
        assert server.phones["44"].available


async def test_a_request_is_answered_by_its_connection(authority: Authority) -> None:
    """RFC 3261 18.2.2: another one may be that of another edge at the same address."""
    async with (
        authority.serving() as server,
        by_tls(server, authority.client(authority.edge)) as former,
        by_tls(server, authority.client(authority.edge)) as newer,
    ):
        assert (await former.register()).status == 200
        for desk in (former, newer, former):
            assert await press(desk) == 200


async def test_phones_behind_an_edge_outlive_the_server(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or move to another one, by what it has stored."""
    monkeypatch.setattr(outbox, "FIRST_RETRY", 0.05)
    async with authority.serving() as server:
        desk = by_tls(server, authority.client(authority.edge))
        await desk.connect()
        assert (await desk.register()).status == 200
        assert (await desk.subscribe("3")).status == 200
        await desk.shows("4")
        snapshot = server.snapshot()
        await desk.disconnect()
    desk.keys.clear()
    desk.notices.clear()
    async with authority.serving(snapshot=snapshot) as server:
        desk.server = server.address_of("TLS")
        await desk.connect()
        await desk.shows("4")
        await desk.until(lambda: bool(desk.notices))
        await desk.disconnect()


async def test_no_certificate(authority: Authority) -> None:
    """It is a phone as any other: it registers, and asserts nothing."""
    async with (
        authority.serving() as server,
        by_tls(server, authority.client(None)) as desk,
    ):
        assert (await desk.register()).status == 200
        assert await press(desk) == 401


async def is_refused(desk: EdgeStream) -> None:
    """Wait until a connection is closed, by TLS 1.3 after the client has made it."""
    with suppress(OSError):
        async with desk:
            await desk.until(lambda: not desk.is_connected)


@pytest.mark.parametrize("old", [False, True], ids=["TLS 1.3", "TLS 1.2"])
@pytest.mark.parametrize("name", ["phone", "maker", "expired"])
async def test_a_certificate_of_another_ca(
    authority: Authority, name: str, old: bool
) -> None:
    """As phones have one of their maker: the second connection is not asked for it."""
    async with authority.serving() as server:
        context = authority.client(getattr(authority, name), old=old)
        for _ in range(2):  # and each time that it connects anew
            await is_refused(by_tls(server, context))
            async with by_tls(server, context) as desk:
                assert (await desk.register()).status == 200
                await desk.shows("4")
                assert await press(desk) == 401
                desk.password = PASSWORD
        # That is no way to keep an edge at the same address from being one.
        async with by_tls(server, authority.client(authority.edge)) as edge:
            assert await press(edge) == 200


async def test_one_is_not_asked_for_without_edges(authority: Authority) -> None:
    async with (
        serving(make_phone(), context=authority.context(), tls_port=0) as server,
        by_tls(server, authority.client(authority.edge)) as edge,
    ):
        assert (await edge.register()).status == 200
        assert await press(edge) == 401


async def test_another_ca_from_now_on(authority: Authority) -> None:
    async with authority.serving() as server:
        async with by_tls(server, authority.client(authority.edge)) as edge:
            maker = str(authority.maker.certificate)
            server.renew(authority.context(), asking_edges(authority.context(), maker))
            assert await press(edge) == 200  # an open connection is not affected
        async with by_tls(server, authority.client(authority.phone)) as edge:
            assert await press(edge) == 200


async def test_an_edge_is_not_counted_among_the_connections_of_strangers(
    authority: Authority,
) -> None:
    async with (
        authority.serving() as server,
        by_tls(server, authority.client(authority.edge)) as edge,
    ):
        assert await press(edge) == 200
        transport = server._endpoint._transports["TLS"]
        assert len(transport._connections) == 1  # type: ignore[union-attr]
        assert len(transport._strangers) == 0  # type: ignore[union-attr]


def test_what_is_no_certificate(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("absent", "empty"):
        with pytest.raises(OSError):
            asking_edges(authority.context(), str(tmp_path / name))
