"""What a phone hears when somebody dials on its identity with us.

No call is ever taken here: a phone is told that nobody answers, or where else to call.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..sip import SipSyntaxError, escape_user, parse_uri

NUMBER = "{number}"
"""What stands for the dialled number in the URI of another telephone system."""


class DialAnswer(StrEnum):
    """How a call is turned away."""

    BUSY = "busy"
    """486 Busy Here (RFC 3261 21.4.24)."""
    REDIRECT = "redirect"
    """302 Moved Temporarily (21.3.3): the phone calls another telephone system."""
    DECLINE = "decline"
    """603 Decline (21.6.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialling:
    """How the calls of one phone are answered."""

    answer: DialAnswer = DialAnswer.BUSY
    redirect_to: str = ""
    """Where to with `REDIRECT`, as in `sip:{number}@192.0.2.7`."""
    own: frozenset[str] = frozenset()
    """Numbers that mean something here: no other telephone system is told of them."""

    def answer_to(self, number: str) -> tuple[int, tuple[tuple[str, str], ...]]:
        """Return the status, and the headers that go with it."""
        match self.answer:
            case DialAnswer.REDIRECT if number and number not in self.own:
                return 302, (("Contact", f"<{redirection(self.redirect_to, number)}>"),)
            case DialAnswer.DECLINE:
                return 603, ()
            case _:
                return 486, ()


def redirection(template: str, number: str) -> str:
    """Return the URI that a template stands for.

    Raises SipSyntaxError, a ValueError, if it is no SIP URI with a `{number}` as user.
    """
    scheme, _, rest = template.partition(":")
    user, _, host = rest.partition("@")
    if (
        scheme not in ("sip", "sips")
        or NUMBER not in user
        or not host
        or not {"@", "{"}.isdisjoint(host)
    ):
        raise SipSyntaxError(f"{template!r} is not like sip:{NUMBER}@192.0.2.7")
    return str(parse_uri(template.replace(NUMBER, escape_user(number))))
