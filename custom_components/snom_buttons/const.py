"""Names that several modules use."""

from typing import Final

from homeassistant.const import Platform

from .engine.xbuttons import Action

DOMAIN: Final = "snom_buttons"

ENTRY_VERSION: Final = 1
"""The major version of config entries: a later one is refused."""
ENTRY_MINOR_VERSION: Final = 1

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.LIGHT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.TEXT,
]

PANEL_PATH: Final = "snom-phones"
"""The page of all phones; `snom-phones/DEVICE_ID` is that of one."""

KEY_ENTITIES: Final[dict[str, str]] = {
    Platform.EVENT: "press",
    Platform.LIGHT: "led",
    Platform.SWITCH: "led",
    Platform.TEXT: "label",
}
"""The suffixes in unique IDs of a key's entities, after the key's name."""

SUBENTRY_TYPE_PHONE: Final = "phone"
SUBENTRY_TYPE_SHARED_LINE: Final = "shared_line"

CONF_ACCESS: Final = "access"
CONF_ACTIONS: Final = "actions"
CONF_ADVERTISED: Final = "advertised"
CONF_ADVERTISED_HOST: Final = "advertised_host"
CONF_ANSWER: Final = "answer"
CONF_BASE_TOPIC: Final = "base_topic"
CONF_BESIDE: Final = "beside"
CONF_CERTIFICATE: Final = "certificate"
CONF_COLORS: Final = "colors"
CONF_COMMANDS: Final = "commands"
CONF_CONFIRM: Final = "confirm"
CONF_DIALLING: Final = "dialling"
CONF_DIAL_RULES: Final = "dial_rules"
CONF_EDGES: Final = "edges"
CONF_EDGE_CA: Final = "edge_ca"
CONF_EXPANSION: Final = "expansion"
CONF_EXTENSION: Final = "extension"
CONF_FOLLOWS: Final = "follows"
CONF_FORMER: Final = "former_password"
CONF_FORMER_UNTIL: Final = "former_until"
CONF_IDENTITY: Final = "identity"
CONF_INVERTED: Final = "inverted"
CONF_KEEPALIVE: Final = "keepalive"
CONF_KEY: Final = "key"
CONF_KEYS: Final = "keys"
CONF_KIND: Final = "kind"
CONF_LABEL: Final = "label"
CONF_LABEL_TEMPLATE: Final = "label_template"
CONF_LAMPS: Final = "lamps"
CONF_LIGHT_OFF: Final = "light_off"
CONF_LIGHT_ON: Final = "light_on"
CONF_LOOK_TABLE: Final = "look_table"
CONF_LOOK_TEMPLATE: Final = "look_template"
CONF_MAKER: Final = "maker"
CONF_MQTT: Final = "mqtt"
CONF_NETWORKS: Final = "networks"
CONF_NO_CODE: Final = "no_code"
CONF_NUMBER: Final = "number"
CONF_NUMBER_OFF: Final = "number_off"
CONF_NUMBER_ON: Final = "number_on"
CONF_PHONE: Final = "phone"
CONF_PLUG_AND_PLAY: Final = "plug_and_play"
CONF_PRESS: Final = "press"
CONF_PRESS_ANSWER: Final = "press_answer"
CONF_PRIVATE_KEY: Final = "private_key"
CONF_PROVISIONING: Final = "provisioning"
CONF_REALM: Final = "realm"
CONF_REDIRECT_TO: Final = "redirect_to"
CONF_RELEASE_AFTER: Final = "release_after"
CONF_ROOM_LIGHTS: Final = "room_lights"
CONF_RUN: Final = "run"
CONF_SENDING: Final = "sending"
CONF_SETTINGS_PORT: Final = "settings_port"
CONF_SPEAKERS: Final = "speakers"
CONF_STATES: Final = "states"
CONF_TARGET: Final = "target"
CONF_TCP: Final = "tcp"
CONF_TLS: Final = "tls"
CONF_TOGGLE: Final = "toggle"
CONF_UDP: Final = "udp"
CONF_UNAVAILABLE: Final = "unavailable"
CONF_WEB_PASSWORD: Final = "web_password"  # noqa: S105, the name of a field

ANSWER_WAIT: Final = 10.0
"""Seconds to wait for the answer of a phone. By UDP a request is sent five times in this
time (RFC 3261 17.1.2.2)."""

DEFAULT_REALM: Final = "home-assistant"
MODEL_OTHER: Final = "other"

EVENT_KEY_PRESS: Final = f"{DOMAIN}_key_press"
EVENT_DIALLED: Final = f"{DOMAIN}_dialled"
EVENT_SHARED_LINE: Final = f"{DOMAIN}_shared_line"

LINE_USES: Final = [Action.SEIZE.value, Action.RELEASE.value]
"""The event types of a shared line."""

ATTR_ACTION: Final = "action"
ATTR_CALLER: Final = "caller"
ATTR_KEY: Final = "key"
ATTR_NUMBER: Final = "number"
ATTR_PHONE: Final = "phone"
ATTR_SIMULATED: Final = "simulated"
ATTR_USE: Final = "use"
