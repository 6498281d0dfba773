"""The seal of what a bridge retains on the broker, which only bridges can make."""

from hashlib import scrypt
import hmac
import json
import logging
from typing import Any, Final

from snom_buttons.mqtt import as_json

MAX_SEALED: Final = 1024 * 1024
"""Bytes of a payload: more than those of a phone with 240 keys."""
DIGITS: Final = 64
"""Of the seal, an HMAC-SHA256 (RFC 2104) in hexadecimal."""
_BEFORE: Final = b'{"seal":"'
_AFTER: Final = b'",'


_LOGGER = logging.getLogger(__name__)


class Broken(ValueError):
    """A payload is not what a bridge with this secret has published on its topic."""


class Seal:
    """Seals payloads with a secret that all bridges of a base topic have.

    Without a secret nothing is sealed, and there are no proofs.
    """

    def __init__(self, secret: str, base: str) -> None:
        """Derive the key, which takes 50 ms: the secret may be a password (RFC 7914)."""
        salt = f"snom_buttons {base}".encode()
        self._key = (
            scrypt(secret.encode(), salt=salt, n=2**14, r=8, p=1) if secret else b""
        )

    def write(self, topic: str, fields: dict[str, Any]) -> str:
        """Return the payload of a topic: JSON, with the seal first."""
        text = as_json(fields)
        if not self._key:
            return text
        rest = text[1:]
        return f'{{"seal":"{self._digest("topic", topic, rest)}",{rest}'

    def check(self, topic: str, payload: bytes) -> None:
        """Raise Broken unless `write` has made a payload for this topic."""
        if len(payload) > MAX_SEALED:
            raise Broken(f"it has {len(payload)} bytes, and {MAX_SEALED} are allowed")
        if not self._key:
            return
        seal = payload[len(_BEFORE) : len(_BEFORE) + DIGITS]
        begin = _BEFORE + seal + _AFTER
        if not payload.startswith(begin):
            raise Broken("it has no seal")
        digest = self._digest("topic", topic, payload[len(begin) :])
        if not hmac.compare_digest(seal, digest.encode()):
            raise Broken("it is sealed with another secret, or for another topic")

    def read(self, topic: str, payload: bytes) -> dict[str, Any]:
        """Return the fields of a payload. Raises Broken."""
        self.check(topic, payload)
        try:
            fields = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise Broken("it is no JSON") from error
        if not isinstance(fields, dict):
            raise Broken("it is no JSON object")
        return fields

    def read_or_report(self, topic: str, payload: bytes) -> dict[str, Any] | None:
        """Return what `read` does; None, and a warning in the log, if it is broken."""
        try:
            return self.read(topic, payload)
        except Broken as error:
            report(topic, error)
            return None

    def prove(self, extension: str, password: str) -> str | None:
        """Return what shows which password a phone had, None without a secret."""
        return self._digest("phone", extension, password) if self._key else None

    def _digest(self, *parts: str | bytes) -> str:
        data = [part.encode() if isinstance(part, str) else part for part in parts]
        return hmac.digest(self._key, b"\0".join(data), "sha256").hex()


def report(topic: str, reason: object) -> None:
    """Log why what is retained on a topic is ignored."""
    _LOGGER.warning("What is retained on %s is ignored: %s", topic, reason)
