"""The settings of a bridge, typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from snom_buttons.mqtt import MqttSetup
from snom_buttons.phones import LineSetup, PhoneSetup, ServerSettings

from .tls import BrokerTls, CertificateFiles, Contexts


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """The broker, and what is published there."""

    hosts: tuple[tuple[str, int], ...]
    """Host and port of each broker, which are tried in turn."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: BrokerTls | None = None
    setup: MqttSetup
    is_retained_by_node: bool = False
    """Whether a node of a cluster of brokers retains only what is published on it."""


class ClusterSettings(NamedTuple):
    """One bridge among those of the same base topic."""

    name: str


class HttpSettings(NamedTuple):
    """The port of metrics and health."""

    host: str
    port: int


class LogSettings(NamedTuple):
    """What is logged, and how."""

    level: str = "info"
    format: str = "text"
    """`text` or `json`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a bridge."""

    server: ServerSettings
    certificate: CertificateFiles | None = None
    """The certificate of the server, None without TLS."""
    mqtt: MqttSettings
    phones: Mapping[str, PhoneSetup]
    """By extension; keys of lines are those of the lines."""
    lines: Mapping[str, LineSetup]
    """By code."""
    cluster: ClusterSettings | None = None
    http: HttpSettings | None = None
    log: LogSettings = field(default_factory=LogSettings)
    secret: str = field(default="", repr=False)
    """The secret with which the state on the broker is sealed."""
    own: Mapping[str, PhoneSetup] = field(default_factory=dict, compare=False)
    """The phones as they are without any line."""
    contexts: Contexts = field(default=Contexts(), compare=False, repr=False)

    def needs_restart(self, running: Settings) -> list[str]:
        """Return the sections that differ from what a bridge runs with, and need a restart."""
        names = (it.name for it in fields(self) if it.compare)
        return [
            name
            for name in names
            if name not in ("phones", "lines")
            and getattr(self, name) != getattr(running, name)
        ]
