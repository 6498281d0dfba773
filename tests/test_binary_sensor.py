"""Whether a phone is registered, and whether it is in sync."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.const import ATTR_DEVICE_CLASS, STATE_OFF, STATE_ON, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones, reaches

REGISTERED = "binary_sensor.phone_44_registered"
IN_SYNC = "binary_sensor.phone_44_keys_up_to_date"


@over_both_speakers
async def test_registered_follows_the_phone(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    entity_registry: er.EntityRegistry,
) -> None:
    state = hass.states.get(REGISTERED)
    assert state.state == STATE_OFF
    assert state.attributes[ATTR_DEVICE_CLASS] == BinarySensorDeviceClass.CONNECTIVITY
    entry = entity_registry.async_get(REGISTERED)
    assert entry.entity_category is EntityCategory.DIAGNOSTIC

    phone = await phones()
    assert hass.states.get(REGISTERED).state == STATE_ON
    await phone.unregister()
    assert hass.states.get(REGISTERED).state == STATE_OFF


@over_both_speakers
async def test_in_sync_is_off_by_default(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    phones: Phones,
    entity_registry: er.EntityRegistry,
) -> None:
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    entry = entity_registry.async_get(IN_SYNC)
    assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    entity_registry.async_update_entity(IN_SYNC, disabled_by=None)
    await hass.config_entries.async_reload(config_entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(IN_SYNC).state == STATE_OFF

    phone = await phones()
    await reaches(hass, IN_SYNC, STATE_ON)

    phone.answer = 500
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    await reaches(hass, IN_SYNC, STATE_OFF)
    assert hass.states.get(REGISTERED).state == STATE_ON
