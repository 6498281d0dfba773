"""Keys of a phone that were exchanged: which look and which entities each has now."""

from collections.abc import Iterable, Mapping

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import KEY_ENTITIES


def origins_of(exchanges: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return for each key the one whose look it gets, after exchanges in this order."""
    origins: dict[str, str] = {}
    for one, other in exchanges:
        origins[one], origins[other] = (
            origins.get(other, other),
            origins.get(one, one),
        )
    return {key: origin for key, origin in origins.items() if key != origin}


@callback
def async_move_entities(
    hass: HomeAssistant, entry_id: str, subentry_id: str, origins: Mapping[str, str]
) -> None:
    """Let the entities of each key's origin be those of the key.

    The registry allows no ID twice, so all get one in between.
    """
    registry = er.async_get(hass)
    keys = {f"{subentry_id}_{origin}": key for key, origin in origins.items()}
    wanted = {
        known.entity_id: f"{subentry_id}_{keys[start]}_{suffix}"
        for known in er.async_entries_for_config_entry(registry, entry_id)
        for start, _, suffix in [known.unique_id.rpartition("_")]
        if start in keys and KEY_ENTITIES.get(known.domain) == suffix
    }
    for between in (True, False):
        for entity_id, unique_id in wanted.items():
            registry.async_update_entity(
                entity_id, new_unique_id=f"{unique_id} " if between else unique_id
            )
