"""The store on a disk: files that are broken, and a disk that cannot be written."""

import asyncio
from collections.abc import Callable
import json
import logging
from pathlib import Path
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.hub.store import RETRY
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.setup import async_setup_component
from tests.support.clock import hurrying
from tests.support.disk import failing, files_of, part_file, store_part
from tests.support.entries import add_phone, line_subentry
from tests.support.patience import PATIENCE

PHONE = "subentry_44"


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Override the fixture that keeps Home Assistant's stores in memory."""
    return {}


@pytest.fixture
def storage(hass_config_dir: str) -> Path:
    """Return the directory of Home Assistant's stores."""
    storage = Path(hass_config_dir, STORAGE_DIR)
    storage.mkdir(exist_ok=True)
    return storage


def turn(entry: ConfigEntry[Any], extension: str = "44") -> None:
    """Turn a key on."""
    entry.runtime_data.phones[extension].phone.keys["3"].turn(True)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what no event tells of, by the real clock: the loop's may be hurrying."""
    latest = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < latest
        await asyncio.sleep(0.01)


async def test_the_file_of_a_phone_that_was_removed_meanwhile_is_removed(
    hass: HomeAssistant, storage: Path, config_entry: MockConfigEntry
) -> None:
    """That is, while the server did not run. What was broken is kept."""
    for name in (PHONE, "subentry_46", "subentry_46.corrupt.2026"):
        store_part(storage, config_entry, name, {})
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    assert files_of(storage, config_entry) == {PHONE, "subentry_46.corrupt.2026"}
    await hass.config_entries.async_remove(config_entry.entry_id)
    assert not files_of(storage, config_entry)


# What is broken


NO_STORES = ["null", "[]", "5", '"x"', '{"version": 1}']
PARTS = [PHONE, "lines", "mqtt", ""]


@pytest.mark.parametrize("broken", [(it, of) for it in PARTS for of in NO_STORES])
async def test_a_file_that_is_no_store_costs_only_what_was_in_it(
    hass: HomeAssistant,
    storage: Path,
    config_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    broken: tuple[str, str],
) -> None:
    part, content = broken
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    turn(config_entry)
    turn(config_entry, extension="45")
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    caplog.clear()
    path = part_file(storage, config_entry, part)
    path.write_text(content)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    phones = config_entry.runtime_data.phones
    assert phones["45"].phone.keys["3"].is_on
    assert phones["44"].phone.keys["3"].is_on == (part != PHONE)
    (name,) = [it for it in files_of(storage, config_entry) if "corrupt" in it]
    assert name.startswith(f"{part}.corrupt." if part else "corrupt.")
    assert part_file(storage, config_entry, name).read_text() == content
    (warning,) = [it for it in caplog.records if it.levelno >= logging.WARNING]
    assert name in warning.message


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"version": 1, "da'])
async def test_a_file_that_is_cut_off_costs_only_what_was_in_it(
    hass: HomeAssistant,
    storage: Path,
    config_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
) -> None:
    """Home Assistant itself keeps it, and reports it."""
    assert await async_setup_component(hass, "homeassistant", {})
    store_part(storage, config_entry, "subentry_45", {})
    part_file(storage, config_entry, PHONE).write_bytes(content)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    assert config_entry.state is ConfigEntryState.LOADED
    (name,) = files_of(storage, config_entry) - {"subentry_45"}
    assert part_file(storage, config_entry, name).read_bytes() == content
    caplog.clear()


@pytest.mark.parametrize(
    ("part", "data"),
    [
        (PHONE, {"keys": 7, "bindings": {}, "proof": []}),
        (PHONE, {"keys": [7], "bindings": [None]}),
        ("lines", {"subentry_line": 5}),
        ("mqtt", {"known": 7, "announced": 7}),
        ("mqtt", {"known": ["a", 7, None], "announced": []}),
        ("mqtt", {"known": [""], "announced": {"": 7}}),
    ],
)
async def test_wrong_types_are_no_obstacle(
    hass: HomeAssistant,
    storage: Path,
    config_entry: MockConfigEntry,
    part: str,
    data: object,
) -> None:
    store_part(storage, config_entry, part, data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    assert await hass.config_entries.async_unload(config_entry.entry_id)


async def test_twenty_thousand_registrations(
    hass: HomeAssistant,
    storage: Path,
    config_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As many are restored as a phone can have, and one warning names the rest."""
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    turn(config_entry)
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    path = part_file(storage, config_entry, PHONE)
    data = json.loads(path.read_text())["data"]
    data["bindings"] = [
        {
            "user": "44",
            "aor": "sip:44@127.0.0.1",
            "contact": f"<sip:44@127.0.0.1:{port}>",
            "flow": ["UDP", "127.0.0.1", port],
            "call_id": f"{port}",
            "cseq": 1,
            "expires_at": 4e9,
            "instance": None,
            "user_agent": None,
            "supports_buttons": True,
            "path": [],
            "forwarded": False,
        }
        for port in range(2000, 22_000)
    ]
    store_part(storage, config_entry, PHONE, data)
    caplog.clear()
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    phone = config_entry.runtime_data.phones["44"].phone
    assert len(phone._contacts) == 10
    (warning,) = [it for it in caplog.records if it.levelno >= logging.WARNING]
    assert "19990 of the stored registrations of phone 44" in warning.message


# Files of several ages, as a backup of a running Home Assistant has them


@pytest.mark.parametrize("is_seized", [True, False])
async def test_the_file_of_the_lines_and_those_of_phones_may_differ_in_age(
    hass: HomeAssistant, storage: Path, config_entry: MockConfigEntry, is_seized: bool
) -> None:
    """The keys of a line show what is stored of the line; one file may be missing."""
    line = line_subentry(keys=[{"phone": PHONE, "key": "1"}])
    add_phone(hass, config_entry, line)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    turn(config_entry, "45")
    config_entry.runtime_data.lines["subentry_line"].line.seize()
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    if is_seized:
        part_file(storage, config_entry, PHONE).unlink()
    else:
        part_file(storage, config_entry, "lines").unlink()
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    hub = config_entry.runtime_data
    assert hub.lines["subentry_line"].line.seized == is_seized
    assert hub.phones["44"].phone.keys["1"].is_on == is_seized
    assert hub.phones["45"].phone.keys["3"].is_on


async def test_the_file_of_an_earlier_version_counts_if_a_backup_brings_it_back(
    hass: HomeAssistant, storage: Path, config_entry: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    turn(config_entry)
    turn(config_entry, "45")
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    off = {"configured": "k=3\r\n", "shown": "k=3\r\n", "on": False}
    phones = {"44": {"keys": [off], "bindings": []}}
    store_part(storage, config_entry, "", {"phones": phones, "lines": {}})
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    hub = config_entry.runtime_data
    assert not hub.phones["44"].phone.keys["3"].is_on
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    names = {PHONE, "subentry_45", "lines", "mqtt"}
    assert files_of(storage, config_entry) == names


@pytest.mark.parametrize("data", [{"phones": 7}, {"phones": {"44": 7}}])
async def test_a_broken_file_of_an_earlier_version_is_no_obstacle(
    hass: HomeAssistant,
    storage: Path,
    config_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    data: object,
) -> None:
    store_part(storage, config_entry, "", data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    warnings = [it for it in caplog.records if it.levelno >= logging.WARNING]
    assert len([it for it in warnings if "cannot be read" in it.message]) == 1


# What cannot be written


def is_reported(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Return whether a repair says that the store cannot be written."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"store_{entry.entry_id}")
    return issue is not None


def errors(log: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as an error about our files."""
    return [
        record.message
        for record in log.records
        if record.levelno >= logging.ERROR and DOMAIN in record.message
    ]


def looks(storage: Path, entry: ConfigEntry[Any]) -> str:
    """Return the stored looks of phone 44."""
    path = part_file(storage, entry, PHONE)
    return str(json.loads(path.read_text())["data"]["keys"]) if path.exists() else ""


async def test_a_write_that_failed_is_tried_again(
    hass: HomeAssistant,
    storage: Path,
    server: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A repair says so until what is stored is what is shown."""
    with failing(storage), hurrying(hass.loop):
        turn(server)
        await until(lambda: is_reported(hass, server))
        before = errors(caplog)
        await asyncio.sleep(5 * RETRY)
        turn(server, extension="45")
        await hass.async_block_till_done()
        await asyncio.sleep(5 * RETRY)
        assert is_reported(hass, server)
        issue = ir.async_get(hass).issues[DOMAIN, f"store_{server.entry_id}"]
        assert issue.translation_key == "store_failing"
        assert (issue.translation_placeholders or {})["error"]
        # Home Assistant logs each write that fails, with a traceback.
        assert errors(caplog) == before
    with hurrying(hass.loop):
        await until(lambda: not is_reported(hass, server))
    assert "c=on" in looks(storage, server)
    assert part_file(storage, server, "subentry_45").exists()
    caplog.clear()


async def test_a_reload_does_not_bring_back_what_a_broken_disk_holds(
    hass: HomeAssistant,
    storage: Path,
    server: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with failing(storage):
        turn(server)
        for _ in range(2):
            assert await hass.config_entries.async_reload(server.entry_id)
            assert server.runtime_data.phones["44"].phone.keys["3"].is_on
        with hurrying(hass.loop):
            await until(lambda: is_reported(hass, server))
    with hurrying(hass.loop):
        await until(lambda: not is_reported(hass, server))
    assert "c=on" in looks(storage, server)
    caplog.clear()


async def test_it_is_tried_again_after_the_server_has_been_stopped(
    hass: HomeAssistant,
    storage: Path,
    server: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with failing(storage):
        turn(server)
        assert await hass.config_entries.async_unload(server.entry_id)
    assert not looks(storage, server)
    with hurrying(hass.loop):
        await until(lambda: "c=on" in looks(storage, server))
    await hass.async_block_till_done()
    caplog.clear()


async def test_a_server_is_removed_that_could_not_be_stored(
    hass: HomeAssistant,
    storage: Path,
    server: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with failing(storage):
        turn(server)
        assert await hass.config_entries.async_unload(server.entry_id)
    await hass.config_entries.async_remove(server.entry_id)
    with hurrying(hass.loop):
        await asyncio.sleep(5 * RETRY)
    await hass.async_block_till_done()
    assert not files_of(storage, server)
    caplog.clear()


async def test_the_file_of_an_earlier_version_stays_until_all_is_written(
    hass: HomeAssistant,
    storage: Path,
    config_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = part_file(storage, config_entry, "")
    on = {"configured": "k=3\r\nc=on\r\n", "shown": "k=3\r\nc=on\r\n", "on": True}
    data = {"phones": {"44": {"keys": [on], "bindings": []}}, "lines": {}}
    store_part(storage, config_entry, "", data)
    blocked = part_file(storage, config_entry, PHONE)
    blocked.mkdir()  # cannot be replaced by a file
    (blocked / "x").touch()
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    assert config_entry.runtime_data.phones["44"].phone.keys["3"].is_on
    assert is_reported(hass, config_entry)
    assert path.exists()
    (blocked / "x").unlink()
    blocked.rmdir()
    with hurrying(hass.loop):
        await until(lambda: not path.exists())
    assert "c=on" in looks(storage, config_entry)
    caplog.clear()


async def test_what_changes_after_the_end_is_not_written(
    hass: HomeAssistant, storage: Path, server: MockConfigEntry
) -> None:
    """The next server may have the files already."""
    key = server.runtime_data.phones["44"].phone.keys["3"]
    assert await hass.config_entries.async_unload(server.entry_id)
    key.turn(True)
    with hurrying(hass.loop):
        await asyncio.sleep(60)
    assert not files_of(storage, server)


async def test_a_file_that_cannot_be_removed_costs_a_warning(
    hass: HomeAssistant,
    storage: Path,
    server: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    turn(server)
    part_file(storage, server, "subentry_45").mkdir()
    await hass.config_entries.async_remove(server.entry_id)
    assert files_of(storage, server) == {"subentry_45"}
    assert f"{server.entry_id}.subentry_45 cannot be removed: " in caplog.text
    caplog.clear()
