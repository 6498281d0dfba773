"""The door: from one datagram to a checked message, or to the fault it has.

RFC 3261 7 and 25 say what a message is, 8.1.3.3, 8.2 and 18.3 what must be checked.
What passes here has its mandatory headers, and they are typed; no later layer looks
again. Every step takes time in proportion to the datagram's length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from string import ascii_letters, digits

from .grammar import (
    SipSyntaxError,
    has_control,
    is_token,
    parse_number,
    parse_parameters,
    split_first,
    split_host_port,
)
from .message import CSeq, Headers, Request, Response, Via
from .uri import CACHED_LENGTH, Address, UnsupportedScheme, parse_address, parse_uri

MAX_MESSAGE = 64 * 1024
MAX_HEAD = 16 * 1024
"""Bytes of start line and headers; ten times what a phone sends."""
MAX_HEADERS = 256

# What a reason phrase may have unescaped: `reserved`, `unreserved` and blanks.
_REASON = frozenset(ascii_letters + digits + ";/?:@&=+$,-_.!~*'() ")
# RFC 3261 8.1.1 and 20: what a message must have, and what it must have only once.
_MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")
_ONCE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type", "Expires")


@dataclass(eq=False)
class MalformedMessage(ValueError):
    """A message that cannot be taken.

    `status` and `reason` are what a request with this fault is to be answered, if
    `via` is known: without a topmost Via nobody could match the answer. `request` is
    False for a response, which is never answered.
    """

    status: int
    reason: str
    headers: Headers
    via: Via | None = None
    method: str = ""
    request: bool = True

    def __str__(self) -> str:
        """Return status and reason."""
        return f"{self.status} {self.reason}"


def parse_datagram(data: bytes) -> Request | Response | None:
    """Parse the one message that a datagram holds (RFC 3261 18.3).

    Returns None for a keep-alive (nothing but line ends, RFC 5626 4.4.1). Bytes behind
    Content-Length are ignored. Raises MalformedMessage.
    """
    if len(data) > MAX_MESSAGE:
        raise MalformedMessage(513, "Message Too Large", Headers(), request=False)
    data = data.lstrip(b"\r\n")
    if not data:
        return None
    head, body, unreadable = _split_body(data)
    start_line, headers, bad_line = _split_head(head)
    try:
        if start_line[:4].upper() == "SIP/":
            return _response(start_line, headers, body, bad_line or unreadable)
        return _request(start_line, headers, body, bad_line or unreadable)
    except SipSyntaxError as error:
        raise _malformed(error, start_line, headers) from error


def body_length(head: bytes) -> int:
    """Return the Content-Length of a message that comes by a stream.

    There it must stand (RFC 3261 18.3 and 20.14), and be the same wherever it stands.
    Raises SipSyntaxError.
    """
    _, headers, _ = _split_head(head.rstrip(b"\r\n"))
    length = _content_length(headers)
    if length is None:
        raise SipSyntaxError("there is no Content-Length")
    return length


class _Refused(SipSyntaxError):
    """A fault that has a status of its own; the text is its reason phrase."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def _malformed(
    error: SipSyntaxError, start_line: str, headers: Headers
) -> MalformedMessage:
    """Return what is known of a message that has a fault."""
    status, reason = 400, f"Bad Request: {_reason_phrase(str(error))}"
    if isinstance(error, _Refused):
        status, reason = error.status, str(error)
    return MalformedMessage(
        status,
        reason,
        headers,
        via=_via_or_none(headers),
        method=start_line.partition(" ")[0],
        request=_is_request_line(start_line),
    )


def _reason_phrase(text: str) -> str:
    """Return `text` as a Reason-Phrase may stand (25.1), whatever it quotes."""
    return "".join(
        c if c in _REASON or (c > "\x7f" and c.isprintable()) else "?" for c in text
    )


def _split_body(data: bytes) -> tuple[bytes, bytes, str]:
    """Split at the first empty line, whichever way its lines end.

    Returns head, body and the fault, "" if there is none.
    """
    end, blank = data.find(b"\n\r\n"), b"\n\r\n"
    # Only before that one can the other come first.
    bare = data.find(b"\n\n", 0, len(data) if end < 0 else end + 1)
    if bare >= 0:
        end, blank = bare, b"\n\n"
    if end < 0:
        return data.rstrip(b"\r\n"), b"", "no empty line ends the headers"
    return data[:end].removesuffix(b"\r"), data[end + len(blank) :], ""


def _split_head(head: bytes) -> tuple[str, Headers, str]:
    """Split start line and headers, unfolding continued lines (RFC 3261 7.3.1).

    Returns the fault too, "" if every line is a header: the caller can only answer
    when it knows the whole head.
    """
    too_many = ""
    if len(head) > MAX_HEAD:
        too_many = f"more than {MAX_HEAD} bytes of headers"
        head = head[:MAX_HEAD].rpartition(b"\n")[0].removesuffix(b"\r")
    text = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    start_line, *lines = text.split("\n")
    headers = Headers()
    unreadable = headers.read(lines[:MAX_HEADERS])
    too_many_lines = len(lines) > MAX_HEADERS
    # A line that continues another looks like a broken one, and hardly any does.
    if (unreadable or too_many_lines) and ("\n " in text or "\n\t" in text):
        lines = _unfold(lines)
        headers = Headers()
        unreadable = headers.read(lines[:MAX_HEADERS])
        too_many_lines = len(lines) > MAX_HEADERS
    if too_many_lines:
        too_many = f"more than {MAX_HEADERS} header lines"
    return start_line, headers, too_many or unreadable


def _unfold(lines: list[str]) -> list[str]:
    """Join lines that begin with a blank to the one before."""
    unfolded: list[list[str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1].append(line.strip(" \t"))
        else:
            unfolded.append([line])
    return [" ".join(parts) for parts in unfolded]


def _split_request_line(start_line: str) -> tuple[str, str, str]:
    """Split into method, Request-URI and version. Raises SipSyntaxError."""
    split = _cached_split if len(start_line) <= CACHED_LENGTH else _split
    return split(start_line)


def _split(start_line: str) -> tuple[str, str, str]:
    method, _, rest = start_line.rstrip(" ").partition(" ")
    target, _, version = rest.rpartition(" ")
    if not is_token(method) or not target or version[:4].upper() != "SIP/":
        raise SipSyntaxError("the first line is neither request nor response")
    return method, target, version


# A phone sends its presses to the same place.
_cached_split = lru_cache(maxsize=2048)(_split)


def _is_request_line(start_line: str) -> bool:
    """Whether the first line is a request's: only then is there somebody to answer."""
    try:
        _split_request_line(start_line)
    except SipSyntaxError:
        return False
    return True


def _checked(headers: Headers, body: bytes, unreadable: str) -> bytes:
    """Check what both kinds of message must have; return the body cut to its length."""
    if unreadable:
        raise SipSyntaxError(unreadable)
    if name := headers.first_missing(_MANDATORY):
        raise SipSyntaxError(f"{name} is missing")
    if name := headers.first_repeated(_ONCE):
        raise SipSyntaxError(f"{name} stands twice")
    length = _content_length(headers)
    if length is None:
        return body
    if length > len(body):
        raise SipSyntaxError(
            f"Content-Length says {length}, but {len(body)} bytes came"
        )
    return body[:length]


def _content_length(headers: Headers) -> int | None:
    """Return the length that the headers name, None if they name none."""
    lengths = headers.lines("Content-Length")
    if not lengths:
        return None
    if len(lengths) > 1 and len(set(lengths)) > 1:
        raise SipSyntaxError("there are two different Content-Lengths")
    return parse_number(lengths[0], "Content-Length", high=2**31)


def _request(
    start_line: str, headers: Headers, body: bytes, unreadable: str
) -> Request:
    """Check a request (RFC 3261 7.1, 8.1.1 and 8.2)."""
    method, target, version = _split_request_line(start_line)
    if version.upper() != "SIP/2.0":
        raise _Refused(505, "Version Not Supported")
    body = _checked(headers, body, unreadable)
    via = _top_via(headers)
    if start_line.endswith(" "):
        raise SipSyntaxError("blanks stand behind the request line")
    try:
        uri = parse_uri(target)
    except UnsupportedScheme as error:
        raise _Refused(416, "Unsupported URI Scheme") from error
    cseq = _cseq(headers)
    if cseq.method != method:
        raise SipSyntaxError(f"CSeq says {cseq.method[:20]}, the request {method[:20]}")
    max_forwards = headers.get("Max-Forwards")
    if max_forwards is not None:
        parse_number(max_forwards, "Max-Forwards", high=255)
    from_, to, call_id = _identity(headers)
    return Request(
        method=method,
        uri=uri,
        headers=headers,
        body=body,
        via=via,
        from_=from_,
        to=to,
        call_id=call_id,
        cseq=cseq,
    )


def _response(
    start_line: str, headers: Headers, body: bytes, unreadable: str
) -> Response:
    """Check a response (RFC 3261 7.2 and 8.1.3.3)."""
    version, _, rest = start_line.partition(" ")
    status, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        raise SipSyntaxError("the version is not SIP/2.0")
    number = parse_number(status, "status", low=100, high=699)
    if has_control(reason):
        raise SipSyntaxError("the reason phrase holds a control character")
    body = _checked(headers, body, unreadable)
    if len(headers.listed("Via")) > 1:
        raise SipSyntaxError("a response is for somebody behind us")
    from_, to, call_id = _identity(headers)
    return Response(
        status=number,
        reason=reason,
        headers=headers,
        body=body,
        via=_top_via(headers),
        from_=from_,
        to=to,
        call_id=call_id,
        cseq=_cseq(headers),
    )


def _identity(headers: Headers) -> tuple[Address, Address, str]:
    """Type From and To, and return them with the Call-ID."""
    call_id = headers.get("Call-ID")
    if not call_id:
        raise SipSyntaxError("Call-ID is empty")
    return (
        parse_address(headers.lines("From")[0]),
        parse_address(headers.lines("To")[0]),
        call_id,
    )


def _top_via(headers: Headers) -> Via:
    """Type the topmost Via (RFC 3261 20.42).

    Blanks may stand around every separator: `SIP / 2.0 / UDP host : 4000 ; ttl=16`.
    """
    value, _ = split_first(headers.lines("Via")[0])
    start, _, parameters = value.partition(";")
    sender = _cached_sender if len(start) <= CACHED_LENGTH else _sender
    start, transport, host, port = sender(start)
    return Via(start, transport, host, port, parse_parameters(parameters))


def _sender(start: str) -> tuple[str, str, str, int | None]:
    """Type what a Via says before its parameters."""
    name, _, protocol = start.partition("/")
    version, _, rest = protocol.partition("/")
    transport, _, sent_by = rest.strip().replace("\t", " ").partition(" ")
    if name.strip().upper() != "SIP" or version.strip() != "2.0":
        raise SipSyntaxError("the topmost Via is not SIP/2.0")
    if not is_token(transport):
        raise SipSyntaxError("the topmost Via names no transport")
    host, port = split_host_port(sent_by.strip())
    return start.strip(), transport.upper(), host, port


# Only the parameters change from one message of a phone to its next.
_cached_sender = lru_cache(maxsize=2048)(_sender)


def _via_or_none(headers: Headers) -> Via | None:
    """Return the topmost Via of a message that is broken elsewhere, if it is whole."""
    try:
        return _top_via(headers) if "Via" in headers else None
    except SipSyntaxError:
        return None


def _cseq(headers: Headers) -> CSeq:
    """Type the CSeq (RFC 3261 8.1.1.5: the number is below 2**31)."""
    text = headers.lines("CSeq")[0]
    return (_cached_count if len(text) <= CACHED_LENGTH else _count)(text)


def _count(text: str) -> CSeq:
    number, _, method = text.replace("\t", " ").partition(" ")
    method = method.strip()
    if not is_token(method):
        raise SipSyntaxError("CSeq names no method")
    return CSeq(parse_number(number, "CSeq", high=2**31 - 1), method)


# Outside of a dialog most have the number 1.
_cached_count = lru_cache(maxsize=2048)(_count)
