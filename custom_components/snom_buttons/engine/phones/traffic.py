"""What was sent to a phone, counted."""

from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Documents to all contacts of a phone, since the phone was set up or restarted."""

    sent: int = 0
    """Documents, retransmissions not included."""
    repeated: int = 0
    """Retransmissions, of documents that got no answer in time (RFC 3261 17.1.2)."""
    refused: int = 0
    """Documents that a contact has refused."""

    def repeat(self) -> None:
        """Count a retransmission."""
        self.repeated += 1
