"""Sends keys as dialog states, and the message lamp, by NOTIFY (RFC 6665, 4235, 3842)."""

import asyncio
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from ..sip import Notifier, Subscription
from .speaker import MESSAGES, DeliveryFailed, Outcome, SubscriptionEnded

AT_ONCE = 8
"""NOTIFYs to a contact that are under way."""
NO_ANSWER = "408 Request Timeout"
"""What no answer counts as (RFC 3261 8.1.3.1)."""


def name_of(subscription: Subscription) -> str:
    """Return the key that is subscribed to, or MESSAGES."""
    is_key = subscription.event.package == "dialog"
    return subscription.resource if is_key else MESSAGES


class Subscriber(Protocol):
    """The contact that has subscribed."""

    @property
    def answering(self) -> bool:
        """Whether it answered the last time."""

    async def notify(self, key: str, subscription: Subscription) -> str:
        """Send a key's state; return the answer. Raises DeliveryFailed."""

    def subscription_ended(self, key: str, answer: str) -> None:
        """Follow the end of the last subscription to a key by an answer."""


class Blf:
    """The speaker that sends a NOTIFY for each subscription to a key of a batch.

    `MESSAGES` counts as a key, except for the length.
    """

    __slots__ = ("_contact", "_notifier", "_subscriptions", "_unanswered")

    def __init__(
        self, contact: Subscriber, notifier: Notifier, before: Blf | None = None
    ) -> None:
        """Take over the subscriptions of `before`, the contact before its last REGISTER.

        `notifier` is told of subscriptions that the contact has lost without saying so.
        """
        self._contact = contact
        self._notifier = notifier
        self._subscriptions: dict[str, list[Subscription]] = (
            before._subscriptions if before else {}  # noqa: SLF001
        )
        """By key, the oldest first."""
        self._unanswered: dict[Subscription, bool] = (
            before._unanswered if before else {}  # noqa: SLF001
        )
        """Those whose newest NOTIFY got no answer; whether the contact has answered one
        in another since."""

    def __contains__(self, key: str) -> bool:
        """Return whether the contact has subscribed to a key."""
        return key in self._subscriptions

    def __iter__(self) -> Iterator[tuple[str, Subscription]]:
        """Iterate over all subscriptions, each with its key."""
        for key, held in list(self._subscriptions.items()):
            for subscription in list(held):
                yield key, subscription

    def __len__(self) -> int:
        """Return the number of keys that the contact has subscribed to."""
        return len(self._subscriptions) - (MESSAGES in self)

    def add(self, key: str, subscription: Subscription) -> None:
        """Send a key in a subscription from now on."""
        held = self._subscriptions.setdefault(key, [])
        if subscription not in held:
            held.append(subscription)

    def remove(self, key: str, subscription: Subscription) -> bool:
        """Send nothing more in a subscription; return whether it was the key's last."""
        held = self._subscriptions.get(key, [])
        if subscription not in held:
            return False
        held.remove(subscription)
        self._unanswered.pop(subscription, None)
        if held:
            return False
        del self._subscriptions[key]
        return True

    def batch(self, due: Iterable[str], alone: Container[str]) -> list[str]:
        """Return the first of the due keys that have AT_ONCE subscriptions together.

        A contact that does not answer gets one key at a time, since each NOTIFY is
        repeated. Each has its own answer, so that no key has to go alone. Those that got
        no answer wait for the others, so that a lost dialog does not hold them up.
        """
        keys: list[str] = []
        if self._unanswered:
            due = list(due)
            due = [key for key in due if not self._is_unanswered(key)] or due
        room = AT_ONCE if self._contact.answering else 1
        for key in due:
            room -= len(self._subscriptions.get(key, ()))
            if keys and room < 0:
                break
            keys.append(key)
        return keys

    async def deliver(self, keys: Sequence[str]) -> Mapping[str, Outcome]:
        """Send a batch; return the outcome of each key that is still subscribed to.

        A key is taken if it is in all its subscriptions that have not ended. One without
        an answer ends if the contact answers in another one, or got none twice while it
        answers in those of other keys (docs/decisions/0020). A
        contact that does not answer gets one NOTIFY, in the newest one, which it has
        lost the least likely; the others follow if it answers that.
        """
        outcomes: dict[str, Outcome] = {}
        ended: dict[str, str] = {}
        results: list[tuple[str, Subscription, Outcome]] = []
        due = [(k, s) for k in keys for s in reversed(self._subscriptions.get(k, ()))]
        room, has_answered = AT_ONCE if self._contact.answering else 1, False
        while due:
            part, due = due[:room], due[room:]
            async with asyncio.TaskGroup() as group:
                # Sent in this turn: the event of a press comes in the next.
                tasks = [
                    group.create_task(self._outcome(*each), eager_start=True)
                    for each in part
                ]
            came = [task.result() for task in tasks]
            results += [
                (*each, outcome) for each, outcome in zip(part, came, strict=True)
            ]
            has_answered = has_answered or not all(map(_is_silent, came))
            if not has_answered:
                outcomes |= {key: came[-1] for key, _ in due}
                break
            room = AT_ONCE
        alive = {key for key, _, outcome in results if isinstance(outcome, str)}
        lost = self._lost(results)
        for key, subscription, outcome in results:
            if isinstance(outcome, SubscriptionEnded):
                if self.remove(key, subscription):
                    ended[key] = outcome.answer or ""
            elif subscription in lost or (key in alive and _is_silent(outcome)):
                self._notifier.lost(subscription)
                if self.remove(key, subscription):
                    ended[key] = NO_ANSWER
            elif not isinstance(outcomes.get(key), DeliveryFailed):
                outcomes[key] = outcome
        for key, answer in ended.items():
            self._contact.subscription_ended(key, answer)
        return {key: outcome for key, outcome in outcomes.items() if key in self}

    def _lost(
        self, results: Iterable[tuple[str, Subscription, Outcome]]
    ) -> set[Subscription]:
        """Return those that got no answer again, and note which got none for the first time.

        The contact has answered in others in between, so it is within reach.
        """
        silent = {s for _, s, outcome in results if _is_silent(outcome)}
        answered = {s for _, s, outcome in results if _is_answered(outcome)}
        if answered:
            self._unanswered = dict.fromkeys(self._unanswered, True)
        lost = {s for s in silent if self._unanswered.get(s)}
        for subscription in answered:
            self._unanswered.pop(subscription, None)
        for subscription in silent:
            self._unanswered.setdefault(subscription, False)
        return lost

    def _is_unanswered(self, key: str) -> bool:
        return any(s in self._unanswered for s in self._subscriptions.get(key, ()))

    async def _outcome(self, key: str, subscription: Subscription) -> Outcome:
        try:
            return await self._contact.notify(key, subscription)
        except DeliveryFailed as failure:
            return failure


def _is_silent(outcome: Outcome) -> bool:
    return isinstance(outcome, DeliveryFailed) and not (
        outcome.answered or outcome.unsent
    )


def _is_answered(outcome: Outcome) -> bool:
    return isinstance(outcome, str) or outcome.answered
