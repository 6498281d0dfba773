"""The actions `set_key`, `press_key`, `send_document` and `set_messages`.

All targets are checked before the first one changes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

import voluptuous as vol

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import Unauthorized, UnknownUser
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

from .const import (
    ANSWER_WAIT as WAIT,
    ATTR_KEY,
    ATTR_PHONE,
    DOMAIN,
    KEY_ENTITIES,
    SUBENTRY_TYPE_PHONE,
)
from .engine.keywords import (
    FIELDS,
    as_text,
    as_truth,
    read_document,
    read_fields,
    read_messages,
)
from .engine.phones import MESSAGES, Key
from .engine.refused import Refused, kind_of
from .engine.xbuttons import format_document
from .hub.access import first_denied, phone_entities
from .hub.hub import SnomConfigEntry
from .hub.phone import SnomPhone
from .hub.refused import refusals_translated

SERVICE_SET_KEY: Final = "set_key"
SERVICE_PRESS_KEY: Final = "press_key"
SERVICE_SEND_DOCUMENT: Final = "send_document"
SERVICE_SET_MESSAGES: Final = "set_messages"

ATTR_DOCUMENT: Final = "document"
ATTR_MWI: Final = "mwi"
ATTR_ANSWERS: Final = "answers"
ATTR_OUTCOME: Final = "outcome"
ATTR_RESET: Final = "reset"
ATTR_WAIT: Final = "wait"

type Entry = dict[str, JsonValueType]
"""What the response of an action says about a phone or a key."""

SET_KEY_SCHEMA: Final = vol.Schema(
    {
        **cv.TARGET_SERVICE_FIELDS,
        **{
            vol.Optional(name): object
            for name in (ATTR_KEY, ATTR_RESET, ATTR_WAIT, *FIELDS)
        },
    }
)
PRESS_KEY_SCHEMA: Final = vol.Schema(
    {
        **cv.TARGET_SERVICE_FIELDS,
        vol.Optional(ATTR_KEY): object,
        vol.Optional(ATTR_WAIT): object,
    }
)
SEND_DOCUMENT_SCHEMA: Final = vol.Schema(
    {
        **cv.TARGET_SERVICE_FIELDS,
        vol.Required(ATTR_DOCUMENT): object,
        vol.Optional(ATTR_WAIT): object,
    }
)
SET_MESSAGES_SCHEMA: Final = vol.Schema(
    {
        **cv.TARGET_SERVICE_FIELDS,
        vol.Required(ATTR_MWI): object,
        vol.Optional(ATTR_WAIT): object,
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, handler, schema in (
        (SERVICE_SET_KEY, _async_set_key, SET_KEY_SCHEMA),
        (SERVICE_PRESS_KEY, _async_press_key, PRESS_KEY_SCHEMA),
        (SERVICE_SEND_DOCUMENT, _async_send_document, SEND_DOCUMENT_SCHEMA),
        (SERVICE_SET_MESSAGES, _async_set_messages, SET_MESSAGES_SCHEMA),
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
    """Run an action; raise the translated error if it is refused or fails."""
    with refusals_translated():
        return await handler(call)


async def _async_set_key(call: ServiceCall) -> ServiceResponse:
    """Set whole keys: a field that is not given gets its configured value."""
    fields = read_fields(call.data)
    if bool(fields) == as_truth(ATTR_RESET, call.data.get(ATTR_RESET, False)):
        raise Refused("reset_alone" if fields else "nothing_to_set")
    wait = _wait(call)
    keys = await _async_keys(call)
    entries: list[Entry] = []
    for phone, key in keys:
        phone.phone.settable_key(key.name)
    await _turns(phone for phone, _ in keys)
    for phone, key in keys:
        if fields:
            key.show(replace(key.setup.off, **fields), call.context)
        else:
            key.reset(call.context)
        document = key.document.decode()
        entries.append({**_entry(phone), ATTR_KEY: key.name, ATTR_DOCUMENT: document})
    if wait:
        await _confirm([(phone, [key.name]) for phone, key in keys], entries)
    return {"keys": list(entries)}


async def _async_press_key(call: ServiceCall) -> ServiceResponse:
    """Press keys as a finger does; with `wait`, until the actions of links have ended."""
    keys = await _async_keys(call)
    for phone, key in keys:
        phone.check_press(key.name)
    wait = _wait(call)
    entries: list[Entry] = []
    ends: list[tuple[Entry, Awaitable[str]]] = []
    for phone, key in keys:
        entries.append(entry := {**_entry(phone), ATTR_KEY: key.name})
        # A press that calls a number is one of all keys with it.
        for name, end in phone.press(key.name, call.context, wait=wait).items():
            ends.append((entry if name == key.name else {}, end))
    outcomes = await asyncio.gather(*(end for _, end in ends), return_exceptions=True)
    for (entry, _), outcome in zip(ends, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            raise outcome
        entry[ATTR_OUTCOME] = outcome
    return {"keys": list(entries)}


async def _async_send_document(call: ServiceCall) -> ServiceResponse:
    """Show the looks in a document, also on keys that are not set up."""
    text = call.data[ATTR_DOCUMENT]
    if not isinstance(text, str):
        raise Refused("invalid_text", field=ATTR_DOCUMENT, value=kind_of(text))
    # The parser refuses what is not UTF-8.
    looks = read_document(text.encode(errors="surrogatepass"))
    document = format_document(looks).decode()
    wait = _wait(call)
    phones = await _async_phones(call)
    for phone in phones:
        phone.phone.check(looks)
    await _turns(phones)
    for phone in phones:
        phone.phone.show(looks, call.context)
    entries: list[Entry] = [
        {**_entry(phone), ATTR_DOCUMENT: document} for phone in phones
    ]
    if wait:
        names = [look.name for look in looks]
        await _confirm([(phone, names) for phone in phones], entries)
    return {"phones": list(entries)}


async def _async_set_messages(call: ServiceCall) -> ServiceResponse:
    """Set what the message lamps of phones show."""
    waiting = read_messages(call.data[ATTR_MWI])
    wait = _wait(call)
    phones = await _async_phones(call)
    await _turns(phones)
    for phone in phones:
        phone.phone.show_messages(waiting, call.context)
    entries: list[Entry] = [
        {**_entry(phone), ATTR_MWI: str(waiting)} for phone in phones
    ]
    if wait:
        await _confirm([(phone, [MESSAGES]) for phone in phones], entries)
    return {"phones": list(entries)}


async def _turns(phones: Iterable[SnomPhone]) -> None:
    """Return when earlier actions on lamps of the phones have had their turns."""
    for phone in dict.fromkeys(phones):
        await phone.turn()


def _wait(call: ServiceCall) -> bool:
    """Return whether an action waits for the phones. Raises Refused."""
    return as_truth(ATTR_WAIT, call.data.get(ATTR_WAIT, False))


async def _confirm(
    sent: list[tuple[SnomPhone, Collection[str]]], entries: list[Entry]
) -> None:
    """Wait until phones have taken keys or MESSAGES; add their answers to the entries.

    Raises Failed for the first phone that has not.
    """
    outcomes = await asyncio.gather(
        *(phone.phone.confirm(names, WAIT) for phone, names in sent),
        return_exceptions=True,
    )
    for entry, outcome in zip(entries, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            raise outcome
        entry[ATTR_ANSWERS] = list(outcome)


def _entry(phone: SnomPhone) -> Entry:
    """Return a phone's part of the response of an action."""
    return {"device_id": phone.device_id, ATTR_PHONE: phone.settings.setup.extension}


async def _async_keys(call: ServiceCall) -> list[tuple[SnomPhone, Key]]:
    """Return the keys of the target with their phones, each once. Raises Refused."""
    target = await _async_target(call, only_keys=True)
    given = call.data.get(ATTR_KEY, [])
    names = [
        as_text(ATTR_KEY, name)
        for name in (given if isinstance(given, list) else [given])
    ]
    if target.phones and not names:
        raise Refused("key_missing")
    if names and not target.phones:
        raise Refused("key_without_device")
    found = {}
    for phone, name in (
        *((phone, name) for phone in target.phones for name in names),
        *target.keys,
    ):
        found[phone.device_id, name] = phone, phone.phone.configured_key(name)
    return list(found.values())


async def _async_phones(call: ServiceCall) -> list[SnomPhone]:
    """Return the phones of the target, also those of entities, each once."""
    target = await _async_target(call)
    phones = {phone.device_id: phone for phone in target.phones}
    phones |= {phone.device_id: phone for phone, _ in target.keys}
    return list(phones.values())


class Target(NamedTuple):
    """The target of an action."""

    phones: list[SnomPhone]
    """Those named as devices."""
    keys: list[tuple[SnomPhone, str]]
    """Phone and key of each entity; "" for an entity that belongs to no key."""


async def _async_target(call: ServiceCall, *, only_keys: bool = False) -> Target:
    """Return the phones and keys that an action names.

    A device or entity must be a phone's. Only phones count in an area, a floor or a
    label, and entities of keys and message lamps in a label. Raises Refused, with
    `only_keys` also for an entity that belongs to no key, and Unauthorized for a user who
    may not control it.
    """
    hass = call.hass
    registry = er.async_get(hass)
    selection = TargetSelection(call.data)
    selected = async_extract_referenced_entity_ids(hass, selection)
    devices = set(_phone_devices(hass))
    phones = [
        _phone(hass, device_id)
        for device_id in sorted(
            selection.device_ids | (selected.referenced_devices & devices)
        )
    ]
    entities = {name: registry.async_get(name) for name in selected.referenced}
    for label_id in selection.label_ids:
        for labelled in er.async_entries_for_label(registry, label_id):
            if labelled.device_id in devices and (
                _key_of(labelled) is not None
                or (not only_keys and _is_message_lamp(labelled))
            ):
                entities[labelled.entity_id] = labelled
    keys = []
    for entity_id, entity in sorted(entities.items()):
        if entity is None or entity.device_id not in devices:
            raise Refused("not_a_phone", name=entity_id)
        phone, key = _phone(hass, entity.device_id), _key_of(entity)
        if only_keys and key is None:
            raise Refused("not_a_key", entity=entity_id)
        keys.append((phone, key or ""))
    if not phones and not keys:
        raise Refused("no_target")
    of_phones = (
        entity_id
        for phone in phones
        for entity_id in phone_entities(hass, phone.device_id)
    )
    await _async_check_user(call, [*entities, *of_phones])
    return Target(phones, keys)


async def _async_check_user(call: ServiceCall, entity_ids: Iterable[str]) -> None:
    """Raise Unauthorized if the user of an action may not control an entity."""
    if call.context.user_id is None:
        return
    user = await call.hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    denied = first_denied(user, entity_ids, POLICY_CONTROL)
    if denied is not None:
        raise Unauthorized(
            context=call.context, entity_id=denied, permission=POLICY_CONTROL
        )


def _key_of(entity: er.RegistryEntry) -> str | None:
    """Return the key that an entity of a phone belongs to, None if it belongs to none."""
    if entity.platform != DOMAIN:  # another integration's entity of the same device
        return None
    suffix = entity.unique_id.removeprefix(f"{entity.config_subentry_id}_")
    name, _, kind = suffix.rpartition("_")
    return name if name and KEY_ENTITIES.get(entity.domain) == kind else None


def _is_message_lamp(entity: er.RegistryEntry) -> bool:
    return entity.unique_id == f"{entity.config_subentry_id}_message_lamp"


def _phone_devices(hass: HomeAssistant) -> Iterator[str]:
    """Return the devices of all phones, also of servers that are not loaded."""
    registry = dr.async_get(hass)
    for entry in hass.config_entries.async_entries(DOMAIN, include_disabled=False):
        for phone in entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE):
            device = registry.async_get_device_by_identifier(
                (DOMAIN, phone.subentry_id), entry.entry_id
            )
            if device is not None:
                yield device.id


def _phone(hass: HomeAssistant, device_id: str) -> SnomPhone:
    """Return the phone of a device.

    Raises Refused if there is none, ServiceValidationError if its server is not loaded.
    """
    device, entry = service.async_get_device_and_config_entry(hass, DOMAIN, device_id)
    found: SnomConfigEntry = entry
    for phone in found.runtime_data.phones.values():
        if phone.device_id == device.id:
            return phone
    raise Refused("not_a_phone", name=device.name_by_user or device.name or device_id)
