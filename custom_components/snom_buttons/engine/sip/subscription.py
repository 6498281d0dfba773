"""A subscription, and the dialog in which its NOTIFYs go out (RFC 6665, RFC 3261 12)."""

from dataclasses import dataclass
from typing import NamedTuple

from .binding import is_loose
from .event import EventType
from .flow import Flow
from .outgoing import OutgoingRequest, format_contact
from .uri import Uri, make_address, parse_address

TIMEOUT = "timeout"
"""The reason of an end by expiry, by `Expires: 0`, and of a fetch (RFC 6665 4.2.1.4)."""


class DialogKey(NamedTuple):
    """What identifies a dialog (RFC 3261 12)."""

    call_id: str
    local_tag: str
    remote_tag: str | None
    """None from an RFC 2543 element (12.1.1)."""


@dataclass(slots=True, kw_only=True, eq=False)
class Subscription:
    """A phone's subscription to one resource, such as a key."""

    user: str
    """The account that the phone has proved to be."""
    event: EventType
    resource: str
    """The user part of the Request-URI of the first SUBSCRIBE."""
    key: DialogKey
    local: Uri
    """The URI of the first SUBSCRIBE's To."""
    remote: Uri
    """The URI of its From."""
    is_secure: bool
    """Whether our Contact is a sips URI: the Request-URI of the first SUBSCRIBE was one,
    or its top Record-Route, or without one its Contact (12.1.1)."""
    route: tuple[str, ...]
    """Its Record-Route: the proxies that requests go through, the nearest first."""
    target: Uri
    """The Contact of the newest SUBSCRIBE: the Request-URI, never the way."""
    flow: Flow
    """The flow of the newest SUBSCRIBE, and of requests."""
    forwarded: bool
    """It came through a proxy: other phones may share the flow."""
    path: tuple[str, ...] | None = None
    """The Route instead of `route`, after `follow`: the Path of a registration."""
    remote_cseq: int
    expires_at: float
    """In seconds of the notifier's clock."""
    local_cseq: int = 0
    version: int = -1
    """The version of the latest document (RFC 4235 4.1)."""
    is_taken: bool = False
    """The phone has taken a NOTIFY, so it is none of a forged source."""
    ended: str | None = None
    """Why it has ended, a reason of RFC 6665 4.1.3; None while it has not."""

    @property
    def size(self) -> int:
        """The characters of all that is kept of its SUBSCRIBE and each NOTIFY repeats."""
        kept = (
            *self.key,
            self.event.parameters.get("id"),
            self.resource,
            self.local.text,
            self.remote.text,
            self.target.text,
            *self.route,
        )
        return sum(len(text) for text in kept if text)

    def came_by(self, flow: Flow, *, forwarded: bool) -> None:
        """Send the next requests by the flow of a newer SUBSCRIBE of the dialog.

        The route set stays that of the first one (RFC 3261 12.2.2).
        """
        self.flow, self.forwarded, self.path = flow, forwarded, None

    def follow(self, flow: Flow, path: tuple[str, ...], *, forwarded: bool) -> None:
        """Send the next requests by the flow of a newer REGISTER of the phone.

        If it came directly and the SUBSCRIBE through a proxy, or the other way round, or
        through another proxy, the route set leads elsewhere: the Path of the REGISTER
        is followed instead (RFC 3327 5.3).
        """
        if flow != self.flow:
            is_same_way = self.forwarded == forwarded and (
                not forwarded or self.flow.host == flow.host
            )
            if not is_same_way or self.path is not None:
                self.path = path
            self.flow, self.forwarded = flow, forwarded
        elif self.path is not None:
            self.path = path

    def next_version(self) -> int:
        """Return the version of the next document; the first one is 0 (RFC 4235 4.1)."""
        self.version += 1
        return self.version

    def notify(
        self, sent_by: str, now: float, content_type: str = "", body: bytes = b""
    ) -> OutgoingRequest:
        """Return the next NOTIFY, to be sent by `flow` (RFC 6665 4.2.2, RFC 3261 12.2.1.1).

        `sent_by` is our `host:port` as the phone reaches it, `now` the notifier's time.
        If it is sent again with credentials, `local_cseq` rises for that, too.
        """
        self.local_cseq += 1
        uri, route = self._way
        return OutgoingRequest(
            method="NOTIFY",
            uri=uri,
            from_=make_address(self.local, tag=self.key.local_tag),
            to=make_address(self.remote, tag=self.key.remote_tag),
            call_id=self.key.call_id,
            cseq=self.local_cseq,
            headers=(
                *(("Route", value) for value in route),
                ("Contact", self.contact(sent_by)),
                ("Event", str(self.event)),
                ("Subscription-State", self._state(now)),
                *((("Content-Type", content_type),) if body else ()),
            ),
            body=body,
        )

    @property
    def _way(self) -> tuple[Uri, tuple[str, ...]]:
        """The Request-URI, and the values of Route (12.2.1.1).

        A strict router, without `lr`, gets its own URI, and the target as the last Route.
        """
        route = self.route if self.path is None else self.path
        if route and not is_loose(first := parse_address(route[0]).uri):
            return first.target, (*route[1:], make_address(self.target).text)
        return self.target, route

    def contact(self, sent_by: str) -> str:
        """Return our Contact in the dialog, of which `sent_by` is the `host:port`."""
        return format_contact(
            sent_by, self.flow.transport, user=self.resource, is_secure=self.is_secure
        )

    def _state(self, now: float) -> str:
        if self.ended is not None:
            return f"terminated;reason={self.ended}"
        # Rounded down, since it must not lengthen the subscription; but 0 would end it.
        return f"active;expires={max(1, int(self.expires_at - now))}"
