"""Keys of a phone as earlier versions have stored them."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.core import HomeAssistant
from tests.support.entries import add_phone, key_data, phone_subentry


def stored_key(key: str) -> dict[str, Any]:
    """Return a key whose lamp was set to a red `hold`."""
    rest = f"n=key{key}\r\na=message\r\nl=Key {key}\r\n\r\n"
    shown = f"k={key}\r\nc=hold\r\no=red\r\n{rest}"
    return {"configured": f"k={key}\r\nc=hold\r\n{rest}", "shown": shown, "on": True}


DARK, HOLD, RED = ("off", None), ("hold", None), ("hold", "red")


@pytest.mark.parametrize(
    ("lists", "looks"),
    [
        (
            {
                "unused": {"46": ["2", "5"], "45": ["1"], "47": ["1"]},
                "colored": {"46": ["3", "5"], "45": 7},
            },
            [DARK, RED, HOLD, RED, HOLD],
        ),
        ({}, [DARK, DARK, RED, RED, DARK]),
        ({"unused": [], "colored": None}, [DARK, DARK, RED, RED, DARK]),
    ],
    ids=["lists", "before there were lists", "broken lists"],
)
async def test_lists_of_keys_that_were_not_used_and_of_lamps_with_colours(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    config_entry: MockConfigEntry,
    lists: dict[str, Any],
    looks: list[tuple[str, str | None]],
) -> None:
    """A key that is no longer used goes dark; a lamp that lost its colours has none."""
    keys = [stored_key(f"{number}") for number in range(1, 6)]
    keys[4]["configured"] = keys[0]["configured"]  # what is shown names the key
    phones = {
        "46": {"bindings": [], "keys": [*keys, 7, {"shown": "k=P7\r\n\r\n"}]},
        "45": {"bindings": [], "keys": None},
    }
    name = f"{DOMAIN}.{config_entry.entry_id}"
    hass_storage[name] = {
        "version": 1,
        "key": name,
        "data": {"phones": phones, "lines": {}} | lists,
    }
    kinds = {"1": "none", "2": "none", "3": "light", "4": "light", "5": "none"}
    subentry = phone_subentry("46", [key_data(key, kind=kinds[key]) for key in kinds])
    add_phone(hass, config_entry, subentry)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    phone = config_entry.runtime_data.phones["46"].phone
    shown = [(key.look.light, key.look.color) for key in phone.keys.values()]
    assert shown == looks
    assert [look.name for look in phone.unconfigured] == ["P7"]
