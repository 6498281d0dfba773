"""Parsing and building messages and documents, and the worst input of 64 KiB."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
import timeit
from unittest.mock import patch

from custom_components.snom_buttons.engine.sip import parse_datagram, parser
from custom_components.snom_buttons.engine.sip.message import encode
from custom_components.snom_buttons.engine.sip.parser import MAX_MESSAGE
from custom_components.snom_buttons.engine.xbuttons import (
    DocumentError,
    format_document,
    parse_document,
)
from script.benchmark.phone import KEYS, REGISTER
from script.benchmark.table import show
from tests.support.datagrams import take as take_message
from tests.support.hostile import MESSAGES, STARTS, UNITS


def best_of(function: Callable[[], object]) -> float:
    """Return the microseconds of a call, the best of some repetitions."""
    number, _ = timeit.Timer(function).autorange()
    return min(timeit.repeat(function, number=number, repeat=5)) / number * 1e6


def split(data: bytes) -> list[list[str]]:
    """Return the lines of a text, each split at its first `=`."""
    return [line.split("=", 1) for line in data.decode().split("\r\n")]


def join(lines: list[list[str]]) -> bytes:
    """Return the bytes that `split` was given."""
    return "\r\n".join(["=".join(line) for line in lines]).encode()


def bench_parsing() -> None:
    """Parse and build, against splitting and joining the same bytes."""
    document = format_document(KEYS)
    lines_of_document, lines_of_register = split(document), split(REGISTER)
    lines = REGISTER.decode().partition("\r\n\r\n")[0].split("\r\n")[1:]
    headers = [(name, value) for name, _, value in (it.partition(": ") for it in lines)]
    headers.remove(("Content-Length", "0"))

    for what, ours, floor in (
        (
            "parse a 12-key document",
            lambda: parse_document(document),
            lambda: split(document),
        ),
        (
            "build a 12-key document",
            lambda: format_document(KEYS),
            lambda: join(lines_of_document),
        ),
        ("parse a REGISTER", lambda: parse_datagram(REGISTER), lambda: split(REGISTER)),
        (
            "build a REGISTER",
            lambda: encode("REGISTER sip:127.0.0.1 SIP/2.0", headers, b""),
            lambda: join(lines_of_register),
        ),
    ):
        time, least = best_of(ours), best_of(floor)
        show(what, f"{time:.1f} µs", f"{least:.1f} µs", f"{time / least:.1f} times")


def bench_worst() -> None:
    """Read the worst 64 KiB of the tests of linear cost, beside as many `x`.

    The limit of 16 KiB for the head of a message is lifted, as in those tests.
    """

    def read(document: bytes) -> None:
        with suppress(DocumentError):
            parse_document(document)

    def time(take: Callable[[bytes], None], data: bytes) -> float:
        return min(timeit.repeat(lambda: take(data), number=1, repeat=3)) * 1000

    messages = [(name, make(MAX_MESSAGE)) for name, make in MESSAGES.items()]
    documents = [
        (f"{start} {unit}".strip(), before + again * (MAX_MESSAGE // len(again) - 2))
        for start, before in STARTS.items()
        for unit, again in UNITS.items()
    ]
    for what, take, inputs in (
        ("message", take_message, messages),
        ("document", read, documents),
    ):
        with patch.object(parser, "MAX_HEAD", MAX_MESSAGE):
            slowest, name = max((time(take, data), name) for name, data in inputs)
            least = time(take, MAX_MESSAGE * b"x")
        show(f"worst 64 KiB: {what}, {name}", f"{slowest:.1f} ms", f"{least:.2f} ms")
