"""What *Repairs → System information* shows."""

import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.system_health import async_register
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component
from tests.support.entries import PASSWORD, Phones, in_sync, phone_subentry
from tests.support.ports import LOCALHOST, free_port


async def info(hass: HomeAssistant) -> dict[str, Any]:
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    shown: dict[str, Any] = await get_system_health_info(hass, DOMAIN)
    return shown


async def test_how_servers_phones_and_keys_are(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones, port: int
) -> None:
    version = str((await async_get_integration(hass, DOMAIN)).version)
    nothing = {
        "version": version,
        "servers": 1,
        "servers_running": 1,
        "open_ports": f"UDP {port}",
        "phones": 2,
        "phones_registered": 0,
        "phones_answering": 0,
        "keys": 8,
        "keys_up_to_date": 0,
        "locked_out": 0,
    }
    assert await info(hass) == nothing
    phone = await phones()
    await in_sync(server)
    known = {"phones_registered": 1, "phones_answering": 1, "keys_up_to_date": 4}
    assert await info(hass) == nothing | known

    phone.refuses = "1"
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    assert await info(hass) == nothing | known | {"keys_up_to_date": 3}


async def test_several_servers_and_one_that_does_not_run(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    other, tcp = free_port(), free_port()
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Others",
        data={
            "host": LOCALHOST,
            "port": other,
            "realm": "home-assistant",
            "advertised_host": LOCALHOST,
            "tcp": {"enabled": True, "port": tcp},
        },
        subentries_data=[phone_subentry("46", keys=[])],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    shown = await info(hass)
    assert shown["open_ports"] == f"UDP {port}, UDP {other}, TCP {tcp}"
    assert (shown["servers"], shown["servers_running"], shown["phones"]) == (2, 2, 3)

    assert await hass.config_entries.async_unload(server.entry_id)
    shown = await info(hass)
    assert shown["open_ports"] == f"UDP {other}, TCP {tcp}"
    assert (shown["servers"], shown["servers_running"], shown["phones"]) == (2, 1, 1)


async def test_it_names_no_secret_and_no_caller(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    phone = await phones()
    await hass.services.async_call(
        DOMAIN,
        "set_key",
        {"entity_id": "light.phone_44_key_1", "caller": "0301234567", "label": "Ann"},
        blocking=True,
    )
    assert (await phone.press("2")).status == phone.press_status
    shown = json.dumps(await info(hass))
    for secret in (PASSWORD, "0301234567", "Ann", "Phone 44", LOCALHOST, "Key"):
        assert secret not in shown


@pytest.mark.parametrize("language", ["en", "de"])
async def test_each_line_has_its_text(
    hass: HomeAssistant, server: MockConfigEntry, language: str
) -> None:
    texts = await async_get_translations(hass, language, "system_health", [DOMAIN])
    begin = f"component.{DOMAIN}.system_health.info."
    named = {name.removeprefix(begin) for name in texts}
    assert named == set(await info(hass))


def test_it_links_to_the_integration(hass: HomeAssistant) -> None:
    links: list[str] = []

    class Register:
        def async_register_info(self, _: object, manage_url: str) -> None:
            links.append(manage_url)

    async_register(hass, Register())  # type: ignore[arg-type]
    assert links == ["/config/integrations/integration/snom_buttons"]
