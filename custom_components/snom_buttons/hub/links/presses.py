"""What a press of a linked key does: the automatic action, by domain."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from homeassistant.components.cover import CoverDeviceClass, CoverEntityFeature
from homeassistant.const import (
    ATTR_CODE,
    ATTR_DEVICE_CLASS,
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    SERVICE_TOGGLE,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_UNAVAILABLE,
)
from homeassistant.core import (
    DOMAIN as HOMEASSISTANT_DOMAIN,
    HomeAssistant,
    State,
    callback,
    valid_entity_id,
)
from homeassistant.helpers import entity_registry as er

from ..settings import LinkConfirm, LinkPress, LinkSettings


class Call(NamedTuple):
    """A call of an action of Home Assistant."""

    domain: str
    service: str
    data: Mapping[str, str]


CONFIRMED_COVERS: Final = (
    CoverDeviceClass.GARAGE,
    CoverDeviceClass.GATE,
    CoverDeviceClass.DOOR,
)


@callback
def acted_on(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity; one that is not there is unavailable."""
    if state := hass.states.get(entity_id):
        return state
    known = er.async_get(hass).async_get(entity_id)
    kind = known and (known.device_class or known.original_device_class)
    attributes = {ATTR_DEVICE_CLASS: kind} if kind else {}
    return State(entity_id, STATE_UNAVAILABLE, attributes, validate_entity_id=False)


def call_for(state: State, link: LinkSettings) -> Call | None:
    """Return the automatic action of a press of an entity; None for nothing."""
    domain = state.domain
    data = {ATTR_ENTITY_ID: state.entity_id}
    if link.press is LinkPress.NOTHING:
        return None
    if domain == "group":
        return Call(HOMEASSISTANT_DOMAIN, SERVICE_TOGGLE, data)
    if domain in _TOGGLED:
        return Call(domain, SERVICE_TOGGLE, data)
    if domain == "alarm_control_panel" and not (link.code or link.no_code):
        return None
    service_of = _SERVICES.get(domain)
    if service_of is None:
        return None
    if link.code and domain in ("alarm_control_panel", "lock"):
        data[ATTR_CODE] = link.code
    return Call(domain, service_of(state), data)


def deed_of(domain: str) -> str | None:
    """Return the name of what a press does to a domain; None for nothing.

    It is part of the keys of the texts `link_press_…`.
    """
    return "toggle" if domain in _TOGGLED else _DEEDS.get(domain)


@callback
def needs_confirmation(hass: HomeAssistant, state: State, link: LinkSettings) -> bool:
    """Return whether a press has to be repeated before it acts on an entity.

    By default that is so for a group or a scene if it is so for one of its members, or
    for one of theirs.
    """
    if link.confirm is not LinkConfirm.AUTOMATIC:
        return link.confirm is LinkConfirm.ALWAYS
    seen, waiting = {state.entity_id}, [state]
    while waiting:
        if is_confirmed(state := waiting.pop()):
            return True
        members = state.attributes.get(ATTR_ENTITY_ID)
        # Attributes may be anything.
        for member in members if isinstance(members, list | tuple) else ():
            name = str(member)
            if name not in seen and valid_entity_id(name):
                seen.add(name)
                waiting.append(acted_on(hass, name))
    return False


def is_confirmed(state: State) -> bool:
    """Return whether a press has to be repeated before it acts, by default."""
    if state.domain == "cover":
        return state.attributes.get(ATTR_DEVICE_CLASS) in CONFIRMED_COVERS
    return state.domain in ("alarm_control_panel", "lock")


def _always(service: str) -> Callable[[State], str]:
    return lambda _: service


def _opened(kind: str) -> Callable[[State], str]:
    """Return the choice for covers and valves, `kind`: a moving one is stopped."""

    def choose(state: State) -> str:
        if state.state in ("opening", "closing") and _can_stop(state):
            return f"stop_{kind}"
        # The position of many covers with a radio remote is never known. One that moves
        # and cannot be stopped turns round.
        return {"closed": f"open_{kind}", "open": f"close_{kind}"}.get(
            state.state, SERVICE_TOGGLE
        )

    return choose


def _can_stop(state: State) -> bool:
    features = state.attributes.get(ATTR_SUPPORTED_FEATURES)
    # The same flag as that of valves.
    return not isinstance(features, int) or bool(features & CoverEntityFeature.STOP)


def _unless(
    states: tuple[str, ...], service: str, otherwise: str
) -> Callable[[State], str]:
    """Return the choice of one of two actions, `otherwise` in these states."""
    return lambda state: otherwise if state.state in states else service


_TOGGLED: Final = frozenset(
    (
        "automation",
        "climate",
        "fan",
        "humidifier",
        "input_boolean",
        "light",
        "remote",
        "siren",
        "switch",
    )
)
_SERVICES: Final[Mapping[str, Callable[[State], str]]] = {
    "cover": _opened("cover"),
    "valve": _opened("valve"),
    # A lock that is on its way is sent back; a jammed one is locked.
    "lock": _unless(("locked", "locking"), "lock", "unlock"),
    "alarm_control_panel": _unless(("disarmed",), "alarm_disarm", "alarm_arm_away"),
    "media_player": _always("media_play_pause"),
    # It has no toggle.
    "water_heater": _unless((STATE_OFF,), SERVICE_TURN_OFF, SERVICE_TURN_ON),
    "timer": _unless(("active",), "start", "cancel"),
    "vacuum": _unless(("cleaning",), "start", "return_to_base"),
    "lawn_mower": _unless(("mowing",), "start_mowing", "dock"),
    "scene": _always(SERVICE_TURN_ON),
    "script": _always(SERVICE_TURN_ON),
    "button": _always("press"),
    "input_button": _always("press"),
}
"""The choice of an action from the state, by domain."""

_DEEDS: Final[Mapping[str, str]] = {
    "group": "toggle",
    "cover": "open",
    "valve": "open",
    "lock": "lock",
    "alarm_control_panel": "arm",
    "media_player": "play",
    "water_heater": "toggle",
    "timer": "start",
    "vacuum": "work",
    "lawn_mower": "work",
    "scene": "run",
    "script": "run",
    "button": "push",
    "input_button": "push",
}
"""The names of what the actions do, by domain."""

DEEDS: Final = frozenset(("toggle", *_DEEDS.values()))
