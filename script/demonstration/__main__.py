"""The command `script/demo`."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
import signal
import socket
import sys
from typing import Any

import aiohttp

from script.demonstration.bridge import run_bridge_demo
from script.demonstration.broker import find_mosquitto, run_mosquitto, set_up_mqtt
from script.demonstration.dashboard import make_dashboard
from script.demonstration.directory import prepare_directory
from script.demonstration.home_assistant import (
    PASSWORD,
    USER,
    HomeAssistant,
    run_home_assistant,
)
from script.demonstration.house import set_up
from script.demonstration.phone import (
    NEW_PHONE,
    run_new_phone,
    run_phone,
    wait_for_phone,
)
from script.demonstration.process import LOCALHOST, ROOT, DemoError, pick_port, say

NEW_PHONE_NOTE = (
    "A new phone: Snom Buttons, Add phone, Plug it in now. It asks for its settings every"
    " minute and a half, or at once with r."
)
"""What to do with the phone as it comes from the factory."""
MORE_PHONES = """\
It runs phone 46, a snom. Phone 47 is a Yealink with six busy lamp keys; run it in a
second terminal, with the SIP port that demo.json names:

  .venv/bin/python -m virtual_phone --registrar 127.0.0.1:5060 --user 47 \\
    --password demo-47-secret --maker yealink --keys 6
"""
PATIENCE = 120
"""Seconds until everything has to run."""


def parse_arguments() -> argparse.Namespace:
    """Return the options of `script/demo`."""
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="Runs Home Assistant with snom_buttons and a software phone, or"
        " snom-bridge without it.",
        epilog=MORE_PHONES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--http-port",
        type=int,
        help="port of Home Assistant (8123, or the next free one), or of metrics (9464)",
    )
    parser.add_argument(
        "--sip-port",
        type=int,
        help="port of the SIP server (5060, or the next free one)",
    )
    parser.add_argument(
        "--dir",
        type=Path,
        default=ROOT / ".demo",
        help="directory for settings and logs; emptied at each start (.demo)",
    )
    parser.add_argument(
        "--no-phone", action="store_true", help="start no software phone"
    )
    parser.add_argument(
        "--new-phone",
        action="store_true",
        help="also start a software phone as it comes from the factory, to set it up"
        " with Add phone, Plug it in now",
    )
    set_up = parser.add_mutually_exclusive_group()
    set_up.add_argument(
        "--no-setup",
        action="store_true",
        help="do not add the integration and its phones: you do, in the browser",
    )
    set_up.add_argument(
        "--mqtt",
        action="store_true",
        help="also start Mosquitto, on a free port, and publish the phones there",
    )
    set_up.add_argument(
        "--bridge",
        action="store_true",
        help="no Home Assistant: snom-bridge with Mosquitto and a software phone",
    )
    options = parser.parse_args()
    if options.bridge and options.new_phone:
        parser.error("argument --new-phone: not allowed with argument --bridge")
    return options


async def run(options: argparse.Namespace) -> None:
    """Start everything, print that it is ready, and wait for the phone to end.

    Without a phone it runs until it is cancelled. Raises DemoError, alone or in a group.
    """
    http_port = pick_port(options.http_port, 8123, socket.SOCK_STREAM)
    sip_port = pick_port(options.sip_port, 5060, socket.SOCK_DGRAM)
    mosquitto = find_mosquitto() if options.mqtt else None
    mqtt_port = pick_port(None, 1883, socket.SOCK_STREAM) if mosquitto else 0
    directory: Path = options.dir.resolve()
    prepare_directory(directory, http_port)
    with_phone = not (options.no_phone or options.no_setup)
    # A phone in the terminal takes the whole screen, so it starts after the last line.
    # Of two, that is the new one.
    has_terminal = all(it.isatty() for it in (sys.stdin, sys.stdout, sys.stderr))
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        say("starting Home Assistant")
        home = HomeAssistant(session, f"http://{LOCALHOST}:{http_port}")
        lasting = home_task = group.create_task(run_home_assistant(directory))
        background = [home_task]
        mosquitto_task = mosquitto and group.create_task(
            run_mosquitto(directory, mosquitto, mqtt_port, home_task)
        )
        if mosquitto_task:
            background.append(mosquitto_task)
        try:
            async with asyncio.timeout(PATIENCE):
                await home.sign_up()
                demo: dict[str, Any] = {"url": home.url, "token": home.token}
                if not options.no_setup:
                    say("setting up the integration and four phones")
                    demo = await set_up(home, sip_port)
                    await make_dashboard(home, demo)
                if mosquitto_task:
                    demo["mqtt"] = await set_up_mqtt(home, mqtt_port)
                if with_phone and (options.new_phone or not has_terminal):
                    lasting = group.create_task(run_phone(directory, demo))
                    background.append(lasting)
                    await wait_for_phone(home, demo)
                if options.new_phone:
                    demo["new_phone"] = NEW_PHONE
        except TimeoutError:
            raise DemoError(
                f"not up within {PATIENCE} s; see {directory / 'output.log'}"
            ) from None
        path = directory / "demo.json"
        path.touch(mode=0o600)  # it has a token and passwords
        path.write_text(json.dumps(demo, indent=2) + "\n")
        page = "" if options.no_setup else "/demo-phones"
        where = f"{home.url}{page} (user {USER}, password {PASSWORD})"
        print(
            f"Ready: {where}; token and entities are in {path}; Ctrl-C ends it",
            flush=True,
        )
        note = f"Home Assistant: {where}"
        if mosquitto_task:
            subscribe = f"mosquitto_sub -h {LOCALHOST} -p {mqtt_port}"
            mqtt = f"MQTT: {subscribe} -v -t 'snom_buttons/#'"
            print(mqtt, flush=True)
            note += f"\n{mqtt}"
        if options.new_phone:
            note += f"\n{NEW_PHONE_NOTE}"
            new = run_new_phone(directory, note if has_terminal else None)
            lasting = group.create_task(new)
        elif with_phone and has_terminal:
            lasting = group.create_task(run_phone(directory, demo, note))
        await lasting
        for task in background:
            task.cancel()


async def main() -> int:
    """Run until a signal; return the exit code."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        try:
            options = parse_arguments()
            await (run_bridge_demo if options.bridge else run)(options)
        except* (DemoError, aiohttp.ClientError) as group:
            for error in group.exceptions:
                print(f"demo: {error}", file=sys.stderr)
            return_code = 1
        else:
            return_code = 0
    except asyncio.CancelledError:
        say("ended")
        return_code = 0
    return return_code


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
