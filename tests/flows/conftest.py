"""A server that hears phones on the loopback interface, and phones from the factory."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.hub.provisioning import hearing
from homeassistant.components.light import ColorMode
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support.plugging import ENTITIES, Network
from tests.support.ports import LOCALHOST, free_port
from virtual_phone import FactoryPhone, announce


@pytest.fixture
async def hearing_server(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> MockConfigEntry:
    """Return the entry, set up in a Home Assistant that serves real HTTP."""
    group_port = free_port()
    monkeypatch.setattr(hearing, "GROUP_PORT", group_port)
    monkeypatch.setattr(announce, "PORT", group_port)
    assert await async_setup_component(hass, "http", {})
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    web = await hass_client_no_auth()
    await hass.config.async_update(internal_url=f"http://{LOCALHOST}:{web.port}")
    for number, entity_id in enumerate(ENTITIES, 1):
        about = {
            "friendly_name": f"Lamp {number}",
            "supported_color_modes": [ColorMode.ONOFF],
        }
        hass.states.async_set(entity_id, "on" if number % 2 else "off", about)
    return config_entry


@pytest.fixture
def network(hearing_server: MockConfigEntry) -> Network:
    return Network(hearing_server)


@pytest.fixture
async def plugged(hearing_server: MockConfigEntry) -> AsyncIterator[Any]:
    """Return a function that plugs in phones."""
    phones: list[FactoryPhone] = []

    async def plug(model: str, mac: str) -> FactoryPhone:
        phone = FactoryPhone(model, mac)
        phones.append(phone)
        await phone.open()
        return phone

    yield plug
    for phone in phones:
        phone._identity.registered_until = None  # spares the answer to its good-bye
        await phone.close()
