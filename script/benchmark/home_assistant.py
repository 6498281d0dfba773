"""A Home Assistant in this process, with the integration set up in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
import socket
import tempfile
from typing import Any

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.snom_buttons.engine.xbuttons import KeyDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component
from script.benchmark.phone import KEYS, LOCALHOST, PASSWORD
from tests.support.ports import free_port


@asynccontextmanager
async def home_assistant() -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant that finds this integration."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        Path(directory, "configuration.yaml").touch()  # noqa: ASYNC240
        async with async_test_home_assistant(config_dir=directory) as hass:
            hass.data.pop(DATA_CUSTOM_COMPONENTS, None)
            frame.async_setup(hass)
            yield hass
            await hass.async_stop(force=True)


async def set_up_http(hass: HomeAssistant) -> None:
    """Set up what MQTT needs of it by a free port: 8123 may be the demo's."""
    http = {"server_host": [LOCALHOST], "server_port": free_port()}
    assert await async_setup_component(hass, "http", {"http": http})


async def set_up(
    hass: HomeAssistant,
    *extensions: str,
    keys: Sequence[KeyDescription] = KEYS,
    follows: Mapping[str, str] = {},
    model: str = "D785",
    **options: Any,
) -> tuple[int, str]:
    """Set up a server with phones, with 44 if none is named.

    Its keys are lights, but for the linked ones, which follow the entity in `follows`.
    Return its port, and the entity ID of the light of phone 44's first key.
    """
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as free:
        free.bind((LOCALHOST, 0))
        port: int = free.getsockname()[1]
    phone = {
        "password": PASSWORD,
        "model": model,
        "keys": [
            {"key": key.name, "name": key.label, "colors": False}
            | (
                {"kind": "linked", "follows": follows[key.name]}
                if key.name in follows
                else {"kind": "light"}
            )
            for key in keys
        ],
    }
    entry = MockConfigEntry(
        domain="snom_buttons",
        data={
            "host": LOCALHOST,
            "port": port,
            "realm": "ha",
            "advertised_host": LOCALHOST,
        },
        options=options,
        subentries_data=[
            {
                "data": phone | {"extension": extension},
                "subentry_type": "phone",
                "title": f"Phone {extension}",
                "unique_id": extension,
            }
            for extension in extensions or ("44",)
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id), entry.reason
    await hass.async_block_till_done()
    return port, "light.phone_44_key_number_1"
