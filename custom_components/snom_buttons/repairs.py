"""Repair flows, with which a user fixes an issue at once."""

from typing import Any, override

import voluptuous as vol

from homeassistant.components.repairs import (
    ConfirmRepairFlow,
    RepairsFlow,
    RepairsFlowResult,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.selector import EntitySelector

from .hub.hub import SnomConfigEntry
from .hub.issues import LINK_MISSING
from .hub.links.follower import async_relink


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


class LinkFlow(RepairsFlow):
    """Links a key to another entity, or to none."""

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin with the only page."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask for another entity, and store it."""
        if user_input is None:
            issue = ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id)
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({vol.Optional("entity"): EntitySelector()}),
                description_placeholders=issue.translation_placeholders
                if issue
                else None,
            )
        data = {name: str(value) for name, value in (self.data or {}).items()}
        entry = self.hass.config_entries.async_get_entry(data["entry_id"])
        if entry is not None:
            async_relink(
                self.hass,
                entry,
                data["subentry_id"],
                data["key"],
                before=data["entity_id"],
                after=user_input.get("entity"),
            )
        return self.async_create_entry(data={})


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow for one of the fixable issues."""
    return LinkFlow() if issue_id.startswith(LINK_MISSING) else ReleaseFlow()
