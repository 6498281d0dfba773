"""The refusals of a user agent server (RFC 3261 8.2)."""

from __future__ import annotations

import pytest

from custom_components.snom_buttons.engine.sip import (
    ALLOW_EVENTS_HEADER,
    ALLOW_HEADER,
    SUPPORTED_HEADER,
    Answer,
    content_refusal,
)
from custom_components.snom_buttons.engine.sip.uas import refusal_of
from tests.support.messages import request

ALLOW = ("Allow", "INVITE, ACK, CANCEL, OPTIONS, MESSAGE, REGISTER, SUBSCRIBE")
TAGGED = "<sip:44@ha.test>;tag=x"


def test_what_we_say_of_ourselves() -> None:
    assert ALLOW_HEADER == ALLOW
    assert ALLOW_EVENTS_HEADER == ("Allow-Events", "dialog, message-summary")
    assert SUPPORTED_HEADER == ("Supported", "buttons, path")


@pytest.mark.parametrize(
    "method", ["INVITE", "OPTIONS", "MESSAGE", "REGISTER", "SUBSCRIBE"]
)
def test_these_methods_are_handled(method: str) -> None:
    assert refusal_of(request(method)) is None


@pytest.mark.parametrize("method", ["OPTIONS", "MESSAGE", "REGISTER", "SUBSCRIBE"])
def test_a_to_tag_is_no_reason_to_refuse_these(method: str) -> None:
    """Presses have one (LED Remote Control); the notifier knows those of SUBSCRIBE."""
    assert refusal_of(request(method, To=TAGGED)) is None


@pytest.mark.parametrize(
    ("method", "count", "is_refused"),
    [("INVITE", 1, False), ("INVITE", 2, True), ("OPTIONS", 1, True)],
)
def test_replaces_occurs_once_and_in_an_invite(
    method: str, count: int, is_refused: bool
) -> None:
    """RFC 3891 3."""
    lines = count * ["Replaces: 1;to-tag=a;from-tag=b"]
    refusal = Answer(400) if is_refused else None
    assert refusal_of(request(method, *lines)) == refusal


@pytest.mark.parametrize(
    ("method", "to", "answer"),
    [
        ("BYE", None, Answer(481)),
        ("BYE", TAGGED, Answer(481)),
        ("NOTIFY", None, Answer(481)),
        ("NOTIFY", TAGGED, Answer(481)),
        ("INFO", TAGGED, Answer(481)),
        ("UPDATE", TAGGED, Answer(481)),
        ("PRACK", TAGGED, Answer(481)),
        ("INVITE", TAGGED, Answer(481)),
        ("REFER", TAGGED, Answer(481)),
        ("REFER", None, Answer(405, (ALLOW,))),
        ("PUBLISH", None, Answer(405, (ALLOW,))),
        ("UNKNOWN", None, Answer(501, (ALLOW,))),
        ("register", None, Answer(501, (ALLOW,))),
        ("RE%47IST%45R", None, Answer(501, (ALLOW,))),
    ],
)
def test_these_are_refused(method: str, to: str | None, answer: Answer) -> None:
    changes = {"To": to} if to else {}
    assert refusal_of(request(method, **changes)) == answer


def test_a_user_agent_that_takes_notify() -> None:
    """It knows the dialogs of its subscriptions, and `check-sync` has none."""
    allowed = ("INVITE", "OPTIONS", "NOTIFY")
    assert refusal_of(request("NOTIFY"), allowed) is None
    assert refusal_of(request("NOTIFY", To=TAGGED), allowed) is None
    assert refusal_of(request("BYE"), allowed) == Answer(481)
    refused = Answer(405, (("Allow", "INVITE, OPTIONS, NOTIFY"),))
    for method in ("REGISTER", "SUBSCRIBE", "MESSAGE"):
        assert refusal_of(request(method), allowed) == refused


@pytest.mark.parametrize(
    ("lines", "unsupported"),
    [
        (["Require: foo"], "foo"),
        (["Require: buttons, foo", "require: 100rel"], "foo, 100rel"),
        (["Require: nothingSupportsThis, nothingSupportsThisEither"], "nothingSupportsThis, nothingSupportsThisEither"),
        (["Require: a;b <c>"], "a;b <c>"),
    ],
)  # fmt: skip
def test_extensions_that_are_required_and_not_supported(
    lines: list[str], unsupported: str
) -> None:
    """8.2.2.3; RFC 4475 3.3.5."""
    answer = refusal_of(request("OPTIONS", *lines))
    assert answer == Answer(420, (("Unsupported", unsupported),))


@pytest.mark.parametrize(
    "line",
    [
        "Require: buttons",
        "Require: BUTTONS",
        "Require: path",
        "Require:",
        "Proxy-Require: foo",
    ],
)
def test_extensions_that_are_supported_or_not_our_affair(line: str) -> None:
    assert refusal_of(request("OPTIONS", line)) is None


def test_a_call_may_require_replaces() -> None:
    """RFC 3891: whether it can be taken is for the user of the endpoint to say."""
    assert refusal_of(request("INVITE", "Require: Replaces")) is None
    refused = Answer(420, (("Unsupported", "replaces"),))
    assert refusal_of(request("MESSAGE", "Require: replaces")) == refused


def test_a_list_that_cannot_be_read() -> None:
    assert refusal_of(request("OPTIONS", 'Require: "a, b')) == Answer(400)
    encoded = request("MESSAGE", 'Content-Encoding: "a, b')
    assert content_refusal(encoded, ("text/plain",)) == Answer(400)


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["Content-Type: application/x-buttons"], None),
        (["c: Application/X-Buttons ; charset=utf-8"], None),
        (["c: text/plain"], None),
        (["c: application / x-buttons"], None),
        (["c:\ttext\t/\tplain\t;\tcharset = utf-8"], None),
        (["Content-Type:\r\n text\r\n /\r\n plain"], None),
        (["c: text/plain", "e: identity"], None),
        (["c: text/plain", "e: "], None),
        ([], (("Accept", "application/x-buttons, text/plain"),)),
        (["c: "], (("Accept", "application/x-buttons, text/plain"),)),
        (["c: application/sdp"], (("Accept", "application/x-buttons, text/plain"),)),
        (
            ["c: text/plain", "e: gzip"],
            (
                ("Accept", "application/x-buttons, text/plain"),
                ("Accept-Encoding", "identity"),
            ),
        ),
    ],
    ids=repr,
)
def test_bodies(lines: list[str], answer: tuple[tuple[str, str], ...] | None) -> None:
    """8.2.3: 415 names the accepted types."""
    refusal = content_refusal(
        request("MESSAGE", *lines), ("application/x-buttons", "text/plain")
    )
    assert refusal == (None if answer is None else Answer(415, answer))
