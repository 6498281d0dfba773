"""Kamailio as an edge proxy between phones and the server, and as a notifier beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

from tests.support.certificates import Certificate

from .peers import write
from .ports import LOCALHOST, free_port
from .programs import missing
from .running import Running, running

EDGE = Path(__file__).parents[2] / "deploy" / "kamailio" / "kamailio.cfg"
TEMPLATES = Path(__file__).parents[1] / "wire"
LIBRARIES = Path("/usr/lib")
PRESENCE = "*/kamailio/modules/presence_dialoginfo.so"
TABLES = Path("/usr/share/kamailio/dbtext/kamailio")
"""The empty tables of a database in files."""
OPTIONS = ("-DD", "-E", "-m", "32", "-M", "8")
"""In the foreground, with children, and little memory."""


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
    server_port: int,
    home: Path,
    certificate: Certificate | None = None,
    port: int | None = None,
) -> AsyncIterator[Kamailio]:
    """Run the proxy in front of a server; with a certificate it also accepts TLS."""
    port, tls_port = port or free_port(), free_port()
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


@asynccontextmanager
async def edge(
    bridges: Iterable[int | str],
    home: Path,
    *,
    port: int | None = None,
    certificate: Certificate | None = None,
    **values: int | str,
) -> AsyncIterator[Kamailio]:
    """Run the edge of deploy/ in front of bridges, with its defines.

    A bridge is a port of this machine by UDP, or what follows `sip:` in its URI.
    """
    port, tls_port = port or free_port(), free_port()
    listed = [
        f"1 sip:{it if isinstance(it, str) else f'{LOCALHOST}:{it}'} 0 0\n"
        for it in bridges
    ]
    write(home, bridges="".join(listed))
    defines = {
        "SECRET": '"a secret of the edges"',
        "BRIDGES": f'"{home / "bridges"}"',
        "PORT": port,
        "TLS_PORT": tls_port,
        "WORKERS": 1,
        **values,
    }
    if certificate is not None:
        defines["CERTIFICATE"] = f'"{certificate.certificate}"'
        defines["PRIVATE_KEY"] = f'"{certificate.key}"'
    options = [
        option for it in defines.items() for option in ("-A", "{}={}".format(*it))
    ]
    if certificate is not None:
        options += ["-A", "WITH_TLS"]
    async with running(
        "kamailio", *OPTIONS, "-Y", home, "-f", EDGE, *options, home=home
    ) as program:
        await program.says("the edge is ready")
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
    async with running(
        "kamailio", *OPTIONS, "-Y", home, "-f", home / "config", home=home
    ) as program:
        yield program
