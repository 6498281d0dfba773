"""The settings of a server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import ssl

from ..sip import PRIVATE_NETWORKS, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The addresses, ports, realm and limits of a server."""

    host: str
    """The address to bind to, `0.0.0.0` for all of IPv4, `::` for all."""
    port: int | None
    """The UDP port; 0 for any free one, None for no UDP."""
    tcp_port: int | None = None
    tls_port: int | None = None
    realm: str
    """The digest realm, which phones show when they ask for a password."""
    advertised_host: str
    """The host under which phones reach the server, the origin of its requests."""
    advertised: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """Host and port of transports that phones reach under another address."""
    networks: tuple[Network, ...] = PRIVATE_NETWORKS
    """Networks from which requests are answered."""
    edges: tuple[Network, ...] = ()
    """Addresses of proxies that say whom a request is from (docs/decisions/0024)."""
    edge_ca: str = ""
    """The path of the CA certificates of such proxies that come by TLS from elsewhere."""
    keepalive: float = 0.0
    """Seconds between two OPTIONS to a phone; 0 for none."""

    @property
    def ports(self) -> dict[str, int]:
        """The ports by transport: `UDP`, `TCP`, `TLS`."""
        ports = {"UDP": self.port, "TCP": self.tcp_port, "TLS": self.tls_port}
        return {name: port for name, port in ports.items() if port is not None}

    @property
    def registrar_addresses(self) -> dict[str, str]:
        """The address under which phones reach each transport, as `host:port`."""
        addresses = {}
        for transport, own_port in self.ports.items():
            host, port = self.advertised.get(transport, ("", None))
            host = host or self.advertised_host
            shown = f"[{host}]" if ":" in host else host
            addresses[transport] = f"{shown}:{port or own_port}"
        return addresses


def asking_edges(context: ssl.SSLContext, edge_ca: str) -> ssl.SSLContext:
    """Let a TLS context request the certificate of an edge, and return it.

    Reads the file. Raises OSError, of which ssl.SSLError is one.
    """
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(edge_ca)
    return context
