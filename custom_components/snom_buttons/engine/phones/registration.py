"""What a phone's newest registration says about it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from ..sip import Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The newest registration of a phone."""

    address: str
    """The flow of the REGISTER, as `udp 192.0.2.4:2048`."""
    user_agent: str | None
    expires_at: datetime | None
    """Aware, in UTC; None for a phone that does not register."""
    supports_buttons: bool

    @classmethod
    def of(cls, binding: Binding, now: float) -> Self:
        """Return the registration of a binding; `now` is the time by its clock."""
        expires_at = None
        if not binding.is_address:
            left = timedelta(seconds=binding.expires_at - now)
            expires_at = datetime.now(UTC) + left
        return cls(
            address=str(binding.flow),
            user_agent=binding.user_agent,
            expires_at=expires_at,
            supports_buttons=binding.supports_buttons,
        )
