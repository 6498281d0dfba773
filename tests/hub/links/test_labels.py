"""A state as Home Assistant shows it."""

from typing import Any

import pytest

from custom_components.snom_buttons.hub.links.labels import state_label
from homeassistant.components.sensor import DOMAIN as SENSOR
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component


@pytest.mark.parametrize(
    ("entity_id", "state", "attributes", "label"),
    [
        ("sensor.it", "21.50", {"unit_of_measurement": "°C"}, "21.50 °C"),
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
    for domain in ("cover", "binary_sensor"):
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
