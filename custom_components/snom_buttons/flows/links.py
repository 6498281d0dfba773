"""What can be wrong with the links of keys."""

from collections.abc import Iterator
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import CONF_CODE
from homeassistant.core import HomeAssistant, valid_entity_id
from homeassistant.exceptions import HomeAssistantError, TemplateError
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.script import async_validate_actions_config
from homeassistant.helpers.template import Template

from ..const import (
    CONF_ACTIONS,
    CONF_CONFIRM,
    CONF_FOLLOWS,
    CONF_LABEL,
    CONF_LABEL_TEMPLATE,
    CONF_LOOK_TABLE,
    CONF_LOOK_TEMPLATE,
    CONF_NO_CODE,
    CONF_PRESS,
    CONF_TARGET,
)
from ..engine.keywords import read_face
from ..engine.phones import KeyKind
from ..engine.refused import Refused, quoted
from ..engine.xbuttons import Color, LightMode
from ..hub.settings import KeySettings, LinkConfirm, LinkLabel, LinkPress, LinkSettings
from .forms import Fault

WITH_CODE: Final = ("alarm_control_panel", "lock")
"""The domains whose actions have a code."""


async def async_find_link_fault(hass: HomeAssistant, key: KeySettings) -> Fault | None:
    """Return the first fault of a key's link, None if it has none."""
    if key.link is None:
        return None
    found = [*_combined(key, key.link)] or [*_single(hass, key.link)]
    if found:
        return found[0]
    return await _async_fault_of_actions(hass, key.link) if key.link.actions else None


def _combined(key: KeySettings, link: LinkSettings) -> Iterator[Fault]:
    """Yield the faults of fields that do not go together."""
    if key.kind is not KeyKind.LINKED:
        yield Fault(next(iter(link.as_dict())), "linked_only", {})
        return
    if not link.follows:
        yield Fault(CONF_FOLLOWS, "link_missing", {})
    for is_wrong, field, other in (
        (link.table and link.template, CONF_LOOK_TEMPLATE, CONF_LOOK_TABLE),
        (
            link.label_template and link.label is not LinkLabel.AUTOMATIC,
            CONF_LABEL_TEMPLATE,
            CONF_LABEL,
        ),
        (
            link.actions and link.press is LinkPress.NOTHING,
            CONF_ACTIONS,
            CONF_PRESS,
        ),
        (link.code and link.no_code, CONF_NO_CODE, CONF_CODE),
    ):
        if is_wrong:
            yield Fault(field, "link_contradiction", {"other_field": other})
    does_nothing = link.press is LinkPress.NOTHING
    domain = link.acts_on.partition(".")[0]
    for is_unused, field in (
        (link.target and does_nothing, CONF_TARGET),
        (link.confirm is LinkConfirm.ALWAYS and does_nothing, CONF_CONFIRM),
        (
            link.code and (does_nothing or link.actions or domain not in WITH_CODE),
            CONF_CODE,
        ),
        (
            link.no_code and (does_nothing or link.actions or domain != WITH_CODE[0]),
            CONF_NO_CODE,
        ),
    ):
        if is_unused:
            yield Fault(field, "link_unused", {})


def _single(hass: HomeAssistant, link: LinkSettings) -> Iterator[Fault]:
    """Yield the faults of single fields."""
    for field, entity_id in ((CONF_FOLLOWS, link.follows), (CONF_TARGET, link.target)):
        if entity_id and not exists(hass, entity_id):
            yield Fault(field, "link_no_entity", {"value": quoted(entity_id)})
    yield from _faults_of_table(link.table)
    for field, template in (
        (CONF_LOOK_TEMPLATE, link.template),
        (CONF_LABEL_TEMPLATE, link.label_template),
    ):
        try:
            Template(template, hass).ensure_valid()
        except TemplateError as err:
            yield Fault(field, "link_invalid", {"error": str(err)})


def _faults_of_table(table: Any) -> Iterator[Fault]:
    words = {"lights": ", ".join(LightMode), "colors": ", ".join(Color)}
    if not isinstance(table, dict):
        yield Fault(CONF_LOOK_TABLE, "link_no_table", {})
        return
    for state, look in table.items():
        try:
            read_face(look)
        except Refused:
            value = f"{quoted(state)}: {quoted(look)}"
            yield Fault(CONF_LOOK_TABLE, "link_no_look", {"value": value} | words)


async def _async_fault_of_actions(
    hass: HomeAssistant, link: LinkSettings
) -> Fault | None:
    try:
        sequence = cv.SCRIPT_SCHEMA(list(link.actions))
        await async_validate_actions_config(hass, sequence)
    except (HomeAssistantError, vol.Invalid) as err:
        return Fault(CONF_ACTIONS, "link_invalid", {"error": str(err)})
    return None


def exists(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether an entity has a state, or is registered."""
    return valid_entity_id(entity_id) and (
        hass.states.get(entity_id) is not None
        or er.async_get(hass).async_get(entity_id) is not None
    )
