"""The files of a store, and a disk that can fail."""

from collections.abc import Iterator
from contextlib import contextmanager
import json
from pathlib import Path
from typing import Any

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.config_entries import ConfigEntry


def files_of(storage: Path, entry: ConfigEntry[Any]) -> set[str]:
    """Return the names of an entry's files, from the part on."""
    key = f"{DOMAIN}.{entry.entry_id}"
    paths = storage.glob(f"{key}*")
    return {path.name.removeprefix(key).removeprefix(".") for path in paths}


def part_file(storage: Path, entry: ConfigEntry[Any], part: str) -> Path:
    """Return the file of a part of an entry's store; of "", that of an earlier version."""
    return storage / ".".join(filter(None, (DOMAIN, entry.entry_id, part)))


def store_part(storage: Path, entry: ConfigEntry[Any], part: str, data: object) -> None:
    """Write a part of an entry's store, as Home Assistant does."""
    path = part_file(storage, entry, part)
    content = {"version": 1, "minor_version": 1, "key": path.name, "data": data}
    path.write_text(json.dumps(content))


@contextmanager
def failing(storage: Path) -> Iterator[None]:
    """Let the system refuse all files in a directory; what is there stays.

    Not by its permissions, which do not count for root: nothing can be made in /proc.
    """
    away = storage.rename(storage.with_name("away"))
    storage.symlink_to("/proc")
    try:
        yield
    finally:
        storage.unlink()
        away.rename(storage)
