"""SIP on asyncio: sockets, connections and the transactions that run over them."""

from .endpoint import RETRY_LATER, Endpoint, IncomingRequest
from .sockets import interface_name, listening_socket
from .transaction_layer import NoAnswer
from .udp import TransportError

__all__ = [
    "RETRY_LATER",
    "Endpoint",
    "IncomingRequest",
    "NoAnswer",
    "TransportError",
    "interface_name",
    "listening_socket",
]
