"""What a registration says about a phone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Self

from ..sip import Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A registration of a phone."""

    address: str
    """The flow of the REGISTER, as `udp 192.0.2.4:2048`."""
    transport: str
    """`udp`, `tcp` or `tls`."""
    host: str
    """The IP address of the flow: the phone's own, or that of the last proxy or NAT."""
    user_agent: str | None
    expires_at: datetime | None
    """Aware, in UTC; None for a phone that does not register."""
    supports_buttons: bool
    web_host: str | None
    """The phone's own IP address, as in a URL; None behind a proxy or a NAT."""

    @classmethod
    def of(cls, binding: Binding, now: float) -> Self:
        """Return the registration of a binding; `now` is the time by its clock."""
        expires_at = None
        if not binding.is_address:
            left = timedelta(seconds=binding.expires_at - now)
            expires_at = datetime.now(UTC) + left
        return cls(
            address=str(binding.flow),
            transport=binding.flow.transport.lower(),
            host=binding.flow.host,
            user_agent=binding.user_agent,
            expires_at=expires_at,
            supports_buttons=binding.supports_buttons,
            web_host=_web_host(binding),
        )


def _web_host(binding: Binding) -> str | None:
    """Return the IP address of a contact, if its REGISTER came from there.

    Behind a proxy or a NAT another device may have that address. A browser is on another
    machine, where a loopback address or a zone means nothing.
    """
    if binding.forwarded or binding.path:
        return None
    try:
        address = ip_address(binding.contact.uri.host.strip("[]"))
        if address != ip_address(binding.flow.host) or address.is_loopback:
            return None
    except ValueError:
        return None
    return f"[{address}]" if address.version == 6 else str(address)
