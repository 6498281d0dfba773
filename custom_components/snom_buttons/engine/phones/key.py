"""A key of a phone: its setup, and its look."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Final

from ..xbuttons import KeyDescription, LightMode, format_document, is_other_color
from .events import KeyPress
from .setup import KeySetup
from .signal import Signal

MAX_REMEMBERED: Final = 16
"""Light modes, and colours, that are stored of those that a key has shown."""

_NOTHING: Final = None, b""
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
    """One configured key. `look` is its whole state."""

    __slots__ = (
        "_before",
        "_changed",
        "document",
        "look",
        "name",
        "other_colors",
        "other_lights",
        "pressed",
        "setup",
        "shown",
        "was_reset",
    )

    def __init__(self, setup: KeySetup, changed: Callable[[Key, bool], None]) -> None:
        """Create a key that is off. Raises DocumentError if its look cannot be written.

        `changed` is called when its look changes, with whether only the label did.
        """
        self.name = setup.name
        self.setup = setup
        self.look = setup.off
        """All that the key shows."""
        self.document = _document(setup)
        """`look` as a buttons document."""
        self._before: tuple[KeyDescription | None, bytes] = _NOTHING
        """The look before and its document; a lamp that goes on and off has two."""
        self.other_lights: tuple[str, ...] = ()
        """Light modes that the key has shown and LightMode lacks, the newest first.

        With them a state that was read can be set again. The order does not change with
        use: they are effects of a light, a list that Home Assistant stores."""
        self.other_colors: tuple[str, ...] = ()
        """The same for colours `#RRGGBB`."""
        self.shown: Signal[object] = Signal()
        """`look` has changed. The value is the cause, as in Happening."""
        self.was_reset: Signal[object] = Signal()
        """`reset` was called. The value is the cause."""
        self.pressed: Signal[KeyPress] = Signal()
        self._changed = changed

    @property
    def is_on(self) -> bool:
        """Whether the light mode differs from that of the setup's `off`."""
        return self.would_be_on(self.look)

    @property
    def saved(self) -> SavedLook:
        """The argument of `restore` after a restart."""
        is_on = self.is_on
        return SavedLook(
            configured=self._look(is_on, self.look.light),
            shown=self.look,
            is_on=is_on,
            used=self.setup.used,
            colors=self.setup.colors,
        )

    def would_be_on(self, description: KeyDescription) -> bool:
        """Return whether the key is on with this look."""
        return description.light != self.setup.off.light

    def show(self, description: KeyDescription, cause: object = None) -> None:
        """Set the look, and send it if it changes; `shown` emits the cause.

        Raises DocumentError, or ValueError for another key's; then nothing changes.
        """
        before = self.look
        if description == before:
            return
        if description.name != self.name:
            raise ValueError(f"key {self.name} cannot show key {description.name}")
        known, document = self._before
        if description != known:
            document = document_of(description)
            self._remember(description)
        self._before = before, self.document
        self.look, self.document = description, document
        self._changed(self, differ_only_in_label(before, description))
        self.shown.emit(cause)

    def _remember(self, description: KeyDescription) -> None:
        """Store a light mode and a colour that the lists of words lack."""
        if description.light not in LightMode:
            self.other_lights = _remembered(description.light, self.other_lights)
        if is_other_color(color := description.color or ""):
            self.other_colors = _remembered(color, self.other_colors)

    def reset(self, cause: object = None) -> None:
        """Show the look of the setup, off; what the key follows may then change it."""
        self.show(self.setup.off, cause)
        self.was_reset.emit(cause)

    def turn(self, on: bool, cause: object = None) -> None:
        """Turn the key on or off. Only fields in which `off` and `on` differ change."""
        self.show(self.turned(self.look, on), cause)

    def turned(self, description: KeyDescription, on: bool) -> KeyDescription:
        """Return a look after it was turned on or off."""
        before, look = self._look(not on), self._look(on)
        if description == before:
            return look
        return replace(description, **_changes(before, look))

    def configure(self, setup: KeySetup, saved: SavedLook | None = None) -> None:
        """Apply a setup as `restore` does, which gets another key's `saved`, if any.

        Raises DocumentError before any change.
        """
        if setup == self.setup and saved is None:
            return
        _document(setup)
        saved = saved or self.saved
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
        if saved.shown != saved.configured:  # of most keys it is not
            look = replace(look, **_changes(saved.configured, saved.shown))
        if saved.colors and not self.setup.colors:
            look = replace(look, color=None)
        return look

    def _look(self, on: bool, light: str = LightMode.ON) -> KeyDescription:
        """Return the look by the setup, on or off.

        `light` is the light mode of a key that is on, if the setup has no look for that.
        """
        setup = self.setup
        if not on:
            return setup.off
        return setup.on or replace(setup.off, light=light)


def differ_only_in_label(before: KeyDescription, after: KeyDescription) -> bool:
    """Return whether two looks have other labels, and all else in common."""
    return before.label != after.label and (
        replace(after, label=before.label) == before
    )


@lru_cache(maxsize=4096)
def document_of(look: KeyDescription) -> bytes:
    """Return the document of a look. Raises DocumentError if it has none.

    Most keys have one of few looks; the same objects for all take less memory.
    """
    return format_document((look,))


def _document(setup: KeySetup) -> bytes:
    """Return the document of a key that is off. Raises DocumentError if it has none."""
    if setup.on is not None:
        document_of(setup.on)
    return document_of(setup.off)


def _remembered(word: str, before: tuple[str, ...]) -> tuple[str, ...]:
    return before if word in before else (word, *before)[:MAX_REMEMBERED]


def _changes(before: KeyDescription, after: KeyDescription) -> Mapping[str, Any]:
    return {
        name: value
        for name in _FIELDS
        if (value := getattr(after, name)) != getattr(before, name)
    }
