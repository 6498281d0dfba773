"""The demo of the bridge: Mosquitto, `snom-bridge` and a software phone, no Home Assistant."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
import socket
import sys
from typing import Any

import aiohttp

from script.demonstration.broker import find_mosquitto, run_mosquitto
from script.demonstration.directory import empty_directory
from script.demonstration.phone import run_software_phone
from script.demonstration.process import (
    LOCALHOST,
    ROOT,
    DemoError,
    end,
    pick_port,
    say,
    start,
)

PHONE = "44"
PASSWORD = "demo-44-secret"  # noqa: S105, of a demo
BASE = "snom_buttons"
SETTINGS = """\
# Written by script/demo --bridge; docs/bridge.md has all settings.
server: {{host: {host}, port: {sip}}}
mqtt: {{host: {host}, port: {mqtt}}}
http: {{port: {http}}}
secret: of-the-demo
phones:
  "{phone}":
    password: {password}
    keys:
      "1": {{name: Lamp, colors: true}}
      "2": {{name: Toggles, kind: switch, toggle: true}}
      "3": {{name: Third, colors: true}}
      "4": {{name: Fourth, colors: true}}
      "5": {{name: On line 2}}
      "6": {{name: Sixth}}
  "45": {{password: demo-45-secret, keys: 6}}
lines:
  co2: {{name: Line 2, keys: {{"{phone}": "5", "45": "5"}}}}
"""
PATIENCE = 60
"""Seconds until everything has to run."""


async def run_bridge_demo(options: argparse.Namespace) -> None:
    """Start everything, print how to light a lamp, and wait for the phone to end.

    Without a phone it runs until it is cancelled. Raises DemoError, alone or in a group.
    """
    mosquitto = find_mosquitto()
    http_port = pick_port(options.http_port, 9464, socket.SOCK_STREAM)
    sip_port = pick_port(options.sip_port, 5060, socket.SOCK_DGRAM)
    mqtt_port = pick_port(None, 1883, socket.SOCK_STREAM)
    directory: Path = options.dir.resolve()
    empty_directory(directory)
    settings = directory / "snom-bridge.yaml"
    settings.touch(mode=0o600)  # it has passwords
    settings.write_text(
        SETTINGS.format(
            host=LOCALHOST,
            sip=sip_port,
            mqtt=mqtt_port,
            http=http_port,
            phone=PHONE,
            password=PASSWORD,
        )
    )
    url = f"http://{LOCALHOST}:{http_port}"
    demo = {
        "url": url,
        "sip": {"host": LOCALHOST, "port": sip_port},
        "mqtt": {"host": LOCALHOST, "port": mqtt_port, "base": BASE},
        "phones": {PHONE: {"password": PASSWORD}},
    }
    broker = f"-h {LOCALHOST} -p {mqtt_port}"
    lines = (
        f"Light a lamp: mosquitto_pub {broker} -t {BASE}/{PHONE}/key/1/set -m ON",
        f"See presses:  mosquitto_sub {broker} -v -t '{BASE}/{PHONE}/key/#'",
    )
    has_terminal = all(it.isatty() for it in (sys.stdin, sys.stdout, sys.stderr))
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        say("starting Mosquitto and the bridge")
        lasting = bridge = group.create_task(_run_bridge(directory, settings))
        background = [
            bridge,
            group.create_task(run_mosquitto(directory, mosquitto, mqtt_port, bridge)),
        ]
        try:
            async with asyncio.timeout(PATIENCE):
                await _until(session, f"{url}/healthz", "")
                if not (options.no_phone or has_terminal):
                    lasting = group.create_task(_run_phone(directory, demo, None))
                    background.append(lasting)
                    available = "snom_bridge_phones_available 1.0"
                    await _until(session, f"{url}/metrics", available)
        except TimeoutError:
            raise DemoError(
                f"not up within {PATIENCE} s; see {directory / 'bridge.log'}"
            ) from None
        (directory / "demo.json").write_text(json.dumps(demo, indent=2) + "\n")
        print(f"Ready: settings and logs are in {directory}; Ctrl-C ends it")
        print(*lines, f"Metrics:      {url}/metrics", sep="\n", flush=True)
        if has_terminal and not options.no_phone:
            lasting = group.create_task(_run_phone(directory, demo, "\n".join(lines)))
        await lasting
        for task in background:
            task.cancel()


async def _run_bridge(directory: Path, settings: Path) -> None:
    """Run the bridge until it is cancelled. Raises DemoError when it ends by itself."""
    log = directory / "bridge.log"
    command = (sys.executable, "-m", "bridge", "--config", str(settings))
    process = await start(log, *command, cwd=ROOT)
    try:
        code = await process.wait()
    finally:
        await end(process, patience=10)
    raise DemoError(f"the bridge ended with code {code}; see {log}")


async def _run_phone(directory: Path, demo: dict[str, Any], note: str | None) -> None:
    """Run the software phone, as `run_software_phone` does."""
    sip = demo["sip"]
    options = ["--registrar", f"{sip['host']}:{sip['port']}", "--user", PHONE]
    await run_software_phone(
        directory / "phone.log",
        [*options, "--keys", "6"],
        note,
        VIRTUAL_PHONE_PASSWORD=PASSWORD,
    )


async def _until(session: aiohttp.ClientSession, url: str, text: str) -> None:
    """Wait until a page of the bridge is there and contains a text."""
    while True:
        try:
            async with session.get(url) as answer:
                if answer.status == 200 and text in await answer.text():
                    return
        except aiohttp.ClientConnectionError:
            pass  # it is about to start
        await asyncio.sleep(0.1)
