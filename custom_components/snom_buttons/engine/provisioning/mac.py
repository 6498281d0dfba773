"""Hardware addresses of phones (MAC, IEEE 802), in the one form that is compared."""

import re
from typing import Final, NewType

Mac = NewType("Mac", str)
"""Twelve hexadecimal digits in upper case, such as `00041341A2B3`."""

SNOM: Final = "000413"
"""The first six digits of snom's phones."""

_WRITTEN: Final = re.compile(r"[0-9A-F]{2}(?:([:.-]?)[0-9A-F]{2})(?:\1[0-9A-F]{2}){4}")
_WITHIN: Final = re.compile(r"(?<![0-9A-Z])[0-9A-F]{12}(?![0-9A-Z])", re.IGNORECASE)


def read_mac(text: str) -> Mac | None:
    """Return an address written with or without `:`, `-` or `.`, None for other texts."""
    upper = text.strip().upper()
    if _WRITTEN.fullmatch(upper) is None:
        return None
    return Mac(re.sub("[:.-]", "", upper))


def find_mac(text: str) -> Mac | None:
    """Return the first twelve hexadecimal digits that stand alone, as in a User-Agent."""
    found = _WITHIN.search(text)
    return None if found is None else Mac(found[0].upper())


def is_snom(mac: Mac) -> bool:
    """Return whether an address is one of snom's."""
    return mac.startswith(SNOM)
