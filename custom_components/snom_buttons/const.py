"""Names that several modules of the integration share."""

from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "snom_buttons"
MANUFACTURER: Final = "snom"

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.EVENT,
    Platform.LIGHT,
    Platform.SWITCH,
]

SUBENTRY_TYPE_PHONE: Final = "phone"

CONF_ADVERTISED_HOST: Final = "advertised_host"
CONF_COLORS: Final = "colors"
CONF_EXTENSION: Final = "extension"
CONF_KEY: Final = "key"
CONF_KEY_COUNT: Final = "key_count"
CONF_KEYS: Final = "keys"
CONF_KIND: Final = "kind"
CONF_REALM: Final = "realm"

MODEL_OTHER: Final = "other"

EVENT_KEY_PRESS: Final = f"{DOMAIN}_key_press"
EVENT_DIALLED: Final = f"{DOMAIN}_dialled"

ATTR_ACTION: Final = "action"
ATTR_KEY: Final = "key"
ATTR_NUMBER: Final = "number"
ATTR_PHONE: Final = "phone"
