"""The store: what a change costs, and when it is written."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from tests.support.entries import add_phone, phone_subentry, stored_parts


def shown(hass_storage: dict[str, Any], entry: ConfigEntry[Any], part: str) -> str:
    """Return the stored looks of a phone's keys."""
    return str(stored_parts(hass_storage, entry)[part]["keys"])


async def test_a_change_is_written_with_the_phone_that_it_belongs_to(
    hass: HomeAssistant, hass_storage: dict[str, Any], server: MockConfigEntry
) -> None:
    phone = server.runtime_data.phones["44"].phone
    phone.keys["3"].turn(True)
    assert await hass.config_entries.async_unload(server.entry_id)
    assert stored_parts(hass_storage, server).keys() == {"subentry_44"}
    assert "c=on" in shown(hass_storage, server, "subentry_44")


async def test_the_file_of_a_removed_phone_is_removed(
    hass: HomeAssistant, hass_storage: dict[str, Any], server: MockConfigEntry
) -> None:
    add_phone(hass, server, phone_subentry("46"))
    await hass.async_block_till_done()
    hub = server.runtime_data
    hub.phones["46"].phone.keys["3"].turn(True)
    hub.phones["44"].phone.keys["3"].turn(True)
    await hub._store._write([*hub._store._unsaved])
    assert stored_parts(hass_storage, server).keys() == {"subentry_44", "subentry_46"}
    hass.config_entries.async_remove_subentry(server, "subentry_46")
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(server.entry_id)
    assert stored_parts(hass_storage, server).keys() == {"subentry_44"}
