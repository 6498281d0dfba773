"""The dialogue of a phone that was discovered: its card, which adds it."""

from typing import Any

from homeassistant.config_entries import SOURCE_DHCP, ConfigFlow, ConfigFlowResult
from homeassistant.const import (
    ATTR_CONFIG_ENTRY_ID,
    CONF_HOST,
    CONF_MAC,
    CONF_MODEL,
    CONF_NAME,
)
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo

from ..const import DOMAIN
from ..engine.provisioning import Mac, read_mac
from ..hub.hub import SnomConfigEntry
from ..hub.markdown import escape_markdown
from ..hub.provisioning.discovery import (
    CONF_VERSION,
    MAX_CARDS,
    async_cards,
    async_drop_card,
    async_is_set_up,
)
from ..hub.provisioning.profiles import async_settings_url
from ..hub.texts import async_load_texts, text
from .account import async_new_phone


class DiscoveredFlow(ConfigFlow):
    """Add a phone that was discovered. It is answered when it announces itself again."""

    _mac: Mac
    _said: dict[str, str]

    async def async_step_dhcp(
        self, discovery_info: DhcpServiceInfo
    ) -> ConfigFlowResult:
        """Show a phone that got an address. Nothing is known of its model."""
        mac = read_mac(discovery_info.macaddress)
        assert mac is not None  # Home Assistant has formatted it
        return await self._async_show_card(mac, {CONF_HOST: discovery_info.ip})

    async def async_step_integration_discovery(
        self, discovery_info: dict[str, str]
    ) -> ConfigFlowResult:
        """Show a phone that announced itself, in place of its card by DHCP."""
        mac = Mac(discovery_info[CONF_MAC])
        async_drop_card(self.hass, mac, SOURCE_DHCP)
        return await self._async_show_card(mac, discovery_info)

    async def _async_show_card(
        self, mac: Mac, said: dict[str, str]
    ) -> ConfigFlowResult:
        self._mac, self._said = mac, said
        await self.async_set_unique_id(mac)
        self._abort_if_unique_id_configured()  # the user ignores it
        await async_load_texts(self.hass)
        if len(async_cards(self.hass)) >= MAX_CARDS:
            return self.async_abort(reason="too_many_cards")
        self.context["title_placeholders"] = {"name": f"{self._named}, {self._host}"}
        return await self.async_step_confirm()

    @property
    def _host(self) -> str:
        return self._said[CONF_HOST]

    @property
    def _named(self) -> str:
        """What the phone says it is."""
        said = [self._said.get(name) for name in (CONF_NAME, CONF_MODEL)]
        return " ".join(filter(None, said)) or text(self.hass, "discovered_phone")

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to add the phone, and add it."""
        entry = self._server
        if entry is None:
            return self.async_abort(reason="not_heard")
        if async_settings_url(self.hass, "-") is None:
            return self.async_abort(reason="no_settings_url")
        if async_is_set_up(self.hass, self._mac):
            return self.async_abort(reason="phone_known")
        if user_input is None:
            self._set_confirm_only()
            version = self._said.get(CONF_VERSION)
            named = " ".join(filter(None, (self._named, version)))
            return self.async_show_form(
                step_id="confirm",
                description_placeholders={
                    "named": escape_markdown(named),
                    "mac": escape_markdown(self._mac),
                    "host": escape_markdown(self._host),
                },
            )
        model = self._said.get(CONF_MODEL, "")
        phone = async_new_phone(self.hass, entry, self._mac, model)
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
