"""A press runs actions."""

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.core import HomeAssistant
from tests.support.blueprints import automate
from tests.support.entries import Phones
from tests.support.rawphone import RawPhone


@pytest.mark.parametrize("extension", ["44", "45"])
async def test_a_press_runs_the_actions(
    hass: HomeAssistant, phone: RawPhone, phones: Phones, extension: str
) -> None:
    calls = async_mock_service(hass, "test", "press")
    await automate(
        hass,
        "key_press",
        keys=["event.phone_44_key_1_press", "event.phone_45_key_1_press"],
        actions=[{"action": "test.press"}],
    )
    pressed = phone if extension == "44" else await phones("45")
    await hass.async_block_till_done()
    await pressed.press("1")
    await hass.async_block_till_done()
    assert len(calls) == 1
    # A phone that comes back is no press.
    await pressed.unregister()
    await hass.async_block_till_done()
    await pressed.register()
    await hass.async_block_till_done()
    assert len(calls) == 1
