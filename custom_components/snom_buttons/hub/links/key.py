"""A linked key: it shows what an entity does, and its press acts on the entity."""

from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
import logging
from math import inf
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import EVENT_LOGBOOK_ENTRY, STATE_UNAVAILABLE
from homeassistant.core import (
    CALLBACK_TYPE,
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, TemplateError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.event import (
    TrackTemplate,
    TrackTemplateResult,
    TrackTemplateResultInfo,
    async_call_later,
    async_track_template_result,
)
from homeassistant.helpers.script import Script, async_validate_actions_config
from homeassistant.helpers.template import Template

from ...const import ATTR_CALLER, ATTR_KEY, ATTR_PHONE, DOMAIN
from ...engine.keywords import MAX_LABEL, Face, read_face
from ...engine.names import without_forbidden
from ...engine.phones import Key, KeyPress
from ...engine.refused import Refused
from ...engine.xbuttons import KeyDescription, LightMode
from ..context import context_of
from ..settings import LinkLabel, LinkPress, LinkSettings
from ..texts import key_title, text
from .labels import state_label
from .looks import ERROR, OFF, ON, STATELESS, VALUES, face_of
from .presses import Call, call_for, needs_confirmation

_LOGGER = logging.getLogger(__name__)

CONFIRM: Final = Face(LightMode.PICKUP)
CONFIRM_SECONDS: Final = 5
"""Seconds within which a press has to be repeated."""
ERROR_SECONDS: Final = 3
"""Seconds for which a key shows that its action has failed."""
RECEIPT_SECONDS: Final = 1
"""Seconds for which a key without a state shows that it was pressed."""
MAX_CALLS: Final = 4
"""Automatic actions of a key that run at the same time: a stop must not wait."""

CIRCLE_SECONDS: Final = 1
"""Seconds after an action in which what it has caused does not press its key again."""


@dataclass(slots=True)
class _Acting:
    """An action of a key, which runs or has just run."""

    key: Key
    until: float = inf
    """The end, by the loop's clock, of the time in which it cannot press its key."""


_ACTING: ContextVar[tuple[_Acting, ...]] = ContextVar("acting", default=())
"""The actions that have caused what runs now; tasks and callbacks inherit it."""

type Run = Callable[[Coroutine[Any, Any, None], str], None]
"""Runs a coroutine in a task of the config entry."""


class LinkedKey:
    """One linked key, with its timers, its templates and its script.

    Its look is the real state, never what a press should lead to. Over that it shows
    what `set_key` has set, and over both for some seconds that a press has to be
    repeated, has failed or was received. A change of state calls no action, and what its
    actions cause does not press it again, so a circle of links cannot run by itself.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        extension: str,
        key: Key,
        link: LinkSettings,
        event_entity: Callable[[], str | None],
        device_name: Callable[[], str],
        run: Run,
    ) -> None:
        """Create a link that shows nothing yet.

        `event_entity` and `device_name` name the key in the logbook.
        """
        self.key = key
        self.link = link
        self._hass = hass
        self._setup = key.setup
        self._extension = extension
        self._event_entity = event_entity
        self._device_name = device_name
        self._run = run
        self._is_started = False
        self._is_stopped = False
        self._script: Script | None = None
        self._calls = 0
        self._table, self._has_bad_table = _read_table(link.table)
        self._tracker: TrackTemplateResultInfo | None = None
        self._face: Face | None = None
        """The result of the template of the look."""
        self._label: str | None = None
        """The result of the template of the label."""
        self._reported: set[str] = set()
        """What was logged of templates, table and actions, each once."""
        self._base: KeyDescription | None = None
        """The look by the link; None until the entity is there."""
        self._override: KeyDescription | None = None
        """What was set over the link."""
        self._passing: Face | None = None
        """What the lamp shows for some seconds."""
        self._is_confirming = False
        self._end_passing: CALLBACK_TYPE | None = None
        self._is_showing = False
        self._subscriptions = [
            key.shown.subscribe(self._async_shown),
            key.was_reset.subscribe(self._async_reset),
        ]

    async def prepare(self) -> None:
        """Read the actions. To be called once, before presses."""
        if not self.link.actions:
            return
        try:
            sequence = await async_validate_actions_config(
                self._hass, cv.SCRIPT_SCHEMA(list(self.link.actions))
            )
        except (HomeAssistantError, vol.Invalid) as err:
            self._report("actions", f"its actions cannot be read: {err}")
            return
        self._script = Script(
            self._hass,
            sequence,
            f"{self._device_name()} {self._setup.title}",
            DOMAIN,
            log_exceptions=False,
            logger=_LOGGER,
            max_exceeded="SILENT",
        )

    async def stop(self) -> None:
        """End timers, templates and the script. The key keeps its look."""
        self._is_stopped = True
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._subscriptions = []
        self._async_end_passing()
        if self._tracker is not None:
            self._tracker.async_remove()
        if self._script is not None:
            await self._script.async_unload()

    def serves(self, key: Key, link: LinkSettings) -> bool:
        """Return whether this link can stay under new settings."""
        return key is self.key and key.setup == self._setup and link == self.link

    # The look

    @callback
    def async_start(self) -> None:
        """Show the state, also that there is none: Home Assistant has started."""
        if self._is_started:
            return
        self._is_started = True
        if self._has_bad_table:
            self._report("table", "its table names a look that no lamp has")
        self._async_track_templates()
        self.async_refresh()

    @callback
    def async_rename(self, before: str, after: str) -> None:
        """Follow an entity under its new name, whose state comes later."""
        if before in self.link.entities:
            self.link = self.link.renamed(before, after)
            if self._is_started:
                self._async_track_templates()

    @callback
    def _async_track_templates(self) -> None:
        if self._tracker is not None:
            self._tracker.async_remove()
            self._tracker = None
        tracked = [
            TrackTemplate(Template(source, self._hass), self._variables())
            for source in (self.link.template, self.link.label_template)
            if source
        ]
        if tracked:
            self._tracker = async_track_template_result(
                self._hass, tracked, self._async_rendered, log_fn=_quietly
            )
            self._tracker.async_refresh()

    @callback
    def async_refresh(self) -> None:
        """Show the state of the entity, if it is known already."""
        state = self._hass.states.get(self.link.follows)
        face = self._face_of(state)
        if not self._is_started and (face is None or self._has_template):
            return
        unavailable = Face(self.link.unavailable)
        if self.link.template and _is_there(state):
            face = self._face or OFF
        self._base = self._look(face or unavailable, self._label_of(state))
        self._async_render()

    @callback
    def async_changed(self, event: Event[EventStateChangedData]) -> None:
        """Show a change of the entity; it ends what was set over the link."""
        before, base = event.data["old_state"], self._base
        after = event.data["new_state"]
        is_new_word = (before and before.state) != (after and after.state)
        if is_new_word and self._is_confirming:
            # The press would do something else now.
            self._async_end_passing()
        override, self._override = self._override, None
        self.async_refresh()
        if override is not None and not is_new_word and self._base == base:
            self._override = override
            self._async_render()

    @property
    def _has_template(self) -> bool:
        return bool(self.link.template or self.link.label_template)

    def _face_of(self, state: State | None) -> Face | None:
        """Return the look of a state by the table, else by its domain."""
        if state is not None and state.state in self._table:
            return self._table[state.state]
        return face_of(state)

    def _label_of(self, state: State | None) -> str:
        """Return the label: the name while the entity is unavailable."""
        if state is None or not _is_there(state):
            return self._setup.title
        if self.link.label_template:
            return self._label or ""
        label = self.link.label
        if label is LinkLabel.STATE or (
            label is LinkLabel.AUTOMATIC and state.domain in VALUES
        ):
            return state_label(self._hass, state)
        return self._setup.title

    def _look(self, face: Face, label: str) -> KeyDescription:
        return replace(
            self._setup.off,
            light=face.light,
            color=face.color if self._setup.colors else None,
            label=without_forbidden(label)[:MAX_LABEL].strip() or None,
        )

    @callback
    def _async_render(self) -> None:
        """Show what is on top: passing, set over the link, or the link."""
        look = self._override or self._base or self.key.look
        if self._passing is not None:
            look = replace(look, light=self._passing.light, color=None)
        self._is_showing = True
        try:
            self.key.show(look)
        finally:
            self._is_showing = False

    @callback
    def _async_shown(self, _: object) -> None:
        """Keep what another caller has set over the link."""
        if not self._is_showing:
            self._async_forget_passing()
            self._override = self.key.look

    @callback
    def _async_reset(self, _: object) -> None:
        self._async_forget_passing()
        self._override = None
        self._async_render()

    @callback
    def _async_rendered(
        self,
        _event: Event[EventStateChangedData] | None,
        updates: list[TrackTemplateResult],
    ) -> None:
        """Take the results of templates; one that fails is the look of an error."""
        for update in updates:
            source = update.template.template
            if source == self.link.template:
                self._face = self._face_from(update.result)
            if source == self.link.label_template:
                self._label = self._label_from(update)
        self.async_refresh()

    def _face_from(self, result: object) -> Face:
        if isinstance(result, TemplateError):
            self._report("look", f"the template of its look failed: {result}")
            return ERROR
        try:
            return read_face(result)
        except Refused as refused:
            value = refused.placeholders.get("value", "")
            self._report("look", f"the template of its look gave {value}")
            return ERROR

    def _label_from(self, update: TrackTemplateResult) -> str | None:
        if isinstance(update.result, TemplateError):
            self._report("label", f"the template of its label failed: {update.result}")
            return self._setup.title
        # The result was parsed: 21.50 would have become 21.5.
        return str(update.template.async_render(self._variables(), parse_result=False))

    def _variables(self) -> Mapping[str, Any]:
        return {
            "entity_id": self.link.acts_on,
            ATTR_KEY: self._setup.name,
            ATTR_PHONE: self._extension,
        }

    # Presses

    @callback
    def async_pressed(self, press: KeyPress) -> None:
        """Act on a press, or ask that it is repeated."""
        link = self.link
        if link.press is LinkPress.NOTHING and not link.actions:
            return
        if self._causes_this():
            _LOGGER.debug("%s is pressed by its own actions", self._named)
            return
        state = self._hass.states.get(link.acts_on)
        context = context_of(press)
        call: Call | None = None
        if not link.actions:
            if state is None or not _is_there(state):
                self._async_failed(f"{link.acts_on} is unavailable", context)
                return
            if (call := call_for(state, link)) is None:
                return
        if needs_confirmation(state, link) and not self._is_confirming:
            self._async_show_for(CONFIRM, CONFIRM_SECONDS)
            self._is_confirming = True
            return
        self._async_end_passing()
        if link.follows.partition(".")[0] in STATELESS:
            self._async_show_for(ON, RECEIPT_SECONDS)
        if call is not None:
            self._async_act(self._async_call(call, context), context)
        else:
            self._async_act(self._async_run(press, context), context)

    @callback
    def _async_act(
        self, action: Coroutine[Any, Any, None], context: Context | None
    ) -> None:
        # Actions run one at a time, also those that press their own key. What a device
        # is asked for does not wait for that, so that a cover can be stopped.
        if self._calls >= (1 if self.link.actions else MAX_CALLS):
            _LOGGER.debug("%s is still busy, and a press does nothing", self._named)
            action.close()
            return
        self._run(self._async_guarded(action, context), f"press of {self._named}")

    async def _async_guarded(
        self, action: Coroutine[Any, Any, None], context: Context | None
    ) -> None:
        """Run an action; show and report any failure, whatever the action raises."""
        acting = _Acting(self.key)
        _ACTING.set((*_ACTING.get(), acting))
        self._calls += 1
        try:
            await action
        except Exception as err:  # noqa: BLE001
            if not self._is_stopped:
                self._async_failed(str(err) or type(err).__name__, context)
        finally:
            self._calls -= 1
            acting.until = self._hass.loop.time() + CIRCLE_SECONDS

    def _causes_this(self) -> bool:
        """Return whether an action of this key has caused what runs now.

        `press_key` within the actions of a key would press it again without end.
        """
        now = self._hass.loop.time()
        return any(it.key is self.key and now < it.until for it in _ACTING.get())

    async def _async_call(self, call: Call, context: Context | None) -> None:
        await self._hass.services.async_call(
            call.domain, call.service, dict(call.data), blocking=True, context=context
        )

    async def _async_run(self, press: KeyPress, context: Context | None) -> None:
        if self._script is None:
            raise HomeAssistantError("its actions cannot be read")
        variables = {**self._variables(), ATTR_CALLER: press.caller}
        await self._script.async_run(variables, context=context)

    @callback
    def _async_failed(self, reason: str, context: Context | None) -> None:
        """Show an error, and report it once in the log and in the logbook."""
        _LOGGER.warning("A press of %s failed: %s", self._named, reason)
        data = {
            "name": key_title(self._hass, self._setup.name, self._setup.title),
            "message": text(
                self._hass,
                "logbook_press_failed",
                phone=self._device_name(),
                error=reason,
            ),
            "domain": DOMAIN,
        }
        if entity_id := self._event_entity():
            data["entity_id"] = entity_id
        self._hass.bus.async_fire(EVENT_LOGBOOK_ENTRY, data, context=context)
        self._async_show_for(ERROR, ERROR_SECONDS)

    # What is shown for some seconds

    @callback
    def _async_show_for(self, face: Face, seconds: float) -> None:
        self._async_forget_passing()
        self._passing = face
        self._end_passing = async_call_later(
            self._hass, seconds, self._async_end_passing
        )
        if self._base is None and self._override is None:
            self._base = self.key.look
        self._async_render()

    @callback
    def _async_end_passing(self, _: datetime | None = None) -> None:
        if self._passing is not None:
            self._async_forget_passing()
            self._async_render()

    @callback
    def _async_forget_passing(self) -> None:
        if self._end_passing is not None:
            self._end_passing()
        self._passing, self._end_passing, self._is_confirming = None, None, False

    @property
    def _named(self) -> str:
        return f"key {self._setup.name} of phone {self._extension}"

    def _report(self, subject: str, message: str) -> None:
        """Log what is wrong with a part of the link, once."""
        if subject not in self._reported:
            self._reported.add(subject)
            _LOGGER.warning("The link of %s: %s", self._named, message)


def _is_there(state: State | None) -> bool:
    return state is not None and state.state != STATE_UNAVAILABLE


def _read_table(table: Mapping[str, Any]) -> tuple[dict[str, Face], bool]:
    """Return the looks of a table, and whether one of them cannot be read."""
    faces, is_bad = {}, False
    for state, look in table.items():
        try:
            faces[state] = read_face(look)
        except Refused:
            faces[state], is_bad = ERROR, True
    return faces, is_bad


def _quietly(level: int, message: str) -> None:
    """Take what Home Assistant would log at each result of a template."""
    _LOGGER.debug("%s", message)
