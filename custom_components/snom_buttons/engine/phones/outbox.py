"""The outbox: gets one device to show what its keys should show.

It keeps only which keys are due, never how they looked when they became so: what goes
out is the newest. One document is on its way at a time, so that order needs no
bookkeeping, and what changes meanwhile travels together in the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
import logging

from ..sip import T4

_LOGGER = logging.getLogger(__name__)

FIRST_RETRY = 5.0
"""Seconds until a document that failed is tried again; doubles with each failure."""
LAST_RETRY = 300.0
LABEL_PAUSE = 1.0
"""Seconds from one document that only changes labels to the next."""
LATE = T4
"""Seconds for which the network may hold a document (T4 of RFC 3261 17.1.2.2)."""
REFUSALS = 3
"""Refusals in a row, each tried later than the one before, until somebody is told."""


class DeliveryFailed(Exception):
    """A document did not arrive."""

    def __init__(
        self,
        reason: str,
        *,
        answer: str | None = None,
        retry_after: float | None = None,
        unsent: bool = False,
    ) -> None:
        """Say why, in words for a log.

        `answer` is what the device refused it with, as `415 Unsupported Media Type`,
        None if it said nothing; `retry_after` how many seconds it wants to be left alone.
        `unsent` says that the system did not let it go, which tells nothing of the device.
        """
        super().__init__(reason)
        self.answer = answer
        self.retry_after = retry_after
        self.unsent = unsent

    @property
    def answered(self) -> bool:
        """Whether it is a refusal, not silence."""
        return self.answer is not None


class Outbox:
    """What one device still has to be told."""

    def __init__(
        self,
        *,
        document_of: Callable[[str], bytes],
        deliver: Callable[[bytes], Awaitable[None]],
        room: Callable[[], int],
        status_changed: Callable[[], None],
        taken: Callable[[list[str]], None] = lambda _: None,
        before: Outbox | None = None,
    ) -> None:
        """Make an empty outbox; `before` is the one that the device had until now.

        `document_of` returns a key's description as it should be now, `deliver` sends
        a document of up to `room()` bytes (more only if a single key needs more) and
        raises DeliveryFailed. `status_changed` is called when `answering`, `in_sync` or
        `refusal` changes, `taken` with the keys that the device has just taken.
        """
        # A device that does not answer, or keeps refusing, is no other because it
        # registers again.
        self.answering: bool = before is None or before.answering
        """Whether the device answered the last time, if only to refuse."""
        self.in_sync: bool = before is not None and before.in_sync
        """Whether the device took all that it was sent."""
        self.refusal: str | None = before.refusal if before else None
        """What it answers with if it keeps refusing what it is sent."""
        self._refusals: int = before._refusals if before else 0  # noqa: SLF001
        self._is_held = False
        self._document_of = document_of
        self._deliver = deliver
        self._room = room
        self._status_changed = status_changed
        self._taken = taken
        self._due: dict[str, None] = {}
        self._relabelled: dict[str, None] = {}
        self._pause: asyncio.TimerHandle | None = None
        self._refused: dict[str, None] = {}
        self._under_way: list[str] = []
        self._late: dict[str, None] = {}
        self._no_longer_late: asyncio.TimerHandle | None = None
        self._alone: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._delay = FIRST_RETRY

    def add(self, keys: Iterable[str], *, only_labels: bool = False) -> None:
        """Have these keys told; at once, if nothing is under way.

        Those of which only the label has changed wait until LABEL_PAUSE is over.
        """
        if not only_labels:
            self._due |= dict.fromkeys(keys)
            self._wake()
            return
        self._relabelled |= dict.fromkeys(keys)
        if self._pause is None:
            self._tell_labels()

    def has_taken(self, key: str) -> bool:
        """Whether the device has a key's newest description."""
        return not any(
            key in keys
            for keys in (self._due, self._relabelled, self._refused, self._under_way)
        )

    def heard(self) -> None:
        """Take note that the device is there: something has just come from it."""
        if not self.answering:
            missed = self._due or self._relabelled or self._refused or self._late
            in_sync = not (missed or self._under_way)
            self._set_status(answering=True, in_sync=in_sync)
            self._wake()

    def lost(self) -> None:
        """Take note that the device is not there."""
        self._set_status(answering=False, in_sync=False)

    def beware_of(self, keys: Iterable[str]) -> None:
        """Have these keys told once more when what they were told before cannot be late.

        For a document that nobody answered, and that is not sent any more, may still
        arrive, behind a newer one.
        """
        self._late |= dict.fromkeys(keys)
        if not self._late:
            return
        if self._no_longer_late is not None:
            self._no_longer_late.cancel()
        self._no_longer_late = asyncio.get_running_loop().call_later(
            LATE, self._tell_late
        )

    def close(self) -> list[str]:
        """Give up for good what is under way and what was to be tried again.

        Returns the keys of which an old description may still arrive at the device.
        """
        self._stop_retry()
        if self._no_longer_late is not None:
            self._no_longer_late.cancel()
            self._no_longer_late = None
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._task is not None:
            self._task.cancel()
            self._task = None
        return [*self._late, *self._under_way]

    def _tell_late(self) -> None:
        self._no_longer_late = None
        self._due |= self._late
        self._late.clear()
        if self.answering:  # else a retry tells them
            self._wake()

    def _tell_labels(self) -> None:
        """Have labels told, as many as one document carries, and none for a while then."""
        self._pause = None
        if self._relabelled:
            labelled, _ = self._document(self._relabelled)
            self._due |= dict.fromkeys(labelled)
            for key in labelled:
                del self._relabelled[key]
            self._pause = asyncio.get_running_loop().call_later(
                LABEL_PAUSE, self._tell_labels
            )
            self._wake()

    def _wake(self) -> None:
        if self._task is not None or self._is_held or not self._due:
            return
        # The task begins in the loop's next turn: changes of this one go together.
        self._task = asyncio.create_task(self._run(), name="snom_buttons outbox")

    async def _run(self) -> None:
        """Send until nothing is due, or until the device does not answer.

        What it refuses waits until it is tried again, whatever else is sent meanwhile:
        so a key which it does not like keeps none of the others dark, and a change of
        another does not have it refused once more.
        """
        refusal: DeliveryFailed | None = None
        while self._due:
            keys: list[str] = []
            try:
                keys, document = self._document(self._due)
                for key in keys:
                    del self._due[key]
                    self._relabelled.pop(key, None)
                    self._refused.pop(key, None)
                await self._send(keys, document)
            except DeliveryFailed as failure:
                if not failure.answered:
                    self.beware_of(keys)
                    self._give_up(keys, failure)
                    return
                if failure.retry_after is not None:
                    self._count_refusal(failure)
                    self._is_held = True
                    self._let_others_pass(keys)
                    self._give_up([], failure)
                    return
                self._refused |= dict.fromkeys(keys)
                refusal = failure
                self._set_status(answering=True, in_sync=False)
            except Exception as error:
                _LOGGER.exception("A buttons document could not be sent")
                self._give_up(keys, DeliveryFailed(str(error), answer=str(error)))
                return
            else:
                self._alone.difference_update(keys)
                in_sync = not self._refused and (self.in_sync or not self._due)
                self._set_status(answering=True, in_sync=in_sync)
                self._taken(keys)
        self._task = None
        self._alone.update(self._refused)
        if not self._refused:
            self._stop_retry()
            self._delay = FIRST_RETRY
            self._refusals = 0
            self._set_refusal(None)
        elif refusal is not None and self._retry is None:
            self._count_refusal(refusal)
            self._retry_later(refusal)

    async def _send(self, keys: list[str], document: bytes) -> None:
        self._under_way = keys
        try:
            await self._deliver(document)
        finally:
            self._under_way = []

    def _give_up(self, keys: list[str], failure: DeliveryFailed) -> None:
        """Keep all that is due for later, beginning with what failed."""
        self._due = self._refused | dict.fromkeys(keys) | self._due
        self._refused.clear()
        self._task = None
        if failure.unsent and self._retry is not None:
            return  # what changed meanwhile; the retry tells whether it goes again
        # A network that is away for a moment makes no device unavailable.
        is_first = failure.unsent and self._delay == FIRST_RETRY
        self._stop_retry()
        self._retry_later(failure)
        answering = failure.answered or (is_first and self.answering)
        self._set_status(answering=answering, in_sync=False)

    def _let_others_pass(self, keys: list[str]) -> None:
        """Put keys behind the others; if that is not the first time, each alone.

        The device wants to be left alone, perhaps because of one of them.
        """
        if self._refusals > 1:
            self._alone.update(keys)
        self._due |= self._refused | dict.fromkeys(keys)
        self._refused.clear()

    def _retry_later(self, failure: DeliveryFailed) -> None:
        """Try again later, more and more seldom, and not before the device wants it."""
        delay = max(self._delay, failure.retry_after or 0.0)
        _LOGGER.debug("%s; trying again in %g s", failure, delay)
        self._retry = asyncio.get_running_loop().call_later(delay, self._try_again)
        self._delay = min(2 * self._delay, LAST_RETRY)

    def _try_again(self) -> None:
        self._retry = None
        self._is_held = False
        self._due |= self._refused
        self._wake()

    def _stop_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _document(self, names: Iterable[str]) -> tuple[list[str], bytes]:
        """Return as many of these keys as one document carries, from the first on.

        A key that was in a document which the device refused travels alone: it may
        have been another's fault.
        """
        keys: list[str] = []
        document = b""
        room = self._room()
        for key in names:
            part = self._document_of(key)
            if keys and (key in self._alone or len(document) + len(part) > room):
                break
            keys.append(key)
            document += part
            if key in self._alone:
                break
        return keys, document

    def _count_refusal(self, failure: DeliveryFailed) -> None:
        self._refusals += 1
        if self._refusals >= REFUSALS:
            self._set_refusal(failure.answer)

    def _set_refusal(self, answer: str | None) -> None:
        if answer != self.refusal:
            self.refusal = answer
            self._status_changed()

    def _set_status(self, *, answering: bool, in_sync: bool) -> None:
        if (answering, in_sync) != (self.answering, self.in_sync):
            self.answering, self.in_sync = answering, in_sync
            self._status_changed()
