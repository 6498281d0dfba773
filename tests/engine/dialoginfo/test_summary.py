"""Message summaries, read by the grammar of RFC 3842 5.2."""

from __future__ import annotations

import re

import pytest

from custom_components.snom_buttons.engine.dialoginfo import format_message_summary
from custom_components.snom_buttons.engine.xbuttons import MessageWaiting

ACCOUNT = "sip:44@ha.test"

# The productions of RFC 3842 5.2 and RFC 3458 6.2, case insensitive, and of RFC 3261 25.1.
HCOLON = "[ \t]*:[ \t]*"
SLASH = "[ \t]*/[ \t]*"
URI = r"[A-Za-z][A-Za-z0-9+.-]*:[\w;/?:@&=+$,.!~*'()%\[\]-]+"
COUNTS = rf"\d+{SLASH}\d+"
CONTEXT = "(?:voice|video|fax|pager|multimedia|text)-message|none"
MESSAGE_SUMMARY = re.compile(
    rf"Messages-Waiting{HCOLON}(?:yes|no)\r\n"
    rf"(?:Message-Account{HCOLON}{URI}\r\n)?"
    rf"(?:(?:{CONTEXT}){HCOLON}{COUNTS}(?:[ \t]*\([ \t]*{COUNTS}[ \t]*\))?\r\n)*"
    r"(?:\r\n(?:[\w-]+[ \t]*:[^\r\n]*\r\n)+)*",
    re.IGNORECASE,
)
EXAMPLE = (
    "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n"
    "Voice-Message: 4/8 (1/2)\r\n\r\n"
    "To: <alice@atlanta.example.com>\r\n"
)


def test_the_grammar_reads_the_example_of_the_rfc() -> None:
    assert MESSAGE_SUMMARY.fullmatch(EXAMPLE)
    assert not MESSAGE_SUMMARY.fullmatch(EXAMPLE.replace("yes", "maybe"))
    assert not MESSAGE_SUMMARY.fullmatch(EXAMPLE.replace("sip:al", "<sip:al"))


@pytest.mark.parametrize(
    ("is_waiting", "counts", "lines"),
    [
        (False, None, ["Messages-Waiting: no"]),
        (True, None, ["Messages-Waiting: yes"]),
        (
            True,
            MessageWaiting(2, 8),
            ["Messages-Waiting: yes", "Voice-Message: 2/8 (0/0)"],
        ),
        (
            False,
            MessageWaiting(-1, 2**40),
            ["Messages-Waiting: no", "Voice-Message: 0/4294967295 (0/0)"],
        ),
    ],
)
def test_summary(
    is_waiting: bool, counts: MessageWaiting | None, lines: list[str]
) -> None:
    summary = format_message_summary(ACCOUNT, is_waiting=is_waiting, counts=counts)
    lines.insert(1, f"Message-Account: {ACCOUNT}")
    assert summary.decode().split("\r\n") == [*lines, ""]
    assert MESSAGE_SUMMARY.fullmatch(summary.decode())


@pytest.mark.parametrize(
    "account", ["", "<sip:44@ha>", "sip:44@ha\r\nX: y", "sip:4 4@h"]
)
def test_what_is_no_account(account: str) -> None:
    with pytest.raises(ValueError, match="not a URI"):
        format_message_summary(account, is_waiting=True)
