"""The outbox of a speaker: the keys whose looks the contact has not taken yet.

The newest look is sent, in one batch of keys at a time, which keeps the order.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
import logging
from typing import NamedTuple

from ..sip import T4
from .alarm import Timer
from .speaker import DeliveryFailed, Outcome, Speaker

_LOGGER = logging.getLogger(__name__)

FIRST_RETRY = 5.0
"""Seconds until a failed document is sent again; doubled with each failure."""
LAST_RETRY = 300.0
LABEL_PAUSE = 1.0
"""Seconds between documents that change labels only."""
SLOW = 1.0
"""Seconds without an answer after which a contact is no longer in sync."""
LATE = T4
"""Seconds for which the network may delay a document (T4, RFC 3261 17.1.2.2)."""
REFUSALS = 3
"""Refusals in a row, each after a retry, after which `refusal` is set."""


class Answer(NamedTuple):
    """The answer of a contact to a document."""

    keys: list[str]
    """The keys in the document that have not changed since."""
    text: str
    """Such as `200 OK` or `415 Unsupported Media Type`."""
    taken: bool


class Outbox:
    """The keys that are due to one contact, and their delivery."""

    def __init__(
        self,
        speaker: Speaker,
        *,
        status_changed: Callable[[Outbox], None],
        answered: Callable[[Outbox, Answer], None],
        before: Outbox | None = None,
    ) -> None:
        """Create an empty outbox of a speaker; `before` is the contact's previous one.

        `status_changed` is called when `answering`, `in_sync`, `refusal` or what `lacks`
        returns may have changed, `answered` with each answer; both get this outbox.
        """
        # A contact that does not answer, or keeps refusing, stays so if it registers.
        self.answering: bool = before is None or before.answering
        """Whether the contact answered the last time, even with a refusal."""
        self.in_sync: bool = before is not None and before.in_sync
        """Whether the contact has taken all its documents, but for those of the latest
        SLOW seconds."""
        self.refusal: str | None = before.refusal if before else None
        """The contact's answer if it keeps refusing documents."""
        # A contact that refuses one key, or is slow, does so after each REGISTER.
        self._refusals: int = before._refusals if before else 0  # noqa: SLF001
        self._alone: dict[str, None] = dict(before._alone) if before else {}  # noqa: SLF001
        self._is_stalled: bool = before is not None and before._is_stalled  # noqa: SLF001
        self.held_by: str | None = None
        """The answer by which the contact asks to wait, None if it does not."""
        self._speaker = speaker
        self._status_changed = status_changed
        self._answered = answered
        self._due: dict[str, None] = {}
        self._relabelled: dict[str, None] = {}
        self._pause = Timer()
        self._refused: dict[str, None] = {}
        self._under_way: list[str] = []
        self._slow = Timer()
        self._late: dict[str, None] = {}
        self._no_longer_late = Timer()
        self._task: asyncio.Task[None] | None = None
        self._retry = Timer()
        self._delay = FIRST_RETRY

    def add(self, keys: Iterable[str], *, only_labels: bool = False) -> None:
        """Make keys due. Those with only a new label wait until LABEL_PAUSE is over."""
        if not only_labels:
            self._due |= dict.fromkeys(keys)
            self._wake()
            return
        self._relabelled |= dict.fromkeys(keys)
        if not self._pause.is_set:
            self._send_labels()

    def add_idle(self, keys: Iterable[str]) -> None:
        """Make keys due unless they are, or are under way."""
        pending = self._due.keys() | self._under_way
        self.add([key for key in keys if key not in pending])

    def has_taken(self, key: str) -> bool:
        """Whether the contact has taken a key's newest look."""
        return not (
            key in self._due
            or key in self._relabelled
            or key in self._refused
            or key in self._under_way
        )

    def lacks(self, key: str) -> bool:
        """Whether the contact refused a key's look, or does not answer for SLOW seconds.

        False for a look that is on its way for less.
        """
        return (self._is_stalled or key in self._alone) and not self.has_taken(key)

    def heard(self) -> None:
        """Record that the contact answers: a message has come from it."""
        if not self.answering:
            missed = self._due or self._relabelled or self._refused or self._late
            in_sync = not (missed or self._under_way)
            self._is_stalled = self._is_stalled and not in_sync
            self._set_status(answering=True, in_sync=in_sync)
            self._wake()

    def asked(self) -> None:
        """End the wait that the contact asked for, as it asks for the state itself."""
        if self.held_by is not None:
            self._retry.cancel()
            self._try_again()

    def caught_up(self) -> None:
        """Record that the contact has taken a key that was sent beside the outbox."""
        self.heard()
        self.forget(())

    def lost(self) -> None:
        """Record that the contact does not answer."""
        self._stall(answering=False)

    def send_again_late(self, keys: Iterable[str]) -> None:
        """Send keys again after LATE: an old document may arrive behind a newer one."""
        self._late |= dict.fromkeys(keys)
        if self._late:
            self._no_longer_late.set_in(LATE, self._send_late)

    def forget(self, keys: Iterable[str]) -> None:
        """Send keys no more, as they belong to another speaker."""
        pending = (self._due, self._relabelled, self._refused, self._late)
        for key in keys:
            for those in (*pending, self._alone):
                those.pop(key, None)
            if key in self._under_way:
                self._under_way.remove(key)
        if not (self._due or self._relabelled or self._refused or self._under_way):
            self._complete()

    def forget_all(self) -> None:
        """Send nothing of what is due."""
        self.forget([*self._due, *self._relabelled, *self._refused, *self._late])

    def close(self) -> list[str]:
        """End everything; return the keys of which an old document may still arrive."""
        self._retry.cancel()
        self._no_longer_late.cancel()
        self._pause.cancel()
        self._slow.cancel()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        return [*self._late, *self._under_way]

    def _send_late(self) -> None:
        self._due |= self._late
        self._late.clear()
        if self.answering:  # otherwise a retry sends them
            self._wake()

    def _send_labels(self) -> None:
        if self._relabelled:
            labelled = self._speaker.batch(self._relabelled, self._alone)
            self._due |= dict.fromkeys(labelled)
            for key in labelled:
                del self._relabelled[key]
            self._pause.set_in(LABEL_PAUSE, self._send_labels)
            self._wake()

    def _wake(self) -> None:
        if self._task is not None or self.held_by is not None or not self._due:
            return
        # The task starts in the loop's next turn, so that changes of this one go together.
        self._task = asyncio.create_task(self._run(), name="snom_buttons outbox")

    async def _run(self) -> None:
        """Send until nothing is due, or the contact does not answer.

        A refused key waits for its retry, so that it does not hold up the others.
        """
        refusal: DeliveryFailed | None = None
        while self._due:
            keys: list[str] = []
            try:
                keys = self._speaker.batch(self._due, self._alone)
                for key in keys:
                    del self._due[key]
                    self._relabelled.pop(key, None)
                    self._refused.pop(key, None)
                outcomes = await self._send(keys)
            except Exception as error:
                _LOGGER.exception("Keys could not be sent")
                self._give_up(keys, DeliveryFailed(str(error), answer=str(error)))
                return
            taken, failed = _sorted(outcomes)
            if failed and not taken and not any(it.answered for it in failed):
                self.send_again_late(outcomes)
                self._give_up([*outcomes], next(iter(failed)))
                return
            held: DeliveryFailed | None = None
            for failure, keys in failed.items():
                if failure.answer is not None:
                    self._note(keys, failure.answer, taken=False)
                if failure.retry_after is not None:
                    held = failure
                    self._count_refusal(failure)
                    self.held_by = failure.answer
                    self._send_last(keys)
                else:
                    refusal = failure
                    self._refuse(keys)
            for answer, keys in taken.items():
                self._take(keys, answer)
            if held is not None:
                self._give_up([], held)
                return
        self._task = None
        if not self._refused:
            self._complete()
        elif refusal is not None and not self._retry.is_set:
            self._count_refusal(refusal)
            self._retry_later(refusal)

    def _refuse(self, keys: list[str]) -> None:
        self._refused |= dict.fromkeys(keys)
        lacks_more = not self._alone.keys() >= set(keys)
        self._alone |= dict.fromkeys(keys)
        self._is_stalled = self._is_stalled and bool(self._due)
        self._set_status(answering=True, in_sync=False, is_news=lacks_more)

    def _take(self, keys: list[str], answer: str) -> None:
        lacked = self._is_stalled
        for key in keys:
            lacked |= key in self._alone
            self._alone.pop(key, None)
        self._is_stalled = self._is_stalled and bool(self._due)
        in_sync = not self._refused and (self.in_sync or not self._due)
        self._set_status(answering=True, in_sync=in_sync, is_news=lacked)
        self._note(keys, answer, taken=True)

    def _complete(self) -> None:
        """Record that nothing is left to send, also if the last key was forgotten."""
        if self.held_by is None:
            self._calm_down()
        if self.answering:
            self._is_stalled = False
            self._set_status(answering=True, in_sync=True)

    def _calm_down(self) -> None:
        """Begin anew with the retries: the contact refuses nothing."""
        self._retry.cancel()
        self._delay = FIRST_RETRY
        self._refusals = 0
        self._set_refusal(None)

    async def _send(self, keys: list[str]) -> Mapping[str, Outcome]:
        self._under_way = [*keys]
        self._slow.set_in(SLOW, self._is_slow)
        try:
            outcomes = await self._speaker.deliver(keys)
            # Without those that belong to another speaker since.
            return {k: it for k, it in outcomes.items() if k in self._under_way}
        finally:
            self._slow.cancel()
            self._under_way = []

    def _is_slow(self) -> None:
        self._stall(answering=self.answering)

    def _note(self, keys: list[str], answer: str, *, taken: bool) -> None:
        newest = [key for key in keys if key not in self._due]
        self._answered(self, Answer(newest, answer, taken))

    def _give_up(self, keys: list[str], failure: DeliveryFailed) -> None:
        """Keep all due keys for the retry, those that failed first."""
        self._due = self._refused | dict.fromkeys(keys) | self._due
        self._refused.clear()
        self._task = None
        if failure.unsent and self._retry.is_set:
            return  # later changes go with the planned retry
        # A network that is away for a moment makes no contact unavailable.
        is_first = failure.unsent and self._delay == FIRST_RETRY
        self._retry.cancel()
        self._retry_later(failure)
        answering = failure.answered or (is_first and self.answering)
        self._stall(answering=answering)

    def _send_last(self, keys: list[str]) -> None:
        """Send keys last, from the second refusal on alone: one may be the cause."""
        if self._refusals > 1:
            self._alone |= dict.fromkeys(keys)
        self._due |= self._refused | dict.fromkeys(keys)
        self._refused.clear()

    def _retry_later(self, failure: DeliveryFailed) -> None:
        delay = max(self._delay, failure.retry_after or 0.0)
        _LOGGER.debug("%s; trying again in %g s", failure, delay)
        self._retry.set_in(delay, self._try_again)
        self._delay = min(2 * self._delay, LAST_RETRY)

    def _try_again(self) -> None:
        self.held_by = None
        self._due |= self._refused
        self._wake()

    def _count_refusal(self, failure: DeliveryFailed) -> None:
        self._refusals += 1
        if self._refusals >= REFUSALS:
            self._set_refusal(failure.answer)

    def _set_refusal(self, answer: str | None) -> None:
        if answer != self.refusal:
            self.refusal = answer
            self._status_changed(self)

    def _stall(self, *, answering: bool) -> None:
        """Record that the contact lacks all that is due, until it has taken it."""
        is_news, self._is_stalled = not self._is_stalled, True
        self._set_status(answering=answering, in_sync=False, is_news=is_news)

    def _set_status(
        self, *, answering: bool, in_sync: bool, is_news: bool = False
    ) -> None:
        status = answering, in_sync
        if is_news or status != (self.answering, self.in_sync):
            self.answering, self.in_sync = status
            self._status_changed(self)


def _sorted(
    outcomes: Mapping[str, Outcome],
) -> tuple[dict[str, list[str]], dict[DeliveryFailed, list[str]]]:
    """Return the keys by the answer that took them, and those that were not by failure."""
    taken: dict[str, list[str]] = {}
    failed: dict[DeliveryFailed, list[str]] = {}
    for key, outcome in outcomes.items():
        if isinstance(outcome, str):
            taken.setdefault(outcome, []).append(key)
        else:
            failed.setdefault(outcome, []).append(key)
    return taken, failed
