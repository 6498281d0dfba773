"""Which phone gets which settings file."""

from collections.abc import Callable
from dataclasses import replace
import hmac
import logging
from typing import Any, NamedTuple

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_MAC
from homeassistant.core import HomeAssistant, callback

from ...const import CONF_EXTENSION, DOMAIN, SUBENTRY_TYPE_PHONE
from ...engine.provisioning import Fetch, Mac, Profile, find_mac, settings_file
from ..settings import EntrySettings, PhoneSettings, is_allowed
from .discovery import async_drop_card, async_is_ignored, async_is_set_up
from .profiles import async_profile
from .record import FETCHED, REFUSED, Record
from .refresh import Refresher
from .refusals import Refusals
from .tokens import FirstTokens
from .window import Window

_LOGGER = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A request for a settings file."""

    name: str
    """The last segment of its path."""
    agent: str
    """The User-Agent."""
    remote: str

    @property
    def mac(self) -> Mac | None:
        """The hardware address that it names."""
        return find_mac(self.name) or find_mac(self.agent)


class Files:
    """The settings files of the phones of one server, each for the token of its phone."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        tokens: FirstTokens,
        refresher: Refresher,
        refusals: Refusals,
        *,
        record: Record,
        window: Callable[[], Window | None],
    ) -> None:
        """Have no file. `window` returns the one that is open."""
        self._hass = hass
        self._entry = entry
        self._tokens = tokens
        self._refresher = refresher
        self._refusals = refusals
        self._record = record
        self._window = window
        self._settings: EntrySettings | None = None
        self.refused = 0
        """Requests for a settings file that got none."""

    @callback
    def async_update(self, settings: EntrySettings) -> None:
        """Have the files of these phones, and end the first tokens of those that are gone."""
        before, self._settings = self._settings, settings
        for gone in {it.mac for it in before.phones} if before else ():
            if gone not in {it.mac for it in settings.phones}:
                self._tokens.async_end(gone)
        with_file = [phone for phone in settings.phones if phone.token]
        self._refresher.async_update(
            {phone.subentry_id: self._profile(phone) for phone in with_file}
        )

    @callback
    def async_file(self, token: str, fetch: Fetch, remote: str) -> bytes | None:
        """Return the settings file of the phone with a token, None for any other.

        All tokens are compared, each in constant time. A phone whose hardware address is
        known gets nothing for another one; a first token is for the one that it was
        issued to.
        """
        settings = self._settings
        if settings is None or not is_allowed(settings, remote):
            return None
        found = _phone_of(settings, token)
        if found is None:
            mac = self._tokens.async_mac_of(token)
            if mac is None or mac != fetch.mac:
                return None
            found = next((it for it in settings.phones if it.mac == mac), None)
            if found is None:
                return self._async_new_file(mac, fetch, remote)
            if not found.token:
                return None
        elif fetch.mac is not None and found.mac not in ("", fetch.mac):
            _LOGGER.warning(
                "Phone %s asked for its settings with another hardware address",
                found.setup.extension,
            )
            return None
        elif fetch.version is not None:
            self._tokens.async_end(found.mac or fetch.mac or "")
        _LOGGER.info(
            "Phone %s fetches its settings: %s, %s, from %s",
            found.setup.extension,
            fetch.model or "unknown model",
            fetch.mac or "unknown hardware address",
            remote,
        )
        if fetch.mac is not None:
            self._async_assign(fetch.mac, found)
        profile = self._profile(found)
        if fetch.version is not None:  # a person looks at it in a browser without one
            former = self._refresher.async_former(found.subentry_id, profile)
            self._refresher.async_note(found.subentry_id, profile)
            profile = replace(profile, former=former)
        return settings_file(profile)

    @callback
    def async_note(self, token: str, asked: Asked, *, served: bool) -> None:
        """Record what a request got: of the phone of its token, else of whom it names."""
        if not served:
            self.refused += 1
        settings = self._settings
        if settings is None or not is_allowed(settings, asked.remote):
            return
        phone = self._tokens.async_mac_of(token) or asked.mac or ""
        if (known := _phone_of(settings, token)) is not None:
            phone = known.mac or known.subentry_id
        self._record.async_note(
            phone,
            FETCHED if served else REFUSED,
            file=asked.name,
            user_agent=asked.agent,
        )

    @callback
    def _async_new_file(self, mac: Mac, fetch: Fetch, remote: str) -> bytes | None:
        """Return the file of the phone for which the window is, and set that phone up."""
        window = self._window()
        if (
            window is None
            or async_is_set_up(self._hass, mac)
            or async_is_ignored(self._hass, mac)
        ):
            return None
        subentry = window.async_phone(mac)
        if subentry is None:
            return None
        phone = PhoneSettings.from_subentry(subentry, ())
        profile = self._profile(phone)
        self._refresher.async_note(phone.subentry_id, profile)
        _LOGGER.info(
            "Phone %s is set up: %s, %s, from %s",
            phone.setup.extension,
            fetch.model or "unknown model",
            mac,
            remote,
        )
        window.async_end(subentry)
        # The phone registers when it has the file, so the server has to know it before.
        self._hass.config_entries.async_add_subentry(self._entry, subentry)
        async_drop_card(self._hass, mac)
        return settings_file(profile)

    def _profile(self, phone: PhoneSettings) -> Profile:
        assert self._settings is not None
        return async_profile(
            self._hass,
            self._settings,
            phone,
            refuses_documents=self._refusals.async_has(phone.subentry_id),
        )

    @callback
    def _async_assign(self, mac: Mac, phone: PhoneSettings) -> None:
        """Make a hardware address that of one phone, and of no other of any server.

        It belongs to the phone whose settings were fetched with it last: the user has
        given the hardware another Setting URL.
        """
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            for subentry in [*entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE)]:
                own = (self._entry.entry_id, phone.subentry_id)
                is_own = (entry.entry_id, subentry.subentry_id) == own
                if (subentry.data.get(CONF_MAC) == mac) == is_own:
                    continue
                data = {k: v for k, v in subentry.data.items() if k != CONF_MAC}
                if is_own:
                    data[CONF_MAC] = mac
                    async_drop_card(self._hass, mac)
                else:
                    _LOGGER.warning(
                        "Hardware address %s is that of phone %s now, and no more of %s",
                        mac,
                        phone.setup.extension,
                        data[CONF_EXTENSION],
                    )
                self._hass.config_entries.async_update_subentry(
                    entry, subentry, data=data
                )


def _phone_of(settings: EntrySettings, token: str) -> PhoneSettings | None:
    """Return the phone with a steady token; each is compared, in constant time."""
    found = None
    for phone in settings.phones:
        is_right = hmac.compare_digest(phone.token.encode(), token.encode())
        if is_right and token:
            found = phone
    return found
