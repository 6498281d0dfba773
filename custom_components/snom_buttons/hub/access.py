"""What a user of Home Assistant may do with a phone: what is allowed of its entities."""

from collections.abc import Iterable

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN


@callback
def phone_entities(hass: HomeAssistant, device_id: str) -> list[str]:
    """Return the entities of a phone's device, of which a user needs all.

    If it has none, because they are disabled or not added yet, that is an ID which is
    allowed to those alone who are allowed all entities.
    """
    entries = er.async_entries_for_device(er.async_get(hass), device_id)
    return [entry.entity_id for entry in entries] or [f"{DOMAIN}.{device_id}"]


def first_denied(user: User, entity_ids: Iterable[str], policy: str) -> str | None:
    """Return the first entity that a user has no permission for, None if there is none."""
    check = user.permissions.check_entity
    return next((it for it in entity_ids if not check(it, policy)), None)


@callback
def may_read(hass: HomeAssistant, user: User, device_id: str) -> bool:
    """Return whether a user may see a phone."""
    return first_denied(user, phone_entities(hass, device_id), POLICY_READ) is None


@callback
def may_press(hass: HomeAssistant, user: User, device_id: str) -> bool:
    """Return whether the action `press_key` accepts a phone from a user."""
    return first_denied(user, phone_entities(hass, device_id), POLICY_CONTROL) is None
