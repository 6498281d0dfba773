"""The allowances of strangers, with a clock that only tests move."""

from __future__ import annotations

import pytest

from custom_components.snom_buttons.engine.sip import Flow, strangers as module
from custom_components.snom_buttons.engine.sip.drops import Drop
from custom_components.snom_buttons.engine.sip.strangers import (
    ALL_BURST,
    ALL_RATE,
    BURST,
    HANDSHAKE,
    NETWORK,
    RATE,
    RESERVE,
    SMALL_BURST,
    SMALL_MESSAGE,
    SMALL_RATE,
    Strangers,
    networks_of,
)

LONG = 16
"""Tokens of a message of 15 KiB."""


class Crowd:
    """Strangers, with their clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.strangers = Strangers(lambda: self.now)

    def take(
        self, host: str, tokens: int = 1, transport: str = "UDP", work: int = 0
    ) -> Drop | None:
        flow = Flow(transport, host, 5060)
        may = self.strangers.refusal(flow, tokens)
        taken = self.strangers.take(flow, tokens, work)
        assert may is taken
        return taken

    def admitted(self, host: str, messages: int, **how: int) -> int:
        return sum(self.take(host, **how) is None for _ in range(messages))

    def noise(self, senders: int, seconds: float) -> int:
        """Send from each of some addresses 1.5 messages of 15 KiB a second.

        Return how many tokens were taken.
        """
        taken = 0
        for _ in range(int(seconds * 3 / 2)):
            for number in range(senders):
                if self.take(f"10.0.{number // 250}.{number % 250}", LONG) is None:
                    taken += LONG
            self.now += 2 / 3
        return taken


def test_one_address() -> None:
    crowd = Crowd()
    assert crowd.admitted("10.0.0.1", 5000) == BURST
    assert crowd.take("10.0.0.1") is Drop.RATE
    crowd.now += 1
    assert crowd.admitted("10.0.0.1", 5000) == RATE


def test_many_strangers_have_no_more_together_than_is_allowed() -> None:
    crowd = Crowd()
    taken = crowd.noise(100, 60)
    assert ALL_RATE * 59 <= taken <= ALL_BURST + ALL_RATE * 60


@pytest.mark.parametrize("senders", [100, 1000, 10_000])
def test_a_phone_gets_its_turn_at_once_among_strangers_that_send_long_messages(
    senders: int,
) -> None:
    """They have to leave the reserve, which two messages hardly touch."""
    crowd = Crowd()
    for number in range(10):
        crowd.noise(senders, 1)
        assert crowd.take(f"10.1.0.{number}", 2) is None
        assert crowd.take(f"10.1.0.{number}", 2) is None


@pytest.mark.parametrize("senders", [100, 500])
def test_a_phone_gets_its_turn_soon_among_strangers_that_use_up_their_allowance(
    senders: int,
) -> None:
    """They count as small at first, and then for one message a second each."""
    crowd = Crowd()
    soon = senders * SMALL_BURST / (ALL_RATE - senders * SMALL_RATE)
    for tenth in range(300):
        for number in range(senders):
            crowd.admitted(f"10.0.{number // 250}.{number % 250}", int(RATE / 10))
        register = crowd.take(f"10.1.0.{tenth}")
        assert register is None or tenth / 10 <= soon
        crowd.now += 0.1


def test_who_has_sent_much_is_small_again_later() -> None:
    crowd = Crowd()
    assert crowd.admitted("10.0.0.1", 100) == 100
    crowd.strangers._all["UDP"].tokens = RESERVE - 1
    assert crowd.take("10.0.0.1") is Drop.ALL_STRANGERS
    crowd.now += SMALL_BURST / SMALL_RATE
    crowd.strangers._all["UDP"].tokens = 1.0
    assert crowd.strangers.refusal(Flow("UDP", "10.0.0.1", 5060), 1) is None


def test_a_long_message_is_never_small() -> None:
    crowd = Crowd()
    crowd.take("10.0.0.1")
    crowd.strangers._all["UDP"].tokens = RESERVE - 1
    assert crowd.take("10.0.0.2", SMALL_MESSAGE + 1) is Drop.ALL_STRANGERS
    assert crowd.take("10.0.0.2", SMALL_MESSAGE) is None


def test_a_thousand_phones_register_at_once() -> None:
    """Each sends two messages, and after half a second the first again."""
    crowd = Crowd()
    phones = [f"10.0.{number // 250}.{number % 250}" for number in range(1000)]
    for _ in range(2):
        assert all(crowd.take(phone) is None for phone in phones)
    crowd.now += 0.5
    assert all(crowd.take(phone) is None for phone in phones)


def test_each_transport_has_an_allowance_of_its_own() -> None:
    """A source address can be forged by UDP, not by TCP."""
    crowd = Crowd()
    crowd.strangers._all_of(Flow("UDP", "10.0.0.0", 5060), crowd.now).tokens = 0
    assert crowd.take("10.0.0.0") is Drop.ALL_STRANGERS
    assert crowd.take("10.0.0.0", transport="TCP") is None


def test_a_handshake_counts_as_work_for_all_and_as_one_message_for_its_sender() -> None:
    crowd = Crowd()
    taken = [
        crowd.take(f"10.0.{n // 250}.{n % 250}", transport="TLS", work=HANDSHAKE)
        for n in range(2000)
    ]
    assert taken.count(None) == ALL_BURST / (1 + HANDSHAKE)
    crowd = Crowd()
    taken = [
        crowd.take("10.0.0.1", transport="TLS", work=HANDSHAKE) for _ in range(1000)
    ]
    assert taken.count(None) == BURST


def test_one_sender_has_a_whole_network_of_ipv6() -> None:
    assert networks_of("fe80::1%eth0") == ("fe80::1%eth0", "fe80::/64%eth0")
    assert networks_of("192.0.2.4") == ("192.0.2.4",)
    crowd = Crowd()
    assert crowd.admitted("fd00::1", 1000) == BURST
    # As many phones as in a home are not kept out by one of them.
    assert crowd.take("fd00::2") is None
    crowd.now += 1000
    admitted = 0
    for number in range(1, 1000):
        crowd.strangers._all.clear()
        admitted += crowd.admitted(f"fd00::{number:x}", 10)
    assert admitted == NETWORK * BURST
    assert crowd.take("fd00::ffff") is Drop.RATE
    assert crowd.take("fd00:0:0:1::1") is None


def test_an_ipv6_network_is_small_as_a_whole() -> None:
    crowd = Crowd()
    small = 0
    for number in range(1, 2000):
        crowd.strangers._all["UDP"] = module.Bucket(module.Rate(0, 1.0), crowd.now)
        small += crowd.take(f"fd00::{number:x}") is None
    assert small == NETWORK * SMALL_BURST


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SOURCES", 100)
    crowd = Crowd()
    for number in range(500):
        crowd.take(f"10.0.{number // 250}.{number % 250}")
    assert len(crowd.strangers._sources) == 100
