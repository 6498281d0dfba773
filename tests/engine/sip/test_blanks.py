"""Blanks around the separators of each header that is read (RFC 3261 25.1).

SLASH, EQUAL, LPAREN, RPAREN, COMMA, SEMI, COLON, RAQUOT and LAQUOT may have blanks, tabs
and folded lines around them; HCOLON has no line end before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from custom_components.snom_buttons.engine.phones import courier
from custom_components.snom_buttons.engine.sip import (
    Address,
    Request,
    is_stale,
    parse_address,
    parse_path,
)
from custom_components.snom_buttons.engine.sip.digest import (
    answer_challenge,
    parse_credentials,
)
from tests.support.messages import request, response, response_bytes

BLANKS = {
    "one": " ",
    "tab": "\t",
    "several": " \t  ",
    "folded": "\r\n ",
    "folded by a tab": " \r\n\t ",
}


def _meaning(address: Address) -> tuple[Any, ...]:
    return address.display_name, address.uri, address.parameters


def _contacts(message: Request) -> list[tuple[Any, ...]]:
    return [_meaning(parse_address(v)) for v in message.headers.listed("Contact")]


def _header(name: str) -> Callable[[Request], Any]:
    return lambda message: message.headers.get(name)


# Values by what is read of them; `_` stands for blanks that mean nothing.
VALUES: list[tuple[str, str, Callable[[Request], Any]]] = [
    (
        "Via",
        "SIP_/_2.0_/_UDP_ 192.0.2.4_:_5060_;_branch_=_z9hG4bKa_;_rport_",
        lambda message: message.via[1:],
    ),
    (
        "Via",
        "SIP_/_2.0_/_UDP _[2001:db8::1]_:_5060_;_received_=_2001:db8::1_,_SIP_/_2.0/_UDP _h",
        lambda message: (message.via[1:], message.forwarded),
    ),
    ("From", '_"44"_<sip:44@ha.test>_;_tag_=_x_;_a_=_"b;c"_', lambda m: _meaning(m.from_)),
    ("From", "_Anna_<sip:44@ha.test;lr>_;_tag_=_x_", lambda m: _meaning(m.from_)),
    ("To", "_sip:44@ha.test_;_tag_=_x_;_a_", lambda m: _meaning(m.to)),
    ("To", '_sip:44@ha.test_;_a_=_"<sip:55@h>"_;_tag_=_x_', lambda m: _meaning(m.to)),
    ("To", "_urn:service:sos_;_a_=_b_", lambda m: _meaning(m.to)),
    ("Call-ID", "_call-1@192.0.2.4_", lambda m: m.call_id),
    ("CSeq", "_7_ MESSAGE_", lambda m: m.cseq),
    ("Max-Forwards", "_70_", _header("Max-Forwards")),
    (
        "Contact",
        '_"a, b"_<sip:44@a>_;_expires_=_60_;_+sip.instance_=_"<urn:1>"_,_sip:b_;_q_=_1_,_<sip:c>_',
        _contacts,
    ),
    ("Expires", "_60_", _header("Expires")),
    ("Content-Length", "_0_", lambda m: m.body),
    ("Content-Type", "_application_/_x-buttons_;_charset_=_utf-8_", lambda m: m.media_type()),
    ("Content-Encoding", "_identity_,_gzip_", lambda m: m.headers.listed("Content-Encoding")),
    ("Require", "_buttons_,_path_", lambda m: m.headers.tokens("Require")),
    ("Supported", "_buttons_,_,_path_,_", lambda m: m.headers.tokens("Supported")),
    (
        "Path",
        "_<sip:edge.test;lr>_,_<sip:outer.test;lr>_",
        lambda m: parse_path(m.headers.listed("Path")),
    ),
    (
        "Authorization",
        '_Digest _username_=_"44"_,_realm_=_"a, b"_,_qop_=_auth_,_nc_=_00000001_',
        lambda m: parse_credentials(m.headers.lines("Authorization")[0]),
    ),
]  # fmt: skip


@pytest.mark.parametrize("blank", BLANKS.values(), ids=BLANKS)
@pytest.mark.parametrize(
    ("name", "value", "read"), VALUES, ids=[name for name, _, _ in VALUES]
)
def test_around_a_separator(
    name: str, value: str, read: Callable[[Request], Any], blank: str
) -> None:
    def with_blanks(between: str) -> Any:
        changes: dict[str, Any] = {name.replace("-", "_"): value.replace("_", between)}
        return read(request("MESSAGE", **changes))

    assert with_blanks(blank) == with_blanks("")


@pytest.mark.parametrize("before", ["", " ", "\t", " \t "], ids=repr)
@pytest.mark.parametrize("after", ["", *BLANKS.values()], ids=repr)
def test_around_the_colon_of_a_header(before: str, after: str) -> None:
    message = request("MESSAGE", f"c{before}:{after}application/x-buttons")
    assert message.media_type() == "application/x-buttons"


@pytest.mark.parametrize("blank", BLANKS.values(), ids=BLANKS)
def test_in_a_challenge(blank: str) -> None:
    value = 'Digest _realm_=_"a, b"_,_nonce_=_"n"_,_stale_=_TRUE_,_qop_=_"auth"_'

    def answered(between: str) -> str:
        line = f"WWW-Authenticate: {value.replace('_', between)}"
        challenge = response(response_bytes("SIP/2.0 401 Unauthorized", line))
        assert is_stale(challenge)
        credentials = answer_challenge(
            challenge.headers.lines("WWW-Authenticate"),
            username="44",
            password="x",
            method="MESSAGE",
            uri="sip:x",
        )
        assert credentials is not None
        return parse_credentials(credentials)["realm"]

    assert answered(blank) == answered("") == "a, b"


@pytest.mark.parametrize("blank", BLANKS.values(), ids=BLANKS)
def test_in_a_retry_after(blank: str) -> None:
    value = "_18_(in a meeting)_;_duration_=_5_".replace("_", blank)
    busy = response(response_bytes("SIP/2.0 503 Busy", f"Retry-After: {value}"))
    assert courier._retry_after(busy) == 18
