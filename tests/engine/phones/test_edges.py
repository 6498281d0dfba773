"""A trusted edge: what it asserts, and what others claim to be asserted (RFC 3325)."""

from __future__ import annotations

from ipaddress import ip_network
from itertools import count
import logging

import pytest

from custom_components.snom_buttons.engine.phones import PhoneServer
from custom_components.snom_buttons.engine.sip import Rate, guard as guard_module
from custom_components.snom_buttons.engine.sip.guard import FAILURES
from tests.support.edge import EDGE, EdgePhone
from tests.support.rawphone import RawPhone
from tests.support.serving import PASSWORD, make_phone, phone_setup, serving, setup
from tests.support.udp import LOCALHOST

pytestmark = pytest.mark.usefixtures("socket_enabled")

EDGES = (ip_network(f"{EDGE}/32"),)
ASSERTED = "P-Asserted-Identity: <sip:44@edge.example>"


def behind(server: PhoneServer, extension: str = "44", **options: str) -> EdgePhone:
    return EdgePhone(server.address, extension, PASSWORD, **options)


def noting(server: PhoneServer) -> list[tuple[str, str]]:
    """Return a list that gets extension and key of each press."""
    presses: list[tuple[str, str]] = []
    server.pressed.subscribe(lambda it: presses.append((it.extension, it.key)))
    return presses


async def statuses(phone: EdgePhone) -> list[int]:
    """Send one of each request, with credentials of no password; return the answers."""
    phone.password = "wrong"
    answers = [
        await phone.press("1", number="key1"),
        await phone.invite("key2"),
        await phone.subscribe("3"),
        await phone._authorized("OPTIONS", f"sip:44@{phone.host}", to="44", headers=()),
    ]
    return [answer.status for answer in answers]


async def test_what_an_edge_asserts_is_not_challenged() -> None:
    """Each request costs one round trip, whatever its method."""
    async with (
        serving(make_phone(), edges=EDGES) as server,
        behind(server) as desk,
    ):
        presses = noting(server)
        assert (await desk.register()).status == 200
        await desk.shows("4")
        desk.asserts("44")
        desk.sent.clear()
        assert await statuses(desk) == [200, 486, 200, 200]
        requests = [start.split()[0] for start in desk.sent]
        methods = ["MESSAGE", "INVITE", "ACK", "SUBSCRIBE", "OPTIONS"]
        assert [method for method in requests if method in methods] == methods
        assert presses == [("44", "1"), ("44", "2")]
        assert server.dropped == dict.fromkeys(server.dropped, 0)


async def test_register_is_challenged_end_to_end() -> None:
    """An edge knows no password, and a bridge does not take its word for one."""
    async with (
        serving(make_phone(), edges=EDGES) as server,
        behind(server) as desk,
    ):
        desk.more = [ASSERTED]
        desk.password = "wrong"
        assert (await desk.register()).status == 401
        assert server.phones["44"].registration is None
        desk.password = PASSWORD
        desk.sent.clear()
        assert (await desk.register()).status == 200
        assert [it.split()[0] for it in desk.sent].count("REGISTER") == 2


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("P-Asserted-Identity: <sip:45@edge.example>",),
        ("P-Asserted-Identity: <sip:99@edge.example>",),
        (ASSERTED, ASSERTED),
        (f"{ASSERTED}, <sip:44@edge.example>",),
        (f"{ASSERTED}, <sip:45@edge.example>",),
        (ASSERTED, "P-Asserted-Identity: <sip:45@edge.example>"),
        (f"{ASSERTED}, <tel:44>, <tel:45>",),
        (f"{ASSERTED}, <mailto:44@edge.example>",),
        ("P-Asserted-Identity: <tel:44>",),
        ("P-Asserted-Identity: <44@edge.example>",),
        ("P-Asserted-Identity: <sip:edge.example>",),
        ("P-Asserted-Identity: <sip:44@edge.example",),
        ('P-Asserted-Identity: "44 <sip:44@edge.example>',),
        ("P-Asserted-Identity: 44",),
        ("P-Asserted-Identity:",),
        ("P-Preferred-Identity: <sip:44@edge.example>",),
        ("Remote-Party-ID: <sip:44@edge.example>",),
    ],
    ids=lambda lines: " + ".join(lines) or "nothing",
)
async def test_an_assertion_of_another_user_or_none(lines: tuple[str, ...]) -> None:
    async with (
        serving(make_phone(), make_phone("45"), edges=EDGES) as server,
        behind(server) as desk,
    ):
        presses = noting(server)
        assert (await desk.register()).status == 200
        await desk.shows("4")
        desk.asserted = lines
        # With the password it is from the phone all the same.
        assert (await desk.press("1")).status == 200
        assert await statuses(desk) == [401] * 4
        assert presses == [("44", "1")]


@pytest.mark.parametrize(
    "lines",
    [
        (f"{ASSERTED}, <tel:+4930123>",),
        (ASSERTED, "P-Asserted-Identity: tel:+4930123"),
        ("P-Asserted-Identity: <tel:+4930123>, <sip:44@edge.example>",),
        ("P-Asserted-Identity: sip:44@edge.example",),
        ("P-Asserted-Identity: <sips:44@edge.example>",),
        ('p-asserted-identity: "Desk, 44" <SIP:44@another.example;user=phone>',),
        ("P-Asserted-Identity: <sip:%34%34@edge.example>",),
    ],
    ids=" + ".join,
)
async def test_an_assertion_in_another_form(lines: tuple[str, ...]) -> None:
    """RFC 3325 9.1: a SIP URI, and perhaps a tel URI, in one header line or two.

    Extensions have no domain (docs/decisions/0006).
    """
    async with (
        serving(make_phone(), edges=EDGES) as server,
        behind(server) as desk,
    ):
        presses = noting(server)
        desk.asserted = lines
        desk.password = "wrong"
        assert (await desk.press("1", number="key1")).status == 200
        assert presses == [("44", "1")]


@pytest.mark.parametrize("edges", [EDGES, ()], ids=["an edge elsewhere", "no edge"])
@pytest.mark.parametrize("host", [LOCALHOST, "127.0.0.3"])
async def test_asserted_by_a_stranger(host: str, edges: tuple[object, ...]) -> None:
    """So by an edge that is not configured, and a phone that gets past the edge."""
    async with (
        serving(make_phone(), edges=edges) as server,
        behind(server) as desk,
        behind(server, host=host) as stranger,
    ):
        presses = noting(server)
        assert (await desk.register()).status == 200
        await desk.shows("4")
        for has_via in (True, False):
            stranger.asserts("44")
            assert await statuses(stranger) == [401] * 4
            if not has_via:
                stranger._text = RawPhone._text  # type: ignore[method-assign]
        assert presses == []


async def test_a_phone_past_the_edge_is_trusted_by_its_own_flow() -> None:
    async with (
        serving(make_phone(), make_phone("45"), edges=EDGES) as server,
        RawPhone(server.address, "45", PASSWORD) as past,
    ):
        presses = noting(server)
        assert (await past.register()).status == 200
        await past.shows("4")
        assert (await past.press("1")).status == 200
        # What it says to be asserted changes nothing: neither for itself nor for 44.
        past.extension, past.username, past.password = "44", "45", PASSWORD
        answer = await past._authorized(
            "MESSAGE",
            f"sip:44@{past.host}",
            to="key1",
            headers=("Content-Type: application/x-buttons", ASSERTED),
            body="k=1\r\na=message\r\n",
        )
        assert answer.status == 403
        assert presses == [("45", "1")]


async def test_an_edge_that_strips_nothing_lets_phones_assert() -> None:
    """So it must strip (docs/network.md): the server cannot know who wrote the header."""
    async with (
        serving(make_phone(), edges=EDGES) as server,
        behind(server) as attacker,
    ):
        presses = noting(server)
        attacker.asserted = (ASSERTED,)
        attacker.password = "wrong"
        assert (await attacker.press("1", number="key1")).status == 200
        assert presses == [("44", "1")]


async def test_no_assertion_for_a_phone_that_is_not_there_or_has_no_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    by_address = phone_setup("46", [setup("1")], address=(LOCALHOST, 9))
    async with (
        serving(make_phone(), edges=EDGES) as server,
        behind(server, "99") as unknown,
        behind(server, "46") as other,
    ):
        server.add_phone(by_address)
        for desk in (unknown, other):
            desk.asserts(desk.extension)
            assert await statuses(desk) == [401] * 4
    assert [it for it in caplog.records if it.levelno >= logging.ERROR] == []


async def test_what_came_by_an_edge_outlives_the_server() -> None:
    """Also if the edge is in none of the networks of phones."""
    options = {"edges": EDGES, "networks": (ip_network("192.0.2.0/24"),)}
    async with serving(make_phone(), **options) as server, behind(server) as desk:
        assert (await desk.register()).status == 200
        assert (await desk.subscribe("3")).status == 200
        snapshot, (_, port) = server.snapshot(), server.address
        await server.stop()
        desk.keys.clear()
        desk.notices.clear()
        async with serving(make_phone(), snapshot=snapshot, port=port, **options):
            await desk.shows("4")
            await desk.until(lambda: bool(desk.notices))


async def test_our_own_request_sent_back_by_an_edge_is_no_press() -> None:
    async with (
        serving(make_phone(), edges=EDGES) as server,
        behind(server) as desk,
    ):
        presses = noting(server)
        assert (await desk.register()).status == 200
        await desk.shows("4")
        desk.asserts("44")
        [binding] = server._location.bindings("44")
        answer = await desk._authorized(
            "MESSAGE",
            binding.contact.uri.text,
            to="44",
            headers=("Content-Type: application/x-buttons",),
            body="k=1\r\na=message\r\n",
        )
        assert answer.status == 482
        assert presses == []


async def test_a_malformed_request_is_answered() -> None:
    """Without an answer the edge would ask one server after the other."""
    async with (
        serving(make_phone(), edges=EDGES) as server,
        behind(server) as desk,
        behind(server, host=LOCALHOST) as stranger,
    ):
        for phone, statuses_expected in ((stranger, []), (desk, [400])):
            assert (await phone.register()).status == 200
            request = phone._text(
                f"MESSAGE sip:44@{phone.host} SIP/2.0",
                (
                    f"Via: SIP/2.0/UDP {phone.address};branch=z9hG4bKmalformed",
                    "From: <sip:44@x>;tag=1",
                    "To: <sip:key1@x>",
                    "Call-ID: malformed",
                    "CSeq: 1 MESSAGE",
                    "Expires: 1",
                    "Expires: 2",
                ),
                "",
            )
            assert await phone.answers_to(request) == statuses_expected


async def test_two_phones_with_one_call_id() -> None:
    """As two have whose random numbers are the same when they start."""
    async with (
        serving(make_phone(), make_phone("45"), edges=EDGES) as server,
        behind(server) as desk,
    ):
        for desk.extension in ("44", "45"):
            desk._cseq = count(1)
            assert (await desk.register()).status == 200


async def test_what_exceeds_the_share_of_a_phone_stays_with_this_server() -> None:
    """After a 503 the edge would try the next server, which knows nothing of the excess."""
    async with (
        serving(make_phone(), edges=EDGES) as server,
        behind(server) as desk,
    ):
        desk.asserts("44")
        answers = [await desk.press("1", number="key1") for _ in range(130)]
        refused = [answer for answer in answers if answer.status != 200]
        assert {answer.status for answer in refused} == {500}
        assert {answer.get("Retry-After") for answer in refused} == {"5"}
        assert server.phones["44"].exceeds


class TestProbe:
    """OPTIONS that the edge sends by itself, as Kamailio's dispatcher does."""

    @staticmethod
    async def status(edge: EdgePhone, uri: str = "") -> int:
        edge._text = RawPhone._text  # type: ignore[method-assign]
        edge.extension = "dispatcher"
        uri = uri or f"sip:{edge.host}"
        answer = await edge._exchange(
            "OPTIONS", uri, to="x", call_id="probe", headers=[], body=""
        )
        return answer.status

    async def test_while_the_server_is_healthy(self) -> None:
        adopted: list[str] = []
        async with (
            serving(make_phone(), edges=EDGES, adopt=adopted.append) as server,
            behind(server) as edge,
        ):
            assert await self.status(edge) == 200
            server.healthy = lambda: False
            assert await self.status(edge) == 503
            server.healthy = lambda: True
            assert await self.status(edge) == 200
            # Of a user it is that user's.
            assert await self.status(edge, f"sip:44@{edge.host}") == 401
        assert adopted == []

    async def test_while_strangers_send_too_much_by_the_edge(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Otherwise the edge would take the server from all phones."""
        monkeypatch.setattr(guard_module, "EDGE_OTHERS", Rate(0.0, 5.0))
        async with (
            serving(make_phone(), edges=EDGES) as server,
            behind(server, "99") as edge,
        ):
            for number in range(10):
                text = edge._text(
                    f"MESSAGE sip:99@{edge.host} SIP/2.0",
                    (f"From: <sip:99@x>;tag={number}",),
                    "",
                )
                edge._transport.sendto(text, edge.next_hop)
            assert await self.status(edge) == 200
            assert server.dropped["all_strangers"] == 5

    async def test_of_a_stranger(self) -> None:
        async with (
            serving(make_phone(), edges=EDGES) as server,
            behind(server, host=LOCALHOST) as stranger,
        ):
            for server.healthy in (lambda: True, lambda: False):
                assert await self.status(stranger) == 401


class TestAdoption:
    """A phone that another server has, and that comes by an edge."""

    SETUPS = {"44": phone_setup("44", [setup("1")])}

    @pytest.mark.parametrize("is_asserted", [True, False])
    async def test_it_is_adopted_by_what_it_has_proven(self, is_asserted: bool) -> None:
        server: PhoneServer
        adopted: list[str] = []

        def adopt(extension: str) -> None:
            adopted.append(extension)
            server.add_phone(self.SETUPS[extension])

        async with (
            serving(edges=EDGES, elsewhere=self.SETUPS, adopt=adopt) as server,
            behind(server) as desk,
        ):
            presses = noting(server)
            if is_asserted:
                desk.asserts("44")
            desk.sent.clear()
            assert (await desk.press("1", number="key1")).status == 200
            assert presses == [("44", "1")]
            challenged = 0 if is_asserted else 1
            assert (
                len([it for it in desk.sent if it.startswith("MESSAGE")])
                == 1 + challenged
            )
            assert (await desk.register()).status == 200
            assert adopted == ["44"]

    async def test_it_is_adopted_when_it_registers(self) -> None:
        server: PhoneServer

        def adopt(extension: str) -> None:
            server.add_phone(self.SETUPS[extension])

        async with (
            serving(edges=EDGES, elsewhere=self.SETUPS, adopt=adopt) as server,
            behind(server) as desk,
        ):
            assert (await desk.register()).status == 200
            assert server.phones.keys() == {"44"}

    async def test_not_by_a_stranger(self) -> None:
        """Neither through the edge nor past it, whatever the request."""
        adopted: list[str] = []
        options = {"elsewhere": self.SETUPS, "adopt": adopted.append}
        async with serving(edges=EDGES, **options) as server:
            async with behind(server) as through:
                through.password = "wrong"
                assert (await through.register()).status == 401
                assert await statuses(through) == [401] * 4
                through.asserts("45")
                assert await statuses(through) == [401] * 4
            async with behind(server, host=LOCALHOST) as past:
                past.password = "wrong"
                past.asserts("44")
                assert (await past.register()).status == 401
                assert await statuses(past) == [401] * 4
        assert adopted == []

    async def test_it_may_fail(self, caplog: pytest.LogCaptureFixture) -> None:
        def fail(extension: str) -> None:
            raise RuntimeError(extension)

        def refuse(extension: str) -> None:
            """Do nothing: the broker has just gone."""

        for adopt, status in ((fail, 500), (refuse, 503)):
            options = {"elsewhere": self.SETUPS, "adopt": adopt}
            async with (
                serving(edges=EDGES, **options) as server,
                behind(server) as desk,
            ):
                desk.asserts("44")
                assert (await desk.press("1", number="key1")).status == status
        assert "could not be handled" in caplog.text


class TestLockOut:
    """Wrong passwords behind an edge lock out a user at the address that it names."""

    async def guess(self, attacker: EdgePhone) -> None:
        attacker.password = "wrong"
        for _ in range(FAILURES):
            assert (await attacker.register()).status == 401

    @pytest.mark.parametrize(
        ("via", "locked"),
        [
            ("192.0.2.66:5060", "192.0.2.66 44"),
            ("phone.local;received=192.0.2.66", "192.0.2.66 44"),
            ("10.0.0.1;rport=5060;received=192.0.2.66", "192.0.2.66 44"),
            ("[2001:db8::1:2];received=2001:db8::1:2", "2001:db8::1:2 44"),
            ("phone.local", f"{EDGE} 44"),
            ("phone.local;received=x:y", f"{EDGE} 44"),
        ],
    )
    async def test_of_one_address(self, via: str, locked: str) -> None:
        async with (
            serving(make_phone(), make_phone("45"), edges=EDGES) as server,
            behind(server) as attacker,
            behind(server) as owner,
            behind(server, "45") as other,
        ):
            attacker.behind = via
            await self.guess(attacker)
            assert server.locked == [locked]
            attacker.password = PASSWORD
            assert (await attacker.register()).status == 401
            # The phone itself is elsewhere, and another phone may be at this address.
            assert (await owner.register()).status == 200
            other.behind = via
            assert (await other.register()).status == 200
