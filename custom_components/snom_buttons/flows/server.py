"""The dialogue that sets up a SIP server, or changes one."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final, override

from homeassistant.components import network
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    FlowType,
    SubentryFlowContext,
)
from homeassistant.const import CONF_ADDRESS, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback

from ..const import (
    CONF_ADVERTISED_HOST,
    CONF_ENABLED,
    CONF_UDP,
    DOMAIN,
    SUBENTRY_TYPE_PHONE,
    SUBENTRY_TYPE_SHARED_LINE,
)
from ..engine.phones import check_bind
from ..hub.hub import SnomConfigEntry, SnomHub
from ..hub.settings import server_settings
from .line import LineFlow
from .mqtt import MqttOptionsFlow
from .phone import PhoneFlow
from .server_form import (
    SERVER_SCHEMA,
    Faults,
    add_bind_fault,
    async_find_certificate_fault,
    find_faults,
    read_server,
)

STREAMS: Final = ("TCP", "TLS")


class SnomConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up a SIP server, or change one."""

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return that a server has phones and shared lines."""
        return {SUBENTRY_TYPE_PHONE: PhoneFlow, SUBENTRY_TYPE_SHARED_LINE: LineFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> MqttOptionsFlow:
        """Return what asks how a server uses MQTT."""
        return MqttOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the server shall listen."""
        suggested = {CONF_ADVERTISED_HOST: await _async_own_address(self.hass)}
        return await self._async_step_server(SOURCE_USER, user_input, suggested)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the server shall listen from now on."""
        return await self._async_step_server(
            SOURCE_RECONFIGURE, user_input, self._get_reconfigure_entry().data
        )

    async def _async_step_server(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        suggested: Mapping[str, Any],
    ) -> ConfigFlowResult:
        faults = Faults()
        if user_input is not None:
            server = read_server(user_input)
            if self._is_another_there(server):
                return self.async_abort(reason="already_configured")
            suggested = server
            faults = find_faults(server)
            if not server[CONF_UDP][CONF_ENABLED] and self._has_phone_by_address():
                faults.add("base", "udp_needed")
            await async_find_certificate_fault(self.hass, server, faults)
            if not faults.errors:  # to try it stops the server for a moment
                await self._async_find_bind_fault(server, faults)
            if not faults.errors:
                return self._async_finish(server)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(SERVER_SCHEMA, suggested),
            errors=faults.errors,
            description_placeholders=faults.placeholders,
        )

    def _is_another_there(self, server: Mapping[str, Any]) -> bool:
        """Return whether another server is set up for the same UDP port."""
        place = (server[CONF_HOST], server[CONF_PORT])
        return server[CONF_UDP][CONF_ENABLED] and any(
            (other.host, other.port) == place
            for other in (
                server_settings(entry.data)
                for entry in self._async_current_entries(include_ignore=False)
                if entry.entry_id != self.context.get("entry_id")
            )
        )

    def _has_phone_by_address(self) -> bool:
        """Return whether a phone of the server that is changed needs UDP."""
        return self.source == SOURCE_RECONFIGURE and any(
            subentry.data.get(CONF_ADDRESS)
            for subentry in self._get_reconfigure_entry().subentries.values()
        )

    async def _async_find_bind_fault(
        self, server: dict[str, Any], faults: Faults
    ) -> None:
        """Try to bind each port, also where the server that is changed is in the way."""
        host = server[CONF_HOST]
        running: SnomHub | None = None
        if self.source == SOURCE_RECONFIGURE:
            entry: SnomConfigEntry = self._get_reconfigure_entry()
            if entry.state is ConfigEntryState.LOADED:
                running = entry.runtime_data
        held = running.server.listening if running else {}
        stays = running is not None and running.server.settings.host == host
        for transport, port in server_settings(server).ports.items():
            in_the_way = port in (
                {held.get("UDP")} if transport == "UDP" else {*map(held.get, STREAMS)}
            )
            try:
                if running is None or not in_the_way:
                    check_bind(host, port, transport)
                elif not stays or held.get(transport) != port:
                    check_bind(host, 0, transport)
                    await running.async_check_bind(host, port, transport)
            except OSError as err:
                add_bind_fault(faults, server, transport, err)
                return

    @callback
    def _async_finish(self, server: dict[str, Any]) -> ConfigFlowResult:
        if self.source == SOURCE_USER:
            return self.async_create_entry(title=_server_title(server), data=server)
        entry = self._get_reconfigure_entry()
        title = entry.title
        if title == _server_title(entry.data):
            title = _server_title(server)
        was_loaded = entry.state is ConfigEntryState.LOADED
        result = self.async_update_and_abort(entry, title=title, data=server)
        if not was_loaded:
            # Nobody listens for the update, and the next try may be minutes away.
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return result

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Go on with the first phone."""
        phone_flow = await self.hass.config_entries.subentries.async_init(
            (result["result"].entry_id, SUBENTRY_TYPE_PHONE),
            context=SubentryFlowContext(source=SOURCE_USER),
        )
        result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, phone_flow["flow_id"])
        return result


def _server_title(server: Mapping[str, Any]) -> str:
    addresses = server_settings(server).registrar_addresses
    return f"Phones on {next(iter(addresses.values()))}"


async def _async_own_address(hass: HomeAssistant) -> str:
    """Return the address of this machine that phones most likely reach.

    Without IPv4 `async_get_source_ip` returns the loopback address or raises.
    """
    adapters = [a for a in await network.async_get_adapters(hass) if a["enabled"]]
    if any(adapter["ipv4"] for adapter in adapters):
        return await network.async_get_source_ip(hass)
    addresses = (ipv6["address"] for adapter in adapters for ipv6 in adapter["ipv6"])
    routable = (text for text in addresses if not ip_address(text).is_link_local)
    return next(routable, "127.0.0.1")
