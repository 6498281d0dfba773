"""The setup of a server on the broker."""

from dataclasses import dataclass

from .discovery import ENGLISH_NAMES, EventNames


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSetup:
    """What a server publishes on the broker, and where."""

    base: str
    """The beginning of all topics."""
    member: str | None = None
    """The name of the bridge if several have this base."""
    commands: bool
    """Whether keys can be set from the broker."""
    discovery: bool
    """Whether phones are announced to other Home Assistants."""
    retained: bool = False
    """Whether announcements are retained: not where a Home Assistant around the engine
    would read its own."""
    prefix: str = "homeassistant"
    """The beginning of the topics of announcements."""
    names: EventNames = ENGLISH_NAMES
    """The names in announcements."""
