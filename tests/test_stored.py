"""Data that earlier versions have stored loads unchanged.

tests/data/entry_1_1 holds an entry of version 1.1 and its store, written by the
integration before its store named the use of a key beside the key. The server was
unloaded with key 5 of phone 44 and key 1 of phone 45 as a seized line. After that phone
45 lost the colours of key 2, and its key 3 was set up as not used.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
import json
from pathlib import Path
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import (
    DOMAIN,
    ENTRY_MINOR_VERSION,
    ENTRY_VERSION,
)
from custom_components.snom_buttons.hub.settings import EntrySettings
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from tests.support.entries import (
    PASSWORD,
    key_data,
    line_subentry,
    phone_subentry,
    stored_parts,
)
from tests.support.flows import suggested
from tests.support.ports import LOCALHOST
from tests.support.rawphone import RawPhone

DATA = Path(__file__).parent / "data"


def read(name: str) -> dict[str, Any]:
    """Return a file that an earlier version wrote."""
    data: dict[str, Any] = json.loads((DATA / "entry_1_1" / name).read_text())
    return data


@pytest.fixture
async def desks(port: int) -> AsyncIterator[dict[str, RawPhone]]:
    """Return phones that were registered before the restart."""
    async with AsyncExitStack() as stack:
        yield {
            extension: await stack.enter_async_context(
                RawPhone((LOCALHOST, port), extension, PASSWORD)
            )
            for extension in ("44", "45")
        }


@pytest.fixture
async def entry(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    desks: dict[str, RawPhone],
    port: int,
) -> ConfigEntry:
    """Return the stored entry, changed to run on this machine."""
    stored, store = read("config_entry.json"), read("store.json")
    stored["data"]["port"] = port
    for extension, desk in desks.items():
        [binding] = store["data"]["phones"][extension]["bindings"]
        binding["expires_at"] += time.time() - 1795786458 + 3600
        binding["flow"][2] = int(desk.address.rpartition(":")[2])
    hass_storage[store["key"]] = store
    hass_storage["core.config_entries"] = {
        "version": 1,
        "minor_version": 5,
        "key": "core.config_entries",
        "data": {"entries": [stored]},
    }
    await hass.config_entries.async_initialize()
    [entry] = hass.config_entries.async_entries(DOMAIN)
    return entry


@pytest.fixture
async def server(hass: HomeAssistant, entry: ConfigEntry) -> ConfigEntry:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def test_the_version_is_that_of_the_file() -> None:
    """Another version needs a file of its own, and a migration from this one."""
    stored = read("config_entry.json")
    assert (stored["version"], stored["minor_version"]) == (
        ENTRY_VERSION,
        ENTRY_MINOR_VERSION,
    )


async def test_settings(hass: HomeAssistant, server: ConfigEntry) -> None:
    stored = read("config_entry.json")
    assert server.state is ConfigEntryState.LOADED
    assert server.data == stored["data"] | {"port": server.data["port"]}
    settings = EntrySettings.from_entry(server)
    assert settings.title == "Phones on 127.0.0.1:" + str(stored["data"]["port"])
    assert settings.mqtt is None
    assert settings.certificate is None
    assert settings.server.ports == {"UDP": server.data["port"]}
    assert settings.server.keepalive == 60
    first, second, placed = (phone.setup for phone in settings.phones)
    assert [(key.name, key.kind, key.colors, key.title) for key in first.keys] == [
        ("1", "light", False, "Key 1"),
        ("2", "light", True, "Key 2"),
        ("3", "switch", False, "Alarm"),
        ("4", "none", False, "Key 4"),
        ("5", "shared", False, "Key 5"),
    ]
    assert (first.name, first.password, first.model) == ("Desk 44", PASSWORD, "D785")
    assert first.dialling.answer == "redirect"
    assert first.dialling.redirect_to == "sip:{number}@192.0.2.7"
    assert settings.phones[0].dial_rules == {"77": "script.doorbell"}
    assert [key.kind for key in second.keys] == ["shared", "light", "none", "light"]
    assert placed.address == ("127.0.0.46", 2048)
    [line] = settings.lines
    setup = line.setup
    assert (setup.name, setup.code, setup.release_after) == ("Gate", "co2", 30)
    assert setup.keys == {"44": "5", "45": "1"}
    assert not ir.async_get(hass).issues


async def test_registrations_and_keys(
    hass: HomeAssistant, server: ConfigEntry, desks: dict[str, RawPhone]
) -> None:
    """Each phone gets its keys although it has not registered again."""
    seized = {"c": "on", "n": "*603co2", "a": "release", "l": "(co2)"}
    first, second = desks.values()
    await first.shows("9")
    await second.shows("4")
    assert first.keys == {
        "1": {"c": "hold", "n": "key1", "a": "message", "l": "Bell"},
        "2": {"c": "on", "o": "green", "n": "key2", "a": "message", "l": "Key 2"},
        "3": {"c": "message", "n": "armed", "a": "message", "l": "Alarm"},
        # Set by an action, after the key was set up as not used.
        "4": {"c": "park", "n": "key4", "a": "message", "l": "Key 4"},
        "5": seized,
        "9": {"c": "pickup", "l": "Page"},
    }
    assert second.keys == {
        "1": seized,
        "2": {"c": "on", "n": "key2", "a": "message", "l": "Key 2"},
        "3": {"n": "key3", "a": "message", "l": "Key 3"},
        "4": {"c": "error", "n": "key4", "a": "message", "l": "Key 4"},
    }
    for extension in desks:
        registered = f"binary_sensor.desk_{extension}_registered"
        assert hass.states.get(registered).state == "on"


async def test_entities(
    hass: HomeAssistant, server: ConfigEntry, desks: dict[str, RawPhone]
) -> None:
    await desks["44"].shows("5")
    states = {
        state.entity_id: state.state
        for state in hass.states.async_all(["light", "switch"])
        if "desk_46" not in state.entity_id
    }
    assert states == {
        "light.desk_44_key_1": "on",
        "light.desk_44_key_2": "on",
        "switch.desk_44_alarm": "on",
        "light.desk_45_key_2": "on",
        "light.desk_45_key_4": "on",
        "switch.gate": "on",
    }
    assert hass.states.get("light.desk_44_key_1").attributes["effect"] == "hold"
    assert hass.states.get("light.desk_44_key_2").attributes["hs_color"] == (120, 100)
    assert hass.states.get("switch.gate").attributes["phone"] == "44"
    assert (await desks["44"].press("5", "release")).status == 200
    await desks["45"].shows("1", c=None, n="*602co2")


async def test_what_is_stored_anew_is_read_as_before(
    hass: HomeAssistant,
    server: ConfigEntry,
    desks: dict[str, RawPhone],
    hass_storage: dict[str, Any],
) -> None:
    """Each phone has a file of its own, which names the use of each key beside it."""
    await desks["44"].shows("9")
    await desks["45"].shows("4")
    before = {extension: dict(desk.keys) for extension, desk in desks.items()}
    assert await hass.config_entries.async_unload(server.entry_id)
    assert f"{DOMAIN}.{server.entry_id}" not in hass_storage
    phones = [it.subentry_id for it in server.get_subentries_of_type("phone")]
    assert stored_parts(hass_storage, server).keys() == {"lines", "mqtt", *phones}
    for desk in desks.values():
        desk.keys.clear()
    assert await hass.config_entries.async_setup(server.entry_id)
    await desks["44"].shows("9")
    await desks["45"].shows("4")
    assert {extension: desk.keys for extension, desk in desks.items()} == before


@pytest.mark.parametrize("broken", [None, 44, [], {"44": 44, "45": {"2": True}}])
async def test_lists_of_keys_that_cannot_be_read_are_left_out(
    hass: HomeAssistant,
    entry: ConfigEntry,
    desks: dict[str, RawPhone],
    hass_storage: dict[str, Any],
    broken: object,
) -> None:
    """All keys then count as used, with one colour."""
    data = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]
    data["unused"] = data["colored"] = broken
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert (await desks["45"].shows("2"))["o"] == "red"
    assert "c" not in await desks["45"].shows("3")
    assert "c" not in await desks["44"].shows("4")


async def test_keys_that_cannot_be_read_are_left_out(
    hass: HomeAssistant,
    entry: ConfigEntry,
    desks: dict[str, RawPhone],
    hass_storage: dict[str, Any],
) -> None:
    phones = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]["phones"]
    phones["45"]["keys"][1:3] = [44, {"configured": "k=", "shown": "k=", "on": True}]
    phones["46"] = None
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert (await desks["45"].shows("4"))["c"] == "error"
    assert "c" not in await desks["45"].shows("2")


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ((ENTRY_VERSION, ENTRY_MINOR_VERSION), ConfigEntryState.LOADED),
        # A newer minor version adds only what this one can ignore.
        ((ENTRY_VERSION, ENTRY_MINOR_VERSION + 1), ConfigEntryState.LOADED),
        ((ENTRY_VERSION + 1, 1), ConfigEntryState.MIGRATION_ERROR),
    ],
)
async def test_an_entry_of_another_version(
    hass: HomeAssistant,
    entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
    version: tuple[int, int],
    state: ConfigEntryState,
) -> None:
    hass.config_entries.async_update_entry(
        entry, version=version[0], minor_version=version[1]
    )
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is state
    assert (entry.version, entry.minor_version) == version
    is_refused = "which is higher than the current version" in caplog.text
    assert is_refused == (state is ConfigEntryState.MIGRATION_ERROR)
    caplog.clear()


async def test_names_that_no_dialogue_accepts_load(
    hass: HomeAssistant, port: int
) -> None:
    """Without the characters that no name may have, and however long."""
    keys = [
        key_data("1", name="Ga\x00te\n"),
        key_data("2", name="\u202e"),
        key_data("3", kind="switch", number_on="7\r\n9"),
    ]
    long = "\x9bK\u202eüche " + 10_000 * "x"
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Pho\x00nes",
        data={
            "host": LOCALHOST,
            "port": port,
            "realm": "home-assistant",
            "advertised_host": LOCALHOST,
        },
        subentries_data=[
            phone_subentry("44", keys) | {"title": long},
            phone_subentry("45") | {"title": "\n"},
            line_subentry() | {"title": "Gate\x00"},
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    names = {
        device.name
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }
    assert names == {"Phones", "Küche " + 10_000 * "x", "45", "Gate"}
    entity_ids = er.async_get(hass).entities
    assert {
        entry.original_name for entry in entity_ids.values() if entry.domain == "light"
    } == {"2", "Key 2", "Message lamp"}
    # The dialogue shows the name without them, too.
    result = await entry.start_subentry_reconfigure_flow(hass, "subentry_line")
    assert suggested(result)["name"] == "Gate"
