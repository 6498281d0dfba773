"""Markdown, in which Home Assistant shows dialogues and repairs."""

import re


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows literally, also in a table."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", text)
