"""Repair flows, with which a user fixes an issue at once."""

from typing import Any, override

from homeassistant.components.repairs import (
    ConfirmRepairFlow,
    RepairsFlow,
    RepairsFlowResult,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .hub.hub import SnomConfigEntry


class ReleaseFlow(ConfirmRepairFlow):
    """Releases the sources that are locked out."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for confirmation, and release them."""
        if user_input is not None:
            entry_id = str((self.data or {})["entry_id"])
            entry: SnomConfigEntry | None = self.hass.config_entries.async_get_entry(
                entry_id
            )
            if entry is not None and entry.state is ConfigEntryState.LOADED:
                server = entry.runtime_data.server
                for source in server.locked:
                    server.release(source)
        return await super().async_step_confirm(user_input)


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow for the only fixable issue."""
    return ReleaseFlow()
