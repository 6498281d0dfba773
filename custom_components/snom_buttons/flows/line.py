"""The dialogue that adds a shared line, or changes one."""

from collections.abc import Mapping
import re
from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigSubentry,
    SubentryFlowResult,
)
from homeassistant.const import CONF_CODE, CONF_NAME
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ..const import (
    CONF_EXTENSION,
    CONF_KEY,
    CONF_KEYS,
    CONF_PHONE,
    CONF_RELEASE_AFTER,
    SUBENTRY_TYPE_PHONE,
)
from ..engine.names import USER_CHARACTERS, without_forbidden
from ..hub.settings import EntrySettings
from .forms import (
    NAME_PLACEHOLDERS,
    WHOLE_FORM,
    Faults,
    ListSelector,
    SnomSubentryFlow,
    name_error,
    number,
    required,
)

# `*602` and the code form a number, which phones send as the user of a SIP URI.
CODE: Final = re.compile(USER_CHARACTERS + "{1,32}")
CONF_PHONES: Final = "phones"
MAX_RELEASE_AFTER: Final = 86_400
MAX_LISTED: Final = 12
"""Keys of a phone that an error lists."""

LINE_PLACEHOLDERS: Final = dict.fromkeys((CONF_PHONE, CONF_KEY, CONF_KEYS), "")
"""The placeholders of the error texts of keys, without a value."""


class LineFlow(SnomSubentryFlow):
    """Add a shared line, or change one: its phones, then which key of each it is."""

    _name: str
    _line: dict[str, Any]
    _keys: list[dict[str, str]]
    """Phones are named by extension, because the list shows its values."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for a new line."""
        return await self._async_step_line(SOURCE_USER, user_input, {}, {})

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for an existing line."""
        subentry = self._get_reconfigure_subentry()
        extensions = {phone.subentry_id: ext for ext, phone in self._phones.items()}
        keys = {
            extensions[key[CONF_PHONE]]: key[CONF_KEY]
            for key in subentry.data[CONF_KEYS]
            if key[CONF_PHONE] in extensions
        }
        suggested = {
            **subentry.data,
            CONF_NAME: without_forbidden(subentry.title),
            CONF_PHONES: list(keys),
            CONF_KEY: next(iter(keys.values()), ""),
        }
        return await self._async_step_line(
            SOURCE_RECONFIGURE, user_input, suggested, keys
        )

    async def _async_step_line(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        suggested: dict[str, Any],
        keys: Mapping[str, str],
    ) -> SubentryFlowResult:
        """Ask for all but the keys of phones that differ from the usual key."""
        if not self._phones:
            return self.async_abort(reason="no_phones")
        faults = Faults(NAME_PLACEHOLDERS)
        if user_input is not None:
            name = user_input.get(CONF_NAME, "").strip()
            if error := name_error(name):
                faults.add(CONF_NAME, error)
            code = user_input[CONF_CODE].strip()
            key = user_input[CONF_KEY].strip()
            if not CODE.fullmatch(code):
                faults.add(CONF_CODE, "invalid_code")
            elif self._is_taken(_unique_id(code)):
                faults.add(CONF_CODE, "code_taken")
            if not user_input[CONF_PHONES]:
                faults.add(CONF_PHONES, "phones_missing")
            if not key:
                faults.add(CONF_KEY, "key_missing")
            if not faults:
                self._name = name or code
                self._line = {CONF_CODE: code}
                if (seconds := user_input.get(CONF_RELEASE_AFTER)) is not None:
                    self._line[CONF_RELEASE_AFTER] = seconds
                usual = suggested.get(CONF_KEY)
                self._keys = [
                    {
                        CONF_PHONE: phone,
                        # A key that differs stays, unless the usual key changes.
                        CONF_KEY: keys.get(phone, key) if key == usual else key,
                    }
                    for phone in user_input[CONF_PHONES]
                ]
                return await self.async_step_keys()
            suggested = user_input
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(self._schema(), suggested),
            errors=faults.errors,
            description_placeholders=faults.placeholders,
            last_step=False,
        )

    async def async_step_keys(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the key of each phone."""
        faults = Faults(LINE_PLACEHOLDERS)
        if user_input is not None:
            self._keys = [
                {CONF_PHONE: key[CONF_PHONE], CONF_KEY: key[CONF_KEY].strip()}
                for key in user_input[CONF_KEYS]
            ]
            faults = self._find_faults()
            if not faults:
                return self._async_finish()
        return self.async_show_form(
            step_id="keys",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_KEYS, default=self._keys): ListSelector(
                        "line_keys",
                        label=CONF_PHONE,
                        description=CONF_KEY,
                        fields={
                            CONF_PHONE: required(self._phone_selector()),
                            CONF_KEY: required(TextSelector()),
                        },
                    )
                }
            ),
            errors=faults.errors,
            description_placeholders=faults.placeholders,
            last_step=True,
        )

    @callback
    def _async_finish(self) -> SubentryFlowResult:
        phones = self._phones
        keys = [
            key | {CONF_PHONE: phones[key[CONF_PHONE]].subentry_id}
            for key in self._keys
        ]
        data = {**self._line, CONF_KEYS: keys}
        return self._async_save(self._name, data, _unique_id(self._line[CONF_CODE]))

    @property
    def _phones(self) -> dict[str, ConfigSubentry]:
        """Return this server's phones by extension."""
        return {
            phone.data[CONF_EXTENSION]: phone
            for phone in self._get_entry().get_subentries_of_type(SUBENTRY_TYPE_PHONE)
        }

    def _schema(self) -> vol.Schema:
        return vol.Schema(
            {
                vol.Optional(CONF_NAME): TextSelector(),
                vol.Required(CONF_CODE): TextSelector(),
                vol.Required(CONF_PHONES): self._phone_selector(multiple=True),
                vol.Required(CONF_KEY): TextSelector(),
                vol.Optional(CONF_RELEASE_AFTER): number(0, MAX_RELEASE_AFTER, "s"),
            }
        )

    def _phone_selector(self, *, multiple: bool = False) -> SelectSelector:
        return SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(
                        value=extension, label=without_forbidden(phone.title)
                    )
                    for extension, phone in self._phones.items()
                ],
                multiple=multiple,
                mode=SelectSelectorMode.DROPDOWN,
            )
        )

    def _find_faults(self) -> Faults:
        """Return the faults of the line's keys."""
        faults = Faults(LINE_PLACEHOLDERS)
        if not self._keys:
            faults.add(WHOLE_FORM, "phones_missing")
        phones = self._phones
        elsewhere = {
            (subentry_id, key): line.setup.name
            for line in EntrySettings.from_entry(self._get_entry()).lines
            if line.subentry_id != self._own
            for subentry_id, key in line.keys.items()
        }
        known: set[str] = set()
        for item in self._keys:
            if item[CONF_PHONE] not in phones:
                faults.add(WHOLE_FORM, "phone_gone", **{CONF_PHONE: item[CONF_PHONE]})
                continue
            phone, key = phones[item[CONF_PHONE]], item[CONF_KEY]
            about = {CONF_PHONE: without_forbidden(phone.title), CONF_KEY: key}
            own_keys = [own[CONF_KEY] for own in phone.data[CONF_KEYS]]
            if phone.subentry_id in known:
                faults.add(WHOLE_FORM, "duplicate_phone", **about)
            elif key not in own_keys:
                about[CONF_KEYS] = ", ".join(own_keys[:MAX_LISTED])
                about[CONF_KEYS] += "…" if len(own_keys) > MAX_LISTED else ""
                faults.add(WHOLE_FORM, "unknown_key", **about)
            elif line := elsewhere.get((phone.subentry_id, key)):
                faults.add(WHOLE_FORM, "key_taken", **about, line=line)
            known.add(phone.subentry_id)
        return faults


def _unique_id(code: str) -> str:
    # Phones and lines share one set of unique IDs; an extension has no colon.
    return f"line:{code}"
