"""Kamailio as an edge proxy between phones and the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.certificates import Certificate

from .peers import write
from .ports import free_port
from .running import Running, running

TEMPLATE = Path(__file__).parents[1] / "wire" / "kamailio.cfg.in"


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
    text = TEMPLATE.read_text()
    for name, value in {
        "PORT": str(port),
        "TLS_PORT": str(tls_port),
        "SERVER": str(server_port),
        "TLS_CONFIG": str(home / "tls"),
        "IF_TLS": "#" if certificate is None else "",
    }.items():
        text = text.replace(f"@{name}@", value)
    write(home, config=text)
    # In the foreground, with children, little memory, and no file outside its home.
    options = ("-DD", "-E", "-m", "32", "-M", "8", "-Y", home)
    async with running(
        "kamailio", *options, "-f", home / "config", home=home
    ) as program:
        await program.says("the proxy is ready")
        yield Kamailio(program, port, tls_port)
