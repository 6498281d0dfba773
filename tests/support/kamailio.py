"""Kamailio as an edge proxy between phones and the server, and as a notifier beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

from tests.support.certificates import Certificate

from .peers import write
from .ports import LOCALHOST, free_port
from .programs import missing
from .running import Running, running

TEMPLATES = Path(__file__).parents[1] / "wire"
LIBRARIES = Path("/usr/lib")
PRESENCE = "*/kamailio/modules/presence_dialoginfo.so"
TABLES = Path("/usr/share/kamailio/dbtext/kamailio")
"""The empty tables of a database in files."""


class Kamailio(NamedTuple):
    """A running proxy."""

    program: Running
    port: int
    """For UDP and TCP."""
    tls_port: int

    def port_of(self, transport: str) -> int:
        return self.tls_port if transport == "tls" else self.port


@asynccontextmanager
async def proxying(
    server_port: int, home: Path, certificate: Certificate | None = None
) -> AsyncIterator[Kamailio]:
    """Run the proxy in front of a server; with a certificate it also accepts TLS."""
    port, tls_port = free_port(), free_port()
    if certificate is not None:
        tls = (
            "[server:default]",
            "method = TLSv1.2+",
            "verify_certificate = no",
            f"private_key = {certificate.key}",
            f"certificate = {certificate.certificate}",
        )
        write(home, tls="\n".join([*tls, ""]))
    values = {
        "PORT": f"{port}",
        "TLS_PORT": f"{tls_port}",
        "SERVER": f"{server_port}",
        "TLS_CONFIG": f"{home / 'tls'}",
        "IF_TLS": "#" if certificate is None else "",
    }
    async with _kamailio("kamailio.cfg.in", values, home) as program:
        await program.says("the proxy is ready")
        yield Kamailio(program, port, tls_port)


def _has_presence() -> bool:
    return any(LIBRARIES.glob(PRESENCE))


@asynccontextmanager
async def presence(home: Path) -> AsyncIterator[tuple[str, int]]:
    """Run the notifier; yield its address."""
    if not _has_presence():
        missing("kamailio-presence-modules")
    port, database = free_port(), home / "database"
    copytree(TABLES, database)
    values = {"PORT": f"{port}", "DATABASE": f"{database}"}
    async with _kamailio("kamailio_presence.cfg.in", values, home) as program:
        await program.says("the notifier is ready")
        yield LOCALHOST, port


@asynccontextmanager
async def _kamailio(
    template: str, values: dict[str, str], home: Path
) -> AsyncIterator[Running]:
    """Run Kamailio by a configuration in which each name between @ has a value."""
    text = (TEMPLATES / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    write(home, config=text)
    # In the foreground, with children, little memory, and no file outside its home.
    options = ("-DD", "-E", "-m", "32", "-M", "8", "-Y", home)
    async with running(
        "kamailio", *options, "-f", home / "config", home=home
    ) as program:
        yield program
