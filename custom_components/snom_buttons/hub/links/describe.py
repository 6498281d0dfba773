"""What a linked key follows and what its press does, in one line for the user."""

from homeassistant.const import ATTR_FRIENDLY_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ...engine.names import without_forbidden
from ...engine.phones import KeyKind
from ..settings import KeySettings, LinkPress, LinkSettings
from ..texts import text
from .presses import acted_on, call_for, deed_of, needs_confirmation


@callback
def describe(hass: HomeAssistant, key: KeySettings) -> str:
    """Return what a key follows and what its press does, "" for one without a link.

    It is plain text in the language of Home Assistant, and not escaped for Markdown. A
    dialogue loads the texts before (`async_load_texts`).
    """
    link = key.link
    if key.kind is not KeyKind.LINKED or link is None:
        return ""
    name = entity_name(hass, link.follows)
    return text(hass, "link_line", entity=name, press=_press(hass, link))


@callback
def entity_name(hass: HomeAssistant, entity_id: str) -> str:
    """Return an entity's name as Home Assistant shows it, its ID without a name.

    It is one line: integrations take names from devices and brokers.
    """
    state = hass.states.get(entity_id)
    known = er.async_get(hass).async_get(entity_id)
    name = (state and state.attributes.get(ATTR_FRIENDLY_NAME)) or (
        known and (known.name or known.original_name)
    )
    return without_forbidden(str(name or "")) or entity_id


def _press(hass: HomeAssistant, link: LinkSettings) -> str:
    target = acted_on(hass, link.acts_on)
    deed = "actions" if link.actions else deed_of(target.domain)
    if not link.actions and call_for(target, link) is None:
        lacks_code = deed is not None and link.press is LinkPress.AUTOMATIC
        if lacks_code:
            return text(hass, "link_press_no_code")
        return text(hass, "link_press_nothing")
    is_other = link.acts_on != link.follows
    entity = entity_name(hass, link.acts_on) if is_other else text(hass, "link_itself")
    press = text(hass, f"link_press_{deed}", entity=entity)
    if needs_confirmation(hass, target, link):
        return text(hass, "link_press_twice", press=press)
    return press
