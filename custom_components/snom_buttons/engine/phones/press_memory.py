"""The newest presses of a phone: what comes again must not count again."""

from collections.abc import Iterable

from ..sip import Answered
from .events import Acted

MAX_REMEMBERED = 50
"""Presses of a phone that are remembered."""


class PressMemory:
    """The presses and calls of one phone that may come again, after a restart too."""

    def __init__(self) -> None:
        """Create an empty memory."""
        self.answered: tuple[Answered, ...] = ()
        """The newest presses and calls, of which a retransmission must not count."""
        self.acted: tuple[Acted, ...] = ()
        """The newest presses that have changed something, which they must not do again."""

    def add(
        self, answered: Iterable[Answered] = (), acted: Iterable[Acted] = ()
    ) -> None:
        """Remember presses and calls for as long as they may come again."""
        self.answered = _current((*self.answered, *answered))
        # Those of another server come later than newer ones of this one.
        by_time = sorted((*self.acted, *acted), key=lambda each: each.at)
        self.acted = _current(tuple(by_time))

    def acted_by(self, press_id: str) -> Acted | None:
        """Return what is known of a press that has changed something, None without it."""
        found = (acted for acted in self.acted if acted.id == press_id)
        return next((acted for acted in found if acted.is_current), None)

    def unknown(self, acted: Iterable[Acted]) -> list[Acted]:
        """Return those presses that are not remembered, and have not been forgotten.

        One that is older than all of the MAX_REMEMBERED that are remembered was forgotten.
        """
        known = {each.id for each in self.acted}
        is_full = len(self.acted) >= MAX_REMEMBERED
        oldest = self.acted[0].at if is_full else float("-inf")
        return [each for each in acted if each.id not in known and each.at >= oldest]


def _current[T: (Answered, Acted)](presses: tuple[T, ...]) -> tuple[T, ...]:
    """Return the newest presses, from the first one on that may come again."""
    for number, each in enumerate(presses):
        if each.is_current:
            return presses[max(number, len(presses) - MAX_REMEMBERED) :]
    return ()
