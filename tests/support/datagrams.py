"""Datagrams that are nearly right, and the laws that hold for any datagram."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st

from custom_components.snom_buttons.engine.sip import (
    Flow,
    LocationService,
    MalformedMessage,
    Registrar,
    Request,
    Response,
    SipSyntaxError,
    Trust,
    parse_datagram,
)
from custom_components.snom_buttons.engine.sip.grammar import (
    MAX_PARAMETERS,
    split_first,
)
from custom_components.snom_buttons.engine.sip.message import encode_response
from custom_components.snom_buttons.engine.sip.parser import KEEPALIVE
from custom_components.snom_buttons.engine.sip.uas import refusal_of
from tests.support.messages import REQUEST, wire

FLOW = Flow("UDP", "192.0.2.9", 1)

# Hostile text: mostly characters that mean something in the grammar.
SPICY = st.text(
    st.one_of(
        st.sampled_from('"\\<>,;:@=?%[]*/. \t\r\n\0aA19é\udcff\u2028\x85'),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)
# Pieces that pass the first checks more often than letters do.
PIECES = st.lists(
    st.one_of(
        SPICY,
        st.sampled_from(
            [
                "sip:44@ha.test", "<", ">", '"', ";tag=", ";tag=1", ", ", "SIP/2.0/UDP h",
                ";branch=z9hG4bK1", ";rport", "tel:", "%0d%0a", "[::1]", ":5060", "1 MESSAGE",
                "Digest ", 'realm="x"', "expires=",
            ]
        ),
    ),
    max_size=8,
).map("".join)  # fmt: skip
NAMES = st.sampled_from(
    ["Via", "v", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "l",
     "Contact", "Expires", "Require", "Supported", "Authorization", "X", "", "a b"]
)  # fmt: skip


@st.composite
def nearly_messages(draw: st.DrawFn) -> bytes:
    """Return a message with some lines changed, repeated or removed."""
    headers = dict(REQUEST)
    for name in draw(st.lists(st.sampled_from(sorted(headers)), max_size=2)):
        headers.pop(name, None)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines += [
        f"{name}: {value}"
        for name, value in draw(st.lists(st.tuples(NAMES, PIECES), max_size=4))
    ]
    start = draw(
        st.one_of(
            st.just("MESSAGE sip:44@ha.test SIP/2.0"),
            st.just("SIP/2.0 200 OK"),
            PIECES.map(lambda text: f"MESSAGE {text} SIP/2.0"),
            PIECES.map(lambda text: f"SIP/2.0 200 {text}"),
            PIECES,
        )
    )
    end = draw(st.sampled_from(["\r\n", "\n"]))
    return wire(start, *draw(st.permutations(lines)), body=draw(st.binary(max_size=9)), end=end)  # fmt: skip


def check(data: bytes) -> None:
    """Check the laws for any datagram and the response to it."""
    try:
        message = parse_datagram(data)
    except MalformedMessage as fault:
        if fault.request and fault.via is not None:
            answer = encode_response(
                fault.headers,
                fault.via.seen_from("192.0.2.9", 3333),
                fault.status,
                reason=fault.reason,
                to_tag="ours",
            )
            assert_one_head(answer)
        return
    if isinstance(message, Request):
        via = message.via.seen_from("192.0.2.9", 3333)
        answer = encode_response(message.headers, via, 200, to_tag="ours")
        assert_one_head(answer)
        if has_more_vias(message) or is_at_the_brim(message):
            # It is for a proxy, or has too many parameters with our tag and `received`.
            return
        back = parse_datagram(answer)
        assert isinstance(back, Response)
        assert back.via.branch == message.via.branch
        assert back.call_id == message.call_id
        assert back.cseq == message.cseq
        assert back.from_.text == message.from_.text
        if "tag" in message.to.parameters:
            assert back.to.text == message.to.text
        else:
            assert back.to.tag == "ours"
        assert back.to.uri == message.to.uri
    elif isinstance(message, Response):
        assert 100 <= message.status <= 699
    else:
        assert not data.strip(KEEPALIVE)


def has_more_vias(message: Request) -> bool:
    first, *others = message.headers.lines("Via")
    return bool(others or split_first(first)[1])


def is_at_the_brim(message: Request) -> bool:
    return (
        max(
            parameters.count(";")
            for parameters in (*message.headers.lines("Via"), message.to.parameter_text)
        )
        > MAX_PARAMETERS - 2
    )


def assert_one_head(data: bytes) -> None:
    """Assert that there is a single message with correct line ends."""
    head, _, body = data.partition(b"\r\n\r\n")
    assert body == b""
    assert head.count(b"\r") == head.count(b"\n") == head.count(b"\r\n")


def take(data: bytes) -> None:
    """Handle a datagram as the endpoint, trust and a registrar do, without a network."""
    try:
        message = parse_datagram(data)
    except MalformedMessage as fault:
        if fault.via is not None:
            encode_response(
                fault.headers,
                fault.via.seen_from("192.0.2.9", 1),
                fault.status,
                reason=fault.reason,
                to_tag="t",
            )
        return
    if not isinstance(message, Request):
        return
    refusal = refusal_of(message)
    location = LocationService(lambda: 0.0)
    registrar = Registrar(location, lambda: 0.0, lambda user: None)
    trust = Trust("r", {"44": "x"}.get, lambda: 0.0, location)
    answer = refusal or trust.judge(message, FLOW)
    assert answer is not None
    with suppress(SipSyntaxError):
        registrar._wanted_bindings(message, FLOW, "44")
    encode_response(
        message.headers,
        message.via.seen_from("192.0.2.9", 1),
        answer.status,
        to_tag="t",
        headers=answer.headers,
    )
