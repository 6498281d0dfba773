"""A buttons document that a user writes."""

from typing import Final

from ..names import forbidden_in
from ..refused import Refused
from ..xbuttons import DocumentError, KeyDescription, format_document, parse_document

_LINE_ENDS: Final = str.maketrans("", "", "\r\n")


def read_document(document: bytes) -> list[KeyDescription]:
    """Return the keys that a document describes, each with its last description.

    Raises Refused for a document that cannot be read or written, or names no key.
    """
    try:
        shown = {each.name: each for each in parse_document(document)}
        format_document(shown.values())
    except DocumentError as err:
        raise Refused("invalid_document", error=str(err)) from err
    if not shown:
        raise Refused("empty_document")
    # Stricter than what a document may hold: a person types it.
    if found := forbidden_in(document.decode().translate(_LINE_ENDS)):
        error = f"the character U+{ord(found):04X} is not allowed"
        raise Refused("invalid_document", error=error)
    return list(shown.values())
