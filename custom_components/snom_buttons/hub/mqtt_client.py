"""Home Assistant's own MQTT client: whether it is there, and how we publish with it."""

from collections.abc import Iterable, Mapping
import logging
from typing import Any, Final

from homeassistant.components import mqtt
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from ..engine.mqtt.publisher import MAX_AGE, Message, MqttPublisher

_LOGGER = logging.getLogger(__name__)

QOS: Final = 1
CLEARING: Final = 10.0
"""Seconds in which the broker can forget a server that is removed."""

_ADD_MQTT: Final = "/config/integrations/dashboard/add?domain=mqtt"
_SHOW_MQTT: Final = "/config/integrations/integration/mqtt"


def make_publisher(hass: HomeAssistant) -> MqttPublisher:
    """Return a publisher that uses Home Assistant's client."""

    async def publish(message: Message) -> None:
        entry = mqtt_entry(hass)
        is_mqtt5 = entry is not None and entry.data.get(mqtt.CONF_PROTOCOL) == "5"
        expiry = None
        if message.born is not None and is_mqtt5:
            # So a subscriber that was away does not get it late either.
            expiry = max(1, int(message.born + MAX_AGE - hass.loop.time()))
        await mqtt.async_publish(
            hass,
            message.topic,
            message.payload,
            QOS,
            message.retain,
            message_expiry_interval=expiry,
        )

    return MqttPublisher(
        publish,
        lambda: is_mqtt_loaded(hass) and mqtt.is_connected(hass),
        hass.loop.time,
    )


async def async_clear(hass: HomeAssistant, topics: Iterable[str]) -> None:
    """Clear topics of a server that is no more."""
    publisher = make_publisher(hass)

    @callback
    def connection_changed(_: bool) -> None:
        # Behind what the client repeats, which may be states of that server.
        hass.loop.call_soon(publisher.connection_changed)

    unsubscribe = mqtt.async_subscribe_connection_status(hass, connection_changed)
    for topic in topics:
        publisher.clear(topic)
    # A broker that is just being restarted will be back.
    await publisher.close(CLEARING, wait_for_connection=is_mqtt_loaded(hass))
    unsubscribe()
    if left := publisher.known:
        _LOGGER.warning(
            "The MQTT broker could not be reached, and keeps %s topics, such as %s."
            " Clear them with: mosquitto_pub -r -n -t TOPIC",
            len(left),
            left[0],
        )


def mqtt_entry(hass: HomeAssistant) -> ConfigEntry | None:
    """Return the entry of Home Assistant's MQTT integration, which has one at most."""
    entries = hass.config_entries.async_entries(
        mqtt.DOMAIN, include_ignore=False, include_disabled=False
    )
    return entries[0] if entries else None


def discovery_prefix(hass: HomeAssistant) -> str:
    """Return what the topics begin with on which things are announced."""
    entry = mqtt_entry(hass)
    options: Mapping[str, Any] = entry.options if entry else {}
    prefix: str = options.get(mqtt.CONF_DISCOVERY_PREFIX, mqtt.DEFAULT_PREFIX)
    return prefix


def is_mqtt_loaded(hass: HomeAssistant) -> bool:
    """Return whether messages can be handed over, now or once there is a connection."""
    entry = mqtt_entry(hass)
    return entry is not None and entry.state is ConfigEntryState.LOADED


def mqtt_link(hass: HomeAssistant) -> str:
    """Return where a user sets the MQTT integration up, or enables it again."""
    is_disabled = bool(
        hass.config_entries.async_entries(mqtt.DOMAIN, include_ignore=False)
    )
    return _SHOW_MQTT if is_disabled else _ADD_MQTT
