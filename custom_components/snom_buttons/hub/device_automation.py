"""The phones, keys and shared lines that device triggers and conditions name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import voluptuous as vol

from homeassistant.components.device_automation import InvalidDeviceAutomationConfig
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_TYPE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.typing import ConfigType

from ..const import DOMAIN
from ..engine.phones import KeySetup
from ..engine.refused import Refused, quoted
from .hub import SnomConfigEntry
from .settings import EntrySettings, PhoneSettings, SharedLineSettings
from .texts import key_title_end

CONF_SUBTYPE: Final = "subtype"


@callback
def settings_of(
    hass: HomeAssistant, device_id: str
) -> PhoneSettings | SharedLineSettings | None:
    """Return the phone or line of a device, also while its server is not loaded."""
    device, entry = _device(hass, device_id)
    if device is None or entry is None:
        return None
    if entry.state is ConfigEntryState.LOADED:
        settings = entry.runtime_data.settings
    else:
        settings = EntrySettings.from_entry(entry)
    parts: list[PhoneSettings | SharedLineSettings] = [
        *settings.phones,
        *settings.lines,
    ]
    for part in parts:
        if (DOMAIN, part.subentry_id) in device.identifiers:
            return part
    return None


def _device(
    hass: HomeAssistant, device_id: str
) -> tuple[dr.DeviceEntry | None, SnomConfigEntry | None]:
    return dr.async_get_device_and_config_entry_for_domain(
        hass, device_id, domain=DOMAIN, include_child_devices=False
    )


@callback
def phone_settings_of(hass: HomeAssistant, device_id: str) -> PhoneSettings:
    """Return the phone of a device. Raises Refused for another device."""
    settings = settings_of(hass, device_id)
    if not isinstance(settings, PhoneSettings):
        raise Refused("not_a_phone", name=device_name(hass, device_id))
    return settings


@callback
def device_name(hass: HomeAssistant, device_id: str) -> str:
    """Return the name of a device; the ID of one that is not there."""
    device, _ = _device(hass, device_id)
    return (device and (device.name_by_user or device.name)) or device_id


@callback
def subtype_of(hass: HomeAssistant, key: KeySetup) -> str:
    """Return the subtype of a key: its number and its name, as in `4 (Office)`.

    The frontend shows a subtype as it is. The number alone counts, so that a key may be
    renamed.
    """
    return key.name + key_title_end(hass, key.name, key.title)


def key_of(phone: PhoneSettings, subtype: str) -> KeySetup:
    """Return the key of a subtype, whatever name follows. Raises Refused without one."""
    keys = {key.name: key for key in phone.setup.keys}
    # No key has a blank in its name, which is a part of its SIP address.
    key = keys.get(subtype.partition(" ")[0])
    if key is None:
        raise Refused(
            "unknown_key",
            phone=phone.setup.name,
            value=quoted(subtype),
            allowed=", ".join(keys),
        )
    return key


def read_config(schemas: Mapping[str, vol.Schema], config: ConfigType) -> ConfigType:
    """Return a configuration as the schema of its type reads it.

    Raises InvalidDeviceAutomationConfig, also for a type without a schema.
    """
    known = vol.Schema(
        {vol.Required(CONF_TYPE): vol.In(list(schemas))}, extra=vol.ALLOW_EXTRA
    )
    try:
        read: ConfigType = schemas[known(config)[CONF_TYPE]](config)
    except vol.Invalid as err:
        raise InvalidDeviceAutomationConfig(str(err)) from err
    return read


@contextmanager
def refusals_invalid() -> Iterator[None]:
    """Raise Home Assistant's error for a wrong device automation instead of Refused."""
    try:
        yield
    except Refused as err:
        raise InvalidDeviceAutomationConfig(
            translation_domain=DOMAIN,
            translation_key=err.key,
            translation_placeholders=err.placeholders,
        ) from None
