"""Refused as Home Assistant's error, translated."""

from collections.abc import Iterator
from contextlib import contextmanager

from homeassistant.exceptions import ServiceValidationError

from ..const import DOMAIN
from ..engine.refused import Refused


def translated(refused: Refused) -> ServiceValidationError:
    """Return the error that Home Assistant shows in the user's language."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=refused.key,
        translation_placeholders=refused.placeholders,
    )


@contextmanager
def refusals_translated() -> Iterator[None]:
    """Raise ServiceValidationError instead of Refused."""
    try:
        yield
    except Refused as err:
        raise translated(err) from err
