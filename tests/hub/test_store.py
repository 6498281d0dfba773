"""The store: what a change costs, and when it is written."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.engine.phones import Change
from custom_components.snom_buttons.hub.store import (
    BURST,
    INTERVAL,
    LABEL_DELAY,
    SAVE_DELAY,
    PartStore,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from tests.support.clock import hurrying
from tests.support.entries import (
    Phones,
    add_phone,
    line_subentry,
    phone_subentry,
    stored_parts,
)

PHONE = "subentry_44"


def turn(entry: ConfigEntry[Any], key: str = "3", extension: str = "44") -> None:
    """Turn a key on or off."""
    key = entry.runtime_data.phones[extension].phone.keys[key]
    key.turn(not key.is_on)


def label(entry: ConfigEntry[Any], text: str) -> None:
    """Change the label of a key."""
    key = entry.runtime_data.phones["44"].phone.keys["1"]
    key.show(replace(key.look, label=text))


# What a change costs


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often each part is written."""
    counted = Counter[str]()
    save = PartStore.async_save

    async def counting(store: PartStore, data: Any) -> None:
        counted[store.key.rpartition(".")[2]] += 1
        await save(store, data)

    monkeypatch.setattr(PartStore, "async_save", counting)
    return counted


async def test_a_change_is_written_with_the_part_that_it_belongs_to(
    hass: HomeAssistant, hass_storage: dict[str, Any], server: MockConfigEntry
) -> None:
    turn(server)
    assert await hass.config_entries.async_unload(server.entry_id)
    assert stored_parts(hass_storage, server).keys() == {PHONE}
    assert "c=on" in str(stored_parts(hass_storage, server)[PHONE]["keys"])


async def test_a_seized_line_is_written_without_the_other_phones(
    hass: HomeAssistant, hass_storage: dict[str, Any], config_entry: MockConfigEntry
) -> None:
    line = line_subentry(keys=[{"phone": PHONE, "key": "1"}])
    add_phone(hass, config_entry, line)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    config_entry.runtime_data.lines["subentry_line"].line.seize("44")
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    stored = stored_parts(hass_storage, config_entry)
    assert stored.keys() == {PHONE, "lines"}
    assert stored["lines"] == {"subentry_line": {"seized": True, "phone": "44"}}


@pytest.mark.usefixtures("hass_storage")
async def test_a_label_that_always_changes_is_written_every_five_minutes(
    hass: HomeAssistant, server: MockConfigEntry, writes: Counter[str]
) -> None:
    with hurrying(hass.loop):
        for second in range(3600):
            label(server, f"{second} W")
            await asyncio.sleep(1)
    assert writes == {PHONE: 3600 // LABEL_DELAY}


@pytest.mark.usefixtures("hass_storage")
async def test_a_lamp_that_always_changes_is_written_once_a_minute(
    hass: HomeAssistant, server: MockConfigEntry, writes: Counter[str]
) -> None:
    with hurrying(hass.loop):
        for _ in range(3600):
            turn(server)
            await asyncio.sleep(1)
        assert BURST < writes[PHONE] <= BURST + 3600 / INTERVAL
        # The last change does not wait longer than that.
        await asyncio.sleep(INTERVAL + SAVE_DELAY)
        before = writes[PHONE]
        # A change after a while of quiet is written at once again.
        await asyncio.sleep(BURST * INTERVAL)
        assert writes[PHONE] == before
        for _ in range(BURST):
            turn(server)
            await asyncio.sleep(2 * SAVE_DELAY)
        assert writes == {PHONE: before + BURST}


async def test_a_registration_does_not_wait_for_lamps_that_have_changed(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    server: MockConfigEntry,
    phones: Phones,
) -> None:
    """After a crash the phone would be away until it registers again, in an hour."""

    def stored() -> str:
        return str(stored_parts(hass_storage, server)[PHONE])

    with hurrying(hass.loop):
        for _ in range(BURST):
            turn(server)
            await asyncio.sleep(2 * SAVE_DELAY)
        before = stored()
        assert "c=on" not in before
        turn(server)
        await asyncio.sleep(2 * SAVE_DELAY)
        assert stored() == before
    phone = await phones()
    with hurrying(hass.loop):
        await asyncio.sleep(2 * SAVE_DELAY)
    assert phone.address in stored()
    assert "c=on" in stored()


@pytest.mark.usefixtures("hass_storage")
async def test_a_registration_that_always_changes_is_written_once_a_minute(
    hass: HomeAssistant, server: MockConfigEntry, writes: Counter[str]
) -> None:
    """So is a lamp meanwhile, apart from that."""
    changed = server.runtime_data.server.changed
    with hurrying(hass.loop):
        for _ in range(3600):
            changed.emit(Change("44", registration=True))
            await asyncio.sleep(1)
        assert BURST < writes[PHONE] <= BURST + 3600 / INTERVAL
        before = writes[PHONE]
        for _ in range(BURST):
            turn(server)
            await asyncio.sleep(2 * SAVE_DELAY)
        assert writes[PHONE] >= before + BURST


@pytest.mark.usefixtures("hass_storage")
async def test_a_lamp_that_changes_does_not_wait_for_a_label(
    hass: HomeAssistant, server: MockConfigEntry, writes: Counter[str]
) -> None:
    with hurrying(hass.loop):
        label(server, "21 °C")
        await asyncio.sleep(2 * SAVE_DELAY)
        assert not writes
        turn(server)
        label(server, "22 °C")
        await asyncio.sleep(2 * SAVE_DELAY)
        assert writes == {PHONE: 1}
        await asyncio.sleep(2 * LABEL_DELAY)
        assert writes == {PHONE: 1}


@pytest.mark.usefixtures("hass_storage")
async def test_a_document_that_changes_nothing_is_not_written(
    hass: HomeAssistant, server: MockConfigEntry, writes: Counter[str]
) -> None:
    phone = server.runtime_data.phones["44"].phone
    look = replace(phone.keys["1"].look, name="P7")
    with hurrying(hass.loop):
        phone.show([look])
        await asyncio.sleep(2 * SAVE_DELAY)
        phone.show([look, phone.keys["1"].look])
        await asyncio.sleep(2 * SAVE_DELAY)
        assert writes == {PHONE: 1}
        phone.show([replace(look, label="P 7")])
        await asyncio.sleep(2 * SAVE_DELAY)
        assert writes == {PHONE: 1}
        await asyncio.sleep(LABEL_DELAY)
        assert writes == {PHONE: 2}


# What is removed


async def test_the_file_of_a_removed_phone_is_removed(
    hass: HomeAssistant, hass_storage: dict[str, Any], server: MockConfigEntry
) -> None:
    add_phone(hass, server, phone_subentry("46"))
    await hass.async_block_till_done()
    turn(server, extension="46")
    turn(server)
    with hurrying(hass.loop):
        await asyncio.sleep(2 * SAVE_DELAY)
    assert stored_parts(hass_storage, server).keys() == {PHONE, "subentry_46"}
    hass.config_entries.async_remove_subentry(server, "subentry_46")
    await hass.async_block_till_done()
    with hurrying(hass.loop):
        await asyncio.sleep(2 * SAVE_DELAY)
    assert stored_parts(hass_storage, server).keys() == {PHONE}


@pytest.mark.usefixtures("hass_storage")
async def test_a_phone_is_removed_while_its_file_waits_for_another(
    hass: HomeAssistant, server: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    async def removing(store: PartStore, _data: Any) -> None:
        written.append(store.key.rpartition(".")[2])
        if server.subentries.keys() >= {"subentry_45"}:
            hass.config_entries.async_remove_subentry(server, "subentry_45")
            while "45" in server.runtime_data.phones:  # noqa: ASYNC110
                await asyncio.sleep(0)

    monkeypatch.setattr(PartStore, "_async_write_data", removing)
    turn(server)
    turn(server, extension="45")
    with hurrying(hass.loop):
        await asyncio.sleep(2 * SAVE_DELAY)
    assert written == [PHONE]
    assert not server.runtime_data._store._unsaved
