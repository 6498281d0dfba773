"""Hostile input costs time in proportion to its length.

Clocks are noisy, so what is counted here is lines of Python: `sys.monitoring` reports
each one that runs, once more for each turn of a loop. Four times the input may cost
four times the lines. (What C does in one call, such as `str.find`, is linear itself.)
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
from tests.support.lines import lines_run
from tests.support.messages import request_bytes


@pytest.fixture(autouse=True)
def heads_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let long heads in: what they would cost is the question here."""
    monkeypatch.setattr(parser, "MAX_HEAD", MAX_MESSAGE)


def with_header(line: Callable[[int], str]) -> Callable[[int], bytes]:
    """Return what makes a request of a size, with a header line that fills it up."""

    def sized(size: int) -> bytes:
        return request_bytes(
            "REGISTER", line(size - len(request_bytes("REGISTER", "")))
        )

    return sized


def filled(before: str, unit: str, after: str = "") -> Callable[[int], str]:
    """Return what makes a line of at most a length, with `unit` as often as it fits."""
    return lambda room: (
        before + unit * ((room - len(before) - len(after)) // len(unit)) + after
    )


DIGEST = 'Authorization: Digest realm="r"'
HEADERS = {
    "quotes": filled("m: ", '"'),
    "quotes and commas": filled("m: ", '"",'),
    "quotes of nothing, closed": filled('m: "', '\\"', '"'),
    "backslashes": filled('m: "', "\\"),
    "backslashes, closed": filled('m: "', "\\\\", '" <sip:x@y>'),
    "backslashes without quotes": filled("m: ", "\\"),
    "commas": filled("m: ", ","),
    "commas in quotes": filled('m: "', ",", '" <sip:x@y>'),
    "contacts": filled("m: ", "<sip:a@b>,"),
    "opening brackets": filled("m: ", "<"),
    "closing brackets": filled("m: ", ">"),
    "pairs of brackets": filled("m: ", "<>,"),
    "semicolons": filled("m: <sip:x@y>", ";"),
    "parameters": filled("m: <sip:x@y>", ";a"),
    "equal signs": filled("m: <sip:x@y>;a", "="),
    "blanks": filled("m: <sip:x@y>", " ", ";a"),
    "tabs": filled("m:", "\t", "x"),
    "folding": filled("Subject: a", "\r\n b"),
    "folding of nothing": filled("Subject: a", "\r\n "),
    "header lines": filled("a: b", "\r\na: b"),
    "lines that are none": filled("a: b", "\r\nnonsense"),
    "empty names": filled("a: b", "\r\n:"),
    "bare returns": filled("a: b", "\r"),
    "control characters": filled("a: b", "\x01"),
    "no utf-8": filled("a: b", "\udcff"),
    "colons": filled("a", ":"),
    "percent signs": filled("m: <sip:", "%", "@h>"),
    "percent escapes": filled("m: <sip:", "%41", "@h>"),
    "at signs": filled("m: <sip:", "@", "h>"),
    "digits": filled("m: <sip:x@h:", "9", ">"),
    "ipv6": filled("m: <sip:x@[", ":", "]>"),
    "a long host": filled("m: <sip:x@", "h", ">"),
    "requirements": filled("Require: ", "ab,"),
    "supported": filled("Supported: ", "ab,"),
    "unclosed in Require": filled('Require: "', ","),
    "credentials, commas": filled(DIGEST, ","),
    "credentials, parameters": filled(DIGEST, ",a=b"),
    "credentials, quotes": filled(DIGEST, ',"'),
    "credentials, backslashes": filled(f'{DIGEST}, username="', "\\"),
    "credentials, blanks": filled(DIGEST, " "),
    "credentials, equal signs": filled(f"{DIGEST}, a", "="),
    "credentials, unquoted": filled(f'{DIGEST}, username="', "a\\", '"'),
    "credentials, uri": filled(f'{DIGEST}, uri="sip:', "x", '@h"'),
    "many credentials": filled("a: b", "\r\nAuthorization: Digest realm=x,realm=x"),
    "expires": filled("Expires: ", "9"),
    "content length": filled("l: ", "1"),
    "vias": filled("v: SIP/2.0/UDP h", ",SIP/2.0/UDP h"),
}
MESSAGES = {name: with_header(line) for name, line in HEADERS.items()}


def in_place_of(
    name: str, before: str, unit: str, after: str = ""
) -> Callable[[int], bytes]:
    """Return what makes a request whose mandatory header `name` fills it up."""

    def sized(size: int) -> bytes:
        room = size - len(request_bytes("REGISTER", **{name: ""}))  # type: ignore[arg-type]
        return request_bytes("REGISTER", **{name: filled(before, unit, after)(room)})  # type: ignore[arg-type]

    return sized


MESSAGES |= {
    "Via, parameters": in_place_of("Via", "SIP/2.0/UDP h", ";a"),
    "Via, semicolons": in_place_of("Via", "SIP/2.0/UDP h", ";"),
    "Via, quotes": in_place_of("Via", 'SIP/2.0/UDP h;a="', '\\"', '"'),
    "Via, quoted commas": in_place_of("Via", 'SIP/2.0/UDP h;a="', ",", '", SIP/2.0/UDP i'),
    "Via, values": in_place_of("Via", 'SIP/2.0/UDP h;a="x"', ", SIP/2.0/UDP i"),
    "Via, blanks": in_place_of("Via", "SIP/2.0/UDP", " ", "h"),
    "Via, slashes": in_place_of("Via", "SIP/2.0", "/", "UDP h"),
    "Via, branch": in_place_of("Via", "SIP/2.0/UDP h;branch=z9hG4bK", "x"),
    "To, quotes": in_place_of("To", '"', '\\"', '" <sip:x@y>'),
    "To, backslashes": in_place_of("To", '"', "\\", '" <sip:x@y>'),
    "To, backslashed quotes": in_place_of("To", '"', '\\\\\\"', '"<sip:x@y>'),
    "To, not closed": in_place_of("To", '"', '\\"'),
    "To, brackets": in_place_of("To", "<", "<", "sip:x@y>"),
    "To, user": in_place_of("To", "<sip:", "%2A", "@h>"),
    "To, tag": in_place_of("To", "<sip:x@y>;tag=", "x"),
    "From, no utf-8": in_place_of("From", '"', "\udcff", '" <sip:x@y>;tag=1'),
    "Call-ID": in_place_of("Call_ID", "x", "@"),
    "CSeq": in_place_of("CSeq", "1 ", "X"),
    "CSeq, blanks": in_place_of("CSeq", "1", " ", "REGISTER"),
}  # fmt: skip
MESSAGES |= {
    "Request-URI": lambda size: request_bytes("REGISTER", uri="sip:" + "x" * (size - 250)),
    "Request-URI, scheme": lambda size: request_bytes("REGISTER", uri="x" * (size - 250) + ":y"),
    "Request-URI, parameters": lambda size: request_bytes("REGISTER", uri="sip:h" + ";a" * ((size - 250) // 2)),
    "blanks in the first line": lambda size: request_bytes("REGISTER", uri=" " * (size - 250)),
    "blanks behind the first line": lambda size: request_bytes("REGISTER", version="SIP/2.0" + " " * (size - 250)),
    "method": lambda size: request_bytes("X" * ((size - 250) // 2)),
    "empty lines": lambda size: b"\r\n" * (size // 2),
    "empty lines first": lambda size: b"\r\n" * (size // 2 - 200) + request_bytes("REGISTER"),
    "body": lambda size: request_bytes("REGISTER", body=b"\r\n\r\n" * ((size - 250) // 4)),
    "no lines": lambda size: b"x" * size,
    "line ends": lambda size: b"MESSAGE sip:x SIP/2.0" + b"\r" * (size - 30),
    "status": lambda size: b"SIP/2.0 " + b"2" * (size - 8),
}  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
def test_four_times_the_input_costs_four_times_the_lines(
    message: Callable[[int], bytes],
) -> None:
    short, long = message(16 * 1024), message(MAX_MESSAGE)
    assert 0.9 * MAX_MESSAGE < len(long) <= MAX_MESSAGE
    take(message(1024))  # What is done once only, is done.
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
def test_so_it_is_with_each_text_alone(what: str, unit: str, end: str) -> None:
    """The same for values of headers, however they begin and end."""
    parse, starts = TEXTS[what]

    def cost(text: str) -> int:
        def read() -> None:
            with suppress(SipSyntaxError):
                parse(text)

        return lines_run(read)

    for start in starts:
        cost(start + 500 * unit + end)  # What is done once only, is done.
        short, long = (
            start + unit * (size // len(unit)) + end
            for size in (MAX_MESSAGE // 64, MAX_MESSAGE // 16)
        )
        assert cost(long) <= 4.5 * cost(short) + 200


def test_the_measure_tells_quadratic_from_linear() -> None:
    """Else the test above would prove nothing."""

    def quadratic(size: int) -> None:
        for first in range(size):
            for _ in range(first):
                pass

    def linear(size: int) -> None:
        for _ in range(size):
            pass

    assert lines_run(lambda: linear(400)) <= 4.5 * lines_run(lambda: linear(100))
    assert lines_run(lambda: quadratic(400)) > 10 * lines_run(lambda: quadratic(100))
