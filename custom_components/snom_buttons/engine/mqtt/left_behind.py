"""Reading what may be left of a server on the broker, as an earlier run stored it."""

import logging
from typing import Any, Final, NamedTuple

from .discovery import PLATFORMS, is_discovery_topic
from .topics import Topics, is_base

_LOGGER = logging.getLogger(__name__)

MAX_TOPICS: Final = 200_000
"""Topics that are read: those of a thousand phones of two hundred keys."""
MAX_BASES: Final = 16
MAX_COMPONENTS: Final = 10_000
"""Components of an announcement that are read."""


class LeftBehind(NamedTuple):
    """What may be left of a server on the broker."""

    known: list[str]
    """The topics of states and announcements."""
    announced: dict[str, dict[str, str]]
    """The platforms of all components that were announced, by topic."""
    bases: list[str]
    """The beginnings of the topics of states."""


def read_left_behind(saved: object, base: str, phone_ids: str) -> LeftBehind:
    """Return what was stored. It may be anything; what is broken is left out.

    A topic that is left out is not cleared: it may belong to another program. Topics of
    states are below `base`, or below one that was stored with them; phones whose IDs
    begin with `phone_ids` are announced. One warning says what is left out.
    """
    broken: list[Any] = []
    fields = saved
    if not isinstance(fields, dict):
        if saved is not None:
            broken.append(saved)
        fields = {}
    # Version 0.1 stored no bases.
    texts = _texts(fields.get("bases"), MAX_BASES, broken)
    bases = [*filter(is_base, texts)]
    broken += [text for text in texts if not is_base(text)]
    topics = [Topics(each) for each in {base, *bases}]
    known = []
    announced: dict[str, dict[str, str]] = {}
    platforms = fields.get("announced")
    for topic in _texts(fields.get("known"), MAX_TOPICS, broken):
        if is_discovery_topic(topic, phone_ids):
            components = platforms.get(topic) if isinstance(platforms, dict) else None
            announced[topic] = _components(components, broken)
        elif not any(each.has_state(topic) for each in topics):
            broken.append(topic)
            continue
        known.append(topic)
    if platforms is not None and not isinstance(platforms, dict):
        broken.append(platforms)
    if broken:
        _LOGGER.warning(
            "The stored list of topics on the MQTT broker has %s parts that cannot be"
            " read, or belong to another program, such as: %.100r",
            len(broken),
            broken[0],
        )
    return LeftBehind(known, announced, bases)


def _texts(saved: object, most: int, broken: list[Any]) -> list[str]:
    """Return the texts of a stored list; add all else to `broken`."""
    if saved is None:
        return []
    if not isinstance(saved, list):
        broken.append(saved)
        return []
    broken += saved[most:]
    broken += [item for item in saved[:most] if not isinstance(item, str)]
    return [item for item in saved[:most] if isinstance(item, str)]


def _components(saved: object, broken: list[Any]) -> dict[str, str]:
    """Return the platforms of a stored announcement by the names of its components."""
    if not isinstance(saved, dict):
        broken.append(saved)
        return {}
    items = [*saved.items()]
    known = {
        name: platform
        for name, platform in items[:MAX_COMPONENTS]
        if isinstance(platform, str) and platform in PLATFORMS
    }
    broken += [item for item in items if item[0] not in known]
    return known
