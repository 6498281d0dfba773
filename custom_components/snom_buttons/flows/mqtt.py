"""The dialogue about the use of MQTT."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_DISCOVERY
from homeassistant.helpers.selector import BooleanSelector, TextSelector

from ..const import CONF_BASE_TOPIC, CONF_COMMANDS, CONF_MQTT, DOMAIN
from ..engine.mqtt import is_base
from ..engine.names import without_forbidden
from ..hub.hub import SnomConfigEntry
from ..hub.mqtt_entry import discovery_prefix, mqtt_entry, mqtt_link
from ..hub.settings import mqtt_settings
from .forms import WHOLE_FORM, Faults

MQTT_MISSING: Final = "mqtt_missing"

# The defaults are those of `mqtt_settings`.
MQTT_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_MQTT, default=False): BooleanSelector(),
        vol.Required(CONF_BASE_TOPIC, default=DOMAIN): TextSelector(),
        vol.Required(CONF_COMMANDS, default=True): BooleanSelector(),
        vol.Required(CONF_DISCOVERY, default=False): BooleanSelector(),
    }
)


class MqttOptionsFlow(OptionsFlow):
    """Switch MQTT on or off, and set how it is used."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for all options on one page."""
        options = self.config_entry.options
        faults = Faults({"link": mqtt_link(self.hass)})
        if user_input is not None:
            base = user_input[CONF_BASE_TOPIC].strip()
            if not is_base(base):
                faults.add(CONF_BASE_TOPIC, "invalid_base_topic")
            # MQTT can be switched off whatever the base topic.
            elif user_input[CONF_MQTT]:
                self._add_clash(base, faults)
            if user_input[CONF_MQTT] and mqtt_entry(self.hass) is None:
                faults.add(WHOLE_FORM, MQTT_MISSING)
            if not faults:
                return self.async_create_entry(
                    data=user_input | {CONF_BASE_TOPIC: base}
                )
        elif mqtt_entry(self.hass) is None and mqtt_settings(options) is None:
            return self.async_abort(
                reason=MQTT_MISSING, description_placeholders=faults.placeholders
            )
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                MQTT_SCHEMA, options if user_input is None else user_input
            ),
            errors=faults.errors,
            description_placeholders=faults.placeholders,
        )

    def _add_clash(self, base: str, faults: Faults) -> None:
        """Add a fault if the base topic overlaps with topics of others."""
        prefix = discovery_prefix(self.hass)
        if _overlap(base, prefix):
            faults.add(CONF_BASE_TOPIC, "base_topic_is_prefix", prefix=prefix)
        entries: list[SnomConfigEntry] = self.hass.config_entries.async_entries(DOMAIN)
        for entry in entries:
            if entry is self.config_entry:
                continue
            settings = mqtt_settings(entry.options)
            if settings and _overlap(base, settings.base):
                faults.add(
                    CONF_BASE_TOPIC,
                    "base_topic_taken",
                    other=without_forbidden(entry.title),
                    topic=settings.base,
                )
            # A server that is not loaded clears topics later, except those in use then.
            if entry.state is ConfigEntryState.LOADED:
                for topic in entry.runtime_data.mqtt.follower.retained:
                    if _overlap(base, topic):
                        faults.add(
                            CONF_BASE_TOPIC,
                            "base_topic_left",
                            other=without_forbidden(entry.title),
                            topic=topic,
                        )


def _overlap(one: str, other: str) -> bool:
    """Return whether one topic is the other, or below it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
