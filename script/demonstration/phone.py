"""The software phones."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
import os
from pathlib import Path
import sys
from typing import Any

from script.demonstration.home_assistant import HomeAssistant
from script.demonstration.house import LINKED
from script.demonstration.process import ROOT, DemoError, end, start

RUN = "46"
"""The extension of the phone that the demo runs."""
NEW_PHONE = {"model": "D735", "mac": "000413D73501"}
"""The phone as it comes from the factory: what it says in its announcement."""


def options_of(demo: Mapping[str, Any], extension: str) -> list[str]:
    """Return the options of a software phone, all but its password."""
    sip = demo["sip"]
    options = ["--registrar", f"{sip['host']}:{sip['port']}", "--user", extension]
    if linked := LINKED.get(extension):
        by = ("--maker", linked.maker) if linked.maker else ("--model", linked.model)
        options += [*by, "--keys", f"{len(linked.follows)}"]
    return options


def command_of(demo: Mapping[str, Any], extension: str) -> str:
    """Return the command that runs a software phone in a terminal."""
    password = demo["phones"][extension]["password"]
    options = " ".join(options_of(demo, extension))
    return f".venv/bin/python -m virtual_phone {options} --password {password}"


async def run_phone(
    directory: Path, demo: Mapping[str, Any], note: str | None = None
) -> None:
    """Run the software phone with the keys of a snom, as `run_software_phone` does."""
    await run_software_phone(
        directory / "phone.log",
        options_of(demo, RUN),
        note,
        VIRTUAL_PHONE_PASSWORD=demo["phones"][RUN]["password"],
    )


async def run_new_phone(directory: Path, note: str | None = None) -> None:
    """Run a software phone as it comes from the factory, as `run_software_phone` does."""
    arguments = ["--factory-new"]
    for name, value in NEW_PHONE.items():
        arguments += [f"--{name}", value]
    await run_software_phone(directory / "new-phone.log", arguments, note)


async def run_software_phone(
    log: Path, options: Sequence[str], note: str | None, **variables: str
) -> None:
    """Run a software phone until it ends.

    With a note it runs in the terminal, below the note; without, in the background.
    Raises DemoError if it fails.
    """
    arguments = [sys.executable, "-m", "virtual_phone", *options]
    environment = os.environ | variables
    if note is not None:
        process = await asyncio.create_subprocess_exec(
            *arguments, "--note", note, cwd=ROOT, env=environment
        )
    else:
        process = await start(
            log, *arguments, "--headless", cwd=ROOT, environment=environment
        )
    try:
        code = await process.wait()
    finally:
        await end(process, patience=10)
    if code:
        raise DemoError(f"the software phone ended with code {code}")


async def wait_for_phone(home: HomeAssistant, demo: Mapping[str, Any]) -> None:
    """Wait until the software phone has registered."""
    press = demo["phones"][RUN]["keys"]["1"]["press"]
    while (await home.get(f"/api/states/{press}"))["state"] == "unavailable":  # noqa: ASYNC110
        await asyncio.sleep(0.2)
