"""The domain: phones with their keys, what the keys show, and presses.

It knows the buttons document and SIP. All calls are made in one event loop, the one
that `PhoneServer.start` runs in.
"""

from ..sip import PRIVATE_NETWORKS, Network
from ..xbuttons import (
    MAX_DOCUMENT,
    MAX_TEXT,
    PROPERTIES,
    Action,
    Color,
    Direction,
    DocumentError,
    Forward,
    KeyDescription,
    KeyState,
    KeyType,
    LightMode,
    MessageWaiting,
    Release,
    Treatment,
    format_document,
    is_other_color,
    parse_document,
)
from .address import SIP_PORT, can_reach, host_and_port, phone_address
from .dialling import DialAnswer, Dialling, redirection
from .events import Dialled, KeyPress, LineUse
from .key import Key
from .line import SharedLine
from .models import MODELS
from .network import check_bind, free_port
from .phone import MAX_UNCONFIGURED, Phone
from .server import CannotListen, PhoneServer
from .settings import ServerSettings
from .setup import KeyKind, KeySetup, LineSetup, PhoneSetup, shared_key
from .signal import Signal

__all__ = [
    "MAX_DOCUMENT",
    "MAX_TEXT",
    "MAX_UNCONFIGURED",
    "MODELS",
    "PRIVATE_NETWORKS",
    "PROPERTIES",
    "SIP_PORT",
    "Action",
    "CannotListen",
    "Color",
    "DialAnswer",
    "Dialled",
    "Dialling",
    "Direction",
    "DocumentError",
    "Forward",
    "Key",
    "KeyDescription",
    "KeyKind",
    "KeyPress",
    "KeySetup",
    "KeyState",
    "KeyType",
    "LightMode",
    "LineSetup",
    "LineUse",
    "MessageWaiting",
    "Network",
    "Phone",
    "PhoneServer",
    "PhoneSetup",
    "Release",
    "ServerSettings",
    "SharedLine",
    "Signal",
    "Treatment",
    "can_reach",
    "check_bind",
    "format_document",
    "free_port",
    "host_and_port",
    "is_other_color",
    "parse_document",
    "phone_address",
    "redirection",
    "shared_key",
]
