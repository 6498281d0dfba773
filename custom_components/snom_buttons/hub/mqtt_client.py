"""Home Assistant's MQTT client as the engine uses it.

The only module that imports the MQTT integration, and only where it is used.
"""

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
import logging
from typing import Any, Final

from homeassistant.const import CONF_PROTOCOL
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.importlib import async_import_module

from ..const import DOMAIN
from ..engine.mqtt import (
    MAX_AGE,
    CannotPublish,
    Message,
    MqttPublisher,
    Received,
    read_left_behind,
)
from .mqtt_entry import is_mqtt_loaded, mqtt_entry

_LOGGER = logging.getLogger(__name__)

PHONE_IDS: Final = f"{DOMAIN}_"
"""How the IDs begin under which phones are announced; a subentry follows."""

QOS: Final = 1
CLEARING: Final = 10.0
"""Seconds in which the topics of a removed server can be cleared."""

MQTT_DATA: Final = "mqtt"
"""The key of the integration's data in `hass.data`."""
_PENDING: Final = frozenset(("pending", "unsub"))
"""The parts of a discovery that waits for another of the same component."""


class HomeAssistantClient:
    """The client of the MQTT integration, which may be loaded and unloaded at any time."""

    repeats_late = True

    def __init__(self, hass: HomeAssistant) -> None:
        """Use the integration of this Home Assistant."""
        self._hass = hass
        self._can_hide = True

    async def load(self) -> None:
        """Import the integration, in a thread; to be awaited before the client is used."""
        await async_import_module(self._hass, "homeassistant.components.mqtt")

    @property
    def is_ready(self) -> bool:
        """Whether the client accepts subscriptions, with or without a connection."""
        return is_mqtt_loaded(self._hass)

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection to the broker."""
        from homeassistant.components import mqtt

        return self.is_ready and mqtt.is_connected(self._hass)

    async def publish(self, message: Message) -> None:
        """Publish a message. Raises CannotPublish."""
        from homeassistant.components import mqtt

        entry = mqtt_entry(self._hass)
        is_mqtt5 = entry is not None and entry.data.get(CONF_PROTOCOL) == "5"
        expiry = None
        if message.born is not None and is_mqtt5:
            # So a subscriber that was away does not get it late.
            expiry = max(1, int(message.born + MAX_AGE - self._hass.loop.time()))
        try:
            await mqtt.async_publish(
                self._hass,
                message.topic,
                message.payload,
                QOS,
                message.retain,
                message_expiry_interval=expiry,
            )
        except HomeAssistantError as err:
            raise CannotPublish(str(err)) from err

    async def publish_last(self, message: Message) -> None:
        """Publish a message while the integration is being unloaded, if it still can."""
        from homeassistant.components import mqtt

        if mqtt.is_connected(self._hass):
            with suppress(CannotPublish):
                await self.publish(message)

    async def subscribe(
        self,
        topic: str,
        qos: int,
        received: Callable[[Received], None],
        confirmed: Callable[[], None] | None = None,
    ) -> CALLBACK_TYPE:
        """Subscribe, now and after each reconnect; return a function that ends it."""
        from homeassistant.components import mqtt

        @callback
        def receive(message: Any) -> None:
            assert isinstance(message.payload, bytes)
            received(Received(message.topic, message.payload, message.retain))

        ends = ExitStack()
        subscribe, done = mqtt.async_subscribe, mqtt.async_on_subscribe_done
        ends.callback(await subscribe(self._hass, topic, receive, qos, encoding=None))
        if confirmed is not None:
            # If another integration subscribes to the same with another QoS, the
            # higher one counts.
            ends.callback(done(self._hass, topic, qos, confirmed))
            ends.callback(done(self._hass, topic, qos + 1, confirmed))
        return ends.close

    @callback
    def follow_connection(self, changed: Callable[[bool], None]) -> CALLBACK_TYPE:
        """Call `changed` when a connection is made or lost; return a function to end that."""
        from homeassistant.components import mqtt

        return mqtt.async_subscribe_connection_status(self._hass, changed)

    @callback
    def hide(self, phone_id: str, payload: Mapping[str, Any]) -> bool:
        """Keep this Home Assistant from setting up what an announcement contains.

        Return False if that is impossible: the announcement must not be published then.
        Decision 12 explains why this uses internals of the integration.
        """
        from homeassistant.components import mqtt

        if not self._can_hide or not self.is_ready:
            return False
        data = self._hass.data.get(MQTT_DATA)
        waiting = getattr(data, "discovery_pending_discovered", None)
        # Not imported: an import that fails costs the set-up.
        models = getattr(mqtt, "models", None)
        shape = getattr(models, "PendingDiscovered", None)
        keys = getattr(shape, "__required_keys__", None)
        if not isinstance(waiting, dict) or keys != _PENDING:
            self._can_hide = False
            _LOGGER.warning(
                "Phones are not announced on MQTT: this Home Assistant, which has them"
                " already, would set them up a second time"
            )
            return False
        for name, component in payload["components"].items():
            # A component that seems to be in set-up; the new payload waits for it.
            waiting[component["platform"], f"{phone_id} {name}"] = {
                "unsub": lambda: None,
                "pending": deque(maxlen=0),
            }
        return True


async def async_clear(hass: HomeAssistant, left_behind: object, base: str) -> None:
    """Clear what a removed server has left on the broker; `base` is of its settings."""
    topics = read_left_behind(left_behind, base, PHONE_IDS).known
    if not topics:
        return
    client = HomeAssistantClient(hass)
    await client.load()
    publisher = MqttPublisher(client, hass.loop.time)

    @callback
    def connection_changed(_: bool) -> None:
        # After the client's repetitions, which may be states of that server.
        hass.loop.call_soon(publisher.connection_changed)

    unsubscribe = client.follow_connection(connection_changed)
    for topic in topics:
        publisher.clear(topic)
    # The broker may only be restarting.
    await publisher.close(CLEARING, wait_for_connection=client.is_ready)
    unsubscribe()
    if left := publisher.known:
        _LOGGER.warning(
            "The MQTT broker could not be reached, and keeps %s topics, such as %s."
            " Clear them with: mosquitto_pub -r -n -t TOPIC",
            len(left),
            left[0],
        )
