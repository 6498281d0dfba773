"""RFC 3261 for a registrar and a user agent, on asyncio.

`parser`, `stream`, `transaction`, `digest`, `registrar` and `guard` do no I/O;
`transport` and `tcp` have the sockets and `endpoint` ties them together. Nothing here knows of phones, keys or Home Assistant,
but for the name of the option, `buttons`, that user agents and registrar agree on.
"""

from .binding import Binding, parse_path
from .endpoint import Endpoint, IncomingRequest
from .flow import Flow
from .grammar import SipSyntaxError, readable
from .guard import PRIVATE_NETWORKS, Guard, Network
from .message import Headers, Request, Response
from .outgoing import OutgoingRequest
from .parser import MalformedMessage, parse_datagram
from .registrar import MAX_EXPIRES, Registrar
from .sockets import interface_name, listening_socket
from .transactions import NoAnswer
from .transport import TransportError
from .uas import ALLOW_HEADER, SUPPORTED_HEADER, Answer, rfc3261_8_2_3
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
    "MAX_EXPIRES",
    "PRIVATE_NETWORKS",
    "SUPPORTED_HEADER",
    "Address",
    "Answer",
    "Binding",
    "Endpoint",
    "Flow",
    "Guard",
    "Headers",
    "IncomingRequest",
    "MalformedMessage",
    "Network",
    "NoAnswer",
    "OutgoingRequest",
    "Registrar",
    "Request",
    "Response",
    "SipSyntaxError",
    "TransportError",
    "Uri",
    "escape_user",
    "interface_name",
    "listening_socket",
    "make_address",
    "make_uri",
    "parse_address",
    "parse_datagram",
    "parse_path",
    "parse_uri",
    "readable",
    "rfc3261_8_2_3",
]
