"""The keys of a phone one by one, as the card arranges them: form, values, faults.

The types are the source of `card/src/arrange.ts`, which `script/card_types.py` writes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, TypedDict

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_CODE, CONF_MODEL, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import Selector
from homeassistant.helpers.translation import async_get_translations

from ..const import (
    CONF_COLORS,
    CONF_KEY,
    CONF_KEYS,
    CONF_KIND,
    CONF_MAKER,
    DOMAIN,
    SUBENTRY_TYPE_PHONE,
)
from ..engine.phones import KeyKind
from ..engine.refused import Refused, quoted
from ..hub.settings import EntrySettings, KeySettings
from ..hub.texts import async_load_texts, text
from .choose import name_after
from .keys import (
    SWITCH_FIELDS,
    async_find_fault_with,
    async_keys_selector,
    has_colors,
    read_keys,
)


class FormField(TypedDict):
    """A field of the form of a key, for Home Assistant's element `ha-form`."""

    name: str
    label: str
    help: str
    kind: Literal["switch", "linked"] | None
    """The kind of key that alone has it; null for all kinds."""
    required: bool
    selector: dict[str, Any]


class KeyValues(TypedDict):
    """The settings of a key."""

    key: str
    settings: dict[str, Any]
    """The values of the form, with defaults, without a code. A name that is empty is that
    of the entity, or of the key."""
    has_code: bool
    """Whether a code is stored."""
    line: str | None
    """The shared line to which the key belongs: it cannot be arranged."""


class KeyForm(TypedDict):
    """All that is needed to arrange the keys of a phone."""

    form: list[FormField]
    keys: list[KeyValues]


class KeyFault(TypedDict):
    """What is wrong with the settings of a key."""

    field: str | None
    """The field of the form; null if it is one of another key."""
    error: str
    """The error of the dialogue."""
    text: str


class FaultMessage(TypedDict):
    """The answer to settings that are refused; then nothing has changed."""

    fault: KeyFault


class Faulty(Exception):
    """The settings of a key are refused."""

    def __init__(self, fault: KeyFault) -> None:
        """Create an exception with what is wrong."""
        super().__init__(fault["text"])
        self.fault: Final = fault


_ALL_KINDS: Final = (CONF_NAME, CONF_KIND, CONF_COLORS)


class KeyArranger:
    """The stored keys of a phone: what the form shows, and what is saved."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], subentry_id: str
    ) -> None:
        """Create an arranger."""
        self._hass = hass
        self._entry = entry
        self._subentry_id = subentry_id

    @property
    def subentry(self) -> ConfigSubentry:
        """The phone as it is stored now. Raises Refused if it was removed."""
        subentry = self._entry.subentries.get(self._subentry_id)
        if subentry is None:
            phones = self._entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE)
            raise Refused(
                "unknown_phone",
                value=self._subentry_id,
                allowed=", ".join(phone.title for phone in phones),
            )
        return subentry

    async def async_form(self, language: str) -> KeyForm:
        """Return the form and its values, in a language."""
        selector = await self._async_selector(language)
        names = await async_get_translations(self._hass, language, "selector", [DOMAIN])
        path = f"component.{DOMAIN}.selector.keys.fields"
        form: list[FormField] = [
            {
                "name": name,
                "label": names[f"{path}.{name}.name"],
                "help": names.get(f"{path}.{name}.description", ""),
                "kind": _kind_of(name),
                "required": field.get("required", False),
                "selector": _serialized(field["selector"]),
            }
            for name, field in selector.config["fields"].items()
            if name != CONF_KEY
        ]
        keys, lines = self._keys, self._lines
        return {
            "form": form,
            "keys": [
                self._values(key, keys, selector.usual, lines.get(key.key))
                for key in keys
            ],
        }

    async def async_changed(
        self, name: str, values: Mapping[str, Any], language: str
    ) -> tuple[KeySettings, dict[str, Any]]:
        """Return a key with these values, and the data of the phone with it.

        A code that is stored stays if none is given, and the press still acts on the same
        entity; None forgets it. Raises Faulty, Refused for a key that is not there or
        belongs to a line, Invalid for values of another type.
        """
        given = dict(values)
        forgets_code = given.get(CONF_CODE, "") is None
        if forgets_code:
            del given[CONF_CODE]
        while True:
            data = self.subentry.data
            before = self._key(name)
            selector = await self._async_selector(language)
            [listed] = selector([{**given, CONF_KEY: name}])
            stored = [key for key in data[CONF_KEYS] if key[CONF_KEY] != name]
            # The last one is what a fault of two keys is said of.
            keys = read_keys(
                self._hass, [*stored, listed], self._has_colors, self._name_of
            )
            changed = keys[-1]
            if not forgets_code:
                changed = keys[-1] = _with_code_of(before, changed)
            fault = await self._async_fault(keys, (name,), language)
            if self.subentry.data is not data:
                continue  # it was changed meanwhile, by another browser or the dialogue
            if fault is not None:
                raise Faulty(fault)
            return changed, self._with({name: changed})

    async def async_exchanged(
        self, one: str, other: str, language: str
    ) -> dict[str, Any]:
        """Return the data of the phone with two keys exchanged in all but the number.

        Raises Faulty and Refused as `async_changed`.
        """
        while True:
            data = self.subentry.data
            first, second = self._key(one), self._key(other)
            exchanged = {
                one: self._numbered(second, one),
                other: self._numbered(first, other),
            }
            keys = [exchanged.get(key.key, key) for key in self._keys]
            fault = await self._async_fault(keys, (one, other), language)
            if self.subentry.data is not data:
                continue
            if fault is not None:
                raise Faulty(fault)
            return self._with(exchanged)

    # What is stored

    @property
    def _keys(self) -> list[KeySettings]:
        return [KeySettings.from_dict(key) for key in self.subentry.data[CONF_KEYS]]

    @property
    def _lines(self) -> dict[str, str]:
        """The names of the lines to which keys of the phone belong, by key."""
        return {
            line.keys[self._subentry_id]: line.setup.name
            for line in EntrySettings.from_entry(self._entry).lines
            if self._subentry_id in line.keys
        }

    @property
    def _has_colors(self) -> bool:
        data = self.subentry.data
        return has_colors(data.get(CONF_MAKER, ""), data[CONF_MODEL])

    def _key(self, name: str) -> KeySettings:
        keys = {key.key: key for key in self._keys}
        phone = self.subentry.title
        if name not in keys:
            raise Refused(
                "unknown_key", phone=phone, value=quoted(name), allowed=", ".join(keys)
            )
        if line := self._lines.get(name):
            raise Refused("shared_key", phone=phone, key=name, line=line)
        return keys[name]

    def _with(self, changed: Mapping[str, KeySettings]) -> dict[str, Any]:
        """Return the data of the phone as it is now, with changed keys."""
        data = self.subentry.data
        keys = [
            changed[key[CONF_KEY]].as_dict() if key[CONF_KEY] in changed else key
            for key in data[CONF_KEYS]
        ]
        return {**data, CONF_KEYS: keys}

    # Names

    @callback
    def _name_of(self, key: str) -> str:
        """Return the name of a key that has none."""
        return text(self._hass, "key_name", key=key)

    def _numbered(self, key: KeySettings, number: str) -> KeySettings:
        is_named = key.name != self._name_of(key.key)
        return replace(
            key, key=number, name=key.name if is_named else self._name_of(number)
        )

    def _is_automatic(self, key: KeySettings, keys: Sequence[KeySettings]) -> bool:
        """Return whether a key has the name that one without a name gets."""
        if key.link is not None:
            names = {other.name for other in keys if other.key != key.key}
            return key.name in (
                name_after(self._hass, key.link.follows, names),
                self._name_of(key.key),
            )
        return key.name == self._name_of(key.key)

    # The form

    async def _async_selector(self, language: str) -> Any:
        await async_load_texts(self._hass)
        return await async_keys_selector(self._hass, self._has_colors, language)

    def _values(
        self,
        key: KeySettings,
        keys: Sequence[KeySettings],
        usual: Mapping[str, Any],
        line: str | None,
    ) -> KeyValues:
        settings = {**usual, **key.as_dict()}
        del settings[CONF_KEY]
        if self._is_automatic(key, keys):
            settings[CONF_NAME] = ""
        return {
            "key": key.key,
            "settings": settings,
            "has_code": bool(settings.pop(CONF_CODE, "")),
            "line": line,
        }

    async def _async_fault(
        self, keys: Sequence[KeySettings], changed: Collection[str], language: str
    ) -> KeyFault | None:
        found = await async_find_fault_with(
            self._hass, keys, changed, self._name_of, language
        )
        if found is None:
            return None
        key, (field, error, values) = found
        texts = await async_get_translations(
            self._hass, language, "config_subentries", [DOMAIN]
        )
        path = f"component.{DOMAIN}.config_subentries.{SUBENTRY_TYPE_PHONE}.error"
        return {
            "field": field if len(changed) == 1 and key in changed else None,
            "error": error,
            "text": texts[f"{path}.{error}"].format(**values),
        }


def _kind_of(field: str) -> Literal["switch", "linked"] | None:
    """Return the kind of key that alone has a field."""
    if field in _ALL_KINDS:
        return None
    return "switch" if field in SWITCH_FIELDS else "linked"


def _serialized(selector: Selector[Any]) -> dict[str, Any]:
    found: dict[str, Any] = selector.serialize()["selector"]
    return found


def _with_code_of(before: KeySettings, after: KeySettings) -> KeySettings:
    """Return a key with the code that it had, if it has none and may have that one."""
    had, has = before.link, after.link
    if after.kind is not KeyKind.LINKED or has is None or had is None:
        return after
    if has.code or has.acts_on != had.acts_on:
        return after
    return replace(after, link=replace(has, code=had.code))
