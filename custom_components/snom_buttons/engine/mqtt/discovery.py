"""How phones are announced to other Home Assistants on the broker.

One device-based discovery payload per phone (Home Assistant's MQTT integration,
"Device discovery payload").
"""

from typing import Any, Final, NamedTuple

from ..keywords import EFFECTS
from ..phones import MESSAGES, KeyKind, KeySetup, PhoneSetup
from ..xbuttons import Action
from .payloads import DIALLED, PRESS_END
from .topics import Topics, is_topic

DEVICE_AUTOMATION: Final = "device_automation"

PLATFORMS: Final = ("binary_sensor", DEVICE_AUTOMATION, "event", "light", "switch")
"""The platforms of all components."""

STATE: Final = "{{ value_json.state if value_json is defined else '' }}"
"""The template of a key's state; a cleared topic has no JSON."""

INDICATOR: Final = "config"
"""The category of lamps that are not lights of the room. It keeps them out of calls to
areas, and from assistants."""

LINE_USES: Final = (Action.SEIZE.value, Action.RELEASE.value)


class EventNames(NamedTuple):
    """The names of the entities that a phone is announced with, but for its lamps."""

    dialled: str = "Dialled number"
    press: str = "{key} press"
    """With the name of the key for `{key}`."""
    message_lamp: str = "Message lamp"


ENGLISH_NAMES: Final = EventNames()


TRIGGERS: Final = {PRESS_END: "button_short_press", **{use: use for use in LINE_USES}}
"""The type of the device trigger of each type of event."""


def discovery_topic(prefix: str, phone_id: str) -> str:
    """Return the topic of a phone's announcement. `phone_id` is unique on the broker."""
    return f"{prefix}/device/{phone_id}/config"


def is_discovery_topic(topic: str, phone_ids: str) -> bool:
    """Return whether phones are announced on a topic; their IDs begin with `phone_ids`."""
    match topic.split("/"):
        case [_, *_, "device", phone_id, "config"]:
            return phone_id.startswith(phone_ids) and is_topic(topic)
    return False


def discovery_payload(
    topics: Topics,
    phone_id: str,
    phone: PhoneSetup,
    *,
    commands: bool,
    names: EventNames,
) -> dict[str, Any]:
    """Return the announcement of a phone. Without `commands` its keys cannot be set."""
    extension = phone.extension
    components: dict[str, dict[str, Any]] = {
        "dialled": {
            "platform": "event",
            "name": names.dialled,
            "event_types": [DIALLED],
            "state_topic": topics.dialled(extension),
            "value_template": (
                f"{{{{ dict(value_json, event_type='{DIALLED}') | to_json }}}}"
            ),
        },
        **_message_lamp(topics, phone, commands=commands, names=names),
    }
    for key in phone.keys:
        components |= _key_components(
            topics, phone, key, commands=commands, names=names
        )
    for name, component in components.items():
        if component["platform"] != DEVICE_AUTOMATION:
            component["unique_id"] = f"{phone_id}_{name}"
    device = {"identifiers": [phone_id], "name": phone.name}
    if phone.maker:
        device["manufacturer"] = phone.maker
    if phone.model:
        device["model"] = phone.model
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


def _message_lamp(
    topics: Topics, phone: PhoneSetup, *, commands: bool, names: EventNames
) -> dict[str, dict[str, Any]]:
    """Return the entity of the message lamp, which is off by default."""
    extension = phone.extension
    lamp = {
        "name": names.message_lamp,
        "state_topic": topics.state(extension, MESSAGES),
        "enabled_by_default": False,
    }
    if not commands:
        only_read = {"platform": "binary_sensor", "value_template": STATE}
        return {"messages_waiting": lamp | only_read}
    light = {
        "platform": "light",
        "schema": "json",
        "command_topic": topics.set(extension, MESSAGES),
        "supported_color_modes": ["onoff"],
    }
    category = {} if phone.room_lights else {"entity_category": INDICATOR}
    return {"message_lamp": lamp | light | category}


def _key_components(
    topics: Topics,
    phone: PhoneSetup,
    key: KeySetup,
    *,
    commands: bool,
    names: EventNames,
) -> dict[str, dict[str, Any]]:
    """Return the entities and triggers of a key, by a name unique on the phone."""
    if key.kind is KeyKind.NONE:
        return {}
    extension = phone.extension
    category = {} if phone.room_lights else {"entity_category": INDICATOR}
    components: dict[str, dict[str, Any]] = {}
    lamp = {"name": key.title, "state_topic": topics.state(extension, key.name)}
    if not commands or key.kind in (KeyKind.SHARED, KeyKind.LINKED):
        components["binary_sensor"] = lamp | {
            "platform": "binary_sensor",
            "value_template": STATE,
        }
    elif key.kind is KeyKind.SWITCH:
        components["switch"] = (
            lamp
            | category
            | {
                "platform": "switch",
                "value_template": STATE,
                "command_topic": topics.set(extension, key.name),
            }
        )
    else:
        components["light"] = (
            lamp
            | category
            | {
                "platform": "light",
                "schema": "json",
                "command_topic": topics.set(extension, key.name),
                "effect": True,
                "effect_list": list(EFFECTS),
                "supported_color_modes": ["hs" if key.colors else "onoff"],
            }
        )
    event_types = [PRESS_END]
    if key.kind is KeyKind.SHARED:
        event_types += LINE_USES
    components["press"] = {
        "platform": "event",
        "name": names.press.format(key=key.title),
        "device_class": "button",
        "event_types": event_types,
        "state_topic": topics.event(extension, key.name),
    }
    for event_type in event_types:
        components[event_type] = {
            "platform": DEVICE_AUTOMATION,
            "automation_type": "trigger",
            "type": TRIGGERS[event_type],
            "subtype": key.title,
            "topic": topics.event(extension, key.name),
            "value_template": "{{ value_json.event_type }}",
            "payload": event_type,
        }
    return {f"{key.name}_{name}": component for name, component in components.items()}
