"""Home Assistant's MQTT integration, as its config entry describes it.

Nothing here imports that integration.
"""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant

# As in homeassistant.components.mqtt; a test compares them.
MQTT_DOMAIN: Final = "mqtt"
CONF_DISCOVERY_PREFIX: Final = "discovery_prefix"
DEFAULT_PREFIX: Final = "homeassistant"

_ADD_MQTT: Final = f"/config/integrations/dashboard/add?domain={MQTT_DOMAIN}"
_SHOW_MQTT: Final = f"/config/integrations/integration/{MQTT_DOMAIN}"


def mqtt_entry(hass: HomeAssistant) -> ConfigEntry[Any] | None:
    """Return the entry of the MQTT integration, which has one at most."""
    entries = hass.config_entries.async_entries(
        MQTT_DOMAIN, include_ignore=False, include_disabled=False
    )
    return entries[0] if entries else None


def is_mqtt_loaded(hass: HomeAssistant) -> bool:
    """Return whether the integration accepts messages, with or without a connection."""
    entry = mqtt_entry(hass)
    return entry is not None and entry.state is ConfigEntryState.LOADED


def discovery_prefix(hass: HomeAssistant) -> str:
    """Return the beginning of the topics of announcements."""
    entry = mqtt_entry(hass)
    options = entry.options if entry else {}
    return str(options.get(CONF_DISCOVERY_PREFIX, DEFAULT_PREFIX))


def mqtt_link(hass: HomeAssistant) -> str:
    """Return the page on which a user adds the integration, or enables it again."""
    is_disabled = bool(
        hass.config_entries.async_entries(MQTT_DOMAIN, include_ignore=False)
    )
    return _SHOW_MQTT if is_disabled else _ADD_MQTT
