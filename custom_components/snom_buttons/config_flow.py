"""The dialogue that sets up a SIP server, or changes one."""

from collections.abc import Mapping
import errno
from ipaddress import ip_address
import re
from typing import Any, Final, override

import voluptuous as vol

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
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
)
from homeassistant.util.network import is_host_valid, is_invalid, is_ip_address

from .const import (
    CONF_ADVERTISED_HOST,
    CONF_REALM,
    DOMAIN,
    SUBENTRY_TYPE_PHONE,
    SUBENTRY_TYPE_SHARED_LINE,
)
from .hub import SnomConfigEntry
from .line_flow import LineFlow
from .options_flow import MqttOptionsFlow
from .phone_flow import PhoneFlow
from .phones import check_bind, free_udp_port, local_address
from .settings import registrar_address

DEFAULT_HOST: Final = "0.0.0.0"  # noqa: S104, phones are elsewhere on the network
DEFAULT_PORT: Final = 5060
DEFAULT_REALM: Final = "home-assistant"

# Stricter than Home Assistant's check, which lets a zone or a line end through.
HOST: Final = re.compile(r"[A-Za-z0-9.:-]+")
REALM: Final = re.compile(r"[A-Za-z0-9 ._@-]{1,64}")

BIND_ERRORS: Final = {
    errno.EADDRINUSE: (CONF_PORT, "port_in_use"),
    errno.EADDRNOTAVAIL: (CONF_HOST, "not_our_address"),
    errno.EACCES: (CONF_PORT, "port_not_permitted"),
}

SERVER_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_ADVERTISED_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(
            NumberSelector(
                NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)
            ),
            vol.Coerce(int),
        ),
        vol.Required(CONF_HOST, default=DEFAULT_HOST): TextSelector(),
        vol.Required(CONF_REALM, default=DEFAULT_REALM): TextSelector(),
    }
)


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
        return await self._async_step_server(
            SOURCE_USER, user_input, {CONF_ADVERTISED_HOST: local_address()}
        )

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
        errors: dict[str, str] = {}
        placeholders = {CONF_PORT: "", "free_port": ""}
        if user_input is not None:
            host = user_input[CONF_ADVERTISED_HOST].strip()
            user_input = user_input | {CONF_ADVERTISED_HOST: host}
            self._async_abort_entries_match(
                {key: user_input[key] for key in (CONF_HOST, CONF_PORT)}
            )
            suggested = user_input
            errors = await self._async_validate(user_input)
            if not errors:
                return self._async_finish(user_input)
            if errors.get(CONF_PORT) == "port_in_use":
                free_port = _next_free_port(user_input)
                placeholders = {
                    CONF_PORT: str(user_input[CONF_PORT]),
                    "free_port": str(free_port),
                }
                suggested = user_input | {CONF_PORT: free_port}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(SERVER_SCHEMA, suggested),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_validate(self, server: dict[str, Any]) -> dict[str, str]:
        """Return what is wrong with the settings of a server, by field."""
        errors: dict[str, str] = {}
        if not _is_advertisable(server[CONF_ADVERTISED_HOST]):
            errors[CONF_ADVERTISED_HOST] = "invalid_host"
        if not REALM.fullmatch(server[CONF_REALM]):
            errors[CONF_REALM] = "invalid_realm"
        try:
            await self._async_check_bind(server[CONF_HOST], server[CONF_PORT])
        except ValueError:
            errors[CONF_HOST] = "invalid_address"
        except OSError as err:
            field, error = BIND_ERRORS.get(err.errno or 0, ("base", "cannot_listen"))
            errors[field] = error
        return errors

    async def _async_check_bind(self, host: str, port: int) -> None:
        """Try to bind, also where the server that is being changed is in the way.

        Raises what `check_bind` raises.
        """
        if self.source == SOURCE_RECONFIGURE:
            entry: SnomConfigEntry = self._get_reconfigure_entry()
            is_running = entry.state is ConfigEntryState.LOADED
            if is_running and entry.data[CONF_PORT] == port:
                if entry.data[CONF_HOST] != host:
                    check_bind(host, 0)
                    await entry.runtime_data.async_check_bind(host)
                return
        check_bind(host, port)

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


def _is_advertisable(host: str) -> bool:
    """Return whether phones can know us by this address or name."""
    if not HOST.fullmatch(host) or not is_host_valid(host):
        return False
    return not (is_ip_address(host) and is_invalid(ip_address(host)))


def _server_title(server: Mapping[str, Any]) -> str:
    return f"Phones on {registrar_address(server)}"


def _next_free_port(server: Mapping[str, Any]) -> int:
    """Return the first free port after the wanted one, or that one if there is none."""
    port: int = server[CONF_PORT]
    try:
        return free_udp_port(server[CONF_HOST], port + 1)
    except OSError:
        return port
