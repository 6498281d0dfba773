"""A buttons document that a user writes."""

import re

from ..names import forbidden_in
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
        raise Refused(err.fault, **err.placeholders) from err
    if not shown:
        raise Refused("empty_document")
    # Stricter than what a document may hold: a person types it.
    for number, line in enumerate(re.split("\r\n|\r|\n", document.decode()), 1):
        if found := forbidden_in(line):
            raise Refused(
                "document_bad_character",
                line=str(number),
                character=f"U+{ord(found):04X}",
            )
    return list(shown.values())
