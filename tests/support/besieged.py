"""A server in a process of its own, to measure what strangers cost it.

Run as a program it prints where it listens, and then each event of a press with its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import logging
import os
from pathlib import Path
import re
import signal
import ssl
import sys
from time import monotonic

from custom_components.snom_buttons.engine.phones import (
    KeyPress,
    KeySetup,
    PhoneServer,
    PhoneSetup,
    ServerSettings,
)
from custom_components.snom_buttons.engine.provisioning import PlugAndPlay
from custom_components.snom_buttons.engine.xbuttons import Action, KeyDescription

from .patience import PATIENCE

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "correct horse battery"
EXTENSIONS = ("44", "45", "46")
CROWD = tuple(f"{number}" for number in range(1000, 1100))
"""Phones whose presses are not printed."""
KEYS = ("1", "2", "3", "4")
LOCALHOST = "127.0.0.1"


class Watched:
    """A process that turns presses into events, and what it costs."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._news = asyncio.Event()
        self.pressed: list[tuple[str, float]] = []
        """The number of each press, and the time of its event."""

    def note(self, number: str, at: float) -> None:
        """Note the event of a press."""
        self.pressed.append((number, at))
        self._news.set()

    async def presses(self, count: int, patience: float = PATIENCE) -> None:
        """Wait until `count` presses became events. Raises TimeoutError."""
        async with asyncio.timeout(patience):
            while len(self.pressed) < count:
                self._news.clear()
                await self._news.wait()

    @property
    def memory(self) -> float:
        """The resident memory now, in MiB."""
        return self._memory("VmRSS")

    @property
    def peak(self) -> float:
        """The largest resident memory so far, in MiB."""
        return self._memory("VmHWM")

    def _memory(self, what: str) -> float:
        status = Path(f"/proc/{self._pid}/status").read_text()
        found = re.search(rf"{what}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024

    @property
    def processor(self) -> float:
        """The seconds of processor time used so far."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Besieged(Watched):
    """The server's process, seen from the test that started it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        super().__init__(process.pid)
        self._process = process
        self.addresses: dict[str, tuple[str, int]] = {}

    async def started(self) -> None:
        """Wait until the server listens."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        self.addresses = {
            name: tuple(address) for name, address in json.loads(line).items()
        }

    async def listen(self) -> None:
        """Read the events that it prints until it ends."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            number, at = json.loads(line)
            self.note(number, at)


@asynccontextmanager
async def besieged(
    certificate: Path | None = None, key: Path | None = None
) -> AsyncIterator[Besieged]:
    """Run the server; with a certificate and its key also by TLS."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, *map(str, filter(None, (certificate, key)))),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    server = Besieged(process)
    await server.started()
    listening = asyncio.create_task(server.listen())
    try:
        yield server
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await listening


def _keys() -> tuple[KeySetup, ...]:
    return tuple(
        KeySetup(
            off=KeyDescription(
                name=name, action=Action.MESSAGE, number=f"key{name}", label=name
            )
        )
        for name in KEYS
    )


def say(what: object) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


async def serve(certificate: str | None, key: str | None) -> None:
    """Serve until the process is ended."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    server = PhoneServer(
        ServerSettings(
            host=LOCALHOST,
            port=0,
            tcp_port=0,
            tls_port=0 if context else None,
            realm="ha",
            advertised_host=LOCALHOST,
        ),
        context=context,
    )
    for extension in EXTENSIONS + CROWD:
        server.add_phone(
            PhoneSetup(extension=extension, password=PASSWORD, keys=_keys())
        )

    def print_press(press: KeyPress) -> None:
        if press.extension in EXTENSIONS:
            say([press.number, monotonic()])

    server.pressed.subscribe(print_press)
    await server.start()
    plug_and_play = PlugAndPlay(server, lambda _: None, monotonic)
    await plug_and_play.open([LOCALHOST], port=server.address[1])
    transports = server._endpoint._transports
    say({name: server.address_of(name) for name in transports})

    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.run(serve(*(sys.argv[1:] or (None, None))[:2]))
