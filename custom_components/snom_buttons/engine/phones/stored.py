"""Reads what was stored, which may be anything: the part that is broken is left out."""

from collections.abc import Callable
from ipaddress import ip_address
import logging
from math import isfinite
import time
from typing import Any

from ..sip import MAX_EXPIRES, Flow, has_control, readable
from ..xbuttons import DocumentError

_LOGGER = logging.getLogger(__name__)


def loaded[T](
    items: object, what: str, load: Callable[[Any], T], most: slice
) -> list[T]:
    """Return what `load` makes of some of the items of a stored list.

    One warning names how many are left out, because there are too many or because
    `load` raises KeyError, TypeError or ValueError.
    """
    if not isinstance(items, list):
        if items is not None:
            _LOGGER.warning("The stored %s cannot be read: %s", what, type(items))
        return []
    kept = []
    reason = "there are too many"
    for item in items[most]:
        try:
            kept.append(load(item))
        except (KeyError, TypeError, ValueError) as error:
            reason = fault(error)
    if left_out := len(items) - len(kept):
        _LOGGER.warning(
            "%s of the stored %s cannot be read, such as: %s",
            left_out,
            what,
            reason,
        )
    return kept


def fault(error: Exception) -> str:
    """Return what is wrong without the stored text, which may be a caller's name."""
    if isinstance(error, DocumentError):
        return f"{error.fault} in line {error.line}"
    return repr(error)


class Fields:
    """The fields of a stored object. All methods raise KeyError, TypeError, ValueError."""

    def __init__(self, item: object) -> None:
        """Check that it is an object."""
        if not isinstance(item, dict):
            raise TypeError("it is no object")
        self.item: dict[str, Any] = item

    def get(self, name: str, *types: type) -> Any:
        """Return a field of one of these types, of which a bool is no int."""
        value = self.item[name]
        if type(value) not in types:
            raise TypeError(f"{name} has the wrong type")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a truth value, or the default where there is no such field."""
        return bool(self.get(name, bool)) if name in self.item else default

    def text(self, name: str, most: int) -> str:
        """Return a text of at most so many characters that a header could contain."""
        return _checked_text(self.get(name, str), name, most)

    def optional_text(self, name: str, most: int) -> str | None:
        """Return a text, or None for null."""
        return None if self.item[name] is None else self.text(name, most)

    def texts(self, name: str, most: int) -> list[str]:
        """Return a list of texts."""
        values = self.get(name, list)
        return [_checked_text(value, name, most) for value in values[:most]]

    def number(self, name: str, least: int = 0) -> int:
        """Return a whole number of less than 2^31, as in a CSeq."""
        number: int = self.get(name, int)
        if not least <= number < 2**31:
            raise ValueError("a number is out of bounds")
        return number

    def expires_at(self, now: float) -> float:
        """Return when it expires, in the clock of `now`; stored in wall-clock time."""
        expires_at: float = self.get("expires_at", int, float)
        if not isfinite(expires_at):
            raise ValueError("a number is out of bounds")
        return now + min(expires_at - time.time(), MAX_EXPIRES)

    def flow(self) -> Flow:
        """Return a flow by UDP, or that of an edge; others end with the server."""
        transport, host, port = self.get("flow", list)
        is_udp = transport == "UDP" and type(port) is int and 0 < port < 65536
        is_edge = transport == "TLS" and type(port) is int and port == 0
        if not (is_udp or is_edge):
            raise ValueError("its flow ended with the server")
        if not isinstance(host, str):
            raise TypeError("its host is no text")
        try:
            address = ip_address(host)
        except ValueError:
            raise ValueError("its host is no address") from None
        if address.is_multicast or address.is_unspecified:
            raise ValueError("its host is no phone's address")
        return Flow(transport, str(address), port)


def _checked_text(value: object, name: str, most: int) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    if len(value) > most or has_control(value) or readable(value) != value:
        raise ValueError(f"{name} is no text of a header")
    return value
