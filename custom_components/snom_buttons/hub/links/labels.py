"""The state of an entity as Home Assistant shows it, for the label of a key."""

from collections.abc import Mapping
from datetime import datetime
import re
from typing import Final

from homeassistant.components.climate import ATTR_CURRENT_TEMPERATURE
from homeassistant.components.sensor import (
    ATTR_STATE_CLASS,
    SensorDeviceClass,
    async_rounded_state,
)
from homeassistant.components.weather import (
    ATTR_WEATHER_TEMPERATURE,
    ATTR_WEATHER_TEMPERATURE_UNIT,
)
from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_translate_state
from homeassistant.util import dt as dt_util

UNKNOWN: Final = "–"
"""The label of a state that is not known."""

MOMENTS: Final = frozenset(
    ("button", "datetime", "event", "image", "input_button", "notify", "scene")
)
"""Domains whose state is a time, most often that of the last use."""

NUMBERS: Final = frozenset(("counter", "input_number", "number"))

COMMA_LANGUAGES: Final = frozenset(
    (
        *("af", "bg", "bs", "ca", "cs", "da", "de", "el", "eo", "es", "et", "eu", "fi"),
        *("fr", "fy", "gl", "hr", "hu", "hy", "id", "is", "it", "ka", "lt", "lv", "mk"),
        *("nb", "nl", "nn", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sq", "sr"),
        *("sr-Latn", "sv", "tr", "uk", "vi"),
    )
)
"""Languages of Home Assistant that write numbers with a decimal comma (Unicode CLDR)."""

PARTS: Final[Mapping[str, tuple[str, int]]] = {
    UnitOfTime.DAYS: (UnitOfTime.HOURS, 24),
    UnitOfTime.HOURS: (UnitOfTime.MINUTES, 60),
    UnitOfTime.MINUTES: (UnitOfTime.SECONDS, 60),
}
"""The next smaller unit of a duration, and how many of it are one."""


@callback
def state_label(hass: HomeAssistant, state: State) -> str:
    """Return a state in the language of Home Assistant, with its unit and precision.

    The label of a climate or of the weather includes the temperature.
    """
    if state.state in (STATE_UNKNOWN, STATE_UNAVAILABLE):
        return UNKNOWN
    device_class = state.attributes.get(ATTR_DEVICE_CLASS)
    if state.domain in MOMENTS or device_class == SensorDeviceClass.TIMESTAMP:
        return _local_time(state.state)
    if state.domain in ("input_datetime", "time"):
        return re.sub(r"(\d\d:\d\d):\d\d$", r"\1", state.state)
    if number := _number(hass, state):
        return number
    known = er.async_get(hass).async_get(state.entity_id)
    word = async_translate_state(
        hass,
        state.state,
        state.domain,
        known.platform if known else None,
        known.translation_key if known else None,
        device_class,
    )
    return " ".join(filter(None, (word, _temperature(hass, state))))


def _number(hass: HomeAssistant, state: State) -> str | None:
    """Return a state that is a number, or has a unit; None for another one."""
    text = state.state
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if unit is None and not (
        state.domain in NUMBERS or ATTR_STATE_CLASS in state.attributes
    ):
        return None
    if state.attributes.get(ATTR_DEVICE_CLASS) == SensorDeviceClass.DURATION and (
        duration := _duration(text, unit)
    ):
        return duration
    if state.domain == "sensor":
        text = async_rounded_state(hass, state.entity_id, state)
    elif _is_whole(text) and _is_whole(state.attributes.get("step", 1)):
        text = text.partition(".")[0]
    return _with_unit(hass, text, unit)


def _with_unit(hass: HomeAssistant, number: str, unit: str | None) -> str:
    if hass.config.language in COMMA_LANGUAGES and re.fullmatch(r"-?\d+\.\d+", number):
        number = number.replace(".", ",")
    return f"{number} {unit}" if unit else number


def _duration(text: str, unit: str | None) -> str | None:
    """Return a duration of whole parts, such as 1 h 30 min; None if it has one part."""
    if unit is None or unit not in PARTS:
        return None
    smaller, count = PARTS[unit]
    try:
        value = round(float(text) * count)
    except ValueError, OverflowError:
        return None
    if value < 0 or not value % count:
        return None
    whole = f"{value // count} {unit} " if value >= count else ""
    return f"{whole}{value % count} {smaller}"


def _is_whole(value: object) -> bool:
    try:
        return float(str(value)).is_integer()
    except ValueError:
        return False


def _temperature(hass: HomeAssistant, state: State) -> str | None:
    if state.domain == "climate":
        value = state.attributes.get(ATTR_CURRENT_TEMPERATURE)
        unit: str = hass.config.units.temperature_unit
    elif state.domain == "weather":
        value = state.attributes.get(ATTR_WEATHER_TEMPERATURE)
        unit = state.attributes.get(ATTR_WEATHER_TEMPERATURE_UNIT) or ""
    else:
        return None
    return None if value is None else _with_unit(hass, str(value), unit)


def _local_time(text: str) -> str:
    """Return a timestamp (ISO 8601) as local date and time, to the minute."""
    time: datetime | None = dt_util.parse_datetime(text)
    return text if time is None else f"{dt_util.as_local(time):%Y-%m-%d %H:%M}"
