"""Shared lines: a key of several phones that only one of them holds at a time.

LED Remote Control, "shared lines": the first phone that seizes the line owns it, the
owner alone can release it, and all phones show which of both it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..xbuttons import Action
from .events import KeyPress, LineUse, Use
from .key import Key
from .phone import Phone
from .setup import LineSetup, shared_key
from .signal import Signal


class SharedLine:
    """One line: who holds it, and its keys, which show what follows from that."""

    def __init__(
        self,
        setup: LineSetup,
        phones: Mapping[str, Phone],
        tell: Callable[[Callable[[], None]], None],
    ) -> None:
        """Make a line that is free, for those of the phones that it names.

        `tell` calls what tells others of a use, after the phones have been told.
        """
        self.setup = setup
        self.seized = False
        self.owner: str | None = None
        """The extension of the phone that holds it; None while it is free, or held by
        whoever runs the server."""
        self.status: Signal[None] = Signal()
        """`seized` or `owner` has changed."""
        self.used: Signal[LineUse] = Signal()
        self._phones = phones
        self._tell = tell
        self._running = False
        self._grace: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Mind from now on whether the phone that holds the line is there."""
        self._running = True
        self.follow_owner()

    def seize(self, phone: str | None = None) -> bool:
        """Seize the line for a phone, or for us; return whether it was free."""
        if self.seized:
            return False
        self._become(True, phone, Action.SEIZE, phone)
        return True

    def release(self, phone: str | None = None) -> bool:
        """Release the line; return whether it was held, and by that phone.

        We ourselves can release it whoever holds it.
        """
        if not self.seized or (phone is not None and phone != self.owner):
            return False
        self._become(False, None, Action.RELEASE, phone)
        return True

    def press(self, phone: Phone, press: KeyPress) -> Use | None:
        """Take a press of one of the keys; return what it did to the line.

        Of a press that did nothing the phone gets the key's picture again: it may have
        been pressed before the phone knew that somebody else was faster. A phone that
        is not registered holds nothing: nobody would notice when it is gone.
        """
        is_registered = phone.registration is not None
        if (
            press.action is Action.SEIZE
            and is_registered
            and self.seize(phone.extension)
        ):
            return Action.SEIZE
        if press.action is Action.RELEASE and self.release(phone.extension):
            return Action.RELEASE
        phone.send_again(press.key)
        return None

    def configure(self, setup: LineSetup) -> None:
        """Take a new setup; keys that do not belong to the line any more go free."""
        if replace(setup, name=self.setup.name) == self.setup:
            self.setup = setup
            return
        for key in self._keys():
            key.show(shared_key(key.name, self.setup.code).off)
        self.setup = setup
        self.apply()
        self._stop_waiting()
        self.follow_owner()

    def apply(self) -> None:
        """Let all keys show whether the line is free."""
        for key in self._keys():
            looks = shared_key(key.name, self.setup.code)
            key.show((looks.on if self.seized else None) or looks.off)

    def follow_owner(self) -> None:
        """See whether the phone that holds the line is there, and when to give it up."""
        if self.owner is None or not self._running:
            return
        phone = self._phones.get(self.owner)
        after = self.setup.release_after
        if phone is None or self.owner not in self.setup.keys:
            self._give_up()
        elif after is None:
            if phone.registration is None:
                self._give_up()
        elif phone.available:
            self._stop_waiting()
        elif self._grace is None:
            loop = asyncio.get_running_loop()
            self._grace = loop.call_later(after, self._give_up)

    def close(self) -> None:
        """End what is to happen later; who holds the line, holds it."""
        self._running = False
        self._stop_waiting()

    def save(self) -> dict[str, Any]:
        """Return what `restore` needs, as JSON."""
        return {"seized": self.seized, "phone": self.owner}

    def restore(self, saved: object) -> None:
        """Take over from before a restart who holds the line."""
        if not isinstance(saved, Mapping) or saved.get("seized") is not True:
            return
        phone = saved.get("phone")
        if phone is None or (isinstance(phone, str) and phone in self.setup.keys):
            self.seized, self.owner = True, phone
            self.apply()

    def _keys(self) -> Iterator[Key]:
        """Return the keys of those phones that there are."""
        for extension, name in self.setup.keys.items():
            phone = self._phones.get(extension)
            if phone is not None and (key := phone.keys.get(name)) is not None:
                yield key

    def _become(
        self, seized: bool, owner: str | None, use: Use, by: str | None
    ) -> None:
        self._stop_waiting()
        self.seized, self.owner = seized, owner
        self.apply()
        self.status.emit(None)
        event = LineUse(use=use, extension=by)
        self._tell(lambda: self.used.emit(event))

    def _give_up(self) -> None:
        """Release the line for its owner, who is not there."""
        self.release(self.owner)

    def _stop_waiting(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
