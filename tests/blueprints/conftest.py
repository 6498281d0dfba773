"""Fixtures of the blueprints' tests."""

from collections.abc import AsyncIterator

import pytest

from homeassistant.core import HomeAssistant
from tests.support.entries import Phones
from tests.support.rawphone import RawPhone


@pytest.fixture
async def other(
    hass: HomeAssistant, phone: RawPhone, phones: Phones
) -> AsyncIterator[RawPhone]:
    """Return phone 45, registered as 44 is; turn automations off after the test."""
    yield await phones("45")
    everything = {"entity_id": "all"}
    await hass.services.async_call("automation", "turn_off", everything, blocking=True)
