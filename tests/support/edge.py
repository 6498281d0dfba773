"""A phone whose requests come as an edge proxy sends them on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.support.rawphone import RawPhone

EDGE = "127.0.0.2"
"""The address of the edge; tests have strangers at 127.0.0.1."""


class EdgePhone(RawPhone):
    """A phone and the edge in front of it: the socket is that of the edge."""

    def __init__(self, *arguments: Any, host: str = EDGE, **options: Any) -> None:
        super().__init__(*arguments, host=host, **options)
        self.asserted: tuple[str, ...] = ()
        """Lines that the edge adds to all requests but REGISTER."""
        self.behind = "192.0.2.44:5060"
        """The sent-by of the phone, and what the edge has added to it."""
        self.sent: list[str] = []
        """The start lines of all that was sent."""

    def asserts(self, user: str) -> None:
        """Let the edge assert a user."""
        self.asserted = (f"P-Asserted-Identity: <sip:{user}@edge.example>",)

    def _text(self, start: str, headers: Iterable[str], body: str) -> bytes:  # type: ignore[override]
        lines = list(headers)
        self.sent.append(start)
        if not start.startswith("SIP/2.0"):
            lines.insert(1, f"Via: SIP/2.0/UDP {self.behind};branch=z9hG4bKbehind")
            if not start.startswith("REGISTER"):
                lines += self.asserted
        return RawPhone._text(start, lines, body)
