"""Phones, what their keys show, and presses. All calls are made in one event loop."""

from ..sip import PRIVATE_NETWORKS, Drop, is_in
from .address import can_reach, host_and_port, phone_address
from .alarm import Timer
from .dialling import DialAnswer, Dialling, redirection
from .events import MAX_AGE, Attempt, Dialled, Happening, KeyPress, LineUse, Use
from .groups import KeyGroup, key_groups
from .key import Key
from .line import SharedLine
from .makers import MAKERS, Maker, firmware_of, maker_of
from .models import (
    EXPANSIONS,
    MODELS,
    MODULES,
    Layout,
    Model,
    hardware_of,
    model_name,
    modules_of,
)
from .network import check_bind, free_port, tcp_listener
from .phone import MAX_UNCONFIGURED, Phone
from .registration import Registration
from .seen import Seen
from .sending import Sending, SentAs
from .server import CannotListen, PhoneServer
from .settings import ServerSettings, asking_edges
from .setup import (
    BlfSetup,
    KeyKind,
    KeySetup,
    LineSetup,
    PhoneSetup,
    PressAnswer,
    Speakers,
    shared_key,
)
from .signal import Signal
from .speaker import MESSAGES
from .storage import Change, Prove
from .traffic import Traffic

__all__ = [
    "EXPANSIONS",
    "MAKERS",
    "MAX_AGE",
    "MAX_UNCONFIGURED",
    "MESSAGES",
    "MODELS",
    "MODULES",
    "PRIVATE_NETWORKS",
    "Attempt",
    "BlfSetup",
    "CannotListen",
    "Change",
    "DialAnswer",
    "Dialled",
    "Dialling",
    "Drop",
    "Happening",
    "Key",
    "KeyGroup",
    "KeyKind",
    "KeyPress",
    "KeySetup",
    "Layout",
    "LineSetup",
    "LineUse",
    "Maker",
    "Model",
    "Phone",
    "PhoneServer",
    "PhoneSetup",
    "PressAnswer",
    "Prove",
    "Registration",
    "Seen",
    "Sending",
    "SentAs",
    "ServerSettings",
    "SharedLine",
    "Signal",
    "Speakers",
    "Timer",
    "Traffic",
    "Use",
    "asking_edges",
    "can_reach",
    "check_bind",
    "firmware_of",
    "free_port",
    "hardware_of",
    "host_and_port",
    "is_in",
    "key_groups",
    "maker_of",
    "model_name",
    "modules_of",
    "phone_address",
    "redirection",
    "shared_key",
    "tcp_listener",
]
