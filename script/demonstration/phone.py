"""The software phone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
import os
from pathlib import Path
import sys
from typing import Any

from script.demonstration.home_assistant import HomeAssistant
from script.demonstration.house import FOLLOWED, LINKED_EXTENSION
from script.demonstration.process import ROOT, DemoError, end, start


async def run_phone(
    directory: Path, demo: Mapping[str, Any], note: str | None = None
) -> None:
    """Run the software phone as the one with linked keys until it ends.

    With a note it runs in the terminal, below the note; without, in the background.
    Raises DemoError if it fails.
    """
    extension = LINKED_EXTENSION
    sip = demo["sip"]
    environment = os.environ | {
        "VIRTUAL_PHONE_PASSWORD": demo["phones"][extension]["password"]
    }
    arguments = [
        *(sys.executable, "-m", "virtual_phone"),
        *("--registrar", f"{sip['host']}:{sip['port']}"),
        *("--user", extension, "--keys", f"{len(FOLLOWED)}"),
    ]
    if note is not None:
        process = await asyncio.create_subprocess_exec(
            *arguments, "--note", note, cwd=ROOT, env=environment
        )
    else:
        process = await start(
            directory / "phone.log",
            *(*arguments, "--headless"),
            cwd=ROOT,
            environment=environment,
        )
    try:
        code = await process.wait()
    finally:
        await end(process, patience=10)
    if code:
        raise DemoError(f"the software phone ended with code {code}")


async def wait_for_phone(home: HomeAssistant, demo: Mapping[str, Any]) -> None:
    """Wait until the software phone has registered."""
    press = demo["phones"][LINKED_EXTENSION]["keys"]["1"]["press"]
    while (await home.get(f"/api/states/{press}"))["state"] == "unavailable":  # noqa: ASYNC110
        await asyncio.sleep(0.2)
