"""URIs and addresses (RFC 3261 19.1, 20.10; RFC 3966 for tel)."""

import pytest

from custom_components.snom_buttons.engine.sip import (
    SipSyntaxError,
    make_address,
    make_uri,
    parse_address,
    parse_uri,
    uri as uri_module,
)
from custom_components.snom_buttons.engine.sip.grammar import CACHED_LENGTH
from custom_components.snom_buttons.engine.sip.uri import UnsupportedScheme


@pytest.mark.parametrize(
    ("text", "scheme", "user", "host", "port"),
    [
        ("sip:44@192.0.2.4:2048;line=x", "sip", "44", "192.0.2.4", 2048),
        ("sip:snom821", "sip", None, "snom821", None),
        ("SIP:44@HA.Test", "sip", "44", "ha.test", None),
        ("sips:44@ha.test", "sips", "44", "ha.test", None),
        ("sip:44:secret@ha.test", "sip", "44", "ha.test", None),
        ("sip:44@[2001:db8::1]:5060", "sip", "44", "[2001:db8::1]", 5060),
        ("sip:*602co1@lab.example.local", "sip", "*602co1", "lab.example.local", None),
        ("sip:%2A602@ha.test", "sip", "*602", "ha.test", None),
        ("sip:sips%3Auser%40example.com@example.net", "sip", "sips:user@example.com", "example.net", None),
        ("sip:null-%00-null@example.com", "sip", "null-\0-null", "example.com", None),
        ("sip:user;par=u%40example.net@example.com", "sip", "user;par=u@example.net", "example.com", None),
        ("sip:a?b@ha.test?subject=x", "sip", "a?b", "ha.test", None),
        (
            "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com",
            "sip",
            "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
            "example.com",
            None,
        ),
        ("sip:%C3%BC@ha.test", "sip", "ü", "ha.test", None),
        ("sip:ü@ha.test", "sip", "ü", "ha.test", None),
        ("sip:%FF@ha.test", "sip", "\N{REPLACEMENT CHARACTER}", "ha.test", None),
        ("sip:\udcff@ha.test", "sip", "?", "ha.test", None),
        ("sip:50%@ha.test", "sip", "50%", "ha.test", None),
        ("tel:+4930123456;phone-context=x", "tel", "+4930123456", "", None),
        # Without a scheme, as in the sipsak example of the LED Remote Control document.
        ("1004@192.168.0.11;transport=udp", "sip", "1004", "192.168.0.11", None),
        ("192.168.0.11", "sip", None, "192.168.0.11", None),
        ("snom821:5060", "sip", None, "snom821", 5060),
        ("ha.test:5060;lr", "sip", None, "ha.test", 5060),
        ("44:secret@ha.test", "sip", "44", "ha.test", None),
        ("john.doe:secret@ha.test", "sip", "john.doe", "ha.test", None),
        ("a@b:5060", "sip", "a", "b", 5060),
        # Port 0 is grammatical, and so were three colons in RFC 3261 (RFC 5118 4.10).
        ("sip:44@192.0.2.4:0", "sip", "44", "192.0.2.4", 0),
        ("sip:44@[2001:db8:::192.0.2.1]", "sip", "44", "[2001:db8:::192.0.2.1]", None),
    ],
)  # fmt: skip
def test_uri(
    text: str, scheme: str, user: str | None, host: str, port: int | None
) -> None:
    uri = parse_uri(text)
    assert (uri.scheme, uri.user, uri.host, uri.port) == (scheme, user, host, port)
    assert str(uri) == text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not a host"),
        ("sip:", "not a host"),
        ("sip:@ha.test", "empty user"),
        ("sip::secret@ha.test", "empty user"),
        ("sip:44@", "not a host"),
        ("sip:44@ha.test:port", "is not a number"),
        ("<sip:44@ha.test>", "characters that no URI"),
        ("sip:44@ha.test; lr", "characters that no URI"),
        ("sip:a b@ha.test", "characters that no URI"),
        ("sip:44@ha.test\r\nX: y", "characters that no URI"),
        ('sip:"44"@ha.test', "characters that no URI"),
        ("sip:44@ha.test;a=1;A=2", "twice"),
        ("sip:44@ha.test;=1", "bad name"),
        ("tel:", "no number"),
        ("tel:1;a;a", "twice"),
    ],
    ids=repr,
)
def test_bad_uri_is_refused(text: str, fault: str) -> None:
    with pytest.raises(SipSyntaxError, match=fault):
        parse_uri(text)


@pytest.mark.parametrize(
    "text",
    ["http://www.example.com", "mailto:x@y", "urn:service:sos", "soap.beep://192.0.2.103:3002", "isbn:2983792873"],
)  # fmt: skip
def test_other_schemes_are_for_addresses_only(text: str) -> None:
    """RFC 3261 8.2.2.1 and 10.2.1, with the messages of RFC 4475 3.3.2 to 3.3.4."""
    with pytest.raises(UnsupportedScheme):
        parse_uri(text)
    address = parse_address(f'"x" <{text}>;tag=1')
    uri = address.uri
    assert (str(uri), uri.scheme) == (text, text.partition(":")[0])
    assert (uri.user, uri.host, uri.port, uri.parameters) == (None, "", None, "")
    assert not uri.is_sip
    assert uri.target == uri
    assert uri.is_equivalent(parse_address(text).uri)
    assert not uri.is_equivalent(parse_uri("sip:x@y"))


@pytest.mark.parametrize(
    ("text", "is_sip", "with_scheme"),
    [
        ("sip:44@ha.test;lr", True, "sip:44@ha.test;lr"),
        ("SIPS:ha.test", True, "SIPS:ha.test"),
        ("44@ha.test:5060", False, "sip:44@ha.test:5060"),
        ("sipphone", False, "sip:sipphone"),
        ("sip", False, "sip:sip"),
    ],
)
def test_a_request_uri_needs_its_scheme(
    text: str, is_sip: bool, with_scheme: str
) -> None:
    uri = parse_uri(text)
    assert uri.is_sip is is_sip
    assert str(uri.with_scheme) == with_scheme
    assert parse_uri(with_scheme) == uri.with_scheme
    tel = parse_uri("tel:44")
    assert not tel.is_sip
    assert tel.with_scheme == tel


def test_parameters_of_a_uri() -> None:
    uri = parse_uri("sip:44@ha.test;transport=tls;%6Cr;x=;[odd]/name=1")
    assert uri.parameter("transport") == "tls"
    assert uri.parameter("lr") == ""
    assert uri.parameter("x") == ""
    assert uri.parameter("[odd]/name") == "1"
    assert uri.parameter("line") is None


SAME = [
    # The examples of RFC 3261 19.1.4.
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=off"),
    ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    # Only the user info depends on its case; scheme, host, parameters, headers do not.
    ("sip:44@ha.test", "SIP:44@HA.TEST"),
    ("sips:44@ha.test;line=ABC", "SIPS:44@Ha.Test;LINE=abc"),
    ("sip:44@ha.test;a=X;b", "sip:44@ha.test;B;A=x"),
    ("sip:44@ha.test?Subject=Next%20Meeting", "sip:44@ha.test?SUBJECT=next%20meeting"),
    # A character that is not reserved is its escape, whose digits have no case.
    ("sip:%34%34@ha.test", "sip:44@ha.test"),
    ("sip:%2A602@ha.test", "sip:*602@ha.test"),
    ("sip:a%2fb@ha.test", "sip:a%2Fb@ha.test"),
    ("sip:%c3%bc@ha.test", "sip:%C3%BC@ha.test"),
    ("sip:ha.test;%6Cr", "sip:ha.test;lr"),
    ("sip:ha.test;a=v%61lue", "sip:ha.test;a=value"),
    ("sip:100%@ha.test", "sip:100%25@ha.test"),
    ("sip:44@ha.test;%6Dethod=MESSAGE", "sip:44@ha.test;method=MESSAGE"),
    ("sip:44@ha.test;user%2dparam=x", "sip:44@ha.test;user-param=X"),
    # What only one has is ignored, except for the parameters below.
    ("sips:44@ha.test;line=abc", "sips:44@ha.test"),
    ("sip:44@192.0.2.4:2048;line=x", "sip:44@192.0.2.4:2048;lr;x"),
    ("sip:ha.test;lr", "sip:ha.test;lr="),
    ("sip:ha.test;a=1;b=2", "sip:ha.test;b=2;c=3"),
    ("sip:44@ha.test?", "sip:44@ha.test"),
    ("44@ha.test", "sip:44@ha.test"),
    # RFC 5954 4.2: an IPv6 address may be written in several ways.
    ("sip:44@[2001:db8::1]:5060", "sip:44@[2001:0DB8:0:0:0:0:0:1]:5060"),
    ("sip:44@[::ffff:192.0.2.1]", "sip:44@[::FFFF:c000:201]"),
    ("sip:44@[2001:db8:::192.0.2.1]", "sip:44@[2001:db8::c000:201]"),
    ("sip:44@[:F:]", "sip:44@[:f:]"),
]
DIFFERENT = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    # A sip and a sips URI are never equivalent.
    ("sip:44@ha.test", "sips:44@ha.test"),
    ("sip:44@ha.test;transport=tls", "sips:44@ha.test"),
    ("sip:44@ha.test", "tel:44"),
    # User, password, host and port.
    ("sip:44@ha.test", "sip:ha.test"),
    ("sip:44@ha.test", "sip:45@ha.test"),
    ("sip:44:secret@ha.test", "sip:44@ha.test"),
    ("sip:44:secret@ha.test", "sip:44:Secret@ha.test"),
    ("sip:44@ha.test", "sip:44@ha.test.example"),
    ("sip:44@ha.test:5060", "sip:44@ha.test:5061"),
    ("sip:44@ha.test", "sip:44@ha.test:0"),
    ("sip:44@192.0.2.4", "sip:44@[::ffff:192.0.2.4]"),
    ("sip:44@[2001:db8::1:5060]", "sip:44@[2001:db8::1]:5060"),
    # A reserved character differs from its escape.
    ("sip:a%2Fb@ha.test", "sip:a/b@ha.test"),
    ("sip:a%3Bb@ha.test", "sip:a;b@ha.test"),
    ("sip:+358-555-1234567;postd=pp22@foo.com", "sip:+358-555-1234567;POSTD=PP22@foo.com"),
    ("sip:1;postd=pp22;isub=1411@foo.com", "sip:1;isub=1411;postd=pp22@foo.com"),
    # An escape is undone once (RFC 4475 3.1.1.3).
    ("sip:44@ha.test;a=value%2541", "sip:44@ha.test;a=valueA"),
    ("sip:a%252Fb@ha.test", "sip:a%2Fb@ha.test"),
    # Parameters that must be in both, even with their default value.
    ("sip:ha.test", "sip:ha.test;tr%61nsport=udp"),
    ("sip:ha.test;line=abc", "sip:ha.test;l%69ne=xyz"),
    ("sip:44@ha.test", "sip:44@ha.test;user=ip"),
    ("sip:44@ha.test", "sip:44@ha.test;ttl=1"),
    ("sip:ha.test", "sip:ha.test;method=INVITE"),
    ("sip:ha.test", "sip:ha.test;maddr=192.0.2.4"),
    ("sip:ha.test;user=phone", "sip:ha.test;user=ip"),
    ("sip:44@ha.test;line=abc", "sip:44@ha.test;line=xyz"),
    ("sip:ha.test;lr", "sip:ha.test;lr=on"),
    ("sip:ha.test?a=1&b=2", "sip:ha.test?a=1"),
    ("sip:ha.test?a=1", "sip:ha.test?a=2"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [*((*pair, True) for pair in SAME), *((*pair, False) for pair in DIFFERENT)],
)
def test_equivalent_uris(one: str, other: str, same: bool) -> None:
    """RFC 3261 19.1.4."""
    first, second = parse_uri(one), parse_uri(other)
    assert first.is_equivalent(second) is second.is_equivalent(first) is same
    assert same or first.key != second.key
    assert first.is_equivalent(first)


@pytest.mark.parametrize(
    ("user", "text"),
    [
        (None, "sip:ha.test"),
        ("44", "sip:44@ha.test"),
        ("*602", "sip:*602@ha.test"),
        ("#31#0815", "sip:%2331%230815@ha.test"),
        ("a@b c%", "sip:a%40b%20c%25@ha.test"),
        ("Büro", "sip:B%C3%BCro@ha.test"),
        ("a\r\nX: y", "sip:a%0D%0AX%3A%20y@ha.test"),
    ],
    ids=repr,
)
def test_a_made_uri_escapes_and_reads_back(user: str | None, text: str) -> None:
    uri = make_uri(user, "ha.test")
    assert str(uri) == text
    assert uri.user == user


def test_a_made_uri_with_port_and_ipv6() -> None:
    assert str(make_uri("44", "[2001:db8::1]", 5061)) == "sip:44@[2001:db8::1]:5061"


def test_a_made_uri_of_bytes_that_are_no_text() -> None:
    assert str(make_uri("\udcff", "ha.test")) == "sip:?@ha.test"


@pytest.mark.parametrize(
    ("text", "name", "uri", "parameters"),
    [
        ("<sip:44@ha.test>", "", "sip:44@ha.test", {}),
        ("sip:44@ha.test", "", "sip:44@ha.test", {}),
        ("44@ha.test", "", "44@ha.test", {}),
        ('"44" <sip:44@ha.test>;tag=x', "44", "sip:44@ha.test", {"tag": "x"}),
        ("sip:44@ha.test;tag=x", "", "sip:44@ha.test", {"tag": "x"}),
        ("<sip:44@ha.test;lr>;tag=x", "", "sip:44@ha.test;lr", {"tag": "x"}),
        ('"a \\"b\\" <c>" <sip:x@y>', 'a "b" <c>', "sip:x@y", {}),
        ('"a\\\\" <sip:x@y>', "a\\", "sip:x@y", {}),
        ("J Rosenberg <sip:x@y>", "J Rosenberg", "sip:x@y", {}),
        ("caller<sip:x@y>;tag=323", "caller", "sip:x@y", {"tag": "323"}),
        ('"caller"<sip:x@y>', "caller", "sip:x@y", {}),
        ('"" <sip:x@y>', "", "sip:x@y", {}),
        ("Bell, Alexander <sip:x@y>", "Bell, Alexander", "sip:x@y", {}),
        ('"B\udcfcro" <sip:x@y>', "B?ro", "sip:x@y", {}),
        # The sipsak example of the LED Remote Control document.
        ("< 1004@192.168.0.11;transport=udp>", "", "1004@192.168.0.11;transport=udp", {}),
        (" sip:x@y ;   tag    = 1918181833n ", "", "sip:x@y", {"tag": "1918181833n"}),
        ("<sip:x@y>\t; lr ", "", "sip:x@y", {"lr": None}),
        ("<sip:x@y?Route=%3Csip:z%3E>", "", "sip:x@y?Route=%3Csip:z%3E", {}),
        ('<sip:x@y>;a="b>c;d"', "", "sip:x@y", {"a": '"b>c;d"'}),
        # Without brackets around the URI, with quoted and bracketed parameters.
        ('sip:44@h:5062;reg-id=1;+sip.instance="<urn:uuid:1>"', "", "sip:44@h:5062", {"reg-id": "1", "+sip.instance": '"<urn:uuid:1>"'}),
        ('sip:44@h;x="<sip:55@h>;y=\\"z\\""', "", "sip:44@h", {"x": '"<sip:55@h>;y=\\"z\\""'}),
        ('sip:44@h ; x = "a,b;c" ; tag = 1', "", "sip:44@h", {"x": '"a,b;c"', "tag": "1"}),
        ('sip:44@h;x="\\"<sip:55@h>"', "", "sip:44@h", {"x": '"\\"<sip:55@h>"'}),
        ('44@h;x=">"', "", "44@h", {"x": '">"'}),
        ('urn:service:sos;x="<sip:55@h>"', "", "urn:service:sos", {"x": '"<sip:55@h>"'}),
        ('<sip:44@h>;x="<sip:55@h>"', "", "sip:44@h", {"x": '"<sip:55@h>"'}),
        ('"<sip:55@h>" <sip:44@h>;x="<sip:66@h>"', "<sip:55@h>", "sip:44@h", {"x": '"<sip:66@h>"'}),
        ("<sip:44@h>;+sip.instance=<urn:uuid:1>", "", "sip:44@h", {"+sip.instance": "<urn:uuid:1>"}),
        ('"Anna" Smith <sip:x@y>', '"Anna" Smith', "sip:x@y", {}),
        # A Contact whose display name has a comma and no quotes.
        ("Kueche", "", "Kueche", {}),
    ],
)  # fmt: skip
def test_address(
    text: str, name: str, uri: str, parameters: dict[str, str | None]
) -> None:
    address = parse_address(text)
    assert address.display_name == name
    assert str(address.uri) == uri
    assert address.parameters == parameters
    assert str(address) == text.strip()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not a host"),
        ('"Mr. J. User <sip:x@y>', "quoted string is not closed"),
        ('"a\\" <sip:x@y>', "quoted string is not closed"),
        ('"a" sip:x@y', "no <URI>"),
        ("<sip:x@y", "angle bracket is not closed"),
        ("<>", "not a host"),
        ("<sip:x@y> <sip:z>", "follows an address"),
        ("<sip:x@y>, <sip:z@y>", "follows an address"),
        ("<sip:x@y>;tag=1;tag=2", "twice"),
        ("sip:x@y?Route=%3Csip:z%3E", "question mark"),
        ("sip:x@y, sip:z@y", "characters that no URI"),
        ("sip:44@h;x=<sip:55@h>", "angle bracket outside quotes"),
        ("sip:44@h;<sip:55@h>", "bad name"),
        ('"a";x="<sip:55@h>"', "no <URI>"),
        ('J "<sip:44@h>" <sip:55@h>', "characters that no URI"),
        ('sip:44@h "<sip:55@h>"', "characters that no URI"),
        ('"a" "<sip:44@h>" <sip:55@h>', "no <URI>"),
    ],
    ids=repr,
)
def test_bad_address_is_refused(text: str, fault: str) -> None:
    with pytest.raises(SipSyntaxError, match=fault):
        parse_address(text)


@pytest.mark.parametrize(
    ("parameters", "tag"),
    [
        ("", None),
        (";tag=a", "a"),
        (";TAG=a", "a"),
        (";tag= a", "a"),
        (";x;tag=a", "a"),
        (";tag=a;x", "a"),
        (";mytag=a", None),
        (";tag", None),
    ],
    ids=repr,
)
def test_tag(parameters: str, tag: str | None) -> None:
    assert parse_address(f"<sip:44@ha.test>{parameters}").tag == tag


@pytest.mark.parametrize(
    ("display_name", "tag", "text"),
    [
        ("", None, "<sip:44@ha.test>"),
        ("", "x", "<sip:44@ha.test>;tag=x"),
        ('Büro "West"', "x", '"Büro \\"West\\"" <sip:44@ha.test>;tag=x'),
    ],
)
def test_a_made_address_reads_back(
    display_name: str, tag: str | None, text: str
) -> None:
    made = make_address(make_uri("44", "ha.test"), tag=tag, display_name=display_name)
    assert str(made) == text
    assert parse_address(text) == made


def test_long_texts_do_not_fill_the_caches() -> None:
    """Otherwise 2048 texts of 64 KiB from strangers would stay in memory."""
    short = f"sip:{'1' * (CACHED_LENGTH - 12)}@ha.test"
    for parse in (uri_module._parse_any, parse_address):
        cached = vars(parse)["__wrapped__"]
        cached.cache_clear()
        parse(short)
        parse(f"{short}0123")
        assert parse(short) is parse(short)
        assert cached.cache_info().currsize == 1
    assert len(short) == CACHED_LENGTH


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("sip:44@h:2048;line=x", "sip:44@h:2048;line=x"),
        ("sip:44@h;method=INVITE", "sip:44@h"),
        ("sip:44@h;a;Method=INVITE;b=c?Subject=x", "sip:44@h;a;b=c"),
        ("sip:44@h?Subject=x", "sip:44@h"),
        ("sip:44@h;methods=x", "sip:44@h;methods=x"),
        ("sip:44@h;m%65thod=INVITE;a%20", "sip:44@h;a%20"),
        ("sip:method@h", "sip:method@h"),
        # The user part keeps its characters, and a tel URI has neither method nor headers.
        ("sip:a?b@h", "sip:a?b@h"),
        ("sip:a?b;method=c@h;method=d;x?e=f", "sip:a?b;method=c@h;x"),
        ("sip:h;method=x;y", "sip:h;y"),
        ("tel:1;method=x", "tel:1;method=x"),
        # Without its method the text would parse as another scheme.
        ("n;method=.;:+", "n;:+"),
    ],
)
def test_a_request_uri_has_neither_method_nor_headers(text: str, target: str) -> None:
    """RFC 3261 19.1.1, table 1."""
    assert str(parse_uri(text).target) == target
