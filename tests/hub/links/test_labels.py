"""A state as Home Assistant shows it."""

from typing import Any

import pytest

from custom_components.snom_buttons.hub.links.labels import state_label
from homeassistant.components.sensor import DOMAIN as SENSOR
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

DURATION = {"device_class": "duration"}


@pytest.mark.parametrize(
    ("entity_id", "state", "attributes", "label"),
    [
        ("sensor.it", "21.50", {"unit_of_measurement": "°C"}, "21,50 °C"),
        ("sensor.it", "-0.5", {"state_class": "measurement"}, "-0,5"),
        ("sensor.it", "1.2.3", {}, "1.2.3"),
        ("sensor.it", "1.5", {}, "1.5"),
        ("sensor.it", "far", {"unit_of_measurement": "km"}, "far km"),
        ("sensor.it", "1.5", DURATION | {"unit_of_measurement": "h"}, "1 h 30 min"),
        ("sensor.it", "0.25", DURATION | {"unit_of_measurement": "d"}, "6 h"),
        ("sensor.it", "90", DURATION | {"unit_of_measurement": "min"}, "90 min"),
        ("sensor.it", "2.0", DURATION | {"unit_of_measurement": "h"}, "2,0 h"),
        ("sensor.it", "12.5", DURATION | {"unit_of_measurement": "s"}, "12,5 s"),
        ("sensor.it", "long", DURATION | {"unit_of_measurement": "h"}, "long h"),
        ("sensor.it", "inf", DURATION | {"unit_of_measurement": "h"}, "inf h"),
        ("number.it", "20.0", {"step": 1}, "20"),
        ("number.it", "20.0", {"step": 0.5}, "20,0"),
        ("input_number.it", "20.5", {"step": 1}, "20,5"),
        ("counter.it", "3", {}, "3"),
        ("counter.it", "many", {}, "many"),
        ("time.it", "07:30:00", {}, "07:30"),
        ("input_datetime.it", "2026-11-27 09:30:00", {}, "2026-11-27 09:30"),
        ("input_datetime.it", "2026-11-27", {}, "2026-11-27"),
        ("scene.it", "2026-11-27T09:30:59+00:00", {}, "2026-11-27 01:30"),
        ("climate.it", "heat", {"current_temperature": 21.5}, "Heizbetrieb 21,5 °C"),
        ("climate.it", "heat", {"current_temperature": None}, "Heizbetrieb"),
        (
            "weather.it",
            "partlycloudy",
            {"temperature": 3, "temperature_unit": "°C"},
            "Teilweise bewölkt 3 °C",
        ),
        ("weather.it", "sunny", {}, "Sonnig"),
        ("sensor.it", "text", {}, "text"),
        ("number.it", "3", {"unit_of_measurement": "min"}, "3 min"),
        ("select.it", "eco", {}, "eco"),
        ("sensor.it", "unknown", {}, "–"),
        ("sensor.it", "unavailable", {}, "–"),
        (
            "sensor.it",
            "2026-11-27T09:30:59+00:00",
            {"device_class": "timestamp"},
            "2026-11-27 01:30",
        ),
        ("sensor.it", "soon", {"device_class": "timestamp"}, "soon"),
        ("cover.it", "open", {}, "Geöffnet"),
        ("binary_sensor.it", "on", {"device_class": "moisture"}, "Nass"),
    ],
)
async def test_a_label(
    hass: HomeAssistant,
    entity_id: str,
    state: str,
    attributes: dict[str, Any],
    label: str,
) -> None:
    hass.config.language = "de"
    await hass.config.async_set_time_zone("US/Pacific")
    for domain in ("binary_sensor", "climate", "cover", "weather"):
        assert await async_setup_component(hass, domain, {})
    await hass.async_block_till_done()
    assert state_label(hass, State(entity_id, state, attributes)) == label


async def test_a_sensor_has_the_precision_that_the_user_chose(
    hass: HomeAssistant,
) -> None:
    registry = er.async_get(hass)
    known = registry.async_get_or_create(SENSOR, "demo", "1")
    registry.async_update_entity_options(
        known.entity_id, SENSOR, {"display_precision": 1}
    )
    state = State(known.entity_id, "21.456", {"unit_of_measurement": "°C"})
    assert state_label(hass, state) == "21.5 °C"


async def test_numbers_have_a_point_where_the_language_has_one(
    hass: HomeAssistant,
) -> None:
    state = State("sensor.it", "21.5", {"unit_of_measurement": "°C"})
    assert state_label(hass, state) == "21.5 °C"
