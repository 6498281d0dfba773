"""Hears phones that are plugged in, as long as the ports of the server are open."""

import asyncio
from datetime import datetime
import errno
from ipaddress import IPv4Address, ip_address
import logging
from typing import Any, Final, Protocol

from homeassistant.components import network
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
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
        self._is_wanted = False
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Listen in all networks of the server. What fails is reported, and tried again."""
        self._is_wanted = True
        await self._open()

    async def close(self) -> None:
        """Stop listening, before the ports close. A second call does nothing."""
        self._is_wanted = False
        async with self._lock:
            if self._retry is not None:
                self._retry()
                self._retry = None
            self.is_open = False
            await self._plug_and_play.close()

    async def _open(self, _: datetime | None = None) -> None:
        self._retry = None
        async with self._lock:
            if not self._is_wanted:
                return
            interfaces = await self._interfaces()
            error = await self._listen(interfaces) if interfaces else None
            self.is_open = bool(interfaces) and error is None
            if error is None or self._is_of_another_server:
                self._report("")
                return
            _LOGGER.debug("Phones that are plugged in are not heard: %s", error)
            if error.errno != errno.EADDRINUSE:
                self._report("no_multicast", error.strerror or str(error))
            else:
                self._report(
                    "group_taken_by_voip" if self._is_of_voip else "group_taken"
                )
            self._retry = async_call_later(self._hass, RETRY, self._open)

    async def _listen(self, interfaces: list[str]) -> OSError | None:
        """Listen in networks; return why in none of them, None if in one at least."""
        # The one of them that starts later would find the port taken.
        if self._is_of_voip or self._is_of_another_server:
            return OSError(errno.EADDRINUSE, "kept for another server")
        beside = self._server.shared_socket
        errors = []
        for interface in interfaces:
            try:
                await self._plug_and_play.open([interface], beside, port=GROUP_PORT)
            except OSError as error:
                errors.append(error)
        return errors[0] if len(errors) == len(interfaces) else None

    async def _interfaces(self) -> list[str]:
        """Return our IPv4 addresses where phones are to be heard, none without UDP."""
        settings = self._server.settings
        is_wanted = EntrySettings.from_entry(self._entry).plug_and_play
        if settings.port is None or not is_wanted:
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
    def _is_of_voip(self) -> bool:
        """Whether Voice over IP is set up for the port."""
        return any(
            entry.options.get(CONF_SIP_PORT, PORT) == GROUP_PORT
            for entry in self._hass.config_entries.async_entries(VOIP, False, False)
        )

    @property
    def _is_of_another_server(self) -> bool:
        """Whether another server of ours is set up for the port of all addresses."""
        return any(
            entry.entry_id != self._entry.entry_id
            and server_settings(entry.data).port == GROUP_PORT
            and ip_address(entry.data[CONF_HOST]).is_unspecified
            for entry in self._hass.config_entries.async_entries(DOMAIN, False, False)
        )
