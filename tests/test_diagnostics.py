"""The diagnostics, which a user can attach to a bug report."""

import json

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from tests.support.entries import KEYS, PASSWORD, Phones
from tests.support.ports import LOCALHOST


async def test_diagnostics_hold_everything_but_secrets(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    server: MockConfigEntry,
    phones: Phones,
) -> None:
    phone = await phones()
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    await phone.shows("1", c="on")
    secret = [PASSWORD, LOCALHOST, phone.address, "0004130DD7C9"]

    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, server)

    assert not [word for word in secret if word in json.dumps(diagnostics)]
    assert diagnostics["server"] == {
        "host": "**REDACTED**",
        "port": server.data["port"],
        "realm": "home-assistant",
        "advertised_host": "**REDACTED**",
    }
    here, away = diagnostics["phones"]
    assert here["settings"] == {
        "extension": "44",
        "password": "**REDACTED**",
        "model": "D785",
        "keys": KEYS,
    }
    assert here["available"] is True
    assert here["registration"]["user_agent"] == "snomD785/10.1.198.12 **REDACTED**"
    assert here["registration"]["supports_buttons"] is True
    assert here["document"].startswith("k=1\r\nc=on\r\n")
    assert away["available"] is False
    assert away["in_sync"] is False
    assert away["registration"] is None


async def test_diagnostics_of_a_server_that_does_not_run(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    server: MockConfigEntry,
) -> None:
    await hass.config_entries.async_unload(server.entry_id)
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, server)
    settings = {"password": "**REDACTED**", "model": "D785", "keys": KEYS}
    assert diagnostics["phones"] == [
        {"settings": settings | {"extension": "44"}},
        {"settings": settings | {"extension": "45"}},
    ]


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        (
            "Yealink SIP-T46S 66.86.0.15 805ec0aabbcc",
            "Yealink SIP-T46S 66.86.0.15 **REDACTED**",
        ),
        ("Fanvil X6U 2.4.5 0C:38:3E:AA:BB:CC", "Fanvil X6U 2.4.5 **REDACTED**"),
        ("Some-Phone_0c-38-3e-aa-bb-cc/1.0", "Some-Phone_**REDACTED**/1.0"),
        # Other text is not changed.
        ("Gigaset 0123456789abcdef", "Gigaset 0123456789abcdef"),
        ("snom821/8.9.3.80", "snom821/8.9.3.80"),
        ("baresip v1.0.0", "baresip v1.0.0"),
    ],
)
async def test_a_hardware_address_wherever_it_is(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    server: MockConfigEntry,
    phones: Phones,
    *,
    user_agent: str,
    shown: str,
) -> None:
    await phones(user_agent=user_agent)
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, server)
    assert diagnostics["phones"][0]["registration"]["user_agent"] == shown
