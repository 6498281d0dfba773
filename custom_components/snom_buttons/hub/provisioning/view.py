"""The web address at which phones fetch their settings, without a log-in."""

from typing import Final, NoReturn

from aiohttp import web

from homeassistant.components.http import HomeAssistantView
from homeassistant.core import HomeAssistant
from homeassistant.helpers.network import is_cloud_connection

from ...const import DOMAIN
from ...engine.provisioning import CONTENT_TYPE, read_fetch
from .profiles import SETTINGS_PATH

MAX_AGENT: Final = 200
"""Characters of a User-Agent that are read."""


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
        agent = request.headers.get("User-Agent", "")[:MAX_AGENT]
        fetch = read_fetch(name, agent)
        # A request by the cloud comes from the internet, with an address of our own.
        if fetch is None or is_cloud_connection(self._hass):
            raise web.HTTPNotFound
        entries = self._hass.config_entries.async_loaded_entries(DOMAIN)
        for entry in entries:
            file = entry.runtime_data.provisioning.files.async_file(
                token, fetch, request.remote or ""
            )
            if file is not None:
                return web.Response(body=file, content_type=CONTENT_TYPE)
        for entry in entries:
            entry.runtime_data.provisioning.files.refused += 1
        raise web.HTTPNotFound

    async def head(self, _: web.Request, **__: str) -> NoReturn:
        """Find nothing, as at an address without a view."""
        raise web.HTTPNotFound

    post = put = patch = delete = head
