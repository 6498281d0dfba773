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
from .dialling import DialAnswer, Dialling, redirection
from .events import Dialled, KeyPress, LineUse
from .key import Key, KeySetup
from .line import LineSettings, SharedLine, shared_key
from .models import MODELS, Model
from .network import check_bind, free_udp_port, local_address
from .phone import Phone, Registration, TooManyKeys
from .server import PhoneServer, ServerSettings
from .signal import Signal

__all__ = [
    "MODELS",
    "Action",
    "Color",
    "DialAnswer",
    "Dialled",
    "Dialling",
    "DocumentError",
    "Key",
    "KeyDescription",
    "KeyPress",
    "KeySetup",
    "Light",
    "LineSettings",
    "LineUse",
    "Model",
    "Phone",
    "PhoneServer",
    "Registration",
    "ServerSettings",
    "SharedLine",
    "Signal",
    "TooManyKeys",
    "check_bind",
    "format_document",
    "free_udp_port",
    "local_address",
    "parse_document",
    "redirection",
    "shared_key",
]
