"""What is said on MQTT: the topics, and the payloads that we publish.

docs/mqtt.md has them all, docs/schemas the shape of each payload.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote

from homeassistant.components.event import ButtonEventType
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.helpers.json import json_dumps

from ..keywords import effect_of, hs_color_of
from ..phones import Dialled, Key, KeyPress

ONLINE: Final = "online"
OFFLINE: Final = "offline"

MAX_TOPIC: Final = 1024
"""Characters that are told of a topic; none of ours is so long."""

# What MQTT forbids in a level of a topic (MQTT 5, 4.7.1), what parts levels, and the
# sign of the encoding itself.
_FORBIDDEN: Final = frozenset("/+#%")


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics below a base; phones are named by extension, keys by name."""

    base: str

    @property
    def status(self) -> str:
        """Whether the server runs."""
        return f"{self.base}/status"

    @property
    def error(self) -> str:
        """What was wrong with a command."""
        return f"{self.base}/error"

    def availability(self, phone: str) -> str:
        """Return where the broker keeps if a phone is there."""
        return f"{self.base}/{_level(phone)}/availability"

    def dialled(self, phone: str) -> str:
        """Return where a number that somebody dialled goes."""
        return f"{self.base}/{_level(phone)}/dialled"

    def state(self, phone: str, key: str) -> str:
        """Return where the broker keeps what a key shows."""
        return self._key(phone, key, "state")

    def event(self, phone: str, key: str) -> str:
        """Return where goes what was done to a key."""
        return self._key(phone, key, "event")

    def set(self, phone: str, key: str) -> str:
        """Return where what a key shall show comes from."""
        return self._key(phone, key, "set")

    def command(self, phone: str, key: str | None) -> str:
        """Return where commands to a key come from; without a key, documents."""
        if key is None:
            return f"{self.base}/{_level(phone)}/document/set"
        return self.set(phone, key)

    @property
    def every_set(self) -> str:
        """The filter of all commands to a key."""
        return f"{self.base}/+/key/+/set"

    @property
    def every_document(self) -> str:
        """The filter of all documents."""
        return f"{self.base}/+/document/set"

    def addressee(self, topic: str) -> tuple[str, str | None]:
        """Return the phone, and the key if any, that a command's topic names."""
        phone, kind, *rest = topic.removeprefix(f"{self.base}/").split("/")
        return unquote(phone), unquote(rest[0]) if kind == "key" else None

    def _key(self, phone: str, key: str, what: str) -> str:
        return f"{self.base}/{_level(phone)}/key/{_level(key)}/{what}"


def _level(name: str) -> str:
    """Return a name as a level of a topic."""
    return "".join(
        quote(sign, safe="", errors="surrogatepass")
        if sign in _FORBIDDEN or not sign.isprintable()
        else sign
        for sign in name
    )


def state_payload(key: Key, *, colors: bool, in_sync: bool) -> str:
    """Return what a key shows, in the form of Home Assistant's MQTT light schema."""
    return json_dumps(state_of(key, colors=colors) | {"in_sync": in_sync})


def state_of(key: Key, *, colors: bool) -> dict[str, Any]:
    """Return what a key shows, and a command can say."""
    shown = key.look
    state: dict[str, Any] = {
        "state": (STATE_ON if key.is_on else STATE_OFF).upper(),
        "effect": effect_of(shown),
        "light": shown.light,
        "label": shown.label or "",
    }
    if colors:
        hue, saturation = hs_color_of(shown)
        state |= {"color_mode": "hs", "color": {"h": hue, "s": saturation}}
    return state


def press_payload(press: KeyPress) -> str:
    """Return what was done to a key, and to its shared line if it belongs to one."""
    event = {
        "event_type": str(press.use or ButtonEventType.PRESS_END),
        "action": str(press.action),
        "number": press.number,
        "time": press.time.isoformat(),
        "id": press.id,
    }
    if press.caller is not None:
        event["caller"] = press.caller
    return json_dumps(event)


def dialled_payload(dialled: Dialled) -> str:
    """Return which number somebody dialled."""
    return json_dumps(
        {
            "number": dialled.number,
            "time": dialled.time.isoformat(),
            "id": dialled.id,
        }
    )


def error_payload(topic: str, reason: str) -> str:
    """Return why a command to a topic was not carried out."""
    return json_dumps({"topic": topic[:MAX_TOPIC], "reason": reason})
