"""Refused as Home Assistant's error, translated."""

from collections.abc import Iterator
from contextlib import contextmanager

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..const import DOMAIN
from ..engine.refused import Failed, Refused


def translated(refused: Refused) -> HomeAssistantError:
    """Return the error that Home Assistant shows in the user's language."""
    is_failure = isinstance(refused, Failed)
    return (HomeAssistantError if is_failure else ServiceValidationError)(
        translation_domain=DOMAIN,
        translation_key=refused.key,
        translation_placeholders=refused.placeholders,
    )


@contextmanager
def refusals_translated() -> Iterator[None]:
    """Raise Home Assistant's error instead of Refused.

    Home Assistant may log it with its causes, which quote what the user has written.
    """
    try:
        yield
    except Refused as err:
        raise translated(err) from None
