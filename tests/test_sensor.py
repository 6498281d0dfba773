"""What the diagnostic sensors of a phone show, and how often they change."""

from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.components.sensor import SensorStateClass
from homeassistant.config_entries import RELOAD_AFTER_UPDATE_DELAY
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    STATE_OFF,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    EntityCategory,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import (
    device_registry as dr,
    entity_platform,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.util import dt as dt_util
from tests.support.blfphone import over_both_speakers
from tests.support.clock import hurrying
from tests.support.entries import Phones, reaches, update_phone
from tests.support.ports import LOCALHOST

ROUND_TRIP = "sensor.phone_44_round_trip_time"


@over_both_speakers
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


# What the registration says


async def enabled(
    hass: HomeAssistant, config_entry: MockConfigEntry, *names: str
) -> list[str]:
    """Set up the server with these sensors of phone 44 enabled; return their IDs."""
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    registry = er.async_get(hass)
    found = []
    for name in names:
        entity_id = registry.async_get_entity_id(
            "sensor", DOMAIN, f"subentry_44_{name}"
        )
        assert entity_id is not None
        registry.async_update_entity(entity_id, disabled_by=None)
        found.append(entity_id)
    # Home Assistant reloads an entry whose entities were enabled.
    delay = timedelta(seconds=RELOAD_AFTER_UPDATE_DELAY + 1)
    async_fire_time_changed(hass, dt_util.utcnow() + delay)
    await hass.async_block_till_done()
    return found


@pytest.mark.parametrize(
    ("name", "is_on"),
    [
        ("firmware", True),
        ("address", True),
        ("transport", True),
        ("registered_until", False),
        ("sent", False),
        ("repeated", False),
        ("refused", False),
        ("last_press", False),
    ],
)
async def test_sensors_that_change_often_are_off_by_default(
    server: MockConfigEntry, entity_registry: er.EntityRegistry, name: str, is_on: bool
) -> None:
    entity_id = entity_registry.async_get_entity_id(
        "sensor", DOMAIN, f"subentry_44_{name}"
    )
    entry = entity_registry.async_get(entity_id)
    assert (entry.disabled_by is None) is is_on
    assert entry.entity_category is EntityCategory.DIAGNOSTIC


@over_both_speakers
async def test_what_a_registration_says(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> None:
    sensors = await enabled(
        hass, config_entry, "firmware", "address", "transport", "registered_until"
    )
    firmware, address, transport, until = sensors
    for entity_id in sensors:
        assert hass.states.get(entity_id).state == STATE_UNAVAILABLE
    phone = await phones()
    assert hass.states.get(firmware).state == "10.1.198.12"
    assert hass.states.get(address).state == LOCALHOST
    assert hass.states.get(transport).state == "udp"
    assert hass.states.get(transport).attributes["options"] == ["udp", "tcp", "tls"]
    first = dt_util.parse_datetime(hass.states.get(until).state)
    assert first is not None
    left = first - dt_util.utcnow()
    assert timedelta(minutes=59) < left < timedelta(minutes=61)
    # No address, number or name is an attribute.
    for entity_id in sensors:
        assert hass.states.get(entity_id).attributes.keys() <= {
            "device_class",
            "friendly_name",
            "options",
        }

    # An update of the firmware; the phone registers for half an hour from now on.
    phone.user_agent = "snomD785/10.1.200.1 0004130DD7C9"
    await phone.register(1800)
    assert hass.states.get(firmware).state == "10.1.200.1"
    second = dt_util.parse_datetime(hass.states.get(until).state)
    assert second is not None
    assert first - second > timedelta(minutes=29)
    # So does a phone of another maker; the version of a program is none of a firmware.
    phone.user_agent = "Grandstream GRP2612W 1.0.5.67"
    await phone.register()
    assert hass.states.get(firmware).state == "1.0.5.67"
    phone.user_agent = "baresip v1.0.0 (x86_64/Linux)"
    await phone.register()
    assert hass.states.get(firmware).state == STATE_UNKNOWN
    assert hass.states.get(address).state == LOCALHOST

    # A phone that does not answer is registered all the same.
    phone.answer = None
    config_entry.runtime_data.phones["44"].phone.lost(
        config_entry.runtime_data.server._location.bindings("44")[0].flow
    )
    assert hass.states.get("binary_sensor.phone_44_registered").state == STATE_OFF
    assert hass.states.get(address).state == LOCALHOST
    phone.answer = 200
    await phone.unregister()
    for entity_id in sensors:
        assert hass.states.get(entity_id).state == STATE_UNAVAILABLE


@over_both_speakers
async def test_a_registration_that_is_renewed_writes_no_state(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """But for *Registered until*, which is off for that reason."""
    phone = await phones()
    await hass.async_block_till_done()
    before = {
        state.entity_id: state.last_reported
        for state in hass.states.async_all("sensor")
    }
    assert (
        len(before) == 8
    )  # firmware, address, transport and how keys are sent, of two phones
    for _ in range(3):
        await phone.register()
    await hass.async_block_till_done()
    after = {
        state.entity_id: state.last_reported
        for state in hass.states.async_all("sensor")
    }
    assert after == before


@over_both_speakers
async def test_of_several_contacts_the_one_that_the_device_shows(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    phones: Phones,
    device_registry: dr.DeviceRegistry,
) -> None:
    """The sensors do not change each time that another contact registers anew."""
    [firmware] = await enabled(hass, config_entry, "firmware")

    def versions() -> tuple[str, str | None]:
        device = device_registry.async_get_device_by_identifier(
            (DOMAIN, "subentry_44"), config_entry.entry_id
        )
        assert device is not None
        return hass.states.get(firmware).state, device.sw_version

    desk = await phones("44", user_agent="snomD785/1.1")
    hall = await phones("44", user_agent="snomD735/2.2")
    for _ in range(2):
        for contact in (hall, desk):
            await contact.register()
            assert versions() == ("1.1", "1.1")
    await desk.unregister()
    assert versions() == ("2.2", "2.2")


async def test_a_phone_that_is_set_up_by_its_address(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    firmware, address, until = await enabled(
        hass, config_entry, "firmware", "address", "registered_until"
    )
    update_phone(hass, config_entry, address=f"{LOCALHOST}:9")
    await hass.async_block_till_done()
    assert hass.states.get(address).state == LOCALHOST
    assert hass.states.get(firmware).state == STATE_UNKNOWN
    assert hass.states.get(until).state == STATE_UNKNOWN


# What was sent


async def a_minute_passes(hass: HomeAssistant, minutes: int = 1) -> None:
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61 * minutes))
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_documents_are_counted_and_read_once_a_minute(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> None:
    sensors = await enabled(hass, config_entry, "sent", "repeated", "refused")
    assert [hass.states.get(it).state for it in sensors] == ["0", "0", "0"]
    for entity_id in sensors:
        attributes = hass.states.get(entity_id).attributes
        assert attributes["state_class"] is SensorStateClass.TOTAL_INCREASING
    phone = await phones()
    states = async_capture_events(hass, EVENT_STATE_CHANGED)
    light = {"entity_id": "light.phone_44_key_1", "light": "on", "wait": True}
    await hass.services.async_call(DOMAIN, "set_key", light, blocking=True)
    phone.answer = 415
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(DOMAIN, "set_key", light, blocking=True)
    # No document writes a state of a counter.
    assert not {event.data["entity_id"] for event in states} & {*sensors}
    assert [hass.states.get(it).state for it in sensors] == ["0", "0", "0"]
    phone.answer = 200
    await a_minute_passes(hass)
    sent, repeated, refused = (int(hass.states.get(it).state) for it in sensors)
    # The document that was refused may have been sent once more meanwhile.
    assert sent in (3, 4)
    assert (repeated, refused) == (0, 1)

    # They are known of a phone that is away.
    await phone.unregister()
    await a_minute_passes(hass, 2)
    traffic = config_entry.runtime_data.phones["44"].phone.traffic
    shown = [hass.states.get(it).state for it in sensors]
    assert shown == [f"{traffic.sent}", "0", "1"]


async def test_retransmissions_are_counted(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> None:
    [repeated] = await enabled(hass, config_entry, "repeated")
    phone = await phones()
    phone.answer = None
    traffic = config_entry.runtime_data.phones["44"].phone.traffic
    with hurrying(hass.loop):
        light = {"entity_id": "light.phone_44_key_1", "light": "on", "wait": True}
        with pytest.raises(HomeAssistantError, match="did not answer"):
            await hass.services.async_call(DOMAIN, "set_key", light, blocking=True)
    # At 0.5, 1.5, 3.5 and 7.5 s, before the 10 s are over (RFC 3261 17.1.2.2).
    assert traffic.repeated == 4
    assert (traffic.sent, traffic.refused) == (2, 0)
    phone.answer = 200
    await a_minute_passes(hass)
    assert int(hass.states.get(repeated).state) >= 4


async def test_counters_that_are_off_cost_no_timer(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    platforms = entity_platform.async_get_platforms(hass, DOMAIN)
    [sensors] = [it for it in platforms if it.domain == "sensor"]
    assert (
        len(sensors.entities) == 8
    )  # firmware, address, transport and how keys are sent, of two phones
    assert not any(entity.should_poll for entity in sensors.entities.values())
    assert sensors._async_polling_timer is None


# The last press


async def test_the_last_press_is_by_a_finger_and_is_known_after_a_restart(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> None:
    [last] = await enabled(hass, config_entry, "last_press")
    assert hass.states.get(last).state == STATE_UNKNOWN
    phone = await phones()
    presses = async_capture_events(hass, "snom_buttons_key_press")
    await phone.press("1")
    await hass.async_block_till_done()
    state = hass.states.get(last)
    at = dt_util.parse_datetime(presses[0].data["time"])
    assert at is not None
    assert state.state == at.isoformat(timespec="seconds")
    # In the context of the press
    assert state.context.id == presses[0].context.id

    # A press of an automation is none; neither is the press of a key a state of others.
    await hass.services.async_call(
        DOMAIN, "press_key", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    await hass.async_block_till_done()
    assert len(presses) == 2
    assert hass.states.get(last).state == state.state

    # Also a key that is not configured
    await phone.press("77", number="key77")
    await hass.async_block_till_done()
    again = dt_util.parse_datetime(presses[2].data["time"])
    assert again is not None
    assert hass.states.get(last).state == again.isoformat(timespec="seconds")
    await phone.unregister()
    assert hass.states.get(last).state == again.isoformat(timespec="seconds")
    await hass.config_entries.async_reload(config_entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(last).state == again.isoformat(timespec="seconds")


@over_both_speakers
async def test_the_last_press_belongs_to_no_key(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> None:
    """Its unique ID ends as that of the press of a key named `last` would."""
    [last] = await enabled(hass, config_entry, "last_press")
    await phones()
    with pytest.raises(ServiceValidationError) as refused:
        await hass.services.async_call(
            DOMAIN, "set_key", {"entity_id": last, "light": "on"}, blocking=True
        )
    assert refused.value.translation_key == "not_a_key"
    label = lr.async_get(hass).async_create("Upstairs")
    registry = er.async_get(hass)
    for entity_id in (last, "light.phone_44_key_1"):
        registry.async_update_entity(entity_id, labels={label.label_id})
    answer = await hass.services.async_call(
        DOMAIN,
        "set_key",
        {"label_id": label.label_id, "light": "on"},
        blocking=True,
        return_response=True,
    )
    assert [key["key"] for key in answer["keys"]] == ["1"]
