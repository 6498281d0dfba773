"""Programs that publish phones on a broker: Home Assistant's integration and the bridge.

A test that names the fixture `side` of tests/mqtt runs over each of them.
"""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import product
import json
from pathlib import Path
from types import ModuleType
from typing import Any, Final, override
from unittest.mock import patch

import aiomqtt
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from bridge import client
from bridge.bridge import Bridge, phone_id
from bridge.reading import read
from bridge.settings import Settings
from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.mqtt import publisher as publisher_of_hub
from custom_components.snom_buttons.engine.phones import PhoneServer
from homeassistant.core import HomeAssistant
import snom_buttons.mqtt.publisher as publisher_of_bridge
import snom_buttons.phones

from .entries import (
    KEYS,
    PASSWORD,
    add_phone,
    line_subentry,
    phone_subentry,
    update_phone,
)
from .mqtt_peers import Broker
from .patience import PATIENCE
from .ports import LOCALHOST

BASE: Final = "snom_buttons"
"""The default base topic."""

type Keys = list[dict[str, Any]]

HOME_ASSISTANT: Final = "home_assistant"
BRIDGE: Final = "bridge"


def _over(*sides: tuple[str, str]) -> list[Any]:
    return [pytest.param(it, id=f"{it[0]}-{it[1]}") for it in sides]


SIDES: Final = _over((HOME_ASSISTANT, "5"), (BRIDGE, "5"))
"""The sides, with the version of MQTT, over which tests run."""

over_both_versions = pytest.mark.parametrize(
    "side",
    _over(*product((HOME_ASSISTANT, BRIDGE), ("5", "3.1.1"))),
    indirect=True,
)
over_home_assistants_versions = pytest.mark.parametrize(
    "side",
    _over((HOME_ASSISTANT, "5"), (HOME_ASSISTANT, "3.1.1"), (BRIDGE, "5")),
    indirect=True,
)
"""Runs a test over both versions only where the client is not our own."""
over_home_assistant = pytest.mark.parametrize(
    "side", _over((HOME_ASSISTANT, "5")), indirect=True
)
over_the_bridge = pytest.mark.parametrize("side", _over((BRIDGE, "5")), indirect=True)


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a side is set up with; the keys are as `entries.key_data` makes them."""

    phones: dict[str, Keys] = field(default_factory=lambda: {"44": KEYS, "45": KEYS})
    """The keys of each phone, by extension."""
    lines: dict[str, dict[str, str]] = field(default_factory=dict)
    """The key of each phone of a shared line, by the line's code and by extension."""
    base: str = BASE
    commands: bool = True
    discovery: bool = False
    login: tuple[str, str] | None = None
    """User and password at the broker."""


class Side(ABC):
    """One program at a broker, with a server of phones."""

    publisher: ModuleType
    """The program's own copy of the engine's module."""
    server_class: type[Any]
    """Likewise."""
    keeps_presses: bool
    """Whether a press is answered while the broker is away, and published later."""
    loggers: tuple[str, ...]
    """The parents of all loggers of the program."""

    def __init__(
        self,
        *,
        port: int,
        broker: Broker,
        protocol: str,
        setup: Setup,
        directory: Path,
    ) -> None:
        """Start nothing yet; `port` is the server's, `protocol` a version of MQTT."""
        self.port = port
        self.broker = broker
        self.protocol = protocol
        self.setup = setup
        self.directory = directory

    @abstractmethod
    async def start(self) -> None:
        """Start with `setup`; also after `stop`."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop as when a user stops it; all that is stored stays."""

    @abstractmethod
    async def close(self) -> None:
        """End what no other fixture of the test ends."""

    async def configure(self, **changes: Any) -> None:
        """Change the setup as a user does; it is applied at once if the side runs."""
        before, self.setup = self.setup, replace(self.setup, **changes)
        await self._apply(before)

    @abstractmethod
    async def _apply(self, before: Setup) -> None: ...

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Whether the client has a connection to the broker."""

    async def loses_broker(self) -> None:
        """Stop the broker; return when the client has noticed."""
        await self.broker.stop()
        async with asyncio.timeout(PATIENCE):
            while self.is_connected:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    @abstractmethod
    def announcement(self, extension: str) -> str:
        """Return the topic of a phone's announcement."""

    def own_topics(self, *phones: str) -> set[str]:
        """Return what is retained below the base for the side itself."""
        return set()

    @property
    @abstractmethod
    def server(self) -> Any:
        """The server of phones, of the program's own copy of the engine."""

    def turn_on(self, extension: str, key: str) -> None:
        """Turn a lamp on as the program itself does."""
        self.server.phones[extension].keys[key].turn(True)

    @abstractmethod
    def quick_reconnect(self) -> AbstractContextManager[object]:
        """Let the client try again every second while the broker is away."""

    @property
    @abstractmethod
    def counts(self) -> tuple[int, int, int]:
        """How many events are published, dropped, and how many messages wait."""

    @contextmanager
    def max_age(self, seconds: float) -> Iterator[None]:
        """Let presses wait for the broker only that long."""
        with patch.object(self.publisher, "MAX_AGE", seconds):
            yield


# Home Assistant


def hurry_home_assistant(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    """Let Home Assistant's client collect subscriptions only for a moment.

    Also let it use MQTT 3.1.1 where a test wants that: it would change to 5 if the
    broker speaks it.
    """
    for cooldown in ("INITIAL_SUBSCRIBE", "SUBSCRIBE", "UNSUBSCRIBE"):
        monkeypatch.setattr(
            f"homeassistant.components.mqtt.client.{cooldown}_COOLDOWN", 0.02
        )
    if protocol != "5":
        monkeypatch.setattr(
            "homeassistant.components.mqtt.try_connection", lambda _: False
        )


def add_mqtt_entry(
    hass: HomeAssistant,
    broker_port: int,
    config_dir: Path,
    *,
    protocol: str = "5",
    login: tuple[str, str] | None = None,
) -> MockConfigEntry:
    """Return the entry of the MQTT integration, which reads the YAML too."""
    hass.config.config_dir = str(config_dir)
    (config_dir / "configuration.yaml").touch()
    from homeassistant.components.mqtt.config_flow import (
        CONFIG_ENTRY_MINOR_VERSION,
        CONFIG_ENTRY_VERSION,
    )

    entry = MockConfigEntry(
        domain="mqtt",
        title="Mosquitto",
        version=CONFIG_ENTRY_VERSION,
        minor_version=CONFIG_ENTRY_MINOR_VERSION,
        data={"broker": LOCALHOST, "port": broker_port, "protocol": protocol}
        | (dict(zip(("username", "password"), login, strict=True)) if login else {}),
    )
    entry.add_to_hass(hass)
    return entry


class HomeAssistantSide(Side):
    """The integration in a Home Assistant, whose own MQTT integration is the client."""

    publisher = publisher_of_hub
    server_class = PhoneServer
    keeps_presses = True
    loggers = ("custom_components.snom_buttons",)

    def __init__(self, hass: HomeAssistant, **options: Any) -> None:
        """Use a Home Assistant of the test."""
        super().__init__(**options)
        self.hass = hass
        self._mqtt: MockConfigEntry | None = None
        self._entry: MockConfigEntry | None = None

    @property
    def entry(self) -> MockConfigEntry:
        """The entry of the server."""
        assert self._entry is not None
        return self._entry

    @override
    async def start(self) -> None:
        if self._mqtt is None:
            self._mqtt = add_mqtt_entry(
                self.hass,
                self.broker.port,
                self.directory,
                protocol=self.protocol,
                login=self.setup.login,
            )
            assert await self.hass.config_entries.async_setup(self._mqtt.entry_id)
            self._entry = MockConfigEntry(
                domain=DOMAIN,
                title="Phones",
                data={
                    "host": LOCALHOST,
                    "port": self.port,
                    "realm": "home-assistant",
                    "advertised_host": LOCALHOST,
                },
                options=self._options(),
                subentries_data=[
                    *(phone_subentry(*phone) for phone in self.setup.phones.items()),
                    *(self._line(code) for code in self.setup.lines),
                ],
            )
            self._entry.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)

    @override
    async def stop(self) -> None:
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)

    @override
    async def close(self) -> None:
        """End nothing: the fixture `hass` unloads all entries."""

    @override
    async def _apply(self, before: Setup) -> None:
        if self._entry is None:
            return
        if self._options() != self.entry.options:
            self.hass.config_entries.async_update_entry(
                self.entry, options=self._options()
            )
            if before.commands and not self.setup.commands:
                self.broker.log.clear()
                await self.broker.logs("UNSUBSCRIBE")
        for name in {*before.lines} - {*self.setup.lines}:
            self.hass.config_entries.async_remove_subentry(
                self.entry, f"subentry_{name}"
            )
        for extension in {*before.phones} | {*self.setup.phones}:
            old, new = (it.phones.get(extension) for it in (before, self.setup))
            if new is None:
                self.hass.config_entries.async_remove_subentry(
                    self.entry, f"subentry_{extension}"
                )
            elif old is None:
                add_phone(self.hass, self.entry, phone_subentry(extension, new))
            elif old != new:
                update_phone(self.hass, self.entry, extension, keys=deepcopy(new))
        for code in {*self.setup.lines} - {*before.lines}:
            add_phone(self.hass, self.entry, self._line(code))

    def _options(self) -> dict[str, Any]:
        setup = self.setup
        return {
            "mqtt": True,
            "base_topic": setup.base,
            "commands": setup.commands,
            "discovery": setup.discovery,
        }

    def _line(self, code: str) -> Any:
        keys = [
            {"phone": f"subentry_{extension}", "key": key}
            for extension, key in self.setup.lines[code].items()
        ]
        return line_subentry(code=code, keys=keys) | {
            "subentry_id": f"subentry_{code}",
            "title": "Gate",
            "unique_id": code,
        }

    @property
    @override
    def is_connected(self) -> bool:
        from homeassistant.components import mqtt

        return mqtt.is_connected(self.hass)

    @property
    @override
    def server(self) -> PhoneServer:
        server: PhoneServer = self.entry.runtime_data.server
        return server

    @override
    def quick_reconnect(self) -> AbstractContextManager[object]:
        return patch(
            "homeassistant.components.mqtt.client.RECONNECT_INTERVAL_SECONDS", 1
        )

    @override
    def announcement(self, extension: str) -> str:
        return f"homeassistant/device/snom_buttons_subentry_{extension}/config"

    @property
    @override
    def counts(self) -> tuple[int, int, int]:
        publisher = self.entry.runtime_data.mqtt.follower.publisher
        counts = publisher.counts
        return counts.published, counts.dropped, publisher.waiting


# The bridge


class BridgeSide(Side):
    """A bridge in the loop of the test, with its settings file."""

    publisher = publisher_of_bridge
    server_class = snom_buttons.phones.PhoneServer
    keeps_presses = False
    loggers = ("bridge", "snom_buttons")

    def __init__(self, **options: Any) -> None:
        """Start nothing yet."""
        super().__init__(**options)
        self.bridge: Bridge | None = None

    def _settings(self) -> Settings:
        """Write the settings file, and read it."""
        setup = self.setup
        mqtt = {
            "port": self.broker.port,
            "base_topic": setup.base,
            "commands": setup.commands,
            "discovery": setup.discovery,
        }
        if setup.login:
            mqtt |= dict(zip(("username", "password"), setup.login, strict=True))
        data = {
            "secret": "registrations outlive a restart",
            "server": {
                "host": LOCALHOST,
                "port": self.port,
                "advertised_host": LOCALHOST,
            },
            "mqtt": mqtt,
            "phones": {
                extension: {
                    "name": f"Phone {extension}",
                    "password": PASSWORD,
                    "model": "D785",
                    "keys": {
                        key["key"]: {n: v for n, v in key.items() if n != "key"}
                        for key in keys
                    },
                }
                for extension, keys in setup.phones.items()
            },
            "lines": {
                code: {"name": "Gate", "keys": keys}
                for code, keys in setup.lines.items()
            },
        }
        path = self.directory / "snom-bridge.yaml"
        path.write_text(json.dumps(data))  # which is YAML
        reading = read(path, self.bridge.settings if self.bridge else None)
        assert not reading.faults
        return reading.settings

    @override
    async def start(self) -> None:
        self.bridge = Bridge(self._settings())
        if self.protocol != "5":
            # It would begin with 5, which the broker speaks.
            self.bridge.client._protocol = aiomqtt.ProtocolVersion.V311
        await self.bridge.start()

    @override
    async def stop(self) -> None:
        assert self.bridge is not None
        bridge, self.bridge = self.bridge, None
        await bridge.stop()

    @override
    async def close(self) -> None:
        if self.bridge is not None:
            await self.stop()

    @override
    async def _apply(self, before: Setup) -> None:
        if self.bridge is None:
            return
        if await self.bridge.reload(self._settings()):
            # Only phones and lines are changed while it runs.
            await self.stop()
            await self.start()

    @property
    @override
    def is_connected(self) -> bool:
        return self.bridge is not None and self.bridge.client.is_connected

    @property
    @override
    def server(self) -> snom_buttons.phones.PhoneServer:
        assert self.bridge is not None
        return self.bridge.server

    @override
    def own_topics(self, *phones: str) -> set[str]:
        return {"bridge/phones", *(f"{phone}/stored" for phone in phones)}

    @override
    @contextmanager
    def max_age(self, seconds: float) -> Iterator[None]:
        with super().max_age(seconds), patch.object(client, "MAX_AGE", seconds):
            yield

    @override
    def quick_reconnect(self) -> AbstractContextManager[object]:
        return patch.object(client, "LONGEST_PAUSE", 1.0)

    @override
    def announcement(self, extension: str) -> str:
        name = phone_id(self.setup.base, extension)
        return f"homeassistant/device/{name}/config"

    @property
    @override
    def counts(self) -> tuple[int, int, int]:
        assert self.bridge is not None
        publisher = self.bridge.mqtt.publisher
        counts = publisher.counts
        return counts.published, counts.dropped, publisher.waiting
