"""The server: ties registrar, phones and presses together.

What comes in is answered here at once, and only then told on; what phones have to show
goes out through their outboxes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
import hashlib
import logging
import time
from typing import Any

from ..sip import (
    ALLOW_HEADER,
    SUPPORTED_HEADER,
    Endpoint,
    IncomingRequest,
    Registrar,
    rfc3261_8_2_3,
)
from ..xbuttons import CONTENT_TYPE, Action, DocumentError, parse as parse_document
from .courier import Courier
from .dialling import Dialling
from .events import Dialled, KeyPress
from .key import KeySetup
from .line import LineSettings, SharedLine
from .phone import Phone, Registration
from .signal import Signal
from .storage import load_bindings, load_keys, save_bindings, save_keys

_LOGGER = logging.getLogger(__name__)


MAX_PRESSES = 8
"""Keys that one press may name; a phone names one."""
MAX_TEXT = 64
"""Characters of a key's name, an action or a number that are told on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where the server listens, and what it calls itself."""

    host: str
    """The address to bind to, `0.0.0.0` for all."""
    port: int
    """The UDP port; 0 takes a free one."""
    realm: str
    """The digest realm, which phones show when they ask for a password."""
    advertised_host: str
    """What our requests name as their origin: the address that phones know us by."""


class PhoneServer:
    """A SIP registrar for phones, and the owner of what they show."""

    def __init__(
        self, settings: ServerSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make a server that is not started.

        `clock` must run like the event loop's, which is what it is by default.
        """
        self.settings = settings
        self._clock = clock
        self.pressed: Signal[KeyPress] = Signal()
        """Every press at every phone, also of keys that are not configured."""
        self.dialled: Signal[Dialled] = Signal()
        self.changed: Signal[None] = Signal()
        """What `snapshot` returns has changed."""
        self._phones: dict[str, Phone] = {}
        self._lines: dict[str, SharedLine] = {}
        self._registrar = Registrar(
            settings.realm, self._password_of, clock, self._registered
        )
        self._endpoint = Endpoint(self._answer)
        self._courier = Courier(self._endpoint)
        self._started = False
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def phones(self) -> Mapping[str, Phone]:
        """The phones by extension."""
        return self._phones

    @property
    def lines(self) -> Mapping[str, SharedLine]:
        """The shared lines by their IDs."""
        return self._lines

    @property
    def address(self) -> tuple[str, int]:
        """The bound address. Raises TransportError while the server is not started."""
        return self._endpoint.address

    async def start(self) -> None:
        """Bind; phones that were bound before a restart get their picture at once.

        Raises OSError as the system gives it (EADDRINUSE, EADDRNOTAVAIL, EACCES).
        """
        await self._endpoint.open(
            self.settings.host,
            self.settings.port,
            advertised_host=self.settings.advertised_host,
        )
        self._started = True
        try:
            for phone in self._phones.values():
                self._update(phone)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Free the port, and end every task and timer; safe to call twice."""
        self._started = False
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        for phone in self._phones.values():
            phone.close()
        for line in self._lines.values():
            line.close()
        await self._endpoint.close()

    def add_phone(self, phone: Phone) -> None:
        """Take a phone in, whether started or not.

        Raises ValueError if there is one of its extension.
        """
        if phone.extension in self._phones:
            raise ValueError(f"there is a phone {phone.extension} already")
        self._phones[phone.extension] = phone
        phone.changed.subscribe(self.changed.emit)
        phone.status.subscribe(lambda _: self._follow_owner(phone.extension))
        self._apply_lines()

    def remove_phone(self, extension: str) -> None:
        """Let a phone go, and forget its registrations. Raises KeyError."""
        phone = self._phones.pop(extension)
        phone.close()
        self._registrar.forget(extension)
        self._follow_owner(extension)
        self.changed.emit(None)

    def configure_phone(
        self,
        extension: str,
        *,
        password: str,
        keys: list[KeySetup],
        dialling: Dialling | None = None,
    ) -> None:
        """Take a phone's new configuration.

        With a new password its registrations end: it has to prove itself anew. Raises
        KeyError for an unknown phone, DocumentError for a key that cannot be written.
        """
        phone = self._phones[extension]
        renewed = password != phone.password
        phone.configure(password=password, keys=keys, dialling=dialling)
        self._apply_lines()
        if renewed:
            self._registrar.forget(extension)
            self._registered(extension)

    def add_line(self, line_id: str, settings: LineSettings) -> SharedLine:
        """Take a shared line in, whether started or not, and return it.

        Its keys are those of the phones that there are, now or later. Raises ValueError
        if there is a line of this ID.
        """
        if line_id in self._lines:
            raise ValueError(f"there is a line {line_id} already")
        line = self._lines[line_id] = SharedLine(settings, self._phones, self._later)
        line.status.subscribe(self.changed.emit)
        line.apply()
        return line

    def remove_line(self, line_id: str) -> None:
        """Let a shared line go; its keys go free. Raises KeyError."""
        line = self._lines.pop(line_id)
        line.close()
        line.configure(LineSettings(code=line.settings.code))
        self.changed.emit(None)

    def snapshot(self) -> dict[str, Any]:
        """Return what `restore` needs after a restart, as JSON."""
        now = self._clock()
        return {
            "phones": {
                extension: {
                    "bindings": save_bindings(self._registrar.bindings(extension), now),
                    "keys": save_keys(phone.pictures, phone.others),
                    "proof": self._proof(phone),
                }
                for extension, phone in self._phones.items()
            },
            "lines": {line_id: line.save() for line_id, line in self._lines.items()},
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over a snapshot, for the phones, keys and lines that there are.

        To be called before `start`. What does not fit is left out, and so are the
        registrations of a phone that has another password by now.
        """
        # Version 0.1 stored nothing but the phones.
        phones = snapshot.get("phones", snapshot)
        for extension, phone in self._phones.items():
            saved = phones.get(extension) if isinstance(phones, Mapping) else None
            if not isinstance(saved, Mapping):
                continue
            phone.restore(*load_keys(saved.get("keys")))
            if saved.get("proof") == self._proof(phone):
                bindings = load_bindings(saved.get("bindings"), self._clock())
                self._registrar.restore(b for b in bindings if b.user == extension)
        lines = snapshot.get("lines")
        for line_id, line in self._lines.items():
            line.restore(lines.get(line_id) if isinstance(lines, Mapping) else None)
        self._apply_lines()

    def _proof(self, phone: Phone) -> str:
        """Return what tells whether a stored registration was made with the password."""
        secret = f"{phone.extension}\0{self.settings.realm}\0{phone.password}"
        return hashlib.sha256(secret.encode()).hexdigest()

    # Requests

    def _answer(self, incoming: IncomingRequest) -> None:
        """Answer a request that the endpoint lets through (RFC 3261 8.2)."""
        match incoming.request.method:
            case "REGISTER":
                self._register(incoming)
            case "MESSAGE":
                self._take_press(incoming)
            case "INVITE":
                self._take_call(incoming)
            case _:
                accept = ("Accept", CONTENT_TYPE)
                incoming.reply_stateless(200, (ALLOW_HEADER, accept, SUPPORTED_HEADER))

    def _register(self, incoming: IncomingRequest) -> None:
        answer = self._registrar.register(incoming.request, incoming.flow)
        if answer.status == 401:
            incoming.reply_stateless(401, answer.headers)
        else:
            incoming.reply(answer.status, answer.headers)

    def _phone_of(self, incoming: IncomingRequest) -> Phone | None:
        """Return the phone that a request proves to be from, else answer it."""
        refusal = self._registrar.authorize(incoming.request, incoming.flow)
        if refusal is None:
            phone = self._phones[incoming.request.from_.uri.user or ""]
            phone.heard(incoming.flow)
            return phone
        incoming.reply_stateless(refusal.status, refusal.headers)
        return None

    def _take_press(self, incoming: IncomingRequest) -> None:
        """Take a MESSAGE: the phone tells of a key that was pressed."""
        phone = self._phone_of(incoming)
        if phone is None:
            return
        request = incoming.request
        refusal = rfc3261_8_2_3(request, (CONTENT_TYPE,))
        if refusal is not None:
            incoming.reply(refusal.status, refusal.headers)
            return
        try:
            pressed = parse_document(request.body)
        except DocumentError as error:
            _LOGGER.debug("Phone %s sent %r: %s", phone.extension, request.body, error)
            incoming.reply(400, reason="Bad Buttons Document")
            return
        if not 0 < len(pressed) <= MAX_PRESSES or any(
            len(p.name) > MAX_TEXT or len(p.action) > MAX_TEXT for p in pressed
        ):
            incoming.reply(400, reason="Not A Press")
            return
        incoming.reply(200)
        _LOGGER.debug("Phone %s sent %r", phone.extension, request.body)
        for description in pressed:
            # A press without `a=` is not the call that the default stands for.
            action = description.action
            self._press(
                phone,
                description.name,
                Action.MESSAGE if action is Action.INVITE else action,
                _shown(request.to.uri.user),
            )

    def _take_call(self, incoming: IncomingRequest) -> None:
        """Take an INVITE: a key that calls, or a number that was dialled.

        No call is made: the answer tells the phone that nobody will, or where to call.
        """
        phone = self._phone_of(incoming)
        if phone is None:
            return
        number = _shown(incoming.request.uri.user)
        called = [
            key.description
            for key in phone.keys.values()
            if key.description.number == number
        ]
        # The number of a key that was not told to call means nothing elsewhere.
        if all(key.action is Action.INVITE for key in called):
            incoming.reply(*phone.dialling.answer_to(number))
        else:
            incoming.reply(486)
        for key in called:
            self._press(phone, key.name, Action.INVITE, number)
        if not called:
            self._later(partial(self._tell_dialled, phone, number))

    def _press(
        self, phone: Phone, name: str, action: Action | str, number: str
    ) -> None:
        """Let a key do what it is there for, and then tell of the press."""
        key = phone.keys.get(name)
        caller = key.description.caller if key else None
        press = KeyPress(
            phone=phone, key=name, action=action, number=number, caller=caller
        )
        for line in self._lines.values():
            if line.settings.keys.get(phone.extension) == name:
                press = replace(press, use=line.press(press))
        if key is not None and key.setup.toggles:
            key.turn(not key.is_on)
        self._later(partial(self._tell_press, press))

    def _tell_press(self, press: KeyPress) -> None:
        if key := press.phone.keys.get(press.key):
            key.pressed.emit(press)
        self.pressed.emit(press)

    def _tell_dialled(self, phone: Phone, number: str) -> None:
        dialled = Dialled(phone=phone, number=number)
        phone.dialled.emit(dialled)
        self.dialled.emit(dialled)

    @staticmethod
    def _later(tell: Callable[[], None]) -> None:
        """Tell what happened, behind the documents that it made due.

        Outboxes that are idle send theirs in the loop's next turn.
        """
        asyncio.get_running_loop().call_soon(tell)

    def _apply_lines(self) -> None:
        for line in self._lines.values():
            line.apply()

    def _follow_owner(self, extension: str) -> None:
        """Have the lines that a phone holds see whether it is still there."""
        if self._started:
            for line in self._lines.values():
                if line.phone == extension:
                    line.follow_owner()

    # Registrations

    def _password_of(self, extension: str) -> str | None:
        phone = self._phones.get(extension)
        return phone.password if phone else None

    def _registered(self, extension: str) -> None:
        """Act on a change of a phone's bindings."""
        if phone := self._phones.get(extension):
            self._update(phone)
        self.changed.emit(None)

    def _update(self, phone: Phone) -> None:
        """Tell a phone of its bindings, and see when the next one ends."""
        if not self._started:
            return
        bindings = self._registrar.bindings(phone.extension)
        registration = None
        if bindings:
            newest = bindings[-1]
            left = timedelta(seconds=newest.expires_at - self._clock())
            registration = Registration(
                address=str(newest.flow),
                user_agent=newest.user_agent,
                expires_at=datetime.now(UTC) + left,
                supports_buttons=newest.supports_buttons,
            )
        phone.registered(bindings, self._courier, registration)
        self._plan_expiry(min((b.expires_at for b in bindings), default=None))

    def _plan_expiry(self, due: float | None) -> None:
        """Have `_expire` called at `due`, unless it is called before that anyway."""
        if due is None:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + max(0.0, due - self._clock())
        if self._expiry is not None:
            if self._expiry.when() <= at:
                return
            self._expiry.cancel()
        self._expiry = loop.call_at(at, self._expire)

    def _expire(self) -> None:
        self._expiry = None
        for extension in self._registrar.expire():
            self._registered(extension)
        self._plan_expiry(self._registrar.next_expiry)


def _shown(number: str | None) -> str:
    """Return a number as it can be shown and stored, whatever the phone sent."""
    shown = (number or "")[:MAX_TEXT]
    if shown.isprintable():
        return shown
    return "".join(character for character in shown if character.isprintable())
