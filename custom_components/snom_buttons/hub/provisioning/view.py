"""The web address at which phones fetch their settings, without a log-in."""

from typing import Final, NoReturn

from aiohttp import web

from homeassistant.components.http import HomeAssistantView
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.network import is_cloud_connection

from ...const import DOMAIN
from ...engine.provisioning import CONTENT_TYPE, read_fetch
from .files import Asked, Files
from .profiles import SETTINGS_PATH

MAX_NAME: Final = 64
"""Characters of the name of a file that are recorded."""
MAX_AGENT: Final = 200
"""Characters of a User-Agent that are read."""


@callback
def async_settings_file(
    hass: HomeAssistant, token: str, name: str, agent: str, remote: str
) -> bytes | None:
    """Return the settings file that a request asks for; None for all else."""
    asked = Asked(name[:MAX_NAME], agent[:MAX_AGENT], remote)
    fetch = read_fetch(name, asked.agent)
    servers: list[Files] = [
        entry.runtime_data.provisioning.files
        for entry in hass.config_entries.async_loaded_entries(DOMAIN)
    ]
    for files in servers:
        file = files.async_file(token, fetch, remote) if fetch else None
        if file is not None:
            files.async_note(token, asked, served=True)
            return file
    for files in servers:
        files.async_note(token, asked, served=False)
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
