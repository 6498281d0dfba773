"""Base classes of the entities, and how entities are added and removed."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EntityCategory
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import entity_platform, entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, ToggleEntity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .engine.phones import KeyKind, KeySetup, Signal
from .hub.context import context_of
from .hub.hub import SnomConfigEntry, SnomPart
from .hub.line import SnomLine
from .hub.phone import SnomPhone

SHOULD_EXPOSE: Final = "should_expose"
"""The option of an entity by which Home Assistant stores that an assistant sees it."""


class SnomEntity(Entity):
    """An entity of a phone or of a shared line."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, part: SnomPart, suffix: str) -> None:
        """Create an entity of the part's device."""
        self.part = part
        subentry_id = part.settings.subentry_id
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, subentry_id)})
        self._attr_unique_id = f"{subentry_id}_{suffix}"
        self._followed: list[tuple[Signal[Any], Callable[[Any], None]]] = []

    def follow[T](
        self, signal: Signal[T], listener: Callable[[T], None] | None = None
    ) -> None:
        """Call a listener, by default one that writes the state, once this is added."""
        self._followed.append((signal, listener or self._async_changed))

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to all signals that this entity follows."""
        await super().async_added_to_hass()
        for signal, listener in self._followed:
            self.async_on_remove(signal.subscribe(listener))

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Let others have their turn while all entities are removed in a row.

        A single one is replaced within a turn, so that no press is lost.
        """
        await super().async_will_remove_from_hass()
        entry = self.platform.config_entry
        if entry is not None and entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS:
            await asyncio.sleep(0)

    @callback
    def _async_changed(self, cause: object) -> None:
        """Write the state in the context of its cause, or in a new one.

        Home Assistant would use that of a press or a user of the last five seconds.
        """
        self.async_set_context(context_of(cause) or Context())
        self.async_write_ha_state()

    def serves_as(self, wanted: SnomEntity) -> bool:
        """Return whether this entity can stay instead of a new one."""
        return self.part is wanted.part


class SnomLineEntity(SnomEntity):
    """An entity of a shared line, available while the server runs."""

    def __init__(self, line: SnomLine, suffix: str) -> None:
        """Create an entity of the line's device."""
        super().__init__(line, suffix)
        self.line = line.line


class SnomPhoneEntity(SnomEntity):
    """An entity of a phone, available while the phone is."""

    def __init__(self, phone: SnomPhone, suffix: str) -> None:
        """Create an entity of the phone's device."""
        super().__init__(phone, suffix)
        self.phone = phone.phone
        self._turn = phone.turn
        self.follow(self.phone.status, self._async_status_changed)

    @override
    async def async_added_to_hass(self) -> None:
        """Read the status of the phone, and follow it."""
        self._async_read_status()
        await super().async_added_to_hass()

    @override
    async def async_request_call[T](self, coro: Coroutine[Any, Any, T]) -> T:
        """Carry out an action when it is the phone's turn."""
        try:
            await self._turn()
        except asyncio.CancelledError:
            coro.close()
            raise
        return await coro

    @callback
    def _async_status_changed(self, _: object) -> None:
        was_available = self._attr_available
        if self._async_read_status():
            if self._attr_available != was_available:
                self.async_set_context(Context())  # as in `_async_changed`
            self.async_write_ha_state()

    @callback
    def _async_read_status(self) -> bool:
        """Read whether the phone is available; return whether that has changed."""
        before, self._attr_available = self._attr_available, self.phone.available
        return self._attr_available != before


class SnomKeyEntity(SnomPhoneEntity):
    """An entity of one key of a phone."""

    def __init__(self, phone: SnomPhone, setup: KeySetup, suffix: str) -> None:
        """Create an entity of a key."""
        super().__init__(phone, f"{setup.name}_{suffix}")
        self.key = phone.phone.keys[setup.name]
        self.setup = setup

    @callback
    @override
    def _async_changed(self, cause: object) -> None:
        """Write the state, unless the entity is about to become that of another key."""
        known = self.registry_entry
        if known is None or known.unique_id == self.unique_id:
            super()._async_changed(cause)

    @override
    def serves_as(self, wanted: SnomEntity) -> bool:
        return (
            isinstance(wanted, SnomKeyEntity)
            and self.key is wanted.key
            and self.setup == wanted.setup
        )


class SnomSentEntity(SnomPhoneEntity):
    """An entity whose state is sent to the phone.

    The state is assumed while the phone does not take it (docs/decisions/0017).
    """

    _sent_as: str
    """The key that is sent, or MESSAGES."""

    @callback
    @override
    def _async_read_status(self) -> bool:
        """Also read whether the phone does not take the state."""
        before = self._attr_assumed_state
        self._attr_assumed_state = self.phone.lacks(self._sent_as)
        return super()._async_read_status() or self._attr_assumed_state != before

    @callback
    @override
    def _async_changed(self, cause: object) -> None:
        # A change of a look changes nothing of the status but this.
        lacks = self.phone.lacks(self._sent_as)
        if lacks != self._attr_assumed_state:
            self._attr_assumed_state = lacks
        super()._async_changed(cause)


class SnomLookEntity(SnomSentEntity, SnomKeyEntity):
    """An entity whose state is a part of the look that a key should have."""

    def __init__(self, phone: SnomPhone, setup: KeySetup, suffix: str) -> None:
        """Create an entity of a key."""
        super().__init__(phone, setup, suffix)
        self._sent_as = setup.name
        self.follow(self.key.shown)


class SnomLampEntity(SnomSentEntity, ToggleEntity):
    """A lamp of a phone.

    By default it is in a category that calls to an area, floor or device, and
    assistants, leave alone.
    """

    def __init__(self, phone: SnomPhone, *args: Any) -> None:
        """Create a lamp in the category that the phone's lamps have."""
        super().__init__(phone, *args)
        is_of_room = phone.settings.setup.room_lights
        self._attr_entity_category = None if is_of_room else EntityCategory.CONFIG

    @override
    def serves_as(self, wanted: SnomEntity) -> bool:
        return (
            super().serves_as(wanted) and self.entity_category == wanted.entity_category
        )


class SnomKeyLampEntity(SnomLampEntity, SnomLookEntity):
    """The lamp of a key; its state is the look of the key."""

    _attr_translation_key = "led"

    def __init__(self, phone: SnomPhone, setup: KeySetup) -> None:
        """Create a lamp with the name of its key."""
        super().__init__(phone, setup, "led")
        self._attr_name = setup.title

    @property
    @override
    def is_on(self) -> bool:
        return self.key.is_on


@callback
def _async_forget_exposure(
    registry: er.EntityRegistry, known: er.RegistryEntry
) -> None:
    """Let Home Assistant decide anew which assistants see an entity.

    It stores its first decision, which depends on the entity's category.
    """
    for assistant, options in known.options.items():
        if SHOULD_EXPOSE in options:
            left = {
                name: value for name, value in options.items() if name != SHOULD_EXPOSE
            }
            registry.async_update_entity_options(known.entity_id, assistant, left)


def platform_setup(
    *,
    of_phone: Iterable[Callable[[SnomPhone], SnomEntity]] = (),
    of_key: Mapping[KeyKind, Callable[[SnomPhone, KeySetup], SnomEntity]] = {},
    of_line: Iterable[Callable[[SnomLine], SnomEntity]] = (),
) -> Callable[..., Coroutine[Any, Any, None]]:
    """Return the `async_setup_entry` of a platform that has these entities.

    The entities follow later changes of settings; those that still fit are kept.
    """

    def made(part: SnomPart) -> Iterator[SnomEntity]:
        if isinstance(part, SnomLine):
            yield from (make(part) for make in of_line)
            return
        yield from (make(part) for make in of_phone)
        for key in part.settings.setup.keys:
            if key.kind in of_key:
                yield of_key[key.kind](part, key)

    async def async_setup_entry(
        hass: HomeAssistant,
        entry: SnomConfigEntry,
        async_add_entities: AddConfigEntryEntitiesCallback,
    ) -> None:
        platform = entity_platform.async_get_current_platform()
        registry = er.async_get(hass)

        async def async_follow(part: SnomPart) -> None:
            wanted = {entity.unique_id: entity for entity in made(part)}
            for known in er.async_entries_for_device(
                registry, part.device_id, include_disabled_entities=True
            ):
                if known.platform != DOMAIN or known.domain != platform.domain:
                    continue
                # The registry calls entities before its own call returns: one that was
                # just renamed is in `platform.entities` under its new name, and one that
                # was disabled or removed is not in it.
                if known.unique_id not in wanted:
                    registry.async_remove(known.entity_id)
                    continue
                if known.entity_category != wanted[known.unique_id].entity_category:
                    _async_forget_exposure(registry, known)
                if entity := platform.entities.get(known.entity_id):
                    assert isinstance(entity, SnomEntity)
                    if entity.serves_as(wanted[known.unique_id]):
                        del wanted[known.unique_id]
                    else:
                        await platform.async_remove_entity(known.entity_id)
            async_add_entities(
                wanted.values(), config_subentry_id=part.settings.subentry_id
            )

        hub = entry.runtime_data
        parts: list[SnomPart] = [*hub.phones.values(), *hub.lines.values()]
        for part in parts:
            await async_follow(part)
            # Other parts of Home Assistant get their turn between phones.
            await asyncio.sleep(0)
        entry.async_on_unload(hub.async_listen_parts(async_follow))

    return async_setup_entry
