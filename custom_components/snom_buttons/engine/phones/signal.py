"""Signals: events with listeners, which are called in the event loop."""

from collections.abc import Callable
import logging

_LOGGER = logging.getLogger(__name__)


class Signal[T]:
    """An event with its listeners."""

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        """Create a signal without listeners."""
        # A dict keeps the order, and removes in constant time. Most signals have none:
        # an empty one for each would be 3 KiB of each phone.
        self._listeners: dict[object, Callable[[T], None]] | None = None

    def subscribe(
        self, listener: Callable[[T], None], *, first: bool = False
    ) -> Callable[[], None]:
        """Add a listener, the last or `first` to be called; return what removes it."""
        token = object()
        if self._listeners is None:
            self._listeners = {}
        if first:
            self._listeners = {token: listener, **self._listeners}
        else:
            self._listeners[token] = listener

        def unsubscribe() -> None:
            if self._listeners is not None:
                self._listeners.pop(token, None)

        return unsubscribe

    def emit(self, value: T) -> None:
        """Call all listeners in order; log the exception of one, and go on."""
        if not self._listeners:
            return
        for listener in list(self._listeners.values()):
            try:
                listener(value)
            except Exception:
                # Not the value: a press has a caller.
                _LOGGER.exception("A listener failed on a %s", type(value).__name__)
