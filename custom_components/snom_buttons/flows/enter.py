"""The last page of a phone's dialogue: what it is to be set to, to enter it by hand."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigSubentry,
    SubentryFlowResult,
)
from homeassistant.const import CONF_ADDRESS, CONF_TOKEN
from homeassistant.core import valid_entity_id

from ..const import CONF_EXTENSION, CONF_MAKER, SUBENTRY_TYPE_PHONE
from ..engine.provisioning import Profile, Setting, keys_of, settings_of
from ..hub.links.describe import describe
from ..hub.markdown import code, escape_markdown
from ..hub.provisioning.profiles import async_profile
from ..hub.provisioning.refusals import async_refuses_documents
from ..hub.provisioning.renewal import async_has_fetched
from ..hub.settings import EntrySettings, KeySettings, PhoneSettings
from ..hub.texts import text
from .account import async_by_itself
from .by_hand import async_by_hand_placeholders, key_item
from .forms import SnomSubentryFlow

LABELED: Final = (
    "user_active",
    "user_realname",
    "user_name",
    "user_pass",
    "user_host",
    "user_outbound",
    "user_pname",
    "user_idle_text",
)
"""The settings that are on the page *Login* of an identity in the phone's web page."""

KEY_FIELDS: Final = ("key_type", "key_number", "key_name")
"""The fields of a key in the phone's web page."""

TYPES: Final = {"button": "Button", "blf": "BLF"}
"""What the web page calls the types of keys."""

type Label = Callable[[str], str]
"""Returns what the phone's web page calls a setting."""


def login_rows(profile: Profile, label: Label) -> str:
    """Return the rows of the table of an identity, as Markdown."""
    return "\n".join(
        f"| {label(setting.name)} | {code(setting.value)} |"
        for setting in settings_of(profile)
        if _is_on_login(profile, setting)
    )


def other_rows(profile: Profile) -> str:
    """Return the rows of all other settings, which have their names in settings files."""
    return "\n".join(
        f"| {code(_name(setting))} | {code(setting.value)} |"
        for setting in settings_of(profile)
        if not _is_on_login(profile, setting)
    )


def key_items(profile: Profile, label: Label, lines: Mapping[str, str]) -> str:
    """Return the list of keys. `lines` say what a key is for, by its name."""
    items = []
    for key in keys_of(profile):
        kind, _, argument = key.value.partition(" ")
        values = (TYPES[kind], argument, key.label)
        fields = zip(map(label, KEY_FIELDS), values, strict=True)
        items.append(key_item(f"P{key.number + 1}", fields, lines.get(key.name, "")))
    return "\n".join(items)


def _is_on_login(profile: Profile, setting: Setting) -> bool:
    """Return whether a setting is on the page *Login* of the profile's own identity."""
    return setting.name in LABELED and setting.identity == profile.identity


def _name(setting: Setting) -> str:
    number = "" if setting.identity is None else f" {setting.identity}"
    return setting.name + number


class EnterFlow(SnomSubentryFlow):
    """Show what to enter in a phone, then save it."""

    _title: str
    _make_data: Callable[[], dict[str, Any]]
    """Returns the phone as it is to be saved. It may have fetched settings meanwhile."""
    _keys: list[KeySettings]

    @property
    def _own_keys(self) -> list[KeySettings]:
        """The keys that belong to no shared line."""
        settings = EntrySettings.from_entry(self._get_entry())
        of_lines = {line.keys.get(self._own or "") for line in settings.lines}
        return [key for key in self._keys if key.key not in of_lines]

    @property
    def _lines(self) -> dict[str, str]:
        """What each linked key follows and does, as Markdown, by the keys' numbers."""
        return {
            key.key: escape_markdown(line)
            for key in self._own_keys
            # After an error also those of the form that are wrong.
            if key.link is not None
            and all(map(valid_entity_id, key.link.entities))
            and (line := describe(self.hass, key))
        }

    async def async_step_phone(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show what to enter in the web page of the phone."""
        if user_input is not None:
            return self._async_finish()
        data = self._make_data()
        settings = EntrySettings.from_entry(self._get_entry())
        phone = PhoneSettings.from_subentry(
            ConfigSubentry(
                data=MappingProxyType(data),
                subentry_id=self._own or "",
                subentry_type=SUBENTRY_TYPE_PHONE,
                title=self._title,
                unique_id=None,
            ),
            settings.lines,
        )
        profile = async_profile(
            self.hass,
            settings,
            phone,
            refuses_documents=async_refuses_documents(
                self._get_entry(), phone.subentry_id
            ),
        )
        if maker := data.get(CONF_MAKER):
            return self.async_show_form(
                step_id="other_phone",
                data_schema=vol.Schema({}),
                description_placeholders=async_by_hand_placeholders(
                    self.hass, maker, profile, phone.setup.blf, self._lines
                ),
                last_step=True,
            )
        step_id = "phone" if profile.whole else "beside"
        if CONF_ADDRESS in data:
            step_id = "placed"
        return self.async_show_form(
            step_id=step_id,
            data_schema=vol.Schema({}),
            description_placeholders={
                "identity": str(profile.identity),
                "account": profile.account,
                "registrar": profile.registrar,
                "by_itself": self._by_itself(profile, data),
                "login": login_rows(profile, self._label),
                "outbound": "".join(
                    f"\n| {self._label('user_outbound')} ({transport})"
                    f" | `{address};transport={transport.lower()}` |"
                    for transport, address in settings.server.registrar_addresses.items()
                    if transport.lower() != profile.transport
                ),
                "others": other_rows(profile),
                "keys": key_items(profile, self._label, self._lines),
            },
            last_step=True,
        )

    def _label(self, setting: str) -> str:
        return text(self.hass, f"web_{setting}")

    def _by_itself(self, profile: Profile, data: Mapping[str, Any]) -> str:
        """How the phone gets all this without typing, "" if it cannot."""
        if profile.whole:
            how = async_by_itself(self.hass, self._get_entry(), data[CONF_TOKEN])
            has_fetched = async_has_fetched(self._get_entry(), self._own or "")
            if profile.settings_url and has_fetched:
                return f"{text(self.hass, 'has_fetched')}\n\n{how}"
            return how
        parts = self._taken_back(profile)
        if url := profile.settings_url:
            parts.append(text(self.hass, "settings_file", url=url))
        return "".join(f"{part}\n\n" for part in parts)

    def _taken_back(self, profile: Profile) -> list[str]:
        """Return how a phone loses what it was set to when it belonged to us alone."""
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return []
        refresher = entry.runtime_data.provisioning.refresher
        former = refresher.async_former(self._own or "", profile)
        if former is None:
            return []
        parts = [text(self.hass, "was_whole")]
        if former != profile.identity:
            parts.append(text(self.hass, "was_identity", former=str(former)))
        return parts

    async def async_step_placed(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the same for a phone that does not register."""
        return await self.async_step_phone(user_input)

    async def async_step_other_phone(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show what to enter in the web page of a phone of another maker."""
        return await self.async_step_phone(user_input)

    async def async_step_beside(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the same for a phone that is used with a telephone system too."""
        return await self.async_step_phone(user_input)

    def _async_finish(self) -> SubentryFlowResult:
        data = self._make_data()
        return self._async_save(self._title, data, data[CONF_EXTENSION])
