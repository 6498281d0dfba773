"""A binding: where one device of a user can be reached (RFC 3261 10, RFC 3327)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .flow import Flow
from .grammar import SipSyntaxError
from .uri import Address, Uri, parse_address

MAX_ADDRESS = 512
"""Characters that a Contact, a To or a Path may have: we repeat them in each request."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One device that a user can be reached at."""

    user: str
    aor: Uri
    """The address-of-record as the device spells it: the To of its REGISTER."""
    contact: Address
    """With its exact characters, as the device wants to find it again."""
    flow: Flow
    """Where its REGISTER really came from, and where requests go."""
    call_id: str
    cseq: int
    expires_at: float
    """In the registrar's clock."""
    instance: str | None
    """The URN of `+sip.instance`, which outlives a change of address."""
    user_agent: str | None
    supports_buttons: bool
    path: tuple[str, ...] = ()
    """The proxies that requests have to go through, nearest to us first (RFC 3327)."""
    forwarded: bool = False
    """A proxy handed its REGISTER on: others may come by the same flow."""
    restored: bool = False
    """It is from before a restart: nobody knows whether the device is still there."""
    by_address: bool = False
    """The user has told us where the device is; it does not register."""

    def comes_by(self, flow: Flow) -> bool:
        """Whether what comes by a flow comes from the device.

        One that was given by its address sends from whatever port it likes.
        """
        if self.by_address:
            return flow[:2] == self.flow[:2]
        return flow == self.flow

    @property
    def key(self) -> object:
        """What tells it from the other bindings that its user has at the same time."""
        return self.instance or self.contact.uri.key

    def is_same_device(self, other: Binding) -> bool:
        """Whether `other` is of the same device: by its instance (RFC 5626 6).

        Where one of them names none, it is the same URI that counts (RFC 3261 10.3). So
        does the same flow with another Call-ID: a phone that has restarted registers
        anew from its old address, with a Contact that may look different. Behind a
        proxy the flow says nothing of the device.
        """
        if self.instance and other.instance:
            return self.instance == other.instance
        if (
            self.flow == other.flow
            and self.call_id != other.call_id
            and not self.forwarded
            and not other.forwarded
        ):
            return True
        return self.is_same_contact(other)

    def is_same_contact(self, other: Binding) -> bool:
        """Whether `other` has the same URI (RFC 3261 10.3)."""
        return self.contact.uri.key == other.contact.uri.key


def parse_path(values: Iterable[str]) -> tuple[str, ...]:
    """Check the values of a Path, and return them as they stand (RFC 3327 4).

    Each must be a SIP URI of a loose router, or it would make a strict router's Route.
    Raises SipSyntaxError, also if they are long: they are repeated in all that we send.
    """
    path = tuple(values)
    for value in path:
        uri = parse_address(value).uri
        if uri.scheme == "tel" or uri.parameter("lr") is None:
            raise SipSyntaxError(f"{value[:60]!r} in Path is no loose router")
    if sum(map(len, path)) > MAX_ADDRESS:
        raise SipSyntaxError(f"a Path is longer than {MAX_ADDRESS} characters")
    return path
