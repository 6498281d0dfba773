"""Hostile input costs time in proportion to its length.

Clocks are noisy, so these tests count the lines of Python that `sys.monitoring` reports,
once for each iteration of a loop. Four times the input may cost four times the lines.
(Single calls of C, such as `str.find`, are linear.)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from custom_components.snom_buttons.engine.sip import (
    SipSyntaxError,
    parse_address,
    parse_uri,
    parser,
)
from custom_components.snom_buttons.engine.sip.digest import parse_credentials
from custom_components.snom_buttons.engine.sip.parser import MAX_MESSAGE
from tests.support.datagrams import take
from tests.support.hostile import MESSAGES
from tests.support.lines import lines_run


@pytest.fixture(autouse=True)
def heads_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow long heads, whose cost is tested here."""
    monkeypatch.setattr(parser, "MAX_HEAD", MAX_MESSAGE)


@pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
def test_four_times_the_input_costs_four_times_the_lines(
    message: Callable[[int], bytes],
) -> None:
    short, long = message(16 * 1024), message(MAX_MESSAGE)
    assert 0.9 * MAX_MESSAGE < len(long) <= MAX_MESSAGE
    take(message(1024))  # fills the caches
    cost = lines_run(lambda: take(short))
    assert lines_run(lambda: take(long)) <= 4.5 * cost + 200


TEXTS = {
    "uri": (parse_uri, ["", "sip:", "sip:h;", "sip:a@h;a=", "sip:h?", "sip:[", "tel:1;"]),
    "address": (
        parse_address,
        ["", '"', "<sip:", "<sip:h>;", '<sip:h>;a="', "sip:h;", '"a" <sip:h;'],
    ),
    "credentials": (parse_credentials, ["Digest ", 'Digest a="', "Digest a=b,", "Digest a="]),
}  # fmt: skip
UNITS = ['"', "\\", '\\"', ",", "<", ">", "<>", ";", ";a", "=", " ", "%", "%41", "@", ":", "[", "]", "9", ",a=b", '";"', "\r\n "]  # fmt: skip


@pytest.mark.parametrize("end", ["", '"', ">", "@h>", "]", '"<sip:h>'])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("what", TEXTS)
def test_single_header_values(what: str, unit: str, end: str) -> None:
    """The same for single values of headers, with any start and end."""
    parse, starts = TEXTS[what]

    def cost(text: str) -> int:
        def read() -> None:
            with suppress(SipSyntaxError):
                parse(text)

        return lines_run(read)

    for start in starts:
        cost(start + 500 * unit + end)  # fills the caches
        short, long = (
            start + unit * (size // len(unit)) + end
            for size in (MAX_MESSAGE // 64, MAX_MESSAGE // 16)
        )
        assert cost(long) <= 4.5 * cost(short) + 200


def test_the_measure_distinguishes_quadratic_from_linear() -> None:
    """Otherwise the tests above would prove nothing."""

    def quadratic(size: int) -> None:
        for first in range(size):
            for _ in range(first):
                pass

    def linear(size: int) -> None:
        for _ in range(size):
            pass

    assert lines_run(lambda: linear(400)) <= 4.5 * lines_run(lambda: linear(100))
    assert lines_run(lambda: quadratic(400)) > 10 * lines_run(lambda: quadratic(100))
