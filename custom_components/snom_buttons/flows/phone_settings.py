"""The page of a phone's dialogue about the settings beyond its account and its keys."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_ADDRESS, CONF_TOKEN
from homeassistant.helpers.selector import BooleanSelector

from ..const import (
    CONF_BESIDE,
    CONF_IDENTITY,
    CONF_KEYS,
    CONF_LAMPS,
    CONF_PROVISIONING,
    CONF_WEB_PASSWORD,
)
from ..engine.provisioning import WEB_USER
from ..hub.provisioning.tokens import new_token
from ..hub.settings import KeySettings, ProvisioningSettings
from ..hub.texts import async_load_texts
from .account import new_password
from .enter import EnterFlow
from .forms import Faults, whole_number

MAX_IDENTITY: Final = 12
SETTINGS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_BESIDE, default=False): BooleanSelector(),
        vol.Optional(CONF_IDENTITY): whole_number(1, MAX_IDENTITY),
        vol.Required(CONF_LAMPS, default=False): BooleanSelector(),
        vol.Required(CONF_WEB_PASSWORD, default=False): BooleanSelector(),
    }
)


class SettingsFlow(EnterFlow):
    """Change what a phone is set to besides its account and its keys."""

    _web_password: str
    _is_beside: bool

    async def async_step_settings(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what the phone is to be set to."""
        await async_load_texts(self.hass)
        subentry = self._get_reconfigure_subentry()
        stored = subentry.data.get(CONF_PROVISIONING, {})
        before = ProvisioningSettings.from_dict(stored)
        faults = Faults()
        suggested = {**stored, CONF_WEB_PASSWORD: bool(before.web_password)}
        if user_input is not None:
            faults = find_settings_faults(
                user_input, is_placed=CONF_ADDRESS in subentry.data
            )
            if not faults:
                after = _read(user_input, before).as_dict()
                self._title = subentry.title
                self._make_data = partial(self._with_settings, after, new_token())
                self._keys = [
                    KeySettings.from_dict(key) for key in subentry.data[CONF_KEYS]
                ]
                self._web_password = after.get(CONF_WEB_PASSWORD, before.web_password)
                self._is_beside = CONF_BESIDE in after
                if not self._web_password:
                    return await self._async_go_on()
                if CONF_WEB_PASSWORD in after:
                    return await self.async_step_web_password()
                return await self.async_step_web_password_stays()
            suggested = user_input
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(SETTINGS_SCHEMA, suggested),
            errors=faults.errors,
            last_step=False,
        )

    async def async_step_web_password(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the password of the phone's web page."""
        if user_input is not None:
            return self._async_finish()
        return self._async_show_web_password("web_password")

    async def async_step_web_password_stays(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the password for the last time: the phone keeps it."""
        if user_input is not None:
            return await self._async_go_on()
        return self._async_show_web_password(
            "web_password_stays", last_step=not self._is_beside
        )

    async def _async_go_on(self) -> SubentryFlowResult:
        """Show what to enter beside a telephone system, else end."""
        return (
            await self.async_step_phone() if self._is_beside else self._async_finish()
        )

    def _async_show_web_password(
        self, step_id: str, *, last_step: bool = True
    ) -> SubentryFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=vol.Schema({}),
            description_placeholders={
                "user": WEB_USER,
                "password": self._web_password,
            },
            last_step=last_step,
        )

    def _with_settings(self, after: dict[str, Any], token: str) -> dict[str, Any]:
        """Return the phone with these settings."""
        # One that was added before phones fetched settings has no token.
        data = {CONF_TOKEN: token, **self._get_reconfigure_subentry().data}
        data.pop(CONF_PROVISIONING, None)
        return data | {CONF_PROVISIONING: after} if after else data


def _read(
    form: Mapping[str, Any], before: ProvisioningSettings
) -> ProvisioningSettings:
    """Return the form's values; a password that there was stays."""
    password = before.web_password or new_password()
    return ProvisioningSettings(
        beside=form[CONF_BESIDE],
        number=form.get(CONF_IDENTITY),
        lamps=form[CONF_LAMPS],
        web_password=password if form[CONF_WEB_PASSWORD] else "",
    )


def find_settings_faults(form: Mapping[str, Any], *, is_placed: bool) -> Faults:
    """Return the faults of the form. A phone that `is_placed` fetches no settings."""
    faults = Faults()
    for name in (CONF_LAMPS, CONF_WEB_PASSWORD):
        if form[name] and form[CONF_BESIDE]:
            faults.add(name, "not_beside")
        elif form[name] and is_placed:
            faults.add(name, "not_fetched")
    return faults
