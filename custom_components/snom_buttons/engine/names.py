"""The rules for names, labels, numbers and extensions that a person types."""

from collections.abc import Container
from itertools import chain, count
import re
from typing import Final

MAX_NAME: Final = 64
"""Characters of a name that a dialogue accepts."""

USER_CHARACTERS: Final = r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]"
"""The characters that need no escape in the user part of a SIP URI (RFC 3261 25.1)."""
SIP_USER: Final = re.compile(USER_CHARACTERS + "{1,64}")
"""An extension, or the name of a key."""

_FORBIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, separators of lines and paragraphs, embeddings, overrides and
isolates of the writing direction (Unicode Annex 9), and surrogates."""


def forbidden_in(text: str) -> str | None:
    """Return the first character that no name may have, None without one."""
    found = _FORBIDDEN.search(text)
    return found and found[0]


def without_forbidden(text: str) -> str:
    """Return a name from elsewhere without the characters that no name may have."""
    return _FORBIDDEN.sub("", text).strip()


def distinct(name: str, names: Container[str]) -> str:
    """Return a name from elsewhere, cut to MAX_NAME, with a number if `names` has it."""
    name = without_forbidden(name)
    ends = chain([""], (f" {number}" for number in count(2)))
    candidates = (name[: MAX_NAME - len(end)].strip() + end for end in ends)
    return next(candidate for candidate in candidates if candidate not in names)
