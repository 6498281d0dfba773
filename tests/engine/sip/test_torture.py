"""The torture messages of RFC 4475 and RFC 5118: what becomes of each.

RFC 4475 has 50: one of its 49 datagrams has two. A verdict without a comment is the one
of the RFC's section. "Could" and "should" in a comment are the RFC's words.
"""

from __future__ import annotations

import asyncio
import re
from typing import NamedTuple
from urllib.parse import quote, unquote

import pytest

from custom_components.snom_buttons.engine.phones import KeyPress, Phone, PhoneServer
from custom_components.snom_buttons.engine.sip import (
    MalformedMessage,
    Request,
    Response,
    parse_datagram,
)
from tests.support import streams
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone
from tests.support.registration import Stack
from tests.support.serving import PASSWORD, phone_setup, raw_phone, serving, setup
from tests.support.streams import Contexts, jumping
from tests.support.torture import RFC_4475, RFC_5118, UNFINISHED

MESSAGES = RFC_4475 | RFC_5118
TCP = Contexts(None, None)


class Verdict(NamedTuple):
    """What becomes of a message from a registered phone."""

    parsed: str
    """Its method or status, or the fault for which the parser refuses it."""
    answers: str
    """The statuses of the answers: after 401 it is sent again with credentials."""
    by_tcp: str | None = None
    """The same by TCP, if it is not the same."""


VERDICTS = {
    # 3.1.1: valid messages
    "wsinv": Verdict("INVITE", "401 481"),  # came through a proxy, and has a To tag
    # Stricter than the RFC, for which it is valid and gets 501: a control character
    # could change how a log looks.
    "intmeth": Verdict("400 Bad Request: To contains a control character", "400"),
    "esc01": Verdict("INVITE", "486"),
    "escnull": Verdict("REGISTER", "401 403"),  # no extension has a NUL
    "esc02": Verdict("RE%47IST%45R", "501"),
    "lwsdisp": Verdict("OPTIONS", "200"),
    "longreq": Verdict("INVITE", "401 486"),
    # The second message is no part of a datagram (18.3). On a stream its body is longer
    # than its Content-Length, so that no third message can begin.
    "dblreq": Verdict("REGISTER", "401 200", "closed"),
    "semiuri": Verdict("OPTIONS", "200"),
    "transports": Verdict("OPTIONS", "401 200"),
    "mpart01": Verdict("MESSAGE", "415"),
    "unreason": Verdict("200", ""),
    "noreason": Verdict("100", ""),
    # 3.1.2: invalid messages
    # More liberal than the RFC, by which it should get 400: an empty parameter means
    # nothing, and what follows is for a proxy.
    "badinv01": Verdict("INVITE", "401 486"),
    "clerr": Verdict("400 Bad Request: Content-Length says 9999, but 154 bytes arrived", "400", "closed"),
    "ncl": Verdict("400 Bad Request: the Content-Length 'x' is not a number", "400", "closed"),
    "scalar02": Verdict("400 Bad Request: the CSeq 'x' is not a number", "400"),
    "scalarlg": Verdict("400 Bad Request: the CSeq 'x' is not a number", ""),
    "quotbal": Verdict("400 Bad Request: a quoted string is not closed", "400"),
    # The brackets and blanks of the next four could be ignored.
    "ltgtruri": Verdict("400 Bad Request: '?x:x@x?' has characters that no URI may have", "400"),
    "lwsruri": Verdict("400 Bad Request: 'x:x@x; x' has characters that no URI may have", "400"),
    "lwsstart": Verdict("400 Bad Request: ' x:x@x ' has characters that no URI may have", "400"),
    "trws": Verdict("400 Bad Request: blanks follow the request line", "400"),
    # Liberal, as the RFC allows for the next four: what is wrong is ignored.
    "escruri": Verdict("INVITE", "486"),
    "baddate": Verdict("INVITE", "486"),
    "regbadct": Verdict("REGISTER", "401 400"),  # this one is refused
    "badaspec": Verdict("OPTIONS", "200"),
    "baddn": Verdict("OPTIONS", "200"),
    "badvers": Verdict("505 Version Not Supported", "505"),
    "mismatch01": Verdict("400 Bad Request: CSeq and the request name different methods", "400"),
    # 501 would do as well.
    "mismatch02": Verdict("400 Bad Request: CSeq and the request name different methods", "400"),
    "bigcode": Verdict("400 Bad Request: the status is not between 100 and 699", ""),
    # 3.2: the transaction layer
    "badbranch": Verdict("OPTIONS", "200"),  # matched as RFC 2543 has it; could get 400
    # 3.3: the application layer
    "insuf": Verdict("400 Bad Request: From is missing", "400"),
    "unkscm": Verdict("416 Unsupported URI Scheme", "416"),
    "novelsc": Verdict("416 Unsupported URI Scheme", "416"),
    "unksm2": Verdict("REGISTER", "401 400"),
    "bext01": Verdict("OPTIONS", "420"),
    # Not the RFC's 415: a call is refused whatever it offers, so that a press is not
    # lost by its body.
    "invut": Verdict("INVITE", "486"),
    "regaut01": Verdict("REGISTER", "401 200"),
    "multi01": Verdict("400 Bad Request: CSeq occurs twice", "400"),
    "mcl01": Verdict("400 Bad Request: there are two different Content-Lengths", "400", "closed"),
    "bcast": Verdict("400 Bad Request: a response has more than one Via", ""),
    "zeromf": Verdict("OPTIONS", "200"),
    "cparam01": Verdict("REGISTER", "401 200"),
    "cparam02": Verdict("REGISTER", "401 200"),
    "regescrt": Verdict("REGISTER", "401 200"),
    # An answer without a body needs no Accept; could get 406 or 400.
    "sdp01": Verdict("INVITE", "486"),
    # 3.4: backward compatibility
    "inv2543": Verdict("INVITE", "486", "closed"),  # a stream needs a Content-Length
    # RFC 5118
    "ipv6-good": Verdict("REGISTER", "401 200"),
    "ipv6-bad": Verdict("400 Bad Request: the port 'x::x' is not a number", "400"),
    "port-ambiguous": Verdict("REGISTER", "401 200"),
    "port-unambiguous": Verdict("REGISTER", "401 200"),
    "via-received-param-with-delim": Verdict("BYE", "481"),
    "via-received-param-no-delim": Verdict("OPTIONS", "200"),
    # The RFC means a valid message, but its Content-Length is wrong; mended below.
    "ipv6-in-sdp": Verdict("400 Bad Request: Content-Length says 268, but 251 bytes arrived", "400", "closed"),
    "mult-ip-in-header": Verdict("BYE", "401 481"),
    "mult-ip-in-sdp": Verdict("INVITE", "486"),
    "ipv4-mapped-ipv6": Verdict("INVITE", "401 486"),
    "ipv6-bug-abnf-3-colons": Verdict("OPTIONS", "200"),
    "ipv6-correct-abnf-2-colons": Verdict("OPTIONS", "200"),
}  # fmt: skip


def test_each_message_has_a_verdict() -> None:
    assert list(VERDICTS) == list(MESSAGES)
    assert (len(RFC_4475), len(RFC_5118)) == (49, 12)


def parse(data: bytes) -> Request | Response | MalformedMessage:
    try:
        message = parse_datagram(data)
    except MalformedMessage as fault:
        return fault
    assert message is not None
    return message


def request_of(name: str) -> Request:
    message = parse_datagram(MESSAGES[name])
    assert isinstance(message, Request)
    return message


class TestParser:
    """The typed values of a message, or its fault."""

    def test_a_body_with_addresses_of_ipv6(self) -> None:
        """RFC 5118 4.6, with the right Content-Length."""
        message = parse(MESSAGES["ipv6-in-sdp"].replace(b"268", b"251"))
        assert isinstance(message, Request)
        assert message.uri.host == "[2001:db8::10]"
        assert message.body.endswith(b"H263-1998/90000\r\n")

    @pytest.mark.parametrize("name", UNFINISHED)
    def test_the_archived_message_has_no_end(self, name: str) -> None:
        fault = parse(MESSAGES[name].removesuffix(b"\r\n"))
        assert "no empty line ends the headers" in str(fault)

    @pytest.mark.parametrize("name", MESSAGES)
    def test_verdict(self, name: str) -> None:
        match parse(MESSAGES[name]):
            case Request(method=method):
                assert method == VERDICTS[name].parsed
            case Response(status=status):
                assert f"{status}" == VERDICTS[name].parsed
            case fault:
                assert str(fault) == VERDICTS[name].parsed
                assert fault.request is bool(VERDICTS[name].answers)
                assert fault.via is not None

    @pytest.mark.parametrize(
        ("name", "sender", "recipient", "branch"),
        [
            ("wsinv", ("jdrosen", "98asjd8"), ("vivekg", "1918181833n"), "390skdjuw"),
            ("esc01", ("I have spaces", "938"), ("user", None), "z9hG4bKkdjuw"),
            ("escnull", ("null-\0-null", "839923423"), ("null-\0-null", None), "z9hG4bKkdjuw"),
            ("esc02", ("resource", "f232jadfj23"), ("resource", None), "z9hG4bK209%fzsnel234"),
            ("lwsdisp", ("caller", "323"), ("user", None), "z9hG4bKkdjuw"),
            ("transports", ("caller", "323"), ("user", None), "z9hG4bKkdjuw"),
            ("badaspec", ("a.g.bell", "433423"), ("t.watson", None), "z9hG4bKkdju43234"),
            ("baddn", ("a.g.bell", "43"), ("t.watson", None), "z9hG4bKkdjuw"),
            ("badbranch", ("caller", "33242"), ("user", None), "z9hG4bK"),
            ("unksm2", (None, "3234233"), (None, None), "z9hG4bKkdjuw"),
            ("inv2543", ("+13035551111", None), ("+16505552222", None), ""),
            ("mult-ip-in-header", ("user", "81x2"), ("user", "9817--94"), "z9hG4bKas3-111"),
        ],
    )  # fmt: skip
    def test_who_sends_to_whom(
        self,
        name: str,
        sender: tuple[str | None, str | None],
        recipient: tuple[str | None, str | None],
        branch: str,
    ) -> None:
        message = request_of(name)
        assert (message.from_.uri.user, message.from_.tag) == sender
        assert (message.to.uri.user, message.to.tag) == recipient
        assert message.via.branch == branch

    def test_what_is_folded(self) -> None:
        message = request_of("wsinv")
        assert message.from_.display_name == 'J Rosenberg \\"'
        assert (message.cseq.number, message.headers.get("Subject")) == (9, "")
        assert message.via.sent_by == "192.0.2.2"
        assert len(message.headers.listed("Via")) == 3
        assert len(message.body) == 150

    def test_any_character_but_control_characters(self) -> None:
        """Those of `intmeth`."""
        data = re.sub(rb"\\[\x00-\x1f\x7f]", b"", MESSAGES["intmeth"])
        message = parse_datagram(data)
        assert isinstance(message, Request)
        assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
        assert message.uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
        assert message.from_.tag == "_token~1'+`*%!-."
        assert "работающий" in message.from_.parameter_text

    @pytest.mark.parametrize(
        ("name", "user", "host", "port"),
        [
            ("esc01", "sips:user@example.com", "example.net", None),
            ("semiuri", "user;par=u@example.net", "example.com", None),
            ("escruri", "user", "example.com", None),
            ("ipv6-good", None, "[2001:db8::10]", None),
            ("port-ambiguous", None, "[2001:db8::10:5070]", None),
            ("port-unambiguous", None, "[2001:db8::10]", 5070),
            ("ipv6-bug-abnf-3-colons", "user", "[2001:db8:::192.0.2.1]", None),
            ("ipv6-correct-abnf-2-colons", "user", "[2001:db8::192.0.2.1]", None),
        ],
    )
    def test_request_uri(
        self, name: str, user: str | None, host: str, port: int | None
    ) -> None:
        uri = request_of(name).uri
        assert (uri.user, uri.host, uri.port) == (user, host, port)

    def test_the_two_spellings_of_an_address_are_one(self) -> None:
        """RFC 5118 4.10."""
        bug, correct = (
            request_of(f"ipv6-{name}").uri
            for name in ("bug-abnf-3-colons", "correct-abnf-2-colons")
        )
        assert bug.is_equivalent(correct)

    @pytest.mark.parametrize("delimiters", ["with-delim", "no-delim"])
    def test_received_with_and_without_brackets(self, delimiters: str) -> None:
        """RFC 5118 4.5; the answer has the address from which the request came."""
        via = request_of(f"via-received-param-{delimiters}").via
        assert (via.parameters["received"] or "").strip("[]") == "2001:db8::9:255"
        seen = via.seen_from("2001:db8::7", 5060)
        assert seen.endswith(";received=2001:db8::7")

    def test_reasons(self) -> None:
        for name, reason in (
            ("unreason", "= 2**3 * 5**2 но сто девяносто девять - простое"),
            ("noreason", ""),
        ):
            message = parse_datagram(MESSAGES[name])
            assert isinstance(message, Response)
            assert message.reason == reason


@pytest.mark.parametrize(
    ("name", "contact", "target"),
    [
        (
            "cparam01",
            "sip:+19725552222@gw1.example.net;unknownparam",
            "sip:+19725552222@gw1.example.net",
        ),
        (
            "cparam02",
            "<sip:+19725552222@gw1.example.net;unknownparam>",
            "sip:+19725552222@gw1.example.net;unknownparam",
        ),
        (
            "regescrt",
            "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>",
            "sip:user@example.com",
        ),
        ("port-ambiguous", '"Caller" <sip:caller@[2001:db8::1]>', None),
    ],
)
def test_what_is_bound(
    stack: Stack, name: str, contact: str, target: str | None
) -> None:
    """The Contact comes back unchanged; requests go to its URI without headers."""
    message = request_of(name)
    answer = stack.register(*message.headers.listed("Contact"))
    assert ("Contact", f"{contact};expires=3600") in answer.headers
    (binding,) = stack.location.bindings("44")
    assert str(binding.contact.uri.target) == (target or "sip:caller@[2001:db8::1]")


# On the wire


def sender_of(data: bytes) -> str:
    """Return the user that has to register: that of To for a REGISTER, else of From."""
    name = rb"(?:To|t)" if data.startswith(b"REGISTER") else rb"(?:From|f)"
    line = re.search(rb"(?im)^" + name + rb"\s*:.*?sips?:([^@>;\r]+)@", data)
    user = unquote(line[1].decode()) if line else "44"
    return user if user.isprintable() else "44"


def phone_of(data: bytes) -> Phone:
    return Phone(phone_setup(sender_of(data), [setup("1")]))


def set_user(phone: RawPhone, user: str) -> None:
    """Set the user of a phone, which may need escapes in a URI."""
    phone.username, phone.extension = user, quote(user)


async def answers_to(phone: RawPhone, data: bytes, server: PhoneServer) -> str:
    """Return the statuses of the answers, when the phone's next press has counted."""
    pressed: asyncio.Queue[KeyPress] = asyncio.Queue()
    server.pressed.subscribe(pressed.put_nowait)
    await phone.register()
    statuses = await phone.answers_to(data, PASSWORD)
    assert (await asyncio.wait_for(pressed.get(), PATIENCE)).key == "1"
    return " ".join(map(str, statuses))


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.usefixtures("socket_enabled")
async def test_from_a_registered_phone(name: str) -> None:
    data = MESSAGES[name]
    phone = phone_of(data)
    async with serving(phone) as server, raw_phone(server) as desk:
        set_user(desk, phone.extension)
        assert await answers_to(desk, data, server) == VERDICTS[name].answers


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.usefixtures("socket_enabled")
@jumping
async def test_from_a_registered_phone_by_tcp(name: str) -> None:
    data = MESSAGES[name]
    phone = phone_of(data)
    verdict = VERDICTS[name].by_tcp or VERDICTS[name].answers
    async with (
        streams.serving(TCP, phone) as server,
        streams.raw_phone(server, TCP) as desk,
    ):
        set_user(desk, phone.extension)
        if verdict != "closed":
            assert await answers_to(desk, data, server) == verdict
            return
        await desk.register()
        desk._transport.sendto(data, desk.next_hop)
        await desk.until(lambda: not desk.is_connected)
