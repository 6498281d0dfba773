"""Programs that run beside a test, and their output."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import os
from pathlib import Path
import re
import signal

import pytest

from .patience import PATIENCE
from .programs import program

SHOWN = 12_000
"""Characters of a program's output that a failure shows, from its end."""


class Running:
    """A running program, whose output is read line by line."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self._process = process
        self._lines: list[str] = []
        self._read = 0
        self._ended = False
        self._news = asyncio.Event()

    @property
    def output(self) -> str:
        """All output so far."""
        return "\n".join(self._lines)

    async def says(self, pattern: str) -> re.Match[str]:
        """Wait for a line that matches `pattern`, after the last line found this way.

        Fails with the program's output if none comes in time, or the program ends.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while True:
                    while self._read < len(self._lines):
                        self._read += 1
                        if found := re.search(pattern, self._lines[self._read - 1]):
                            return found
                    if self._ended:
                        break
                    self._news.clear()
                    await self._news.wait()
        what = "ended and" if self._ended else "runs, but"
        pytest.fail(
            f"{self.name} {what} did not say {pattern!r}:\n{self.output[-SHOWN:]}"
        )

    def is_running(self) -> bool:
        return self._process.returncode is None

    async def write_line(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()

    async def listen(self) -> None:
        """Read the output until the program ends."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self._lines.append(line.decode(errors="replace").rstrip())
            self._news.set()
        self._ended = True
        self._news.set()

    async def end(self) -> None:
        """End the program and all processes that it started."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), 5)
        # Its children share its process group, which exists as long as one of them does.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


@asynccontextmanager
async def running(
    name: str, *arguments: str | Path, home: Path
) -> AsyncIterator[Running]:
    """Run a program whose only directory for its files is `home`."""
    # Lines are long: linphone logs a whole SIP message without a line end.
    process = await asyncio.create_subprocess_exec(
        *(program(name), *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        limit=2**20,
        cwd=home,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    under_way = Running(name, process)
    listening = asyncio.create_task(under_way.listen())
    try:
        yield under_way
    finally:
        await under_way.end()
        await listening
