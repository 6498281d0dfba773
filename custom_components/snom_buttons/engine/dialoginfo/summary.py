"""The message summary, `application/simple-message-summary` (RFC 3842 5.2)."""

from typing import Final

from ..xbuttons import MessageWaiting

MAX_COUNT: Final = 2**32 - 1
"""The largest number of messages (3.5)."""
_NO_URI: Final = frozenset(" \t\r\n<>")


def format_message_summary(
    account: str, *, is_waiting: bool, counts: MessageWaiting | None = None
) -> bytes:
    """Return the summary of an account, a URI; without `counts` it has no numbers.

    None of the messages is urgent; that part is there for phones that expect it. Raises
    ValueError for an account with blanks, line ends or angle brackets.
    """
    if not account or not _NO_URI.isdisjoint(account):
        raise ValueError("the account is not a URI")
    lines = [
        f"Messages-Waiting: {'yes' if is_waiting else 'no'}",
        f"Message-Account: {account}",
    ]
    if counts is not None:
        new, old = (max(0, min(n, MAX_COUNT)) for n in (counts.new, counts.old))
        lines.append(f"Voice-Message: {new}/{old} (0/0)")
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")
