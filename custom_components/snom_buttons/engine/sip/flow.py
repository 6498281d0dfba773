"""The flow of a message: where it came from, and where its response goes."""

from typing import NamedTuple


class Flow(NamedTuple):
    """A flow (RFC 5626): a source address by UDP, one connection by TCP or TLS.

    All connections by which an edge at one host shows its certificate are one flow, of
    port 0: registrations behind it outlive each of them.
    """

    transport: str
    """`UDP`, `TCP` or `TLS`, as in a Via."""
    host: str
    port: int
    connection: int = 0
    """A number that no other connection has, even from the same port; 0 for UDP."""

    @property
    def is_reliable(self) -> bool:
        """Whether the transport is reliable: what is sent arrives, or the connection is lost."""
        return self.transport != "UDP"

    @property
    def ends(self) -> bool:
        """Whether nothing can be sent by it any more once its connection is closed."""
        return self.is_reliable and self.port != 0

    def __str__(self) -> str:
        """Return `udp 192.0.2.4:2048`, for logs and users."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.is_reliable and not self.ends else f":{self.port}"
        return f"{self.transport.lower()} {host}{port}"
