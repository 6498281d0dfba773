"""The web address at which phones fetch their settings, without a log-in."""

from typing import Final, NoReturn

from aiohttp import web

from homeassistant.components.http import HomeAssistantView
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.network import is_cloud_connection

from ...const import DOMAIN
from ...engine.provisioning import CONTENT_TYPE, read_fetch
from .files import Files
from .profiles import SETTINGS_PATH

MAX_AGENT: Final = 200
"""Characters of a User-Agent that are read."""


@callback
def async_settings_file(
    hass: HomeAssistant, token: str, name: str, agent: str, remote: str
) -> bytes | None:
    """Return the settings file that a request asks for; None for all else, counted."""
    fetch = read_fetch(name, agent[:MAX_AGENT])
    if fetch is None:
        return None
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        files: Files = entry.runtime_data.provisioning.files
        file = files.async_file(token, fetch, remote)
        if file is not None:
            return file
    for entry in entries:
        entry.runtime_data.provisioning.files.refused += 1
    return None


class SettingsView(HomeAssistantView):
    """Serves the settings file of the phone whose token the path has.

    All else is 404, and never 401: that would count as a failed log-in, and Home
    Assistant would ban the phone's address.
    """

    url = f"{SETTINGS_PATH}/{{token}}/{{name}}"
    extra_urls = [f"{SETTINGS_PATH}/{{token}}/", f"{SETTINGS_PATH}/{{token}}"]
    name = f"api:{DOMAIN}:settings"
    requires_auth = False

    def __init__(self, hass: HomeAssistant) -> None:
        """Serve the phones of all servers."""
        self._hass = hass

    async def get(
        self, request: web.Request, token: str, name: str = ""
    ) -> web.Response:
        """Return a settings file."""
        # A request by the cloud comes from the internet, with an address of our own.
        if is_cloud_connection(self._hass):
            raise web.HTTPNotFound
        agent = request.headers.get("User-Agent", "")
        remote = request.remote or ""
        file = async_settings_file(self._hass, token, name, agent, remote)
        if file is None:
            raise web.HTTPNotFound
        return web.Response(body=file, content_type=CONTENT_TYPE)

    async def head(self, _: web.Request, **__: str) -> NoReturn:
        """Find nothing, as at an address without a view."""
        raise web.HTTPNotFound

    post = put = patch = delete = head
