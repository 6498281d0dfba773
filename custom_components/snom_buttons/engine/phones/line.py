"""Shared lines: a key on several phones, which one phone at a time can hold.

LED Remote Control, "shared lines": the first phone that seizes the line owns it, only
the owner can release it, and all phones show whether it is seized.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
import logging
from typing import Any

from ..xbuttons import Action
from .alarm import Timer
from .events import KeyPress, LineUse, Use
from .key import Key
from .phone import Phone
from .setup import LineSetup, shared_key
from .signal import Signal

_LOGGER = logging.getLogger(__name__)

USES: tuple[Use, ...] = (Action.SEIZE, Action.RELEASE)


type Decide = Callable[[Use, str | None, KeyPress | None], Awaitable[bool]]
"""Returns whether a phone may seize or release the line, by a press or, without one,
because it is gone."""


class SharedLine:
    """One line: its owner, and its keys, which show whether it is seized."""

    def __init__(
        self,
        setup: LineSetup,
        phones: Mapping[str, Phone],
        emit_later: Callable[[Callable[[], None]], None],
        by_phone: dict[str, list[SharedLine]] | None = None,
    ) -> None:
        """Create a free line; `phones` may change, `emit_later` is reception's.

        In `by_phone`, the lines that each extension has keys of, the line keeps itself.
        """
        self.setup = setup
        self._by_phone = {} if by_phone is None else by_phone
        self._enter()
        self.seized = False
        self.owner: str | None = None
        """The extension of the phone that holds it; None if it is free, or held by the
        server itself."""
        self.status: Signal[object] = Signal()
        """`seized` or `owner` has changed. The value is the cause, as in Happening."""
        self.used: Signal[LineUse] = Signal()
        self.decide: Decide | None = None
        """Decides who holds the line if its phones are on several servers, of which one
        decides; None if this server does. What was decided comes by `decided`."""
        self._phones = phones
        self._emit_later = emit_later
        self._running = False
        self._grace = Timer()
        self._giving_up: asyncio.Future[bool] | None = None

    def start(self) -> None:
        """From now on, release the line when its owner is gone."""
        self._running = True
        self.follow_owner()

    def seize(self, extension: str | None = None, cause: object = None) -> bool:
        """Seize the line for a phone or the server; return whether it was free."""
        if self.seized:
            return False
        self._become(True, extension, Action.SEIZE, extension, cause)
        return True

    def release(self, extension: str | None = None, cause: object = None) -> bool:
        """Release the line for its owner, None for any; return whether it was held."""
        if not self.seized or (extension is not None and extension != self.owner):
            return False
        self._become(False, None, Action.RELEASE, extension, cause)
        return True

    def press(self, phone: Phone, press: KeyPress) -> Use | None:
        """Act on a press of a key of the line; return the effect on the line.

        After a press without effect the key's look is sent again: the phone may not
        show yet that another phone was faster. A phone without a registration cannot
        seize the line, as nothing would release it.
        """
        is_registered = phone.registration is not None
        if (
            press.action is Action.SEIZE
            and is_registered
            and self.seize(phone.extension, press)
        ):
            return Action.SEIZE
        if press.action is Action.RELEASE and self.release(phone.extension, press):
            return Action.RELEASE
        phone.send_again(press.key)
        return None

    async def ask(self, phone: Phone, press: KeyPress) -> Use | None:
        """Act on a press as `press` does, by what `decide` says."""
        assert self.decide is not None
        use = next((it for it in USES if press.action is it), None)
        is_registered = phone.registration is not None
        if use is not None and (is_registered or use is Action.RELEASE):
            if await self.decide(use, phone.extension, press):
                return use
        phone.send_again(press.key)
        return None

    def decided(self, seized: bool, owner: str | None, cause: object = None) -> None:
        """Show what another server has decided, or this one as one of several."""
        if (seized, owner) == (self.seized, self.owner):
            return
        use: Use = Action.SEIZE if seized else Action.RELEASE
        self._become(seized, owner, use, owner or self.owner, cause)
        self.follow_owner()

    def configure(self, setup: LineSetup) -> None:
        """Apply a new setup; keys that leave the line go free."""
        if replace(setup, name=self.setup.name) == self.setup:
            self.setup = setup
            return
        for key in self._keys():
            key.show(shared_key(key.name, self.setup.code).off)
        self._leave()
        self.setup = setup
        self._enter()
        self.apply()
        self._grace.cancel()
        self.follow_owner()

    def apply(self, cause: object = None) -> None:
        """Set the looks of all keys."""
        for key in self._keys():
            looks = shared_key(key.name, self.setup.code)
            key.show((looks.on if self.seized else None) or looks.off, cause)

    def follow_owner(self) -> None:
        """Release the line if its owner is gone, or set the timer for that."""
        if self.owner is None or not self._running:
            return
        phone = self._phones.get(self.owner)
        after = self.setup.release_after
        if phone is None and self.decide is not None and self.owner in self.setup.keys:
            self._grace.cancel()  # another server has it
        elif phone is None or self.owner not in self.setup.keys:
            self._give_up()
        elif after is None:
            if phone.registration is None:
                self._give_up()
        elif phone.available:
            self._grace.cancel()
        elif not self._grace.is_set:
            self._grace.set_in(after, self._give_up)

    def close(self) -> None:
        """Stop the timer; the owner stays."""
        self._running = False
        self._grace.cancel()
        if self._giving_up is not None:
            self._giving_up.cancel()

    def save(self) -> dict[str, Any]:
        """Return what `restore` needs, as JSON."""
        return {"seized": self.seized, "phone": self.owner}

    def restore(self, saved: object) -> None:
        """Restore the owner from before a restart; anything but a `save` frees the line."""
        match saved:
            case None | {"seized": False}:
                pass
            case {"seized": True, "phone": None | str() as owner}:
                if owner is None or owner in self.setup.keys:
                    self.seized, self.owner = True, owner
                    self.apply()
            case _:
                _LOGGER.warning("The stored line %s cannot be read", self.setup.name)

    def _enter(self) -> None:
        for extension in self.setup.keys:
            self._by_phone.setdefault(extension, []).append(self)

    def _leave(self) -> None:
        for extension in self.setup.keys:
            held = self._by_phone[extension]
            held.remove(self)
            if not held:
                del self._by_phone[extension]

    def _keys(self) -> Iterator[Key]:
        for extension, name in self.setup.keys.items():
            phone = self._phones.get(extension)
            if phone is not None and (key := phone.keys.get(name)) is not None:
                yield key

    def _become(
        self,
        seized: bool,
        owner: str | None,
        use: Use,
        by: str | None,
        cause: object,
    ) -> None:
        self._grace.cancel()
        self.seized, self.owner = seized, owner
        self.apply(cause)
        self.status.emit(cause)
        event = LineUse(use=use, extension=by, cause=cause)
        self._emit_later(lambda: self.used.emit(event))

    def _give_up(self) -> None:
        if self.decide is None:
            self.release(self.owner)
        elif self._giving_up is None or self._giving_up.done():
            decision = self.decide(Action.RELEASE, self.owner, None)
            self._giving_up = asyncio.ensure_future(decision)
