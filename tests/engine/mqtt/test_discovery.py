"""How phones are announced to other Home Assistants."""

from typing import Any

import pytest

from custom_components.snom_buttons.engine.mqtt.discovery import (
    ENGLISH_NAMES,
    EventNames,
    discovery_payload,
    discovery_topic,
)
from custom_components.snom_buttons.engine.mqtt.topics import Topics
from custom_components.snom_buttons.engine.phones import KeyKind, KeySetup, PhoneSetup
from custom_components.snom_buttons.engine.xbuttons import KeyDescription

STATE = "{{ value_json.state if value_json is defined else '' }}"
BINARY_SENSOR = {
    "platform": "binary_sensor",
    "unique_id": "snom_buttons_abc_7_binary_sensor",
    "name": "Gate",
    "state_topic": "base/44/key/7/state",
    "value_template": STATE,
}
SWITCH = {
    "platform": "switch",
    "unique_id": "snom_buttons_abc_7_switch",
    "name": "Gate",
    "state_topic": "base/44/key/7/state",
    "value_template": STATE,
    "command_topic": "base/44/key/7/set",
    "entity_category": "config",
}
LIGHT = {
    "platform": "light",
    "unique_id": "snom_buttons_abc_7_light",
    "schema": "json",
    "name": "Gate",
    "state_topic": "base/44/key/7/state",
    "command_topic": "base/44/key/7/set",
    "effect": True,
    "effect_list": [
        *("off", "hold", "pickup", "park", "message", "offline", "error"),
        *("seized", "record"),
    ],
    "entity_category": "config",
}


def press(*event_types: str) -> dict[str, Any]:
    """Return the event entity of a key."""
    return {
        "platform": "event",
        "unique_id": "snom_buttons_abc_7_press",
        "name": "Gate press",
        "device_class": "button",
        "event_types": list(event_types),
        "state_topic": "base/44/key/7/event",
    }


def trigger(kind: str, event_type: str) -> dict[str, Any]:
    """Return a device trigger of a key."""
    return {
        "platform": "device_automation",
        "automation_type": "trigger",
        "type": kind,
        "subtype": "Gate",
        "topic": "base/44/key/7/event",
        "value_template": "{{ value_json.event_type }}",
        "payload": event_type,
    }


PRESS = {
    "7_press": press("press_end"),
    "7_press_end": trigger("button_short_press", "press_end"),
}
USES = {
    "7_press": press("press_end", "seize", "release"),
    "7_press_end": trigger("button_short_press", "press_end"),
    "7_seize": trigger("seize", "seize"),
    "7_release": trigger("release", "release"),
}
MESSAGE_LAMP = {
    "message_lamp": {
        "platform": "light",
        "unique_id": "snom_buttons_abc_message_lamp",
        "schema": "json",
        "name": "Message lamp",
        "state_topic": "base/44/messages",
        "command_topic": "base/44/messages/set",
        "supported_color_modes": ["onoff"],
        "entity_category": "config",
        "enabled_by_default": False,
    }
}
MESSAGES_WAITING = {
    "messages_waiting": {
        "platform": "binary_sensor",
        "unique_id": "snom_buttons_abc_messages_waiting",
        "name": "Message lamp",
        "state_topic": "base/44/messages",
        "value_template": STATE,
        "enabled_by_default": False,
    }
}
HS_LIGHT = LIGHT | {"supported_color_modes": ["hs"]}
ONOFF_LIGHT = LIGHT | {"supported_color_modes": ["onoff"]}


def announced(
    *keys: KeySetup,
    commands: bool = True,
    names: EventNames = ENGLISH_NAMES,
    **changes: Any,
) -> Any:
    """Return how a phone with some keys is announced."""
    phone = PhoneSetup(
        **{"extension": "44", "name": "Desk", "password": "secret", "model": "D785"}
        | changes,
        keys=keys,
    )
    return discovery_payload(
        Topics("base"),
        "snom_buttons_abc",
        phone,
        commands=commands,
        names=names,
    )


def key_setup(
    name: str, title: str, kind: KeyKind = KeyKind.LIGHT, *, colors: bool = False
) -> KeySetup:
    return KeySetup(
        off=KeyDescription(name=name), kind=kind, colors=colors, title=title
    )


def test_where_a_phone_is_announced() -> None:
    topic = discovery_topic("found", "snom_buttons_abc")
    assert topic == "found/device/snom_buttons_abc/config"


@pytest.mark.parametrize(
    ("kind", "colors", "commands", "components"),
    [
        (KeyKind.LIGHT, False, True, PRESS | {"7_light": ONOFF_LIGHT}),
        (KeyKind.LIGHT, True, True, PRESS | {"7_light": HS_LIGHT}),
        (KeyKind.LIGHT, True, False, PRESS | {"7_binary_sensor": BINARY_SENSOR}),
        (KeyKind.SWITCH, True, True, PRESS | {"7_switch": SWITCH}),
        (KeyKind.SWITCH, False, False, PRESS | {"7_binary_sensor": BINARY_SENSOR}),
        (KeyKind.LINKED, True, True, PRESS | {"7_binary_sensor": BINARY_SENSOR}),
        (KeyKind.LINKED, False, False, PRESS | {"7_binary_sensor": BINARY_SENSOR}),
        (KeyKind.SHARED, True, True, USES | {"7_binary_sensor": BINARY_SENSOR}),
        (KeyKind.SHARED, False, False, USES | {"7_binary_sensor": BINARY_SENSOR}),
        (KeyKind.NONE, True, True, {}),
        (KeyKind.NONE, False, False, {}),
    ],
)
def test_how_a_key_is_announced(
    kind: KeyKind, colors: bool, commands: bool, components: dict[str, Any]
) -> None:
    key = key_setup("7", "Gate", kind, colors=colors)
    payload = announced(key, commands=commands)
    for name in ("dialled", "message_lamp" if commands else "messages_waiting"):
        del payload["components"][name]
    assert payload["components"] == components


@pytest.mark.parametrize("name", ["7_light", "7_switch", "message_lamp"])
def test_lights_of_the_room_have_no_category(name: str) -> None:
    is_switch = name == "7_switch"
    key = key_setup("7", "Gate", KeyKind.SWITCH if is_switch else KeyKind.LIGHT)
    [indicator, light] = (
        announced(key, room_lights=chosen)["components"][name]
        for chosen in (False, True)
    )
    assert indicator == light | {"entity_category": "config"}


@pytest.mark.parametrize("commands", [True, False])
@pytest.mark.parametrize(("model", "said"), [("D785", {"model": "D785"}), ("", {})])
def test_how_a_phone_is_announced(
    model: str, said: dict[str, str], commands: bool
) -> None:
    assert announced(model=model, commands=commands) == {
        "device": {
            "identifiers": ["snom_buttons_abc"],
            "name": "Desk",
            "manufacturer": "snom",
        }
        | said,
        "origin": {"name": "Snom Buttons"},
        "availability": [
            {"topic": "base/status"},
            {"topic": "base/44/availability"},
        ],
        "availability_mode": "all",
        "qos": 1,
        "components": {
            "dialled": {
                "platform": "event",
                "unique_id": "snom_buttons_abc_dialled",
                "name": "Dialled number",
                "event_types": ["dialled"],
                "state_topic": "base/44/dialled",
                "value_template": (
                    "{{ dict(value_json, event_type='dialled') | to_json }}"
                ),
            }
        }
        | (MESSAGE_LAMP if commands else MESSAGES_WAITING),
    }


@pytest.mark.parametrize(("maker", "said"), [("Yealink", "Yealink"), ("", None)])
def test_a_phone_of_another_maker_is_announced_as_that(
    maker: str, said: str | None
) -> None:
    assert announced(maker=maker)["device"].get("manufacturer") == said


def test_names_of_events_are_those_of_the_caller() -> None:
    names = EventNames("Gewählt", "{key} gedrückt", "Nachrichten")
    components = announced(key_setup("1", "{Tor}"), names=names)["components"]
    assert components["dialled"]["name"] == "Gewählt"
    assert components["1_press"]["name"] == "{Tor} gedrückt"
    assert components["message_lamp"]["name"] == "Nachrichten"


def test_each_key_is_announced() -> None:
    keys = [key_setup(f"{n}", f"Key {n}") for n in range(1, 4)]
    assert list(announced(*keys)["components"]) == [
        "dialled",
        "message_lamp",
        *(f"{n}_{what}" for n in "123" for what in ("light", "press", "press_end")),
    ]
