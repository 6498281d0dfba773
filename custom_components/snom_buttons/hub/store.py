"""The store of a config entry: the server's state over a restart.

Each phone has a file of its own, and so have the shared lines and what is left on the
MQTT broker: a change costs no more than the file that it is in.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
import logging
import os
from pathlib import Path
import tempfile
from typing import Any, Final, override

from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryError,
    HomeAssistantError,
    UnsupportedStorageVersionError,
)
from homeassistant.helpers.storage import STORAGE_DIR, Store
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..engine.xbuttons import DocumentError, parse_document

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION: Final = 1

LINES: Final = "lines"
MQTT: Final = "mqtt"
"""The parts of a store beside the phones, each of which is named by its subentry."""
EARLIER: Final = ""
"""The only part of version 0.1, with all others in it."""

SAVE_DELAY: Final = 1.0
"""Seconds from a change until its part is written."""
LABEL_DELAY: Final = 300.0
"""The same if only labels have changed."""
BURST: Final = 10
"""Writes of a part that follow a change after SAVE_DELAY; then there is one an INTERVAL.

Registrations have as many of their own.
"""
INTERVAL: Final = 60.0
"""Seconds after which a part may be written once more after SAVE_DELAY."""
RETRY: Final = 10.0
"""Seconds after which a write that failed is tried again."""

PROBE: Final = 64 * 1024
"""Bytes that are free when it is tried again: several times what a phone takes."""

type Contained = dict[str, Any] | None
"""What a part contains; None if there is no such part any more."""
type Snapshot = Callable[[], Contained]

UNSAVED: HassKey[dict[str, ServerStore]] = HassKey(f"{DOMAIN}_unsaved")
"""By config entry: closed stores that could not write, and try again."""

STORE_ERRORS: Final = (
    AttributeError,
    HomeAssistantError,
    KeyError,
    NotImplementedError,
    TypeError,
    ValueError,
)
"""What `Store.async_load` raises for a system's error, and for JSON that is no store."""


@dataclass(slots=True)
class Unsaved:
    """A change that has not been written yet."""

    due: float
    """In seconds of the event loop's clock."""
    snapshot: Snapshot
    """Called when the part is written."""
    registration: bool = False
    """Whether a registration is why it is written."""


class ServerStore:
    """Loads and saves the store of one config entry."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, failing: Callable[[str | None], None]
    ) -> None:
        """Create a store.

        `failing` is called with the system's error when parts cannot be written, and
        with None when they are.
        """
        self._hass = hass
        self._entry_id = entry_id
        self._failing = failing
        self._stores: dict[str, PartStore] = {}
        self._unsaved: dict[str, Unsaved] = {}
        """By part."""
        self._used: dict[tuple[str, bool], float] = {}
        """By part, and whether for registrations: when all BURST writes are free again."""
        self._retry_at: float | None = None
        """When failed writes are tried again; None if the last write succeeded."""
        self._timer: asyncio.TimerHandle | None = None
        self._lock = asyncio.Lock()
        self._is_closed = False
        self.is_earlier = False
        """Whether an earlier version saved what was loaded, and all parts must be saved."""

    # Reading

    async def load(self, title: str, phones: Mapping[str, str]) -> dict[str, Any]:
        """Return what was saved, as a server's snapshot with the part of MQTT.

        `phones` are the extensions by subentry; `title` is for the log. Raises
        ConfigEntryError if a later version has saved a part.
        """
        before = self._hass.data.get(UNSAVED, {}).pop(self._entry_id, None)
        if before is not None:
            self._unsaved = await before.hand_over()
        names = (LINES, MQTT, *phones)
        parts: dict[str, Any]
        if earlier := await self._read(title, EARLIER):
            self.is_earlier = True
            earlier = _upgraded(earlier)
            # Version 0.1 stored only the phones.
            by_extension = earlier.get("phones", earlier)
            if not isinstance(by_extension, dict):
                _LOGGER.warning("The stored phones of %s cannot be read", title)
                by_extension = {}
            parts = {name: by_extension.get(phones[name]) for name in phones}
            parts |= {name: earlier.get(name) for name in (LINES, MQTT)}
        else:
            found = await asyncio.gather(*(self._read(title, name) for name in names))
            parts = dict(zip(names, found, strict=True))
        for name in await self._hass.async_add_executor_job(
            _parts_of, self._hass, self._entry_id
        ):
            # Of phones that were removed while the server did not run.
            if name not in names and name != EARLIER and "." not in name:
                self.remove_soon(name)
        # A reload does not bring back what was shown before a write failed.
        parts |= {name: unsaved.snapshot() for name, unsaved in self._unsaved.items()}
        self._set_timer()
        return {
            "phones": {phones[name]: parts[name] for name in phones},
            LINES: parts[LINES],
            MQTT: parts[MQTT],
        }

    async def _read(self, title: str, part: str) -> dict[str, Any] | None:
        """Return what a file contains, None for one that is not there or is broken.

        A broken one is kept under another name. Raises ConfigEntryError.
        """
        store = self._store(part)
        try:
            stored: object = await store.async_load()
        except UnsupportedStorageVersionError as err:
            raise ConfigEntryError(
                translation_domain=DOMAIN, translation_key="store_too_new"
            ) from err
        except STORE_ERRORS as err:
            stored = err
        if stored is None or isinstance(stored, dict):
            return stored
        aside = f"{store.path}.corrupt.{dt_util.utcnow().isoformat()}"
        with suppress(OSError):
            await self._hass.async_add_executor_job(os.rename, store.path, aside)
        _LOGGER.warning(
            "The stored data of %s in %s cannot be read; it is kept as %s",
            title,
            store.path,
            aside,
        )
        return None

    # Writing

    @callback
    def save_soon(
        self,
        part: str,
        snapshot: Snapshot,
        *,
        only_label: bool = False,
        registration: bool = False,
    ) -> None:
        """Write a part soon, or later if it is written often.

        Registrations do not wait for other changes, however many there were: a phone
        whose registration is lost is away until it registers again.
        """
        if self._hass.state is CoreState.stopping:
            # Home Assistant writes it after everything has been stopped.
            self._store(part).async_delay_save(lambda: snapshot() or {})
            return
        if self._is_closed:  # another store may have the files already
            return
        due = self._hass.loop.time() + (LABEL_DELAY if only_label else SAVE_DELAY)
        used = self._used.get((part, registration), 0.0)
        due = max(due, used - (BURST - 1) * INTERVAL)
        before = self._unsaved.get(part)
        if before is not None and before.due <= due:
            before.snapshot = snapshot
            return
        self._unsaved[part] = Unsaved(due, snapshot, registration)
        self._advance_timer(due)

    @callback
    def remove_soon(self, part: str) -> None:
        """Remove a part."""
        self.save_soon(part, lambda: None)

    async def save_now(self, parts: Mapping[str, Snapshot]) -> None:
        """Write parts at once."""
        for part, snapshot in parts.items():
            self.save_soon(part, snapshot)
        await self._write(parts)

    async def close(self) -> None:
        """Write all that has not been written yet; later changes are ignored.

        What cannot be written is tried again, until another store of the entry loads it.
        """
        await self._write([*self._unsaved])
        self._is_closed = True
        for unsaved in self._unsaved.values():
            unsaved.snapshot = partial(_unchanged, unsaved.snapshot())
        if self._unsaved:
            self._hass.data.setdefault(UNSAVED, {})[self._entry_id] = self

    async def remove(self, phones: Iterable[str]) -> None:
        """Remove all parts; `phones` are the subentries."""
        self._is_closed = True
        await self.hand_over()
        found = await self._hass.async_add_executor_job(
            _parts_of, self._hass, self._entry_id
        )
        for part in {EARLIER, LINES, MQTT, *phones, *found}:
            if (error := await self._write_part(part, None)) is not None:
                _LOGGER.warning(
                    "%s cannot be removed: %s", self._store(part).path, error
                )

    async def hand_over(self) -> dict[str, Unsaved]:
        """Return what could not be written; it is not tried again."""
        async with self._lock:
            unsaved, self._unsaved = self._unsaved, {}
            self._set_timer()
        return unsaved

    @callback
    def _set_timer(self) -> None:
        """Set the timer to when the first part is due, and may be writable."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._unsaved:
            due = min(unsaved.due for unsaved in self._unsaved.values())
            self._advance_timer(due)

    @callback
    def _advance_timer(self, due: float) -> None:
        """Set the timer, unless it is set to an earlier time."""
        due = max(due, self._retry_at or due)
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._hass.loop.call_at(due, self._ring, due)

    @callback
    def _ring(self, now: float) -> None:
        self._timer = None
        due = [part for part, unsaved in self._unsaved.items() if unsaved.due <= now]
        self._hass.async_create_task(self._write(due), f"{DOMAIN} store")

    async def _write(self, parts: Iterable[str]) -> None:
        """Write parts in turn, each as it is then; end at the first error."""
        async with self._lock:
            left = [part for part in parts if part in self._unsaved]
            error = await self._probe() if left else None
            for part in left:
                if error is not None:
                    break
                # Its newest change, which may be that it is removed.
                if (change := self._unsaved.pop(part, None)) is None:
                    continue
                error = await self._write_part(
                    part, change.snapshot(), registration=change.registration
                )
                if error is not None:  # unless there is a newer one again
                    self._unsaved.setdefault(part, change)
            if self.is_earlier and not self._unsaved:
                self.is_earlier = False
                self.remove_soon(EARLIER)
            if left:
                self._report(error)
            self._set_timer()

    async def _write_part(
        self, part: str, contained: Contained, *, registration: bool = False
    ) -> str | None:
        """Write or remove a part; return the system's error."""
        store = self._store(part)
        try:
            if contained is None:
                await store.async_remove()
                del self._stores[part]
                self._used.pop((part, False), None)
                self._used.pop((part, True), None)
                return None
            await store.async_save(contained)
        except OSError as err:
            return err.strerror or str(err)
        budget = part, registration
        used = max(self._used.get(budget, 0.0), self._hass.loop.time())
        self._used[budget] = used + INTERVAL
        return store.error

    async def _probe(self) -> str | None:
        """Return why still nothing can be written after an error, None if it can.

        Home Assistant would log a traceback for each attempt.
        """
        if self._retry_at is None or self._hass.state is CoreState.stopping:
            return None
        directory = self._hass.config.path(STORAGE_DIR)
        return await self._hass.async_add_executor_job(_try_to_write, directory)

    @callback
    def _report(self, error: str | None) -> None:
        if error is not None:
            self._retry_at = self._hass.loop.time() + RETRY
            self._failing(error)
        elif self._retry_at is not None:
            self._retry_at = None
            self._failing(None)

    @callback
    def _store(self, part: str) -> PartStore:
        if part not in self._stores:
            self._stores[part] = PartStore(self._hass, _key(self._entry_id, part))
        return self._stores[part]


class PartStore(Store[dict[str, Any]]):
    """The file of one part; private, because it holds the addresses of phones."""

    error: str | None = None
    """Why the last write failed."""

    def __init__(self, hass: HomeAssistant, key: str) -> None:
        """Create a store; nothing is read or written."""
        super().__init__(hass, STORAGE_VERSION, key, private=True, atomic_writes=True)

    @override
    async def _async_write_data(self, data: dict[str, Any]) -> None:
        # `async_save` only logs what this raises.
        self.error = None
        try:
            await super()._async_write_data(data)
        except HomeAssistantError as err:
            cause = err.__cause__
            self.error = getattr(cause, "strerror", None) or str(err)
            raise


async def async_remove_store(
    hass: HomeAssistant, entry_id: str, title: str, phones: Iterable[str]
) -> object:
    """Remove the store of a config entry; return its part of MQTT, None without one."""
    store = ServerStore(hass, entry_id, lambda _: None)
    left_behind = None
    with suppress(ConfigEntryError):
        left_behind = (await store.load(title, {}))[MQTT]
    await store.remove(phones)
    return left_behind


def _key(entry_id: str, part: str) -> str:
    """Return the name of the file of a part."""
    return ".".join(filter(None, (DOMAIN, entry_id, part)))


def _parts_of(hass: HomeAssistant, entry_id: str) -> list[str]:
    """Return the parts of which there are files; broken ones end in `.corrupt.` and a time."""
    key = _key(entry_id, EARLIER)
    found = Path(hass.config.path(STORAGE_DIR)).glob(f"{key}*")
    return [path.name.removeprefix(key).removeprefix(".") for path in found]


def _unchanged(contained: Contained) -> Contained:
    return contained


def _try_to_write(directory: str) -> str | None:
    """Write and remove a file of PROBE bytes; return the system's error."""
    try:
        with tempfile.NamedTemporaryFile(dir=directory) as file:
            file.write(bytes(PROBE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as err:
        return err.strerror or str(err)
    return None


def _upgraded(stored: dict[str, Any]) -> dict[str, Any]:
    """Return a store whose keys have what an earlier one kept in lists by phone.

    `unused`: keys that were not used; `colored`: those with several colours.
    """
    phones = stored.get("phones")
    if not isinstance(phones, dict) or not {"unused", "colored"} & stored.keys():
        return stored
    return stored | {
        "phones": {
            extension: _with_kinds(
                phone,
                unused=_names(stored.get("unused"), extension),
                colored=_names(stored.get("colored"), extension),
            )
            for extension, phone in phones.items()
        }
    }


def _with_kinds(phone: object, *, unused: set[str], colored: set[str]) -> object:
    if not isinstance(phone, dict) or not isinstance(keys := phone.get("keys"), list):
        return phone
    return phone | {
        "keys": [
            key | {"used": name not in unused, "colors": name in colored}
            if (name := _name_of(key)) is not None
            else key
            for key in keys
        ]
    }


def _name_of(key: object) -> str | None:
    """Return the name of a stored key; None for one that is not set up, or broken."""
    match key:
        case {"configured": _, "shown": str(document)}:
            try:
                [description] = parse_document(document.encode())
            except DocumentError, ValueError:
                return None
            return description.name
    return None


def _names(stored: object, extension: str) -> set[str]:
    by_phone = stored.get(extension) if isinstance(stored, Mapping) else None
    names = by_phone if isinstance(by_phone, list) else []
    return {name for name in names if isinstance(name, str)}
