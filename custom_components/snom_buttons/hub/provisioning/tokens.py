"""The secrets in the addresses of settings files.

The *steady* token of a phone is stored with it, and only its own settings file and the
dialogue have it. A *first* token is in an address that goes out by multicast.
"""

from collections.abc import Callable
import hmac
import secrets
from typing import Final, NamedTuple

from homeassistant.core import callback

from ...engine.provisioning import Mac

FIRST_SECONDS: Final = 15 * 60
"""Seconds for which a first token is valid."""
MAX_EACH: Final = 4
"""First tokens of one phone; an attacker can ask for any number in its name."""
TOKEN_BYTES: Final = 16


def new_token() -> str:
    """Return a secret for the address of a settings file."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class _First(NamedTuple):
    token: str
    mac: Mac
    until: float


class FirstTokens:
    """The first tokens of one server, each for one hardware address; not stored."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without any. `clock` returns seconds."""
        self._clock = clock
        self._tokens: list[_First] = []
        """The newest last."""

    @callback
    def async_issue(self, mac: Mac) -> str:
        """Return a new token for a phone. To be called for phones that are wanted only."""
        now = self._clock()
        self._tokens = [it for it in self._tokens if now < it.until]
        of_phone = [it for it in self._tokens if it.mac == mac]
        if len(of_phone) >= MAX_EACH:
            self._tokens.remove(of_phone[0])
        first = _First(new_token(), mac, now + FIRST_SECONDS)
        self._tokens.append(first)
        return first.token

    @callback
    def async_mac_of(self, token: str) -> Mac | None:
        """Return the phone for which a token is valid; each is compared in constant time."""
        found, now = None, self._clock()
        for first in self._tokens:
            is_right = hmac.compare_digest(first.token.encode(), token.encode())
            if is_right and now < first.until:
                found = first.mac
        return found

    @callback
    def async_end(self, mac: str) -> None:
        """End the tokens of a phone."""
        self._tokens = [it for it in self._tokens if it.mac != mac]
