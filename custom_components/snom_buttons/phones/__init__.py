"""The domain: phones, their keys, what these should show, and what people press.

Knows the buttons document and SIP, not Home Assistant. Everything happens in one event
loop, the one that `PhoneServer.start` is called in.
"""

from ..xbuttons import (
    Action,
    Color,
    DocumentError,
    KeyDescription,
    Light,
    format as format_document,
    parse as parse_document,
)
from .events import Dialled, KeyPress
from .key import Key
from .models import MODELS, Model
from .network import check_bind, free_udp_port, local_address
from .phone import Phone, Registration
from .server import PhoneServer, ServerSettings
from .signal import Signal

__all__ = [
    "MODELS",
    "Action",
    "Color",
    "Dialled",
    "DocumentError",
    "Key",
    "KeyDescription",
    "KeyPress",
    "Light",
    "Model",
    "Phone",
    "PhoneServer",
    "Registration",
    "ServerSettings",
    "Signal",
    "check_bind",
    "format_document",
    "free_udp_port",
    "local_address",
    "parse_document",
]
