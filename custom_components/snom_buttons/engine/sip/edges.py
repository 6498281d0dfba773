"""Edges: proxies that say whom a request is from (RFC 3325, docs/decisions/0024)."""

from collections.abc import Iterable
from ipaddress import ip_address

from .flow import Flow
from .grammar import SipSyntaxError
from .message import Request
from .networks import Network, Networks
from .parser import parse_via
from .uri import parse_address


class Edges:
    """The trusted edges: by their addresses, and by the certificates of connections."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        """Trust the addresses in `networks`."""
        self._networks = Networks(networks)
        self._flows: set[Flow] = set()

    def has(self, flow: Flow) -> bool:
        """Whether messages by a flow are from an edge."""
        return flow.host in self._networks or flow in self._flows

    def add(self, flow: Flow) -> None:
        """Trust connections whose client certificate is that of an edge."""
        self._flows.add(flow)

    def discard(self, flow: Flow) -> None:
        """Forget connections of which the last one is closed."""
        self._flows.discard(flow)


def asserted_user(request: Request) -> str | None:
    """Return the user that P-Asserted-Identity names, None if it names none or several.

    There may be one SIP URI and one tel URI (RFC 3325 9.1), of which the tel URI is
    ignored. The domain is not looked at (docs/decisions/0006).
    """
    try:
        values = request.headers.listed("P-Asserted-Identity")
        uris = [parse_address(value).uri for value in values]
    except SipSyntaxError:
        return None
    users = [uri.user for uri in uris if uri.is_sip]
    others = [uri.scheme for uri in uris if not uri.is_sip]
    return users[0] if len(users) == 1 and others in ([], ["tel"]) else None


def address_behind(request: Request) -> str | None:
    """Return the address that an edge received a request from, None without one.

    It is in the Via below that of the edge, which adds `received` if the source differs
    from sent-by (RFC 3261 18.2.1).
    """
    try:
        via, _ = parse_via(request.headers.listed("Via")[1])
        address = via.parameters.get("received") or via.host
        return str(ip_address(address.strip("[]")))
    except IndexError, SipSyntaxError, ValueError:
        return None
