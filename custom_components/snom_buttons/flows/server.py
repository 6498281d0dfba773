"""The dialogue that adds a SIP server, or changes one."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final, override

from homeassistant.components import network
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowResult,
    ConfigSubentryFlow,
    FlowType,
    SubentryFlowContext,
)
from homeassistant.const import CONF_ADDRESS, CONF_ENABLED, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback

from ..const import (
    CONF_ACCESS,
    CONF_ADVERTISED_HOST,
    CONF_EDGE_CA,
    CONF_TCP,
    CONF_TLS,
    CONF_UDP,
    DOMAIN,
    ENTRY_MINOR_VERSION,
    ENTRY_VERSION,
    SUBENTRY_TYPE_PHONE,
    SUBENTRY_TYPE_SHARED_LINE,
)
from ..engine.phones import CannotListen, ServerSettings, check_bind
from ..hub.hub import SnomConfigEntry, SnomHub
from ..hub.settings import HTTP, certificate_settings, server_settings, settings_port
from ..hub.texts import async_load_texts, text
from .discovered import DiscoveredFlow
from .forms import WHOLE_FORM, Faults
from .line import LineFlow
from .mqtt import MqttOptionsFlow
from .phone import PhoneFlow
from .server_form import (
    SERVER_PLACEHOLDERS,
    SERVER_SCHEMA,
    add_bind_fault,
    async_add_certificate_fault,
    find_server_faults,
    read_server,
)

STREAMS: Final = ("TCP", "TLS", HTTP)

WITH_UDP: Final = (CONF_HOST, CONF_PORT)
WITHOUT_UDP: Final = (CONF_HOST, CONF_UDP, CONF_TCP, CONF_TLS)
"""The data in which no two servers are the same."""


class SnomConfigFlow(DiscoveredFlow, domain=DOMAIN):
    """Add a SIP server, or change one; or add a phone that was discovered."""

    VERSION = ENTRY_VERSION
    MINOR_VERSION = ENTRY_MINOR_VERSION

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: SnomConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        return {SUBENTRY_TYPE_PHONE: PhoneFlow, SUBENTRY_TYPE_SHARED_LINE: LineFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: SnomConfigEntry) -> MqttOptionsFlow:
        return MqttOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where a new server listens."""
        suggested = {CONF_ADVERTISED_HOST: await _async_own_address(self.hass)}
        return await self._async_step_server(SOURCE_USER, user_input, suggested)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where an existing server listens from now on."""
        return await self._async_step_server(
            SOURCE_RECONFIGURE, user_input, self._get_reconfigure_entry().data
        )

    async def _async_step_server(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        suggested: Mapping[str, Any],
    ) -> ConfigFlowResult:
        faults = Faults(SERVER_PLACEHOLDERS)
        if user_input is not None:
            suggested = data = read_server(user_input)
            has_udp = data[CONF_UDP][CONF_ENABLED]
            self._async_abort_entries_match(
                {name: data[name] for name in (WITH_UDP if has_udp else WITHOUT_UDP)}
            )
            faults = find_server_faults(data)
            if not has_udp and self._has_phone_by_address():
                faults.add(WHOLE_FORM, "udp_needed")
            certificate = certificate_settings(data)
            edge_ca = data[CONF_ACCESS].get(CONF_EDGE_CA, "")
            await async_add_certificate_fault(self.hass, certificate, edge_ca, faults)
            # The ports come last: the check may stop the server for a moment.
            if not faults:
                settings = server_settings(data)
                try:
                    await self._async_check_ports(settings, settings_port(data))
                except CannotListen as error:
                    add_bind_fault(faults, data, settings, error)
                else:
                    await async_load_texts(self.hass)
                    return self._async_finish(data, settings)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(SERVER_SCHEMA, suggested),
            errors=faults.errors,
            description_placeholders=faults.placeholders,
        )

    def _has_phone_by_address(self) -> bool:
        """Return whether the server has a phone that does not register."""
        return self.source == SOURCE_RECONFIGURE and any(
            subentry.data.get(CONF_ADDRESS)
            for subentry in self._get_reconfigure_entry().subentries.values()
        )

    async def _async_check_ports(
        self, settings: ServerSettings, settings_port: int | None
    ) -> None:
        """Bind each port for a moment. Raises CannotListen for the first that fails.

        The running server that is changed releases a port that it holds itself.
        """
        host = settings.host
        running: SnomHub | None = None
        if self.source == SOURCE_RECONFIGURE:
            entry: SnomConfigEntry = self._get_reconfigure_entry()
            if entry.state is ConfigEntryState.LOADED:
                running = entry.runtime_data
        held = running.listening if running else {}
        stays = running is not None and running.server.settings.host == host
        ports = settings.ports | ({HTTP: settings_port} if settings_port else {})
        for transport, port in ports.items():
            in_the_way = port in (
                {held.get("UDP")} if transport == "UDP" else {*map(held.get, STREAMS)}
            )
            try:
                if running is None or not in_the_way:
                    check_bind(host, port, transport)
                elif not stays or held.get(transport) != port:
                    check_bind(host, 0, transport)
                    await running.ports.check_bind(host, port, transport)
            except OSError as error:
                raise CannotListen(error, transport, port) from error

    @callback
    def _async_finish(
        self, data: dict[str, Any], settings: ServerSettings
    ) -> ConfigFlowResult:
        address = _address(settings)
        if settings.port is None:
            del data[CONF_PORT]  # it would keep another server from this port
        if self.source == SOURCE_USER:
            title = text(self.hass, "server_title", address=address)
            return self.async_create_entry(title=title, data=data)
        entry = self._get_reconfigure_entry()
        title, before = entry.title, _address(server_settings(entry.data))
        if title.endswith(f" {before}"):  # in whatever language it was made
            title = title.removesuffix(before) + address
        was_loaded = entry.state is ConfigEntryState.LOADED
        result = self.async_update_and_abort(entry, title=title, data=data)
        if not was_loaded:
            # It has no update listener, and its next retry may be minutes away.
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return result

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Continue with the dialogue of the first phone."""
        phone_flow = await self.hass.config_entries.subentries.async_init(
            (result["result"].entry_id, SUBENTRY_TYPE_PHONE),
            context=SubentryFlowContext(source=SOURCE_USER),
        )
        result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, phone_flow["flow_id"])
        return result


def _address(settings: ServerSettings) -> str:
    """Return the address with which the default title of an entry ends."""
    return next(iter(settings.registrar_addresses.values()))


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
