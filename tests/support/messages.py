"""Messages for the tests, with lines removed, changed or added."""

from __future__ import annotations

from custom_components.snom_buttons.engine.sip import (
    OutgoingRequest,
    Request,
    Response,
    make_address,
    make_uri,
    parse_datagram,
)

REQUEST = {
    "Via": "SIP/2.0/UDP 192.0.2.4:2048;branch=z9hG4bKa1;rport",
    "From": '"44" <sip:44@ha.test>;tag=from1',
    "To": "<sip:44@ha.test>",
    "Call-ID": "call-1@192.0.2.4",
    "CSeq": "7 MESSAGE",
    "Max-Forwards": "70",
}

MESSAGE = OutgoingRequest(
    method="MESSAGE",
    uri=make_uri("44", "192.0.2.4", 2048),
    from_=make_address(make_uri("44", "ha.test"), tag="ours"),
    to=make_address(make_uri("44", "ha.test")),
    call_id="call-9",
    cseq=3,
    headers=(("Content-Type", "application/x-buttons"),),
    body=b"k=1\r\n",
)


def wire(start_line: str, *lines: str, body: bytes = b"", end: str = "\r\n") -> bytes:
    """Return a message with these lines; surrogates stand for bytes that are not UTF-8."""
    text = end.join((start_line, *lines, "", ""))
    return text.encode("utf-8", "surrogateescape") + body


def request_bytes(
    method: str = "MESSAGE",
    *more: str,
    uri: str = "sip:44@ha.test",
    version: str = "SIP/2.0",
    body: bytes = b"",
    **changes: str | None,
) -> bytes:
    """Return a valid request except for `changes`: header values by name, None for absent.

    `more` are further header lines.
    """
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = REQUEST | {"CSeq": f"7 {method}"} | changed
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return wire(f"{method} {uri} {version}", *lines, *more, body=body)


LONG = request_bytes(
    "REGISTER",
    To="<sip:44@ha.test>" + "".join(f';a{n}="{120 * r"\""}"' for n in range(60)),
)
"""15 KB, most of them in quoted parameters of one header."""


def response_bytes(
    status_line: str = "SIP/2.0 200 OK", *more: str, **changes: str | None
) -> bytes:
    """Return a valid response except for `changes`."""
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = REQUEST | {"To": f"{REQUEST['To']};tag=to1"} | changed
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return wire(status_line, *lines, *more)


def request(method: str = "MESSAGE", *more: str, **changes: str | None) -> Request:
    """Return a parsed request."""
    message = parse_datagram(request_bytes(method, *more, **changes))  # type: ignore[arg-type]
    assert isinstance(message, Request)
    return message


def response(data: bytes) -> Response:
    """Return a parsed response."""
    message = parse_datagram(data)
    assert isinstance(message, Response)
    return message


def lines_of(data: bytes) -> list[str]:
    """Return start line and header lines of a message."""
    head = data.partition(b"\r\n\r\n")[0]
    return head.decode("utf-8", "surrogateescape").split("\r\n")


def values_of(data: bytes, name: str) -> list[str]:
    """Return the exact values of the lines of that name."""
    prefix = f"{name}: "
    return [
        line.removeprefix(prefix) for line in lines_of(data) if line.startswith(prefix)
    ]


def status_of(data: bytes) -> str:
    return lines_of(data)[0].removeprefix("SIP/2.0 ")


def answer_to(
    data: bytes, status_line: str = "SIP/2.0 200 OK", **changes: str
) -> bytes:
    """Return a response to the request, except for `changes`."""
    echoed = {
        name: values_of(data, name)[0] for name in ("Via", "From", "Call-ID", "CSeq")
    }
    return response_bytes(status_line, **(echoed | changes))
