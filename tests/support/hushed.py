"""A server whose settings, keys and events all have recognisable values.

Each text field that exists has a value with the word `hush`, which must not appear where
the field is private.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.phones import Dialled, KeyPress, LineUse
from custom_components.snom_buttons.engine.xbuttons import (
    Forward,
    ForwardCondition,
    LightMode,
    MessageWaiting,
    Treatment,
)
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant

from .entries import line_subentry, phone_subentry
from .ports import LOCALHOST

EXTENSION: Final = "hush-extension"
CALLER: Final = "+49 555 0123456 hush-caller"
DIALLED: Final = "hush-dialled"

SERVER: Final = {
    "host": LOCALHOST,
    "port": 5060,
    "realm": "hush-realm",
    "advertised_host": "hush-host.example",
    "udp": {"enabled": True, "advertised": "hush-udp.example:5070"},
    "tcp": {"enabled": False, "port": 5060, "advertised": "hush-tcp.example"},
    "tls": {
        "enabled": True,
        "port": 5061,
        "advertised": "hush-tls.example",
        "certificate": "/hush/certificate.pem",
        "private_key": "/hush/key.pem",
    },
    "access": {
        "networks": ["127.0.0.0/8", "198.51.100.0/24"],
        "edges": ["203.0.113.77/32"],
        "edge_ca": "/hush/edges.pem",
        "keepalive": 60,
        "plug_and_play": True,
        "settings_port": 8124,
    },
}
MQTT: Final = {
    "mqtt": True,
    "base_topic": "hush-base",
    "commands": True,
    "discovery": True,
}
KEY: Final = {
    "key": "hush-key",
    "name": "hush-key-name",
    "kind": "switch",
    "colors": True,
    "toggle": True,
    "light_on": "hold",
    "light_off": "off",
    "number_on": "hush-number-on",
    "number_off": "hush-number-off",
}
LINK: Final = {
    "follows": "light.hush_follows",
    "look_table": {"hush-state": "hush-look"},
    "look_template": "{{ 'hush-template' }}",
    "press": "automatic",
    "actions": ["hush-actions"],
    "target": "light.hush_target",
    "label": "state",
    "label_template": "hush-label-template",
    "confirm": "always",
    "unavailable": "error",
    "code": "hush-alarm-code",
    "no_code": True,
}
LINKED_KEY: Final = {
    "key": "hush-linked",
    "name": "hush-linked-name",
    "kind": "linked",
    "colors": False,
}
SENDING: Final = {
    "speakers": "both",
    "press_answer": "decline",
    "inverted": True,
    "states": dict.fromkeys(LightMode, "trying"),
}
DIALLING: Final = {
    "answer": "redirect",
    "redirect_to": "sip:{number}@hush-redirect.example",
    "dial_rules": [{"number": DIALLED, "run": "script.hush_rule"}],
}
PHONE: Final = {
    "extension": EXTENSION,
    "password": "hush-password",
    "former_password": "hush-former-password",
    "former_until": "hush-former-until",
    "model": "D785",
    "token": "hush-token",
    "mac": "hush-mac",
    "keys": [KEY, LINKED_KEY | LINK],
    "expansion": "1x D7",
    "room_lights": True,
    "provisioning": {
        "beside": True,
        "identity": 3,
        "lamps": True,
        "web_password": "hush-web-password",
    },
    "dialling": DIALLING,
    "sending": SENDING,
}
ADDRESS: Final = {"address": "127.0.0.77:5077"}
MAKER: Final = {"maker": "yealink"}
LINE: Final = {
    "code": "hush-code",
    "keys": [{"phone": "hush-subentry", "key": "hush-line-key"}],
    "release_after": 30,
}
LOOK: Final[dict[str, Any]] = {
    "name": "hush-key",
    "light": "hush-light",
    "color": "#1B2C3D",
    "number": "hush-number",
    "action": "hush-action",
    "label": "hush-label",
    "display_name": "hush-display-name",
    "caller": CALLER,
    "direction": "hush-direction",
    "forward": Forward(ForwardCondition.ALWAYS, "hush-forward"),
    "message_waiting": MessageWaiting(4711, 4712),
    "release": "hush-release",
    "states": ("hush-state",),
    "treatment": Treatment("hush-treatment", "hush-text"),
    "type": "hush-type",
    "extensions": (("zz", "hush-property"),),
}
NO_WORDS: Final = [
    LOCALHOST,
    "198.51.100.0/24",
    "192.0.2.77",
    "127.0.0.77",
    "#1B2C3D",
    "4711",
    "0004130DD7C9",
    "555 0123456",
]
"""Recognisable values that cannot have a word."""
HAPPENING: Final = {"time", "id", "cause", "taken"}
"""Made by the server itself."""
EVENTS: Final[dict[type, set[str]]] = {
    KeyPress: {"extension", "key", "action", "number", "caller", "use", "simulated"}
    | HAPPENING,
    Dialled: {"extension", "number"} | HAPPENING,
    LineUse: {"extension", "use"} | HAPPENING,
}
"""The fields of events. All get a value in `test_no_value_is_shown`."""


def texts(value: object) -> Iterator[str]:
    """Yield all texts within a value but the empty ones, which are in any text."""
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from texts(item)
    elif isinstance(value, str) and value:
        yield value


def with_new_field(value: Any) -> Any:
    """Return a value in which each object has a field that the product lacks."""
    if isinstance(value, Mapping):
        known = {name: with_new_field(item) for name, item in value.items()}
        return known | {"new": {"hush": "hush"}}
    return (
        [with_new_field(item) for item in value] if isinstance(value, list) else value
    )


async def set_up(hass: HomeAssistant, port: int) -> MockConfigEntry:
    """Set up a server whose fields all have recognisable values."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="hush-title",
        data=with_new_field(SERVER | {"port": port}),
        options=with_new_field(MQTT),
        subentries_data=[
            ConfigSubentryData(
                data=with_new_field(PHONE),
                subentry_id="hush-subentry",
                subentry_type="phone",
                title="hush-phone",
                unique_id=EXTENSION,
            ),
            phone_subentry("hush-other", **with_new_field(ADDRESS | MAKER)),
            line_subentry(**with_new_field(LINE)),
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry
