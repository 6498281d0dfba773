"""A bridge: a phone server, and what follows it, on an MQTT broker."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
import logging
from typing import Final, Protocol

from snom_buttons.mqtt import MqttFollower
from snom_buttons.phones import PhoneServer

from .client import BridgeClient
from .settings import Settings
from .texts import explain

_LOGGER = logging.getLogger(__name__)

PHONE_IDS: Final = "snom_bridge_"
"""How the IDs begin under which phones are announced."""


class Follower(Protocol):
    """What follows the server of a bridge."""

    async def start(self) -> None:
        """Begin, before the ports are open."""

    async def update(self, settings: Settings) -> None:
        """Apply settings that the server has already."""

    async def stop(self) -> None:
        """End, after the ports are closed and before the client disconnects."""


class Bridge:
    """One running bridge. All calls are made in one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Create a bridge that is not started."""
        self.settings = settings
        server_context, broker_context = settings.contexts
        self.server = PhoneServer(
            settings.server, asyncio.get_running_loop().time, server_context
        )
        self.server.edge_context = settings.edge_context
        base = settings.mqtt.setup.base
        self.client = BridgeClient(settings.mqtt, f"{base}/status", broker_context)
        self.mqtt = MqttFollower(
            self.client,
            self.server,
            explain=explain,
            phone_ids=PHONE_IDS,
            phone_id=lambda extension: phone_id(base, extension),
            is_foreign=lambda _: False,
            left_behind_changed=lambda: None,
            save=_save,
        )
        self.followers: list[Follower] = []
        """Further followers, which are started in this order and stopped in reverse."""
        self._updating = asyncio.Lock()

    async def start(self) -> None:
        """Add the phones, connect to the broker, and open the ports. Raises CannotListen."""
        await self._apply(self.settings)
        self.client.changed.subscribe(self._connection_changed)
        self.client.start()
        await self.mqtt.update(self.settings.mqtt.setup)
        for follower in self.followers:
            await follower.start()
        await self.server.start()

    async def stop(self) -> None:
        """Close the ports, publish that the bridge is offline, and disconnect."""
        async with self._updating:
            await self.server.stop()
            for follower in reversed(self.followers):
                await follower.stop()
            await self.mqtt.stop()
            await self.client.stop()

    async def reload(self, settings: Settings) -> Sequence[str]:
        """Apply other phones and lines; return the sections that need a restart.

        Phones and lines without a change are left alone. Certificates are read anew.
        """
        async with self._updating:
            ignored = settings.needs_restart(self.settings)
            server_context, broker_context = settings.contexts
            if "certificate" not in ignored and server_context is not None:
                self.server.renew(server_context, settings.edge_context)
            if "mqtt" not in ignored:
                self.client.context = broker_context
            self.settings = settings = replace(
                self.settings,
                phones=settings.phones,
                lines=settings.lines,
                own=settings.own,
                contexts=settings.contexts,
            )
            await self._apply(settings)
            await self.mqtt.update(settings.mqtt.setup)
            for follower in self.followers:
                await follower.update(settings)
            return ignored

    def _connection_changed(self, connected: bool) -> None:
        if connected:
            self.mqtt.connection_changed()
        else:
            self.mqtt.connection_lost()

    async def _apply(self, settings: Settings) -> None:
        """Add, configure and remove lines and phones."""
        server = self.server
        # Lines first: a key that leaves one is free before its phone configures it.
        for code in server.lines.keys() - settings.lines.keys():
            server.remove_line(code)
        for code, line in settings.lines.items():
            if code not in server.lines:
                server.add_line(code, line)
            elif server.lines[code].setup != line:
                server.lines[code].configure(line)
        for extension in server.phones.keys() - settings.phones.keys():
            server.remove_phone(extension)
        for extension, phone in settings.phones.items():
            if extension not in server.phones:
                server.add_phone(phone)
            elif server.phones[extension].setup != phone:
                server.configure_phone(phone)
            else:
                continue
            await asyncio.sleep(0)  # between phones, others have their turn


def phone_id(base: str, extension: str) -> str:
    """Return the name, unique on the broker, under which a phone is announced."""
    return PHONE_IDS + sha256(f"{base}/{extension}".encode()).hexdigest()[:16]


async def _save() -> None:
    """Store nothing: what is retained on the broker is the state."""
