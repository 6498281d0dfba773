"""What a user agent server refuses before anyone looks at the request's content.

One function a clause of RFC 3261 8.2 (and RFC 6665 for events); `refusal_of` asks them
in the order of 8.2. Malformed messages never get here: `parser` refused them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .grammar import SipSyntaxError
from .message import Request

ALLOWED = ("INVITE", "ACK", "CANCEL", "OPTIONS", "MESSAGE", "REGISTER")
SUPPORTED = ("buttons", "path")

# Known methods that only make sense within a dialog, and we have none (12.2.2).
_IN_DIALOG = frozenset({"BYE", "NOTIFY", "INFO", "UPDATE", "PRACK"})
# Known methods that we do not allow (8.2.1).
_DISALLOWED = frozenset({"REFER", "PUBLISH"})

ALLOW_HEADER = ("Allow", ", ".join(ALLOWED))
SUPPORTED_HEADER = ("Supported", ", ".join(SUPPORTED))


class Answer(NamedTuple):
    """A final response: its status and the headers that belong to it."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    brief: tuple[tuple[str, str], ...] = ()
    """What a challenge has instead if it must not be long."""


def refusal_of(request: Request) -> Answer | None:
    """Return how to refuse a request, or None if it is to be handled."""
    try:
        for clause in (rfc6665_event, rfc3261_12_2_2, rfc3261_8_2_1, rfc3261_8_2_2_3):
            refusal = clause(request)
            if refusal is not None:
                return refusal
    except SipSyntaxError:
        return Answer(400)
    return None


def rfc6665_event(request: Request) -> Answer | None:
    """489: we have no event package to subscribe to (RFC 6665 4.2.1)."""
    if request.method == "SUBSCRIBE":
        return Answer(489)
    return None


def rfc3261_12_2_2(request: Request) -> Answer | None:
    """481: a request of a dialog that does not exist.

    MESSAGE is not one: the buttons document's presses carry a To tag without a dialog.
    """
    if request.method in _IN_DIALOG or (
        request.method in ("INVITE", "REFER") and request.to.tag
    ):
        return Answer(481)
    return None


def rfc3261_8_2_1(request: Request) -> Answer | None:
    """405 for a known method that is not allowed, 501 for an unknown one (21.5.2)."""
    if request.method in ALLOWED:
        return None
    if request.method in _DISALLOWED:
        return Answer(405, (ALLOW_HEADER,))
    return Answer(501, (ALLOW_HEADER,))


def rfc3261_8_2_2_3(request: Request) -> Answer | None:
    """420: an extension is required that we do not support."""
    required = request.headers.listed("Require")
    if not required:
        return None
    missing = [option for option in required if option.lower() not in SUPPORTED]
    if missing:
        return Answer(420, (("Unsupported", ", ".join(missing)),))
    return None


def content_refusal(request: Request, accepted: Sequence[str]) -> Answer | None:
    """415: a body of a type, or with an encoding, that we do not take."""
    try:
        codings = request.headers.listed("Content-Encoding")
    except SipSyntaxError:
        return Answer(400)
    encoded = [coding for coding in codings if coding.lower() != "identity"]
    if not encoded and request.media_type() in accepted:
        return None
    accept = ("Accept", ", ".join(accepted))
    if encoded:
        return Answer(415, (accept, ("Accept-Encoding", "identity")))
    return Answer(415, (accept,))
