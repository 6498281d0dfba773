"""Admission, with a clock that only tests move."""

from __future__ import annotations

from functools import partial
from ipaddress import ip_network
import math

import pytest

from custom_components.snom_buttons.engine.sip import (
    PRIVATE_NETWORKS,
    Drop,
    Flow,
    LocationService,
    guard as guard_module,
    is_in,
    networks,
    share,
)
from custom_components.snom_buttons.engine.sip.guard import (
    ANSWERS,
    EDGE_OTHERS,
    FAILURES,
    FORGIVEN_EVERY,
    LOCKED_FOR,
    MAX_USER,
    NETWORK_FAILURES,
    PHONE_MORE,
    PHONE_OWN,
    PHONE_SLOW,
    REFUSALS,
    Guard,
    asserted_user,
    claimed_user,
    is_probe,
    sources_of,
)
from custom_components.snom_buttons.engine.sip.strangers import BURST, RATE, SIZE
from tests.support.bindings import bind

STRANGER = Flow("UDP", "192.168.1.66", 5060)
PHONE = Flow("UDP", "192.168.1.66", 2048)
OTHER = Flow("UDP", "192.168.1.67", 5060)


PHONE_AT_ONCE = int(PHONE_OWN.at_once + PHONE_MORE.at_once)


class Guarded:
    """A guard with its clock, and the lock-outs that it reported."""

    def __init__(self, *networks: str) -> None:
        self.now = 1000.0
        self.reported: list[tuple[str, bool]] = []
        self.exceeding: list[str] = []
        self.location = LocationService(lambda: self.now)
        bind(self.location, PHONE)
        self.guard = Guard(
            clock=lambda: self.now,
            location=self.location,
            networks=map(ip_network, networks) if networks else PRIVATE_NETWORKS,
            on_locked=lambda *reported: self.reported.append(reported),
            on_excess=self.exceeding.append,
        )

    def admitted(self, flow: Flow, messages: int, user: str = "", **how: bool) -> int:
        """Return how many of some messages are admitted."""
        admits = partial(self.guard.admits, flow, user=lambda: user, **how)
        return sum(admits() for _ in range(messages))

    def fail(self, times: int, host: str = STRANGER.host) -> None:
        for _ in range(times):
            self.guard.failed(host)


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("192.168.178.20", True),
        ("100.64.0.9", True),
        ("127.0.0.1", True),
        ("169.254.7.7", True),
        ("8.8.8.8", False),
        ("::1", True),
        ("fd00::44", True),
        ("fe80::204:13ff:fe44:1%eth0", True),
        ("2001:db8::44", False),
        ("::ffff:192.168.178.20", True),
        ("::ffff:8.8.8.8", False),
    ],
)
def test_private_networks_at_first(host: str, is_allowed: bool) -> None:
    guarded = Guarded()
    assert guarded.guard.admits_host(host) is is_allowed
    assert guarded.guard.admits(Flow("UDP", host, 5060)) is is_allowed


@pytest.mark.parametrize("host", ["", "phone.local", "%eth0", "192.168.1"])
def test_what_is_no_address_is_in_no_network(host: str) -> None:
    assert not is_in(PRIVATE_NETWORKS, host)


def test_other_networks() -> None:
    guarded = Guarded("198.51.100.0/24", "2001:db8::/32")
    assert guarded.guard.admits_host("198.51.100.7")
    assert guarded.guard.admits_host("2001:db8::7")
    assert not guarded.guard.admits_host("192.168.1.1")


def test_a_flood_from_one_address() -> None:
    guarded = Guarded()
    assert guarded.admitted(STRANGER, 5000) == BURST
    guarded.now += 1.0
    assert guarded.admitted(STRANGER, 5000) == RATE
    # Another port is the same address.
    assert guarded.admitted(STRANGER._replace(port=9), 5000) == 0
    # Neither the phone at the same address nor another address is affected.
    assert guarded.admitted(PHONE, PHONE_AT_ONCE) == PHONE_AT_ONCE
    assert guarded.admitted(OTHER, 10) == 10
    guarded.now += 3600.0
    assert guarded.admitted(STRANGER, 5000) == BURST


def test_wrong_passwords_lock_an_address_out() -> None:
    guarded = Guarded()
    guarded.fail(FAILURES - 1)
    assert guarded.guard.admits(STRANGER)
    guarded.fail(1)
    assert not guarded.guard.admits(STRANGER)
    assert not guarded.guard.admits_host(STRANGER.host)
    assert guarded.guard.admits(PHONE)
    assert guarded.guard.admits(OTHER)
    assert guarded.guard.locked == [STRANGER.host]
    assert guarded.reported == [(STRANGER.host, True)]
    # Failures during the lock-out do not extend it.
    guarded.fail(5)
    assert guarded.guard.next_release == 1000.0 + LOCKED_FOR
    guarded.now += LOCKED_FOR - 1
    guarded.guard.release()
    assert not guarded.guard.admits(STRANGER)
    guarded.now += 1
    guarded.guard.release()
    assert guarded.guard.admits(STRANGER)
    assert guarded.reported == [(STRANGER.host, True), (STRANGER.host, False)]
    assert guarded.guard.next_release is None
    # The count starts again.
    guarded.fail(FAILURES - 1)
    assert guarded.guard.admits(STRANGER)


def test_what_is_forgotten_meanwhile_gives_no_further_guess() -> None:
    guarded = Guarded()
    for _ in range(FAILURES - 1):
        guarded.fail(1)
        guarded.now += 0.5
    assert guarded.guard.admits(STRANGER)
    guarded.fail(1)
    assert not guarded.guard.admits(STRANGER)


def test_whether_there_is_time_takes_nothing() -> None:
    guarded = Guarded()
    for _ in range(5000):
        assert guarded.guard.has_time_for(STRANGER)
    assert guarded.admitted(STRANGER, 5000) == BURST
    assert not guarded.guard.has_time_for(STRANGER)
    assert guarded.guard.has_time_for(PHONE)
    guarded.now += 1.1 / RATE
    assert guarded.guard.has_time_for(STRANGER)


def test_users_behind_a_proxy_are_remembered_by_the_beginning_of_their_names() -> None:
    guarded = Guarded()
    guarded.fail(FAILURES, f"192.0.2.4 {10_000 * 'x'}")
    assert guarded.guard.locked == [f"192.0.2.4 {MAX_USER * 'x'}"]
    assert guarded.guard.is_locked(f"192.0.2.4 {10_000 * 'x'}")
    assert not guarded.guard.is_locked("192.0.2.4")


def test_a_user_lets_an_address_in_again() -> None:
    guarded = Guarded()
    guarded.fail(FAILURES)
    guarded.fail(FAILURES, OTHER.host)
    guarded.guard.release(STRANGER.host)
    assert guarded.guard.locked == [OTHER.host]
    assert guarded.reported[-1] == (STRANGER.host, False)
    guarded.guard.release("192.168.1.99")
    assert guarded.guard.locked == [OTHER.host]


def test_a_phone_that_tries_a_wrong_password_now_and_then_is_not_locked_out() -> None:
    guarded = Guarded()
    for _ in range(1000):
        guarded.fail(1)
        guarded.now += FORGIVEN_EVERY
    assert guarded.guard.locked == []


def test_guesses_in_quick_succession_are_all_counted() -> None:
    guarded = Guarded()
    for _ in range(FAILURES):
        assert guarded.guard.admits(STRANGER)
        guarded.fail(1)
        guarded.now += FORGIVEN_EVERY / 2 / FAILURES
    assert not guarded.guard.admits(STRANGER)


def test_one_sender_has_a_whole_network_of_ipv6() -> None:
    assert sources_of("fe80::1%eth0 44") == ("fe80::1%eth0 44", "fe80::/64%eth0 44")
    assert sources_of("192.0.2.4") == ("192.0.2.4",)
    guarded = Guarded()
    for number in range(NETWORK_FAILURES):
        assert guarded.guard.admits_host("fd00::ffff")
        guarded.fail(1, f"fd00::{number:x}")
    assert guarded.guard.locked == ["fd00::/64"]
    assert not guarded.guard.admits_host("fd00::ffff")
    assert guarded.guard.admits_host("fd00:0:0:1::1")


def test_a_few_guesses_do_not_lock_out_a_whole_network_of_ipv6() -> None:
    """All hosts of a home share one."""
    guarded = Guarded()
    guarded.fail(FAILURES, "fd00::1")
    assert guarded.guard.locked == ["fd00::1"]
    assert not guarded.guard.admits_host("fd00::1")
    assert guarded.guard.admits_host("fd00::2")


def test_a_long_message_counts_as_many() -> None:
    guarded = Guarded()
    long = 10 * SIZE
    admitted = sum(guarded.guard.admits(STRANGER, long) for _ in range(100))
    assert admitted == math.ceil(BURST / 11)
    assert not guarded.guard.admits(STRANGER)
    assert guarded.guard.admits(PHONE, long)


def test_forged_datagrams_do_not_keep_an_address_from_connecting() -> None:
    """A source address can be forged by UDP, not by TCP."""
    guarded = Guarded()
    assert guarded.admitted(STRANGER, 1000) == BURST
    assert guarded.guard.admits(STRANGER._replace(transport="TCP"))


def test_a_registered_phone_has_a_share_of_its_own() -> None:
    guarded = Guarded()
    bind(guarded.location, OTHER, user="45")
    assert guarded.admitted(PHONE, 10_000) == PHONE_AT_ONCE
    assert not guarded.guard.has_time_for(PHONE, 1)
    # Another phone has all of its own, and the first one less for the next minute.
    assert guarded.admitted(OTHER, 100) == 100
    guarded.now += 1.0
    assert guarded.admitted(PHONE, 10_000) == PHONE_SLOW + PHONE_MORE.per_second
    guarded.now += 3600.0
    assert guarded.admitted(PHONE, 10_000) == PHONE_AT_ONCE
    # A long message counts as many.
    guarded.now += 3600.0
    admits = partial(guarded.guard.admits, PHONE, 9 * SIZE)
    assert sum(admits() for _ in range(100)) == PHONE_AT_ONCE / 10


def test_what_a_phone_is_asked_for_is_not_counted() -> None:
    """Responses to documents: a light that blinks by an automation, on 126 keys."""
    guarded = Guarded()
    for _ in range(10_000):
        guarded.guard.expect_answer(PHONE, "44")
        assert guarded.guard.admits(PHONE, is_answer=True)
    assert guarded.admitted(PHONE, 10_000) == PHONE_AT_ONCE - 1


def test_only_the_first_messages_over_the_share_are_refused() -> None:
    guarded = Guarded()
    guarded.admitted(PHONE, 10_000)
    refused = sum(guarded.guard.refuses(PHONE) for _ in range(10_000))
    assert refused == REFUSALS.at_once
    assert set(guarded.exceeding) == {"44"}
    guarded.now += 5.0
    refused = sum(guarded.guard.refuses(PHONE) for _ in range(10_000))
    assert refused == 5 * REFUSALS.per_second
    assert len(guarded.exceeding) == REFUSALS.at_once + 5
    assert not guarded.guard.refuses(STRANGER)


def test_a_hundred_phones_at_once_leave_room_for_another() -> None:
    guarded = Guarded()
    flows = [Flow("UDP", "10.0.0.1", port) for port in range(1, 101)]
    for flow in flows:
        bind(guarded.location, flow, user=f"{flow.port}")
    total = 0
    for _ in range(100):
        guarded.now += 0.1
        total += sum(guarded.admitted(flow, 10) for flow in flows)
        assert guarded.admitted(PHONE, 4) == 4
    # Of 100,000 messages: the first ones of each phone, and a bounded rate of all.
    assert total < 20_000


def test_a_connection_that_used_all_of_its_share_exceeds_it_with_the_next_message() -> (
    None
):
    guarded = Guarded()
    assert guarded.admitted(PHONE, PHONE_AT_ONCE) == PHONE_AT_ONCE
    assert guarded.guard.has_time_for(PHONE, 0)
    assert guarded.exceeding == []
    assert not guarded.guard.has_time_for(PHONE, 1)
    assert guarded.exceeding == ["44"]


def test_phones_behind_a_proxy_have_shares_by_their_users() -> None:
    guarded = Guarded()
    for user in ("44", "45"):
        bind(guarded.location, OTHER, user=user, forwarded=True)
    assert guarded.admitted(OTHER, 10_000, "45") == PHONE_AT_ONCE
    assert guarded.admitted(OTHER, 10_000, "45", is_answer=True) == 0
    assert guarded.admitted(OTHER, 100, "44") == 100
    # All are named in the repair, but 503 would be an answer to a stranger's claim.
    assert not guarded.guard.refuses(OTHER, lambda: "45")
    assert guarded.exceeding == ["45"]
    # The connection of a proxy is read on, for the others.
    assert guarded.guard.has_time_for(OTHER)
    # The rest is what strangers send.
    assert guarded.admitted(OTHER, 10_000, "66") == BURST
    guarded.guard.expect_answer(OTHER, "66")
    assert guarded.admitted(OTHER, 10_000, "66", is_answer=True) == PHONE_AT_ONCE
    # Wrong passwords through the proxy do not affect the phones behind it.
    guarded.now += 100
    guarded.fail(FAILURES, OTHER.host)
    assert guarded.guard.admits(OTHER)
    assert not guarded.guard.admits(OTHER._replace(port=1))


@pytest.mark.parametrize(
    ("data", "user"),
    [
        (b"A\r\nVia: x\r\nFrom: <sip:44@ha>;tag=1\r\n", "44"),
        (b"A\nf:sips:44@ha", "44"),
        (b'A\r\nFROM \t: "a:b" <SIP:44@ha>', "44"),
        (b"A\r\nFrom: <sip:ha>", ""),
        (b"A\r\nFrom: <tel:44>", ""),
        (b"A\r\nTo: <sip:44@ha>", ""),
        (b"A\r\nFrom: " + 300 * b"x" + b"<sip:44@ha>", ""),
        (b"A\r\nFrom: <sip:\xff@ha>", "\udcff"),
        # A response is from the To of the request: in a dialog From is the key's.
        (b"SIP/2.0 200 OK\r\nFrom: <sip:1@ha>\r\nTo: <sip:44@ha>;tag=a", "44"),
        (b"SIP/2.0 200 OK\r\nf: <sip:1@ha>\r\nt : sip:44@ha", "44"),
        (b"SIP/2.0 200 OK\r\nFrom: <sip:1@ha>", ""),
        (b"", ""),
    ],
)
def test_the_user_that_a_message_claims(data: bytes, user: str) -> None:
    assert claimed_user(data) == user


def test_what_is_remembered_of_strangers_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard_module, "MAX_SOURCES", 100)
    monkeypatch.setattr(networks, "MAX_HOSTS", 100)
    guarded = Guarded()
    guarded.fail(FAILURES, "10.0.0.0")
    for number in range(500):
        host = f"10.0.{number // 250}.{number % 250 + 1}"
        guarded.guard.admits(Flow("UDP", host, 5060))
        guarded.fail(1, host)
    guard = guarded.guard
    monkeypatch.setattr(share, "MAX_SENDERS", 100)
    for port in range(1, 500):
        flow = Flow("UDP", "10.2.0.1", port)
        bind(guarded.location, flow, user=f"{port}")
        guard.admits(flow)
        guard.refuses(flow)
    assert {len(guard._shares._senders), len(guard._refusals)} == {100}
    sizes = {len(guard._failures), len(guard._networks._hosts)}
    assert sizes == {100}
    # Other sources do not displace a lock-out, unless all of them are locked out.
    assert guard.locked == ["10.0.0.0"]
    for number in range(100):
        guarded.fail(FAILURES, f"10.1.0.{number}")
    # Each reported lock-out is also reported as ended.
    assert [reported for reported in guarded.reported if reported[0] == "10.0.0.0"] == [
        ("10.0.0.0", True),
        ("10.0.0.0", False),
    ]
    assert len(guard._failures) == 100


EDGE = Flow("UDP", "203.0.113.7", 5060)


class BehindEdge(Guarded):
    """The guard of a server with ten thousand phones behind an edge."""

    def __init__(self) -> None:
        super().__init__()
        self.users = {f"{number}" for number in range(10_000)}
        self.guard = Guard(
            clock=lambda: self.now,
            location=self.location,
            edges=[ip_network("203.0.113.7/32")],
            is_user=self.users.__contains__,
            on_locked=lambda *reported: self.reported.append(reported),
            on_excess=self.exceeding.append,
        )


def test_all_phones_behind_an_edge_may_register_at_once() -> None:
    guarded = BehindEdge()
    for user in guarded.users:  # a REGISTER, the same with credentials, and two copies
        assert guarded.admitted(EDGE, 4, user) == 4
    assert guarded.guard.drops.counts == {}
    assert guarded.guard.admits_host(EDGE.host) is False  # by its networks alone
    assert guarded.guard.serves(EDGE)
    assert guarded.guard.has_time_for(EDGE, 64 * 1024)


def test_what_a_phone_behind_an_edge_may_send() -> None:
    """Counted by its name, and what the edge asserts apart from that."""
    guarded = BehindEdge()
    assert guarded.admitted(EDGE, 1000, "44") == PHONE_AT_ONCE
    assert guarded.admitted(EDGE, 10, "45") == 10
    # By another connection of the edge it has no other share.
    again = EDGE._replace(transport="TCP", connection=7)
    assert guarded.admitted(again, 10, "44") == 0
    asserted = partial(
        guarded.guard.admits, EDGE, user=lambda: "99", asserted=lambda: "44"
    )
    assert sum(asserted() for _ in range(1000)) == PHONE_AT_ONCE
    # So are its answers: who claims to be the phone must not keep them from the server.
    assert guarded.admitted(EDGE, 100, "44", is_answer=True) == 100
    # It gets no answer, since the edge would send it to another server then.
    assert not guarded.guard.refuses(EDGE, lambda: "44")
    assert guarded.exceeding == ["44"]
    # An answer to the server's own request is expected.
    assert guarded.admitted(EDGE, 1000, "44", is_answer=True) < PHONE_AT_ONCE
    guarded.guard.expect_answer(EDGE, "44")
    assert guarded.admitted(EDGE, 10, "44", is_answer=True) == ANSWERS


def test_names_of_no_phone_behind_an_edge() -> None:
    """They have a share in common, take no memory, and nothing from the phones."""
    guarded = BehindEdge()
    admits = partial(guarded.guard.admits, EDGE)
    names = (f"x{number}" for number in range(20_000))
    admitted = sum(admits(user=lambda name=name: name) for name in names)  # type: ignore[misc]
    assert admitted == EDGE_OTHERS.at_once
    assert guarded.guard.drops.counts == {Drop.ALL_STRANGERS: 20_000 - admitted}
    assert len(guarded.guard._shares._senders) == 0
    assert len(guarded.guard._strangers._sources) == 0
    assert guarded.admitted(EDGE, 10, "44") == 10
    # A probe that is dropped would take the server from all phones.
    assert admits(is_probe=lambda: True)
    # Strangers elsewhere have theirs.
    assert guarded.admitted(STRANGER, 10) == 10


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"OPTIONS sip:127.0.0.1:5071 SIP/2.0\r\n", True),
        (b"OPTIONS sip:bridge-1:5061;transport=tls SIP/2.0\r\n", True),
        (b"OPTIONS sip:44@127.0.0.1 SIP/2.0\r\n", False),
        (b"OPTIONS tel:44 SIP/2.0\r\n", False),
        (b"REGISTER sip:127.0.0.1 SIP/2.0\r\n", False),
        (b"X: y\r\nOPTIONS sip:127.0.0.1 SIP/2.0\r\n", False),
    ],
)
def test_the_probe_of_an_edge(data: bytes, found: bool) -> None:
    assert is_probe(data) is found


def test_an_edge_is_not_locked_out() -> None:
    guarded = BehindEdge()
    guarded.fail(FAILURES, EDGE.host)
    assert guarded.guard.locked == [EDGE.host]
    assert guarded.admitted(EDGE, 10, "44") == 10


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        (b"P-Asserted-Identity: <sip:44@h>\r\n\r\n", "44"),
        (b'P-Asserted-Identity: <tel:1>, "Desk" <sips:44@h>\r\n\r\n', "44"),
        (b"P-Asserted-Identity: sip:44@h", "44"),
        (b"P-Preferred-Identity: <sip:44@h>\r\n\r\n", ""),
        (b"Subject: P-Asserted-Identity: <sip:44@h>\r\n\r\n", ""),
        # In a body, after either blank line.
        (b"X: y\r\n\r\nk=1\r\nP-Asserted-Identity: <sip:44@h>\r\n", ""),
        (b"X: y\n\nP-Asserted-Identity: <sip:44@h>\r\n\r\n", ""),
        (b"X: y\r\n\r\n--x\r\nP-Asserted-Identity: <sip:44@h>\r\n\r\n", ""),
    ],
)
def test_the_user_that_an_edge_asserts(lines: bytes, user: str) -> None:
    data = b'MESSAGE sip:h SIP/2.0\r\nFrom: "sip:45@h" <sip:44@h>\r\n' + lines
    assert asserted_user(data) == user
