"""The part of the dialogue of a phone that waits until one is plugged in."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, override

import voluptuous as vol

from homeassistant.config_entries import ConfigEntryState, SubentryFlowResult
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from ..const import CONF_PHONE
from ..engine.provisioning import Mac
from ..hub.drawings import async_reset_drawings
from ..hub.hub import SnomConfigEntry, SnomHub
from ..hub.links.describe import entity_name
from ..hub.markdown import escape_markdown
from ..hub.provisioning.discovery import async_is_ignored, async_is_set_up, named
from ..hub.provisioning.newcomers import Newcomer
from ..hub.provisioning.profiles import async_can_fetch
from ..hub.provisioning.window import Window
from ..hub.texts import async_load_texts, text
from .account import async_new_phone, count_keys
from .forms import SnomSubentryFlow
from .new_keys import NewKeys

WAIT: Final = 300.0
"""Seconds in which a phone that is plugged in is set up."""
ANOTHER: Final = "another"
"""The choice of no phone that was heard."""


class PlugInFlow(SnomSubentryFlow):
    """Set up the next phone that is plugged in, its keys linked to chosen entities."""

    _entities: Sequence[str] = ()
    _window: Window | None = None
    _waiting: asyncio.Task[None] | None = None
    _offered: Mapping[Mac, Newcomer] = {}
    _unfollow: Callable[[], None] | None = None
    _is_closed = False

    async def async_step_plug_in(
        self, user_input: dict[str, list[str] | str] | None = None
    ) -> SubentryFlowResult:
        """Ask what should be on the keys, before it is known how many there are."""
        await async_load_texts(self.hass)
        if fault := self._fault:
            return self.async_abort(reason=fault)
        keys = NewKeys(self.hass, "", user_input)
        if keys.is_chosen:
            self._entities = keys.entities
            return await self.async_step_wait()
        return self.async_show_form(
            step_id="plug_in",
            data_schema=self.add_suggested_values_to_schema(keys.schema, keys.values),
            errors=keys.faults.errors,
            description_placeholders=keys.faults.placeholders,
            last_step=False,
        )

    @property
    def _hub(self) -> SnomHub | None:
        """The server, None if it does not run, or was removed."""
        entry: SnomConfigEntry | None = self.hass.config_entries.async_get_entry(
            self._entry_id
        )
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return None
        return entry.runtime_data

    @property
    def _fault(self) -> str | None:
        """Why no phone can be set up by plugging it in."""
        if (hub := self._hub) is None:
            return "not_running"
        if not hub.hearing.is_open:
            return "not_heard"
        can_fetch = async_can_fetch(self.hass, hub.settings)
        return None if can_fetch else "no_settings_url"

    async def async_step_wait(
        self, user_input: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """Wait until a phone has announced itself and fetched its settings."""
        if self._waiting is None:
            if fault := self._fault:
                return self.async_abort(reason=fault)
            window = self._async_window()
            self._unfollow = window.changed.subscribe(self._async_show_again)
            self._waiting = self.hass.async_create_background_task(
                _ended(window), f"wait for a phone of {self._get_entry().title}"
            )
        assert self._window is not None
        ended = self._window.ended
        if not ended.done() and not self._window.is_contested:
            return self.async_show_progress(
                step_id="wait",
                progress_action="wait",
                description_placeholders={
                    "heard": self._heard(),
                    **async_reset_drawings(self.hass),
                },
                progress_task=self._waiting,
            )
        # Home Assistant cancels the task if that has not ended.
        self._waiting = None
        self._async_unfollow()
        if not ended.done():
            return self.async_show_progress_done(next_step_id="which_phone")
        return self.async_show_progress_done(
            next_step_id="plugged_in" if ended.result() else "nothing_heard"
        )

    @callback
    def _async_window(self) -> Window:
        """Return the window that is open, else a new one."""
        if self._window is None or self._window.ended.done():
            entry: SnomConfigEntry = self._get_entry()
            self._window = entry.runtime_data.provisioning.async_open_window(
                lambda said: async_new_phone(
                    self.hass,
                    entry,
                    said.mac,
                    said.model,
                    entities=self._entities,
                )
            )
        return self._window

    async def async_step_which_phone(
        self, user_input: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """Ask which of several phones is to be set up."""
        window = self._window
        assert window is not None
        if window.ended.done():
            return await self.async_step_nothing_heard()
        entry: SnomConfigEntry = self._get_entry()
        provisioning = entry.runtime_data.provisioning
        if user_input is not None:
            chosen = self._offered.get(Mac(user_input[CONF_PHONE]))
            if chosen is not None:
                provisioning.async_choose(window, chosen)
            else:
                provisioning.async_pass_over(window, self._offered)
            if not window.is_contested:
                return await self.async_step_wait()
        self._offered = {
            it.announcement.mac: it for it in provisioning.async_candidates(window)
        }
        labels = {
            mac: named(newcomer.announcement) for mac, newcomer in self._offered.items()
        }
        selector = phone_selector(labels, "which_phone")
        return self.async_show_form(
            step_id="which_phone",
            data_schema=vol.Schema({vol.Required(CONF_PHONE): selector}),
            last_step=False,
        )

    @callback
    def _async_show_again(self, _: None) -> None:
        """Show what was heard meanwhile."""
        self.hass.async_create_task(
            self.hass.config_entries.subentries.async_configure(self.flow_id)
        )

    @callback
    def _async_unfollow(self) -> None:
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None

    @callback
    @override
    def async_remove(self) -> None:
        """Close the window with the dialogue. Home Assistant cancels the task."""
        self._is_closed = True
        self._async_unfollow()
        if self._window is not None:
            self._window.async_end(None)

    def _heard(self, *, is_over: bool = False) -> str:
        """Return what was heard, as Markdown."""
        assert self._window is not None
        answered, chosen = self._window.answered, self._window.chosen
        heard = dict(self._window.heard)
        for said in (answered, chosen):
            if said is not None:
                heard[said.mac] = said
        lines = []
        for said in heard.values():
            is_answered = answered is not None and said.mac == answered.mac
            if is_answered and is_over:
                state = text(self.hass, "heard_unfetched")
            elif is_answered:
                state = text(self.hass, "heard_answered")
            elif chosen is not None and said.mac == chosen.mac:
                state = text(self.hass, "heard_chosen")
            elif async_is_set_up(self.hass, said.mac):
                state = text(self.hass, "heard_known")
            elif async_is_ignored(self.hass, said.mac):
                state = text(self.hass, "heard_ignored")
            elif said.is_ours:
                state = text(self.hass, "heard_waits")
            else:
                state = text(self.hass, "heard_foreign")
            lines.append(f"- {escape_markdown(named(said))}: {state}")
        if lines:
            return "\n".join(lines)
        if is_over:
            return text(self.hass, "heard_none")
        return text(self.hass, "heard_nothing")

    async def async_step_plugged_in(
        self, user_input: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """Say which phone was set up, and what has no key on it.

        On a page of its own: the frontend asks again for the page after each event, and
        gets an error from a dialogue that has ended meanwhile.
        """
        if user_input is not None:
            return self.async_abort(reason="phone_added")
        assert self._window is not None and self._window.answered is not None
        said, phone = self._window.answered, self._window.ended.result()
        assert phone is not None
        return self.async_show_form(
            step_id="plugged_in",
            data_schema=vol.Schema({}),
            description_placeholders={
                "phone": escape_markdown(phone.title),
                "named": escape_markdown(named(said)),
                "without_key": self._without_key(said.model),
            },
            last_step=True,
        )

    def _without_key(self, model: str) -> str:
        """Return what has no key on a phone, "" for nothing, as Markdown."""
        beyond = [
            entity_name(self.hass, entity)
            for entity in self._entities[count_keys(model, self._entities) :]
        ]
        names = escape_markdown(", ".join(beyond))
        return text(self.hass, "without_key", entities=names) if beyond else ""

    async def async_step_nothing_heard(
        self, user_input: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """Say what was heard instead, and offer the ways out."""
        assert self._window is not None
        why = text(self.hass, "phone_only_starts")
        if self._window.is_superseded:
            why = text(self.hass, "another_waits")
        return self.async_show_menu(
            step_id="nothing_heard",
            menu_options=["wait", "found", "manual"],
            description_placeholders={
                "heard": self._heard(is_over=True),
                "why": why,
            },
        )


async def _ended(window: Window) -> None:
    """Return when a window has ended; end it after WAIT."""
    try:
        async with asyncio.timeout(WAIT):
            await asyncio.shield(window.ended)
    except TimeoutError:
        window.async_end(None)


def phone_selector(labels: Mapping[Mac, str], translation_key: str) -> SelectSelector:
    """Return a selector of one of these phones, or ANOTHER."""
    options = [SelectOptionDict(value=mac, label=it) for mac, it in labels.items()]
    # The frontend has its label.
    options.append(SelectOptionDict(value=ANOTHER, label=ANOTHER))
    return SelectSelector(
        SelectSelectorConfig(
            options=options,
            mode=SelectSelectorMode.LIST,
            translation_key=translation_key,
        )
    )
