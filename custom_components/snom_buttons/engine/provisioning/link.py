"""Links to the web page of a phone, which set or restart it when they are opened.

Firmware whose web page has another design, or asks for a password, does not take them.
"""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from .profile import Profile, keys_of, settings_of


def web_link(profile: Profile, host: str) -> str:
    """Return the link that sets the phone at `host`; it has the password of the account."""
    values = {
        f"{setting.name}{setting.identity or ''}": setting.value
        for setting in settings_of(profile)
    }
    for key in keys_of(profile):
        values |= {
            f"fkey{key.number}": key.value,
            f"fkey_context{key.number}": str(key.identity),
            f"fkey_label{key.number}": key.label,
        }
    return _saving(host, values)


def setting_link(host: str, settings_url: str) -> str:
    """Return the link that tells the phone at `host` where it fetches its settings."""
    return _saving(host, {"setting_server": settings_url})


def reboot_link(host: str) -> str:
    """Return the link that restarts the phone at `host`."""
    return f"http://{host}/advanced_update.htm?reboot=Reboot"


def _saving(host: str, values: Mapping[str, str]) -> str:
    query = urlencode(
        {"settings": "save", "store_settings": "save", **values},
        quote_via=quote,
        safe="",
    )
    return f"http://{host}/dummy.htm?{query}"
