"""Refusals of a user agent server, one function a clause (RFC 3261 8.2)."""

from collections.abc import Sequence
from typing import NamedTuple

from .grammar import SipSyntaxError
from .message import Request

ALLOWED = ("INVITE", "ACK", "CANCEL", "OPTIONS", "MESSAGE", "REGISTER", "SUBSCRIBE")
SUPPORTED = ("buttons", "path")
PACKAGES = {
    "dialog": "application/dialog-info+xml",
    "message-summary": "application/simple-message-summary",
}
"""The event packages, and the media type of the documents of each (RFC 4235, RFC 3842)."""

# Where more may be required: the user agent judges an INVITE with Replaces (RFC 3891).
_SUPPORTED_IN = {"INVITE": (*SUPPORTED, "replaces")}
# Known methods that need a dialog of a call; there are no such dialogs (12.2.2).
_IN_DIALOG = frozenset({"BYE", "NOTIFY", "INFO", "UPDATE", "PRACK"})
# Known methods that create such a dialog, or take part in one if To has a tag.
_WITH_DIALOG = frozenset({"INVITE", "REFER"})
# Known methods that are not allowed, unless the user agent takes them (8.2.1).
_DISALLOWED = frozenset({"MESSAGE", "REFER", "PUBLISH", "REGISTER", "SUBSCRIBE"})

ALLOW_HEADER = ("Allow", ", ".join(ALLOWED))
ALLOW_EVENTS_HEADER = ("Allow-Events", ", ".join(PACKAGES))
SUPPORTED_HEADER = ("Supported", ", ".join(SUPPORTED))


class Answer(NamedTuple):
    """A final response: its status, the headers of its own, and its reason phrase."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    reason: str | None = None
    """None for the usual one."""


def refusal_of(request: Request, allowed: Sequence[str] = ALLOWED) -> Answer | None:
    """Return the refusal of a request by its head, None if there is no reason for one.

    `allowed` are the methods that the user agent takes.
    """
    try:
        for clause in _CLAUSES:
            refusal = clause(request, allowed)
            if refusal is not None:
                return refusal
    except SipSyntaxError:
        return Answer(400)
    return None


def _dialog(request: Request, allowed: Sequence[str]) -> Answer | None:
    """481: a request in a dialog that does not exist (12.2.2).

    MESSAGE is none: presses have a To tag without a dialog (LED Remote Control). The
    notifier knows the dialogs of SUBSCRIBE, and who takes NOTIFY knows its own; it may
    also take one outside a dialog, for `Event: check-sync`.
    """
    method = request.method
    if method == "NOTIFY":
        is_refused = method not in allowed
    elif request.to.tag:
        is_refused = method in _IN_DIALOG or method in _WITH_DIALOG
    else:
        is_refused = method in _IN_DIALOG and method not in allowed
    return Answer(481) if is_refused else None


def _method(request: Request, allowed: Sequence[str]) -> Answer | None:
    """405 for a known method that is not allowed (8.2.1), 501 for an unknown one."""
    if request.method in allowed:
        return None
    status = 405 if request.method in _DISALLOWED else 501
    return Answer(status, (("Allow", ", ".join(allowed)),))


def missing_extensions(request: Request) -> list[str]:
    """Return the extensions that a request requires and that are not supported.

    Raises SipSyntaxError.
    """
    required = request.headers.listed("Require")
    supported = _SUPPORTED_IN.get(request.method, SUPPORTED)
    return [option for option in required if option.lower() not in supported]


def _required_extensions(request: Request, _: Sequence[str]) -> Answer | None:
    """420: an unsupported extension is required (8.2.2.3)."""
    missing = missing_extensions(request)
    return unsupported(*missing) if missing else None


def unsupported(*options: str) -> Answer:
    """Return the refusal of a request that requires these extensions (8.2.2.3)."""
    return Answer(420, (("Unsupported", ", ".join(options)),))


def _replaces(request: Request, _: Sequence[str]) -> Answer | None:
    """400: Replaces occurs twice, or not in an INVITE (RFC 3891 3)."""
    allowed = 1 if request.method == "INVITE" else 0
    return Answer(400) if len(request.headers.lines("Replaces")) > allowed else None


_CLAUSES = (_dialog, _method, _required_extensions, _replaces)


def content_refusal(request: Request, accepted: Sequence[str]) -> Answer | None:
    """Return 415 for a body of another type or with an encoding, else None (8.2.3)."""
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
