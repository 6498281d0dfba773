"""Hears phones that are plugged in, as long as the ports of the server are open."""

from datetime import datetime
import errno
from ipaddress import IPv4Address, ip_address
import logging
from typing import Any, Final, Protocol

from homeassistant.components import network
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ...const import DOMAIN
from ...engine.phones import PhoneServer
from ...engine.provisioning import PORT, PlugAndPlay
from ..settings import EntrySettings, server_settings

_LOGGER = logging.getLogger(__name__)

GROUP_PORT = PORT
"""The port of announcements; tests have others."""
RETRY: Final = 60.0
"""Seconds after which it is tried again."""
VOIP: Final = "voip"
"""Home Assistant's own integration that has port 5060 of all addresses."""
CONF_SIP_PORT: Final = "sip_port"


class Report(Protocol):
    """Reports why no phone is heard; "" if they are heard, or shall not be."""

    def __call__(self, key: str, error: str = "") -> None:
        """Report one reason, in place of the one before."""


class Hearing:
    """Opens and closes plug and play with the ports of a server."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        server: PhoneServer,
        plug_and_play: PlugAndPlay,
        report: Report,
    ) -> None:
        """Open nothing."""
        self.is_open = False
        """Whether announcements are heard, as far as the system says."""
        self._hass = hass
        self._entry = entry
        self._server = server
        self._plug_and_play = plug_and_play
        self._report = report
        self._retry: CALLBACK_TYPE | None = None

    async def open(self) -> None:
        """Listen in all networks of the server. What fails is reported, and tried again."""
        if not EntrySettings.from_entry(self._entry).plug_and_play:
            self._report("")
            return
        interfaces = await self._interfaces()
        if not interfaces:
            self._report("")
            return
        error = await self._open(interfaces)
        self.is_open = error is None
        if error is None:
            self._report("")
            return
        _LOGGER.debug("Phones that are plugged in are not heard: %s", error)
        if error.errno != errno.EADDRINUSE:
            self._report("no_multicast", error.strerror or str(error))
        elif self._hass.config_entries.async_entries(VOIP, False, False):
            self._report("group_taken_by_voip")
        else:
            self._report("group_taken")
        self._retry = async_call_later(self._hass, RETRY, self._async_try_again)

    async def close(self) -> None:
        """Stop listening, before the ports close. A second call does nothing."""
        self._cancel()
        self.is_open = False
        await self._plug_and_play.close()

    async def _open(self, interfaces: list[str]) -> OSError | None:
        """Listen in networks; return why in none of them, None if in one at least."""
        if self._is_kept_for_another:
            return OSError(errno.EADDRINUSE, "kept for another program")
        beside = self._server.shared_socket
        errors = []
        for interface in interfaces:
            try:
                await self._plug_and_play.open([interface], beside, port=GROUP_PORT)
            except OSError as error:
                errors.append(error)
        return errors[0] if len(errors) == len(interfaces) else None

    async def _interfaces(self) -> list[str]:
        """Return our IPv4 addresses in the networks of the server, none without UDP."""
        settings = self._server.settings
        if settings.port is None:
            return []
        host = ip_address(settings.host)
        if not host.is_unspecified:
            return [settings.host] if isinstance(host, IPv4Address) else []
        return [
            it["address"]
            for adapter in await network.async_get_adapters(self._hass)
            if adapter["enabled"]
            for it in adapter["ipv4"]
        ]

    @property
    def _is_kept_for_another(self) -> bool:
        """Whether another of Home Assistant's servers needs the port of all addresses.

        The one that starts later would find it taken.
        """
        entries = self._hass.config_entries
        return any(
            it.options.get(CONF_SIP_PORT, PORT) == GROUP_PORT
            for it in entries.async_entries(VOIP, False, False)
        ) or any(
            it.entry_id != self._entry.entry_id
            and server_settings(it.data).port == GROUP_PORT
            and ip_address(it.data[CONF_HOST]).is_unspecified
            for it in entries.async_entries(DOMAIN, False, False)
        )

    async def _async_try_again(self, _: datetime) -> None:
        self._retry = None
        if self._server.listening:
            await self.open()

    @callback
    def _cancel(self) -> None:
        if self._retry is not None:
            self._retry()
            self._retry = None
