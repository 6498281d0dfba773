"""Device conditions: whether a phone is registered, and what a key shows."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.const import CONF_CONDITION, CONF_DEVICE_ID, CONF_DOMAIN, CONF_TYPE
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConditionErrorMessage
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import ConditionCheckerType
from homeassistant.helpers.translation import async_get_translations
from homeassistant.helpers.typing import ConfigType, TemplateVarsType

from .const import DOMAIN
from .engine.keywords import read_fields
from .engine.refused import Refused
from .engine.xbuttons import LightMode
from .hub.device_automation import (
    CONF_SUBTYPE,
    key_of,
    phone_settings_of,
    read_config,
    refusals_invalid,
    settings_of,
    subtype_of,
)
from .hub.hub import SnomConfigEntry
from .hub.phone import SnomPhone
from .hub.refused import translated
from .hub.settings import PhoneSettings
from .hub.texts import async_load_texts

REGISTERED: Final = "registered"
NOT_REGISTERED: Final = "not_registered"
SHOWS: Final = "shows"
CONF_LIGHT: Final = "light"

_OF_PHONE: Final = cv.DEVICE_CONDITION_BASE_SCHEMA.extend(
    {vol.Required(CONF_TYPE): str}
)
_OF_KEY: Final = _OF_PHONE.extend(
    {
        vol.Required(CONF_SUBTYPE): cv.string,
        vol.Required(CONF_LIGHT): vol.Any(bool, vol.All(cv.string, vol.Length(min=1))),
    }
)
SCHEMAS: Final = {REGISTERED: _OF_PHONE, NOT_REGISTERED: _OF_PHONE, SHOWS: _OF_KEY}


async def async_get_conditions(
    hass: HomeAssistant, device_id: str
) -> list[dict[str, Any]]:
    """Return the conditions of a phone; a shared line has a switch for that."""
    await async_load_texts(hass)
    phone = settings_of(hass, device_id)
    if not isinstance(phone, PhoneSettings):
        return []
    base = {CONF_CONDITION: "device", CONF_DOMAIN: DOMAIN, CONF_DEVICE_ID: device_id}
    return [
        *(base | {CONF_TYPE: kind} for kind in (REGISTERED, NOT_REGISTERED)),
        *(
            base | {CONF_TYPE: SHOWS, CONF_SUBTYPE: subtype_of(hass, key)}
            for key in phone.setup.keys
            if key.used
        ),
    ]


async def async_get_condition_capabilities(
    hass: HomeAssistant, config: ConfigType
) -> dict[str, vol.Schema]:
    """Return the field of a light mode, in the language of the server.

    The frontend does not translate the choices of such a field.
    """
    if config[CONF_TYPE] != SHOWS:
        return {}
    texts = await async_get_translations(
        hass, hass.config.language, "selector", [DOMAIN]
    )
    path = f"component.{DOMAIN}.selector.key_light.options"
    modes = {mode.value: texts.get(f"{path}.{mode}", mode.value) for mode in LightMode}
    return {"extra_fields": vol.Schema({vol.Required(CONF_LIGHT): vol.In(modes)})}


async def async_validate_condition_config(
    hass: HomeAssistant, config: ConfigType
) -> ConfigType:
    """Return a condition. Raises InvalidDeviceAutomationConfig for one that cannot be."""
    return _validated(hass, config)


@callback
def _validated(hass: HomeAssistant, config: ConfigType) -> ConfigType:
    config = read_config(SCHEMAS, config)
    with refusals_invalid():
        phone = phone_settings_of(hass, config[CONF_DEVICE_ID])
        if config[CONF_TYPE] == SHOWS:
            key_of(phone, config[CONF_SUBTYPE])
            _light(config)
    return config


@callback
def async_condition_from_config(
    hass: HomeAssistant, config: ConfigType
) -> ConditionCheckerType:
    """Return a function that checks a condition."""
    # Home Assistant validates nothing while the server is not loaded.
    config = _validated(hass, config)

    @callback
    def check(hass: HomeAssistant, _: TemplateVarsType) -> bool:
        try:
            return _holds(hass, config)
        except Refused as err:
            raise ConditionErrorMessage("device", str(translated(err))) from None

    return check


def _holds(hass: HomeAssistant, config: ConfigType) -> bool:
    """Return whether a condition holds. Raises Refused if that is not known."""
    phone = _running(hass, config[CONF_DEVICE_ID])
    if config[CONF_TYPE] != SHOWS:
        return phone.phone.available is (config[CONF_TYPE] == REGISTERED)
    name = key_of(phone.settings, config[CONF_SUBTYPE]).name
    return phone.phone.keys[name].look.light == _light(config)


def _running(hass: HomeAssistant, device_id: str) -> SnomPhone:
    """Return the phone of a device. Raises Refused without one, or while it is not loaded."""
    entries: list[SnomConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        for phone in entry.runtime_data.phones.values():
            if phone.device_id == device_id:
                return phone
    settings = phone_settings_of(hass, device_id)
    raise Refused("phone_not_loaded", phone=settings.setup.name)


def _light(config: ConfigType) -> str:
    """Return the light mode of a condition. Raises Refused for another word."""
    light: str = read_fields({CONF_LIGHT: config[CONF_LIGHT]})["light"]
    return light
