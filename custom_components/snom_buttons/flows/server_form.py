"""The form of a server: its schema, how it is read, and its faults."""

from collections.abc import Container, Mapping
import errno
from ipaddress import ip_address, ip_network
import re
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import CONF_ENABLED, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.util.network import is_host_valid, is_invalid, is_ip_address

from ..const import (
    CONF_ACCESS,
    CONF_ADVERTISED,
    CONF_ADVERTISED_HOST,
    CONF_CERTIFICATE,
    CONF_EDGE_CA,
    CONF_EDGES,
    CONF_KEEPALIVE,
    CONF_NETWORKS,
    CONF_PLUG_AND_PLAY,
    CONF_PRIVATE_KEY,
    CONF_REALM,
    CONF_SETTINGS_PORT,
    CONF_TCP,
    CONF_TLS,
    CONF_UDP,
    DEFAULT_REALM,
)
from ..engine.phones import (
    PRIVATE_NETWORKS,
    CannotListen,
    ServerSettings,
    free_port,
    host_and_port,
)
from ..hub.certificate import (
    CertificateProblem,
    certificate_files,
    load_certificate,
    load_edge_context,
)
from ..hub.settings import HTTP, KEEPALIVE, CertificateSettings
from .forms import WHOLE_FORM, Faults, whole_number

DEFAULT_HOST: Final = "0.0.0.0"  # noqa: S104, phones are on the network
DEFAULT_PORT: Final = 5060
DEFAULT_TLS_PORT: Final = 5061
MAX_KEEPALIVE: Final = 600

# Stricter than Home Assistant's check, which accepts a zone and a line end.
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
    ("port_in_use", "TCP"): "port_in_use_tcp",
    ("port_in_use", "TLS"): "port_in_use_tls",
    ("port_in_use", HTTP): "port_in_use_http",
    ("port_not_permitted", "TCP"): "port_not_permitted_tcp",
    ("port_not_permitted", "TLS"): "port_not_permitted_tls",
    ("port_not_permitted", HTTP): "port_not_permitted_http",
}
"""The same for a port in a section: fields of sections show no errors."""

SERVER_PLACEHOLDERS: Final = dict.fromkeys(
    ("port", "free_port", "transport", "value", "path", "error", "date"), ""
)
"""The placeholders of all error texts, without a value."""


PORT: Final = whole_number(1, 65535)


def _collapsed(fields: dict[vol.Marker, Any]) -> section:
    return section(vol.Schema(fields), {"collapsed": True})


def _transport(fields: dict[vol.Marker, Any], *, enabled: bool = False) -> section:
    return _collapsed(
        {
            vol.Required(CONF_ENABLED, default=enabled): BooleanSelector(),
            **fields,
            vol.Optional(CONF_ADVERTISED): TextSelector(),
        }
    )


SERVER_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_ADVERTISED_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): PORT,
        vol.Required(CONF_HOST, default=DEFAULT_HOST): TextSelector(),
        vol.Required(CONF_REALM, default=DEFAULT_REALM): TextSelector(),
        vol.Optional(CONF_UDP): _transport({}, enabled=True),
        vol.Optional(CONF_TCP): _transport(
            {vol.Required(CONF_PORT, default=DEFAULT_PORT): PORT}
        ),
        vol.Optional(CONF_TLS): _transport(
            {
                vol.Required(CONF_PORT, default=DEFAULT_TLS_PORT): PORT,
                vol.Optional(CONF_CERTIFICATE): TextSelector(),
                vol.Optional(CONF_PRIVATE_KEY): TextSelector(),
            }
        ),
        vol.Optional(CONF_ACCESS): _collapsed(
            {
                vol.Optional(
                    CONF_NETWORKS, default=[str(n) for n in PRIVATE_NETWORKS]
                ): TextSelector(TextSelectorConfig(multiple=True)),
                vol.Required(CONF_KEEPALIVE, default=KEEPALIVE): whole_number(
                    0, MAX_KEEPALIVE, "s"
                ),
                vol.Required(CONF_PLUG_AND_PLAY, default=True): BooleanSelector(),
                vol.Optional(CONF_SETTINGS_PORT): PORT,
                vol.Optional(CONF_EDGES, default=[]): TextSelector(
                    TextSelectorConfig(multiple=True)
                ),
                vol.Optional(CONF_EDGE_CA): TextSelector(),
            }
        ),
    }
)


def read_server(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the form as the config entry stores them.

    A section has no default in the schema, since the frontend would use it in place of
    the defaults of its fields; they are filled in here.
    """
    schema = {str(marker): field for marker, field in SERVER_SCHEMA.schema.items()}
    data = dict(user_input)
    for name in (*SECTIONS.values(), CONF_ACCESS):
        data[name] = {
            key: value.strip() if isinstance(value, str) else value
            for key, value in schema[name](data.get(name, {})).items()
        }
    data[CONF_ADVERTISED_HOST] = data[CONF_ADVERTISED_HOST].strip()
    access = data[CONF_ACCESS]
    for name in (CONF_NETWORKS, CONF_EDGES):
        access[name] = [row for it in access[name] if (row := it.strip())]
    return data


def find_server_faults(data: Mapping[str, Any]) -> Faults:
    """Return the faults of the values. `server_settings` reads values without any."""
    faults = Faults(SERVER_PLACEHOLDERS)
    try:
        ip_address(data[CONF_HOST])
    except ValueError:
        faults.add(CONF_HOST, "invalid_address")
    if not is_advertisable(data[CONF_ADVERTISED_HOST]):
        faults.add(CONF_ADVERTISED_HOST, "invalid_host")
    if not REALM.fullmatch(data[CONF_REALM]):
        faults.add(CONF_REALM, "invalid_realm")
    for transport, name in SECTIONS.items():
        if text := data[name].get(CONF_ADVERTISED):
            address = host_and_port(text)
            if address is None or not is_advertisable(address[0]):
                faults.add(
                    WHOLE_FORM, "invalid_advertised", transport=transport, value=text
                )
    access = data[CONF_ACCESS]
    for text in (*access[CONF_NETWORKS], *access[CONF_EDGES]):
        try:
            ip_network(text)
        except ValueError:
            faults.add(WHOLE_FORM, "invalid_network", value=text)
    tcp, tls = data[CONF_TCP], data[CONF_TLS]
    if not any(data[name][CONF_ENABLED] for name in SECTIONS.values()):
        faults.add(WHOLE_FORM, "no_transport")
    elif tcp[CONF_ENABLED] and tls[CONF_ENABLED] and tcp[CONF_PORT] == tls[CONF_PORT]:
        faults.add(WHOLE_FORM, "same_port", port=str(tcp[CONF_PORT]))
    settings_port = access.get(CONF_SETTINGS_PORT)
    if settings_port in [it[CONF_PORT] for it in (tcp, tls) if it[CONF_ENABLED]]:
        faults.add(WHOLE_FORM, "same_settings_port", port=str(settings_port))
    return faults


async def async_add_certificate_fault(
    hass: HomeAssistant,
    settings: CertificateSettings | None,
    edge_ca: str,
    faults: Faults,
) -> None:
    """Add the fault of the certificates, if TLS is on and one of them has one."""
    if settings is None:
        return
    try:
        files = certificate_files(hass, settings)
        await hass.async_add_executor_job(load_certificate, files)
        if edge_ca:
            await hass.async_add_executor_job(load_edge_context, files, edge_ca)
    except CertificateProblem as problem:
        faults.add(WHOLE_FORM, problem.key, **problem.placeholders)


def add_bind_fault(
    faults: Faults,
    data: dict[str, Any],
    settings: ServerSettings,
    error: CannotListen,
) -> None:
    """Add that a port cannot be bound; replace a taken one in `data` by a free one."""
    transport, port = error.transport, error.port
    field, key = BIND_ERRORS.get(error.errno or 0, (WHOLE_FORM, "cannot_listen"))
    placeholders = {"port": str(port), "error": error.strerror or ""}
    if key == "port_in_use":
        others = {settings.tcp_port, settings.tls_port}
        others.add(data[CONF_ACCESS].get(CONF_SETTINGS_PORT))
        # What listens on TCP cannot share a port.
        taken = set() if transport == "UDP" else others
        free = _next_free_port(settings.host, transport, port, taken)
        placeholders["free_port"] = str(free)
        if transport == "UDP":
            data[CONF_PORT] = free
        elif transport == HTTP:
            data[CONF_ACCESS] = data[CONF_ACCESS] | {CONF_SETTINGS_PORT: free}
        else:
            name = SECTIONS[transport]
            data[name] = data[name] | {CONF_PORT: free}
    if (key, transport) in STREAM_ERRORS:
        field, key = WHOLE_FORM, STREAM_ERRORS[key, transport]
    faults.add(field, key, **placeholders)


def _next_free_port(
    host: str, transport: str, port: int, taken: Container[int | None]
) -> int:
    """Return the first free port after `port`, `port` itself if there is none."""
    free = port
    try:
        while free == port or free in taken:
            free = free_port(host, free + 1, transport)
    except OSError:
        return port
    return free


def is_advertisable(host: str) -> bool:
    """Return whether a host name or an address can be one that phones reach."""
    if not HOST.fullmatch(host) or not is_host_valid(host):
        return False
    return not (is_ip_address(host) and is_invalid(ip_address(host)))
