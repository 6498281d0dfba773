"""What is checked of keys and documents before anything is shown on a phone.

Actions and MQTT take both. What is wrong is raised as Refused.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..engine.phones import (
    DocumentError,
    Key,
    KeyDescription,
    format_document,
    parse_document,
)
from ..engine.refused import Refused

if TYPE_CHECKING:
    from .phone import SnomPhone

type Shown = Mapping[str, KeyDescription]
"""What keys shall show, by name."""


def known_key(phone: SnomPhone, name: str) -> Key:
    """Return a key of a phone. Raises if there is none, or it is not ours to set."""
    return phone.phone.settable_key(name)


def read_document(document: bytes) -> Shown:
    """Return what a document says of each key. Raises for what is none, or is empty."""
    try:
        shown = {each.name: each for each in parse_document(document)}
        format_document(shown.values())
    except DocumentError as err:
        raise Refused("invalid_document", error=str(err)) from err
    if not shown:
        raise Refused("empty_document")
    return shown


def check_shown(phone: SnomPhone, shown: Shown) -> None:
    """Raise if a phone cannot show this."""
    phone.phone.check(shown.values())
