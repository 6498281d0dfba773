"""Encoded messages, and what a response copies from its request (RFC 3261 8.2.6)."""

from __future__ import annotations

import pytest

from custom_components.snom_buttons.engine.sip import (
    Headers,
    MalformedMessage,
    Request,
    parse_datagram,
)
from custom_components.snom_buttons.engine.sip.message import encode, encode_response
from custom_components.snom_buttons.engine.sip.parser import _via_or_none
from tests.support.messages import lines_of, request, request_bytes, response, values_of

HOST, PORT = "192.0.2.9", 3333


def answered(message: Request, status: int = 200, to_tag: str | None = "ours") -> bytes:
    """Return the response to a request from HOST and PORT."""
    via = message.via.seen_from(HOST, PORT)
    return encode_response(message.headers, via, status, to_tag=to_tag)


class TestHeaders:
    def test_values_keep_their_order_within_a_name(self) -> None:
        headers = Headers()
        assert headers.read(["via: a", "From: b", "v: c"]) == ""
        assert headers.lines("VIA") == ["a", "c"]
        assert headers.get("f") == "b"

    def test_absent(self) -> None:
        assert Headers().get("Contact") is None
        assert Headers().lines("Contact") == []
        assert "Contact" not in Headers()

    def test_empty_value_is_not_absent(self) -> None:
        headers = Headers()
        assert headers.read(["Subject:"]) == ""
        assert headers.get("Subject") == ""
        assert "subject" in headers
        assert headers.listed("Subject") == []


class TestEncode:
    def test_bytes(self) -> None:
        data = encode("SIP/2.0 200 OK", [("X", "1"), ("X", "2")], b"k=1")
        assert data == b"SIP/2.0 200 OK\r\nX: 1\r\nX: 2\r\nContent-Length: 3\r\n\r\nk=1"

    def test_length_counts_bytes(self) -> None:
        assert b"Content-Length: 2\r\n" in encode("X", [], "ü".encode())

    def test_broken_utf8_goes_out_as_it_came(self) -> None:
        assert encode("X", [("Y", "\udcff")], b"").startswith(b"X\r\nY: \xff\r\n")

    @pytest.mark.parametrize(
        ("start", "name", "value"),
        [
            ("SIP/2.0 200 OK\r\nEvil: 1", "X", "y"),
            ("SIP/2.0 200 OK", "X", "y\r\nEvil: 1"),
            ("SIP/2.0 200 OK", "X", "y\nEvil: 1"),
            ("SIP/2.0 200 OK", "X", "y\rEvil: 1"),
            ("SIP/2.0 200 OK", "X\r\nEvil", "y"),
        ],
    )
    def test_a_header_with_a_line_end_is_not_sent(
        self, start: str, name: str, value: str
    ) -> None:
        with pytest.raises(ValueError, match="line end"):
            encode(start, [(name, value)], b"")


class TestResponse:
    def test_repeats_via_from_call_id_and_cseq(self) -> None:
        data = answered(request())
        assert lines_of(data) == [
            "SIP/2.0 200 OK",
            "Via: SIP/2.0/UDP 192.0.2.4:2048;branch=z9hG4bKa1;rport=3333;received=192.0.2.9",
            'From: "44" <sip:44@ha.test>;tag=from1',
            "To: <sip:44@ha.test>;tag=ours",
            "Call-ID: call-1@192.0.2.4",
            "CSeq: 7 MESSAGE",
            "Content-Length: 0",
        ]

    def test_own_headers_and_reason_follow(self) -> None:
        message = request()
        data = encode_response(
            message.headers,
            message.via,
            403,
            reason="Not Here",
            headers=[("Allow", "MESSAGE")],
        )
        assert lines_of(data)[0] == "SIP/2.0 403 Not Here"
        assert lines_of(data)[-2:] == ["Allow: MESSAGE", "Content-Length: 0"]
        assert data.endswith(b"0\r\n\r\n")

    @pytest.mark.parametrize(
        ("status", "reason"),
        [
            (401, "Unauthorized"),
            (403, "Forbidden"),
            (404, "Not Found"),
            (405, "Method Not Allowed"),
            (415, "Unsupported Media Type"),
            (420, "Bad Extension"),
            (423, "Interval Too Brief"),
            (481, "Call/Transaction Does Not Exist"),
            (486, "Busy Here"),
            (500, "Server Internal Error"),
            (501, "Not Implemented"),
        ],
    )
    def test_usual_reasons(self, status: int, reason: str) -> None:
        """RFC 3261 21."""
        assert lines_of(answered(request(), status))[0] == f"SIP/2.0 {status} {reason}"

    @pytest.mark.parametrize(
        ("top", "more", "echoed"),
        [
            ("SIP/2.0/UDP a", [], ["SIP/2.0/UDP a;received=192.0.2.9"]),
            (
                "SIP/2.0/UDP a, SIP/2.0/TCP b , SIP/2.0/UDP c",
                [],
                ["SIP/2.0/UDP a;received=192.0.2.9, SIP/2.0/TCP b , SIP/2.0/UDP c"],
            ),
            (
                "SIP/2.0/UDP a",
                ["Via: SIP/2.0/TCP b, SIP/2.0/UDP c", "v: SIP/2.0/UDP d"],
                [
                    "SIP/2.0/UDP a;received=192.0.2.9",
                    "SIP/2.0/TCP b, SIP/2.0/UDP c",
                    "SIP/2.0/UDP d",
                ],
            ),
            (
                'SIP/2.0/UDP a;x="1, 2", SIP/2.0/UDP b',
                [],
                ['SIP/2.0/UDP a;x="1, 2";received=192.0.2.9, SIP/2.0/UDP b'],
            ),
            ("SIP/2.0/UDP a ,", [], ["SIP/2.0/UDP a;received=192.0.2.9"]),
        ],
    )
    def test_every_via_comes_back(
        self, top: str, more: list[str], echoed: list[str]
    ) -> None:
        """RFC 3261 8.2.6.2: the same values in the same order."""
        assert values_of(answered(request("MESSAGE", *more, Via=top)), "Via") == echoed

    @pytest.mark.parametrize(
        ("recipient", "tagged"),
        [
            ("<sip:44@ha.test>", "<sip:44@ha.test>;tag=ours"),
            ("sip:44@ha.test", "sip:44@ha.test;tag=ours"),
            ("1004@192.168.0.11", "1004@192.168.0.11;tag=ours"),
            ('"a>b" <sip:x@y>', '"a>b" <sip:x@y>;tag=ours'),
            ('"x;tag=1" <sip:x@y>', '"x;tag=1" <sip:x@y>;tag=ours'),
            ("<sip:x@y;tag=1>", "<sip:x@y;tag=1>;tag=ours"),
            ("<sip:x@y>;mytag=1", "<sip:x@y>;mytag=1;tag=ours"),
            ('<sip:x@y>;a=";tag=1"', '<sip:x@y>;a=";tag=1";tag=ours'),
            ("<sip:x@y>;tag=1", "<sip:x@y>;tag=1"),
            ("<sip:x@y> ; TAG = 1", "<sip:x@y> ; TAG = 1"),
            ('<sip:x@y>;tag=1;a="b>c"', '<sip:x@y>;tag=1;a="b>c"'),
            ("sip:x@y;tag=1", "sip:x@y;tag=1"),
            ("<sip:x@y>;tag", "<sip:x@y>;tag"),
        ],
    )
    def test_to_gets_a_tag_once(self, recipient: str, tagged: str) -> None:
        """RFC 3261 8.2.6.2."""
        assert values_of(answered(request(To=recipient)), "To") == [tagged]

    def test_100_has_no_tag_of_ours_and_repeats_the_timestamp(self) -> None:
        """RFC 3261 8.2.6.1."""
        message = request("MESSAGE", "Timestamp: 54")
        data = answered(message, 100, to_tag=None)
        assert values_of(data, "To") == ["<sip:44@ha.test>"]
        assert values_of(data, "Timestamp") == ["54"]
        assert values_of(answered(message), "Timestamp") == []

    def test_broken_utf8_comes_back_byte_for_byte(self) -> None:
        message = request(From='"B\udcfcro" <sip:44@ha.test>;tag=1')
        assert b'From: "B\xfcro" <sip:44@ha.test>;tag=1\r\n' in answered(message)

    def test_it_can_be_read(self) -> None:
        message = response(answered(request(), 486))
        assert (message.status, message.reason) == (486, "Busy Here")
        assert message.to.tag == "ours"
        assert message.via.parameters == {
            "branch": "z9hG4bKa1",
            "rport": str(PORT),
            "received": HOST,
        }


class TestResponseToAMalformedRequest:
    """The response has the headers that the request has (RFC 3261 8.2.6.2)."""

    @staticmethod
    def answered(data: bytes) -> bytes:
        with pytest.raises(MalformedMessage) as caught:
            parse_datagram(data)
        fault = caught.value
        assert fault.via is not None
        return encode_response(
            fault.headers, fault.via, fault.status, reason=fault.reason, to_tag="ours"
        )

    def test_what_it_does_not_have_is_left_out(self) -> None:
        data = self.answered(request_bytes(From=None, To=None, Call_ID=None, CSeq=None))
        assert [line.partition(":")[0] for line in lines_of(data)] == [
            "SIP/2.0 400 Bad Request",
            "Via",
            "Content-Length",
        ]

    def test_of_a_doubled_header_only_the_first_comes_back(self) -> None:
        data = self.answered(
            request_bytes("MESSAGE", "f: <sip:x@y>;tag=2", "CSeq: 8 MESSAGE")
        )
        assert values_of(data, "From") == ['"44" <sip:44@ha.test>;tag=from1']
        assert values_of(data, "CSeq") == ["7 MESSAGE"]

    def test_a_to_that_cannot_be_read_comes_back_as_it_is(self) -> None:
        broken = '"Mr. J. User <sip:x@y>'
        assert values_of(self.answered(request_bytes(To=broken)), "To") == [broken]

    def test_a_control_character_comes_back_as_a_blank(self) -> None:
        """Some parsers accept a bare CR as a line end."""
        data = self.answered(
            request_bytes(From="<sip:x@y>\rEvil: 1", Call_ID="a\x00b\x7fc\td")
        )
        assert values_of(data, "From") == ["<sip:x@y> Evil: 1"]
        assert values_of(data, "Call-ID") == ["a b c\td"]

    def test_of_nothing_nothing_comes_back(self) -> None:
        assert _via_or_none(Headers()) is None
        data = encode_response(Headers(), request().via, 400, to_tag="ours")
        assert lines_of(data) == ["SIP/2.0 400 Bad Request", "Content-Length: 0"]
