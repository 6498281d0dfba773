"""Answers the requests of phones, and emits presses and dialled numbers.

A key takes its own action, such as a toggle, in the same call; the event comes later.
docs/decisions/0025 says what holds if a phone is answered after that.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
import logging
import secrets
import time

from ..refused import Refused
from ..sip import (
    ALLOW_EVENTS_HEADER,
    ALLOW_HEADER,
    SUPPORTED_HEADER,
    Rate,
    Request,
    Shares,
    content_refusal,
    digest_of,
    shape,
    unsupported,
)
from ..sip.net import RETRY_LATER, IncomingRequest
from ..xbuttons import (
    CONTENT_TYPE,
    MAX_TEXT,
    Action,
    DocumentError,
    KeyDescription,
    parse_document,
)
from .alarm import Alarm
from .called import Called, called_keys, printable
from .events import MAX_AGE, Acted, Dialled, KeyPress
from .key import Key
from .line import SharedLine
from .phone import Phone
from .signal import Signal

_LOGGER = logging.getLogger(__name__)

ABILITIES = (
    ALLOW_HEADER,
    ALLOW_EVENTS_HEADER,
    ("Accept", CONTENT_TYPE),
    ("Accept-Encoding", "identity"),
    ("Accept-Language", "en"),
    SUPPORTED_HEADER,
)
"""The headers of the answer to OPTIONS (RFC 3261 11.2)."""
MAX_PRESS = 4 * 1024
"""Bytes of a press that is read; phones send less than 100."""
MAX_PRESSES = 8
"""The most keys that one press may name; phones name one."""
OWN_PRESSES = Rate(20.0, 20.0)
"""Presses and dialled numbers of a phone, whatever other phones do; no finger is as fast."""
SLOW_PRESSES = 1.0
"""The same per second for a phone that exceeds its share."""
MORE_PRESSES = Rate(20.0, 80.0)
"""Further ones."""
PHONES_MORE_PRESSES = Rate(100.0, 200.0)
"""All these further presses of all phones."""
REPLACES = "replaces"
"""The extension that a call may require if it presses a BLF key (RFC 3891)."""


type Answered = tuple[int, Sequence[tuple[str, str]]]
"""The status of an answer, and its headers."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request that is answered when all of its events have been taken."""

    incoming: IncomingRequest
    answer: Callable[[], None]
    until: float
    events: list[asyncio.Future[bool]] = field(default_factory=list)

    def taken(self, event: asyncio.Future[bool]) -> None:
        """Answer the request if this is the last event, or it is lost."""
        if self.incoming.answered:  # a call that was cancelled
            return
        if not event.result():
            self.incoming.reply(503, RETRY_LATER)
        elif all(it.done() for it in self.events):
            self.answer()


class Reception:
    """Answers the requests that the endpoint trusts (RFC 3261 8.2)."""

    def __init__(
        self,
        phones: Mapping[str, Phone],
        line_of: Callable[[str, str], SharedLine | None],
        has_subscribed: Callable[[str, str], bool],
        clock: Callable[[], float],
        *,
        takes: Callable[[], bool] | None = None,
        was_published: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Answer for `phones`, which may change.

        `line_of` returns a key's line, `has_subscribed` whether a phone has subscribed to
        a key; both get an extension and the name of a key. With `takes`, presses and
        calls are answered when a follower has delivered their events, and refused while
        it returns False. `was_published` returns whether that was done before, by an ID.
        """
        self.pressed: Signal[KeyPress] = Signal()
        """A key was pressed; the key need not be configured."""
        self.dialled: Signal[Dialled] = Signal()
        self._phones = phones
        self._line_of = line_of
        self._has_subscribed = has_subscribed
        self._clock = clock
        self._takes = takes
        self._was_published = was_published
        self._waiting: dict[_Waiting, None] = {}
        """The requests without an answer, in their order."""
        self._overdue = Alarm(self._give_up, clock)
        self._deciding: set[asyncio.Task[None]] = set()
        """The presses of lines that are decided elsewhere."""
        self._shares = Shares(
            clock,
            own=OWN_PRESSES,
            slow=SLOW_PRESSES,
            more=MORE_PRESSES,
            common=PHONES_MORE_PRESSES,
        )

    def answer(self, incoming: IncomingRequest) -> None:
        """Answer a request of a phone, and act on it."""
        match incoming.request.method:
            case "MESSAGE":
                self._take_press(incoming)
            case "INVITE":
                self._take_call(incoming)
            case _:
                incoming.reply_stateless(200, ABILITIES)

    async def close(self) -> None:
        """End all tasks and timers; what waits for its answer gets none."""
        self._overdue.cancel()
        self._waiting.clear()
        for task in self._deciding:
            task.cancel()
        await asyncio.gather(*self._deciding, return_exceptions=True)

    def _phone_of(self, incoming: IncomingRequest) -> Phone:
        phone = self._phones[incoming.request.from_.uri.user or ""]
        phone.heard(incoming.flow)
        return phone

    def _exceeds(self, phone: Phone, incoming: IncomingRequest, presses: int) -> bool:
        """Refuse a request with more presses than the share of its phone."""
        if self._shares.take(phone.extension, presses):
            return False
        phone.exceeded()
        incoming.refuse_excess()
        return True

    def _take_press(self, incoming: IncomingRequest) -> None:
        phone = self._phone_of(incoming)
        request = incoming.request
        refusal = content_refusal(request, (CONTENT_TYPE,))
        if refusal is not None:
            incoming.refuse(refusal)
            return
        if len(request.body) > MAX_PRESS:
            incoming.reply_stateless(413)
            return
        try:
            pressed = parse_document(request.body, most=MAX_PRESSES)
        except DocumentError as error:
            _LOGGER.debug(
                "Phone %s sent a document with a fault in line %s",
                phone.extension,
                error.line,
            )
            incoming.reply_stateless(400, reason="Bad Buttons Document")
            return
        if not _is_press(pressed):
            incoming.reply_stateless(400, reason="Not A Press")
            return
        if self._exceeds(phone, incoming, len(pressed)):
            return
        number = printable(request.to.uri.user)
        presses = [
            self._press_of(
                phone,
                key.name,
                # A press without `a=` is not a call, although that is the default.
                action := (
                    Action.MESSAGE if key.action is Action.INVITE else key.action
                ),
                number,
                event_id=self._id(request, position, key.name, action),
            )
            for position, key in enumerate(pressed)
        ]
        if _LOGGER.isEnabledFor(logging.DEBUG):
            _LOGGER.debug(
                "Phone %s sent a press of %s",
                phone.extension,
                ", ".join(
                    key.name if key.name in phone.keys else shape(key.name)
                    for key in pressed
                ),
            )
        self._take(phone, incoming, (200, ()), presses)

    def _take_call(self, incoming: IncomingRequest) -> None:
        """Refuse or redirect a call, from a key or to a dialled number."""
        phone = self._phone_of(incoming)
        if self._exceeds(phone, incoming, 1):
            return
        request = incoming.request
        dialled = request.uri.user
        number = printable(dialled)
        # A number that was cut would be another one.
        whole = request.uri if number == dialled else None
        called = self._called(phone, dialled or "", _replaced(request))
        if not called.is_blf and _requires_replaces(request):
            incoming.refuse(unsupported(REPLACES))
            return
        answer: Answered = (486, ())
        if called.is_blf:
            answer = (phone.setup.blf.press_answer.status, ())
        # The number of a key that does not call means nothing elsewhere.
        elif all(phone.keys[key].look.action is Action.INVITE for key in called.keys):
            answer = phone.setup.dialling.answer_to(whole)
        events: list[KeyPress | Dialled] = [
            self._press_of(
                phone, key, action, number, event_id=self._id(request, key, action)
            )
            for key, action in self._actions(phone, called).items()
        ]
        if not called.keys or number in phone.setup.dialling.own:
            event_id = self._id(request, "dialled")
            events.append(
                Dialled(id=event_id, extension=phone.extension, number=number)
            )
        self._take(phone, incoming, answer, events, is_secret=not called.keys)

    def _id(self, request: Request, *details: object) -> str:
        """Return the ID of an event: at any server the same, if that could matter."""
        if self._takes is None:
            return secrets.token_hex(16)
        return digest_of(request, request.from_.uri.user, *details)

    def _take(
        self,
        phone: Phone,
        incoming: IncomingRequest,
        answer: Answered,
        events: Sequence[KeyPress | Dialled],
        *,
        is_secret: bool = False,
    ) -> None:
        """Let events happen, and answer their request: now, or when they are taken.

        Those that were published before do not happen again.
        """
        if self._takes is None:
            _reply(phone, incoming, answer, is_secret=is_secret)
            for event in events:
                self._happen(phone, event)
            return
        reply = partial(_reply, phone, incoming, answer, is_secret=is_secret)
        events = [event for event in events if not self._was_published(event.id)]
        if not events:
            reply()
            return
        if not self._takes():
            incoming.reply_stateless(503, RETRY_LATER)
            return
        incoming.hold()
        waiting = _Waiting(incoming, reply, self._clock() + MAX_AGE)
        self._waiting[waiting] = None
        self._overdue.advance(waiting.until)
        loop = asyncio.get_running_loop()
        for event in events:
            event.taken = loop.create_future()
            event.taken.add_done_callback(partial(self._taken, waiting))
            waiting.events.append(event.taken)
        for event in events:
            self._happen(phone, event)

    def _taken(self, waiting: _Waiting, event: asyncio.Future[bool]) -> None:
        waiting.taken(event)
        if waiting.incoming.answered:
            self._waiting.pop(waiting, None)

    def _give_up(self) -> None:
        """Give up the events that were not taken within MAX_AGE."""
        now = self._clock()
        for waiting in list(self._waiting):
            if waiting.until > now:
                self._overdue.advance(waiting.until)
                return
            del self._waiting[waiting]
            for event in waiting.events:
                if not event.done():
                    event.set_result(False)

    def _happen(self, phone: Phone, event: KeyPress | Dialled) -> None:
        if isinstance(event, KeyPress):
            self._press(phone, event)
        else:
            emit_later(partial(self._emit_dialled, phone, event))

    def sent_by(self, phone: Phone, key: Key) -> tuple[str, Called]:
        """Return the number that a press of a key sends, and what a call of it presses.

        A BLF key sends its name. Raises Refused for another key without a number, which
        sends nothing.
        """
        called = self._called(phone, key.name)
        if called.is_blf:
            return key.name, called
        number = printable(key.look.number)
        if not number:
            raise Refused("key_without_number", phone=phone.setup.name, key=key.name)
        return number, self._called(phone, number)

    def simulate(self, phone: Phone, key: Key, cause: object) -> Sequence[KeyPress]:
        """Do what a press of a key does. A call presses all keys with its number.

        Returns the presses, which are emitted in the next turn of the loop. Raises what
        `sent_by` does.
        """
        number, called = self.sent_by(phone, key)
        if called.is_blf or key.look.action is Action.INVITE:
            actions = self._actions(phone, called)
            if number in phone.setup.dialling.own:
                dialled = Dialled(extension=phone.extension, number=number, cause=cause)
                emit_later(partial(self._emit_dialled, phone, dialled))
        else:
            actions = {key.name: key.look.action}
        presses = [
            self._press_of(phone, name, action, number, cause, simulated=True)
            for name, action in actions.items()
        ]
        for press in presses:
            self._press(phone, press)
        return presses

    @staticmethod
    def _actions(phone: Phone, called: Called) -> dict[str, Action | str]:
        """Return the action of each key that a call presses.

        A BLF key of a shared line does what its look says, as the phone cannot send it.
        """
        return {
            name: key.look.action
            if called.is_blf
            and (key := phone.keys.get(name))
            and key.look.action in (Action.SEIZE, Action.RELEASE)
            else Action.INVITE
            for name in called.keys
        }

    def _called(self, phone: Phone, number: str, replaced: str = "") -> Called:
        subscribed = partial(self._has_subscribed, phone.extension)
        return called_keys(phone, number, subscribed, replaced)

    @staticmethod
    def _press_of(
        phone: Phone,
        name: str,
        action: Action | str,
        number: str,
        cause: object = None,
        *,
        simulated: bool = False,
        event_id: str | None = None,
    ) -> KeyPress:
        key = phone.keys.get(name)
        caller = key.look.caller if key else None
        return KeyPress(
            id=event_id or secrets.token_hex(16),
            extension=phone.extension,
            key=name,
            action=action,
            number=number,
            caller=caller,
            cause=cause,
            simulated=simulated,
        )

    def _press(self, phone: Phone, press: KeyPress) -> None:
        """Perform the key's own action, and emit the press later.

        What a press has done before, here or at another server, it does not do again.
        """
        if (key := phone.keys.get(press.key)) is not None:
            line = self._line_of(phone.extension, press.key)
            if line is not None and line.decide is not None:
                task = asyncio.create_task(self._ask(phone, line, press))
                self._deciding.add(task)
                task.add_done_callback(self._deciding.discard)
                return
            acted = (
                phone.presses.acted_by(press.id) if self._takes is not None else None
            )
            if acted is not None:
                press.use = acted.use
            elif line is not None or key.setup.toggles:
                if line is not None:
                    press.use = line.press(phone, press)
                if self._takes is not None:
                    toggled = key.name if key.setup.toggles else ""
                    acted = Acted(press.id, time.time(), press.use, toggled)
                    # Before its key changes, with which it may be stored.
                    phone.presses.add(acted=(acted,))
                    phone.changed.emit(False)
                if key.setup.toggles:
                    key.turn(not key.is_on, press)
        emit_later(partial(self._emit_press, phone, press))

    async def _ask(self, phone: Phone, line: SharedLine, press: KeyPress) -> None:
        """Emit a press once it is decided what it does to its line."""
        try:
            press.use = await line.ask(phone, press)
        except Exception:
            _LOGGER.exception("The line %s could not be asked", line.setup.name)
        emit_later(partial(self._emit_press, phone, press))

    def _emit_press(self, phone: Phone, press: KeyPress) -> None:
        if key := phone.keys.get(press.key):
            key.pressed.emit(press)
        phone.pressed.emit(press)
        self.pressed.emit(press)

    def _emit_dialled(self, phone: Phone, dialled: Dialled) -> None:
        phone.dialled.emit(dialled)
        self.dialled.emit(dialled)


def _reply(
    phone: Phone, incoming: IncomingRequest, answer: Answered, *, is_secret: bool
) -> None:
    """Answer a press or call, and record that for a restart."""
    incoming.reply(*answer)
    phone.acted_on(incoming.record(is_secret=is_secret))


def _replaced(request: Request) -> str:
    """Return the Call-ID in Replaces (RFC 3891 6.1), "" without one."""
    return (request.headers.get("Replaces") or "").partition(";")[0].strip()


def _requires_replaces(request: Request) -> bool:
    required = request.headers.listed("Require")
    return any(option.lower() == REPLACES for option in required)


def _is_press(pressed: Sequence[KeyDescription]) -> bool:
    return bool(pressed) and all(
        len(key.name) <= MAX_TEXT and len(key.action) <= MAX_TEXT for key in pressed
    )


def emit_later(emit: Callable[[], None]) -> None:
    """Emit an event after the documents that it made due, sent in the next turn."""
    asyncio.get_running_loop().call_soon(emit)
