"""Addresses as users write them: `host`, `host:port`, `[ipv6]:port`."""

from ipaddress import IPv4Address, IPv6Address, ip_address
import re
from typing import Final

from ..sip.net import interface_name

SIP_PORT: Final = 5060
"""The UDP port of a phone, unless its setting `Network identity (port)` says another."""

_HOST_AND_PORT: Final = re.compile(
    r"(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s:\[\]]+))(?::(\d{1,5}))?"
)
_BROADCAST: Final = IPv4Address("255.255.255.255")


def host_and_port(text: str) -> tuple[str, int | None] | None:
    """Return host and port of `host`, `host:port` or `[ipv6]:port`; None for other text."""
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None:
        return (text, None) if _is_ipv6(text) else None
    host, port = match[1] or match[2], int(match[3]) if match[3] else None
    if port is not None and not 0 < port < 65536:
        return None
    return host, port


def _is_ipv6(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False


def phone_address(text: str) -> tuple[str, int] | None:
    """Return IP address and port as in a flow; None if no phone can have them."""
    address = host_and_port(text)
    if address is None:
        return None
    try:
        host = ip_address(address[0])
    except ValueError:
        return None
    if isinstance(host, IPv6Address):
        host = host.ipv4_mapped or host
    if host.is_unspecified or host.is_multicast or host == _BROADCAST:
        return None
    port = address[1] or SIP_PORT
    if isinstance(host, IPv4Address) or not host.is_link_local:
        return str(host).partition("%")[0], port
    if host.scope_id is None:
        return None
    # The name of an interface that is not up yet is kept.
    interface = interface_name(host.scope_id) or host.scope_id
    return f"{str(host).partition('%')[0]}%{interface}", port


def can_reach(server: str, phone: str) -> bool:
    """Return whether a server that listens on an address can send to a phone's."""
    return server == "::" or (":" in server) == (":" in phone)
