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
from typing import NamedTuple, Self

from snom_buttons.keywords import Pattern, pattern_of
from snom_buttons.sip import SipSyntaxError, content_refusal, parse_event
from snom_buttons.sip.net import IncomingRequest, TransportError
from snom_buttons.xbuttons import (
    CONTENT_TYPE,
    Action,
    Direction,
    DocumentError,
    KeyDescription,
    LightMode,
    Treatment,
    format_press,
    parse_document,
)

from .dialog_info import DialogInfo, State
from .face import in_words, printable
from .hardware import Hardware
from .identity import Account, Identity
from .maker import SNOM, Maker
from .message_summary import MessageSummary
from .subscriber import Subscriber
from .subscription import DIALOG, MESSAGE_SUMMARY


class Kind(StrEnum):
    """The kind of an entry of the history."""

    REGISTRATION = "registration"
    DOCUMENT = "document"
    """A document was applied; the entry has its bytes."""
    KEY = "key"
    """The look of a key changed."""
    SUBSCRIPTION = "subscription"
    """The phone subscribed to a key of type BLF, or was refused."""
    MESSAGES = "messages"
    """What the message lamp shows changed."""
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


_LIGHTS = {
    State.TERMINATED: LightMode.OFF,
    State.TRYING: LightMode.ON,
    State.EARLY: LightMode.PICKUP,
    State.CONFIRMED: LightMode.ON,
}
"""The light modes that stand for what a subscribed number does."""
_DIRECTIONS = {"initiator": Direction.OUT, "recipient": Direction.IN}
"""The directions of the caller of a subscribed number."""


class Watched(NamedTuple):
    """What a key of type BLF is for."""

    number: str
    """The number that it subscribes to, and that a press calls."""
    pickup: str = ""
    """What is dialled before it while the lamp blinks."""


class VirtualPhone:
    """One phone with one identity: `async with VirtualPhone("44", …) as phone`.

    `keys` has the current description of each key by its name. That of a key of type BLF
    is the phone's own: `light` says what the number does, `color` is that of the lamp.
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
        model: str = "",
        maker: Maker = SNOM,
        blf: bool = False,
        pickup: str | None = None,
        messages: bool = False,
    ) -> None:
        """Create a phone that is not open.

        `registrar` is `host` or `host:port`. With `register=False` the phone accepts
        documents from any host, and sends presses to the registrar if there is one. It
        listens on `host` and `port`, by default on the local address of the route to the
        registrar and on any port. With `blf`, or if its maker has no other keys, its keys
        are of type BLF, for the numbers that are their names. While the lamp of such a
        key blinks, a press dials `pickup` before the number, by default what the maker
        has set. With `messages` it subscribes to the messages of its user. Raises
        SipSyntaxError for a bad user or registrar.
        """
        names = map(str, range(1, keys + 1)) if isinstance(keys, int) else keys
        own = hashlib.sha256(user.encode()).hexdigest()[:6]
        self.hardware = Hardware(
            (mac or f"{maker.oui}{own}").upper(), model or maker.model, maker
        )
        self.history: deque[Entry] = deque(maxlen=1000)
        self._labels = dict.fromkeys(names, "")
        """What is on a key of that name as long as no document has a label for it."""
        self._watched: dict[str, Watched] = {}
        """The keys of type BLF."""
        if blf or not maker.takes_documents:
            prefix = maker.pickup if pickup is None else pickup
            self._watched = {name: Watched(name, prefix) for name in self._labels}
        self._patterns: dict[str, Pattern] = {}
        """How the lamps of the keys of type BLF blink."""
        self.keys = self._dark()
        self._bind = (host, port)
        self._listeners: list[Callable[[Entry], None]] = []
        self._waiters: list[tuple[Callable[[VirtualPhone], bool], asyncio.Event]] = []
        self._account = Account(
            user=user, password=password, registrar=registrar, register=register
        )
        self._identity = self._make_identity(self._account)
        self._subscriber = self._make_subscriber()
        self.waiting: MessageSummary | None = None
        """What the message lamp shows; None while the phone has no subscription."""
        self._has_mailbox = messages
        self._mailbox = Subscriber(
            self._identity,
            MESSAGE_SUMMARY,
            self.hardware.maker.expires,
            on_info=self._on_messages,
            on_status=lambda _, status: self._note(
                Kind.SUBSCRIPTION, f"messages: {status}"
            ),
        )

    def _make_identity(self, account: Account) -> Identity:
        """Return an identity that is not open. Raises SipSyntaxError."""
        return Identity(
            account,
            self.hardware,
            on_request=self._on_request,
            on_status=self._on_registration,
        )

    def _make_subscriber(self) -> Subscriber:
        return Subscriber(
            self._identity,
            DIALOG,
            self.hardware.maker.expires,
            on_info=self._on_info,
            on_status=lambda number, status: self._note(
                Kind.SUBSCRIPTION, f"{number}: {status}"
            ),
        )

    def _dark(self) -> dict[str, KeyDescription]:
        """Return keys that show nothing but their labels."""
        return {
            name: KeyDescription(
                name=name, label=label or None, number=self._number_of(name)
            )
            for name, label in self._labels.items()
        }

    def _number_of(self, name: str) -> str | None:
        watched = self._watched.get(name)
        return None if watched is None else watched.number

    async def open(self) -> None:
        """Bind the port and begin to register. Raises OSError."""
        await self._identity.open(*self._bind)

    async def close(self) -> None:
        """Unsubscribe and de-register within a limited time, and free the port."""
        await asyncio.gather(self._subscriber.close(), self._mailbox.close())
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

    @property
    def subscribed(self) -> frozenset[str]:
        """The keys of type BLF whose subscriptions the server has accepted."""
        held = self._subscriber.subscribed
        return frozenset(n for n, each in self._watched.items() if each.number in held)

    def pattern(self, name: str) -> Pattern:
        """Return the pattern of a key's lamp; DARK for a key that there is not."""
        if name in self._watched:
            return self._patterns.get(name, Pattern.DARK)
        key = self.keys.get(name)
        return Pattern.DARK if key is None else pattern_of(key, self.lamps)

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
        if name in self._watched:
            return await self._press_blf(name, key)
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

    async def _press_blf(self, name: str, key: KeyDescription) -> int:
        """Call the number of the key, or pick up its call; return the status."""
        number, pickup = self._watched[name]
        if key.light == LightMode.PICKUP:
            number = f"{pickup}{number}"
        self._note(Kind.PRESS, f"press {name}: {key.action} {number}")
        status, reason = await self._identity.invite(number)
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

    def _on_registration(self) -> None:
        self._note(Kind.REGISTRATION, self.status)
        self._watch()

    def _watch(self) -> None:
        """Subscribe to keys of type BLF and messages once the phone is registered."""
        if self.registered:
            self._mailbox.watch([self.user] if self._has_mailbox else [])
            self._subscriber.watch(each.number for each in self._watched.values())

    def _on_info(self, number: str, info: DialogInfo | None) -> None:
        """Show what a subscribed number does; nothing if that is not known."""
        for name in [n for n, each in self._watched.items() if each.number == number]:
            before = self.keys[name], self.pattern(name)
            self._patterns.pop(name, None)
            self.keys[name] = key = self._dark()[name]
            if info is not None:
                lamp = self.hardware.maker.lamps[info.state]
                self._patterns[name] = lamp.pattern
                self.keys[name] = key = replace(
                    key,
                    light=_LIGHTS[info.state],
                    color=lamp.color,
                    caller=_user_of(info.caller) or None,
                    direction=_DIRECTIONS.get(info.direction) if info.caller else None,
                    display_name=info.caller_name or None,
                )
            if (key, self.pattern(name)) != before:
                self._note(Kind.KEY, f"key {name}: {in_words(key)}")

    def _on_messages(self, _: str, summary: MessageSummary | None) -> None:
        before, self.waiting = self.waiting, summary
        if summary != before:
            self._note(Kind.MESSAGES, f"{summary or 'message lamp off'}")

    def _on_request(self, incoming: IncomingRequest) -> None:
        match incoming.request.method:
            case "MESSAGE":
                self._on_message(incoming)
            case "NOTIFY" if incoming.request.to.tag is not None:
                is_summary = self._mailbox.holds(incoming.request)
                subscriber = self._mailbox if is_summary else self._subscriber
                if problem := subscriber.notify(incoming):
                    self._note(Kind.REFUSED, f"a NOTIFY {problem}")
            case "NOTIFY":
                self._on_notify(incoming)
            case "OPTIONS":
                incoming.reply(200, self._abilities)
            case "INVITE":
                incoming.reply(486)
                # Not the URI, which may have a password.
                caller = incoming.request.from_.uri.user
                self._note(
                    Kind.REFUSED, f"a call from {caller}: this phone takes no calls"
                )

    @property
    def _abilities(self) -> list[tuple[str, str]]:
        """The headers of the answer to OPTIONS."""
        maker = self.hardware.maker
        accept = CONTENT_TYPE if maker.takes_documents else maker.accept
        abilities = [
            ("Allow", maker.allow),
            ("Allow-Events", maker.allow_events),
            ("Accept", accept),
        ]
        return [*abilities, *([("Supported", s)] if (s := maker.supported) else [])]

    def _on_message(self, incoming: IncomingRequest) -> None:
        known = [CONTENT_TYPE] if self.hardware.maker.takes_documents else []
        refusal = content_refusal(incoming.request, known)
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
            if key.name in self.keys and key.name not in self._watched
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
            known = ("Allow-Events", self.hardware.maker.allow_events)
            incoming.reply(489, (known,))
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
        self._subscriber.forget()
        self._mailbox.forget()
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


def _user_of(uri: str) -> str:
    """Return the user of a SIP URI, or what there is instead."""
    return uri.partition(":")[2].partition("@")[0] or uri
