"""Signals: events with listeners, which are called in the event loop."""

from collections.abc import Callable
from functools import partial
import logging

_LOGGER = logging.getLogger(__name__)


class Signal[T]:
    """An event with its listeners."""

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        """Create a signal without listeners."""
        # Not a list: most of the hundred signals of a phone have no listener, or one.
        self._listeners: tuple[Callable[[T], None], ...] = ()

    def subscribe(
        self, listener: Callable[[T], None], *, first: bool = False
    ) -> Callable[[], None]:
        """Add a listener, the last or `first` to be called; return what removes it.

        One that is added twice is called twice.
        """
        others = self._listeners
        if any(other is listener for other in others):
            listener = partial(listener)  # each is removed by itself
        self._listeners = (listener, *others) if first else (*others, listener)
        return partial(self._unsubscribe, listener)

    def _unsubscribe(self, listener: Callable[[T], None]) -> None:
        kept = (other for other in self._listeners if other is not listener)
        self._listeners = tuple(kept)

    def emit(self, value: T) -> None:
        """Call all listeners in order; log the exception of one, and go on."""
        for listener in self._listeners:
            try:
                listener(value)
            except Exception:
                # Not the value: a press has a caller.
                _LOGGER.exception("A listener failed on a %s", type(value).__name__)
