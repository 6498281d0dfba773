"""A password that was renewed: the former one holds until the phone has the new one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_ADDRESS, CONF_PASSWORD
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ...const import CONF_EXTENSION, CONF_FORMER, CONF_FORMER_UNTIL, SUBENTRY_TYPE_PHONE
from ..settings import HOLD, former_password

_LOGGER = logging.getLogger(__name__)


@callback
def async_with_former_password(
    entry: ConfigEntry[Any], subentry_id: str, data: Mapping[str, Any]
) -> dict[str, Any]:
    """Return new data of a phone with the password that the phone has until it fetches.

    Only a phone that has fetched its settings before does so again by itself.
    """
    before = entry.subentries[subentry_id].data
    with_former = dict(data)
    if CONF_ADDRESS in data or data[CONF_EXTENSION] != before[CONF_EXTENSION]:
        return with_former
    former = former_password(before)
    held = former or before[CONF_PASSWORD]
    if held == data[CONF_PASSWORD]:
        return with_former
    if former and data[CONF_PASSWORD] == before[CONF_PASSWORD]:
        until = before[CONF_FORMER_UNTIL]
    elif async_has_fetched(entry, subentry_id):
        until = (dt_util.utcnow() + HOLD).isoformat()
    else:
        return with_former
    return with_former | {CONF_FORMER: held, CONF_FORMER_UNTIL: until}


@callback
def async_has_fetched(entry: ConfigEntry[Any], subentry_id: str) -> bool:
    """Return whether a phone has ever fetched its settings; False if its server is off."""
    if entry.state is not ConfigEntryState.LOADED:
        return False
    refresher = entry.runtime_data.provisioning.refresher
    return bool(refresher.async_has_fetched(subentry_id))


class Renewals:
    """Ends the former passwords of the phones of one server."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """End none."""
        self._hass = hass
        self._entry = entry
        self._timers: list[CALLBACK_TYPE] = []

    @callback
    def async_update(self) -> None:
        """End each former password when its time is over."""
        self.async_stop()
        for subentry in self._entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE):
            if CONF_FORMER in subentry.data:
                until = dt_util.parse_datetime(subentry.data[CONF_FORMER_UNTIL])
                left = timedelta()
                if until is not None and former_password(subentry.data):
                    left = until - dt_util.utcnow()
                # By seconds, as the clock may be set back meanwhile.
                self._timers.append(
                    async_call_later(
                        self._hass,
                        left,
                        partial(self._async_end, subentry.subentry_id),
                    )
                )

    @callback
    def async_renewed(self, extension: str) -> None:
        """End the former password of a phone that registers with its new one."""
        _LOGGER.info("Phone %s registers with its new password", extension)
        for subentry in self._entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE):
            if subentry.data[CONF_EXTENSION] == extension:
                self._async_end(subentry.subentry_id)

    @callback
    def async_stop(self) -> None:
        """End no former password by time any more."""
        while self._timers:
            self._timers.pop()()

    @callback
    def _async_end(self, subentry_id: str, _: datetime | None = None) -> None:
        subentry = self._entry.subentries.get(subentry_id)
        if subentry is None:  # removed, and the update that follows is under way
            return
        former = (CONF_FORMER, CONF_FORMER_UNTIL)
        data = {name: it for name, it in subentry.data.items() if name not in former}
        self._hass.config_entries.async_update_subentry(
            self._entry, subentry, data=data
        )
