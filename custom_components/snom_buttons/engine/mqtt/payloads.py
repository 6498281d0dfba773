"""The payloads of a server on the broker. docs/schemas has the shape of each."""

from functools import lru_cache
import json
from typing import Any, Final

from ..keywords import effect_of, hs_color_of
from ..phones import Dialled, Key, KeyPress
from ..xbuttons import KeyDescription, MessageWaiting

ONLINE: Final = "online"
OFFLINE: Final = "offline"
ON: Final = "ON"
OFF: Final = "OFF"

PRESS_END: Final = "press_end"
"""A press of a key that belongs to no line (Home Assistant's own word)."""
DIALLED: Final = "dialled"

MAX_TOPIC: Final = 1024
"""Characters of a topic in an error; the server's own topics are shorter."""

_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
)


def as_json(value: dict[str, Any]) -> str:
    """Return compact JSON. Raises ValueError for text with surrogates (RFC 8259 8.1)."""
    text = _ENCODER.encode(value)
    if not text.isascii():
        text.encode()
    return text


def state_payload(key: Key, *, in_sync: bool) -> str:
    """Return the payload of a key's look, in Home Assistant's JSON schema for lights."""
    return _state_payload(key.look, key.is_on, key.setup.colors, in_sync)


@lru_cache(maxsize=1024)
def _state_payload(
    look: KeyDescription, is_on: bool, colors: bool, in_sync: bool
) -> str:
    """Return the payload of a look, of which most keys have one of few."""
    return as_json(_state_of(look, is_on, colors) | {"in_sync": in_sync})


def state_of(key: Key, *, colors: bool) -> dict[str, Any]:
    """Return the part of a key's look that a command can set."""
    return _state_of(key.look, key.is_on, colors)


def _state_of(look: KeyDescription, is_on: bool, colors: bool) -> dict[str, Any]:
    state: dict[str, Any] = {
        "state": ON if is_on else OFF,
        "effect": effect_of(look),
        "light": look.light,
        "label": look.label or "",
    }
    if colors:
        hue, saturation = hs_color_of(look)
        state |= {"color_mode": "hs", "color": {"h": hue, "s": saturation}}
    return state


@lru_cache(maxsize=64)
def messages_payload(waiting: MessageWaiting, *, in_sync: bool) -> str:
    """Return the payload of a phone's message lamp, in the same schema."""
    return as_json(
        {
            "state": ON if waiting.new else OFF,
            "mwi": str(waiting),
            "in_sync": in_sync,
        }
    )


def press_payload(press: KeyPress) -> str:
    """Return the payload of a press, with its effect on the key's shared line."""
    event: dict[str, Any] = {
        "event_type": str(press.use or PRESS_END),
        "action": str(press.action),
        "number": press.number,
        "time": press.time.isoformat(),
        "id": press.id,
    }
    if press.caller is not None:
        event["caller"] = press.caller
    if press.simulated:
        event["simulated"] = True
    return as_json(event)


def dialled_payload(dialled: Dialled) -> str:
    """Return the payload of a dialled number."""
    return as_json(
        {"number": dialled.number, "time": dialled.time.isoformat(), "id": dialled.id}
    )


def error_payload(topic: str, reason: str) -> str:
    """Return the payload with the reason why a command was refused."""
    return as_json({"topic": topic[:MAX_TOPIC], "reason": reason})
