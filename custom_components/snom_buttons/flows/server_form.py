"""The form of a server: what is asked, and what can be wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import errno
from ipaddress import ip_address, ip_network
import re
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.util.network import is_host_valid, is_invalid, is_ip_address

from ..const import (
    CONF_ACCESS,
    CONF_ADVERTISED,
    CONF_ADVERTISED_HOST,
    CONF_CERTIFICATE,
    CONF_ENABLED,
    CONF_KEEPALIVE,
    CONF_NETWORKS,
    CONF_PRIVATE_KEY,
    CONF_REALM,
    CONF_TCP,
    CONF_TLS,
    CONF_UDP,
)
from ..engine.phones import PRIVATE_NETWORKS, free_port, host_and_port
from ..hub.certificate import CertificateProblem, certificate_files, load_certificate
from ..hub.settings import KEEPALIVE, certificate_settings, server_settings

DEFAULT_HOST: Final = "0.0.0.0"  # noqa: S104, phones are elsewhere on the network
DEFAULT_PORT: Final = 5060
DEFAULT_TLS_PORT: Final = 5061
DEFAULT_REALM: Final = "home-assistant"
MAX_KEEPALIVE: Final = 600

# Stricter than Home Assistant's check, which lets a zone or a line end through.
HOST: Final = re.compile(r"[A-Za-z0-9.:-]+")
REALM: Final = re.compile(r"[A-Za-z0-9 ._@-]{1,64}")

SECTIONS: Final = {"UDP": CONF_UDP, "TCP": CONF_TCP, "TLS": CONF_TLS}

BIND_ERRORS: Final = {
    errno.EADDRINUSE: (CONF_PORT, "port_in_use"),
    errno.EADDRNOTAVAIL: (CONF_HOST, "not_our_address"),
    errno.EAFNOSUPPORT: (CONF_HOST, "not_our_address"),
    errno.EACCES: (CONF_PORT, "port_not_permitted"),
}

STREAM_ERRORS: Final = {
    "TCP": {
        "port_in_use": "port_in_use_tcp",
        "port_not_permitted": "port_not_permitted_tcp",
    },
    "TLS": {
        "port_in_use": "port_in_use_tls",
        "port_not_permitted": "port_not_permitted_tls",
    },
}
"""Those of a port that stands in a section, whose fields cannot have errors."""

NO_FAULT: Final = dict.fromkeys(
    ("port", "free_port", "transport", "value", "path", "error", "date"), ""
)
"""The placeholders of all errors."""


def _number(least: int, most: int, unit: str | None = None) -> vol.All[Any]:
    config = NumberSelectorConfig(min=least, max=most, mode=NumberSelectorMode.BOX)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _collapsed(fields: dict[vol.Marker, Any]) -> section:
    return section(vol.Schema(fields), {"collapsed": True})


_ADVERTISED: Final[dict[vol.Marker, Any]] = {
    vol.Optional(CONF_ADVERTISED): TextSelector()
}

SERVER_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_ADVERTISED_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): _number(1, 65535),
        vol.Required(CONF_HOST, default=DEFAULT_HOST): TextSelector(),
        vol.Required(CONF_REALM, default=DEFAULT_REALM): TextSelector(),
        vol.Optional(CONF_UDP): _collapsed(
            {
                vol.Required(CONF_ENABLED, default=True): BooleanSelector(),
                **_ADVERTISED,
            }
        ),
        vol.Optional(CONF_TCP): _collapsed(
            {
                vol.Required(CONF_ENABLED, default=False): BooleanSelector(),
                vol.Required(CONF_PORT, default=DEFAULT_PORT): _number(1, 65535),
                **_ADVERTISED,
            }
        ),
        vol.Optional(CONF_TLS): _collapsed(
            {
                vol.Required(CONF_ENABLED, default=False): BooleanSelector(),
                vol.Required(CONF_PORT, default=DEFAULT_TLS_PORT): _number(1, 65535),
                vol.Optional(CONF_CERTIFICATE): TextSelector(),
                vol.Optional(CONF_PRIVATE_KEY): TextSelector(),
                **_ADVERTISED,
            }
        ),
        vol.Optional(CONF_ACCESS): _collapsed(
            {
                vol.Optional(
                    CONF_NETWORKS, default=[str(n) for n in PRIVATE_NETWORKS]
                ): TextSelector(TextSelectorConfig(multiple=True)),
                vol.Required(CONF_KEEPALIVE, default=KEEPALIVE): _number(
                    0, MAX_KEEPALIVE, "s"
                ),
            }
        ),
    }
)


@dataclass(slots=True)
class Faults:
    """What is wrong with what a user entered."""

    errors: dict[str, str] = field(default_factory=dict)
    placeholders: dict[str, str] = field(default_factory=lambda: dict(NO_FAULT))

    def add(self, where: str, key: str, /, **placeholders: str) -> None:
        """Note a fault of a field; of several the first is told."""
        if where not in self.errors:
            self.errors[where] = key
            self.placeholders |= placeholders


def read_server(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the user entered as the config entry stores it.

    Sections have no default of their own: the frontend would take that for theirs.
    """
    schema = {str(marker): field for marker, field in SERVER_SCHEMA.schema.items()}
    server = dict(user_input)
    for name in (*SECTIONS.values(), CONF_ACCESS):
        server[name] = {
            key: value.strip() if isinstance(value, str) else value
            for key, value in schema[name](server.get(name, {})).items()
        }
    server[CONF_ADVERTISED_HOST] = server[CONF_ADVERTISED_HOST].strip()
    access = server[CONF_ACCESS]
    access[CONF_NETWORKS] = [text.strip() for text in access.get(CONF_NETWORKS, ())]
    return server


def find_faults(server: Mapping[str, Any]) -> Faults:
    """Return what can be seen to be wrong without trying it."""
    faults = Faults()
    try:
        ip_address(server[CONF_HOST])
    except ValueError:
        faults.add(CONF_HOST, "invalid_address")
    if not is_advertisable(server[CONF_ADVERTISED_HOST]):
        faults.add(CONF_ADVERTISED_HOST, "invalid_host")
    if not REALM.fullmatch(server[CONF_REALM]):
        faults.add(CONF_REALM, "invalid_realm")
    for transport, name in SECTIONS.items():
        if text := server[name].get(CONF_ADVERTISED):
            place = host_and_port(text)
            if place is None or not is_advertisable(place[0]):
                faults.add(
                    "base", "invalid_advertised", transport=transport, value=text
                )
    for text in server[CONF_ACCESS][CONF_NETWORKS]:
        try:
            ip_network(text)
        except ValueError:
            faults.add("base", "invalid_network", value=text)
    tcp, tls = server[CONF_TCP], server[CONF_TLS]
    if not any(server[name][CONF_ENABLED] for name in SECTIONS.values()):
        faults.add("base", "no_transport")
    elif tcp[CONF_ENABLED] and tls[CONF_ENABLED] and tcp[CONF_PORT] == tls[CONF_PORT]:
        faults.add("base", "same_port", port=str(tcp[CONF_PORT]))
    return faults


async def async_find_certificate_fault(
    hass: HomeAssistant, server: Mapping[str, Any], faults: Faults
) -> None:
    """Note what is wrong with the certificate, if one is needed."""
    settings = certificate_settings(server)
    if settings is None:
        return
    try:
        files = certificate_files(hass, settings)
        await hass.async_add_executor_job(load_certificate, files)
    except CertificateProblem as problem:
        faults.add("base", problem.key, **problem.placeholders)


def add_bind_fault(
    faults: Faults, server: dict[str, Any], transport: str, error: OSError
) -> None:
    """Note that a port cannot be bound, and propose another one."""
    where, key = BIND_ERRORS.get(error.errno or 0, ("base", "cannot_listen"))
    port = server_settings(server).ports[transport]
    placeholders = {"port": str(port), "error": error.strerror or str(error)}
    if key == "port_in_use":
        free = _next_free_port(server, transport, port)
        placeholders["free_port"] = str(free)
        if transport == "UDP":
            server[CONF_PORT] = free
        else:
            name = SECTIONS[transport]
            server[name] = server[name] | {CONF_PORT: free}
    if key in STREAM_ERRORS.get(transport, ()):
        where, key = "base", STREAM_ERRORS[transport][key]
    faults.add(where, key, **placeholders)


def _next_free_port(server: Mapping[str, Any], transport: str, port: int) -> int:
    """Return the first free port after the wanted one, or that one if there is none."""
    # TCP and TLS cannot share one, whatever else is free.
    others = {
        other
        for name, other in server_settings(server).ports.items()
        if name != transport and "UDP" not in (name, transport)
    }
    free = port
    try:
        while free == port or free in others:
            free = free_port(server[CONF_HOST], free + 1, transport)
    except OSError:
        return port
    return free


def is_advertisable(host: str) -> bool:
    """Return whether phones can know us by this address or name."""
    if not HOST.fullmatch(host) or not is_host_valid(host):
        return False
    return not (is_ip_address(host) and is_invalid(ip_address(host)))
