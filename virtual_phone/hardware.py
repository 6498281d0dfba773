"""What the phone is: its model, its firmware and its hardware address (MAC)."""

from dataclasses import dataclass

from .maker import FIRMWARE, SNOM, Maker


@dataclass(frozen=True, slots=True)
class Hardware:
    """A phone as it leaves the factory."""

    mac: str
    """Twelve hexadecimal digits in upper case."""
    model: str = SNOM.model
    maker: Maker = SNOM

    @property
    def phone_type(self) -> str:
        """The model as snom spells it in file names and announcements."""
        return f"snom{self.model}"

    @property
    def user_agent(self) -> str:
        """The User-Agent of SIP; that of a snom is without the hardware address."""
        return self.maker.user_agent.format(model=self.model, mac=self.mac)

    @property
    def http_user_agent(self) -> str:
        """The User-Agent of HTTP, as recorded from a D785 that fetched its settings."""
        return (
            f"Mozilla/4.0 (compatible; {self.phone_type}-SIP {FIRMWARE}"
            f" 2010.12-00004-g9ba52f5 {self.mac} SXM:0 UXM:0)"
        )
