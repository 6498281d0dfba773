"""A bridge as a process, with a settings file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
import signal
import sys
from typing import Any

import yaml

from .patience import PATIENCE
from .ports import LOCALHOST, free_port

ROOT = Path(__file__).parents[2]
PASSWORD = "geheim-44"


def bridge_settings(broker: int, **sections: Any) -> dict[str, Any]:
    """Return the settings of a bridge with phones 44 and 45, of four keys each."""
    settings: dict[str, Any] = {
        "server": {"host": LOCALHOST, "port": free_port()},
        "mqtt": {"host": LOCALHOST, "port": broker},
        "phones": {
            extension: {"name": f"Phone {extension}", "password": PASSWORD, "keys": "4"}
            for extension in ("44", "45")
        },
        "http": False,  # its usual port is one for all tests
    }
    for name, section in sections.items():
        settings[name] = {**(settings.get(name) or {}), **section}
    return settings


class BridgeProcess:
    """A running `python -m bridge`."""

    def __init__(self, path: Path, process: asyncio.subprocess.Process) -> None:
        self.path = path
        self.process = process
        self.log: list[str] = []
        self._news = asyncio.Event()

    @property
    def address(self) -> tuple[str, int]:
        """The address of its UDP socket."""
        server = yaml.safe_load(self.path.read_text())["server"]
        return server["host"], server["port"]

    async def listen(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log.append(line.decode().rstrip())
            self._news.set()
        self._news.set()

    async def logs(self, text: str, times: int = 1) -> None:
        """Wait until it has logged a text so many times."""
        try:
            async with asyncio.timeout(PATIENCE):
                while sum(text in line for line in self.log) < times:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {text} in {'\n'.join(self.log)}") from None

    def write(self, settings: Any) -> None:
        """Write the settings file; a text as it stands."""
        if not isinstance(settings, str):
            settings = yaml.safe_dump(settings, sort_keys=False)
        self.path.write_text(settings)

    async def reload(self, settings: Any) -> None:
        """Write the settings file, and wait until the bridge has read it."""
        self.log.clear()
        self.write(settings)
        self.process.send_signal(signal.SIGHUP)
        await self.logs("The settings are ")

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal; return its exit status."""
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)


@asynccontextmanager
async def running_bridge(
    folder: Path,
    settings: Any,
    *,
    wait: bool = True,
    command: Sequence[str | Path] = (sys.executable, "-m", "bridge"),
    cwd: Path = ROOT,
    preexec: Callable[[], None] | None = None,
) -> AsyncIterator[BridgeProcess]:
    """Run a bridge in a process; by default wait until its ports are open.

    The process calls `preexec` first.
    """
    path = folder / "snom-bridge.yaml"
    text = settings if isinstance(settings, str) else yaml.safe_dump(settings)
    path.write_text(text)
    process = await asyncio.create_subprocess_exec(
        *(*command, "--config", path),
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        preexec_fn=preexec,
    )
    bridge = BridgeProcess(path, process)
    listening = asyncio.create_task(bridge.listen())
    try:
        if wait:
            await bridge.logs("Listening on")
        yield bridge
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
