"""SIP messages as values, which `parser` creates and checks (RFC 3261 section 7)."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from .grammar import (
    Parameters,
    SipSyntaxError,
    cached,
    format_parameters,
    has_control,
    is_token,
    shape,
    split_first,
    split_outside_quotes,
    without_control,
)
from .uri import Address, Uri, parse_address

SIP_VERSION = "SIP/2.0"

# RFC 3261 21.
REASONS = {
    100: "Trying",
    200: "OK",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    486: "Busy Here",
    487: "Request Terminated",
    489: "Bad Event",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "Version Not Supported",
    603: "Decline",
}

# RFC 3261 7.3.3 and 20; x and the rest from RFC 4028, 3515, 6665, 3892, 3841.
_COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
}
_IRREGULAR = {
    "call-id": "Call-ID",
    "cseq": "CSeq",
    "mime-version": "MIME-Version",
    "www-authenticate": "WWW-Authenticate",
}
_NAMED = frozenset((*_COMPACT.values(), *_IRREGULAR.values(), "User-Agent"))
"""Header names that error texts may have; a stranger chooses the others."""
_ECHOED = ("From", "To", "Call-ID", "CSeq")
# Spellings seen before; bounded, since strangers choose the names.
_spellings: dict[str, str] = {}


def canonical_name(name: str) -> str:
    """Return the canonical spelling of a header name: `m` and `CONTACT` give `Contact`."""
    known = _spellings.get(name)
    if known is not None:
        return known
    lower = name.lower()
    spelling = _COMPACT.get(lower) or _IRREGULAR.get(lower) or lower.title()
    # A name in the cache is not checked again by Headers.read.
    if len(_spellings) < 512 and len(name) < 40 and is_token(name):
        _spellings[name] = spelling
    return spelling


class Headers:
    """Header values by name in any case or short form, those of a name in order."""

    __slots__ = ("_repeated", "_values")

    def __init__(self) -> None:
        """Create an empty set of headers."""
        self._values: dict[str, list[str]] = {}
        self._repeated: list[str] = []
        """Names with several lines, which are rare."""

    def __contains__(self, name: str) -> bool:
        """Whether there is at least one line of that name."""
        return bool(self.lines(name))

    def read(self, lines: Iterable[str]) -> str:
        """Append unfolded lines; return the fault of the last bad one, "" if none is.

        A line that is no header is left out, a control character becomes a blank, since
        the answer to a malformed request repeats its headers.
        """
        fault = ""
        values = self._values
        for line in lines:
            name, colon, value = line.partition(":")
            # Most spellings have been seen before and need no check.
            known = _spellings.get(name)
            if known is None or not colon:
                name = name.rstrip(" \t")
                if not colon:
                    # The line is not quoted: it may be part of a digest.
                    fault = "a line is not a header"
                    continue
                if not is_token(name):
                    fault = f"{shape(name)} is not a header's name"
                    continue
                known = canonical_name(name)
            value = value.strip(" \t")
            if not value.isprintable() and has_control(value):
                name = known if known in _NAMED else shape(known)
                fault = f"{name} contains a control character"
                value = without_control(value)
            if known in values:
                values[known].append(value)
                self._repeated.append(known)
            else:
                values[known] = [value]
        return fault

    def firsts(self, names: Iterable[str]) -> list[str | None]:
        """Return the values of the first lines of these canonical names."""
        values = self._values
        return [values[name][0] if name in values else None for name in names]

    def first_missing(self, names: Iterable[str]) -> str | None:
        """Return the first of these canonical names that has no line, or None."""
        for name in names:
            if name not in self._values:
                return name
        return None

    def first_repeated(self, names: Container[str]) -> str | None:
        """Return the first of these canonical names with several lines, or None."""
        for name in self._repeated:
            if name in names:
                return name
        return None

    def get(self, name: str) -> str | None:
        """Return the value of the first line of that name, or None."""
        values = self._values.get(name) or self.lines(name)
        return values[0] if values else None

    def lines(self, name: str) -> list[str]:
        """Return the exact values of all lines of that name."""
        values = self._values.get(name)  # most calls use the canonical spelling
        if values is None:
            values = self._values.get(canonical_name(name), [])
        return values

    def listed(self, name: str) -> list[str]:
        """Return the comma-separated values of a name. Raises SipSyntaxError."""
        lines = self.lines(name)
        if not lines:
            return []
        if len(lines) == 1 and "," not in lines[0]:
            return [lines[0]] if lines[0] else []
        return [
            value
            for line in lines
            for value in split_outside_quotes(line, ",")
            if value
        ]

    def tokens(self, name: str) -> frozenset[str]:
        """Return the listed values in lower case, as of Supported or Require."""
        return frozenset([value.lower() for value in self.listed(name)])


class Via(NamedTuple):
    """The topmost Via: where the response goes (RFC 3261 18.2 and 20.42)."""

    start: str
    """The part before the parameters, with its exact characters (8.2.6.2)."""
    transport: str
    """In upper case."""
    host: str
    """In lower case, IPv6 in brackets."""
    port: int | None
    parameters: Parameters

    @property
    def branch(self) -> str:
        """The branch, "" from an RFC 2543 element without one."""
        return self.parameters.get("branch") or ""

    @property
    def sent_by(self) -> str:
        """The sent-by value, with its port if there is one."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        """Return the value as it goes on the wire."""
        return f"{self.start}{format_parameters(self.parameters)}"

    def seen_from(self, host: str, port: int) -> str:
        """Return the value with `received` and `rport` of the source.

        RFC 3261 18.2.1 requires `received` if the source differs from sent-by, RFC 3581
        4 requires both parameters if there is an `rport`. The flow of an edge's
        connections has no port, 0, and its `rport` stays as it is.
        """
        wants_port = "rport" in self.parameters
        if not wants_port and host == self.host.strip("[]"):
            return str(self)
        seen = dict(self.parameters)
        seen.pop("received", None)
        if wants_port and port:
            seen["rport"] = str(port)
        seen["received"] = host.partition("%")[0]
        return f"{self.start}{format_parameters(seen)}"


class CSeq(NamedTuple):
    """Sequence number and method (RFC 3261 20.16)."""

    number: int
    method: str

    def __str__(self) -> str:
        """Return the value as it goes on the wire."""
        return f"{self.number} {self.method}"


@dataclass(slots=True, kw_only=True)
class Message:
    """A message with its mandatory headers typed; `headers` holds all of them."""

    headers: Headers
    body: bytes = b""
    via: Via
    from_: Address
    to: Address
    call_id: str
    cseq: CSeq

    def media_type(self) -> str:
        """Return the Content-Type in lower case without parameters, "" if absent.

        Blanks around its slash mean nothing (RFC 3261 25.1, `m-type SLASH m-subtype`).
        """
        return _media_type(self.headers.get("Content-Type") or "")


@cached  # all presses have the same
def _media_type(value: str) -> str:
    kind, slash, subtype = value.partition(";")[0].partition("/")
    return f"{kind.strip()}{slash}{subtype.strip()}".lower()


@dataclass(slots=True, kw_only=True)
class Request(Message):
    """A request that the parser has checked."""

    method: str
    uri: Uri
    forwarded: bool
    """Whether it came through a proxy: each adds a Via (16.6, step 8)."""


@dataclass(slots=True, kw_only=True)
class Response(Message):
    """A response that the parser has checked."""

    status: int
    reason: str = ""


def encode(start_line: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """Return the bytes of a message; `headers` are without Content-Length.

    Surrogate escapes become the bytes that they stand for. Raises ValueError for a line
    end within a line, which would inject a header.
    """
    lines = [start_line, *[f"{name}: {value}" for name, value in headers]]
    return _encode([*lines, f"Content-Length: {len(body)}"], body)


def _encode(lines: list[str], body: bytes) -> bytes:
    head = "\r\n".join(lines)
    if head.count("\r") + head.count("\n") != 2 * (len(lines) - 1):
        raise ValueError("a header contains a line end")
    return f"{head}\r\n\r\n".encode("utf-8", "surrogateescape") + body


def encode_response(
    request_headers: Headers,
    via: str,
    status: int,
    *,
    reason: str | None = None,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """Return the bytes of a response without a body to a request with these headers.

    Via, From, To, Call-ID and CSeq are those of the request (RFC 3261 8.2.6.2), except
    that To gets `to_tag` if it has no tag, and `via` replaces the topmost Via. Headers
    that a malformed request lacks are left out.
    """
    lines = [f"{SIP_VERSION} {status} {reason or REASONS[status]}"]
    if vias := request_headers.lines("Via"):
        first, *rest = vias
        _, others = split_first(first)
        lines.append(f"Via: {via}, {others.strip()}" if others else f"Via: {via}")
        lines += [f"Via: {value}" for value in rest]
    echoed = _ECHOED if status > 100 else (*_ECHOED, "Timestamp")
    for name, value in zip(echoed, request_headers.firsts(echoed), strict=True):
        if value:
            if to_tag and name == "To":
                value = _tagged(value, to_tag)
            lines.append(f"{name}: {value}")
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append("Content-Length: 0")
    return _encode(lines, b"")


def _tagged(recipient: str, tag: str) -> str:
    """Return a To with `tag`, or unchanged if it has one or is malformed."""
    try:
        if "tag" in parse_address(recipient).parameters:
            return recipient
    except SipSyntaxError:
        return recipient
    return f"{recipient};tag={tag}"
