"""Linked keys with real entities of Home Assistant's own *demo* integration."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.components import demo
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.support.blfphone import over_both_speakers

from .conftest import Linked, link

PLATFORMS = [
    Platform.ALARM_CONTROL_PANEL,
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CLIMATE,
    Platform.COVER,
    Platform.FAN,
    Platform.HUMIDIFIER,
    Platform.LIGHT,
    Platform.LOCK,
    Platform.MEDIA_PLAYER,
    Platform.NUMBER,
    Platform.REMOTE,
    Platform.SENSOR,
    Platform.SIREN,
    Platform.SWITCH,
    Platform.UPDATE,
    Platform.VACUUM,
    Platform.VALVE,
    Platform.WATER_HEATER,
]


@pytest.fixture
async def house(hass: HomeAssistant) -> None:
    """Set up the platforms of the demo whose entities can be followed."""
    entry = MockConfigEntry(domain="demo")
    entry.add_to_hass(hass)
    hass.config.components |= {"conversation", "group", "zone"}
    with (
        patch.object(demo, "COMPONENTS_WITH_CONFIG_ENTRY_DEMO_PLATFORM", PLATFORMS),
        patch.object(demo, "COMPONENTS_WITH_DEMO_PLATFORM", []),
    ):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()


ROWS = [
    # entity, look, look after the presses, presses
    ("light.bed_light", None, "on", 1),
    ("switch.ac", None, "on", 1),
    ("fan.living_room_fan", None, "on", 1),
    ("humidifier.humidifier", "on", None, 1),
    ("siren.siren", "on", None, 1),
    ("remote.remote_one", None, "on", 1),
    ("lock.kitchen_door", "on red", None, 2),
    ("lock.front_door", None, "on red", 2),
    ("media_player.walkman", "on", "park", 1),
    ("climate.heatpump", "on red", None, 1),
    ("climate.hvac", "on green", None, 1),
    ("cover.garage_door", None, "on", 2),
    ("cover.hall_window", "on", "on", 2),  # it closes, and is stopped
    ("alarm_control_panel.security", None, "hold", 2),
    ("vacuum.demo_vacuum_0_ground_floor", None, "on", 1),
    ("binary_sensor.basement_floor_wet", None, None, 1),
    ("binary_sensor.movement_backyard", "on", "on", 1),
    ("water_heater.demo_water_heater", "on red", None, 1),
    ("update.demo_update_no_install", "message", "message", 1),
    ("button.push", None, "on", 1),
]


def lines(look: str | None) -> dict[str, str | None]:
    """Return light mode and colour as the lines of a document."""
    light, _, color = (look or "").partition(" ")
    return {"c": light or None, "o": color or None}


@over_both_speakers
@pytest.mark.usefixtures("house")
async def test_keys_show_and_control_the_entities_of_the_demo(
    hass: HomeAssistant, linked: Linked
) -> None:
    keys = [
        link(str(number), entity_id, code="1234" if "alarm" in entity_id else "")
        for number, (entity_id, *_) in enumerate(ROWS, 1)
    ]
    with patch("homeassistant.components.demo.lock.LOCK_UNLOCK_DELAY", 0):
        phone = await linked(*keys, link("label", "sensor.outside_temperature"))
        await phone.until(lambda: len(phone.keys) == len(ROWS) + 1)
        assert phone.has("label", c=None, l="15.6 °C")
        for number, (entity_id, before, _, _) in enumerate(ROWS, 1):
            assert hass.states.get(entity_id), entity_id
            assert phone.has(f"{number}", **lines(before)), entity_id
        for number, (_, _, after, presses) in enumerate(ROWS, 1):
            for _ in range(presses):
                assert (await phone.press(f"{number}")).status == phone.press_status
                await hass.async_block_till_done()
            await phone.shows(f"{number}", **lines(after))
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=6))
        await phone.shows(str(len(ROWS)), c=None)  # the end of the receipt
