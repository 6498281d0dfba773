"""A buttons document that a user writes."""

from ..refused import Refused
from ..xbuttons import DocumentError, KeyDescription, format_document, parse_document


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
    return list(shown.values())
