"""The profile of a phone, from what is set up in Home Assistant."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.util import dt as dt_util

from ...const import DOMAIN
from ...engine.phones import ServerSettings
from ...engine.provisioning import Profile, ProfileKey, Region, region_of
from ..settings import PhoneSettings

SETTINGS_PATH: Final = f"/api/{DOMAIN}/settings"
"""The path of all settings files, each below the token of its phone."""


@callback
def async_settings_url(hass: HomeAssistant, token: str) -> str | None:
    """Return where the phone with a token fetches its settings; None if it cannot.

    A phone does not trust the certificate of a private server.
    """
    if not token:
        return None
    try:
        base = get_url(
            hass, allow_external=False, allow_cloud=False, require_current_request=False
        )
    except NoURLAvailableError:
        return None
    if not base.startswith("http://"):
        return None
    return f"{base}{SETTINGS_PATH}/{token}/"


@callback
def async_profile(
    hass: HomeAssistant, server: ServerSettings, phone: PhoneSettings
) -> Profile:
    """Return what a phone is to be set to."""
    transport, registrar = next(iter(server.registrar_addresses.items()))
    setup = phone.setup
    return Profile(
        account=setup.extension,
        password=setup.password,
        name=setup.name,
        registrar=registrar,
        transport=transport.lower(),
        model=setup.model,
        keys=tuple(ProfileKey(name=key.name, label=key.title) for key in setup.keys),
        settings_url=async_settings_url(hass, phone.token),
        region=_region(hass),
    )


def _region(hass: HomeAssistant) -> Region:
    """Return the region of Home Assistant, with the offset of its standard time."""
    now = dt_util.now()
    offsets = [
        offset
        for month in (1, 7)
        if (offset := datetime(now.year, month, 1, tzinfo=now.tzinfo).utcoffset())
    ]
    hours = min(offsets, default=timedelta()) / timedelta(hours=1)
    return region_of(hass.config.language, hass.config.country or "", hours)
