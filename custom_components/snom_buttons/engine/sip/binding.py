"""A binding: where one contact of a user is reached (RFC 3261 10, RFC 3327)."""

from collections.abc import Iterable
from dataclasses import dataclass

from .flow import Flow
from .grammar import SipSyntaxError, shape
from .uri import Address, Uri, parse_address

MAX_BINDINGS = 10
"""Bindings of one user; a new one replaces the oldest, or one whose connection is closed."""
MAX_USER_AGENT = 128
"""Characters that are kept of a User-Agent."""
MAX_ADDRESS = 512
"""Characters of a Contact, a To or a Path, which each request to the contact repeats."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of a user."""

    user: str
    aor: Uri
    """The address-of-record as the contact spells it: the To of its REGISTER."""
    contact: Address
    """With its exact characters, by which the phone recognises it."""
    flow: Flow
    """The flow of its REGISTER, and of requests to it."""
    call_id: str
    cseq: int
    expires_at: float
    """In seconds of the location service's clock."""
    instance: str | None
    """The URN of `+sip.instance`, which stays the same when the address changes."""
    user_agent: str | None
    supports_buttons: bool
    path: tuple[str, ...] = ()
    """The proxies that requests go through, the nearest first (RFC 3327)."""
    forwarded: bool = False
    """Its REGISTER came through a proxy: other contacts may share the flow."""
    restored: bool = False
    """Restored after a restart: the contact may be gone."""
    is_address: bool = False
    """The configured address of a phone that does not register."""

    def __post_init__(self) -> None:
        """Raise SipSyntaxError for a sips Contact without TLS (docs/decisions/0016)."""
        if self.contact.uri.scheme == "sips" and self.flow.transport != "TLS":
            raise SipSyntaxError(f"a sips Contact came by {self.flow.transport}")

    def comes_by(self, flow: Flow) -> bool:
        """Whether a request by this flow comes from the contact.

        A phone that does not register may send from any port of its address.
        """
        if self.is_address:
            return flow[:2] == self.flow[:2]
        return flow == self.flow

    def is_near(self, flow: Flow, *, forwarded: bool) -> bool:
        """Whether this flow comes from the contact's address, or the same proxy's."""
        return self.forwarded == forwarded and self.flow.host == flow.host

    @property
    def key(self) -> object:
        """The key by which the bindings of a user differ."""
        return self.instance or self.contact.uri.key

    def is_same_contact(self, other: Binding) -> bool:
        """Whether `other` is the same contact, so that only the newer one is kept.

        It is if it has the same instance, wherever it is now. `reg-id` is not compared:
        the server does not support several flows of one contact (RFC 5626), each of
        which would get each document. It also is with the same URI, or on the same
        flow with another Call-ID: a phone that was restarted or reset, whose URI and
        instance may differ. Behind a proxy the flow does not identify a contact.
        """
        if self.instance and self.instance == other.instance:
            return True
        if (
            self.flow == other.flow
            and self.call_id != other.call_id
            and not self.forwarded
            and not other.forwarded
        ):
            return True
        return self.has_same_uri(other)

    def has_same_uri(self, other: Binding) -> bool:
        """Whether `other` has the same URI (RFC 3261 10.3, step 7).

        Two instances at two addresses do not: phones behind different routers may have
        the same private address.
        """
        if not self.contact.uri.is_equivalent(other.contact.uri):
            return False
        return not self.has_another_instance(other) or (
            (self.flow.host, self.path) == (other.flow.host, other.path)
        )

    def has_another_instance(self, other: Binding) -> bool:
        """Whether both have an instance, and not the same."""
        return bool(
            self.instance and other.instance and self.instance != other.instance
        )


def parse_path(values: Iterable[str]) -> tuple[str, ...]:
    """Check the values of a Path, and return them unchanged (RFC 3327 4).

    Raises SipSyntaxError for one that is not the SIP URI of a loose router, which would
    become a strict router's Route, and if they are longer than MAX_ADDRESS together.
    """
    path = parse_route(values)
    for value in path:
        if not is_loose(parse_address(value).uri):
            raise SipSyntaxError(f"{shape(value)} in Path is not a loose router")
    return path


def parse_route(values: Iterable[str]) -> tuple[str, ...]:
    """Check the values of a Record-Route, and return them unchanged (RFC 3261 12.1.1).

    Raises SipSyntaxError for one that is not a SIP URI, and if they are longer than
    MAX_ADDRESS together.
    """
    route = tuple(values)
    for value in route:
        if not parse_address(value).uri.is_sip:
            raise SipSyntaxError(f"{shape(value)} in a route is no SIP URI")
    if sum(map(len, route)) > MAX_ADDRESS:
        raise SipSyntaxError(f"a route is longer than {MAX_ADDRESS} characters")
    return route


def is_loose(uri: Uri) -> bool:
    """Whether a router routes loosely: it leaves the Request-URI as it is (16.4)."""
    return uri.parameter("lr") is not None
