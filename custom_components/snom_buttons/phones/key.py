"""A key of a phone, and what it should show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..xbuttons import KeyDescription, format as format_document
from .events import KeyPress
from .signal import Signal


class Key:
    """One configured key.

    `description` is the state, and this is its only place: whatever shows or changes a
    key derives what it knows from here.
    """

    __slots__ = (
        "_changed",
        "base",
        "description",
        "document",
        "name",
        "pressed",
        "shown",
    )

    def __init__(self, base: KeyDescription, changed: Callable[[Key], None]) -> None:
        """Make a key that shows `base`; `changed` gets it to the phone from now on.

        Raises DocumentError if the description cannot be written.
        """
        self.name = base.name
        self.base = base
        """The key as it is configured: its label, number and action, its lamp off."""
        self.description = base
        """What the key should show now."""
        self.document = format_document((base,))
        """`description` as it goes to the phone."""
        self.shown: Signal[None] = Signal()
        """`description` has changed."""
        self.pressed: Signal[KeyPress] = Signal()
        self._changed = changed

    def show(self, description: KeyDescription) -> None:
        """Let the key show this from now on; what it shows already is not sent again.

        Raises DocumentError for a description that cannot be written, ValueError for
        another key's; then nothing changes.
        """
        if description == self.description:
            return
        if description.name != self.name:
            raise ValueError(f"key {self.name} cannot show key {description.name}")
        self.document = format_document((description,))
        self.description = description
        self._changed(self)
        self.shown.emit(None)

    def configure(self, base: KeyDescription) -> None:
        """Take a new configuration; lamp and colour stay as they are."""
        if base == self.base:
            return
        showing = self._lit_like(base, self.description)
        self.base = base
        self.show(showing)

    def restore(self, shown: KeyDescription) -> None:
        """Take lamp and colour from before a restart, all else from `base`."""
        self.show(self._lit_like(self.base, shown))

    @staticmethod
    def _lit_like(base: KeyDescription, shown: KeyDescription) -> KeyDescription:
        return replace(base, light=shown.light, color=shown.color)
