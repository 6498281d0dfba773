"""The profile of a phone, from what is set up in Home Assistant."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.util import dt as dt_util

from ...const import DOMAIN
from ...engine.phones import KeyKind, Speakers
from ...engine.provisioning import Profile, ProfileKey, Region, region_of
from ..settings import EntrySettings, PhoneSettings

SETTINGS_PATH: Final = f"/api/{DOMAIN}/settings"
"""The path of all settings files, each below the token of its phone."""


@callback
def async_settings_url(
    hass: HomeAssistant, settings: EntrySettings, token: str
) -> str | None:
    """Return where the phone with a token fetches its settings; None if it cannot.

    A phone does not trust the certificate of a private server.
    """
    base = _base(hass, settings)
    return f"{base}{SETTINGS_PATH}/{token}/" if base and token else None


def _base(hass: HomeAssistant, settings: EntrySettings) -> str | None:
    """Return the address of the server's own port, else that of Home Assistant."""
    if settings.settings_port is not None:
        host, _, _ = _registrar(settings)[1].rpartition(":")
        return f"http://{host}:{settings.settings_port}"
    try:
        base = get_url(
            hass, allow_external=False, allow_cloud=False, require_current_request=False
        )
    except NoURLAvailableError:
        return None
    return base if base.startswith("http://") else None


def _registrar(settings: EntrySettings) -> tuple[str, str]:
    """Return transport and address with which phones register."""
    return next(iter(settings.server.registrar_addresses.items()))


@callback
def async_can_fetch(hass: HomeAssistant, settings: EntrySettings) -> bool:
    """Return whether there is an address at which phones can fetch their settings."""
    return _base(hass, settings) is not None


@callback
def async_profile(
    hass: HomeAssistant,
    settings: EntrySettings,
    phone: PhoneSettings,
    *,
    refuses_documents: bool,
) -> Profile:
    """Return what a phone is to be set to, which may not know buttons documents."""
    transport, registrar = _registrar(settings)
    setup, provisioning = phone.setup, phone.provisioning
    return Profile(
        account=setup.extension,
        password=setup.password,
        name=setup.name,
        registrar=registrar,
        transport=transport.lower(),
        model=setup.model,
        identity=provisioning.identity,
        whole=not provisioning.beside,
        has_blf_keys=setup.speakers is Speakers.BLF
        or (setup.speakers is Speakers.AUTOMATIC and refuses_documents),
        keys=tuple(
            ProfileKey(
                name=key.name,
                label=key.title,
                is_used=key.kind is not KeyKind.NONE,
            )
            for key in setup.keys
        ),
        settings_url=async_settings_url(hass, settings, phone.token),
        lamps=provisioning.lamps,
        web_password=provisioning.web_password or None,
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
