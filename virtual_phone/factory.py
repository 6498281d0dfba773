"""The phone as it comes from the factory: it asks for its settings, and sets itself up."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
import hashlib
import json
from pathlib import Path
from urllib.parse import urljoin

from snom_buttons.keywords import LAMP_SETTINGS
from snom_buttons.sip import SipSyntaxError, parse_uri

from .announce import Announcer
from .face import printable
from .fetch import FetchFailed, addresses_of, fetch, fill_in
from .hardware import Hardware
from .identity import EXPIRES, Account
from .maker import SNOM
from .phone import Kind, VirtualPhone, Watched
from .settings import Settings, SettingsFile, SettingsFileError, read_settings_file

ASK_AGAIN = 60.0
"""Seconds after which a phone that got no settings asks for them again."""
NO_ACCOUNT = Account(register=False)
SHORTEST_POLLING = 60.0
"""Seconds between two fetches that the phone makes by itself."""


class UnknownTransport(Exception):
    """The settings want a transport that this phone does not have."""


class FactoryPhone(VirtualPhone):
    """A phone that knows nothing but its model and its hardware address.

    `settings` is what is in its flash memory, and in a file if it was given one.
    """

    def __init__(
        self,
        model: str = SNOM.model,
        mac: str = "",
        *,
        interface: str = "127.0.0.1",
        host: str = "",
        port: int = 0,
        state: Path | None = None,
    ) -> None:
        """Create a phone that is not open.

        `interface` is the own IPv4 address in the network in which it asks. Its port is
        bound to `host` and `port` as that of a VirtualPhone. Raises OSError or ValueError
        for a state that cannot be read.
        """
        super().__init__("", register=False, host=host, port=port, keys=0)
        own = hashlib.sha256(model.encode()).hexdigest()[:6]
        self.hardware = Hardware((mac or f"{SNOM.oui}{own}").upper(), model)
        self.settings = Settings() if state is None else _load(state)
        self._state = state
        self._doing = "starts"
        self._identity = self._make_identity(self._account)
        self._subscriber = self._make_subscriber()
        self._announcer = Announcer(self.hardware, interface, self._say)
        self._again = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start. Raises OSError if a port cannot be bound."""
        await self._announcer.open()
        await super().open()
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """De-register within a limited time, and free the ports."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        self._announcer.close()
        await super().close()

    @property
    def title(self) -> str:
        """What a person calls the phone."""
        what = f"{self.hardware.model} {self.hardware.mac}"
        return f"{self.user} ({what})" if self.user else what

    @property
    def lamps(self) -> Mapping[str, str]:
        """The settings of lamps, if a file has any."""
        return {name: it for name in LAMP_SETTINGS if (it := self.settings[name])}

    @property
    def is_set_up(self) -> bool:
        """Whether the phone has an account."""
        return bool(self.user)

    @property
    def status(self) -> str:
        """The state of the registration in words, before there is one what it does."""
        if self.is_set_up:
            return super().status
        return printable(f"factory-new: {self._doing}")

    def register_again(self) -> None:
        """Register at once; a phone that is not set up asks for its settings at once."""
        if self.is_set_up:
            super().register_again()
        else:
            self._again.set()

    def change(self, name: str, value: str) -> None:
        """Change a setting as the user does in the phone's menu. Raises ReadOnly."""
        self.settings.change(name, value)
        self._save()
        self._note(Kind.SETTINGS, f"{name} is {value}")

    def _fetch_settings(self) -> None:
        self._again.set()

    def _restart(self) -> None:
        assert self._running is not None
        self._running.cancel()
        self._running = asyncio.create_task(self._start_after(self._running))

    async def _start_after(self, before: asyncio.Task[None]) -> None:
        """Start with what is in the flash memory."""
        await asyncio.wait([before])
        self._say("starts")
        await self._take(NO_ACCOUNT)
        self._set_keys({})
        await self._run()

    async def _run(self) -> None:
        """Set the phone up from its memory, then fetch its settings when it is time."""
        if any(self.settings.identities):
            await self._set_up()
        while True:
            self._again.clear()
            await self._provision()
            pause = self._polling if self.is_set_up else ASK_AGAIN
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._again.wait()

    @property
    def _polling(self) -> float | None:
        """Seconds until the next fetch, None for no polling."""
        period = self.settings["prov_polling_period"]
        if (
            self.settings.is_on("prov_polling_enabled", default=False)
            and self.settings["prov_polling_mode"] in ("", "rel")
            and period.isdecimal()
        ):
            return max(float(period), SHORTEST_POLLING)
        return None

    async def _provision(self) -> None:
        """Fetch the settings, and set the phone up if there are any."""
        url = self.settings["setting_server"]
        if not url and self.settings.is_on("pnp_config", default=True):
            url = await self._announcer.ask() or ""
        files = await self._fetch_all(url) if url else []
        if not files:
            later = f"; asks again in {ASK_AGAIN:.0f} s, or with “register”"
            what = "no settings" if url else "no answer"
            self._say(f"got {what}{'' if self.is_set_up else later}")
            return
        for file in files:
            self.settings.apply(file)
        self._save()
        await self._set_up()

    async def _fetch_all(self, url: str) -> list[SettingsFile]:
        """Return the files of a URL that can be read, those of an index instead of it."""
        try:
            addresses = addresses_of(url, self.hardware)
        except ValueError as error:
            self._say(f"cannot fetch {url}: {error}")
            return []
        files = []
        for address in addresses:
            file = await self._fetch(address)
            if file is None:
                continue
            if not file.urls:
                files.append(file)
            for named in file.urls:
                listed = fill_in(urljoin(address, named), self.hardware)
                if (other := await self._fetch(listed)) is not None:
                    files.append(other)
        return files

    async def _fetch(self, url: str) -> SettingsFile | None:
        """Return a file, None if there is none that can be read."""
        try:
            file = read_settings_file(await _download(url, self.hardware))
        except (FetchFailed, SettingsFileError) as error:
            self._say(f"cannot fetch {url}: {error}")
            return None
        what = f"{len(file.settings)} settings, {len(file.keys)} keys"
        if file.urls:
            what = f"an index of {len(file.urls)}"
        self._say(f"fetched {url}: {what}")
        if file.ignored:
            self._say(f"ignored what it does not know: {', '.join(file.ignored)}")
        return file

    async def _set_up(self) -> None:
        """Take the account and the keys that the settings name."""
        number = next(self.settings.identities, None)
        if number is None:
            await self._take(NO_ACCOUNT)
            self._set_keys({})
            self._say("the settings name no account")
            return
        contexts = ("active", str(number))
        own = [key for key in self.settings.keys.values() if key.context in contexts]
        watched = [Watched(*key.blf) for key in own if key.blf]
        self._set_keys(
            {
                name: key.label
                for key in own
                if (name := key.button or (key.blf and key.blf[0]))
            },
            {each.number: each for each in watched},
        )
        try:
            changed = await self._take(account_of(self.settings, number))
        except (OSError, SipSyntaxError, UnknownTransport) as error:
            self._say(f"cannot use identity {number}: {error}")
            await self._take(NO_ACCOUNT)
            return
        self._watch()
        what = "set up as" if changed else "is still"
        keys = f"keys {' '.join(self.keys)}" if self.keys else "no keys"
        self._say(f"{what} {self.user}, identity {number}: {keys}")

    async def _take(self, account: Account) -> bool:
        """Change the account; return whether it is another one.

        The registration of the one before is removed first, as a snom does. Raises
        OSError or SipSyntaxError.
        """
        if account == self._account:
            return False
        identity = self._make_identity(account)
        await self._subscriber.close()
        await self._identity.close()
        self._account, self._identity = account, identity
        self._subscriber = self._make_subscriber()
        await self._identity.open(*self._bind)
        return True

    def _set_keys(
        self, labels: dict[str, str], watched: dict[str, Watched] | None = None
    ) -> None:
        """Change the keys; those that stay show what they showed."""
        before, self._labels = self._labels, labels
        numbers = {name: self._number_of(name) for name in before}
        self._watched = watched or {}
        shown, self.keys = self.keys, self._dark()
        for name, key in self.keys.items():
            if name in shown and numbers[name] == self._number_of(name):
                # A label of a document stays.
                has_own = shown[name].label not in (None, before[name])
                label = shown[name].label if has_own else key.label
                self.keys[name] = replace(shown[name], label=label)

    def _say(self, text: str) -> None:
        self._doing = text
        self._note(Kind.SETTINGS, text)

    def _save(self) -> None:
        if self._state is None:
            return
        try:
            _store(self._state, self.settings)
        except OSError as error:
            self._say(f"cannot keep the settings: {error}")


async def _download(url: str, hardware: Hardware) -> bytes:
    """Return a file. Raises FetchFailed.

    A thread cannot be stopped: when this is cancelled, it ends with the fetch.
    """
    fetching = asyncio.create_task(asyncio.to_thread(fetch, url, hardware))
    try:
        await asyncio.wait([fetching])
    finally:
        await asyncio.wait([fetching])
        fetching.exception()  # it would be logged if that was not looked at
    return fetching.result()


def account_of(settings: Settings, number: int) -> Account:
    """Return the account of an identity. Raises SipSyntaxError or UnknownTransport."""

    def value(name: str) -> str:
        return settings[name, number]

    outbound = value("user_outbound")
    if outbound:
        transport = parse_uri(f"sip:{outbound}").parameter("transport") or "udp"
        if transport.lower() != "udp":
            raise UnknownTransport(f"this phone has UDP only, not {transport}")
    expires = value("user_expiry")
    return Account(
        user=value("user_name"),
        password=value("user_pass"),
        registrar=value("user_host"),
        outbound=outbound,
        authentication_user=value("user_pname"),
        display_name=value("user_realname"),
        expires=int(expires) if expires.isdecimal() and int(expires) else EXPIRES,
        shows_mac=settings.is_on("mac_info_in_sip_register", default=False),
    )


def forget(state: Path) -> None:
    """Reset the phone whose settings are in a file."""
    state.unlink(missing_ok=True)


def _load(state: Path) -> Settings:
    try:
        return Settings.from_json(json.loads(state.read_text()))
    except FileNotFoundError:
        return Settings()
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{state} has no settings of a phone: {error}") from error


def _store(state: Path, settings: Settings) -> None:
    """Write a file that only its owner can read; it has the password."""
    written = state.with_name(f"{state.name}.new")
    written.unlink(missing_ok=True)
    written.touch(mode=0o600)
    written.write_text(json.dumps(settings.to_json(), indent=1) + "\n")
    written.replace(state)
