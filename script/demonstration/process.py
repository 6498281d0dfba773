"""Processes of the demo, and what it prints."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
import socket

ROOT = Path(__file__).parents[2]
LOCALHOST = "127.0.0.1"


class DemoError(Exception):
    """A fault that the user can fix, as its text describes."""


def say(what: str) -> None:
    """Print a step."""
    print(f"demo: {what}", flush=True)


def pick_port(wanted: int | None, first: int, kind: socket.SocketKind) -> int:
    """Return the wanted port, or else the first free one from `first` on.

    Raises DemoError if there is none.
    """
    for port in (wanted,) if wanted else range(first, first + 100):
        with closing(socket.socket(socket.AF_INET, kind)) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, kind is socket.SOCK_STREAM
            )
            with suppress(OSError):
                probe.bind((LOCALHOST, port))
                return port
    name = "--sip-port" if kind is socket.SOCK_DGRAM else "--http-port"
    raise DemoError(f"port {wanted or first} is taken; choose another with {name}")


async def start(
    log: Path,
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
) -> asyncio.subprocess.Process:
    """Start a process in the background, with its output in a log."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *arguments,
            cwd=cwd,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C in the terminal ends the demo, which ends its processes in order.
            start_new_session=True,
        )


async def end(process: asyncio.subprocess.Process, patience: float) -> None:
    """End a process by SIGTERM, and after `patience` seconds by SIGKILL."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(patience):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
