"""How the phone reads message summaries (RFC 3842 5.2).

It shares no code with the part of the product that writes them.
"""

import re
from typing import Final, NamedTuple

CONTENT_TYPE: Final = "application/simple-message-summary"

_LINE: Final = re.compile(r"([A-Za-z-]+)[ \t]*:[ \t]*(.*?)[ \t]*")
_COUNTS: Final = re.compile(
    r"(\d{1,10})[ \t]*/[ \t]*(\d{1,10})(?:[ \t]*\(.*\))?", re.ASCII
)
_WAITING: Final = {"yes": True, "no": False}


class MessageSummaryError(Exception):
    """The document is no message summary, as the message says."""


class MessageSummary(NamedTuple):
    """What a document says of an account's messages."""

    is_waiting: bool
    account: str = ""
    """A URI, "" if it is not said."""
    new: int = 0
    """New voice messages."""
    old: int = 0

    def __str__(self) -> str:
        """Return it in words."""
        lamp = "messages waiting" if self.is_waiting else "no messages waiting"
        return f"{lamp} · {self.new} new, {self.old} old"


def read_message_summary(data: bytes) -> MessageSummary:
    """Read a document. Raises MessageSummaryError."""
    head = data.decode(errors="replace").partition("\r\n\r\n")[0]
    lines = {}
    for line in head.removesuffix("\r\n").split("\r\n"):
        found = _LINE.fullmatch(line)
        if found is None:
            raise MessageSummaryError(f"there is no header in {line!r}")
        lines[found[1].lower()] = found[2]
    is_waiting = _WAITING.get(lines.get("messages-waiting", "").lower())
    if is_waiting is None or not head.lower().startswith("messages-waiting"):
        raise MessageSummaryError("it does not say whether messages are waiting")
    counts = _COUNTS.fullmatch(lines.get("voice-message", "0/0"))
    if counts is None:
        raise MessageSummaryError("its voice messages have no numbers")
    account = lines.get("message-account", "")
    return MessageSummary(is_waiting, account, int(counts[1]), int(counts[2]))
