"""A Home Assistant with one phone, as a process that a test can kill.

`killable.py DIRECTORY PORT` hears phones at a port, and obeys lines on its standard input, and answers each with a line:
`show` (the lamp and the label of a key), `turn`, `label TEXT`, `presses` (their number),
and `churn`, after which it changes the lamp and stores that without end.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
import os
from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import tests.support.newest  # noqa: F401, first  # isort: skip

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from tests.support.entries import phone_subentry
from tests.support.ports import LOCALHOST

ENTRY_ID = "01KILLABLE0000000000000000"
PRESSES: list[object] = []
"""Those since the start."""


def say(line: str) -> None:
    """Write a line to the standard output at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def obey(hass: HomeAssistant, line: str) -> str:
    """Carry out a line; return the answer."""
    (entry,) = hass.config_entries.async_entries("snom_buttons")
    phone = entry.runtime_data.phones["44"].phone
    lamp, labelled = phone.keys["3"], phone.keys["1"]
    command, _, text = line.strip().partition(" ")
    match command:
        case "turn":
            lamp.turn(not lamp.is_on)
        case "label":
            labelled.show(replace(labelled.look, label=text))
        case "presses":
            return f"shows {len(PRESSES)}"
        case "churn":
            store = entry.runtime_data._store
            for _ in range(100):
                lamp.turn(not lamp.is_on)
                await store._write([*store._unsaved])
            return "churned"
    return f"shows {'on' if lamp.is_on else 'off'} {labelled.look.label}"


async def main() -> None:
    """Serve until the process is killed."""
    async with async_test_home_assistant(config_dir=sys.argv[1]) as hass:
        hass.data.pop(DATA_CUSTOM_COMPONENTS, None)
        frame.async_setup(hass)
        entry = MockConfigEntry(
            domain="snom_buttons",
            entry_id=ENTRY_ID,
            data={
                "host": LOCALHOST,
                "port": int(sys.argv[2]),
                "realm": "ha",
                "advertised_host": LOCALHOST,
            },
            subentries_data=[phone_subentry("44")],
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id), entry.reason
        await hass.async_block_till_done()
        entry.runtime_data.server.pressed.subscribe(PRESSES.append)
        say(f"runs as {os.getpid()}")
        while line := await hass.loop.run_in_executor(None, sys.stdin.readline):
            answer = await obey(hass, line)
            say(answer)
            while answer == "churned":
                answer = await obey(hass, line)


if __name__ == "__main__":
    asyncio.run(main())
