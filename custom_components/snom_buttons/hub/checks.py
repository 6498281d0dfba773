"""What is checked of keys and documents before anything is shown on a phone.

Actions and MQTT take both. What is wrong is raised as Refused.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..engine.phones import (
    MAX_OTHER_KEYS,
    DocumentError,
    Key,
    KeyDescription,
    TooManyKeys,
    format_document,
    parse_document,
)
from ..engine.refused import Refused, quoted

if TYPE_CHECKING:
    from .phone import SnomPhone

type Shown = Mapping[str, KeyDescription]
"""What keys shall show, by name."""


def known_key(phone: SnomPhone, name: str) -> Key:
    """Return a key of a phone. Raises if there is none, or it is not ours to set."""
    key = phone.phone.keys.get(name)
    if key is None:
        raise Refused(
            "unknown_key",
            phone=phone.settings.name,
            value=quoted(name),
            allowed=", ".join(phone.phone.keys),
        )
    _check_not_shared(phone, name)
    return key


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
    for name in shown:
        _check_not_shared(phone, name)
    try:
        phone.phone.check(shown.values())
    except DocumentError as err:
        raise Refused("invalid_document", error=str(err)) from err
    except TooManyKeys as err:
        raise Refused(
            "too_many_keys", phone=phone.settings.name, allowed=str(MAX_OTHER_KEYS)
        ) from err


def _check_not_shared(phone: SnomPhone, name: str) -> None:
    """Raise if a key belongs to a shared line, which alone says what it shows."""
    if line := phone.line_of(name):
        raise Refused("shared_key", phone=phone.settings.name, key=name, line=line)
