"""Changes of a config entry that come in a burst, and how often they are applied."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.hub.settings import EntrySettings
from homeassistant.core import HomeAssistant
from tests.support.entries import add_phone, phone_subentry, update_phone


@pytest.fixture
def read(
    server: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> list[EntrySettings]:
    """Return the settings that were read, each for an update."""
    read: list[EntrySettings] = []
    from_entry = EntrySettings.from_entry

    def record(entry: Any) -> EntrySettings:
        read.append(from_entry(entry))
        return read[-1]

    monkeypatch.setattr(EntrySettings, "from_entry", record)
    return read


@pytest.fixture
def followed(
    server: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[EntrySettings]]:
    """Return the settings that a follower got."""
    followed: list[EntrySettings] = []
    provisioning = server.runtime_data.provisioning
    update = provisioning.update

    async def record(settings: EntrySettings) -> None:
        followed.append(settings)
        await update(settings)

    monkeypatch.setattr(provisioning, "update", record)
    return followed


async def test_a_single_change_is_applied_at_once(
    hass: HomeAssistant, server: MockConfigEntry, read: list[EntrySettings]
) -> None:
    """A phone that is set up by its fetch registers as soon as it has the file."""
    add_phone(hass, server, phone_subentry("46"))
    assert "46" in server.runtime_data.phones
    await hass.async_block_till_done()
    assert len(read) == 1


async def test_changes_that_wait_while_one_is_applied_become_one(
    hass: HomeAssistant,
    server: MockConfigEntry,
    read: list[EntrySettings],
    followed: list[EntrySettings],
) -> None:
    """Three hundred phones that store their hardware addresses at once."""
    hub = server.runtime_data
    for number in range(300):
        update_phone(hass, server, mac=f"000413{number:06X}")
    await hass.async_block_till_done()
    assert len(read) == len(followed) == 2
    assert followed[-1] is read[-1] is hub.settings
    assert hub.phones["44"].settings.mac == "00041300012B"


async def test_changes_by_requests_that_arrived_meanwhile_are_among_them(
    hass: HomeAssistant, server: MockConfigEntry, read: list[EntrySettings]
) -> None:
    """Such a request is read in one pass of the event loop, and handled in the next."""

    async def request(number: int) -> None:
        await asyncio.sleep(0)
        update_phone(hass, server, mac=f"000413{number:06X}")

    update_phone(hass, server, mac="0004130000FF")
    await asyncio.gather(*map(request, range(100)))
    await hass.async_block_till_done()
    assert len(read) == 2
    assert server.runtime_data.phones["44"].settings.mac == "000413000063"


async def test_an_awaited_update_has_its_own_change_applied(
    hass: HomeAssistant, server: MockConfigEntry, followed: list[EntrySettings]
) -> None:
    """Also if another update applies it."""
    hub = server.runtime_data

    async def change(extension: str) -> None:
        add_phone(hass, server, phone_subentry(extension))
        await hub.async_update()
        assert extension in hub.phones
        assert extension in {it.setup.extension for it in followed[-1].phones}

    await asyncio.gather(*(change(str(number)) for number in range(50, 60)))
    assert len(followed) == 2


async def test_after_an_update_that_fails_the_next_one_is_applied(
    hass: HomeAssistant, server: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = server.runtime_data

    def fail() -> None:
        monkeypatch.undo()
        raise RuntimeError("no more")

    monkeypatch.setattr(hub, "_async_update_device", fail)
    async with hub._update_lock:  # both wait, and neither has read the settings
        failing = asyncio.create_task(hub.async_update())
        await asyncio.sleep(0)
        add_phone(hass, server, phone_subentry("46"))
    with pytest.raises(RuntimeError, match="no more"):
        await failing
    await hass.async_block_till_done()
    assert "46" in hub.phones
