"""The list of keys of a phone: its selector, how it is read, and its faults."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from homeassistant.const import CONF_CODE, CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    ActionSelector,
    BooleanSelector,
    ObjectSelector,
    ObjectSelectorField,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)
from homeassistant.helpers.translation import async_get_translations

from ..const import (
    CONF_ACTIONS,
    CONF_COLORS,
    CONF_CONFIRM,
    CONF_FOLLOWS,
    CONF_KEY,
    CONF_KIND,
    CONF_LABEL,
    CONF_LABEL_TEMPLATE,
    CONF_LIGHT_OFF,
    CONF_LIGHT_ON,
    CONF_LOOK_TABLE,
    CONF_LOOK_TEMPLATE,
    CONF_NO_CODE,
    CONF_NUMBER,
    CONF_NUMBER_OFF,
    CONF_NUMBER_ON,
    CONF_PRESS,
    CONF_TARGET,
    CONF_TOGGLE,
    CONF_UNAVAILABLE,
    DOMAIN,
)
from ..engine.names import MAX_NAME, SIP_USER, forbidden_in
from ..engine.phones import MAKERS, MODELS, KeyKind, Model
from ..engine.refused import quoted
from ..engine.xbuttons import MAX_TEXT, LightMode
from ..hub.settings import (
    OWN_KINDS,
    KeySettings,
    LinkConfirm,
    LinkLabel,
    LinkPress,
    LinkSettings,
)
from .choose import name_after
from .forms import (
    WHOLE_FORM,
    Fault,
    Faults,
    ListSelector,
    UncheckedEntitySelector,
    UncheckedTemplateSelector,
    required,
)
from .links import async_find_link_fault

MAX_KEYS: Final = 240

OTHER_KEY: Final = "other_key"
FIELD: Final = "field"
OTHER_FIELD: Final = "other_field"
KEYS_PLACEHOLDERS: Final = {
    **dict.fromkeys((CONF_KEY, OTHER_KEY, FIELD, OTHER_FIELD, CONF_NUMBER), ""),
    **dict.fromkeys(("value", "error", "lights", "colors"), ""),
    "max_keys": str(MAX_KEYS),
    "max_length": str(MAX_TEXT),
}
"""The placeholders of the error texts, without a value if it depends on the error."""


SWITCH_FIELDS: Final = (
    CONF_TOGGLE,
    CONF_LIGHT_ON,
    CONF_LIGHT_OFF,
    CONF_NUMBER_ON,
    CONF_NUMBER_OFF,
)
"""The fields that only a switch has."""


def has_colors(maker: str, model: str) -> bool:
    """Return whether the lamps of a model have several colours; `maker` as in MAKERS."""
    known = models_of(maker).get(model)
    return known is not None and known.colors


def models_of(maker: str) -> Mapping[str, Model]:
    """Return the models of a maker as in MAKERS, or of "", which is snom."""
    return MAKERS[maker].models if maker else MODELS


async def async_keys_selector(
    hass: HomeAssistant, colors: bool, language: str | None = None
) -> ListSelector:
    """Return the selector for a list of keys.

    The frontend does not translate the options of a field within a list, so they are
    translated here, into a language, or that of the server.
    """
    texts = await async_get_translations(
        hass, language or hass.config.language, "selector", [DOMAIN]
    )

    def select(translation_key: str, values: Iterable[StrEnum]) -> SelectSelector:
        path = f"component.{DOMAIN}.selector.{translation_key}.options"
        options = [
            SelectOptionDict(value=v.value, label=texts.get(f"{path}.{v}", v.value))
            for v in values
        ]
        return SelectSelector(SelectSelectorConfig(options=options))

    def choice(translation_key: str, values: type[StrEnum]) -> ObjectSelectorField:
        first = next(iter(values)).value
        return ObjectSelectorField(
            default=first, selector=select(translation_key, values)
        )

    def light(mode: LightMode) -> ObjectSelectorField:
        return ObjectSelectorField(
            default=mode.value, selector=select("key_light", LightMode)
        )

    text = ObjectSelectorField(selector=TextSelector())
    entity = ObjectSelectorField(selector=UncheckedEntitySelector())
    template = ObjectSelectorField(selector=UncheckedTemplateSelector())
    flag = ObjectSelectorField(default=False, selector=BooleanSelector())
    kind = select("key_kind", OWN_KINDS)
    return ListSelector(
        "keys",
        label=CONF_NAME,
        description=CONF_FOLLOWS,
        fields={
            CONF_KEY: required(TextSelector()),
            CONF_NAME: text,
            CONF_KIND: ObjectSelectorField(default=KeyKind.LIGHT.value, selector=kind),
            CONF_FOLLOWS: entity,
            CONF_PRESS: choice("link_press", LinkPress),
            CONF_TARGET: entity,
            CONF_ACTIONS: ObjectSelectorField(selector=ActionSelector()),
            CONF_CONFIRM: choice("link_confirm", LinkConfirm),
            CONF_CODE: text,
            CONF_NO_CODE: flag,
            CONF_LABEL: choice("link_label", LinkLabel),
            CONF_LABEL_TEMPLATE: template,
            CONF_LOOK_TABLE: ObjectSelectorField(selector=ObjectSelector()),
            CONF_LOOK_TEMPLATE: template,
            CONF_UNAVAILABLE: light(LightMode.OFFLINE),
            CONF_TOGGLE: flag,
            CONF_LIGHT_ON: light(LightMode.ON),
            CONF_LIGHT_OFF: light(LightMode.OFF),
            CONF_NUMBER_ON: text,
            CONF_NUMBER_OFF: text,
            CONF_COLORS: ObjectSelectorField(
                default=colors, selector=BooleanSelector()
            ),
        },
    )


def read_keys(
    hass: HomeAssistant,
    listed: Iterable[Mapping[str, Any]],
    colors: bool,
    name_of: Callable[[str], str],
) -> list[KeySettings]:
    """Return the keys of the list, of which all values but the number may be missing.

    A linked key without a name is named after its entity, any other one by `name_of`.
    """
    keys = [_read_key(data, colors) for data in listed]
    names = {key.name for key in keys}
    for index, key in enumerate(keys):
        if not key.name:
            entity = key.link.follows if key.link else ""
            name = name_after(hass, entity, names) if entity else name_of(key.key)
            names.add(name)
            keys[index] = replace(key, name=name)
    return keys


def _read_key(data: Mapping[str, Any], colors: bool) -> KeySettings:
    """Return a key of the list, its name "" if it has none.

    The list selector does not convert values, so booleans are converted here.
    """
    kind = KeyKind(data.get(CONF_KIND, KeyKind.LIGHT))
    link = LinkSettings.from_dict(data)
    is_linked = kind is KeyKind.LINKED or link != LinkSettings(follows="")
    return KeySettings(
        key=data[CONF_KEY].strip(),
        name=data.get(CONF_NAME, "").strip(),
        kind=kind,
        colors=bool(data.get(CONF_COLORS, colors)),
        toggle=bool(data.get(CONF_TOGGLE)),
        light_on=LightMode(data.get(CONF_LIGHT_ON, LightMode.ON)),
        light_off=LightMode(data.get(CONF_LIGHT_OFF, LightMode.OFF)),
        number_on=data.get(CONF_NUMBER_ON, "").strip(),
        number_off=data.get(CONF_NUMBER_OFF, "").strip(),
        link=link if is_linked else None,
    )


async def async_find_key_faults(
    hass: HomeAssistant, keys: Sequence[KeySettings], name_of: Callable[[str], str]
) -> Faults:
    """Return the first fault of the list of keys; its text names key and field.

    The list shows keys by name, so a name other than `name_of` gives is in the text.
    """
    faults = Faults(KEYS_PLACEHOLDERS)
    if not 1 <= len(keys) <= MAX_KEYS:
        faults.add(WHOLE_FORM, "invalid_key_count")
    if found := await _async_first_fault(hass, keys, {key.key for key in keys}):
        key, fault = found
        names = await async_field_names(hass, hass.config.language)
        values = _placeholders(key, fault, name_of, names)
        faults.add(WHOLE_FORM, fault.error, **values)
    return faults


async def async_find_fault_with(
    hass: HomeAssistant,
    keys: Sequence[KeySettings],
    changed: Container[str],
    name_of: Callable[[str], str],
    language: str,
) -> tuple[str, Fault] | None:
    """Return the first fault of the keys that `changed`, with the key that it is of.

    Its values are all placeholders of its text, in a language. Other keys may have faults
    of their own, such as an entity that is gone.
    """
    found = await _async_first_fault(hass, keys, changed)
    if found is None:
        return None
    key, fault = found
    names = await async_field_names(hass, language)
    values = KEYS_PLACEHOLDERS | _placeholders(key, fault, name_of, names)
    return key.key, fault._replace(values=values)


async def _async_first_fault(
    hass: HomeAssistant, keys: Sequence[KeySettings], about: Container[str]
) -> tuple[KeySettings, Fault] | None:
    """Return the first fault that has to do with these keys, and the key that has it."""
    for key, fault in _faults(keys):
        if key.key in about or fault.values.get(OTHER_KEY) in about:
            return key, fault
    for key in keys:
        if key.key in about and (of_link := await async_find_link_fault(hass, key)):
            return key, of_link
    return None


def _placeholders(
    key: KeySettings,
    fault: Fault,
    name_of: Callable[[str], str],
    names: Mapping[str, str],
) -> dict[str, str]:
    """Return the placeholders of the text of a fault; `names` are those of fields."""
    label = key.key
    if key.name != name_of(key.key):
        label += f" ({quoted(key.name)})"
    values = {**fault.values, CONF_KEY: label, FIELD: names[fault.field]}
    if other := values.get(OTHER_FIELD):
        values[OTHER_FIELD] = names[other]
    return values


async def async_field_names(hass: HomeAssistant, language: str) -> dict[str, str]:
    """Return the names of the fields of a key, in a language."""
    texts = await async_get_translations(hass, language, "selector", [DOMAIN])
    path, end = f"component.{DOMAIN}.selector.keys.fields.", ".name"
    return {
        name.removeprefix(path).removesuffix(end): text
        for name, text in texts.items()
        if name.startswith(path) and name.endswith(end)
    }


def _faults(keys: Iterable[KeySettings]) -> Iterator[tuple[KeySettings, Fault]]:
    """Yield keys and their faults, without those of links."""
    known: set[str] = set()
    numbers: dict[str, tuple[KeySettings, str]] = {}
    for key in keys:
        if key.key in known:
            yield key, Fault(CONF_KEY, "duplicate_key")
        known.add(key.key)
        for fault in _faults_of(key):
            yield key, fault
        # A call to the number of one look is a press of the key.
        for field, number in _numbers(key):
            mine = key, field
            other = numbers.setdefault(number, mine)
            if other[0].key == key.key:
                continue
            if field == CONF_KEY:
                mine, other = other, mine
            about = {OTHER_KEY: other[0].key, CONF_NUMBER: number}
            yield mine[0], Fault(mine[1], "duplicate_number", about)


def _faults_of(key: KeySettings) -> Iterator[Fault]:
    """Yield the faults of a single key, without those of its link."""
    if not SIP_USER.fullmatch(key.key):
        yield Fault(CONF_KEY, "invalid_key")
    if len(key.name) > MAX_NAME:
        yield Fault(CONF_NAME, "key_name_too_long")
    if forbidden_in(key.name):
        yield Fault(CONF_NAME, "invalid_key_name")
    if key.kind is not KeyKind.SWITCH:
        stored = key.as_dict()
        for field in (field for field in SWITCH_FIELDS if field in stored):
            yield Fault(field, "switch_only")
        return
    if key.light_on == key.light_off:
        yield Fault(CONF_LIGHT_ON, "same_light", {OTHER_FIELD: CONF_LIGHT_OFF})
    for field, number in (
        (CONF_NUMBER_ON, key.number_on),
        (CONF_NUMBER_OFF, key.number_off),
    ):
        if len(number) > MAX_TEXT:
            yield Fault(field, "key_number_too_long")
        if forbidden_in(number):
            yield Fault(field, "invalid_key_number")


def _numbers(key: KeySettings) -> Iterator[tuple[str, str]]:
    """Yield the numbers that a press goes to, each with the field that it comes from."""
    by_hand = {key.number_on: CONF_NUMBER_ON, key.number_off: CONF_NUMBER_OFF}
    for look in (key.setup.off, key.setup.on):
        if look is not None and look.number is not None:
            yield by_hand.get(look.number, CONF_KEY), look.number
