"""The MQTT integration is imported only when it is used."""

import asyncio
import subprocess
import sys

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.hub import mqtt_entry
from custom_components.snom_buttons.hub.mqtt_client import HomeAssistantClient
from homeassistant.components import mqtt
from homeassistant.core import HomeAssistant

INTEGRATION = "homeassistant.components.mqtt"
PROGRAM = f"""
import importlib, pathlib, sys
root = pathlib.Path("custom_components/snom_buttons")
for path in root.rglob("*.py"):
    name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    importlib.import_module(name)
assert not [name for name in sys.modules if name.startswith("{INTEGRATION}")]
"""


def test_the_names_are_those_of_the_integration() -> None:
    assert mqtt_entry.MQTT_DOMAIN == mqtt.DOMAIN
    assert mqtt_entry.CONF_DISCOVERY_PREFIX == mqtt.CONF_DISCOVERY_PREFIX
    assert mqtt_entry.DEFAULT_PREFIX == mqtt.DEFAULT_PREFIX


def test_no_module_of_ours_imports_it_at_once() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)


@pytest.mark.usefixtures("protocol")
async def test_a_server_without_the_option_does_not(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, INTEGRATION, raising=False)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    hass.config_entries.async_update_entry(config_entry, title="Another name")
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    await hass.config_entries.async_remove(config_entry.entry_id)
    assert INTEGRATION not in sys.modules


@pytest.mark.usefixtures("protocol")
async def test_the_option_goes_off_during_the_import(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imported = asyncio.Event()
    load = HomeAssistantClient.load

    async def load_slowly(client: HomeAssistantClient) -> None:
        await imported.wait()
        await load(client)

    monkeypatch.setattr(HomeAssistantClient, "load", load_slowly)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    for is_on in (True, False):
        hass.config_entries.async_update_entry(config_entry, options={"mqtt": is_on})
        for _ in range(10):  # until the update waits, or is done
            await asyncio.sleep(0)
    imported.set()
    await hass.async_block_till_done()
    assert not config_entry.runtime_data.mqtt.follower.publisher.known
