"""What a phone says by multicast when it starts: SUBSCRIBE for `ua-profile` (RFC 6080).

Phones are not exact: a snom 370 sends a Via without a branch, no Max-Forwards and comes
from port 1053; makers write `MAC%3a`, `MAC:`, `MAC=` and `MAC` alone.
"""

from dataclasses import dataclass, field
import re
from typing import Final

from ..names import without_forbidden
from ..phones import MODELS, hardware_of
from ..sip import (
    MalformedMessage,
    Request,
    SipSyntaxError,
    Uri,
    missing_extensions,
    parse_address,
    parse_datagram,
    parse_event,
)
from .group import GROUP
from .mac import Mac, find_mac, read_mac

EVENT: Final = "ua-profile"
MAX_WORD: Final = 32
"""Characters of a maker's, model's or version's name."""
MAX_DATAGRAM: Final = 1500
"""Bytes of an announcement; those of snom have 450."""

_USER: Final = re.compile(r"sips?:MAC(?::|=|%3a)?([0-9a-f]{12})@", re.IGNORECASE)
# An address of From and To that ends where its host should begin, as SIPPing sends it.
_WITHOUT_HOST: Final = re.compile(
    rb"(<sip:MAC(?::|=|%3a)?[0-9a-f]{12})(?=>)", re.IGNORECASE
)
_WITH_HOST: Final = rb"\1@" + GROUP.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A phone that asks for its settings."""

    mac: Mac
    vendor: str
    """Such as `snom`, as the phone writes it; "" if it does not say."""
    model: str
    """Such as `D735`, as in MODELS; else as the phone writes it."""
    version: str
    """The version of its firmware."""
    host: str
    """Where it came from. Nothing is sent elsewhere, whatever its headers say."""
    port: int
    contact: Uri | None
    request: Request = field(repr=False)
    """What an answer repeats."""

    @property
    def is_ours(self) -> bool:
        """Whether it takes settings from snom: also Gigaset's, with the same firmware."""
        return self.vendor.lower() in ("snom", "gigaset", "oem")


def read_announcement(datagram: bytes, host: str, port: int) -> Announcement | None:
    """Return what a phone asks, None for a datagram that is anything else.

    A SUBSCRIBE with a tag in To belongs to a dialog, and one with two Vias was forwarded.
    One that requires an extension which is not supported gets no 200 (RFC 3261 8.2.2.3),
    and one with a `sips` Contact no NOTIFY, which would have to go by TLS (26.2.2).
    """
    if len(datagram) > MAX_DATAGRAM:
        return None
    try:
        request = parse_datagram(_WITHOUT_HOST.sub(_WITH_HOST, datagram))
        if (
            not isinstance(request, Request)
            or request.method != "SUBSCRIBE"
            or request.forwarded
            or missing_extensions(request)
        ):
            return None
        # An answer adds a tag, which fails for one that is there, also without a value.
        parse_address(f"{request.to.text};tag=x")
        event = parse_event(request.headers.get("Event") or "")
        contact = _contact_of(request)
        if contact is not None and contact.scheme == "sips":
            return None
    except MalformedMessage, SipSyntaxError:
        return None
    mac = _mac_of(request)
    if mac is None or event.package.lower() != EVENT:
        return None
    said = {name: _word(event.parameters.get(name)) for name in _SAID}
    hardware = hardware_of(f"{said['model']}/{said['version']}")
    model = hardware and hardware.model
    return Announcement(
        mac=mac,
        vendor=said["vendor"],
        model=model if model in MODELS else said["model"],
        version=said["version"],
        host=host,
        port=port,
        contact=contact,
        request=request,
    )


_SAID: Final = ("vendor", "model", "version")


def _mac_of(request: Request) -> Mac | None:
    found = _USER.match(request.uri.text)
    if found is not None:
        return read_mac(found[1])
    return find_mac(request.headers.get("User-Agent") or "")


def _contact_of(request: Request) -> Uri | None:
    contact = request.headers.get("Contact")
    uri = None if contact is None else parse_address(contact).uri
    return uri if uri is not None and uri.is_sip else None


def _word(text: str | None) -> str:
    """Return a parameter as it may be shown: bounded, on one line."""
    return without_forbidden(text or "")[:MAX_WORD].strip()
