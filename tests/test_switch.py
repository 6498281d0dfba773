"""Lamps as switches."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.switch import DOMAIN as SWITCH_DOMAIN
from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import HomeAssistant

from .conftest import Phones
from .rawphone import RawPhone

ALARM = "switch.phone_44_alarm"


async def test_on_and_off(hass: HomeAssistant, phone: RawPhone) -> None:
    assert hass.states.get(ALARM).state == STATE_OFF
    for service, state, light in (
        (SERVICE_TURN_ON, STATE_ON, "on"),
        (SERVICE_TURN_OFF, STATE_OFF, None),
    ):
        await hass.services.async_call(
            SWITCH_DOMAIN, service, {ATTR_ENTITY_ID: ALARM}, blocking=True
        )
        assert hass.states.get(ALARM).state == state
        await phone.shows("3", c=light, l="Alarm")


async def test_a_switch_is_unavailable_while_its_phone_is_away(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    assert hass.states.get(ALARM).state == STATE_UNAVAILABLE
    phone = await phones()
    assert hass.states.get(ALARM).state == STATE_OFF
    await phone.unregister()
    assert hass.states.get(ALARM).state == STATE_UNAVAILABLE
