"""`script/bench` runs beside a Home Assistant, such as the demo's."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
import socket
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]
SET_UP = """
import asyncio
from script.benchmark.home_assistant import home_assistant, set_up_http

async def main():
    async with home_assistant() as hass:
        await set_up_http(hass)

asyncio.run(main())
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, *arguments),
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "module", ["script.benchmark.home_assistant", "script.demonstration.__main__"]
)
def test_no_module_warns_when_it_is_imported(module: str) -> None:
    """Home Assistant warns if voluptuous was imported before."""
    done = run("-W", "error::RuntimeWarning", "-c", f"import {module}")
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("socket_enabled")
def test_home_assistants_port_may_be_taken() -> None:
    with socket.socket() as taken:
        # If this fails, another program has the port.
        with suppress(OSError):
            taken.bind(("0.0.0.0", 8123))
            taken.listen()
        done = run("-c", SET_UP)
    assert done.returncode == 0, done.stderr
