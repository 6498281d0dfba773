"""The part of the dialogue of a phone that is in the network already."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
import logging
from typing import Any, Final

import voluptuous as vol

from homeassistant.components.switch import DOMAIN as SWITCH_DOMAIN
from homeassistant.config_entries import ConfigSubentry, SubentryFlowResult
from homeassistant.const import (
    ATTR_ENTITY_ID,
    CONF_TOKEN,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
)
from homeassistant.core import HassJob, HomeAssistant, callback
from homeassistant.helpers.selector import EntitySelector, EntitySelectorConfig

from ..const import CONF_PHONE
from ..engine.provisioning import reboot_link, setting_link
from ..hub.hub import SnomHub
from ..hub.markdown import escape_markdown
from ..hub.provisioning.discovery import (
    Found,
    async_drop_card,
    async_found,
    async_is_set_up,
)
from ..hub.provisioning.profiles import async_can_fetch, async_settings_url
from ..hub.settings import is_allowed
from ..hub.texts import async_load_texts, text
from .account import async_new_phone
from .choose import async_left_out
from .forms import Faults
from .new_keys import NewKeys
from .plug_in import ANOTHER, WAIT, PlugInFlow, phone_selector

_LOGGER = logging.getLogger(__name__)

OFF_SECONDS: Final = 5.0
"""Seconds for which the switch of a phone's power is off."""
CONF_SWITCH: Final = "switch"


class FoundFlow(PlugInFlow):
    """Add a phone that runs, and say how it gets its settings without being touched."""

    _listed: Mapping[str, Found] = {}
    _found: Found | None = None
    """The phone that was chosen; None for one that was not found."""
    _added: ConfigSubentry
    _ways = ""
    _fetching: asyncio.Task[None] | None = None

    async def async_step_found(
        self, user_input: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """Offer the phones that were found."""
        await async_load_texts(self.hass)
        if user_input is not None:
            self._found = self._listed.get(user_input[CONF_PHONE])
            return await self.async_step_found_keys()
        if (hub := self._hub) is None:
            return self.async_abort(reason="not_running")
        if not async_can_fetch(self.hass, hub.settings):
            return self.async_abort(reason="no_settings_url")
        found = async_found(self.hass, hub.provisioning.newcomers)
        self._listed = {it.mac: it for it in found}
        labels = {it.mac: it.label for it in found}
        return self.async_show_form(
            step_id="found",
            data_schema=vol.Schema(
                {
                    vol.Required(
                        CONF_PHONE, default=next(iter(labels), ANOTHER)
                    ): phone_selector(labels, "found_phone")
                }
            ),
            last_step=False,
        )

    @property
    def _model(self) -> str:
        return self._found.model if self._found else ""

    async def async_step_found_keys(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what should be on the keys, and add the phone."""
        keys = NewKeys(self.hass, self._model, user_input)
        if keys.is_chosen:
            self._entities = keys.entities
            return await self._async_add()
        return self.async_show_form(
            step_id="found_keys",
            data_schema=self.add_suggested_values_to_schema(keys.schema, keys.values),
            errors=keys.faults.errors,
            description_placeholders=keys.faults.placeholders,
            last_step=False,
        )

    async def _async_add(self) -> SubentryFlowResult:
        hub, found = self._hub, self._found
        if hub is None or (found and async_is_set_up(self.hass, found.mac)):
            return await self.async_step_found()
        entry = self._get_entry()
        self._added = async_new_phone(
            self.hass,
            entry,
            found.mac if found else None,
            self._model,
            entities=self._entities,
        )
        self.hass.config_entries.async_add_subentry(entry, self._added)
        await hub.async_update()
        if found is not None:
            async_drop_card(self.hass, found.mac)
            if found.newcomer is not None:
                hub.provisioning.async_answer_late(found.newcomer)
        return await self.async_step_reach()

    async def async_step_reach(
        self, user_input: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """Say what can be done without touching the phone, and switch its power."""
        self._get_entry()
        faults = Faults({"error": ""})
        if user_input is None:
            self._ways = self._make_ways()
        else:
            if switch := user_input.get(CONF_SWITCH):
                await self._async_restart(switch, faults)
            if not faults:
                return await self._async_wait()
        return self.async_show_form(
            step_id="reach",
            data_schema=self.add_suggested_values_to_schema(
                self._reach_schema, user_input
            ),
            errors=faults.errors,
            description_placeholders=faults.placeholders | self._about,
            last_step=False,
        )

    @property
    def _reach_schema(self) -> vol.Schema:
        # The announcement of a phone whose hardware address is not known is not answered.
        if self._found is None:
            return vol.Schema({})
        own = EntitySelectorConfig(
            domain=SWITCH_DOMAIN, exclude_entities=[*async_left_out(self.hass, ())]
        )
        return vol.Schema({vol.Optional(CONF_SWITCH): EntitySelector(own)})

    @property
    def _about(self) -> dict[str, str]:
        named = self._found.label if self._found else text(self.hass, "another_phone")
        return {
            "phone": escape_markdown(self._added.title),
            "named": escape_markdown(named),
            "ways": self._ways,
        }

    def _make_ways(self) -> str:
        """Return how the phone gets its settings, as a list in Markdown."""
        if (hub := self._hub) is None:
            return ""

        def folder(token: str) -> str:
            return async_settings_url(self.hass, hub.settings, token) or ""

        ways = []
        found = self._found
        # A DHCP request can ask for any address, to which the browser would go.
        if found is not None and is_allowed(hub.settings, found.host):
            # The link stays in the history of the browser, so it has a first token.
            first = folder(hub.provisioning.tokens.async_issue(found.mac))
            url = f"{first}{found.mac}.xml"
            ways = [
                text(self.hass, "way_restart", url=reboot_link(found.host)),
                text(self.hass, "way_link", url=setting_link(found.host, url)),
            ]
        steady = folder(self._added.data[CONF_TOKEN])
        ways.append(text(self.hass, "way_type", url=steady))
        return "\n".join(f"- {way}" for way in ways)

    async def _async_restart(self, switch: str, faults: Faults) -> None:
        """Switch off the power of the phone; it is on again after OFF_SECONDS."""
        try:
            await _async_switch(self.hass, switch, SERVICE_TURN_OFF)
        except Exception as error:  # noqa: BLE001, the switch is of any integration
            faults.add(CONF_SWITCH, "switch_failed", error=str(error))
        # Also after an error, which may say only that no answer came. Not with the
        # dialogue, which may be closed meanwhile.
        _async_turn_on_later(self.hass, switch)

    async def async_step_fetch(
        self, user_input: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """Wait until the phone has fetched its settings."""
        assert self._fetching is not None
        if not self._fetching.done():
            return self.async_show_progress(
                step_id="fetch",
                progress_action="fetch",
                description_placeholders=self._about,
                progress_task=self._fetching,
            )
        return self.async_show_progress_done(
            next_step_id="fetched" if self._has_fetched else "unfetched"
        )

    async def _async_wait(self) -> SubentryFlowResult:
        # Not by `async_show_progress_done`, which would submit the page that follows.
        if self._has_fetched:
            return await self.async_step_fetched()
        # Nothing would end the task of a dialogue that was closed meanwhile.
        if (hub := self._hub) is None or self._is_closed:
            return await self.async_step_unfetched()
        self._fetching = self.hass.async_create_background_task(
            _async_fetched(hub, self._added.subentry_id),
            f"wait for {self._added.title}",
        )
        return await self.async_step_fetch()

    @property
    def _has_fetched(self) -> bool:
        """Whether the phone has fetched its settings."""
        hub, added = self._hub, self._added.subentry_id
        return hub is not None and hub.provisioning.refresher.async_has_fetched(added)

    async def async_step_fetched(
        self, user_input: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """Say that the phone is set up, and what has no key on it."""
        if user_input is not None:
            return self.async_abort(reason="phone_added")
        return self.async_show_form(
            step_id="fetched",
            data_schema=vol.Schema({}),
            description_placeholders=self._about
            | {"without_key": self._without_key(self._model)},
            last_step=True,
        )

    async def async_step_unfetched(
        self, user_input: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """Offer to try again, or to leave the phone as it is."""
        return self.async_show_menu(
            step_id="unfetched",
            menu_options=["reach", "later"],
            description_placeholders=self._about,
        )

    async def async_step_later(
        self, user_input: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """End. The phone is added, and fetches its settings whenever it asks for them."""
        self._get_entry()
        return self.async_abort(reason="phone_added")


async def _async_switch(hass: HomeAssistant, switch: str, service: str) -> None:
    await hass.services.async_call(
        SWITCH_DOMAIN, service, {ATTR_ENTITY_ID: switch}, blocking=True
    )


@callback
def _async_turn_on_later(hass: HomeAssistant, switch: str) -> None:
    """Turn on a switch after OFF_SECONDS, or at once if Home Assistant stops before."""
    stops = asyncio.Event()

    async def turn_on() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stops.wait(), OFF_SECONDS)
        try:
            await _async_switch(hass, switch, SERVICE_TURN_ON)
        except Exception as error:  # noqa: BLE001, the switch is of any integration
            _LOGGER.warning(
                "%s may be off, it could not be turned on again: %s", switch, error
            )
        forget()

    async def stop() -> None:
        stops.set()
        await turning_on

    turning_on = hass.async_create_task(turn_on())
    # Home Assistant does not wait for a task that began before it stops.
    forget = hass.async_add_shutdown_job(HassJob(stop))


async def _async_fetched(hub: SnomHub, subentry_id: str) -> None:
    """Return when a phone has fetched its settings, its server stops, or after WAIT."""
    refresher = hub.provisioning.refresher
    fetched = asyncio.Event()

    def follow(fetching: str) -> None:
        if fetching == subentry_id:
            fetched.set()

    unfollow = refresher.fetched.subscribe(follow)
    unfollow_entry = hub.entry.async_on_state_change(fetched.set)
    try:
        async with asyncio.timeout(WAIT):
            await fetched.wait()
    except TimeoutError:
        pass
    finally:
        unfollow()
        unfollow_entry()
