"""`script/demo --bridge`: its processes, and the line that it prints."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import os
from pathlib import Path
import shlex
import sys

import aiohttp
import pytest

from tests.support.demo import ROOT, demo_process
from tests.support.mqtt_peers import MqttClient
from tests.support.patience import PATIENCE
from tests.support.programs import program

BASE = "snom_buttons"


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def command_in(output: str, name: str) -> list[str]:
    """Return the arguments of a command that was printed."""
    [line] = [it for it in output.splitlines() if f" {name} " in it]
    return shlex.split(line.partition(": ")[2])[1:]


@pytest.fixture
def demo(tmp_path: Path, socket_enabled: None) -> Iterator[Path]:
    """Run the demo; return its directory. It ends by Ctrl-C, with all its processes."""
    program("mosquitto")
    directory = tmp_path / "demo"
    with demo_process(directory, "--bridge") as pid:
        started = children(pid)
        assert len(started) == 3
        yield directory
    for process in started:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    # In order: the phone left before the bridge, and the bridge before Mosquitto.
    assert "Ended" in (directory / "bridge.log").read_text()
    assert " broke: " not in (directory / "bridge.log").read_text()


async def test_the_printed_line_lights_a_lamp(demo: Path) -> None:
    output = demo.with_suffix(".log").read_text()
    publish = command_in(output, "mosquitto_pub")
    subscribe = command_in(output, "mosquitto_sub")
    port = int(publish[publish.index("-p") + 1])
    assert subscribe[subscribe.index("-p") + 1] == str(port)
    phone = demo / "phone.log"
    async with MqttClient(port) as client:
        await client.hears(f"{BASE}/44/key/1/state", state="OFF", in_sync=True)
        typed = await asyncio.create_subprocess_exec(program("mosquitto_pub"), *publish)
        assert await asyncio.wait_for(typed.wait(), PATIENCE) == 0
        await client.hears(f"{BASE}/44/key/1/state", state="ON", in_sync=True)
        async with asyncio.timeout(PATIENCE):
            # It answers first, and prints then.
            while "key 1: on" not in phone.read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    heard = await asyncio.create_subprocess_exec(
        *(program("mosquitto_sub"), *subscribe, "-C", "1"),
        stdout=asyncio.subprocess.PIPE,
    )
    text, _ = await asyncio.wait_for(heard.communicate(), PATIENCE)
    assert text.decode().startswith(f"{BASE}/44/")
    url = output.partition("Metrics: ")[2].split()[0]
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert "snom_bridge_phones_available 1.0" in await answer.text()


@pytest.mark.parametrize("other", ["--mqtt", "--no-setup", "--new-phone"])
async def test_what_does_not_go_with_it(other: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "script.demonstration", "--bridge", other),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert "not allowed with" in errors.decode()
