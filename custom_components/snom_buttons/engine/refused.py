"""The error for a user's request that cannot be carried out."""

from typing import Final

MAX_QUOTED: Final = 40
"""Characters of a wrong value that an error shows."""


class Refused(ValueError):
    """A value or command of a user that is refused.

    `key` names the text that explains it (`exceptions` in the translations),
    `placeholders` are the values in that text.
    """

    def __init__(self, key: str, /, **placeholders: str) -> None:
        """Keep the name of the text and its values."""
        super().__init__(key, placeholders)
        self.key: Final = key
        self.placeholders: Final = placeholders


class Failed(Refused):
    """A request of a user that was in order, and that a phone did not carry out."""


def quoted(value: object) -> str:
    """Return a value of a user as printable text, cut to MAX_QUOTED characters."""
    text = "null" if value is None else str(value)
    if not text.isprintable():
        text = repr(text[:MAX_QUOTED])[1:-1]
    return text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 1]}…"


def kind_of(value: object) -> str:
    """Return a value that should be a text as `quoted` does, without texts within it."""
    match value:
        case list() | tuple():
            return "[…]"
        case dict():
            return "{…}"
    return quoted(value)
