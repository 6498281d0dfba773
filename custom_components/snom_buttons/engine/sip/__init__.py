"""RFC 3261 for a registrar and a user agent, without I/O; `net` adds the sockets."""

from .binding import MAX_ADDRESS, MAX_BINDINGS, MAX_USER_AGENT, Binding, parse_path
from .bucket import Bucket, Rate
from .drops import Drop
from .event import EventType, parse_event
from .flow import Flow
from .grammar import SipSyntaxError, has_control, parse_number, readable, shape
from .guard import PRIVATE_NETWORKS, Guard, Network, is_in
from .location import LocationService
from .message import Headers, Request, Response, encode_response
from .outgoing import OutgoingRequest, format_via, is_stale, new_branch
from .parser import MAX_HEAD, MalformedMessage, parse_datagram
from .registrar import MAX_EXPIRES, Registrar
from .share import CALM, Shares
from .timers import T1, T4, TIMER_J
from .transaction import Answered
from .trust import Trust
from .uas import (
    ALLOW_HEADER,
    SUPPORTED_HEADER,
    Answer,
    content_refusal,
    missing_extensions,
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
    "ALLOW_HEADER",
    "CALM",
    "MAX_ADDRESS",
    "MAX_BINDINGS",
    "MAX_EXPIRES",
    "MAX_HEAD",
    "MAX_USER_AGENT",
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
    "Drop",
    "EventType",
    "Flow",
    "Guard",
    "Headers",
    "LocationService",
    "MalformedMessage",
    "Network",
    "OutgoingRequest",
    "Rate",
    "Registrar",
    "Request",
    "Response",
    "Shares",
    "SipSyntaxError",
    "Trust",
    "Uri",
    "content_refusal",
    "encode_response",
    "escape_user",
    "format_via",
    "has_control",
    "is_in",
    "is_stale",
    "make_address",
    "make_uri",
    "missing_extensions",
    "new_branch",
    "parse_address",
    "parse_datagram",
    "parse_event",
    "parse_number",
    "parse_path",
    "parse_uri",
    "readable",
    "shape",
]
