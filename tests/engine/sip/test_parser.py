"""The parser: which messages it accepts, and the faults of the others."""

from __future__ import annotations

import pytest

from custom_components.snom_buttons.engine.sip import (
    Flow,
    MalformedMessage,
    Request,
    Response,
    parse_datagram,
    parser as parser_module,
)
from custom_components.snom_buttons.engine.sip.grammar import CACHED_LENGTH
from custom_components.snom_buttons.engine.sip.message import canonical_name
from custom_components.snom_buttons.engine.sip.parser import MAX_HEADERS, MAX_MESSAGE
from tests.support.faults import FAULTS
from tests.support.messages import (
    REQUEST,
    request,
    request_bytes,
    response,
    response_bytes,
    wire,
)


def refused(data: bytes) -> MalformedMessage:
    """Return the fault of a malformed message."""
    with pytest.raises(MalformedMessage) as caught:
        parse_datagram(data)
    return caught.value


def test_request_is_typed_at_the_door() -> None:
    message = parse_datagram(
        request_bytes("MESSAGE", "Content-Type: application/x-buttons", body=b"k=1")
    )
    assert isinstance(message, Request)
    assert message.method == "MESSAGE"
    assert str(message.uri) == "sip:44@ha.test"
    assert (message.via.transport, message.via.host, message.via.port) == (
        "UDP",
        "192.0.2.4",
        2048,
    )
    assert message.via.branch == "z9hG4bKa1"
    assert message.via.sent_by == "192.0.2.4:2048"
    assert message.from_.tag == "from1"
    assert message.from_.display_name == "44"
    assert message.to.tag is None
    assert message.call_id == "call-1@192.0.2.4"
    assert (message.cseq.number, message.cseq.method) == (7, "MESSAGE")
    assert str(message.cseq) == "7 MESSAGE"
    assert message.body == b"k=1"


def test_response_is_typed_at_the_door() -> None:
    message = parse_datagram(response_bytes("SIP/2.0 486 Busy Here"))
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (486, "Busy Here")
    assert message.to.tag == "to1"


@pytest.mark.parametrize(
    "data",
    [b"", b"\r\n", b"\r\n\r\n", b"\n", b"\r\n\r\n\r\n\n", b"\0", 4 * b"\0", b"\0\r\n"],
    ids=repr,
)
def test_keep_alive_is_no_message(data: bytes) -> None:
    """RFC 5626 4.4.1; NULs are what some phones send."""
    assert parse_datagram(data) is None


class TestTheDocumentsOwnMessages:
    """From the LED Remote Control document, with the line breaks that its page lost."""

    def test_register(self) -> None:
        message = parse_datagram(
            wire(
                "REGISTER sip:localhost SIP/2.0",
                "Via: SIP/2.0/TLS 172.20.25.101:2048;branch=z9hG4bK-2kecpl491c02;rport",
                'From: "44" <sip:44@localhost>;tag=3k4xrbtmm9',
                'To: "44" <sip:44@localhost>',
                "Call-ID: 3c358c7680cb-j9yamlvac7ak",
                "CSeq: 4655 REGISTER",
                "Max-Forwards: 70",
                "Contact: <sip:44@172.20.25.101:2048;transport=tls;line=44qsudyt>;"
                ' +sip.instance="<urn:uuid:b255d09d-7a6e-4ad3-9ffb-eeacc9f87d52>"',
                "Supported: buttons",
                "Expires: 3600",
                "Content-Length: 0",
            )
        )
        assert isinstance(message, Request)
        assert message.uri.host == "localhost"
        assert message.via.transport == "TLS"
        assert message.to.uri.user == "44"
        assert message.cseq.number == 4655
        assert message.headers.tokens("Supported") == {"buttons"}

    @pytest.mark.parametrize(
        ("to", "branch", "cseq", "body", "length"),
        [
            (
                "<sip:*602co1@lab.example.local>;tag=4bmp7edhiz",
                "z9hG4bK-cr9drb5v0e5s",
                "1 MESSAGE",
                b"k=1\r\na=seize\r\nt=<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>\r\n",
                65,
            ),
            (
                "<sip:*603co2@lab.example.local>;tag=5z3zroft6v",
                "z9hG4bK-8zk1koi94fn3",
                "1 MESSAGE",
                b"k=2\r\na=release\r\nt=<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>\r\n",
                67,
            ),
        ],
        ids=["seize", "release"],
    )
    def test_press(
        self, to: str, branch: str, cseq: str, body: bytes, length: int
    ) -> None:
        message = parse_datagram(
            wire(
                "MESSAGE sip:404@lab.example.local SIP/2.0",
                f"Via: SIP/2.0/UDP 192.168.168.179:2049;branch={branch};rport",
                'From: "404" <sip:404@lab.example.local>;tag=xt6v6wiw19',
                f"To: {to}",
                "Call-ID: 3c2677851b18-e6amwgoglprw",
                f"CSeq: {cseq}",
                "Max-Forwards: 70",
                "Proxy-Require: buttons",
                "Content-Type: application/x-buttons",
                f"Content-Length: {length}",
                body=body,
            )
        )
        assert isinstance(message, Request)
        assert message.body == body
        assert message.to.uri.user == to[5:12]
        assert message.media_type() == "application/x-buttons"

    @pytest.mark.parametrize("end", ["\r\n", "\n"], ids=["CRLF", "LF"])
    def test_sipsaks_led_txt(self, end: str) -> None:
        """Request-URI, To and Contact have no scheme; the lengths fit one kind of line end."""
        body = f"k=1{end}c=on{end}".encode()
        message = parse_datagram(
            wire(
                "MESSAGE 1004@192.168.0.11;transport=udp SIP/2.0",
                "Via: SIP/2.0/UDP 192.168.0.12:1036;branch=z9hG4bK.1f",
                "From: sip:sipsak@192.168.0.12:1036;tag=38473",
                "To: 1004@192.168.0.11",
                "Call-ID: 6algjorv@test",
                "CSeq: 59620 MESSAGE",
                "Max-Forwards: 70",
                "Contact: < 1004@192.168.0.11;transport=udp>",
                "Subject: buttons",
                "Content-Type: application/x-buttons",
                f"Content-Length: {min(10, len(body))}",
                body=body,
                end=end,
            )
        )
        assert isinstance(message, Request)
        assert (message.uri.user, message.uri.host) == ("1004", "192.168.0.11")
        assert message.uri.parameter("transport") == "udp"
        assert message.to.uri.user == "1004"
        assert message.from_.tag == "38473"
        assert message.body == body[:10]

    def test_answer_of_the_registrar(self) -> None:
        message = parse_datagram(
            wire(
                "SIP/2.0 200 Ok",
                "Via: SIP/2.0/TLS 172.20.25.101:2048;branch=z9hG4bK-zwua4nsg3ene;rport=4392",
                "From: <sip:44@localhost>;tag=m6b9kc2vom",
                "To: <sip:44@localhost>;tag=651e0392d2",
                "Call-ID: 3c358c388712-ebd63gd3yujl",
                "CSeq: 2 SUBSCRIBE",
                "Contact: <sip:172.20.25.102:5061;transport=tls>",
                "Required: buttons",
                "Expires: 0",
                "Content-Length: 0",
            )
        )
        assert isinstance(message, Response)
        assert message.via.parameters["rport"] == "4392"
        assert message.cseq.method == "SUBSCRIBE"


class TestLines:
    """RFC 3261 7.3."""

    @pytest.mark.parametrize(
        ("lines", "name", "value"),
        [
            (["Subject: one", " two", "\tthree"], "Subject", "one two three"),
            (["Subject:", " folded"], "Subject", "folded"),
            (["Subject: a", " ", " b"], "Subject", "a  b"),
            (["Subject  :  blanks\t"], "Subject", "blanks"),
            (["SUBJECT: case"], "Subject", "case"),
            (["s: compact"], "Subject", "compact"),
            (["S: compact"], "Subject", "compact"),
            (["Subject: a:b: c"], "Subject", "a:b: c"),
            (["Subject:"], "Subject", ""),
            (["Subject: grüße"], "Subject", "grüße"),
            (["Subject: \udcff\udcfe"], "Subject", "\udcff\udcfe"),
            (["NewFangledHeader: newfangled value", " continued"], "newfangledheader", "newfangled value continued"),
            (["UnknownHeaderWithUnusualValue: ;;,,;;,;"], "UnknownHeaderWithUnusualValue", ";;,,;;,;"),
        ],
        ids=repr,
    )  # fmt: skip
    def test_line(self, lines: list[str], name: str, value: str) -> None:
        headers = request("MESSAGE", *lines).headers
        assert headers.lines(name) == [value]
        assert headers.get(name) == value
        assert name in headers

    @pytest.mark.parametrize(
        ("compact", "name"),
        [
            ("a", "Accept-Contact"),
            ("b", "Referred-By"),
            ("c", "Content-Type"),
            ("d", "Request-Disposition"),
            ("e", "Content-Encoding"),
            ("f", "From"),
            ("i", "Call-ID"),
            ("j", "Reject-Contact"),
            ("k", "Supported"),
            ("l", "Content-Length"),
            ("m", "Contact"),
            ("o", "Event"),
            ("r", "Refer-To"),
            ("s", "Subject"),
            ("t", "To"),
            ("u", "Allow-Events"),
            ("v", "Via"),
            ("x", "Session-Expires"),
        ],
    )
    def test_compact_names(self, compact: str, name: str) -> None:
        assert canonical_name(compact) == canonical_name(compact.upper()) == name

    @pytest.mark.parametrize(
        ("written", "usual"),
        [
            ("call-id", "Call-ID"),
            ("CSEQ", "CSeq"),
            ("www-authenticate", "WWW-Authenticate"),
            ("Mime-Version", "MIME-Version"),
            ("max-forwards", "Max-Forwards"),
            ("x" * 50, "X" + "x" * 49),
        ],
    )
    def test_usual_spelling(self, written: str, usual: str) -> None:
        assert canonical_name(written) == usual

    def test_strangers_names_do_not_fill_the_memory(self) -> None:
        from custom_components.snom_buttons.engine.sip import message

        for number in range(2000):
            canonical_name(f"x-{number}")
        assert len(message._spellings) <= 512
        assert canonical_name("x-1999") == "X-1999"

    @pytest.mark.parametrize("name", ["", "a b", "ä"])
    def test_what_is_no_name_stays_none_when_it_was_asked_for(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from custom_components.snom_buttons.engine.sip import message

        monkeypatch.setattr(message, "_spellings", {})
        assert name not in request().headers
        assert refused(request_bytes("MESSAGE", f"{name}: value"))

    def test_a_message_in_compact_form(self) -> None:
        message = parse_datagram(
            wire(
                "MESSAGE sip:44@ha.test SIP/2.0",
                "v: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKx",
                "f: <sip:44@ha.test>;tag=1",
                "t: <sip:44@ha.test>",
                "i: abc",
                "CSeq: 1 MESSAGE",
                "l: 1",
                "c: TEXT/Plain;charset=utf-8",
                body=b"xyz",
            )
        )
        assert isinstance(message, Request)
        assert (message.call_id, message.body) == ("abc", b"x")
        assert message.media_type() == "text/plain"

    @pytest.mark.parametrize("end", ["\r\n", "\n"], ids=["CRLF", "LF"])
    @pytest.mark.parametrize("blank", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
    def test_the_first_empty_line_ends_the_headers(
        self, end: str, blank: bytes
    ) -> None:
        head = end.join(request_bytes().decode().split("\r\n")[:-2]) + end
        body = b"k=1\r\n\r\nk=2\n\nk=3"
        message = parse_datagram(b"\r\n\n" + head.encode() + blank + body)
        assert isinstance(message, Request)
        assert message.body == body

    def test_values_on_one_line_and_on_several(self) -> None:
        headers = request(
            "REGISTER",
            'Contact: "a, b" <sip:a@b;x=1,2>;q=1, <sip:c@d> ,',
            "m: sip:e@f",
            "Contact:",
        ).headers
        assert headers.listed("Contact") == [
            '"a, b" <sip:a@b;x=1,2>;q=1',
            "<sip:c@d>",
            "sip:e@f",
        ]

    def test_a_list_of_nothing(self) -> None:
        headers = request("MESSAGE", "Require:").headers
        assert headers.listed("Require") == []
        assert headers.listed("Supported") == []
        assert headers.tokens("Require") == frozenset()

    def test_as_many_bytes_as_allowed(self) -> None:
        body = b"x" * (MAX_MESSAGE - len(request_bytes()))
        message = parse_datagram(request_bytes(body=body))
        assert isinstance(message, Request)
        assert message.body == body

    def test_as_many_headers_as_allowed(self) -> None:
        more = [f"Subject: {number}" for number in range(MAX_HEADERS - len(REQUEST))]
        taken = request("MESSAGE", *more).headers.lines("Subject")
        assert len(taken) == len(more)


def test_long_lines_do_not_fill_the_caches() -> None:
    """Otherwise 2048 texts of 16 KiB from strangers would stay in memory."""
    for parse, long in (
        (
            parser_module._split_request_line,
            {"uri": f"sip:{'1' * CACHED_LENGTH}@ha.test"},
        ),
        (
            parser_module._version_and_sender,
            {"Via": f"SIP/2.0/UDP {'h' * CACHED_LENGTH}"},
        ),
        (parser_module._cseq, {"CSeq": f"7{' ' * CACHED_LENGTH}MESSAGE"}),
    ):
        cached = vars(parse)["__wrapped__"]
        cached.cache_clear()
        request(**long)
        assert cached.cache_info().currsize == 0
        request()
        assert cached.cache_info().currsize == 1


class TestVia:
    """RFC 3261 20.42."""

    @pytest.mark.parametrize(
        ("value", "transport", "sent_by", "branch"),
        [
            ("SIP/2.0/UDP h;branch=z9hG4bKx", "UDP", "h", "z9hG4bKx"),
            ("SIP/2.0/UDP h:5060", "UDP", "h:5060", ""),
            ("SIP/2.0/tcp H.Test;branch=A", "TCP", "h.test", "A"),
            ("SIP  /   2.0\t/UDP \t  h : 4000 ; ttl=16 ;branch=x", "UDP", "h:4000", "x"),
            ("SIP/2.0/UDP [2001:db8::1]:5060;branch=x", "UDP", "[2001:db8::1]:5060", "x"),
            ("SIP/2.0/UNKNOWN t4.example.com;branch=x", "UNKNOWN", "t4.example.com", "x"),
            ("SIP/2.0/UDP a;branch=x, SIP/2.0/UDP b;branch=y", "UDP", "a", "x"),
            ('SIP/2.0/UDP a;x="1, 2;3";branch=x,SIP/2.0/UDP b', "UDP", "a", "x"),
            ("SIP/2.0/UDP 821snom;branch", "UDP", "821snom", ""),
            ("SIP/2.0/UDP 192.0.2.4:0;branch=x", "UDP", "192.0.2.4:0", "x"),
        ],
        ids=repr,
    )  # fmt: skip
    def test_topmost_via(
        self, value: str, transport: str, sent_by: str, branch: str
    ) -> None:
        via = request(Via=value).via
        assert (via.transport, via.sent_by, via.branch) == (transport, sent_by, branch)

    @pytest.mark.parametrize(
        "value",
        [
            "",
            ",",
            "SIP/2.0/UDP",
            "SIP/2.0 h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/U<P h",
            "SIP/2.0/UDP h:port",
            "SIP/2.0/UDP h;a=1;a=2",
            'SIP/2.0/UDP h;a="1',
            "SIP/2.0/UDP 2001:db8::1",
        ],
        ids=repr,
    )
    def test_no_answer_is_possible_without_a_via(self, value: str) -> None:
        fault = refused(request_bytes(Via=value))
        assert fault.status == 400
        assert fault.via is None

    @pytest.mark.parametrize("version", ["3.0", "2", "x"])
    def test_a_via_of_another_version_is_refused_by_an_answer(
        self, version: str
    ) -> None:
        fault = refused(request_bytes(Via=f"SIP / {version} / UDP h;branch=x"))
        assert str(fault) == "400 Bad Request: the topmost Via is not SIP/2.0"
        assert str(fault.via) == f"SIP / {version} / UDP h;branch=x"

    @pytest.mark.parametrize(
        ("value", "seen"),
        [
            ("SIP/2.0/UDP 192.0.2.9;branch=x", "SIP/2.0/UDP 192.0.2.9;branch=x"),
            ("SIP/2.0/UDP h:5060;branch=x", "SIP/2.0/UDP h:5060;branch=x;received=192.0.2.9"),
            ("SIP/2.0/UDP 192.0.2.9;rport", "SIP/2.0/UDP 192.0.2.9;rport=3333;received=192.0.2.9"),
            ("SIP/2.0/UDP h;RPORT=1;branch=x", "SIP/2.0/UDP h;rport=3333;branch=x;received=192.0.2.9"),
            ("SIP/2.0/UDP h;received=evil", "SIP/2.0/UDP h;received=192.0.2.9"),
            ("SIP / 2.0 /udp  Host.TEST : 5060;branch=A", "SIP / 2.0 /udp  Host.TEST : 5060;branch=A;received=192.0.2.9"),
        ],
    )  # fmt: skip
    def test_where_a_request_was_seen_to_come_from(self, value: str, seen: str) -> None:
        """RFC 3261 18.2.1 and RFC 3581 4; the rest keeps its characters (8.2.6.2)."""
        assert str(request(Via=value).via.seen_from("192.0.2.9", 3333)) == seen

    def test_the_port_of_a_flow_without_one(self) -> None:
        """That of the connections of an edge."""
        via = request(Via="SIP/2.0/TLS 192.0.2.9:5061;rport;branch=x").via
        assert via.seen_from("192.0.2.9", 0) == f"{via};received=192.0.2.9"

    def test_ipv6_source(self) -> None:
        via = request(Via="SIP/2.0/UDP [2001:db8::1]:5060;branch=x").via
        assert via.seen_from("2001:db8::1", 5060) == str(via)
        # The interface means nothing to the peer.
        assert via.seen_from("fe80::1%eth0", 5060) == f"{via};received=fe80::1"


@pytest.mark.parametrize(("reason", "data"), FAULTS.items(), ids=list(FAULTS))
def test_400_names_the_fault(reason: str, data: bytes) -> None:
    fault = refused(data)
    assert str(fault) == f"400 Bad Request: {reason}"
    assert fault.request
    assert (fault.via is None) is (reason == "Via is missing")


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (request_bytes(version="SIP/7.0", Via="SIP/7.0/UDP h"), 505, "Version Not Supported"),
        (request_bytes(version="SIP/2.1", Via=None), 505, "Version Not Supported"),
        (request_bytes(uri="nobodyKnowsThisScheme:totallyopaque"), 416, "Unsupported URI Scheme"),
        (request_bytes(uri="soap.beep://192.0.2.103:3002"), 416, "Unsupported URI Scheme"),
    ],
    ids=["version 7", "version 2.1, no Via", "unknown scheme", "other scheme"],
)  # fmt: skip
def test_other_refusals(data: bytes, status: int, reason: str) -> None:
    fault = refused(data)
    assert (fault.status, fault.reason, fault.method) == (status, reason, "MESSAGE")
    # It can be answered, unless there is no Via.
    assert (fault.via is None) is (b"\r\nVia:" not in data)


def test_a_fault_can_be_kept_in_a_set() -> None:
    """Loggers and exception groups compare and hash exceptions."""
    assert len({refused(b"x"), refused(b"x")}) == 2


@pytest.mark.parametrize(
    "text",
    ["a<b>", "a\\b", 'a"b', "50%", "tab\t", "\udcff", "\x85", "\u2028", "a{b}[c]", "\r"],
    ids=repr,
)  # fmt: skip
def test_a_reason_quotes_only_what_a_reason_phrase_may_have(text: str) -> None:
    """RFC 3261 25.1: otherwise a phone might reject the response, or read a second line."""
    fault = refused(request_bytes("MESSAGE", f"{text} x: y"))
    quoted = fault.reason.removeprefix("Bad Request: ").removesuffix(
        " is not a header's name"
    )
    assert quoted.isprintable()
    assert not set(quoted) & set('"<>\\%{}[]\t\r\n')
    assert quoted[0] in "'?"


@pytest.mark.parametrize(
    "changes",
    [
        {"To": "x" * 9000 + " y"},
        {"To": "<sip:x@y>;" + "x " * 9000},
        {"To": "<sip:x@y>" + "x" * 9000},
        {"CSeq": "7 " + "X" * 9000},
        {"CSeq": "1" * 9000 + " MESSAGE"},
        {"X" * 9000 + " y": "z"},
    ],
    ids=lambda changes: next(iter(changes))[:10],
)
def test_a_reason_stays_short(changes: dict[str, str]) -> None:
    assert len(refused(request_bytes(**changes)).reason) < 120  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        b"garbage",
        b"garbage\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"MESSAGE sip:44@ha.test\r\n\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
        b" MESSAGE sip:44@ha.test SIP/2.0\r\n\r\n",
        b"x" * (MAX_MESSAGE + 1),
    ],
    ids=lambda data: repr(data[:30]),
)
def test_what_is_no_request_is_not_answered(data: bytes) -> None:
    assert not refused(data).request


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (response_bytes("SIP/7.0 200 OK"), "the version is not SIP/2.0"),
        (response_bytes("SIP/2.0 4294967301 better not break"), "the status is not between"),
        (response_bytes("SIP/2.0 99 Low"), "the status is not between"),
        (response_bytes("SIP/2.0 OK"), "the status 'x' is not a number"),
        (response_bytes("SIP/2.0"), "the status '' is not a number"),
        (response_bytes("SIP/2.0 200 OK\r"), "the reason phrase contains a control"),
        (response_bytes("SIP/2.0 200 OK", CSeq="7"), "CSeq names no method"),
        (response_bytes("SIP/2.0 200 OK", Call_ID=None), "Call-ID is missing"),
        (response_bytes("SIP/2.0 200 OK", Via="nonsense"), "the topmost Via is not"),
        (response_bytes("SIP/2.0 200 OK", "v: SIP/2.0/UDP other"), "more than one Via"),
        (response_bytes("SIP/2.0 200 OK", "Content-Length: 7"), "Content-Length says 7"),
        (response_bytes("SIP/2.0 200 OK", "nonsense"), "a line is not a header"),
    ],
)  # fmt: skip
def test_a_broken_response_is_never_answered(data: bytes, reason: str) -> None:
    """RFC 3261 8.1.3.3 and 18.3."""
    fault = refused(data)
    assert not fault.request
    assert reason in fault.reason


class TestBody:
    """RFC 3261 18.3 and 20.14."""

    @pytest.mark.parametrize(
        ("lines", "body"),
        [
            ([], b"k=1\r\nmore"),
            (["Content-Length: 9"], b"k=1\r\nmore"),
            (["Content-Length: 3"], b"k=1"),
            (["Content-Length: 0003"], b"k=1"),
            (["l: 3", "Content-Length: 3"], b"k=1"),
            (["Content-Length: 0"], b""),
        ],
        ids=repr,
    )
    def test_body_is_cut_to_its_length(self, lines: list[str], body: bytes) -> None:
        message = parse_datagram(request_bytes("MESSAGE", *lines, body=b"k=1\r\nmore"))
        assert isinstance(message, Request)
        assert message.body == body


@pytest.mark.parametrize("line", ["SIP/2.0 100 ", "SIP/2.0 100"], ids=repr)
def test_a_response_may_have_no_reason(line: str) -> None:
    assert response(response_bytes(line)).reason == ""


def test_a_flow_reads_well() -> None:
    assert str(Flow("UDP", "192.0.2.4", 2048)) == "udp 192.0.2.4:2048"
    assert str(Flow("UDP", "2001:db8::1", 2048)) == "udp [2001:db8::1]:2048"
