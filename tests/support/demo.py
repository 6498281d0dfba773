"""The demo as a process, and the API of its Home Assistant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

import aiohttp

from .patience import PATIENCE
from .ports import free_port
from .rawphone import RawPhone

ROOT = Path(__file__).parents[2]
START_PATIENCE = 240.0
END_PATIENCE = 60.0
STORE_PATIENCE = 240.0
"""Home Assistant stores its registries within 180 s after a start, and else in 10 s."""


class Changes:
    """The states that an entity takes."""

    def __init__(self, entity_id: str) -> None:
        self._entity_id = entity_id
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    def empty(self) -> bool:
        """Return whether there is no state that `get` has not returned."""
        return self._queue.empty()

    async def get(self) -> Any:
        """Return the next state; fail without one within PATIENCE."""
        return await self.until(lambda _: True)

    async def until(self, condition: Callable[[Any], bool]) -> Any:
        """Return the next state that fulfils a condition; fail as `get` does."""
        state = None
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition(state := await self._queue.get()):
                    pass
        except TimeoutError:
            raise AssertionError(f"{self._entity_id} stays {state}") from None
        except asyncio.QueueShutDown:
            raise AssertionError(f"{self._entity_id}: connection lost") from None
        return state

    async def read(self, api: aiohttp.ClientWebSocketResponse) -> None:
        """Take the states from a websocket, until that is closed."""
        try:
            async for message in api:
                event = message.json()["event"]
                self._queue.put_nowait(event["variables"]["trigger"]["to_state"])
        finally:
            self._queue.shutdown()


class Demo:
    """A running demo, and the API of its Home Assistant."""

    def __init__(
        self, session: aiohttp.ClientSession, directory: Path, pid: int
    ) -> None:
        self.directory = directory
        self.details: dict[str, Any] = json.loads((directory / "demo.json").read_text())
        self._pid = pid
        self._session = session
        self._url = self.details["url"]
        self._headers = {"Authorization": f"Bearer {self.details['token']}"}

    @property
    def home_assistant(self) -> int:
        """The process ID of Home Assistant."""
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text()
        [found] = [
            child
            for child in map(int, children.split())
            if b"homeassistant" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
        return found

    def kill_home_assistant(self) -> None:
        """End the process without warning, as a power cut would."""
        os.kill(self.home_assistant, signal.SIGKILL)

    def listens(self) -> bool:
        """Return whether the SIP port is in use."""
        wanted = f":{self.details['sip']['port']:04X}"
        lines = Path("/proc/net/udp").read_text().splitlines()[1:]
        return any(line.split()[1].endswith(wanted) for line in lines)

    @asynccontextmanager
    async def phone(self, extension: str) -> AsyncIterator[RawPhone]:
        """Give a phone that has not registered; at the end remove its registration."""
        sip = self.details["sip"]
        password = self.details["phones"][extension]["password"]
        async with RawPhone((sip["host"], sip["port"]), extension, password) as phone:
            yield phone
            assert (await phone.unregister()).status == 200

    def entity(self, extension: str, key: str, what: str) -> str:
        """Return the ID of a key's entity: `led`, `press`, or what it `follows`."""
        entity_id: str = self.details["phones"][extension]["keys"][key][what]
        return entity_id

    async def call(self, domain: str, action: str, **data: Any) -> None:
        """Call a service."""
        async with self._session.post(
            f"{self._url}/api/services/{domain}/{action}",
            json=data,
            headers=self._headers,
        ) as answer:
            assert answer.status == 200, await answer.text()

    async def state(self, entity_id: str) -> dict[str, Any]:
        """Return a state; an empty one while Home Assistant cannot be reached."""
        try:
            async with self._session.get(
                f"{self._url}/api/states/{entity_id}", headers=self._headers
            ) as answer:
                state: dict[str, Any] = await answer.json()
                return state
        except aiohttp.ClientConnectionError:
            return {}

    async def set_state(self, entity_id: str, word: str) -> None:
        """Change the word of a state, as the device of the entity would."""
        attributes = (await self.state(entity_id))["attributes"]
        async with self._session.post(
            f"{self._url}/api/states/{entity_id}",
            json={"state": word, "attributes": attributes},
            headers=self._headers,
        ) as answer:
            assert answer.status == 200, await answer.text()

    @asynccontextmanager
    async def changes(self, entity_id: str) -> AsyncIterator[Changes]:
        """Give the states that an entity takes from now on."""
        changes = Changes(entity_id)
        async with self._session.ws_connect(f"{self._url}/api/websocket") as api:
            await api.receive_json(timeout=PATIENCE)
            token = self.details["token"]
            await api.send_json({"type": "auth", "access_token": token})
            await api.receive_json(timeout=PATIENCE)
            trigger = {"platform": "state", "entity_id": entity_id}
            await api.send_json(
                {"id": 1, "type": "subscribe_trigger", "trigger": trigger}
            )
            assert (await api.receive_json(timeout=PATIENCE))["success"]
            reader = asyncio.create_task(changes.read(api))
            try:
                yield changes
            finally:
                reader.cancel()

    async def stored(self, files: str, text: str) -> None:
        """Wait until one of Home Assistant's files, by a pattern, contains a text."""
        latest = time.monotonic() + STORE_PATIENCE
        while not any(
            text in path.read_text()
            for path in (self.directory / ".storage").glob(files)
        ):
            assert time.monotonic() < latest, f"{text} is not stored in {files}"
            await asyncio.sleep(0.2)


@contextmanager
def demo_process(directory: Path, *options: str) -> Iterator[int]:
    """Run the demo, and return its process ID when it is ready; end it with Ctrl-C.

    It outlives event loops: several tests can use one.
    """
    log = directory.with_suffix(".log")
    arguments = (
        *(sys.executable, "-m", "script.demonstration", "--dir", str(directory)),
        *("--http-port", f"{free_port()}", "--sip-port", f"{free_port()}"),
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            (*arguments, *options),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
        )
    try:
        deadline = time.monotonic() + START_PATIENCE
        while not any(
            line.startswith("Ready") for line in log.read_text().splitlines()
        ):
            assert process.poll() is None, f"the demo ended: {process.returncode}"
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield process.pid
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            code = process.wait(END_PATIENCE)
        finally:
            process.kill()
    assert code == 0


@contextmanager
def demo_without_errors(directory: Path, *options: str) -> Iterator[tuple[Path, int]]:
    """Run the demo as above, with its directory; fail if the integration logs an error."""
    with demo_process(directory, *options) as pid:
        yield directory, pid
    log = (directory / "output.log").read_text()
    assert "ERROR (MainThread) [custom_components.snom_buttons" not in log


@asynccontextmanager
async def demo_of(directory: Path, pid: int) -> AsyncIterator[Demo]:
    """Give the API of a running demo."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Demo(session, directory, pid)
