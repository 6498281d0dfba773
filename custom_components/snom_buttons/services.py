"""The actions `set_key` and `send_document`: all that the document knows of a key.

Everything is checked before anything changes, also with several targets.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import voluptuous as vol

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    service,
)
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
from homeassistant.util.json import JsonValueType

from .const import ATTR_KEY, ATTR_PHONE, DOMAIN, SUBENTRY_TYPE_PHONE
from .engine.keywords import FIELDS, as_text, as_truth, read_document, read_fields
from .engine.phones import Key, format_document
from .engine.refused import Refused, quoted
from .hub.hub import SnomHub
from .hub.phone import SnomPhone
from .hub.refused import refusals_translated

SERVICE_SET_KEY: Final = "set_key"
SERVICE_SEND_DOCUMENT: Final = "send_document"

ATTR_DOCUMENT: Final = "document"
ATTR_RESET: Final = "reset"

KEY_ENTITIES: Final = ("label", "led", "press")
"""What the unique IDs of a key's entities end in, behind the key's name."""

SET_KEY_SCHEMA: Final = vol.Schema(
    {
        **cv.TARGET_SERVICE_FIELDS,
        **{vol.Optional(name): object for name in (ATTR_KEY, ATTR_RESET, *FIELDS)},
    }
)
SEND_DOCUMENT_SCHEMA: Final = vol.Schema(
    {**cv.TARGET_SERVICE_FIELDS, vol.Required(ATTR_DOCUMENT): object}
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, handler, schema in (
        (SERVICE_SET_KEY, _async_set_key, SET_KEY_SCHEMA),
        (SERVICE_SEND_DOCUMENT, _async_send_document, SEND_DOCUMENT_SCHEMA),
    ):
        hass.services.async_register(
            DOMAIN,
            name,
            partial(_async_translate, handler),
            schema=schema,
            supports_response=SupportsResponse.OPTIONAL,
        )


async def _async_translate(
    handler: Callable[[ServiceCall], Awaitable[ServiceResponse]], call: ServiceCall
) -> ServiceResponse:
    """Run an action; raise ServiceValidationError, translated, if it is refused."""
    with refusals_translated():
        return await handler(call)


async def _async_set_key(call: ServiceCall) -> ServiceResponse:
    """Set whole keys: what is not named becomes as it is configured."""
    named = read_fields(call.data)
    if bool(named) == as_truth(ATTR_RESET, call.data.get(ATTR_RESET, False)):
        raise Refused("reset_alone" if named else "nothing_to_set")
    answers: list[JsonValueType] = []
    for phone, key in _keys(call):
        key.show(replace(key.setup.off, **named))
        document = key.document.decode()
        answers.append({**_answer(phone), ATTR_KEY: key.name, ATTR_DOCUMENT: document})
    return {"keys": answers}


async def _async_send_document(call: ServiceCall) -> ServiceResponse:
    """Let keys show what a document says, also keys that are not set up."""
    text = call.data[ATTR_DOCUMENT]
    if not isinstance(text, str):
        raise Refused("invalid_text", field=ATTR_DOCUMENT, value=quoted(text))
    # What is no UTF-8 is for the parser to refuse.
    shown = read_document(text.encode(errors="surrogatepass"))
    document = format_document(shown).decode()
    by_device, by_entity = _selected(call)
    phones = {phone.device_id: phone for phone in by_device}
    phones |= {phone.device_id: phone for phone, _ in by_entity}
    for phone in phones.values():
        phone.phone.check(shown)
    for phone in phones.values():
        phone.phone.show(shown)
    return {
        "phones": [
            {**_answer(phone), ATTR_DOCUMENT: document} for phone in phones.values()
        ]
    }


def _answer(phone: SnomPhone) -> dict[str, JsonValueType]:
    """Return what both actions answer of a phone."""
    return {"device_id": phone.device_id, ATTR_PHONE: phone.settings.extension}


def _keys(call: ServiceCall) -> list[tuple[SnomPhone, Key]]:
    """Return the keys that an action is for, each once."""
    by_device, by_entity = _selected(call)
    given = call.data.get(ATTR_KEY, [])
    names = [
        as_text(ATTR_KEY, name)
        for name in (given if isinstance(given, list) else [given])
    ]
    if by_device and not names:
        raise Refused("key_missing")
    if names and not by_device:
        raise Refused("key_without_device")
    found = {}
    for phone, name in (
        *((phone, name) for phone in by_device for name in names),
        *by_entity,
    ):
        found[phone.device_id, name] = phone, phone.phone.settable_key(name)
    return list(found.values())


def _selected(
    call: ServiceCall,
) -> tuple[list[SnomPhone], list[tuple[SnomPhone, str]]]:
    """Return the phones that an action is for, and the keys, with their phones.

    What is named itself must be ours. An area, a floor or a label holds much else, of
    which nothing counts but our phones, and of a label our keys' entities.
    """
    hass = call.hass
    registry = er.async_get(hass)
    selection = TargetSelection(call.data)
    selected = async_extract_referenced_entity_ids(hass, selection)
    ours = set(_phone_devices(hass))
    by_device = [
        _phone(hass, device_id)
        for device_id in sorted(
            selection.device_ids | (selected.referenced_devices & ours)
        )
    ]
    named = {name: registry.async_get(name) for name in selected.referenced}
    for label_id in selection.label_ids:
        for labelled in er.async_entries_for_label(registry, label_id):
            if labelled.device_id in ours and _key_of(labelled) is not None:
                named[labelled.entity_id] = labelled
    by_entity = []
    for entity_id, entity in sorted(named.items()):
        if entity is None or entity.device_id not in ours:
            raise Refused("not_a_phone", name=entity_id)
        phone = _phone(hass, entity.device_id)
        if call.service == SERVICE_SET_KEY and _key_of(entity) is None:
            raise Refused("not_a_key", entity=entity_id)
        by_entity.append((phone, _key_of(entity) or ""))
    if not by_device and not by_entity:
        raise Refused("no_target")
    return by_device, by_entity


def _key_of(entity: er.RegistryEntry) -> str | None:
    """Return the key that an entity of a phone belongs to, None if to no key."""
    if entity.platform != DOMAIN:  # others add theirs to our devices
        return None
    suffix = entity.unique_id.removeprefix(f"{entity.config_subentry_id}_")
    name, _, kind = suffix.rpartition("_")
    return name if name and kind in KEY_ENTITIES else None


def _phone_devices(hass: HomeAssistant) -> Iterator[str]:
    """Give the devices of all phones, also while their server does not run."""
    registry = dr.async_get(hass)
    for entry in hass.config_entries.async_entries(DOMAIN, include_disabled=False):
        for phone in entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE):
            device = registry.async_get_device_by_identifier(
                (DOMAIN, phone.subentry_id), entry.entry_id
            )
            if device is not None:
                yield device.id


def _phone(hass: HomeAssistant, device_id: str) -> SnomPhone:
    """Return the phone that a device is.

    Raises Refused if it is none, ServiceValidationError if its server does not run.
    """
    device, entry = service.async_get_device_and_config_entry(hass, DOMAIN, device_id)
    hub: SnomHub = entry.runtime_data
    for phone in hub.phones.values():
        if phone.device_id == device.id:
            return phone
    raise Refused("not_a_phone", name=device.name_by_user or device.name or device_id)
