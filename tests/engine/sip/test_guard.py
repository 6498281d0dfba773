"""Admission, with a clock that only tests move."""

from __future__ import annotations

from ipaddress import ip_network
import math

import pytest

from custom_components.snom_buttons.engine.sip import (
    Flow,
    LocationService,
    guard as guard_module,
)
from custom_components.snom_buttons.engine.sip.guard import (
    FAILURES,
    FORGIVEN_EVERY,
    LOCKED_FOR,
    MAX_USER,
    NETWORK_FAILURES,
    PRIVATE_NETWORKS,
    Guard,
    sources_of,
)
from custom_components.snom_buttons.engine.sip.strangers import BURST, RATE, SIZE
from tests.support.bindings import bind

STRANGER = Flow("UDP", "192.168.1.66", 5060)
PHONE = Flow("UDP", "192.168.1.66", 2048)
OTHER = Flow("UDP", "192.168.1.67", 5060)


class Guarded:
    """A guard with its clock, and the lock-outs that it reported."""

    def __init__(self, *networks: str) -> None:
        self.now = 1000.0
        self.reported: list[tuple[str, bool]] = []
        self.location = LocationService(lambda: self.now)
        bind(self.location, PHONE)
        self.guard = Guard(
            clock=lambda: self.now,
            location=self.location,
            networks=map(ip_network, networks) if networks else PRIVATE_NETWORKS,
            on_locked=lambda *reported: self.reported.append(reported),
        )

    def admitted(self, flow: Flow, messages: int) -> int:
        """Return how many of some messages are admitted."""
        return sum(self.guard.admits(flow) for _ in range(messages))

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
    ],
)
def test_private_networks_at_first(host: str, is_allowed: bool) -> None:
    guarded = Guarded()
    assert guarded.guard.admits_host(host) is is_allowed
    assert guarded.guard.admits(Flow("UDP", host, 5060)) is is_allowed


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
    assert guarded.admitted(PHONE, 5000) == 5000
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


def test_answers_that_come_through_a_proxy_are_not_what_strangers_send() -> None:
    guarded = Guarded()
    bind(guarded.location, OTHER, forwarded=True)
    answers = sum(guarded.guard.admits(OTHER, is_answer=True) for _ in range(1000))
    assert answers == 1000
    assert guarded.admitted(OTHER, 1000) == BURST
    # Wrong passwords through the proxy do not affect the phones behind it.
    guarded.now += 100
    guarded.fail(FAILURES, OTHER.host)
    assert guarded.guard.admits(OTHER)
    assert not guarded.guard.admits(OTHER._replace(port=1))


def test_what_is_remembered_of_strangers_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard_module, "MAX_SOURCES", 100)
    guarded = Guarded()
    guarded.fail(FAILURES, "10.0.0.0")
    for number in range(500):
        host = f"10.0.{number // 250}.{number % 250 + 1}"
        guarded.guard.admits(Flow("UDP", host, 5060))
        guarded.fail(1, host)
    guard = guarded.guard
    sizes = {len(guard._failures), len(guard._allowed)}
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
