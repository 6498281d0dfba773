"""The phone: it applies documents to its keys, and sends presses.

It behaves as docs/protocol.md and LED Remote Control show, byte for byte.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
import hashlib
from typing import Self

from snom_buttons.sip import SipSyntaxError, content_refusal, parse_event
from snom_buttons.sip.net import IncomingRequest, TransportError
from snom_buttons.xbuttons import (
    CONTENT_TYPE,
    Action,
    DocumentError,
    KeyDescription,
    Treatment,
    format_press,
    parse_document,
)

from .face import in_words, printable
from .hardware import MODEL, SNOM, Hardware
from .identity import (
    ALLOW_EVENTS_HEADER,
    ALLOW_HEADER,
    SUPPORTED_HEADER,
    Account,
    Identity,
)


class Kind(StrEnum):
    """The kind of an entry of the history."""

    REGISTRATION = "registration"
    DOCUMENT = "document"
    """A document was applied; the entry has its bytes."""
    KEY = "key"
    """The look of a key changed."""
    CHECK_SYNC = "check-sync"
    """The server asked the phone to fetch its settings, or to restart."""
    SETTINGS = "settings"
    """The phone asked for its settings, fetched them or was set up."""
    REFUSED = "refused"
    PRESS = "press"
    """A key was pressed or a number dialled."""
    ANSWER = "answer"
    """The final status of a press or of a call."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event; `text` is one printable line."""

    at: datetime
    kind: Kind
    text: str
    body: bytes = b""


class VirtualPhone:
    """One snom phone with one identity: `async with VirtualPhone("44", …) as phone`.

    `keys` has the current description of each key by its name.
    """

    def __init__(
        self,
        user: str,
        password: str = "",
        *,
        registrar: str = "",
        register: bool = True,
        host: str = "",
        port: int = 0,
        keys: int | Iterable[str] = 12,
        mac: str = "",
        model: str = MODEL,
    ) -> None:
        """Create a phone that is not open.

        `registrar` is `host` or `host:port`. With `register=False` the phone accepts
        documents from any host, and sends presses to the registrar if there is one. It
        listens on `host` and `port`, by default on the local address of the route to the
        registrar and on any port. Raises SipSyntaxError for a bad user or registrar.
        """
        names = map(str, range(1, keys + 1)) if isinstance(keys, int) else keys
        own = hashlib.sha256(user.encode()).hexdigest()[:6]
        self.hardware = Hardware((mac or f"{SNOM}{own}").upper(), model)
        self.history: deque[Entry] = deque(maxlen=1000)
        self._labels = dict.fromkeys(names, "")
        """What is on a key of that name as long as no document has a label for it."""
        self.keys = self._dark()
        self._bind = (host, port)
        self._listeners: list[Callable[[Entry], None]] = []
        self._waiters: list[tuple[Callable[[VirtualPhone], bool], asyncio.Event]] = []
        self._account = Account(
            user=user, password=password, registrar=registrar, register=register
        )
        self._identity = self._make_identity(self._account)

    def _make_identity(self, account: Account) -> Identity:
        """Return an identity that is not open. Raises SipSyntaxError."""
        return Identity(
            account,
            self.hardware,
            on_request=self._on_request,
            on_status=lambda: self._note(Kind.REGISTRATION, self.status),
        )

    def _dark(self) -> dict[str, KeyDescription]:
        """Return keys that show nothing but their labels."""
        return {
            name: KeyDescription(name=name, label=label or None)
            for name, label in self._labels.items()
        }

    async def open(self) -> None:
        """Bind the port and begin to register. Raises OSError."""
        await self._identity.open(*self._bind)

    async def close(self) -> None:
        """De-register within a limited time, and free the port."""
        await self._identity.close()

    async def __aenter__(self) -> Self:
        """Open it."""
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    @property
    def address(self) -> tuple[str, int]:
        """The bound host and port. Raises TransportError if it is not open."""
        return self._identity.address

    @property
    def lamps(self) -> Mapping[str, str]:
        """The settings of lamps, if the phone was set to any."""
        return {}

    @property
    def user(self) -> str:
        """The extension, "" of a phone that is not set up."""
        return self._account.user

    @property
    def title(self) -> str:
        """What a person calls the phone: its extension."""
        return self.user

    @property
    def where(self) -> str:
        """The bound `host:port`; "no port" if it is not open."""
        try:
            host, port = self.address
        except TransportError:
            return "no port"
        return f"{host}:{port}"

    @property
    def instance(self) -> str:
        """The URN that identifies this phone (`+sip.instance`)."""
        return self._identity.instance

    @property
    def registered(self) -> bool:
        """Whether the last registration succeeded."""
        return self._identity.registered_until is not None

    @property
    def registered_until(self) -> datetime | None:
        """When the registration ends unless it is renewed, None without one."""
        return self._identity.registered_until

    @property
    def status(self) -> str:
        """The state of the registration in words."""
        return printable(self._identity.status)

    def register_again(self) -> None:
        """Register at once."""
        self._identity.register_again()

    def on_change(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `listener` with each new entry; return a function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def wait_for(
        self, predicate: Callable[[VirtualPhone], bool], within: float = 5.0
    ) -> None:
        """Wait until `predicate(phone)` is true, at any entry. Raises TimeoutError."""
        if predicate(self):
            return
        waiter = (predicate, asyncio.Event())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(within):
                await waiter[1].wait()
        finally:
            self._waiters.remove(waiter)

    async def press(self, name: str) -> int | None:
        """Press a key; return the final status, or None if the key does nothing.

        Returns 408 if unanswered, 503 if unsent (RFC 3261 8.1.3.1). Raises KeyError.
        """
        key = self.keys[name]
        if not key.number:
            self._note(Kind.PRESS, f"press {name}: the key has no number")
            return None
        self._note(Kind.PRESS, f"press {name}: {key.action} {key.number}")
        match key.action:
            case Action.INVITE:
                status, reason = await self._identity.invite(key.number)
            case Action.MESSAGE | Action.SEIZE | Action.RELEASE:
                document = self._press_document(key)
                status, reason = await self._identity.message(key.number, document)
            case _:
                self._note(Kind.ANSWER, f"press {name}: an action no phone knows")
                return None
        self._note(Kind.ANSWER, f"press {name}: {status} {reason}")
        return status

    async def dial(self, number: str) -> int:
        """Dial; return the status as `press` does. Raises SipSyntaxError if empty."""
        self._note(Kind.PRESS, f"dial {number}")
        status, reason = await self._identity.invite(number)
        self._note(Kind.ANSWER, f"dial {number}: {status} {reason}")
        return status

    def _press_document(self, key: KeyDescription) -> bytes:
        """Return the body of a press as in the shared-line examples (LED Remote Control)."""
        instance = Treatment(f"<{self.instance}>")
        return format_press(
            KeyDescription(name=key.name, action=key.action, treatment=instance)
        )

    def _on_request(self, incoming: IncomingRequest) -> None:
        match incoming.request.method:
            case "MESSAGE":
                self._on_message(incoming)
            case "NOTIFY":
                self._on_notify(incoming)
            case "OPTIONS":
                accept = ("Accept", CONTENT_TYPE)
                incoming.reply(
                    200, (ALLOW_HEADER, ALLOW_EVENTS_HEADER, accept, SUPPORTED_HEADER)
                )
            case "INVITE":
                incoming.reply(486)
                # Not the URI, which may have a password.
                caller = incoming.request.from_.uri.user
                self._note(
                    Kind.REFUSED, f"a call from {caller}: this phone takes no calls"
                )

    def _on_message(self, incoming: IncomingRequest) -> None:
        refusal = content_refusal(incoming.request, [CONTENT_TYPE])
        if refusal is not None:
            incoming.reply(refusal.status, refusal.headers)
            self._note(
                Kind.REFUSED, f"a MESSAGE that is not a document: {refusal.status}"
            )
            return
        try:
            described = parse_document(incoming.request.body)
        except DocumentError as error:
            incoming.reply(400, reason=f"Bad Request: {error}")
            self._note(Kind.REFUSED, f"a broken document: {error}")
            return
        incoming.reply(200)
        before = dict(self.keys)
        # A description is the whole key, with defaults for absent properties. Keys that
        # the phone does not have are ignored.
        self.keys |= {
            key.name: replace(key, label=key.label or self._labels[key.name] or None)
            for key in described
            if key.name in self.keys
        }
        names = " ".join(key.name for key in described)
        self._note(Kind.DOCUMENT, f"document: {names}", incoming.request.body)
        self._note_changes(before)

    def _note_changes(self, before: Mapping[str, KeyDescription]) -> None:
        for name, key in self.keys.items():
            if key != before[name]:
                self._note(Kind.KEY, f"key {name}: {in_words(key)}")

    def _on_notify(self, incoming: IncomingRequest) -> None:
        """Take `check-sync` outside a dialog, as snom phones do, and nothing else."""
        try:
            event = parse_event(incoming.request.headers.get("Event") or "")
        except SipSyntaxError:
            event = None
        if event is None or event.package.lower() != "check-sync":
            incoming.reply(489, (ALLOW_EVENTS_HEADER,))
            self._note(Kind.REFUSED, "a NOTIFY that is not check-sync: 489")
            return
        incoming.reply(200)
        match (event.parameters.get("reboot") or "").lower():
            case "true":
                self._note(Kind.CHECK_SYNC, "check-sync: restart")
                self._restart()
            case "reregister-only":
                self._note(Kind.CHECK_SYNC, "check-sync: register again")
                self._identity.register_again()
            case _:
                self._note(Kind.CHECK_SYNC, "check-sync: fetch settings")
                self._fetch_settings()

    def _fetch_settings(self) -> None:
        """Register again: there are no settings to fetch."""
        self.register_again()

    def _restart(self) -> None:
        """Register again, and show nothing until the server has sent the keys."""
        before, self.keys = self.keys, self._dark()
        self._note_changes(before)
        self.register_again()

    def _note(self, kind: Kind, text: str, body: bytes = b"") -> None:
        entry = Entry(datetime.now().astimezone(), kind, printable(text), body)
        self.history.append(entry)
        for listener in tuple(self._listeners):
            listener(entry)
        for predicate, event in self._waiters:
            if predicate(self):
                event.set()
