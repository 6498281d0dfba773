"""Where a message came from, and where its answer goes."""

from __future__ import annotations

from typing import NamedTuple


class Flow(NamedTuple):
    """The way a message came, and the way back: RFC 5626's flow.

    For UDP that is the source address; requests and answers go out on the very socket.
    For TCP and TLS it is the connection, whose like there is no other.
    """

    transport: str
    """`UDP`, `TCP` or `TLS`, as in a Via."""
    host: str
    port: int
    connection: int = 0
    """Which connection, since another may come from the same port; 0 for UDP."""

    @property
    def is_reliable(self) -> bool:
        """Whether what is sent arrives, or the connection is gone."""
        return self.transport != "UDP"

    def __str__(self) -> str:
        """Return `udp 192.0.2.4:2048`, for logs and people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport.lower()} {host}:{self.port}"
