"""Laws that hold for any input (hypothesis)."""

from __future__ import annotations

from hypothesis import example, given, strategies as st

from custom_components.snom_buttons.engine.sip import (
    MalformedMessage,
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
    format_parameters,
    parse_parameters,
    quote,
    split_first,
    split_outside_quotes,
    unquote,
)
from custom_components.snom_buttons.engine.sip.parser import MAX_MESSAGE
from tests.support.datagrams import PIECES, check, nearly_messages
from tests.support.messages import request_bytes, response_bytes


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
    """18.3: a truncated datagram is not accepted as complete."""
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
    assert uri.is_equivalent(uri)
    assert uri.parameter("nothing-of-that-name") is None
    (uri.user or "").encode()


@given(PIECES, PIECES)
def test_equivalence_has_no_direction(one: str, other: str) -> None:
    try:
        first, second = parse_uri(one), parse_uri(other)
    except SipSyntaxError:
        return
    assert first.is_equivalent(second) is second.is_equivalent(first)
    assert first.key != second.key or first.is_equivalent(second)


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


def split_by_a_loop(text: str, separator: str) -> list[str] | None:
    """Split as RFC 3261 25.1 reads, character by character; None for a fault."""
    parts = [""]
    quoted = escaped = bracketed = False
    for character in text:
        if not quoted and not bracketed and character == separator:
            parts.append("")
            continue
        parts[-1] += character
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != '"'
        else:
            quoted = character == '"'
            bracketed = character == "<" or (bracketed and character != ">")
    return None if quoted or bracketed else [part.strip() for part in parts]


@given(st.text('"\\<>,;a \n', max_size=30), st.sampled_from([",", ";"]))
def test_a_text_is_split_as_by_a_loop_over_its_characters(
    text: str, separator: str
) -> None:
    expected = split_by_a_loop(text, separator)
    try:
        assert split_outside_quotes(text, separator) == expected
    except SipSyntaxError:
        assert expected is None


@given(st.text('"\\<>,a ', max_size=30), st.integers(0, 5))
def test_the_rest_after_the_most_parts_is_one_part(text: str, most: int) -> None:
    parts = split_by_a_loop(text, ",")
    if parts is not None:
        found = split_outside_quotes(text, ",", most)
        assert found[:most] == parts[:most]
        assert len(found) == min(len(parts), most + 1)


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
