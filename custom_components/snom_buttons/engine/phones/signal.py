"""The one way in which news travel up: listeners that are called in the event loop."""

from __future__ import annotations

from collections.abc import Callable
import logging

_LOGGER = logging.getLogger(__name__)


class Signal[T]:
    """Something that happens now and then, and whoever wants to know."""

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        """Make a signal that nobody listens to yet."""
        # A dict keeps the order and, other than a list, forgets in constant time.
        self._listeners: dict[object, Callable[[T], None]] = {}

    def subscribe(self, listener: Callable[[T], None]) -> Callable[[], None]:
        """Call `listener` from now on; return what ends that."""
        token = object()
        self._listeners[token] = listener

        def unsubscribe() -> None:
            self._listeners.pop(token, None)

        return unsubscribe

    def emit(self, value: T) -> None:
        """Call all listeners in the order in which they came.

        One that raises is logged, and the others are called all the same.
        """
        if not self._listeners:
            return
        for listener in list(self._listeners.values()):
            try:
                listener(value)
            except Exception:
                _LOGGER.exception("A listener failed on %s", value)
