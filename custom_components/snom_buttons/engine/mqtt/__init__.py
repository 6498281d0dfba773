"""Phones on an MQTT broker: topics, payloads, commands, and a follower of the server.

The follower publishes and subscribes with a `Client`, which the program around the
engine provides.
"""

from ..phones import MAX_AGE
from .client import CannotPublish, Client, Message, Received
from .commands import read_json
from .discovery import EventNames
from .follower import MqttFollower
from .left_behind import read_left_behind
from .payloads import OFFLINE, ONLINE, as_json
from .publisher import MqttPublisher
from .setup import MqttSetup
from .topics import MAX_BASE, Topics, is_base

__all__ = [
    "MAX_AGE",
    "MAX_BASE",
    "OFFLINE",
    "ONLINE",
    "CannotPublish",
    "Client",
    "EventNames",
    "Message",
    "MqttFollower",
    "MqttPublisher",
    "MqttSetup",
    "Received",
    "Topics",
    "as_json",
    "is_base",
    "read_json",
    "read_left_behind",
]
