"""Presses and dialled numbers, as events of entities and on the bus."""

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.components.event import (
    ATTR_EVENT_TYPE,
    ATTR_EVENT_TYPES,
    ButtonEventType,
    EventDeviceClass,
)
from homeassistant.const import ATTR_DEVICE_CLASS, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones
from tests.support.rawphone import RawPhone

PRESS = "event.phone_44_key_1_press"
DIALLED = "event.phone_44_dialled"


@over_both_speakers
async def test_a_press_is_an_event_of_its_key(
    hass: HomeAssistant, phone: RawPhone, speaker: str
) -> None:
    state = hass.states.get(PRESS)
    assert state.state == STATE_UNKNOWN
    assert state.attributes[ATTR_DEVICE_CLASS] == EventDeviceClass.BUTTON
    assert state.attributes[ATTR_EVENT_TYPES] == [ButtonEventType.PRESS_END]

    assert (await phone.press("1")).status == phone.press_status

    state = hass.states.get(PRESS)
    assert dt_util.parse_datetime(state.state) is not None
    assert state.attributes[ATTR_EVENT_TYPE] == ButtonEventType.PRESS_END
    sent = {"buttons": ("message", "key1"), "blf": ("invite", "1")}[speaker]
    assert (state.attributes["action"], state.attributes["number"]) == sent
    assert hass.states.get("event.phone_44_key_2_press").state == STATE_UNKNOWN
    assert hass.states.get("event.phone_45_key_1_press").state == STATE_UNAVAILABLE


@pytest.mark.parametrize("action", ["seize", "release", "hover"])
async def test_any_action_is_a_press(
    hass: HomeAssistant, phone: RawPhone, action: str
) -> None:
    assert (await phone.press("1", action)).status == phone.press_status
    state = hass.states.get(PRESS)
    assert state.attributes[ATTR_EVENT_TYPE] == ButtonEventType.PRESS_END
    assert state.attributes["action"] == action


@over_both_speakers
async def test_a_call_from_a_key_is_a_press(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    events = async_capture_events(hass, "snom_buttons_key_press")
    assert (await phone.invite("key1")).status == 486
    state = hass.states.get(PRESS)
    assert state.attributes["action"] == "invite"
    assert [event.data["action"] for event in events] == ["invite"]
    assert hass.states.get(DIALLED).state == STATE_UNKNOWN


@over_both_speakers
async def test_a_dialled_number_is_an_event_of_the_phone(
    hass: HomeAssistant, phone: RawPhone, device_registry: dr.DeviceRegistry
) -> None:
    events = async_capture_events(hass, "snom_buttons_dialled")
    assert (await phone.invite("100")).status == 486

    state = hass.states.get(DIALLED)
    assert state.attributes[ATTR_EVENT_TYPE] == "dialled"
    assert state.attributes["number"] == "100"
    await hass.async_block_till_done()
    [event] = events
    assert event.data == {
        "phone": "44",
        "device_id": device_id(hass, device_registry),
        "number": "100",
        "time": event.data["time"],
        "id": event.data["id"],
    }


@pytest.mark.parametrize("key", ["1", "3", "4", "99"])
async def test_each_press_is_on_the_bus(
    hass: HomeAssistant,
    phone: RawPhone,
    device_registry: dr.DeviceRegistry,
    key: str,
) -> None:
    """Including keys that are set up as not used, and keys that are not set up."""
    events = async_capture_events(hass, "snom_buttons_key_press")
    assert (await phone.press(key, number=f"key{key}")).status == phone.press_status
    assert (await phone.press(key, number=f"key{key}")).status == phone.press_status
    await hass.async_block_till_done()

    first, second = events
    assert first.data == {
        "phone": "44",
        "device_id": device_id(hass, device_registry),
        "key": key,
        "action": "message",
        "number": f"key{key}",
        "time": first.data["time"],
        "id": first.data["id"],
    }
    when = dt_util.parse_datetime(first.data["time"])
    assert when is not None and when.utcoffset() is not None
    assert first.data["id"] != second.data["id"]


def device_id(hass: HomeAssistant, registry: dr.DeviceRegistry) -> str:
    [entry] = hass.config_entries.async_entries(DOMAIN)
    device = registry.async_get_device_by_identifier(
        (DOMAIN, "subentry_44"), entry.entry_id
    )
    assert device is not None
    return device.id


async def test_a_key_that_is_not_used_has_no_entity(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    assert hass.states.get("event.phone_44_key_4_press") is None
    assert hass.states.get("light.phone_44_key_4") is None


@over_both_speakers
async def test_the_last_press_outlives_an_absence(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    phone = await phones()
    await phone.press("1")
    before = hass.states.get(PRESS)
    await phone.unregister()
    assert hass.states.get(PRESS).state == STATE_UNAVAILABLE
    await phone.register()
    assert hass.states.get(PRESS).state == before.state
