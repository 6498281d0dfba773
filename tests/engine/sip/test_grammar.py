"""The common grammar: tokens, quotes, lists, parameters, hosts, numbers."""

import pytest

from custom_components.snom_buttons.engine.sip.grammar import (
    MAX_PARAMETERS,
    SipSyntaxError,
    format_parameters,
    has_control,
    is_token,
    parse_number,
    parse_parameters,
    quote,
    readable,
    shape,
    split_first,
    split_host_port,
    split_outside_quotes,
    unquote,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("REGISTER", True),
        ("!interesting-Method0123456789_*+`.%indeed'~", True),
        ("", False),
        ("two words", False),
        ("a;b", False),
        ("ä", False),
        ("١", False),
    ],
    ids=repr,
)
def test_token(text: str, expected: bool) -> None:
    assert is_token(text) is expected


@pytest.mark.parametrize(
    ("text", "separator", "parts"),
    [
        ("", ",", [""]),
        ("a, b ,c", ",", ["a", "b", "c"]),
        ("a,,b,", ",", ["a", "", "b", ""]),
        ('"a,b" <sip:x>,c', ",", ['"a,b" <sip:x>', "c"]),
        ('"a\\",b",c', ",", ['"a\\",b"', "c"]),
        ('"a\\\\",b', ",", ['"a\\\\"', "b"]),
        ('a\\,"b"', ",", ["a\\", '"b"']),
        ("<sip:x,y;z>,c", ",", ["<sip:x,y;z>", "c"]),
        ('"<",b', ",", ['"<"', "b"]),
        ('a="x;y";b', ";", ['a="x;y"', "b"]),
    ],
    ids=repr,
)
def test_lists_split_outside_quotes_and_brackets(
    text: str, separator: str, parts: list[str]
) -> None:
    assert split_outside_quotes(text, separator) == parts


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('"a', "quoted string"),
        ('"a\\"', "quoted string"),
        ('"', "quoted string"),
        ("<sip:x", "angle bracket"),
        ('<sip:x "a>', "quoted string"),
    ],
    ids=repr,
)
def test_what_is_not_closed_is_refused(text: str, fault: str) -> None:
    with pytest.raises(SipSyntaxError, match=f"{fault} is not closed"):
        split_outside_quotes(text, ",")


@pytest.mark.parametrize(
    ("text", "first", "rest"),
    [
        ("a", "a", ""),
        ("a, b,c", "a", " b,c"),
        ('a;x="1,2", b, c', 'a;x="1,2"', " b, c"),
        ('a;x="1,2"', 'a;x="1,2"', ""),
    ],
    ids=repr,
)
def test_the_first_value_of_a_list(text: str, first: str, rest: str) -> None:
    assert split_first(text) == (first, rest)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"a b"', "a b"),
        ('"a\\"b"', 'a"b'),
        ('"a\\\\"', "a\\"),
        ('""', ""),
        ('"', '"'),
        ("plain", "plain"),
        ('"half', '"half'),
    ],
    ids=repr,
)
def test_unquote(text: str, said: str) -> None:
    assert unquote(text) == said


@pytest.mark.parametrize("text", ["", "plain", 'a"b', "a\\", '\\"'], ids=repr)
def test_quote_is_the_reverse_of_unquote(text: str) -> None:
    assert unquote(quote(text)) == text


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", {}),
        ("lr", {"lr": None}),
        ("lr=", {"lr": ""}),
        ("TAG=AbC;lr", {"tag": "AbC", "lr": None}),
        (" tag \t = 1918181833n ", {"tag": "1918181833n"}),
        (";;a=1;", {"a": "1"}),
        ('a="x;y=z,";b', {"a": '"x;y=z,"', "b": None}),
        ("a=b=c", {"a": "b=c"}),
        ("+sip.instance=x", {"+sip.instance": "x"}),
    ],
    ids=repr,
)
def test_parameters(text: str, parameters: dict[str, str | None]) -> None:
    assert parse_parameters(text) == parameters


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a=1;A=2", "the parameter 'x' occurs twice"),
        ("a b=1", "bad name 'x x'"),
        ("=1", "bad name ''"),
        ('"a"=1', "bad name"),
        ('a="1', "a quoted string is not closed"),
        ("a/b=1", "bad name 'x/x'"),
        (
            ";".join(f"p{n}" for n in range(MAX_PARAMETERS + 1)),
            "more than 64 parameters",
        ),
    ],
    ids=lambda text: text[:20],
)
def test_bad_parameters_are_refused(text: str, fault: str) -> None:
    with pytest.raises(SipSyntaxError, match=fault):
        parse_parameters(text)


def test_as_many_parameters_as_allowed() -> None:
    text = ";".join(f"p{n}" for n in range(MAX_PARAMETERS))
    assert len(parse_parameters(text)) == MAX_PARAMETERS


def test_parameters_are_written_as_they_were_read() -> None:
    text = ';branch=z9;rport;x="a;b";empty='
    assert format_parameters(parse_parameters(text)) == text


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.4", "192.0.2.4", None),
        ("192.0.2.4:5060", "192.0.2.4", 5060),
        ("snom821", "snom821", None),
        ("821snom:2048", "821snom", 2048),
        ("HA.Example.TEST", "ha.example.test", None),
        ("ha_core_1", "ha_core_1", None),
        ("host : 4000", "host", 4000),
        ("host:00005060", "host", 5060),
        ("[2001:DB8::1]", "[2001:db8::1]", None),
        ("[2001:db8::1]:5061", "[2001:db8::1]", 5061),
        ("[::ffff:192.0.2.4] : 5061", "[::ffff:192.0.2.4]", 5061),
        ("h:1", "h", 1),
        ("h:65535", "h", 65535),
    ],
    ids=repr,
)
def test_host_and_port(text: str, host: str, port: int | None) -> None:
    assert split_host_port(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":5060",
        "host:",
        "host:65536",
        "host:-1",
        "host:+5060",
        "host:5_060",
        "host:٥",
        "host:99999999999",
        "host:5060:1",
        "ho st",
        "höst",
        "host/path",
        "2001:db8::1",
        "[",
        "[]",
        "[::1",
        "[::1]5060",
        "[::1]:",
        "[host]",
        "[fe80::1%eth0]",
    ],
    ids=repr,
)
def test_bad_host_and_port_are_refused(text: str) -> None:
    with pytest.raises(SipSyntaxError):
        split_host_port(text)


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1.0", "1e3", " 1", "1 ", "1_0", "0x1", "²", "١", "12345678901"],
    ids=repr,
)
def test_only_plain_digits_are_a_number(text: str) -> None:
    with pytest.raises(SipSyntaxError, match=r"the CSeq .* is not a number"):
        parse_number(text, "CSeq", high=2**40)


@pytest.mark.parametrize(
    ("text", "good"), [("9", False), ("10", True), ("0020", True), ("21", False)]
)
def test_numbers_have_bounds(text: str, good: bool) -> None:
    if good:
        assert parse_number(text, "port", low=10, high=20) == int(text)
        return
    with pytest.raises(SipSyntaxError, match="is not between 10 and 20"):
        parse_number(text, "port", low=10, high=20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", False),
        ("tab\tis fine", False),
        ("grüße \udcff", False),
        ("a\rb", True),
        ("a\nb", True),
        ("\x00", True),
        ("\x1b[2J", True),
        ("\x7f", True),
    ],
    ids=repr,
)
def test_control_characters(text: str, expected: bool) -> None:
    assert has_control(text) is expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [("44", "44"), ("Büro", "Büro"), ("B\udcfcro", "B?ro"), ("\ud800", "?")],
    ids=repr,
)
def test_readable_text_can_be_stored_and_shown(text: str, shown: str) -> None:
    assert readable(text) == shown
    readable(text).encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "''"),
        ("sip:44:secret@[2001:db8::1]:5060;line=x", "'x:x:x@[x:x::x]:x;x=x'"),
        ('"Anna Müller" <sip:+49 30>', "'\"x x\" <x:x x>'"),
        ("a\x9bb\u202ec\0\r\n", r"'x\x9bx\u202ex\x00\r\n'"),
        ("gr\udcfc\udcdf", r"'x\udcfc\udcdf'"),
        ("it's 50%", "'x x'"),
        ("ab" * 30, "'x'"),
        ("ab" * 31, "'x…'"),
        ("@" * 9000, f"'{60 * '@'}…'"),
    ],
)
def test_the_shape_of_a_text(text: str, shown: str) -> None:
    assert shape(text) == shown
