"""How long a phone takes to answer."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_UNAVAILABLE, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.support.entries import Phones, reaches

ROUND_TRIP = "sensor.phone_44_round_trip_time"


async def test_the_round_trip_time_is_off_by_default(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    phones: Phones,
    entity_registry: er.EntityRegistry,
) -> None:
    data = {**config_entry.data, "access": {"keepalive": 0.05}}
    hass.config_entries.async_update_entry(config_entry, data=data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    entry = entity_registry.async_get(ROUND_TRIP)
    assert entry is not None
    assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert entry.entity_category is EntityCategory.DIAGNOSTIC
    entity_registry.async_update_entity(ROUND_TRIP, disabled_by=None)
    await hass.config_entries.async_reload(config_entry.entry_id)
    await hass.async_block_till_done()
    state = hass.states.get(ROUND_TRIP)
    assert state is not None
    assert state.state == STATE_UNAVAILABLE

    phone = await phones()
    await phone.until(lambda: len(phone.questions) > 1)
    await hass.async_block_till_done()
    state = hass.states.get(ROUND_TRIP)
    assert state is not None
    assert 0 < float(state.state) < 1000
    assert state.attributes["unit_of_measurement"] == "ms"
    await phone.unregister()
    await reaches(hass, ROUND_TRIP, STATE_UNAVAILABLE)
