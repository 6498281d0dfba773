"""The list of keys of a phone: its selector, how it is read, and its faults."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
import re
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
from ..engine.names import MAX_NAME, forbidden_in
from ..engine.phones import KeyKind
from ..engine.xbuttons import MAX_TEXT, KeyDescription, LightMode
from ..hub.settings import (
    OWN_KINDS,
    KeySettings,
    LinkConfirm,
    LinkLabel,
    LinkPress,
    LinkSettings,
)
from .forms import (
    USER_CHARACTERS,
    WHOLE_FORM,
    Faults,
    ListSelector,
    UncheckedEntitySelector,
    UncheckedTemplateSelector,
    required,
)
from .links import LINK_PLACEHOLDERS

MAX_KEYS: Final = 200

SIP_USER: Final = re.compile(USER_CHARACTERS + "{1,64}")

OTHER_KEY: Final = "other_key"
KEYS_PLACEHOLDERS: Final = {
    CONF_KEY: "",
    OTHER_KEY: "",
    CONF_NUMBER: "",
    **dict.fromkeys(LINK_PLACEHOLDERS, ""),
    "max_keys": str(MAX_KEYS),
    "max_length": str(MAX_TEXT),
}
"""The placeholders of the error texts, without a value if it depends on the error."""


async def async_keys_selector(hass: HomeAssistant, colors: bool) -> ListSelector:
    """Return the selector for a list of keys.

    The frontend does not translate the options of a field within a list, so they are
    translated here, into the language of the server.
    """
    texts = await async_get_translations(
        hass, hass.config.language, "selector", [DOMAIN]
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

    text = ObjectSelectorField(selector=TextSelector())
    entity = ObjectSelectorField(selector=UncheckedEntitySelector())
    template = ObjectSelectorField(selector=UncheckedTemplateSelector())
    kind, light = select("key_kind", OWN_KINDS), select("key_light", LightMode)
    return ListSelector(
        "keys",
        label=CONF_NAME,
        description=CONF_KIND,
        fields={
            CONF_KEY: required(TextSelector()),
            CONF_NAME: text,
            CONF_KIND: ObjectSelectorField(default=KeyKind.LIGHT.value, selector=kind),
            CONF_COLORS: ObjectSelectorField(
                default=colors, selector=BooleanSelector()
            ),
            CONF_TOGGLE: ObjectSelectorField(default=False, selector=BooleanSelector()),
            CONF_LIGHT_ON: ObjectSelectorField(
                default=LightMode.ON.value, selector=light
            ),
            CONF_LIGHT_OFF: ObjectSelectorField(
                default=LightMode.OFF.value, selector=light
            ),
            CONF_NUMBER_ON: text,
            CONF_NUMBER_OFF: text,
            CONF_FOLLOWS: entity,
            CONF_LOOK_TABLE: ObjectSelectorField(selector=ObjectSelector()),
            CONF_LOOK_TEMPLATE: template,
            CONF_PRESS: choice("link_press", LinkPress),
            CONF_ACTIONS: ObjectSelectorField(selector=ActionSelector()),
            CONF_TARGET: entity,
            CONF_LABEL: choice("link_label", LinkLabel),
            CONF_LABEL_TEMPLATE: template,
            CONF_CONFIRM: choice("link_confirm", LinkConfirm),
            CONF_UNAVAILABLE: ObjectSelectorField(
                default=LightMode.OFFLINE.value, selector=light
            ),
            CONF_CODE: text,
            CONF_NO_CODE: ObjectSelectorField(
                default=False, selector=BooleanSelector()
            ),
        },
    )


def read_key(
    data: Mapping[str, Any], colors: bool, name_of: Callable[[str], str]
) -> KeySettings:
    """Return a key of the list, of which all values but its number may be missing.

    `name_of` returns the name of a key that has none.

    The list selector does not convert values, so booleans are converted here.
    """
    key = data[CONF_KEY].strip()
    kind = KeyKind(data.get(CONF_KIND, KeyKind.LIGHT))
    link = LinkSettings.from_dict(data)
    is_linked = kind is KeyKind.LINKED or link != LinkSettings(follows="")
    return KeySettings(
        key=key,
        name=data.get(CONF_NAME, "").strip() or name_of(key),
        kind=kind,
        colors=bool(data.get(CONF_COLORS, colors)),
        toggle=bool(data.get(CONF_TOGGLE)),
        light_on=LightMode(data.get(CONF_LIGHT_ON, LightMode.ON)),
        light_off=LightMode(data.get(CONF_LIGHT_OFF, LightMode.OFF)),
        number_on=data.get(CONF_NUMBER_ON, "").strip(),
        number_off=data.get(CONF_NUMBER_OFF, "").strip(),
        link=link if is_linked else None,
    )


def find_key_faults(keys: Sequence[KeySettings]) -> Faults:
    """Return the faults of the list of keys."""
    faults = Faults(KEYS_PLACEHOLDERS)
    if not 1 <= len(keys) <= MAX_KEYS:
        faults.add(WHOLE_FORM, "invalid_key_count")
    known: set[str] = set()
    numbers: dict[str, str] = {}
    for key in keys:
        error = "duplicate_key" if key.key in known else _error(key)
        known.add(key.key)
        if error:
            faults.add(WHOLE_FORM, error, **{CONF_KEY: key.key})
            continue
        # A call to the number of one look is a press of the key.
        for number in (look.number for look in _looks(key) if look.number is not None):
            other = numbers.setdefault(number, key.key)
            if other != key.key:
                about = {CONF_KEY: key.key, OTHER_KEY: other, CONF_NUMBER: number}
                faults.add(WHOLE_FORM, "duplicate_number", **about)
    return faults


def _error(key: KeySettings) -> str | None:
    """Return the error of a single key, None if it has none."""
    if not SIP_USER.fullmatch(key.key):
        return "invalid_key"
    if len(key.name) > MAX_NAME:
        return "key_name_too_long"
    if forbidden_in(key.name):
        return "invalid_key_name"
    if key.kind is not KeyKind.SWITCH:
        plain = KeySettings(
            key=key.key,
            name=key.name,
            kind=key.kind,
            colors=key.colors,
            link=key.link,
        )
        return None if key == plain else "switch_only"
    if key.light_on == key.light_off:
        return "same_light"
    if max(len(key.number_on), len(key.number_off)) > MAX_TEXT:
        return "key_number_too_long"
    if forbidden_in(key.number_on + key.number_off):
        return "invalid_key_number"
    return None


def _looks(key: KeySettings) -> list[KeyDescription]:
    """Return the looks of a key, off and on."""
    return [look for look in (key.setup.off, key.setup.on) if look is not None]
