"""What a linked key shows: the state of an entity, and for some seconds a press."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
import logging
from typing import Any, override

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.exceptions import TemplateError
from homeassistant.helpers.event import (
    TrackTemplate,
    TrackTemplateResult,
    TrackTemplateResultInfo,
    async_call_later,
    async_track_template_result,
)
from homeassistant.helpers.template import Template

from ...const import ATTR_KEY, ATTR_PHONE
from ...engine.keywords import MAX_LABEL, Face, read_face
from ...engine.names import without_forbidden
from ...engine.phones import Key
from ...engine.refused import Refused
from ...engine.xbuttons import KeyDescription, LightMode
from ..settings import LinkLabel, LinkSettings
from .labels import state_label
from .looks import ERROR, OFF, VALUES, face_of

_LOGGER = logging.getLogger(__name__)

CONFIRM = Face(LightMode.PICKUP)
"""Shown while a press has to be repeated."""


class LinkedLook:
    """The look of a linked key, with its timer and its templates.

    It is the real state, never what a press should lead to. Over that it shows what
    `set_key` has set, and over both for some seconds that a press has to be repeated,
    has failed or was received.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        extension: str,
        key: Key,
        link: LinkSettings,
        passing_changed: Callable[[], None],
    ) -> None:
        """Create a look that is not shown yet.

        `passing_changed` is called when `passing` has changed.
        """
        self.key = key
        self.link = link
        self.setup = key.setup
        """The key's setup for which this was made."""
        self.passing: Face | None = None
        """What the lamp shows for some seconds."""
        self._end_passing: CALLBACK_TYPE | None = None
        self._passing_changed = passing_changed
        self._hass = hass
        self._extension = extension
        self._is_started = False
        self._table, self._has_bad_table = _read_table(link.table)
        self._tracker: TrackTemplateResultInfo | None = None
        self._face: Face | None = None
        """The result of the template of the look."""
        self._label: str | None = None
        """The result of the template of the label."""
        self._reported: set[str] = set()
        """What was logged of templates and table, each once."""
        self._base: KeyDescription | None = None
        """The look by the link; None until the entity is there."""
        self._override: KeyDescription | None = None
        """What was set over the link."""
        self._is_showing = False
        """Whether the look changes by this, and not by another caller."""
        self._subscriptions = [
            key.shown.subscribe(self._async_shown),
            key.was_reset.subscribe(self._async_reset),
        ]

    def __str__(self) -> str:
        """Return the name of the key in the log."""
        return f"key {self.setup.name} of phone {self._extension}"

    def variables(self, entity_id: str) -> Mapping[str, Any]:
        """Return the variables of templates and actions about an entity."""
        return {
            ATTR_ENTITY_ID: entity_id,
            ATTR_KEY: self.setup.name,
            ATTR_PHONE: self._extension,
        }

    @callback
    def async_stop(self) -> None:
        """End timer and templates. The key keeps its look."""
        for unsubscribe in self._subscriptions:
            unsubscribe()
        self._subscriptions = []
        self.async_end_passing()
        self._async_end_templates()

    # The state

    @callback
    def async_start(self) -> None:
        """Show the state, or that there is none, once Home Assistant has started."""
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
    def async_refresh(self) -> None:
        """Show the state of the entity, if it is known already."""
        if self._async_read_state():
            self._async_render()

    @callback
    def async_changed(self, event: Event[EventStateChangedData]) -> None:
        """Show a change of the entity; it ends what was set over the link."""
        before, base = event.data["old_state"], self._base
        after = event.data["new_state"]
        is_new_word = (before and before.state) != (after and after.state)
        if is_new_word and self.passing == CONFIRM:
            # The press would do something else now.
            self._async_forget_passing()
        self._async_read_state()
        if is_new_word or self._base != base:
            self._override = None
        self._async_render()

    @callback
    def _async_read_state(self) -> bool:
        """Set the look by the link; return whether the entity is known already."""
        state = self._hass.states.get(self.link.follows)
        has_template = self.link.template or self.link.label_template
        is_known = state is not None and state.state not in _COMING
        if not self._is_started and (has_template or not is_known):
            return False
        try:
            face, label = self._face_of(state), self._label_of(state)
        except Exception as err:  # noqa: BLE001, attributes may be anything
            self._report("state", f"its entity has a strange state: {err}")
            face, label = ERROR, self.setup.title
        self._base = self._look(face, label)
        return True

    def _face_of(self, state: State | None) -> Face:
        """Return the look of a state by the template or the table, else by its domain."""
        if self.link.template and _is_there(state):
            return self._face or OFF
        if state is not None and state.state in self._table:
            return self._table[state.state]
        return face_of(state) or Face(self.link.unavailable)

    def _label_of(self, state: State | None) -> str:
        """Return the label: the name while the entity is unavailable."""
        if state is None or not _is_there(state):
            return self.setup.title
        if self.link.label_template:
            return self._label or ""
        label = self.link.label
        if label is LinkLabel.STATE or (
            label is LinkLabel.AUTOMATIC and state.domain in VALUES
        ):
            return state_label(self._hass, state)
        return self.setup.title

    def _look(self, face: Face, label: str) -> KeyDescription:
        color = face.color if self.setup.colors else None
        return _look_with(self.setup.off, face.light, color, label)

    # Templates

    @callback
    def _async_track_templates(self) -> None:
        self._async_end_templates()
        variables = self.variables(self.link.follows)
        tracked = [
            TrackTemplate(Template(source, self._hass), variables)
            for source in (self.link.template, self.link.label_template)
            if source
        ]
        if tracked:
            self._tracker = async_track_template_result(
                self._hass, tracked, self._async_rendered, log_fn=_quietly
            )
            self._tracker.async_refresh()

    @callback
    def _async_end_templates(self) -> None:
        if self._tracker is not None:
            self._tracker.async_remove()
            self._tracker = None

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

    def _label_from(self, update: TrackTemplateResult) -> str:
        result: object = update.result
        if not isinstance(result, str | TemplateError):
            # It was parsed: 21.50 has become 21.5.
            variables = self.variables(self.link.follows)
            try:
                result = update.template.async_render(
                    variables, parse_result=False, log_fn=_quietly
                )
            except TemplateError as err:  # as one with a random number
                result = err
        if isinstance(result, TemplateError):
            self._report("label", f"the template of its label failed: {result}")
            return self.setup.title
        return str(result)

    def _report(self, subject: str, message: str) -> None:
        """Log what is wrong with a part of the link, once."""
        if subject not in self._reported:
            self._reported.add(subject)
            _LOGGER.warning("The link of %s: %s", self, message)

    # What is set over the link, and what is shown for some seconds

    @callback
    def async_show_for(self, face: Face, seconds: float) -> None:
        """Show a light mode and a colour for some seconds."""
        self._async_forget_passing()
        self.passing = face
        self._end_passing = async_call_later(
            self._hass, seconds, self.async_end_passing
        )
        self._passing_changed()
        if self._base is None and self._override is None:
            self._base = self.key.look
        self._async_render()

    @callback
    def async_end_passing(self, _: datetime | None = None) -> None:
        """End what is shown for some seconds."""
        if self.passing is not None:
            self._async_forget_passing()
            self._async_render()

    @callback
    def _async_forget_passing(self) -> None:
        if self._end_passing is not None:
            self._end_passing()
        self.passing, self._end_passing = None, None
        self._passing_changed()

    @callback
    def _async_render(self) -> None:
        """Show what is on top: passing, set over the link, or the link."""
        look = self._override or self._base or self.key.look
        if self.passing is not None:
            look = replace(look, light=self.passing.light, color=None)
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


class LinkPreview(LinkedLook):
    """The look that a link would give a key, for the time of its dialogue."""

    def __init__(
        self, hass: HomeAssistant, *, extension: str, key: Key, link: LinkSettings
    ) -> None:
        """Create a look that is not shown yet."""
        super().__init__(
            hass, extension=extension, key=key, link=link, passing_changed=lambda: None
        )

    @override
    def _report(self, subject: str, message: str) -> None:
        """Log nothing: the user is still writing."""


@lru_cache(maxsize=4096)  # keys go on and off, and have the same looks again
def _look_with(
    off: KeyDescription, light: LightMode | str, color: str | None, label: str
) -> KeyDescription:
    label = without_forbidden(label)[:MAX_LABEL].strip()
    return replace(off, light=light, color=color, label=label or None)


_COMING = (STATE_UNAVAILABLE, STATE_UNKNOWN)
"""The states of entities that are not there yet while Home Assistant starts."""


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
    for state, name in (("on", "true"), ("off", "false")):
        if state in faces:
            # Some sensors have these states, and the editor takes both for one word.
            faces.setdefault(name, faces[state])
    return faces, is_bad


def _quietly(level: int, message: str) -> None:
    """Log for debugging what Home Assistant would warn of at each result of a template."""
    _LOGGER.debug("%s", message)
