"""The context of what a press causes, by which *Activity* names the press."""

from homeassistant.core import Context

from ..engine.phones import Happening


def context_of(cause: object) -> Context | None:
    """Return the context of a cause, one for each press; None if there is no cause."""
    if isinstance(cause, Happening):
        if cause.cause is None:
            cause.cause = Context()
        return context_of(cause.cause)
    return cause if isinstance(cause, Context) else None
