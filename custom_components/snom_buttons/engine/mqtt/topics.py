"""The topics of a server on the broker. docs/mqtt.md lists them."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from ..phones import MESSAGES

MAX_BASE: Final = 128
"""Characters of a base topic."""

# Forbidden in a level of a topic (MQTT 5, 4.7.1), the separator of levels, and the
# escape character.
_ESCAPED: Final = frozenset("/+#%")


def is_base(topic: str) -> bool:
    """Return whether all topics of a server can begin with this.

    Printable excludes what MQTT 5, 1.5.4 forbids: control characters, surrogates and
    non-characters.
    """
    return (
        len(topic) <= MAX_BASE
        and topic.isprintable()
        and not topic.startswith("$")
        and not {"+", "#"} & set(topic)
        and all(topic.split("/"))
    )


def is_topic(text: str) -> bool:
    """Return whether a server can publish on this topic.

    It has no wildcard and no empty level, and a length that MQTT allows (MQTT 5, 1.5.4).
    """
    return (
        text.isprintable()
        and not {"+", "#"} & set(text)
        and all(text.split("/"))
        and len(text.encode()) < 65536
    )


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics below a base; phones are named by extension, keys by name.

    The message lamp of a phone is the key `MESSAGES`.
    """

    base: str
    member: str | None = None
    """The name of a bridge that is one of several with the same base."""

    @property
    def status(self) -> str:
        """Retained: whether the server runs."""
        if self.member is not None:
            return f"{self.base}/bridge/{_level(self.member)}/status"
        return f"{self.base}/status"

    @property
    def error(self) -> str:
        """The topic of the reasons why commands were refused."""
        return f"{self.base}/error"

    def availability(self, phone: str) -> str:
        """Return the retained topic of a phone's availability."""
        return f"{self.base}/{_level(phone)}/availability"

    def dialled(self, phone: str) -> str:
        """Return the topic of the numbers that are dialled at a phone."""
        return f"{self.base}/{_level(phone)}/dialled"

    def state(self, phone: str, key: str) -> str:
        """Return the retained topic of a key's look."""
        if key == MESSAGES:
            return f"{self.base}/{_level(phone)}/messages"
        return self._key(phone, key, "state")

    def stored(self, phone: str) -> str:
        """Return the retained topic of what a bridge restores of a phone."""
        return f"{self.base}/{_level(phone)}/stored"

    def claim(self, phone: str) -> str:
        """Return the retained topic of the bridge that a phone belongs to."""
        return f"{self.base}/{_level(phone)}/bridge"

    @property
    def all_stored(self) -> str:
        """The filter of `stored` of all phones."""
        return f"{self.base}/+/stored"

    @property
    def all_claims(self) -> str:
        """The filter of `claim` of all phones."""
        return f"{self.base}/+/bridge"

    def phone_of(self, topic: str) -> str | None:
        """Return the phone of a topic below it; None if no name has this spelling."""
        level = topic.removeprefix(f"{self.base}/").partition("/")[0]
        phone = unquote(level)
        return phone if _level(phone) == level else None

    def line_state(self, code: str) -> str:
        """Return the retained topic of who holds a shared line."""
        return self.line(code, "state")

    @property
    def all_line_states(self) -> str:
        """The filter of `line_state` of all lines."""
        return f"{self.base}/line/+/state"

    def line(self, code: str, what: str) -> str:
        """Return a topic of a shared line."""
        return f"{self.base}/line/{_level(code)}/{what}"

    @property
    def index(self) -> str:
        """Retained: the phones that a bridge has published."""
        return f"{self.base}/bridge/phones"

    def event(self, phone: str, key: str) -> str:
        """Return the topic of the presses of a key."""
        return self._key(phone, key, "event")

    @property
    def events(self) -> tuple[str, ...]:
        """The filters of all events."""
        return f"{self.base}/+/key/+/event", f"{self.base}/+/dialled"

    def set(self, phone: str, key: str | None) -> str:
        """Return the topic of commands to a key; without a key, of documents."""
        if key is None:
            return f"{self.base}/{_level(phone)}/document/set"
        if key == MESSAGES:
            return f"{self.base}/{_level(phone)}/messages/set"
        return self._key(phone, key, "set")

    def has_state(self, topic: str) -> bool:
        """Return whether this is the topic of a state of the server, a phone or a key."""
        if not topic.startswith(f"{self.base}/") or not is_topic(topic):
            return False
        match topic.removeprefix(f"{self.base}/").split("/"):
            case ["status"] | [_, "availability"] | [_, "messages"]:
                return True
            case [_, "key", _, "state"]:
                return True
        return False

    @property
    def commands(self) -> tuple[str, ...]:
        """The filters of all commands."""
        kinds = ("key/+", "messages", "document")
        return tuple(f"{self.base}/+/{kind}/set" for kind in kinds)

    def addressee(self, topic: str) -> tuple[str, str | None]:
        """Return the phone, and the key if any, of the topic of a command."""
        phone, kind, *rest = topic.removeprefix(f"{self.base}/").split("/")
        if kind == "messages":
            return unquote(phone), MESSAGES
        return unquote(phone), unquote(rest[0]) if kind == "key" else None

    def _key(self, phone: str, key: str, what: str) -> str:
        return f"{self.base}/{_level(phone)}/key/{_level(key)}/{what}"


def _level(name: str) -> str:
    """Return a name as a level of a topic: some characters as %XX of their UTF-8."""
    if name.isalnum():  # most are numbers
        return name
    return "".join(
        quote(sign, safe="", errors="surrogatepass")
        if sign in _ESCAPED or not sign.isprintable()
        else sign
        for sign in name
    )
