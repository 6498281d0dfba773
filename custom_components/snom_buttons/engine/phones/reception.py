"""Answers the requests of phones, and emits presses and dialled numbers.

A key takes its own action, such as a toggle, in the same call; the event comes later.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
import logging

from ..refused import Refused
from ..sip import (
    ALLOW_EVENTS_HEADER,
    ALLOW_HEADER,
    SUPPORTED_HEADER,
    Rate,
    Request,
    Shares,
    content_refusal,
    shape,
    unsupported,
)
from ..sip.net import IncomingRequest
from ..xbuttons import (
    CONTENT_TYPE,
    MAX_TEXT,
    Action,
    DocumentError,
    KeyDescription,
    parse_document,
)
from .called import Called, called_keys, printable
from .events import Dialled, KeyPress
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


class Reception:
    """Answers the requests that the endpoint trusts (RFC 3261 8.2)."""

    def __init__(
        self,
        phones: Mapping[str, Phone],
        line_of: Callable[[str, str], SharedLine | None],
        has_subscribed: Callable[[str, str], bool],
        clock: Callable[[], float],
    ) -> None:
        """Answer for `phones`, which may change.

        `line_of` returns a key's line, `has_subscribed` whether a phone has subscribed to
        a key; both get an extension and the name of a key.
        """
        self.pressed: Signal[KeyPress] = Signal()
        """A key was pressed; the key need not be configured."""
        self.dialled: Signal[Dialled] = Signal()
        self._phones = phones
        self._line_of = line_of
        self._has_subscribed = has_subscribed
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
        incoming.reply(200)
        phone.acted_on(incoming.record())
        if _LOGGER.isEnabledFor(logging.DEBUG):
            _LOGGER.debug(
                "Phone %s sent a press of %s",
                phone.extension,
                ", ".join(
                    key.name if key.name in phone.keys else shape(key.name)
                    for key in pressed
                ),
            )
        for description in pressed:
            # A press without `a=` is not a call, although that is the default.
            action = description.action
            self._press(
                phone,
                description.name,
                Action.MESSAGE if action is Action.INVITE else action,
                printable(request.to.uri.user),
            )

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
        if called.is_blf:
            incoming.reply(phone.setup.blf.press_answer.status)
        # The number of a key that does not call means nothing elsewhere.
        elif all(phone.keys[key].look.action is Action.INVITE for key in called.keys):
            incoming.reply(*phone.setup.dialling.answer_to(whole))
        else:
            incoming.reply(486)
        phone.acted_on(incoming.record(is_secret=not called.keys))
        for key, action in self._actions(phone, called).items():
            self._press(phone, key, action, number)
        if not called.keys or number in phone.setup.dialling.own:
            emit_later(partial(self._emit_dialled, phone, number))

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
                emit_later(partial(self._emit_dialled, phone, number, cause))
        else:
            actions = {key.name: key.look.action}
        return [
            self._press(phone, name, action, number, cause, simulated=True)
            for name, action in actions.items()
        ]

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

    def _press(
        self,
        phone: Phone,
        name: str,
        action: Action | str,
        number: str,
        cause: object = None,
        *,
        simulated: bool = False,
    ) -> KeyPress:
        """Perform the key's own action, and emit the press later. Returns the press."""
        key = phone.keys.get(name)
        caller = key.look.caller if key else None
        press = KeyPress(
            extension=phone.extension,
            key=name,
            action=action,
            number=number,
            caller=caller,
            cause=cause,
            simulated=simulated,
        )
        if key is not None:
            if line := self._line_of(phone.extension, name):
                press.use = line.press(phone, press)
            if key.setup.toggles:
                key.turn(not key.is_on, press)
        emit_later(partial(self._emit_press, phone, press))
        return press

    def _emit_press(self, phone: Phone, press: KeyPress) -> None:
        if key := phone.keys.get(press.key):
            key.pressed.emit(press)
        phone.pressed.emit(press)
        self.pressed.emit(press)

    def _emit_dialled(self, phone: Phone, number: str, cause: object = None) -> None:
        dialled = Dialled(extension=phone.extension, number=number, cause=cause)
        phone.dialled.emit(dialled)
        self.dialled.emit(dialled)


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
