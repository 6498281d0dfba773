"""What holds for any input at all (hypothesis)."""

from __future__ import annotations

from hypothesis import example, given, strategies as st

from custom_components.snom_buttons.engine.sip import (
    MalformedMessage,
    Request,
    Response,
    SipSyntaxError,
    Uri,
    make_address,
    make_uri,
    parse_address,
    parse_datagram,
    parse_uri,
)
from custom_components.snom_buttons.engine.sip.digest import parse_credentials
from custom_components.snom_buttons.engine.sip.grammar import (
    MAX_PARAMETERS,
    format_parameters,
    parse_parameters,
    quote,
    split_first,
    split_outside_quotes,
    unquote,
)
from custom_components.snom_buttons.engine.sip.message import encode_response
from custom_components.snom_buttons.engine.sip.parser import MAX_MESSAGE
from tests.support.messages import REQUEST, request_bytes, response_bytes, wire

# Text as a hostile header has it: mostly what the grammar gives a meaning to.
SPICY = st.text(
    st.one_of(
        st.sampled_from('"\\<>,;:@=?%[]*/. \t\r\n\0aA19é\udcff\u2028\x85'),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)
# Pieces that make it past the first checks more often than letters do.
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
    """Return a message with some of its lines spoiled, doubled or taken out."""
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
    """Check what must hold for any datagram, and for what is answered to it."""
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
            # It goes to a proxy first, or our tag and `received` are one too many.
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
        assert not data.strip(b"\r\n")


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
    """Assert that there is one message, whose lines all end as they should."""
    head, _, body = data.partition(b"\r\n\r\n")
    assert body == b""
    assert head.count(b"\r") == head.count(b"\n") == head.count(b"\r\n")


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_raise_the_one_error(data: bytes) -> None:
    check(data)


@given(nearly_messages())
@example(request_bytes(To="<sip:x@y>" + "".join(f";p{n}" for n in range(64))))
def test_any_message_parses_or_raises_the_one_error(data: bytes) -> None:
    check(data)


@given(st.data())
def test_any_byte_of_a_good_message_may_be_another(data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([request_bytes(body=b"k=1"), response_bytes()]))
    spoiled = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        spoiled[data.draw(st.integers(0, len(good) - 1))] = data.draw(
            st.integers(0, 255)
        )
    check(bytes(spoiled))


@given(st.integers(0, 3), st.integers(0, MAX_MESSAGE))
def test_a_cut_message_is_no_message(which: int, at: int) -> None:
    """18.3: a datagram that was cut must not be taken for a whole one."""
    good = request_bytes("MESSAGE", "Content-Length: 3", body=b"k=1")
    try:
        message = parse_datagram(good[: at % len(good)])
    except MalformedMessage:
        return
    assert message is None


@given(PIECES)
def test_any_text_is_a_uri_or_raises_the_one_error(text: str) -> None:
    try:
        uri = parse_uri(text)
    except SipSyntaxError:
        return
    assert isinstance(uri, Uri)
    assert str(uri) == text
    assert isinstance(uri.key, tuple)
    assert uri.parameter("nothing-of-that-name") is None
    (uri.user or "").encode()


@given(PIECES)
def test_any_text_is_an_address_or_raises_the_one_error(text: str) -> None:
    try:
        address = parse_address(text)
    except SipSyntaxError:
        return
    assert address.text == text.strip()
    assert address.parameters.get("tag") == address.tag
    assert parse_address(address.text) == address
    address.display_name.encode()


@given(PIECES)
def test_any_text_is_credentials_or_raises_the_one_error(text: str) -> None:
    for value in (text, f"Digest {text}"):
        try:
            parameters = parse_credentials(value)
        except SipSyntaxError:
            continue
        assert all(name == name.lower() for name in parameters)


@given(PIECES)
def test_any_text_is_parameters_or_raises_the_one_error(text: str) -> None:
    try:
        parameters = parse_parameters(text)
    except SipSyntaxError:
        return
    assert parse_parameters(format_parameters(parameters)) == parameters


@given(PIECES, st.sampled_from([",", ";"]))
def test_a_split_list_is_the_same_list(text: str, separator: str) -> None:
    try:
        parts = split_outside_quotes(text, separator)
    except SipSyntaxError:
        return
    assert split_outside_quotes(separator.join(parts), separator) == parts


@given(PIECES)
def test_first_and_rest_are_the_whole(text: str) -> None:
    try:
        first, rest = split_first(text)
    except SipSyntaxError:
        return
    if '"' in text:
        whole = f"{first}, {rest}" if rest else first
        kept = [part for part in split_outside_quotes(text, ",") if part]
        assert [part for part in split_outside_quotes(whole, ",") if part] == kept
    else:
        assert text in (first, f"{first},{rest}")


@given(st.text())
def test_what_is_quoted_says_the_same(text: str) -> None:
    assert unquote(quote(text)) == text


@given(st.text(min_size=1), st.integers(1, 65535) | st.none())
def test_any_user_makes_a_uri(user: str, port: int | None) -> None:
    uri = make_uri(user, "ha.test", port)
    assert (uri.user, uri.host, uri.port) == (user, "ha.test", port)
    assert str(uri).isascii()


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_any_name_makes_an_address(name: str) -> None:
    made = make_address(make_uri("44", "ha.test"), tag="x", display_name=name)
    assert parse_address(made.text).display_name == name
