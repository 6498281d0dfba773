"""The flow of a message: where it came from, and where its response goes."""

from typing import NamedTuple


class Flow(NamedTuple):
    """A flow (RFC 5626): a source address by UDP, one connection by TCP or TLS."""

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

    def __str__(self) -> str:
        """Return `udp 192.0.2.4:2048`, for logs and users."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport.lower()} {host}:{self.port}"
