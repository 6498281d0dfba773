"""A profile as a link to the phone's web page, which sets the phone when it is opened."""

from urllib.parse import quote, urlencode

from .profile import Profile, keys_of, settings_of


def web_link(profile: Profile, host: str) -> str:
    """Return the link for the phone at `host`; it has the password of the account.

    Firmware whose web page has another design, or asks for a password, does not take it.
    """
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
    query = urlencode(
        {"settings": "save", "store_settings": "save", **values}, quote_via=quote
    )
    return f"http://{host}/dummy.htm?{query}"
