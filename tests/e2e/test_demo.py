"""A real Home Assistant, set up by `script/demo`, and phones that share no code with us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
import signal
import socket
import sys
from typing import Any

import aiohttp
import pytest

from tests.support.entries import free_port
from tests.support.rawphone import RawPhone

ROOT = Path(__file__).parent.parent.parent

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("socket_enabled"),
]


def free_tcp_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Demo:
    """A running demo, and its Home Assistant's API."""

    def __init__(
        self, session: aiohttp.ClientSession, details: dict[str, Any], pid: int
    ) -> None:
        self.details = details
        self._pid = pid
        self._session = session
        self._url = details["url"]
        self._headers = {"Authorization": f"Bearer {details['token']}"}

    def kill_home_assistant(self) -> None:
        """End it as a power cut would."""
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text()
        for child in map(int, children.split()):
            command = Path(f"/proc/{child}/cmdline").read_bytes()
            if b"homeassistant" in command:
                os.kill(child, signal.SIGKILL)

    def listens(self) -> bool:
        """Return whether anybody has the SIP port."""
        wanted = f":{self.details['sip']['port']:04X}"
        lines = Path("/proc/net/udp").read_text().splitlines()[1:]
        return any(line.split()[1].endswith(wanted) for line in lines)

    def phone(self, extension: str) -> RawPhone:
        sip = self.details["sip"]
        password = self.details["phones"][extension]["password"]
        return RawPhone((sip["host"], sip["port"]), extension, password)

    def entity(self, extension: str, key: str, what: str) -> str:
        entity_id: str = self.details["phones"][extension]["keys"][key][what]
        return entity_id

    async def call(self, domain: str, action: str, **data: Any) -> None:
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

    @asynccontextmanager
    async def changes(self, entity_id: str) -> AsyncIterator[asyncio.Queue[Any]]:
        """Give the states that an entity takes from now on."""
        queue: asyncio.Queue[Any] = asyncio.Queue()
        async with self._session.ws_connect(f"{self._url}/api/websocket") as api:
            await api.receive_json()
            token = self.details["token"]
            await api.send_json({"type": "auth", "access_token": token})
            await api.receive_json()
            trigger = {"platform": "state", "entity_id": entity_id}
            await api.send_json(
                {"id": 1, "type": "subscribe_trigger", "trigger": trigger}
            )
            assert (await api.receive_json())["success"]

            async def read() -> None:
                async for message in api:
                    event = message.json()["event"]
                    await queue.put(event["variables"]["trigger"]["to_state"])

            reader = asyncio.create_task(read())
            yield queue
            reader.cancel()


@asynccontextmanager
async def demo_running(directory: Path, *options: str) -> AsyncIterator[Demo]:
    """Run `script/demo` until it says that it is ready; end it as Ctrl-C would."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "script.demonstration", "--dir", str(directory)),
        *("--http-port", f"{free_tcp_port()}", "--sip-port", f"{free_port()}"),
        *options,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        ready = b""
        async with asyncio.timeout(150):
            while not ready.startswith(b"Ready"):
                ready = await process.stdout.readline()
                assert ready, f"the demo ended: {await process.wait()}"
        details = json.loads((directory / "demo.json").read_text())
        async with aiohttp.ClientSession() as session:
            yield Demo(session, details, process.pid)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await process.wait() == 0


async def test_lamps_presses_and_a_restart(tmp_path: Path) -> None:
    """The main job, as the README promises it."""
    directory = tmp_path / "demo"
    async with demo_running(directory, "--no-phone") as demo, demo.phone("44") as desk:
        lamp, press = demo.entity("44", "4", "led"), demo.entity("44", "4", "press")
        assert set(demo.details["phones"]) == {"44", "45"}
        assert list(demo.details["phones"]["45"]["keys"]) == [
            f"{n}" for n in range(1, 13)
        ]
        assert (await demo.state(lamp))["state"] == "unavailable"

        assert (await desk.register()).status == 200
        await desk.shows("12")
        assert desk.keys["4"].get("c") is None

        # A light that is turned on over the API arrives at the phone.
        await demo.call("light", "turn_on", entity_id=lamp)
        await desk.shows("4", c="on")
        assert (await demo.state(lamp))["state"] == "on"
        await demo.call(
            "light", "turn_on", entity_id=lamp, effect="hold", hs_color=[118, 90]
        )
        await desk.shows("4", c="hold", o="green")

        # A press changes the state of the event entity.
        async with demo.changes(press) as pressed:
            assert (await desk.press("4")).status == 200
            async with asyncio.timeout(10):
                state = await pressed.get()
        assert state["attributes"]["event_type"] == "press_end"
        assert state["attributes"]["action"] == "message"

        # A restart brings the lamp back, and the phone, which noticed nothing.
        desk.keys.clear()
        await demo.call("homeassistant", "restart")
        async with asyncio.timeout(90):
            while desk.keys.get("4", {}).get("c") != "hold":
                with suppress(TimeoutError):
                    await desk.shows("4", c="hold", o="green")
            # The API comes up last: ask until it answers.
            while (await demo.state(lamp)).get("state") != "on":  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (await demo.state(lamp))["attributes"]["effect"] == "hold"
    log = (directory / "output.log").read_text()
    assert "ERROR (MainThread) [custom_components.snom_buttons" not in log


def outlives_a_power_cut(directory: Path) -> bool:
    """Return whether all that the phones need is stored, with key 4 parked.

    That is not only our store. Home Assistant writes a config entry a second after its
    last change: without that it knows nothing of us when it is started again.
    """
    storage = directory / ".storage"
    try:
        entries = json.loads((storage / "core.config_entries").read_text())
        (entry,) = (
            entry
            for entry in entries["data"]["entries"]
            if entry["domain"] == "snom_buttons"
        )
        ours = json.loads((storage / f"snom_buttons.{entry['entry_id']}").read_text())
    except FileNotFoundError, ValueError:
        return False
    phones = ours["data"]["phones"]
    return (
        len(entry["subentries"]) == 3
        and all(phone["bindings"] for phone in phones.values())
        and all("c=park" in phone["keys"][3]["shown"] for phone in phones.values())
    )


def began_to_set_us_up(directory: Path) -> datetime | None:
    """Return when Home Assistant did so, by its log; None if that does not say."""
    for line in (directory / "output.log").read_text().splitlines():
        if line.endswith("[homeassistant.setup] Setting up snom_buttons"):
            day, time, _ = line.split(maxsplit=2)
            return datetime.fromisoformat(f"{day} {time}").astimezone(UTC)
    return None


async def test_home_assistant_is_killed(tmp_path: Path) -> None:
    """Phones that noticed nothing show the right picture soon after the start."""
    directory = tmp_path / "demo"
    async with (
        demo_running(directory, "--no-phone") as demo,
        demo.phone("44") as desk,
        demo.phone("45") as other,
    ):
        pictures = []
        for phone in (desk, other):
            assert (await phone.register()).status == 200
            lamp = demo.entity(phone.extension, "4", "led")
            await demo.call("light", "turn_on", entity_id=lamp, effect="park")
            await phone.shows("4", c="park")
            await phone.shows("12")
            pictures.append(dict(phone.keys))
        # From its next start on it tells when it sets us up.
        with (directory / "configuration.yaml").open("a") as configuration:
            configuration.write("    homeassistant.setup: info\n")
        async with asyncio.timeout(10):
            while not outlives_a_power_cut(directory):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        demo.kill_home_assistant()
        async with asyncio.timeout(10):
            while demo.listens():  # noqa: ASYNC110, the system tells nobody
                await asyncio.sleep(0.02)
        desk.keys.clear()
        other.keys.clear()
        async with asyncio.timeout(90):
            while (began := began_to_set_us_up(directory)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await desk.until(lambda: desk.keys == pictures[0])
        await other.until(lambda: other.keys == pictures[1])
        assert datetime.now(UTC) - began < timedelta(seconds=3)
        assert (await desk.press("4")).status == 200


async def test_what_the_document_shows_works_between_two_phones(
    tmp_path: Path,
) -> None:
    """Do not disturb, the shared line and dialling, with the document's own words."""
    async with (
        demo_running(tmp_path / "demo", "--no-phone") as demo,
        demo.phone("44") as desk,
        demo.phone("45") as other,
    ):
        phones = demo.details["phones"]
        line = demo.details["shared"]["co2"]
        assert phones["44"]["keys"]["12"]["led"] == line
        assert (await desk.register()).status == 200
        assert await desk.shows("11", n="*78") == {
            "n": "*78",
            "a": "message",
            "l": "DND",
        }
        free = {"n": "*602co2", "a": "seize", "l": "(co2)"}
        seized = {"c": "on", "n": "*603co2", "a": "release", "l": "(co2)"}
        assert await desk.shows("12", n="*602co2") == free

        # Do not disturb: the key answers by itself, and the switch follows.
        dnd = demo.entity("44", "11", "led")
        assert (await desk.press("11")).status == 200
        assert await desk.shows("11", c="offline") == {
            "c": "offline",
            "n": "*79",
            "a": "message",
            "l": "DND",
        }
        assert (await demo.state(dnd))["state"] == "on"
        await demo.call("switch", "turn_off", entity_id=dnd)
        await desk.shows("11", n="*78", c=None)

        # The line is there for the one while the other is away, and for both then.
        assert (await desk.press("12", "seize")).status == 200
        assert await desk.shows("12", c="on") == seized
        assert (await other.register()).status == 200
        assert await other.shows("12", c="on") == seized
        assert (await demo.state(line))["attributes"]["phone"] == "44"
        async with demo.changes(demo.entity("45", "12", "press")) as pressed:
            assert (await other.press("12", "release")).status == 200
            async with asyncio.timeout(10):
                state = await pressed.get()
        assert state["attributes"]["event_type"] == "press_end"
        assert (await demo.state(line))["state"] == "on"
        assert (await desk.press("12", "release")).status == 200
        assert await desk.shows("12", c=None) == free
        assert await other.shows("12", c=None) == free
        await demo.call("switch", "turn_on", entity_id=line)
        await other.shows("12", c="on")
        assert (await demo.state(line))["attributes"]["phone"] is None

        async with demo.changes(phones["45"]["dialled"]) as dialled:
            assert (await other.invite("100")).status == 486
            async with asyncio.timeout(10):
                state = await dialled.get()
        assert state["attributes"]["number"] == "100"


async def test_the_software_phone_is_there_when_it_says_ready(tmp_path: Path) -> None:
    async with demo_running(tmp_path / "demo") as demo:
        lamp = demo.entity("44", "1", "led")
        assert (await demo.state(lamp))["state"] == "off"
        other = demo.entity("45", "1", "led")
        assert (await demo.state(other))["state"] == "unavailable"


async def test_what_hinders_it_is_said(tmp_path: Path) -> None:
    async def complaint(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "script.demonstration", "--no-phone"),
            *arguments,
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
        assert process.returncode == 1
        return errors.decode()

    (tmp_path / "precious").write_text("do not touch")
    assert "is not empty" in await complaint("--dir", str(tmp_path))
    assert (tmp_path / "precious").exists()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as holder:
        holder.bind(("127.0.0.1", 0))
        port = f"{holder.getsockname()[1]}"
        directory = str(tmp_path / "new")
        text = await complaint("--dir", directory, "--sip-port", port)
        assert f"port {port} is taken; choose another with --sip-port" in text
