"""The worst known input for the parsers, of any size.

Tests count the lines of Python that run for it; `script/bench` measures the time.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support.messages import request_bytes

# Messages, by what repeats in them


def with_header(line: Callable[[int], str]) -> Callable[[int], bytes]:
    """Return a function that makes a request of a size, filled by one header line."""

    def sized(size: int) -> bytes:
        return request_bytes(
            "REGISTER", line(size - len(request_bytes("REGISTER", "")))
        )

    return sized


def filled(before: str, unit: str, after: str = "") -> Callable[[int], str]:
    """Return a function that fills a line of at most a length with `unit`."""
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
    """Return a function that makes a request of a size, filled by a mandatory header."""

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

# Documents: each start with each unit, as often as it fits

STARTS = {"": b"", "key": b"k=1\n", "states": b"k=1\ns=", "treatment": b"k=1\nt=",
          "forward": b"k=1\nf=", "messages": b"k=1\nm=", "label": b"k=1\nl="}  # fmt: skip
UNITS = {
    "keys": b"k=1\n", "keys with a number": b"k=1\nn=1\n", "line ends": b"\n", "returns": b"\r",
    "empty properties": b"c=\n", "one property": b"c=on\n", "unknown properties": b"y=\n",
    "different properties": b"".join(b"y%d=\n" % n for n in range(100)),
    "equal signs": b"=", "blanks": b" ", "a blank behind a letter": b"a ", "commas": b", ",
    "states": b"dnd", "half states": b"dn", "digits": b"9", "slashes": b"9/", "conditions": b"always",
    "quotes": b'"', "backslashes": b"\\", "controls": b"\0", "no utf-8": b"\xff",
    "next line": b"\xc2\x85", "byte order marks": b"\xef\xbb\xbf", "folding": b"\r\n ",
}  # fmt: skip
