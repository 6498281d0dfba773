"""The page of a phone's dialogue about how its keys are sent."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_ADDRESS
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from ..const import (
    CONF_INVERTED,
    CONF_KEYS,
    CONF_MAKER,
    CONF_PRESS_ANSWER,
    CONF_SENDING,
    CONF_SPEAKERS,
    CONF_STATES,
)
from ..engine.dialoginfo import DialogState
from ..engine.phones import PressAnswer, Speakers
from ..hub.settings import KeySettings, SendingSettings
from ..hub.texts import async_load_texts
from .enter import EnterFlow
from .forms import Faults

BY_SUBSCRIPTION: Final = (Speakers.BLF, Speakers.BOTH)
STATES_SCHEMA: Final = vol.Schema(
    {
        vol.Required(light, default=state): SelectSelector(
            SelectSelectorConfig(
                options=[state.value for state in DialogState],
                mode=SelectSelectorMode.DROPDOWN,
                translation_key="dialog_state",
            )
        )
        for light, state in SendingSettings().states.items()
    }
)
SENDING_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_SPEAKERS): SelectSelector(
            SelectSelectorConfig(
                options=[speakers.value for speakers in Speakers],
                mode=SelectSelectorMode.LIST,
                translation_key="speakers",
            )
        ),
        vol.Required(CONF_PRESS_ANSWER): SelectSelector(
            SelectSelectorConfig(
                options=[answer.value for answer in PressAnswer],
                mode=SelectSelectorMode.LIST,
                translation_key="press_answer",
            )
        ),
        vol.Required(CONF_INVERTED): BooleanSelector(),
        vol.Optional(CONF_STATES): section(STATES_SCHEMA, {"collapsed": True}),
    }
)


class SendingFlow(EnterFlow):
    """Change how the keys of a phone are sent."""

    async def async_step_sending(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask how the keys are sent, and what a press of one is answered with."""
        await async_load_texts(self.hass)
        subentry = self._get_reconfigure_subentry()
        usual = SendingSettings.usual(subentry.data.get(CONF_MAKER, ""))
        before = SendingSettings.from_dict(subentry.data.get(CONF_SENDING, {}), usual)
        faults = Faults()
        suggested = _form_of(before)
        if user_input is not None:
            speakers = user_input[CONF_SPEAKERS]
            if CONF_ADDRESS in subentry.data and speakers in BY_SUBSCRIPTION:
                faults.add(CONF_SPEAKERS, "cannot_subscribe")
            else:
                after = _read(user_input, before).as_dict(usual)
                self._title = subentry.title
                self._make_data = partial(self._with_sending, after)
                self._keys = [
                    KeySettings.from_dict(key) for key in subentry.data[CONF_KEYS]
                ]
                if CONF_MAKER in subentry.data or speakers == before.speakers:
                    return self._async_finish()
                # The type of its keys may have changed.
                return await self.async_step_phone()
            suggested = user_input
        return self.async_show_form(
            step_id=CONF_SENDING,
            data_schema=self.add_suggested_values_to_schema(SENDING_SCHEMA, suggested),
            errors=faults.errors,
            last_step=CONF_MAKER in subentry.data,
        )

    def _with_sending(self, after: dict[str, Any]) -> dict[str, Any]:
        """Return the phone with these settings."""
        data = dict(self._get_reconfigure_subentry().data)
        data.pop(CONF_SENDING, None)
        return data | {CONF_SENDING: after} if after else data


def _form_of(sending: SendingSettings) -> dict[str, Any]:
    return {
        CONF_SPEAKERS: sending.speakers.value,
        CONF_PRESS_ANSWER: sending.blf.press_answer.value,
        CONF_INVERTED: sending.blf.is_inverted,
        CONF_STATES: sending.states,
    }


def _read(form: Mapping[str, Any], before: SendingSettings) -> SendingSettings:
    """Return the form's values. A client may leave out the section: its states stay."""
    return SendingSettings.from_dict(form, before)
