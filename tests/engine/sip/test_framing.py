"""The stream decoder: any partition of the bytes gives the same messages."""

from __future__ import annotations

import itertools

from hypothesis import given, strategies as st
import pytest

from custom_components.snom_buttons.engine.sip.framing import (
    PING,
    BrokenStream,
    StreamDecoder,
)
from custom_components.snom_buttons.engine.sip.parser import MAX_HEAD, MAX_MESSAGE
from tests.support.lines import lines_run
from tests.support.messages import request_bytes

EMPTY = request_bytes("OPTIONS", "Content-Length: 0")
PRESS = request_bytes("MESSAGE", "Content-Length: 14", body=b"k=1\r\n\r\na=seize")
COMPACT = request_bytes("MESSAGE", "l : 3", body=b"k=1")
FOLDED = request_bytes("MESSAGE", "Content-Length:\r\n\t3", body=b"k=1")
LF_ONLY = request_bytes("MESSAGE", "Content-Length: 3").replace(b"\r\n", b"\n") + b"k=1"
WHOLE = (EMPTY, PRESS, COMPACT, FOLDED, LF_ONLY)


def fed(*pieces: bytes) -> list[bytes]:
    """Return the decoded messages of pieces in their order."""
    decoder = StreamDecoder()
    return [message for piece in pieces for message in decoder.feed(piece)]


@pytest.mark.parametrize("message", WHOLE)
def test_a_message_that_comes_byte_by_byte(message: bytes) -> None:
    decoder = StreamDecoder()
    for position in range(len(message) - 1):
        assert list(decoder.feed(message[position : position + 1])) == []
        assert decoder.is_within
    assert list(decoder.feed(message[-1:])) == [message]
    assert not decoder.is_within


@given(st.data())
def test_however_the_bytes_are_cut(data: st.DataObject) -> None:
    messages = data.draw(st.lists(st.sampled_from(WHOLE), max_size=6))
    stream = b"".join(messages)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    bounds = [0, *sorted(cuts), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(bounds)]
    assert fed(*pieces) == messages


@pytest.mark.parametrize(
    ("pieces", "messages"),
    [
        ([PING], [PING]),
        ([b"\r\n", b"\r\n"], [PING]),
        ([b"\r", b"\n\r", b"\n"], [PING]),
        ([PING + PING], [PING, PING]),
        ([PING + EMPTY + PING], [PING, EMPTY, PING]),
        ([b"\r\n" + EMPTY], [EMPTY]),
        ([b"\r\n", EMPTY], [EMPTY]),
        ([b"\n\n\n" + EMPTY], [EMPTY]),
        ([b"\n" + PING], [PING]),
        ([b"\n", PING], [PING]),
        ([PING + b"\r\n" + EMPTY], [PING, EMPTY]),
        ([b"\r\n"], []),
        # NULs, which some phones send to keep a connection; they are no part of a ping.
        ([b"\0"], []),
        ([4 * b"\0" + EMPTY], [EMPTY]),
        ([b"\0", b"\0", EMPTY], [EMPTY]),
        ([b"\0" + PING + b"\0"], [PING]),
        ([b"\r\n\0\r\n", EMPTY], [EMPTY]),
        ([b"\r\n\r", b"\0" + EMPTY], [EMPTY]),
        ([b"\r\r\n\r\n\n" + EMPTY], [PING, EMPTY]),
    ],
)
def test_line_ends_between_messages(pieces: list[bytes], messages: list[bytes]) -> None:
    """RFC 5626 4.4.1 for pings, RFC 3261 7.5 for strays."""
    assert fed(*pieces) == messages


@pytest.mark.parametrize("ends", [b"", b"\r", b"\r\n", b"\r\n\r"])
def test_half_a_ping_is_no_message_that_has_begun(ends: bytes) -> None:
    decoder = StreamDecoder()
    assert list(decoder.feed(ends)) == []
    assert not decoder.is_within


@pytest.mark.parametrize(
    ("stream", "fault"),
    [
        (request_bytes("OPTIONS"), "there is no Content-Length"),
        (request_bytes("OPTIONS", "Content-Length: "), "is not a number"),
        (request_bytes("OPTIONS", "Content-Length: -1"), "is not a number"),
        (request_bytes("OPTIONS", "Content-Length: 1e3"), "is not a number"),
        (
            request_bytes("OPTIONS", "Content-Length: 3", "l: 4"),
            "two different Content-Lengths",
        ),
        (
            request_bytes("OPTIONS", f"Content-Length: {MAX_MESSAGE}"),
            f"more than {MAX_MESSAGE} bytes",
        ),
        (b"x" * (MAX_HEAD + 1), f"more than {MAX_HEAD} bytes"),
        (
            request_bytes("OPTIONS", "X: " + "x" * MAX_HEAD, "Content-Length: 0"),
            f"more than {MAX_HEAD} bytes",
        ),
    ],
)
def test_streams_that_cannot_go_on(stream: bytes, fault: str) -> None:
    decoder = StreamDecoder()
    messages = decoder.feed(EMPTY + stream)
    assert next(messages) == EMPTY
    with pytest.raises(BrokenStream, match=fault):
        next(messages)


def test_the_longest_message() -> None:
    head = request_bytes("MESSAGE", "Content-Length: 00000")
    body = b"x" * (MAX_MESSAGE - len(head))
    message = head.replace(b"00000", b"%d" % len(body)) + body
    assert len(message) == MAX_MESSAGE
    assert fed(message[:100], message[100:]) == [message]


@pytest.mark.parametrize("keepalive", [b"\r", b"\n", b"\r\n", b"\0", b"\0\r\n"])
def test_any_number_of_keep_alives(keepalive: bytes) -> None:
    """RFC 3261 7.5; otherwise a phone that sends them would be disconnected in time."""
    decoder = StreamDecoder()
    pings = 0
    for _ in range(1000):
        pings += len(list(decoder.feed(keepalive)))
        assert not decoder.is_within
        assert len(decoder._buffer) < len(PING)
    assert pings == (500 if keepalive == b"\r\n" else 0)
    assert decoder.ignored + len(decoder._buffer) == 1000 * len(keepalive)
    assert list(decoder.feed(EMPTY)) == [EMPTY]


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\0", PING, EMPTY]), max_size=12))
def test_keep_alives_may_come_in_pieces(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    assert fed(*pieces) == fed(stream) == fed(*[bytes([byte]) for byte in stream])


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\0", PING])
def test_a_flood_of_keep_alives_costs_only_its_bytes(end: bytes) -> None:
    """Four times the bytes cost four times the lines of Python, or none more."""

    def cost(size: int) -> int:
        return lines_run(lambda: fed(end * (size // len(end))))

    cost(100)
    assert cost(64 * 1024) <= 4.5 * cost(16 * 1024) + 200
