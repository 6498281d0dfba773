"""The page on which entities are chosen for the keys of a phone."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice, zip_longest
from typing import Final

import voluptuous as vol

from homeassistant.const import ATTR_AREA_ID, CONF_ENTITIES, STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.helpers.selector import (
    AreaSelector,
    EntitySelector,
    EntitySelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)

from ..const import DOMAIN
from ..engine.names import distinct
from ..engine.phones import KeyKind
from ..hub.links.describe import entity_name
from ..hub.links.presses import needs_confirmation
from ..hub.settings import KeySettings, LinkSettings
from .forms import Faults
from .links import exists

CONF_AREA: Final = "area"
CONF_SUGGESTED: Final = "suggested"

CHOOSE_PLACEHOLDERS: Final = dict.fromkeys((CONF_AREA, "count", "places", "value"), "")
"""The placeholders of the error texts, without a value."""

OF_AREAS: Final = (
    "light",
    "switch",
    "input_boolean",
    "fan",
    "cover",
    "valve",
    "lock",
    "alarm_control_panel",
    "media_player",
    "climate",
    "water_heater",
    "humidifier",
    "vacuum",
    "lawn_mower",
    "siren",
    "remote",
    "group",
    "timer",
    "scene",
    "script",
    "button",
    "input_button",
    "binary_sensor",
    "calendar",
    "todo",
)
"""The domains of an area's entities that are put on keys, in this order.

A room may have dozens of values; its temperature and humidity come last, as far as the
area names a sensor for them.
"""

SUGGESTED: Final = (
    "light",
    "switch",
    "input_boolean",
    "fan",
    "cover",
    "media_player",
    "climate",
    "humidifier",
    "vacuum",
    "scene",
)
"""The domains that are suggested: a press does no harm if the wrong one was ticked."""

MAX_SUGGESTED: Final = 8
"""Entities that are suggested; more would push the rest of the page out of sight."""


def choose_schema(
    left_out: Iterable[str], suggested: Mapping[str, str] | None = None
) -> vol.Schema:
    """Return the form, its list of entities without those that are left out.

    Before it are the suggestions, by entity their label.
    """
    fields: dict[vol.Marker, object] = {}
    if suggested:
        options = SelectSelectorConfig(
            options=[SelectOptionDict(value=v, label=n) for v, n in suggested.items()],
            multiple=True,
            mode=SelectSelectorMode.LIST,
        )
        fields[vol.Optional(CONF_SUGGESTED)] = SelectSelector(options)
    entities = EntitySelectorConfig(
        multiple=True, reorder=True, exclude_entities=[*left_out]
    )
    fields[vol.Optional(CONF_ENTITIES)] = EntitySelector(entities)
    fields[vol.Optional(CONF_AREA)] = AreaSelector()
    return vol.Schema(fields)


@callback
def async_suggested(hass: HomeAssistant) -> dict[str, str]:
    """Return the entities that are suggested for keys, each with its label.

    It is one of each area in turn, then what is in no area; of these in the order of
    OF_AREAS. That leaves out what is hidden, settings, diagnostics, entities of phones,
    what is unavailable, and what a press would only act on when it is repeated.
    """
    registry = er.async_get(hass)
    names = {it.id: it.name for it in ar.async_get(hass).async_list_areas()}
    found: dict[str, list[str]] = {area_id: [] for area_id in names}
    area_of: dict[str, str] = {}
    elsewhere: list[str] = []
    for state in hass.states.async_all(SUGGESTED):
        known = registry.async_get(state.entity_id)
        if _is_harmless(hass, state) and (known is None or _is_main(known)):
            area_id = known and er.async_get_effective_area_id(hass, known)
            area_of[state.entity_id] = names.get(area_id or "", "")
            found.get(area_id or "", elsewhere).append(state.entity_id)
    for entities in (*found.values(), elsewhere):
        entities.sort(key=partial(_rank, hass))
    turns = (*chain.from_iterable(zip_longest(*found.values())), *elsewhere)
    suggested: dict[str, str] = {}
    for entity_id in islice(filter(None, turns), MAX_SUGGESTED):
        name, area = entity_name(hass, entity_id), area_of[entity_id]
        label = name if area.casefold() in name.casefold() else f"{name} ({area})"
        suggested[entity_id] = distinct(label, suggested.values())
    return suggested


@callback
def async_left_out(hass: HomeAssistant, keys: Iterable[KeySettings]) -> Iterator[str]:
    """Yield presses, lamps, settings and diagnostics of phones that no key follows.

    They would be most of the list, and a key seldom follows one.
    """
    known = followed(keys)
    for entity in er.async_get(hass).entities.values():
        is_detail = entity.entity_category or entity.domain == Platform.EVENT
        if entity.platform == DOMAIN and is_detail and entity.entity_id not in known:
            yield entity.entity_id


class Choice:
    """The keys of a phone with the entities that are chosen for them."""

    def __init__(
        self,
        keys: Iterable[KeySettings],
        entities: Sequence[str],
        name_of: Callable[[str], str],
    ) -> None:
        """Free the keys whose entity is not chosen; `name_of` is a key's default name."""
        self._keys: Final = [
            KeySettings(
                key=key.key,
                name=name_of(key.key),
                kind=KeyKind.NONE,
                colors=key.colors,
            )
            if key.link is not None and key.link.follows not in entities
            else key
            for key in keys
        ]
        known = followed(self._keys)
        self.new: Final = [
            entity for entity in dict.fromkeys(entities) if entity not in known
        ]
        """The entities that no key follows yet, in the order of the choice."""
        self.free: Final = [
            key.key
            for key in self._keys
            if key.kind is KeyKind.NONE or key == _plain(key, name_of(key.key))
        ]
        """The keys that are free for them: not used, or as they were made."""

    def linked(self, hass: HomeAssistant) -> dict[str, KeySettings]:
        """Return the keys by number, the first free ones linked to the new entities."""
        keys = {key.key: key for key in self._keys}
        names = {key.name for key in self._keys if key.key not in self.free}
        for number, entity in zip(self.free, self.new, strict=False):
            name = name_after(hass, entity, names)
            names.add(name)
            keys[number] = KeySettings(
                key=number,
                name=name,
                kind=KeyKind.LINKED,
                colors=keys[number].colors,
                link=LinkSettings(follows=entity),
            )
        return keys


@callback
def name_after(hass: HomeAssistant, entity_id: str, names: Container[str]) -> str:
    """Return the name of an entity for a key, as one that is not among `names`."""
    return distinct(entity_name(hass, entity_id), names)


def followed(keys: Iterable[KeySettings]) -> list[str]:
    """Return the entities that keys follow, each once, in the order of the keys."""
    entities = (key.link.follows for key in keys if key.link)
    return list(dict.fromkeys(entity for entity in entities if entity))


def find_choice_faults(hass: HomeAssistant, choice: Choice) -> Faults:
    """Return what is wrong with the chosen entities."""
    faults = Faults(CHOOSE_PLACEHOLDERS)
    new, free = len(choice.new), len(choice.free)
    for entity in choice.new:
        if not exists(hass, entity):
            faults.add(CONF_ENTITIES, "no_entity", value=entity)
    if new > free:
        about = {"count": str(new), "places": str(free)}
        faults.add(CONF_ENTITIES, "too_many_entities", **about)
    return faults


@callback
def async_add_area(
    hass: HomeAssistant, area_id: str, choice: Choice, entities: list[str]
) -> Faults:
    """Append the entities of an area for which there are free keys."""
    faults = Faults(CHOOSE_PLACEHOLDERS)
    area = ar.async_get(hass).async_get_area(area_id)
    name = area.name if area else area_id
    found = (
        [it for it in _entities_of(hass, area) if it not in entities] if area else []
    )
    room = max(0, len(choice.free) - len(choice.new))
    entities += found[:room]
    if not found:
        faults.add(CONF_AREA, "nothing_in_area", area=name)
    elif left := len(found[room:]):
        faults.add(CONF_AREA, "area_too_large", area=name, count=str(left))
    return faults


def _entities_of(hass: HomeAssistant, area: ar.AreaEntry) -> list[str]:
    """Return what a key can sensibly follow of an area, in the order of OF_AREAS.

    That leaves out what is hidden or disabled, settings, diagnostics, and keys of phones.
    """
    registry = er.async_get(hass)
    target = TargetSelection({ATTR_AREA_ID: area.id})

    def is_useful(entity_id: str) -> bool:
        known = registry.async_get(entity_id)
        is_own = known is not None and known.platform == DOMAIN
        return not is_own and hass.states.get(entity_id) is not None

    found = async_extract_referenced_entity_ids(hass, target).indirectly_referenced
    ordered = sorted(
        (it for it in found if it.startswith(_PREFIXES)), key=partial(_rank, hass)
    )
    values = (area.temperature_entity_id, area.humidity_entity_id)
    return [it for it in (*ordered, *values) if it is not None and is_useful(it)]


def _rank(hass: HomeAssistant, entity_id: str) -> tuple[int, str, str]:
    domain = OF_AREAS.index(entity_id.partition(".")[0])
    return domain, entity_name(hass, entity_id).casefold(), entity_id


def _is_main(known: er.RegistryEntry) -> bool:
    """Return whether it is not hidden, a setting, a diagnostic, or of a phone."""
    return not (known.hidden_by or known.entity_category or known.platform == DOMAIN)


def _is_harmless(hass: HomeAssistant, state: State) -> bool:
    """Return whether an entity is there, and a press acts on it at once."""
    link = LinkSettings(follows=state.entity_id)
    return state.state != STATE_UNAVAILABLE and not needs_confirmation(
        hass, state, link
    )


_PREFIXES: Final = tuple(f"{domain}." for domain in OF_AREAS)


def _plain(key: KeySettings, name: str) -> KeySettings:
    """Return a key with nothing set by hand but its kind and its colours."""
    return KeySettings(key=key.key, name=name, kind=key.kind, colors=key.colors)
