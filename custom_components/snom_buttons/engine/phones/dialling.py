"""The answers to calls of a phone: every call is refused or redirected."""

from dataclasses import dataclass
from enum import StrEnum
import re

from ..sip import SipSyntaxError, Uri, escape_user, parse_uri

NUMBER = "{number}"
"""The placeholder of the dialled number in the URI of another telephone system."""

# A user without a password (RFC 3261 25.1), the number somewhere in it.
_USER = r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})*"
_TEMPLATE = re.compile(
    rf"sips?:{_USER}{{number}}{_USER}@[^@{{}}]+".replace("{number}", r"\{number\}")
)


class DialAnswer(StrEnum):
    """The answer to a call."""

    BUSY = "busy"
    """486 Busy Here (RFC 3261 21.4.24)."""
    REDIRECT = "redirect"
    """302 Moved Temporarily (21.3.3); the phone calls another telephone system."""
    DECLINE = "decline"
    """603 Decline (21.6.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialling:
    """How calls of a phone are answered."""

    answer: DialAnswer = DialAnswer.BUSY
    redirect_to: str = ""
    """The target of `REDIRECT`, as `sip:{number}@192.0.2.7`."""
    own: frozenset[str] = frozenset()
    """Numbers that are not redirected, such as those of dial rules."""

    def answer_to(self, called: Uri | None) -> tuple[int, tuple[tuple[str, str], ...]]:
        """Return status and headers of the answer to a call.

        `called` is the Request-URI, None for one that is not to be redirected. No call
        is redirected to its own Request-URI (RFC 3261 8.3).
        """
        if self.answer is DialAnswer.DECLINE:
            return 603, ()
        if (
            self.answer is DialAnswer.REDIRECT
            and called is not None
            and called.user
            and called.user not in self.own
        ):
            target = redirection(self.redirect_to, called.user)
            if not target.is_equivalent(called):
                return 302, (("Contact", f"<{target}>"),)
        return 486, ()


def redirection(template: str, number: str) -> Uri:
    """Return the URI of a template for a number.

    Raises SipSyntaxError, a ValueError, unless it is a SIP URI with `{number}` in its user.
    """
    if not _TEMPLATE.fullmatch(template):
        raise SipSyntaxError(f"{template!r} is not like sip:{NUMBER}@192.0.2.7")
    target = parse_uri(template.replace(NUMBER, escape_user(number)))
    if target.port == 0:
        raise SipSyntaxError(f"{template!r} has a port to which nothing can be sent")
    return target
