"""Lamps as switches."""

from typing import Any

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
from homeassistant.core import Event, HomeAssistant, callback
from tests.support.blfphone import over_both_speakers
from tests.support.entries import KEYS, Phones, update_phone
from tests.support.rawphone import RawPhone
from tests.support.serving import noting_messages

ALARM = "switch.phone_44_alarm"


@over_both_speakers
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


@over_both_speakers
async def test_a_switch_is_unavailable_while_its_phone_is_away(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    assert hass.states.get(ALARM).state == STATE_UNAVAILABLE
    phone = await phones()
    assert hass.states.get(ALARM).state == STATE_OFF
    await phone.unregister()
    assert hass.states.get(ALARM).state == STATE_UNAVAILABLE


@over_both_speakers
async def test_a_toggle_changes_state_then_phone_then_event(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, speaker: str
) -> None:
    # The look does not change: the outbox is idle when the key is pressed.
    update_phone(hass, server, keys=[*KEYS[:2], KEYS[2] | {"toggle": True}, KEYS[3]])
    await hass.async_block_till_done()
    order = noting_messages(server.runtime_data.server)

    @callback
    def note(event: Event[Any]) -> None:
        order.append(event.data.get("entity_id", event.event_type))

    for event_type in ("state_changed", "snom_buttons_key_press"):
        hass.bus.async_listen(event_type, note)
    await phone.press("3")
    await phone.shows("3", c="on")
    await hass.async_block_till_done()
    assert order == [
        ALARM,
        {"buttons": "MESSAGE", "blf": "NOTIFY"}[speaker],
        "event.phone_44_alarm_press",
        "snom_buttons_key_press",
    ]
    # The switch has the same effect as the key.
    await hass.services.async_call(
        SWITCH_DOMAIN, SERVICE_TURN_OFF, {ATTR_ENTITY_ID: ALARM}, blocking=True
    )
    await phone.shows("3", c=None)
