"""Runs `killable.py`, a Home Assistant that is killed in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import os
from pathlib import Path
import signal
import sys
import time

from homeassistant.helpers.storage import STORAGE_DIR

from . import killable
from .patience import PATIENCE
from .ports import free_port
from .running import Running, running

PHONE = f"snom_buttons.{killable.ENTRY_ID}.subentry_44"
"""The name of the file that stores the phone."""


@asynccontextmanager
async def started(directory: Path, port: int | None = None) -> AsyncIterator[Running]:
    """Run a Home Assistant, and kill it in the end."""
    port = port or free_port()
    (directory / "configuration.yaml").touch()
    script = Path(killable.__file__)
    command = (sys.executable, script, directory, f"{port}")
    async with running(*command, home=directory) as program:
        pid = int((await program.says(r"runs as (\d+)"))[1])
        yield program
        os.kill(pid, signal.SIGKILL)


async def ask(program: Running, line: str) -> str:
    """Return the answer to a line."""
    await program.write_line(line)
    return (await program.says("(shows|churned).*"))[0]


async def stored(directory: Path, text: str) -> None:
    """Wait until the phone's file contains a text."""
    path = directory / STORAGE_DIR / PHONE
    latest = time.monotonic() + PATIENCE
    while not (path.exists() and text in path.read_text()):
        assert time.monotonic() < latest
        await asyncio.sleep(0.05)
