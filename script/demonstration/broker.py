"""Mosquitto, and Home Assistant's connection with it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
import shutil
from typing import Any

from script.demonstration.home_assistant import HomeAssistant
from script.demonstration.process import LOCALHOST, DemoError, end, start


def find_mosquitto() -> str:
    """Return the path of Mosquitto. Raises DemoError if it is not installed."""
    # Debian installs it in a folder that is on root's PATH only.
    found = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise DemoError("Mosquitto is missing (on Debian: apt-get install mosquitto)")
    return found


async def run_mosquitto(
    directory: Path, program: str, port: int, client: asyncio.Task[None]
) -> None:
    """Run Mosquitto; when cancelled, end it after its client.

    Raises DemoError when Mosquitto ends on its own.
    """
    config = directory / "mosquitto.conf"
    config.write_text(
        f"listener {port} {LOCALHOST}\nallow_anonymous true\npersistence false\n"
    )
    log = directory / "mosquitto.log"
    process = await start(log, program, "-c", str(config), cwd=directory)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        await asyncio.wait([client])  # which still publishes that it is offline
        raise
    finally:
        await end(process, patience=10)
    raise DemoError(f"Mosquitto ended with code {code}; see {log}")


async def set_up_mqtt(home: HomeAssistant, port: int) -> dict[str, Any]:
    """Connect Home Assistant and the phones with the broker, by dialogues.

    Returns the broker's part of demo.json.
    """
    await home.flow(
        "/api/config/config_entries/flow",
        "mqtt",
        broker={
            "broker": LOCALHOST,
            "port": port,
            "other_settings": {"set_client_cert": False, "set_ca_cert": "off"},
        },
    )
    [entries] = await home.commands(
        {"type": "config_entries/get", "domain": "snom_buttons"}
    )
    await home.flow(
        "/api/config/config_entries/options/flow",
        entries[0]["entry_id"],
        init={
            "mqtt": True,
            "base_topic": "snom_buttons",
            "commands": True,
            "discovery": False,
        },
    )
    return {"host": LOCALHOST, "port": port, "base": "snom_buttons"}
