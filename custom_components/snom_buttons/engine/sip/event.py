"""The Event header (RFC 6665 8.2.1)."""

from typing import NamedTuple

from .grammar import (
    Parameters,
    SipSyntaxError,
    format_parameters,
    is_token,
    parse_parameters,
    unquote,
)


class EventType(NamedTuple):
    """An event package, such as `ua-profile` or `dialog`, with its parameters."""

    package: str
    """Compared byte by byte."""
    parameters: Parameters
    """By lower-case name, values without their quotes."""

    def __str__(self) -> str:
        """Return the value as it goes on the wire, if its parameters are tokens."""
        return f"{self.package}{format_parameters(self.parameters)}"


def parse_event(text: str) -> EventType:
    """Parse the value of an Event header. Raises SipSyntaxError."""
    package, _, rest = text.partition(";")
    package = package.strip()
    if not is_token(package):
        raise SipSyntaxError("Event names no package")
    parameters: Parameters = {
        name: value and unquote(value) for name, value in parse_parameters(rest).items()
    }
    return EventType(package, parameters)
