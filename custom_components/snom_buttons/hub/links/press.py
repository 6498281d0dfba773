"""What a press of a linked key does: the action of its entity, or actions of its own."""

from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
import logging
from math import inf
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import EVENT_LOGBOOK_ENTRY, STATE_UNAVAILABLE
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.script import Script, async_validate_actions_config

from ...const import ATTR_CALLER, DOMAIN
from ...engine.names import without_forbidden
from ...engine.phones import Key, KeyPress
from ...engine.refused import Failed
from ..context import context_of
from ..texts import key_title, text
from .look import CONFIRM, LinkedLook
from .looks import ERROR, ON, STATELESS
from .presses import Call, acted_on, call_for, needs_confirmation

_LOGGER = logging.getLogger(__name__)

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


class Outcome(StrEnum):
    """How a press ended that has not failed."""

    ACTED = "acted"
    """Its action has ended."""
    ASKED = "asked"
    """It has to be repeated."""
    NOTHING = "nothing"
    """It does nothing."""


type Ended = Callable[[Outcome | Failed], None]
"""Called once for each press, with how it ended or why it failed."""

type Run = Callable[[Coroutine[Any, Any, None], str], None]
"""Runs a coroutine in a task of the config entry."""


@dataclass(slots=True)
class _Acting:
    """An action of a key, which runs or has just run."""

    key: Key
    until: float = inf
    """The end, by the loop's clock, of the time in which it cannot press its key."""


_ACTING: ContextVar[tuple[_Acting, ...]] = ContextVar("acting", default=())
"""The actions that have caused what runs now; tasks and callbacks inherit it."""


class LinkedPress:
    """The presses of a linked key, with its script.

    A change of state calls no action, and what the actions of a key cause does not press
    it again, so a circle of links cannot run by itself.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        look: LinkedLook,
        *,
        event_entity: Callable[[], str | None],
        device_name: Callable[[], str],
        run: Run,
    ) -> None:
        """Create the presses of a key with a look.

        `event_entity` and `device_name` name the key in the logbook.
        """
        self._hass = hass
        self._look = look
        self._event_entity = event_entity
        self._device_name = device_name
        self._run = run
        self._is_stopped = False
        self._script: Script | None = None
        self._asked: Call | None = None
        """What the press that has to be repeated would have done."""
        self._running = 0
        """How many actions run now."""
        self._reported: tuple[str, float] | None = None
        """The latest failure that was reported, and the end of its time."""

    async def stop(self) -> None:
        """End the script."""
        self._is_stopped = True
        if self._script is not None:
            await self._script.async_unload()

    @callback
    def async_pressed(self, press: KeyPress, ended: Ended) -> None:
        """Act on a press, or ask that it is repeated."""
        link, look = self._look.link, self._look
        state = acted_on(self._hass, link.acts_on)
        call = None if link.actions else call_for(state, link)
        if call is None and not link.actions:
            ended(Outcome.NOTHING)
            return
        if self._causes_this():
            _LOGGER.debug("%s is pressed by its own actions", look)
            ended(Outcome.NOTHING)
            return
        context = context_of(press)
        if call is not None and state.state == STATE_UNAVAILABLE:
            ended(self._async_failed(f"{link.acts_on} is unavailable", context))
            return
        # Actions of a user run one at a time. What a device is asked for does not wait
        # for that, so that a cover can be stopped.
        if self._running >= (MAX_CALLS if call is not None else 1):
            _LOGGER.debug("%s is still busy, and a press does nothing", look)
            ended(Failed("press_busy", **self._names))
            return
        is_repeated = look.passing == CONFIRM and self._asked == call
        if needs_confirmation(self._hass, state, link) and not is_repeated:
            self._asked = call
            look.async_show_for(CONFIRM, CONFIRM_SECONDS)
            ended(Outcome.ASKED)
            return
        look.async_end_passing()
        if link.follows.partition(".")[0] in STATELESS:
            look.async_show_for(ON, RECEIPT_SECONDS)
        action = (
            self._async_run_script(press, context)
            if call is None
            else self._async_call(call, context)
        )
        self._run(self._async_guarded(action, context, ended), f"press of {look}")

    async def _async_guarded(
        self,
        action: Coroutine[Any, Any, None],
        context: Context | None,
        ended: Ended,
    ) -> None:
        """Run an action; show and report any failure, whatever the action raises."""
        acting = _Acting(self._look.key)
        now = self._hass.loop.time()
        _ACTING.set((*(it for it in _ACTING.get() if now < it.until), acting))
        self._running += 1
        end: Outcome | Failed = Failed("press_cut_off")
        try:
            await action
            if not self._is_stopped:
                end = Outcome.ACTED
        except Exception as err:  # noqa: BLE001
            if not self._is_stopped:
                end = self._async_failed(str(err) or type(err).__name__, context)
        finally:
            self._running -= 1
            acting.until = self._hass.loop.time() + CIRCLE_SECONDS
            ended(end)

    def _causes_this(self) -> bool:
        """Return whether an action of this key has caused what runs now.

        `press_key` within the actions of a key would press it again without end.
        """
        now = self._hass.loop.time()
        key = self._look.key
        return any(it.key is key and now < it.until for it in _ACTING.get())

    async def _async_call(self, call: Call, context: Context | None) -> None:
        await self._hass.services.async_call(
            call.domain, call.service, dict(call.data), blocking=True, context=context
        )

    async def _async_run_script(self, press: KeyPress, context: Context | None) -> None:
        """Run the actions of the user. Raises HomeAssistantError, or what they raise."""
        if self._script is None:
            self._script = await self._async_read_script()
            if self._is_stopped:  # meanwhile
                return
        variables = self._look.variables(self._look.link.acts_on)
        await self._script.async_run(
            {**variables, ATTR_CALLER: press.caller}, context=context
        )

    async def _async_read_script(self) -> Script:
        """Return the actions as a script.

        Not before a press, because that waits for the integrations whose devices the
        actions name, and these may be our own. Raises HomeAssistantError.
        """
        try:
            sequence = await async_validate_actions_config(
                self._hass, cv.SCRIPT_SCHEMA(list(self._look.link.actions))
            )
        except (HomeAssistantError, vol.Invalid) as err:
            raise HomeAssistantError(f"its actions cannot be read: {err}") from None
        return Script(
            self._hass,
            sequence,
            f"{self._device_name()} {self._look.setup.title}",
            DOMAIN,
            log_exceptions=False,
            logger=_LOGGER,
            max_exceeded="SILENT",
        )

    @callback
    def _async_failed(self, reason: str, context: Context | None) -> Failed:
        """Show an error, and report it in the log and in the logbook.

        What an integration raises may have several lines, and name the code.
        """
        reason = without_forbidden(" ".join(reason.split()))
        if code := self._look.link.code:
            reason = reason.replace(code, "…")
        if self._is_news(reason):
            self._async_report(reason, context)
        self._look.async_show_for(ERROR, ERROR_SECONDS)
        return Failed("press_failed", error=reason, **self._names)

    def _is_news(self, reason: str) -> bool:
        """Return whether to report a failure: a phone may press many times a second."""
        now = self._hass.loop.time()
        if self._reported is not None:
            known, until = self._reported
            if reason == known and now < until:
                return False
        self._reported = reason, now + ERROR_SECONDS
        return True

    @callback
    def _async_report(self, reason: str, context: Context | None) -> None:
        _LOGGER.warning("A press of %s failed: %s", self._look, reason)
        data = {
            "name": key_title(
                self._hass, self._look.setup.name, self._look.setup.title
            ),
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

    @property
    def _names(self) -> Mapping[str, str]:
        return {"phone": self._device_name(), "key": self._look.setup.name}
