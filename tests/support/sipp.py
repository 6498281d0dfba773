"""sipp, which plays a phone by a scenario."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
import re
from typing import Any

from .patience import PATIENCE
from .ports import LOCALHOST
from .programs import program
from .rawphone import RawMessage

SCENARIOS = Path(__file__).parents[1] / "wire" / "sipp"
_HEADING = re.compile(rb"-{20,} [-0-9]+[ \t].*\n\w+ message (\w+).*\n\n")


async def sipp(
    port: int,
    scenario: str,
    path: Path,
    *options: Any,
    password: str,
    host: str = LOCALHOST,
) -> Process:
    """Start sipp as phone 44; what it writes goes to a path. An IPv6 address is in [ ]."""
    return await asyncio.create_subprocess_exec(
        *(program("sipp"), f"{host}:{port}", "-i", host),
        *("-sf", SCENARIOS / scenario, "-au", "44", "-ap", password),
        *("-m", "1", "-timeout", "20s", "-timeout_error", "-nostdin"),
        *("-trace_err", "-error_file", path / "errors.log"),
        *options,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=path,
    )


async def succeeded(process: Process, path: Path) -> None:
    """Wait for the end of sipp, which must have seen what the scenario says."""
    printed, _ = await process.communicate()
    errors = path / "errors.log"
    assert process.returncode == 0, (
        f"{printed.decode(errors='replace')[-3000:]}\n"
        f"{errors.read_text() if errors.exists() else ''}"
    )


class Lamps:
    """A sipp that has subscribed to keys 1 to 3 (`lamps.xml`), and what it has got."""

    def __init__(self, messages: Path, pid: int) -> None:
        self._messages = messages
        self._pid = pid

    @property
    def notices(self) -> list[RawMessage]:
        """All NOTIFYs that it has received, retransmissions included."""
        if not self._messages.exists():
            return []
        _, *parts = _HEADING.split(self._messages.read_bytes())
        kinds, messages = parts[::2], parts[1::2]
        return [
            RawMessage.parse(message)
            for kind, message in zip(kinds, messages, strict=True)
            if kind == b"received" and message.startswith(b"NOTIFY ")
        ]

    def dialog(self, key: str) -> list[RawMessage]:
        """Return the NOTIFYs of its own dialog of a key."""
        call_id = f"key{key}///1-{self._pid}@{LOCALHOST}"
        return [it for it in self.notices if it.get("Call-ID") == call_id]

    async def shows(self, key: str, state: str) -> RawMessage:
        """Wait until the newest NOTIFY of a key has a dialog state; return it."""
        wanted = f"<state>{state}</state>"
        await until(lambda: any(wanted in it.body for it in self.dialog(key)[-1:]))
        return self.dialog(key)[-1]


@asynccontextmanager
async def lamps(
    port: int, own: int, path: Path, *, password: str, others: str
) -> AsyncIterator[Lamps]:
    """Run a phone at a port of its `own`, and kill it in the end.

    `others` is the scenario of requests in none of its dialogs.
    """
    path.mkdir()  # noqa: ASYNC240
    messages = path / "messages.log"
    process = await sipp(
        port,
        "lamps.xml",
        path,
        *("-p", f"{own}", "-oocsf", SCENARIOS / others, "-timeout", "120s"),
        *("-trace_msg", "-message_file", messages),
        password=password,
    )
    try:
        yield Lamps(messages, process.pid)
    finally:
        process.kill()
        await process.communicate()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process brings about."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110, there is no event
            await asyncio.sleep(0.02)
