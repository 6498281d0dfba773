"""RFC 3261 for a registrar and a user agent, without I/O; `net` adds the sockets."""

from .binding import (
    MAX_ADDRESS,
    MAX_BINDINGS,
    MAX_USER_AGENT,
    Binding,
    parse_path,
    parse_route,
)
from .bucket import Bucket, Rate
from .drops import Drop
from .event import EventType, parse_event
from .expiry import MAX_EXPIRES
from .flow import Flow
from .grammar import (
    SipSyntaxError,
    has_control,
    is_token,
    parse_number,
    readable,
    shape,
)
from .guard import Guard
from .location import LocationService
from .message import Headers, Request, Response, encode_response
from .networks import PRIVATE_NETWORKS, Network, is_in
from .notifier import MAX_DIALOG, MAX_OF_PHONE as MAX_SUBSCRIPTIONS_OF_PHONE, Notifier
from .outgoing import OutgoingRequest, format_contact, format_via, is_stale, new_branch
from .parser import MAX_HEAD, MalformedMessage, parse_datagram
from .registrar import Registrar
from .share import CALM, Shares
from .subscription import DialogKey, Subscription
from .timers import T1, T4, TIMER_J
from .transaction import Answered, digest_of
from .trust import Trust
from .uas import (
    ALLOW_EVENTS_HEADER,
    ALLOW_HEADER,
    PACKAGES,
    SUPPORTED_HEADER,
    Answer,
    content_refusal,
    missing_extensions,
    unsupported,
)
from .uri import (
    Address,
    Uri,
    escape_user,
    make_address,
    make_uri,
    parse_address,
    parse_uri,
)

__all__ = [
    "ALLOW_EVENTS_HEADER",
    "ALLOW_HEADER",
    "CALM",
    "MAX_ADDRESS",
    "MAX_BINDINGS",
    "MAX_DIALOG",
    "MAX_EXPIRES",
    "MAX_HEAD",
    "MAX_SUBSCRIPTIONS_OF_PHONE",
    "MAX_USER_AGENT",
    "PACKAGES",
    "PRIVATE_NETWORKS",
    "SUPPORTED_HEADER",
    "T1",
    "T4",
    "TIMER_J",
    "Address",
    "Answer",
    "Answered",
    "Binding",
    "Bucket",
    "DialogKey",
    "Drop",
    "EventType",
    "Flow",
    "Guard",
    "Headers",
    "LocationService",
    "MalformedMessage",
    "Network",
    "Notifier",
    "OutgoingRequest",
    "Rate",
    "Registrar",
    "Request",
    "Response",
    "Shares",
    "SipSyntaxError",
    "Subscription",
    "Trust",
    "Uri",
    "content_refusal",
    "digest_of",
    "encode_response",
    "escape_user",
    "format_contact",
    "format_via",
    "has_control",
    "is_in",
    "is_stale",
    "is_token",
    "make_address",
    "make_uri",
    "missing_extensions",
    "new_branch",
    "parse_address",
    "parse_datagram",
    "parse_event",
    "parse_number",
    "parse_path",
    "parse_route",
    "parse_uri",
    "readable",
    "shape",
    "unsupported",
]
