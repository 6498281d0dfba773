"""Dial rules: the script or scene that a dialled number turns on."""

from collections.abc import Mapping
import logging
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_ENTITY_ID, SERVICE_TURN_ON
from homeassistant.core import Context, HomeAssistant, callback, split_entity_id
from homeassistant.exceptions import HomeAssistantError

from ..engine.phones import Dialled, PhoneServer
from .context import context_of
from .follower import Follower
from .phone import SnomPhone

_LOGGER = logging.getLogger(__name__)


class DialRules(Follower):
    """Applies the dial rules of one server's phones."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
    ) -> None:
        """Create a follower. `phones` are the phones by extension, which may change."""
        super().__init__()
        self._hass = hass
        self._entry = entry
        self._server = server
        self._phones = phones

    @override
    @callback
    def start(self) -> None:
        self._subscriptions = [self._server.dialled.subscribe(self._async_dialled)]

    @callback
    def _async_dialled(self, dialled: Dialled) -> None:
        phone = self._phones.get(dialled.extension)
        if phone and (entity_id := phone.settings.dial_rules.get(dialled.number)):
            run = self._async_run(entity_id, context_of(dialled))
            self._entry.async_create_task(self._hass, run)

    async def _async_run(self, entity_id: str, context: Context | None) -> None:
        try:
            await self._hass.services.async_call(
                split_entity_id(entity_id)[0],
                SERVICE_TURN_ON,
                {ATTR_ENTITY_ID: entity_id},
                blocking=True,
                context=context,
            )
        except (HomeAssistantError, vol.Invalid) as err:
            _LOGGER.warning(
                "%s, which a dial rule turns on, failed: %s", entity_id, err
            )
