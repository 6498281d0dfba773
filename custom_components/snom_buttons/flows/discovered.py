"""The dialogue of a phone that was discovered: its card, which adds it."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigEntryState, ConfigFlow, ConfigFlowResult
from homeassistant.const import (
    ATTR_CONFIG_ENTRY_ID,
    CONF_HOST,
    CONF_MAC,
    CONF_MODEL,
    CONF_NAME,
    CONF_PASSWORD,
    CONF_TOKEN,
)
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo

from ..const import CONF_EXTENSION, DOMAIN
from ..engine.phones import maker_of
from ..engine.provisioning import Mac, read_mac
from ..hub.hub import SnomConfigEntry
from ..hub.markdown import escape_markdown
from ..hub.provisioning.discovery import (
    CONF_VERSION,
    MAX_CARDS,
    STEP_TRIED,
    Evidence,
    async_cards,
    async_drop_card,
    async_follow_card,
    async_is_set_up,
    async_update_card,
    maker_and_model,
)
from ..hub.provisioning.profiles import async_can_fetch
from ..hub.texts import async_load_texts, text
from .account import async_by_itself, async_new_phone
from .new_keys import NewKeys


class DiscoveredFlow(ConfigFlow):
    """Add a phone that was discovered. It is answered when it announces itself again.

    One that tried to register needs its password instead.
    """

    _said: dict[str, str]
    _unfollow: CALLBACK_TYPE | None = None

    async def async_step_dhcp(
        self, discovery_info: DhcpServiceInfo
    ) -> ConfigFlowResult:
        """Show a phone that got an address. Nothing is known of its model."""
        mac = read_mac(discovery_info.macaddress)
        assert mac is not None  # Home Assistant has formatted it
        about = {CONF_MAC: mac, CONF_HOST: discovery_info.ip}
        async_update_card(self.hass, mac, about)
        return await self._async_show_card(mac, about)

    async def async_step_integration_discovery(
        self, discovery_info: dict[str, str]
    ) -> ConfigFlowResult:
        """Show a phone that announced itself or tried to register."""
        host, extension = discovery_info[CONF_HOST], discovery_info.get(CONF_EXTENSION)
        unique_id = discovery_info.get(CONF_MAC, f"{extension}@{host}")
        less = Evidence.ANNOUNCEMENT if extension else Evidence.ADDRESS
        async_drop_card(self.hass, unique_id, less)
        return await self._async_show_card(unique_id, discovery_info)

    async def _async_show_card(
        self, unique_id: str, said: dict[str, str]
    ) -> ConfigFlowResult:
        self._said = said
        await self.async_set_unique_id(unique_id)
        self._abort_if_unique_id_configured()  # the user ignores it
        await async_load_texts(self.hass)
        if len(async_cards(self.hass)) >= MAX_CARDS:
            return self.async_abort(reason="too_many_cards")
        self._unfollow = async_follow_card(self.hass, unique_id, self._async_said)
        self.context["title_placeholders"] = self._title
        is_tried = CONF_EXTENSION in said
        return await (self.async_step_tried if is_tried else self.async_step_confirm)()

    @property
    def _title(self) -> dict[str, str]:
        said = (self._said.get(CONF_EXTENSION), self._named, self._host)
        return {
            "name": ", ".join(filter(None, said)),
            # Not in the title, but for the dialogue of a new phone.
            "named": self._named,
            CONF_MODEL: self._model,
            CONF_HOST: self._host,
        }

    @callback
    def _async_said(self, about: Mapping[str, str]) -> None:
        """Show what the phone says now, such as another address."""
        said = {**self._said, **about}
        if CONF_EXTENSION in about:  # which the page has named
            said[CONF_EXTENSION] = self._said[CONF_EXTENSION]
        if said != self._said:
            self._said = said
            self.async_update_title_placeholders(self._title)

    @callback
    @override
    def async_remove(self) -> None:
        """Follow the phone no more."""
        if self._unfollow is not None:
            self._unfollow()

    @property
    def _mac(self) -> Mac | None:
        return read_mac(self._said.get(CONF_MAC, ""))

    @property
    def _host(self) -> str:
        return self._said[CONF_HOST]

    @property
    def _named(self) -> str:
        """What the phone says it is."""
        if named := maker_and_model(self._said.get(CONF_NAME, ""), self._model):
            return named
        if CONF_EXTENSION in self._said:
            return text(self.hass, "unknown_phone")
        return text(self.hass, "discovered_phone")

    @property
    def _model(self) -> str:
        return self._said.get(CONF_MODEL, "")

    def _keys_of(self, user_input: dict[str, Any] | None) -> NewKeys:
        return NewKeys(self.hass, self._model, user_input)

    @callback
    def _async_ask(self, step_id: str, keys: NewKeys) -> ConfigFlowResult:
        """Say what is known of the phone, and ask what should be on its keys."""
        self._set_confirm_only()
        named = self._named
        if version := self._said.get(CONF_VERSION):
            # With its name: it has the form of an IP address.
            named += f" ({text(self.hass, 'firmware', version=version)})"
        said = {
            "named": named,
            "mac": self._mac or "",
            "host": self._host,
            "account": self._said.get(CONF_EXTENSION, ""),
        }
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(keys.schema, keys.values),
            errors=keys.faults.errors,
            description_placeholders=keys.faults.placeholders
            | {name: escape_markdown(value) for name, value in said.items()},
        )

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to add the phone, and add it."""
        mac, entry = self._mac, self._server
        assert mac is not None
        if entry is None:
            return self.async_abort(reason="not_heard")
        if not async_can_fetch(self.hass, entry.runtime_data.settings):
            return self.async_abort(reason="no_settings_url")
        if async_is_set_up(self.hass, mac):
            return self.async_abort(reason="phone_known")
        keys = self._keys_of(user_input)
        if not keys.is_chosen:
            return self._async_ask("confirm", keys)
        phone = async_new_phone(
            self.hass, entry, mac, self._model, entities=keys.entities
        )
        self.hass.config_entries.async_add_subentry(entry, phone)
        return self.async_abort(
            reason="phone_added",
            description_placeholders={"phone": escape_markdown(phone.title)},
        )

    @property
    def _server(self) -> SnomConfigEntry | None:
        """The server that heard the phone, or the first that hears phones; else None."""
        entries: list[SnomConfigEntry] = self.hass.config_entries.async_loaded_entries(
            DOMAIN
        )
        hearing = [it for it in entries if it.runtime_data.hearing.is_open]
        heard_by = self._said.get(ATTR_CONFIG_ENTRY_ID)
        return next(
            (it for it in hearing if heard_by in (None, it.entry_id)),
            None,
        )

    async def async_step_tried(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to add a phone that tried to register, and say what to type.

        Its hardware address is not stored, so that it gets no other settings by plug and
        play: it may be used with a telephone system as well.
        """
        said, extension = self._said, self._said[CONF_EXTENSION]
        entry: SnomConfigEntry | None = self.hass.config_entries.async_get_entry(
            said[ATTR_CONFIG_ENTRY_ID]
        )
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_running")
        if extension in {it.unique_id for it in entry.subentries.values()}:
            return self.async_abort(reason="extension_taken")
        keys = self._keys_of(user_input)
        if not keys.is_chosen:
            return self._async_ask(STEP_TRIED, keys)
        maker = maker_of(said.get(CONF_NAME, ""))
        phone = async_new_phone(
            self.hass,
            entry,
            None,
            self._model,
            maker=maker,
            extension=extension,
            entities=keys.entities,
        )
        self.hass.config_entries.async_add_subentry(entry, phone)
        shown = {
            "phone": escape_markdown(phone.title),
            "account": extension,
            "password": phone.data[CONF_PASSWORD],
        }
        if maker:
            return self.async_abort(
                reason="other_to_type", description_placeholders=shown
            )
        return self.async_abort(
            reason="phone_to_type",
            description_placeholders=shown
            | {
                "by_itself": async_by_itself(self.hass, entry, phone.data[CONF_TOKEN]),
            },
        )
