"""What a linked key shows of a state: the automatic look, by domain."""

from collections.abc import Callable, Mapping
from typing import Final

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.climate import ATTR_HVAC_ACTION, HVACAction, HVACMode
from homeassistant.components.light import (
    ATTR_COLOR_MODE,
    ATTR_HS_COLOR,
    COLOR_MODES_COLOR,
)
from homeassistant.const import (
    ATTR_ASSUMED_STATE,
    ATTR_DEVICE_CLASS,
    STATE_HOME,
    STATE_OFF,
    STATE_ON,
    STATE_OPEN,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import State

from ...engine.keywords import Face, with_hs_color
from ...engine.xbuttons import Color, KeyDescription, LightMode

OFF: Final = Face(LightMode.OFF)
ON: Final = Face(LightMode.ON)
PARK: Final = Face(LightMode.PARK)
HOLD: Final = Face(LightMode.HOLD)
MESSAGE: Final = Face(LightMode.MESSAGE)
RED: Final = Face(LightMode.ON, Color.RED)
GREEN: Final = Face(LightMode.ON, Color.GREEN)
ALARM: Final = Face(LightMode.PICKUP, Color.RED)
ERROR: Final = Face(LightMode.ERROR)
FAULT: Final = Face(LightMode.ERROR, Color.RED)

ALARMING: Final = frozenset(
    (
        BinarySensorDeviceClass.SMOKE,
        BinarySensorDeviceClass.GAS,
        BinarySensorDeviceClass.CO,
        BinarySensorDeviceClass.SAFETY,
        BinarySensorDeviceClass.PROBLEM,
        BinarySensorDeviceClass.TAMPER,
        BinarySensorDeviceClass.MOISTURE,
    )
)
"""The classes of binary sensors that report a danger or a fault."""

STATELESS: Final = frozenset(("button", "input_button", "scene"))
"""Domains whose entities are pressed, and have no state that a lamp can show."""

VALUES: Final = frozenset(
    (
        "counter",
        "date",
        "datetime",
        "input_datetime",
        "input_number",
        "input_select",
        "input_text",
        "number",
        "select",
        "sensor",
        "sun",
        "text",
        "time",
        "weather",
    )
)
"""Domains whose entities have a value: it is the label, and the lamp is off."""

BEGIN_UNKNOWN: Final = (
    STATELESS
    | VALUES
    | {
        "cover",
        "device_tracker",
        "event",
        "image",
        "notify",
        "person",
        "update",
        "valve",
    }
)
"""Domains in which `unknown` is usual, as before the first press."""


def face_of(state: State | None) -> Face | None:
    """Return the automatic look of a state; None if the entity is unavailable.

    Also None for an unknown state, unless that is usual in its domain, or for a device
    that reports no state and was not used yet.
    """
    if state is None or state.state == STATE_UNAVAILABLE:
        return None
    if state.state == STATE_UNKNOWN:
        is_usual = state.domain in BEGIN_UNKNOWN or state.attributes.get(
            ATTR_ASSUMED_STATE
        )
        return OFF if is_usual else None
    if look := _BY_STATE.get(state.domain):
        return look(state)
    faces = _FACES.get(state.domain, _LIT)
    return faces.get(state.state, OFF)


def _light(state: State) -> Face:
    if state.state != STATE_ON:
        return OFF
    color = state.attributes.get(ATTR_HS_COLOR)
    if color is None or state.attributes.get(ATTR_COLOR_MODE) not in COLOR_MODES_COLOR:
        return ON
    return Face(LightMode.ON, with_hs_color(KeyDescription(name="1"), color).color)


def _alarm_panel(state: State) -> Face:
    if state.state.startswith("armed"):
        return RED
    return _ALARM_PANEL.get(state.state, OFF)


def _binary_sensor(state: State) -> Face:
    if state.state != STATE_ON:
        return OFF
    return ALARM if state.attributes.get(ATTR_DEVICE_CLASS) in ALARMING else ON


def _climate(state: State) -> Face:
    """Return red while heating, green for what else is on, by its action if it has one."""
    if state.state == STATE_OFF:
        return OFF
    action = state.attributes.get(ATTR_HVAC_ACTION)
    if action is not None:
        return RED if action in _HEATING else GREEN
    return RED if state.state == HVACMode.HEAT else GREEN


def _water_heater(state: State) -> Face:
    return OFF if state.state == STATE_OFF else RED


def _count(face: Face) -> Callable[[State], Face]:
    """Return a look of a state that is a number: the face if it is above 0."""

    def look(state: State) -> Face:
        return face if state.state.isdecimal() and int(state.state) > 0 else OFF

    return look


_HEATING: Final = frozenset(
    (HVACAction.HEATING, HVACAction.PREHEATING, HVACAction.DEFROSTING)
)
_DARK: Final[Mapping[str, Face]] = {}
_LIT: Final = {STATE_ON: ON}
_HOME: Final = {STATE_HOME: ON}
_MOVING: Final = {STATE_OPEN: ON, "opening": PARK, "closing": PARK}
_LOCK: Final = {
    "unlocked": RED,
    "open": RED,
    "locking": PARK,
    "unlocking": PARK,
    "opening": PARK,
    "jammed": FAULT,
}
_ALARM_PANEL: Final = {
    "arming": HOLD,
    "pending": HOLD,
    "disarming": HOLD,
    "triggered": ALARM,
}
_MESSAGE: Final = {STATE_ON: MESSAGE}

_FACES: Final[Mapping[str, Mapping[str, Face]]] = {
    "cover": _MOVING,
    "valve": _MOVING,
    "lock": _LOCK,
    # A group has the states of its members: on, home, open or unlocked.
    "group": {STATE_ON: ON, STATE_HOME: ON, STATE_OPEN: ON, "unlocked": ON},
    "media_player": {"playing": ON, "paused": PARK},
    "person": _HOME,
    "device_tracker": _HOME,
    "timer": {"active": PARK, "paused": HOLD},
    "vacuum": {"cleaning": ON, "returning": PARK, "error": ERROR},
    "lawn_mower": {"mowing": ON, "returning": PARK, "error": ERROR},
    "calendar": _MESSAGE,
    "update": _MESSAGE,
} | dict.fromkeys(STATELESS | VALUES, _DARK)
"""Looks by domain and state; other states are off, and other domains lit while on."""

_BY_STATE: Final[Mapping[str, Callable[[State], Face]]] = {
    "light": _light,
    "alarm_control_panel": _alarm_panel,
    "binary_sensor": _binary_sensor,
    "climate": _climate,
    "water_heater": _water_heater,
    "zone": _count(ON),
    "todo": _count(MESSAGE),
}
"""Looks of domains that depend on more than the word of the state."""
