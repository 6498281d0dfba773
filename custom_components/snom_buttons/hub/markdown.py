"""Markdown, in which Home Assistant shows dialogues and repairs."""

import re


def escape_markdown(text: str) -> str:
    """Return a line of text that Markdown shows literally, also in a table.

    All punctuation of ASCII is escaped (CommonMark 2.4): a URL becomes no link then.
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def code(value: str) -> str:
    """Return a value for a cell of a table, to be copied as it is."""
    if set(value) & set("`|\\"):
        return escape_markdown(value)
    return f"`{value}`" if value else ""
