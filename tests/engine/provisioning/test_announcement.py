"""Announcements as phones send them, and what is no announcement (RFC 6080)."""

import pytest

from custom_components.snom_buttons.engine.provisioning import ok, read_announcement
from tests.support.announcements import (
    GIGASET,
    GRANDSTREAM,
    SIPPING,
    SNOM_370,
    SNOM_OEM,
    YEALINK,
    YEALINK_W52P,
)

SOURCE = ("127.0.0.1", 1053)


@pytest.mark.parametrize(
    ("datagram", "said_by_it", "is_ours"),
    [
        (SNOM_370, ("000413AABBCC", "snom", "370", "8.7.5.48"), True),
        (SNOM_OEM, ("00135E874B49", "OEM", "OEM", "7.1.19"), True),
        (GIGASET, ("7C2F80AABBCC", "Gigaset", "P850", "10.1.99"), True),
        (YEALINK, ("0015654093A7", "Yealink", "SIP-T21P_E2", "52.84.0.15"), False),
        (YEALINK_W52P, ("001565ABCDEF", "yealink", "W52P", "25.81.0.10"), False),
        (GRANDSTREAM, ("000B82AABBCC", "Grandstream", "GRP2612W", "1.0.5.67"), False),
        (SIPPING, ("000413AABBCC", "snom", "D735", "7.1.19"), True),
    ],
)
def test_what_phones_of_several_makers_say(
    datagram: bytes, said_by_it: tuple[str, ...], is_ours: bool
) -> None:
    said = read_announcement(datagram, *SOURCE)
    assert said is not None
    assert (said.mac, said.vendor, said.model, said.version) == said_by_it
    assert said.is_ours is is_ours
    assert (said.host, said.port) == SOURCE


@pytest.mark.parametrize("between", [b"%3a", b"%3A", b":", b"=", b""])
def test_each_way_to_write_the_address(between: bytes) -> None:
    said = read_announcement(SNOM_370.replace(b"MAC%3a", b"MAC" + between), *SOURCE)
    assert said is not None
    assert said.mac == "000413AABBCC"


def test_bare_line_feeds_and_compact_names_are_read() -> None:
    lean = SNOM_370.replace(b"\r\n", b"\n")
    for name, compact in ((b"Via", b"v"), (b"From", b"f"), (b"To", b"t")):
        lean = lean.replace(b"\n" + name + b":", b"\n" + compact + b":")
    lean = lean.replace(b"\nEvent:", b"\no:").replace(b"\nCall-ID:", b"\ni:")
    said = read_announcement(lean, *SOURCE)
    assert said is not None
    assert said.model == "370"


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\r\n\r\n",
        SNOM_370[:200],
        SNOM_370.replace(b"SUBSCRIBE", b"REGISTER"),
        SNOM_370.replace(b"ua-profile", b"dialog"),
        SNOM_370.replace(b"MAC%3a000413AABBCC", b"44").replace(b"User-Agent", b"X"),
        SNOM_370.replace(b"MAC%3a000413AABBCC", b"MAC%3a000413AABB").replace(
            b"User-Agent", b"X"
        ),
        SNOM_370.replace(b"\r\nCall-ID", b";tag=1\r\nCall-ID"),
        SNOM_370.replace(b"\r\nCall-ID", b";tag\r\nCall-ID"),
        SNOM_370.replace(b"\r\nCall-ID", 64 * b";a" + b"\r\nCall-ID"),
        SNOM_370.replace(b"Event", b"Via: SIP/2.0/UDP 192.0.2.9\r\nEvent"),
        SNOM_370.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 1500 + b"\r\n\r\n"),
        SNOM_370.replace(b"<sip:192.0.2.55:1053>", b"<sip:192.0.2.55:1053"),
        SIPPING.replace(b"<sip:192.0.2.55:5060>", b"<sip:192.0.2.55:5060"),
        SIPPING.replace(b"Via", b"Path"),
        # A 200 to it would be wrong (RFC 3261 8.2.2.3).
        SNOM_370.replace(b"\r\nCall-ID", b"\r\nRequire: 100rel\r\nCall-ID"),
        SNOM_370.replace(b"\r\nCall-ID", b"\r\nRequire: path, foo\r\nCall-ID"),
        # A NOTIFY to it would have to go by TLS (RFC 3261 26.2.2).
        SNOM_370.replace(b"<sip:192.0.2.55:1053>", b"<sips:192.0.2.55:1053>"),
        SNOM_370.replace(b"<sip:192.0.2.55:1053>", b"<SIPS:192.0.2.55:1053>"),
    ],
)
def test_what_is_no_announcement(datagram: bytes) -> None:
    assert read_announcement(datagram, *SOURCE) is None


def test_what_is_required_and_supported_is_no_hindrance() -> None:
    required = SNOM_370.replace(b"\r\nCall-ID", b"\r\nRequire: path\r\nCall-ID")
    assert read_announcement(required, *SOURCE) is not None


def test_addresses_without_a_host_get_one() -> None:
    """A dialog is known by its tags, and the engine reads no URI without a host."""
    said = read_announcement(SIPPING, *SOURCE)
    assert said is not None
    assert (
        said.request.from_.text == "<sip:MAC%3a000413AABBCC@224.0.1.75>;tag=658512961"
    )
    answer = ok(said, tag="t", sent_by="192.0.2.1:5060").decode().split("\r\n")
    assert "To: <sip:MAC%3a000413AABBCC@224.0.1.75>;tag=t" in answer


def test_text_from_the_wire_is_bounded_and_on_one_line() -> None:
    hostile = SNOM_370.replace(
        b'model="snom370"', 'model="\u202e\x85<b>'.encode() + b"x" * 200 + b'"'
    )
    said = read_announcement(hostile, *SOURCE)
    assert said is not None
    assert said.model == "<b>" + "x" * 29
