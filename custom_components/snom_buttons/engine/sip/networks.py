"""Networks, and the addresses in them."""

from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

type Network = IPv4Network | IPv6Network

PRIVATE_NETWORKS: tuple[Network, ...] = (
    ip_network("10.0.0.0/8"),
    ip_network("172.16.0.0/12"),
    ip_network("192.168.0.0/16"),
    ip_network("100.64.0.0/10"),
    ip_network("127.0.0.0/8"),
    ip_network("169.254.0.0/16"),
    ip_network("::1/128"),
    ip_network("fc00::/7"),
    ip_network("fe80::/10"),
)
"""Networks that are not routed on the internet (RFC 1918, 3927, 4193, 6598)."""

MAX_HOSTS = 2048
"""Addresses whose answers are stored; beyond that the first ones are dropped."""


def is_in(networks: Iterable[Network], host: str) -> bool:
    """Return whether an address is in one of the networks; False for what is no address.

    An IPv6 address may have a zone, or stand for one of IPv4 (RFC 4291 2.5.5.2).
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return any(address in network for network in networks)


class Networks:
    """A set of networks that is asked for each message."""

    def __init__(self, networks: Iterable[Network]) -> None:
        """Create the set."""
        self._networks = tuple(networks)
        self._hosts: OrderedDict[str, bool] = OrderedDict()

    def __contains__(self, host: str) -> bool:
        """Whether an address is in one of the networks, as `is_in` says."""
        found = self._hosts.get(host)
        if found is None:
            found = self._hosts[host] = is_in(self._networks, host)
            if len(self._hosts) > MAX_HOSTS:
                self._hosts.popitem(last=False)
        return found
