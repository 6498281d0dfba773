"""The state of an entity as Home Assistant shows it, for the label of a key."""

from datetime import datetime

from homeassistant.components.sensor import SensorDeviceClass, async_rounded_state
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_translate_state
from homeassistant.util import dt as dt_util

UNKNOWN = "–"
"""The label of a state that is not known."""


@callback
def state_label(hass: HomeAssistant, state: State) -> str:
    """Return a state in the language of Home Assistant, with its unit and precision."""
    if state.state in (STATE_UNKNOWN, STATE_UNAVAILABLE):
        return UNKNOWN
    device_class = state.attributes.get(ATTR_DEVICE_CLASS)
    if device_class == SensorDeviceClass.TIMESTAMP:
        return _local_time(state.state)
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if state.domain == "sensor" and unit is not None:
        return f"{async_rounded_state(hass, state.entity_id, state)} {unit}"
    if unit is not None:
        return f"{state.state} {unit}"
    known = er.async_get(hass).async_get(state.entity_id)
    return async_translate_state(
        hass,
        state.state,
        state.domain,
        known.platform if known else None,
        known.translation_key if known else None,
        device_class,
    )


def _local_time(text: str) -> str:
    """Return a timestamp (ISO 8601) as local date and time, to the minute."""
    time: datetime | None = dt_util.parse_datetime(text)
    return text if time is None else f"{dt_util.as_local(time):%Y-%m-%d %H:%M}"
