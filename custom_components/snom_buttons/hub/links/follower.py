"""The linked keys of one server, and the entities that they follow."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.event import (
    async_track_entity_registry_updated_event,
    async_track_state_change_event,
)
from homeassistant.helpers.start import async_at_started

from ...const import CONF_KEYS, DOMAIN, SUBENTRY_TYPE_PHONE
from ...engine.phones import Key, KeyKind, KeyPress, PhoneServer, Signal
from ...engine.refused import Failed
from ..follower import Follower
from ..phone import SnomPhone
from ..settings import EntrySettings, KeySettings
from .key import LinkedKey
from .look import LinkedLook
from .press import Outcome


class KeyLinks(Follower):
    """Keeps a LinkedKey for each key that is linked, with one listener for all states."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
        *,
        missing_changed: Callable[[Mapping[tuple[str, str], str]], None],
    ) -> None:
        """Create a follower. `phones` are the phones by extension, which may change.

        `missing_changed` is called with the entities that are gone, by phone and key.
        """
        super().__init__()
        self._hass = hass
        self._entry = entry
        self._server = server
        self._phones = phones
        self._missing_changed = missing_changed
        self._missing: dict[tuple[str, str], str] = {}
        self._linked: dict[tuple[str, str], LinkedKey] = {}
        """By extension and key."""
        self._followed: dict[str, list[LinkedLook]] = {}
        """By the entity ID that they follow; none for one that a press only acts on."""
        self._named: set[str] = set()
        """The entity IDs that links name, whose new names are followed.

        Also those of keys of shared lines, whose links have no effect meanwhile."""
        self._waiting: dict[str, asyncio.Future[Outcome]] = {}
        """For the ends of presses, by their IDs."""
        self._listeners: list[CALLBACK_TYPE] = []
        self.passing_changed: Signal[tuple[str, str]] = Signal()
        """What a key shows for some seconds has changed: its extension and its name."""
        self._exchanged: set[tuple[str, str]] = set()
        """Keys that have got the look of another key."""
        self._lock = asyncio.Lock()
        self._is_started = False
        self._is_stopped = False

    @override
    @callback
    def start(self) -> None:
        self._subscriptions = [
            # After the events of the press, which become the origin of what it causes.
            self._server.pressed.subscribe(self._async_pressed),
            async_at_started(self._hass, self._async_started),
        ]

    @override
    async def update(self, settings: EntrySettings) -> None:
        """Follow what the keys of the current phones are linked to."""
        async with self._lock:
            if self._is_stopped:
                return
            wanted = {
                (extension, name): (phone, phone.phone.keys[name], link)
                for extension, phone in self._phones.items()
                for name, link in phone.settings.links.items()
            }
            for which, linked in list(self._linked.items()):
                if which not in wanted or not linked.serves(*wanted[which][1:]):
                    del self._linked[which]
                    await linked.stop()
                    if which not in wanted and which not in self._exchanged:
                        _end_look(linked.look.key)
            self._exchanged.clear()
            new = []
            for which, (phone, key, link) in wanted.items():
                if which in self._linked:
                    continue
                linked = LinkedKey(
                    self._hass,
                    extension=which[0],
                    key=key,
                    link=link,
                    event_entity=partial(self._event_entity, phone, key.name),
                    device_name=partial(self._device_name, phone),
                    passing_changed=partial(self.passing_changed.emit, which),
                    run=self._async_run,
                )
                self._linked[which] = linked
                new.append(linked)
            self._async_follow()
            for linked in new:
                if self._is_started:
                    linked.look.async_start()
                else:
                    linked.look.async_refresh()
            self._async_check()

    @override
    async def stop(self) -> None:
        async with self._lock:
            self._is_stopped = True
            await super().stop()
            linked, self._linked = self._linked, {}
            self._async_follow()
            for each in linked.values():
                await each.stop()
            for press_id in list(self._waiting):
                self._async_ended(press_id, Failed("press_cut_off"))

    @callback
    def _async_started(self, _: HomeAssistant) -> None:
        self._is_started = True
        for linked in self._linked.values():
            linked.look.async_start()
        self._async_check()

    @callback
    def _async_check(self) -> None:
        """Report the links whose entities neither have a state nor are registered.

        A state that is gone for a moment, as at a reload, is not reported.
        """
        if not self._is_started:
            return
        registry, states = er.async_get(self._hass), self._hass.states
        missing = {
            which: entity_id
            for which, linked in self._linked.items()
            for entity_id in (linked.link.acts_on, linked.link.follows)
            if states.get(entity_id) is None and registry.async_get(entity_id) is None
        }
        if missing != self._missing:
            self._missing = missing
            self._missing_changed(missing)

    @callback
    def _async_follow(self) -> None:
        """Listen to the entities that the links name now."""
        followed: dict[str, list[LinkedLook]] = {}
        named = {name for it in self._phones.values() for name in it.settings.named}
        for linked in self._linked.values():
            followed.setdefault(linked.link.follows, []).append(linked.look)
            # A missing one may come, which ends its repair.
            followed.setdefault(linked.link.acts_on, [])
            named |= linked.link.entities
        is_same = followed.keys() == self._followed.keys() and named == self._named
        self._followed, self._named = followed, named
        if is_same:
            return
        for unsubscribe in self._listeners:
            unsubscribe()
        self._listeners = []
        if named:
            self._listeners = [
                async_track_state_change_event(
                    self._hass, list(followed), self._async_state_changed
                ),
                async_track_entity_registry_updated_event(
                    self._hass, list(named), self._async_registry_updated
                ),
            ]

    @callback
    def _async_state_changed(self, event: Event[EventStateChangedData]) -> None:
        for look in self._followed.get(event.data["entity_id"], ()):
            look.async_changed(event)
        if event.data["old_state"] is None and self._missing:
            self._async_check()

    @callback
    def _async_pressed(self, press: KeyPress) -> None:
        if linked := self._linked.get((press.extension, press.key)):
            linked.press.async_pressed(press, partial(self._async_ended, press.id))
        else:  # the link may have been removed since the press
            self._async_ended(press.id, Outcome.NOTHING)

    @callback
    def async_link(self, extension: str, key: str) -> LinkedKey | None:
        """Return the link of a key, None for one that is not linked."""
        return self._linked.get((extension, key))

    @callback
    def async_exchanged(self, extension: str, keys: Iterable[str]) -> None:
        """Keep the looks of keys whose links end: they are those of other keys."""
        self._exchanged.update((extension, key) for key in keys)

    @callback
    def async_expect(self, press: KeyPress) -> asyncio.Future[Outcome] | None:
        """Return a future of the outcome of a press that is emitted in the next turn.

        Its exception is Failed. Returns None for a key that is not linked.
        """
        if (press.extension, press.key) not in self._linked:
            return None
        ended = self._waiting[press.id] = self._hass.loop.create_future()
        return ended

    @callback
    def _async_ended(self, press_id: str, end: Outcome | Failed) -> None:
        ended = self._waiting.pop(press_id, None)
        if ended is None or ended.done():
            return
        if isinstance(end, Failed):
            ended.set_exception(end)
        else:
            ended.set_result(end)

    @callback
    def _async_run(self, action: Coroutine[Any, Any, None], name: str) -> None:
        self._entry.async_create_background_task(self._hass, action, name)

    @callback
    def _async_registry_updated(
        self, event: Event[er.EventEntityRegistryUpdatedData]
    ) -> None:
        """Follow an entity under its new name, and store that."""
        if event.data["action"] == "remove":
            self._async_check()
        if event.data["action"] != "update" or "old_entity_id" not in event.data:
            return
        before, after = event.data["old_entity_id"], event.data["entity_id"]
        # At once, before the state under the old name is removed.
        for linked in self._linked.values():
            linked.look.async_rename(before, after)
        self._async_follow()
        for subentry in list(self._entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE)):
            keys = [_renamed(key, before, after) for key in subentry.data[CONF_KEYS]]
            self._hass.config_entries.async_update_subentry(
                self._entry, subentry, data={**subentry.data, CONF_KEYS: keys}
            )

    def _event_entity(self, phone: SnomPhone, key: str) -> str | None:
        unique_id = f"{phone.settings.subentry_id}_{key}_press"
        return er.async_get(self._hass).async_get_entity_id("event", DOMAIN, unique_id)

    def _device_name(self, phone: SnomPhone) -> str:
        device = dr.async_get(self._hass).async_get(phone.device_id)
        name = device and (device.name_by_user or device.name)
        return name or phone.settings.setup.name


def _end_look(key: Key) -> None:
    """Let a key that is no longer linked begin anew; a line sets the looks of its keys."""
    if key.setup.kind not in (KeyKind.LINKED, KeyKind.SHARED):
        key.show(key.setup.off)


def _renamed(data: Mapping[str, Any], before: str, after: str) -> Mapping[str, Any]:
    """Return the data of a key after an entity was renamed."""
    settings = KeySettings.from_dict(data)
    if settings.link is None or before not in settings.link.entities:
        return data
    return {**data, **settings.link.renamed(before, after).as_dict()}


@callback
def async_relink(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    subentry_id: str,
    key: str,
    *,
    before: str,
    after: str | None,
) -> None:
    """Replace an entity of a key's link; without another one the key is not used."""
    subentry = entry.subentries.get(subentry_id)
    if subentry is None:
        return
    keys = [KeySettings.from_dict(data) for data in subentry.data[CONF_KEYS]]
    for number, known in enumerate(keys):
        if known.key != key or known.link is None:
            continue
        keys[number] = (
            replace(known, link=known.link.renamed(before, after))
            if after
            else replace(known, kind=KeyKind.NONE, link=None)
        )
    hass.config_entries.async_update_subentry(
        entry,
        subentry,
        data={**subentry.data, CONF_KEYS: [each.as_dict() for each in keys]},
    )
