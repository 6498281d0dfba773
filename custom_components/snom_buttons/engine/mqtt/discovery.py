"""What other Home Assistants on the broker are told, so that they set our phones up.

One device-based discovery payload per phone, as Home Assistant's MQTT integration
documents it. Our own Home Assistant, which has the phones already, is kept from it.
"""

from collections import deque
from typing import Any, Final

from homeassistant.components.event import ButtonEventType, EventDeviceClass
from homeassistant.components.mqtt.models import DATA_MQTT
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback

from ...const import DOMAIN, EVENT_TYPE_DIALLED, LINE_USES, MANUFACTURER, MODEL_OTHER
from ...hub.phone import SnomPhone
from ...hub.settings import KeySettings
from ..keywords import EFFECTS
from ..phones import KeyKind
from .payloads import Topics

DEVICE_AUTOMATION: Final = "device_automation"

STATE: Final = "{{ value_json.state if value_json is defined else '' }}"
"""The state of a key; a topic that was cleared has no JSON."""

TRIGGERS: Final = {
    ButtonEventType.PRESS_END.value: "button_short_press",
    **{use: use for use in LINE_USES},
}
"""For each kind of event the type of device trigger."""


def discovery_id(phone: SnomPhone) -> str:
    """Return what names a phone on the broker; no other phone has the same."""
    return f"{DOMAIN}_{phone.settings.subentry_id}"


def discovery_topic(prefix: str, phone: SnomPhone) -> str:
    """Return where a phone is announced."""
    return f"{prefix}/device/{discovery_id(phone)}/config"


def discovery_payload(
    topics: Topics, phone: SnomPhone, *, commands: bool
) -> dict[str, Any]:
    """Return how a phone is announced. Without `commands` there is nothing to set."""
    settings = phone.settings
    extension = settings.extension
    components = {
        "dialled": {
            "platform": Platform.EVENT,
            "name": "Dialled number",
            "event_types": [EVENT_TYPE_DIALLED],
            "state_topic": topics.dialled(extension),
            "value_template": (
                f"{{{{ dict(value_json, event_type='{EVENT_TYPE_DIALLED}') | to_json }}}}"
            ),
        }
    }
    for key in settings.keys:
        components |= _key_components(topics, extension, key, commands=commands)
    for name, component in components.items():
        if component["platform"] != DEVICE_AUTOMATION:
            component["unique_id"] = f"{discovery_id(phone)}_{name}"
    device = {
        "identifiers": [discovery_id(phone)],
        "name": settings.name,
        "manufacturer": MANUFACTURER,
    }
    if settings.model != MODEL_OTHER:
        device["model"] = settings.model
    return {
        "device": device,
        "origin": {"name": "Snom Buttons"},
        "availability": [
            {"topic": topics.status},
            {"topic": topics.availability(extension)},
        ],
        "availability_mode": "all",
        "qos": 1,
        "components": components,
    }


def _key_components(
    topics: Topics, phone: str, key: KeySettings, *, commands: bool
) -> dict[str, dict[str, Any]]:
    """Return the entities and triggers of a key, by what names them on the phone."""
    if key.kind is KeyKind.NONE:
        return {}
    components: dict[str, dict[str, Any]] = {}
    lamp = {"name": key.name, "state_topic": topics.state(phone, key.key)}
    if not commands or key.kind is KeyKind.SHARED:
        components["binary_sensor"] = lamp | {
            "platform": Platform.BINARY_SENSOR,
            "value_template": STATE,
        }
    elif key.kind is KeyKind.SWITCH:
        components["switch"] = lamp | {
            "platform": Platform.SWITCH,
            "value_template": STATE,
            "command_topic": topics.set(phone, key.key),
        }
    else:
        components["light"] = lamp | {
            "platform": Platform.LIGHT,
            "schema": "json",
            "command_topic": topics.set(phone, key.key),
            "effect": True,
            "effect_list": list(EFFECTS),
            "supported_color_modes": ["hs" if key.colors else "onoff"],
        }
    event_types = [ButtonEventType.PRESS_END.value]
    if key.kind is KeyKind.SHARED:
        event_types += LINE_USES
    components["press"] = {
        "platform": Platform.EVENT,
        "name": f"{key.name} press",
        "device_class": EventDeviceClass.BUTTON,
        "event_types": event_types,
        "state_topic": topics.event(phone, key.key),
    }
    for event_type in event_types:
        components[event_type] = {
            "platform": DEVICE_AUTOMATION,
            "automation_type": "trigger",
            "type": TRIGGERS[event_type],
            "subtype": key.name,
            "topic": topics.event(phone, key.key),
            "value_template": "{{ value_json.event_type }}",
            "payload": event_type,
        }
    return {f"{key.key}_{name}": component for name, component in components.items()}


@callback
def async_hide(hass: HomeAssistant, phone: SnomPhone, payload: dict[str, Any]) -> None:
    """Keep our own Home Assistant from what the payload announces.

    There is no setting for that. What it takes for being set up already it leaves for
    later; here that time never comes.
    """
    if DATA_MQTT not in hass.data:  # nobody there yet to keep from it
        return
    pending = hass.data[DATA_MQTT].discovery_pending_discovered
    for name, component in payload["components"].items():
        pending[component["platform"], f"{discovery_id(phone)} {name}"] = {
            "unsub": lambda: None,
            "pending": deque(maxlen=0),
        }
