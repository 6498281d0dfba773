"""A key of a phone: how it is configured, and what it should show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ..xbuttons import KeyDescription, LightMode, format_document
from .events import KeyPress
from .setup import KeySetup
from .signal import Signal

_FIELDS = tuple(field.name for field in fields(KeyDescription) if field.name != "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLook:
    """What a key shows, beside what it is set up to show."""

    configured: KeyDescription
    """The look by the key's setup, on or off as the key is."""
    shown: KeyDescription
    is_on: bool
    used: bool = True
    colors: bool = False
    """`used` and `colors` of the key's setup."""


class Key:
    """One configured key.

    `look` is the state, and this is its only place: whatever shows or changes a
    key derives what it knows from here.
    """

    __slots__ = (
        "_changed",
        "document",
        "look",
        "name",
        "pressed",
        "setup",
        "shown",
    )

    def __init__(self, setup: KeySetup, changed: Callable[[Key, bool], None]) -> None:
        """Make a key that is off; `changed` gets it to the phone from now on.

        It is told whether nothing but the label has changed. Raises DocumentError for
        a description that cannot be written.
        """
        self.name = setup.name
        self.setup = setup
        self.look = setup.off
        """What the key should show now."""
        self.document = _document(setup)
        """`look` as it goes to the phone."""
        self.shown: Signal[None] = Signal()
        """`look` has changed."""
        self.pressed: Signal[KeyPress] = Signal()
        self._changed = changed

    @property
    def is_on(self) -> bool:
        """Whether the lamp shines otherwise than it does to begin with."""
        return self.would_be_on(self.look)

    @property
    def saved(self) -> SavedLook:
        """What `restore` needs after a restart."""
        is_on = self.is_on
        return SavedLook(
            configured=self._look(is_on, self.look.light),
            shown=self.look,
            is_on=is_on,
            used=self.setup.used,
            colors=self.setup.colors,
        )

    def would_be_on(self, description: KeyDescription) -> bool:
        """Return whether the key would be on if it showed this."""
        return description.light != self.setup.off.light

    def show(self, description: KeyDescription) -> None:
        """Let the key show this from now on; what it shows already is not sent again.

        Raises DocumentError for a description that cannot be written, ValueError for
        another key's; then nothing changes.
        """
        before = self.look
        if description == before:
            return
        if description.name != self.name:
            raise ValueError(f"key {self.name} cannot show key {description.name}")
        self.document = format_document((description,))
        self.look = description
        self._changed(self, replace(description, label=before.label) == before)
        self.shown.emit(None)

    def turn(self, on: bool) -> None:
        """Turn the key on or off: what its two looks have in common stays as it is."""
        self.show(self.turned(self.look, on))

    def turned(self, description: KeyDescription, on: bool) -> KeyDescription:
        """Return what the key would show after `look` if it were turned."""
        look = self._look(on)
        return replace(description, **_changes(self._look(not on), look))

    def configure(self, setup: KeySetup) -> None:
        """Apply a new setup.

        The key shows what `restore` would let it show. Raises DocumentError for a look
        that cannot be written; then nothing changes.
        """
        if setup == self.setup:
            return
        _document(setup)
        saved = self.saved
        self.setup = setup
        self.restore(saved)

    def restore(self, saved: SavedLook) -> None:
        """Show what was shown under a setup that may have been another one.

        The key stays on or off, and keeps what was set beyond its setup. A key that is
        no longer used shows its `off`, and a lamp that lost its colours has none.
        """
        self.show(self._restored(saved))

    def _restored(self, saved: SavedLook) -> KeyDescription:
        if saved.used and not self.setup.used:
            return self.setup.off
        look = self._look(saved.is_on, saved.shown.light)
        look = replace(look, **_changes(saved.configured, saved.shown))
        if saved.colors and not self.setup.colors:
            look = replace(look, color=None)
        return look

    def _look(self, on: bool, light: str = LightMode.ON) -> KeyDescription:
        """Return how the configuration lets the key look, on or off.

        `light` is how it shines if the configuration leaves that open.
        """
        setup = self.setup
        if not on:
            return setup.off
        return setup.on or replace(setup.off, light=light)


def _document(setup: KeySetup) -> bytes:
    """Return the key's first document. Raises DocumentError if one cannot be written."""
    if setup.on is not None:
        format_document((setup.on,))
    return format_document((setup.off,))


def _changes(before: KeyDescription, after: KeyDescription) -> Mapping[str, Any]:
    """Return the fields in which `after` differs, but for the name, and their values."""
    return {
        name: value
        for name in _FIELDS
        if (value := getattr(after, name)) != getattr(before, name)
    }
