"""For how long a REGISTER or a SUBSCRIBE lasts (RFC 3261 10.3 and 20.19, RFC 6665 4.2.1)."""

from .grammar import SipSyntaxError, parse_number
from .uas import Answer

MIN_EXPIRES = 60
"""Shortest interval in seconds; a shorter one is refused."""
MAX_EXPIRES = 3600
"""Longest interval in seconds, to which longer ones are cut; the default (10.2.1.1)."""


def interval_refusal(seconds: int) -> Answer | None:
    """Return 423 for an interval that is too brief. Zero seconds end what there is."""
    if 0 < seconds < MIN_EXPIRES:
        return Answer(423, (("Min-Expires", str(MIN_EXPIRES)),))
    return None


def parse_expires(value: str | None, default: int = MAX_EXPIRES) -> int:
    """Return an interval in seconds; a malformed one counts as 3600 (10.2.1.1)."""
    if value is None:
        return default
    try:
        return parse_number(value.strip(), "expiry", high=2**32 - 1)
    except SipSyntaxError:
        return MAX_EXPIRES
