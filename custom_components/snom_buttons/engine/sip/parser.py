"""Parses and checks a datagram (RFC 3261 7 and 25; 8.1.3.3, 8.2 and 18.3).

The mandatory headers of a parsed message are present and typed, so that no later layer
has to check them. Every step takes time in proportion to the datagram's length.
"""

from dataclasses import dataclass
from string import ascii_letters, digits

from .grammar import (
    SipSyntaxError,
    cached,
    has_control,
    is_token,
    parse_number,
    parse_parameters,
    split_first,
    split_host_port,
)
from .message import CSeq, Headers, Request, Response, Via
from .uri import Address, UnsupportedScheme, parse_address, parse_uri

MAX_MESSAGE = 64 * 1024
MAX_HEAD = 16 * 1024
"""Bytes of start line and headers; ten times what phones send."""
MAX_HEADERS = 256
KEEPALIVE = b"\r\n\0"
"""Bytes that are ignored before a message: line ends (7.5), and the NULs that some phones
send to keep a NAT's binding."""

# The characters of a reason phrase that need no escape: `reserved`, `unreserved`, blanks.
_REASON = frozenset(ascii_letters + digits + ";/?:@&=+$,-_.!~*'() ")
# Headers that a message must have, and those that it must not have twice (8.1.1 and 20).
_MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")
_ONCE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type", "Expires")


@dataclass(eq=False)
class MalformedMessage(ValueError):
    """A message that has a fault.

    `status` and `reason` are for the response, if `request` is True and `via` is known:
    a client could not match a response without the topmost Via.
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
    """Parse a datagram; None for a keep-alive, as of line ends only (RFC 5626 4.4.1).

    Bytes after Content-Length are ignored (18.3). Raises MalformedMessage.
    """
    if len(data) > MAX_MESSAGE:
        raise MalformedMessage(513, "Message Too Large", Headers(), request=False)
    data = data.lstrip(KEEPALIVE)
    if not data:
        return None
    head, body, unreadable = _split_body(data)
    start_line, headers, bad_line = _split_head(head)
    try:
        if start_line[:4].upper() == "SIP/":
            return _response(start_line, headers, body, bad_line or unreadable)
        return _request(start_line, headers, body, bad_line or unreadable)
    except SipSyntaxError as error:
        status, reason = 400, f"Bad Request: {_reason_phrase(str(error))}"
        if isinstance(error, _Refused):
            status, reason = error.status, str(error)
        raise MalformedMessage(
            status,
            reason,
            headers,
            via=_via_or_none(headers),
            method=start_line.partition(" ")[0],
            request=_is_request_line(start_line),
        ) from error


def body_length(head: bytes) -> int:
    """Return the Content-Length in the head of a message from a stream.

    It is mandatory there (RFC 3261 18.3 and 20.14). Raises SipSyntaxError, also for two
    different ones.
    """
    _, headers, _ = _split_head(head.rstrip(b"\r\n"))
    length = _content_length(headers)
    if length is None:
        raise SipSyntaxError("there is no Content-Length")
    return length


class _Refused(SipSyntaxError):
    """A fault with a status other than 400; the text is the reason phrase."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def _reason_phrase(text: str) -> str:
    """Return `text` as a Reason-Phrase (25.1), with a `?` for each other character."""
    return "".join(
        c if c in _REASON or (c > "\x7f" and c.isprintable()) else "?" for c in text
    )


def _split_body(data: bytes) -> tuple[bytes, bytes, str]:
    """Split at the first empty line into head, body and fault, "" without one."""
    end, blank = data.find(b"\n\r\n"), b"\n\r\n"
    # Search only before that one.
    bare = data.find(b"\n\n", 0, len(data) if end < 0 else end + 1)
    if bare >= 0:
        end, blank = bare, b"\n\n"
    if end < 0:
        return data.rstrip(b"\r\n"), b"", "no empty line ends the headers"
    return data[:end].removesuffix(b"\r"), data[end + len(blank) :], ""


def _split_head(head: bytes) -> tuple[str, Headers, str]:
    """Return start line, unfolded headers (7.3.1), and the fault, "" without one."""
    too_many = ""
    if len(head) > MAX_HEAD:
        too_many = f"more than {MAX_HEAD} bytes of headers"
        head = head[:MAX_HEAD].rpartition(b"\n")[0].removesuffix(b"\r")
    text = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    start_line, *lines = text.split("\n")
    headers = Headers()
    unreadable = headers.read(lines[:MAX_HEADERS])
    # A continued line looks like a bad one. They are rare, so headers are unfolded only then.
    if (unreadable or len(lines) > MAX_HEADERS) and ("\n " in text or "\n\t" in text):
        lines = _unfold(lines)
        headers = Headers()
        unreadable = headers.read(lines[:MAX_HEADERS])
    if len(lines) > MAX_HEADERS:
        too_many = f"more than {MAX_HEADERS} header lines"
    return start_line, headers, too_many or unreadable


def _unfold(lines: list[str]) -> list[str]:
    unfolded: list[list[str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1].append(line.strip(" \t"))
        else:
            unfolded.append([line])
    return [" ".join(parts) for parts in unfolded]


@cached  # all presses of a phone have the same request line
def _split_request_line(start_line: str) -> tuple[str, str, str]:
    """Split into method, Request-URI and version. Raises SipSyntaxError."""
    method, _, rest = start_line.rstrip(" ").partition(" ")
    target, _, version = rest.rpartition(" ")
    if not is_token(method) or not target or version[:4].upper() != "SIP/":
        raise SipSyntaxError("the first line is neither request nor response")
    return method, target, version


def _is_request_line(start_line: str) -> bool:
    try:
        _split_request_line(start_line)
    except SipSyntaxError:
        return False
    return True


def _checked(headers: Headers, body: bytes, unreadable: str) -> bytes:
    """Check the headers; return the body cut to its length. Raises SipSyntaxError."""
    if unreadable:
        raise SipSyntaxError(unreadable)
    if name := headers.first_missing(_MANDATORY):
        raise SipSyntaxError(f"{name} is missing")
    if name := headers.first_repeated(_ONCE):
        raise SipSyntaxError(f"{name} occurs twice")
    length = _content_length(headers)
    if length is None:
        return body
    if length > len(body):
        raise SipSyntaxError(
            f"Content-Length says {length}, but {len(body)} bytes arrived"
        )
    return body[:length]


def _content_length(headers: Headers) -> int | None:
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
        raise SipSyntaxError("blanks follow the request line")
    try:
        uri = parse_uri(target)
    except UnsupportedScheme as error:
        raise _Refused(416, "Unsupported URI Scheme") from error
    cseq = _cseq(headers.lines("CSeq")[0])
    if cseq.method != method:
        raise SipSyntaxError("CSeq and the request name different methods")
    max_forwards = headers.get("Max-Forwards")
    if max_forwards is not None:
        parse_number(max_forwards, "Max-Forwards", high=255)
    from_, to, call_id = _identity(headers)
    return Request(
        method=method,
        uri=uri,
        forwarded=_is_forwarded(headers),
        headers=headers,
        body=body,
        via=via,
        from_=from_,
        to=to,
        call_id=call_id,
        cseq=cseq,
    )


def _is_forwarded(headers: Headers) -> bool:
    """Whether there is more than one Via.

    Any comma counts, so that broken quotes cannot hide a proxy.
    """
    vias = headers.lines("Via")
    return len(vias) > 1 or "," in vias[0]


def _response(
    start_line: str, headers: Headers, body: bytes, unreadable: str
) -> Response:
    """Check a response (RFC 3261 7.2 and 8.1.3.3)."""
    version, _, rest = start_line.partition(" ")
    status, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        raise SipSyntaxError("the version is not SIP/2.0")
    number = parse_number(status, "status", low=100, high=699)
    if not reason.isprintable() and has_control(reason):
        raise SipSyntaxError("the reason phrase contains a control character")
    body = _checked(headers, body, unreadable)
    vias = headers.lines("Via")
    if len(vias) > 1 or ("," in vias[0] and split_first(vias[0])[1]):
        raise SipSyntaxError("a response has more than one Via")
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
        cseq=_cseq(headers.lines("CSeq")[0]),
    )


def _identity(headers: Headers) -> tuple[Address, Address, str]:
    """Parse From and To; return them with the Call-ID. Raises SipSyntaxError."""
    call_id = headers.get("Call-ID")
    if not call_id:
        raise SipSyntaxError("Call-ID is empty")
    return (
        parse_address(headers.lines("From")[0]),
        parse_address(headers.lines("To")[0]),
        call_id,
    )


def _top_via(headers: Headers) -> Via:
    """Parse the topmost Via (RFC 3261 20.42). Raises SipSyntaxError."""
    via, version = _via_and_version(headers)
    if version != "2.0":
        raise SipSyntaxError("the topmost Via is not SIP/2.0")
    return via


def _via_and_version(headers: Headers) -> tuple[Via, str]:
    """Parse the topmost Via of any version, as the answer to another version repeats it.

    Blanks are allowed around each separator: `SIP / 2.0 / UDP host : 4000 ; ttl=16`.
    Raises SipSyntaxError.
    """
    return parse_via(split_first(headers.lines("Via")[0])[0])


def parse_via(value: str) -> tuple[Via, str]:
    """Parse one value of Via; return it with its version. Raises SipSyntaxError."""
    start, _, parameters = value.partition(";")
    version, sender = _version_and_sender(start)
    return Via(*sender, parse_parameters(parameters)), version


@cached  # only the parameters differ between the messages of a phone
def _version_and_sender(start: str) -> tuple[str, tuple[str, str, str, int | None]]:
    name, _, protocol = start.partition("/")
    version, _, rest = protocol.partition("/")
    transport, _, sent_by = rest.strip().replace("\t", " ").partition(" ")
    version = version.strip()
    if name.strip().upper() != "SIP" or not is_token(version):
        raise SipSyntaxError("the topmost Via is not SIP/2.0")
    if not is_token(transport):
        raise SipSyntaxError("the topmost Via names no transport")
    host, port = split_host_port(sent_by.strip())
    return version, (start.strip(), transport.upper(), host, port)


def _via_or_none(headers: Headers) -> Via | None:
    """Return the topmost Via of a malformed message, None if that is malformed too."""
    try:
        return _via_and_version(headers)[0] if "Via" in headers else None
    except SipSyntaxError:
        return None


@cached  # outside of dialogs most numbers are 1
def _cseq(text: str) -> CSeq:
    """Parse a CSeq, with a number below 2**31 (RFC 3261 8.1.1.5)."""
    number, _, method = text.replace("\t", " ").partition(" ")
    method = method.strip()
    if not is_token(method):
        raise SipSyntaxError("CSeq names no method")
    return CSeq(parse_number(number, "CSeq", high=2**31 - 1), method)
