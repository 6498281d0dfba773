"""What was sent to a phone, counted."""

from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Documents and NOTIFYs to all contacts of a phone, since it was set up or restarted."""

    sent: int = 0
    """Requests, retransmissions not included."""
    repeated: int = 0
    """Retransmissions, of requests that got no answer in time (RFC 3261 17.1.2)."""
    refused: int = 0
    """Requests that a contact has refused."""

    def repeat(self) -> None:
        """Count a retransmission."""
        self.repeated += 1

    def add(self, other: Traffic) -> None:
        """Add that of another phone."""
        self.sent += other.sent
        self.repeated += other.repeated
        self.refused += other.refused
