"""Device triggers: presses, dialled numbers and uses of shared lines, from the bus."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.components.device_automation import DEVICE_TRIGGER_BASE_SCHEMA
from homeassistant.components.homeassistant.triggers import event as event_trigger
from homeassistant.const import (
    CONF_DEVICE_ID,
    CONF_DOMAIN,
    CONF_EVENT,
    CONF_EVENT_DATA,
    CONF_PLATFORM,
    CONF_TYPE,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.trigger import TriggerActionType, TriggerInfo
from homeassistant.helpers.typing import ConfigType

from .const import (
    ATTR_ACTION,
    ATTR_KEY,
    ATTR_NUMBER,
    ATTR_USE,
    CONF_NUMBER,
    DOMAIN,
    EVENT_DIALLED,
    EVENT_KEY_PRESS,
    EVENT_SHARED_LINE,
)
from .engine.phones import KeyKind, KeySetup
from .engine.refused import Refused
from .engine.xbuttons import Action
from .hub.device_automation import (
    CONF_SUBTYPE,
    device_name,
    key_of,
    phone_settings_of,
    read_config,
    refusals_invalid,
    settings_of,
    subtype_of,
)
from .hub.settings import PhoneSettings, SharedLineSettings
from .hub.texts import async_load_texts

PRESSED: Final = "pressed"
DIALLED: Final = "dialled"
KEY_USES: Final = {"seized": Action.SEIZE, "released": Action.RELEASE}
"""The types for a press that has seized or released the line of its key."""
LINE_USES: Final = {"line_seized": Action.SEIZE, "line_released": Action.RELEASE}
"""The types of a shared line, whatever has seized or released it."""

KEY_TYPES: Final = (PRESSED, *KEY_USES)

_ON_KEY: Final = DEVICE_TRIGGER_BASE_SCHEMA.extend(
    {vol.Required(CONF_TYPE): str, vol.Required(CONF_SUBTYPE): cv.string}
)
_ON_NUMBER: Final = DEVICE_TRIGGER_BASE_SCHEMA.extend(
    {vol.Required(CONF_TYPE): str, vol.Optional(CONF_NUMBER, default=""): cv.string}
)
_ON_LINE: Final = DEVICE_TRIGGER_BASE_SCHEMA.extend({vol.Required(CONF_TYPE): str})
SCHEMAS: Final = {
    **dict.fromkeys(KEY_TYPES, _ON_KEY),
    DIALLED: _ON_NUMBER,
    **dict.fromkeys(LINE_USES, _ON_LINE),
}


async def async_get_triggers(
    hass: HomeAssistant, device_id: str
) -> list[dict[str, Any]]:
    """Return what the keys of a phone can do, or what can happen to a line."""
    await async_load_texts(hass)
    base = {CONF_PLATFORM: "device", CONF_DOMAIN: DOMAIN, CONF_DEVICE_ID: device_id}
    match settings_of(hass, device_id):
        case PhoneSettings() as phone:
            of_keys = [
                {CONF_TYPE: kind, CONF_SUBTYPE: subtype_of(hass, key)}
                for kind in KEY_TYPES
                for key in phone.setup.keys
                if _sends(key, kind)
            ]
            return [base | it for it in (*of_keys, {CONF_TYPE: DIALLED})]
        case SharedLineSettings():
            return [base | {CONF_TYPE: kind} for kind in LINE_USES]
    return []


def _sends(key: KeySetup, kind: str) -> bool:
    return key.used if kind == PRESSED else key.kind is KeyKind.SHARED


async def async_get_trigger_capabilities(
    hass: HomeAssistant, config: ConfigType
) -> dict[str, vol.Schema]:
    """Return the field of a dialled number."""
    if config[CONF_TYPE] != DIALLED:
        return {}
    return {"extra_fields": vol.Schema({vol.Optional(CONF_NUMBER): str})}


async def async_validate_trigger_config(
    hass: HomeAssistant, config: ConfigType
) -> ConfigType:
    """Return a trigger. Raises InvalidDeviceAutomationConfig for one that cannot be."""
    config = read_config(SCHEMAS, config)
    with refusals_invalid():
        _event_of(hass, config)
    return config


async def async_attach_trigger(
    hass: HomeAssistant,
    config: ConfigType,
    action: TriggerActionType,
    trigger_info: TriggerInfo,
) -> CALLBACK_TYPE:
    """Run an action at each event of a trigger, also after the phone was away."""
    # Home Assistant validates nothing while the server is not loaded.
    config = await async_validate_trigger_config(hass, config)
    event_type, data = _event_of(hass, config)
    event = event_trigger.TRIGGER_SCHEMA(
        {
            CONF_PLATFORM: CONF_EVENT,
            event_trigger.CONF_EVENT_TYPE: event_type,
            CONF_EVENT_DATA: {CONF_DEVICE_ID: config[CONF_DEVICE_ID], **data},
        }
    )
    return await event_trigger.async_attach_trigger(
        hass, event, action, trigger_info, platform_type="device"
    )


def _event_of(hass: HomeAssistant, config: ConfigType) -> tuple[str, dict[str, str]]:
    """Return the event on the bus, and what its data has. Raises Refused."""
    kind, device_id = config[CONF_TYPE], config[CONF_DEVICE_ID]
    if kind in LINE_USES:
        if not isinstance(settings_of(hass, device_id), SharedLineSettings):
            raise Refused("not_a_line", name=device_name(hass, device_id))
        return EVENT_SHARED_LINE, {ATTR_ACTION: LINE_USES[kind]}
    phone = phone_settings_of(hass, device_id)
    if kind == DIALLED:
        number = config[CONF_NUMBER].strip()
        return EVENT_DIALLED, {ATTR_NUMBER: number} if number else {}
    key = key_of(phone, config[CONF_SUBTYPE])
    if kind == PRESSED:
        return EVENT_KEY_PRESS, {ATTR_KEY: key.name}
    if not _sends(key, kind):
        raise Refused("key_without_line", phone=phone.setup.name, key=key.name)
    return EVENT_KEY_PRESS, {ATTR_KEY: key.name, ATTR_USE: KEY_USES[kind]}
