"""A contact: one binding of a phone, with what is sent to it and whether it answers."""

import asyncio
from collections.abc import Awaitable, Collection, Iterable
from typing import Protocol

from ..sip import Binding, OutgoingRequest, Subscription
from .blf import NO_ANSWER, Blf
from .buttons import Buttons
from .courier import Courier
from .keepalive import Keepalive
from .outbox import LAST_RETRY, SLOW, Answer, Outbox
from .sending import Sending, SentAs
from .setup import PhoneSetup, Speakers
from .signal import Signal
from .speaker import (
    MESSAGES,
    DeliveryFailed,
    DocumentsRefused,
    Speaker,
    SubscriptionEnded,
)
from .traffic import Traffic

RESTORED_PATIENCE = 300.0
"""Seconds after a restart in which a contact from before has to answer."""
FIRST_AT_ONCE = 32
"""NOTIFYs after a SUBSCRIBE that are under way to a contact, beside those of its outbox."""
NO_DOCUMENTS = ("405", "415", "489", "501")
"""The statuses of a phone that does not know buttons documents."""
IGNORED = 2
"""Documents without an answer, in a row and each beside a NOTIFY that had one, after which
the silence to a document says nothing about the contact."""


class Owner(Protocol):
    """The phone of a contact."""

    setup: PhoneSetup
    traffic: Traffic
    """Counts what is sent."""
    status: Signal[None]
    """`answering`, `in_sync`, `refusal` or what `lacks` returns has changed."""
    measured: Signal[None]
    """`round_trip` has changed."""
    gone: Signal[Binding]
    """The contact of a binding from before a restart does not answer."""

    def document_of(self, key: str) -> bytes:
        """Return the current document of a key."""

    def state_of(self, key: str, subscription: Subscription) -> bytes:
        """Return the body of the next NOTIFY of a key in a subscription."""

    def answered_by(self, contact: Contact, answer: Answer) -> None:
        """Follow an answer to a batch of keys."""

    def refusal_changed(self, contact: Contact) -> None:
        """Follow a change of `documents_refused`."""


class Contact:
    """A binding with its speakers, an outbox of each, and its keep-alive."""

    def __init__(
        self,
        binding: Binding,
        courier: Courier,
        phone: Owner,
        *,
        documents_refused: str | None = None,
        before: Contact | None = None,
    ) -> None:
        """Start the keep-alive; `before` is the contact before its last REGISTER.

        `documents_refused` is the answer of a former contact with the same User-Agent.
        """
        self.binding = binding
        self.round_trip: float | None = before.round_trip if before else None
        """Seconds that the latest OPTIONS took to be answered."""
        self.documents_refused: str | None = documents_refused
        """The answer by which the contact showed that it does not know documents.

        It gets none until its User-Agent changes, unless its phone is set up for them.
        """
        self._takes_documents = False
        """Whether the contact has taken one."""
        self._ignored = 0
        """Documents without an answer in a row, while it answers NOTIFYs."""
        self._answered_notices = 0
        if before is not None and before.binding.user_agent == binding.user_agent:
            self.documents_refused = before.documents_refused
            self._takes_documents = before._takes_documents  # noqa: SLF001
            self._ignored = before._ignored  # noqa: SLF001
        self._courier = courier
        self._phone = phone
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._heard_at = None if binding.restored else self._began
        """In the loop's time; None if no message has come since a restart."""
        buttons = Buttons(
            binding, courier, document_of=phone.document_of, send=self._send_document
        )
        self._blf: Blf = Blf(self, courier.notifier, before._blf if before else None)  # noqa: SLF001
        self._firsts: dict[asyncio.Task[None], tuple[str, Subscription]] = {}
        """The NOTIFYs that follow a SUBSCRIBE, and have no answer yet."""
        self._outdated: dict[asyncio.Task[None], None] = {}
        """Those of keys that have changed since."""
        self._boxes: list[Outbox] = []
        """That of the documents, and, once there was a subscription, that of NOTIFYs."""
        speakers: tuple[Speaker, ...] = (buttons, self._blf)
        former = before._boxes if before else (None,)  # noqa: SLF001
        for speaker, box in zip(speakers, former, strict=False):
            self._add_box(speaker, box)
        if before is not None:
            self.send_again_late(before.close())
            for _, subscription in self._blf:
                if before.binding.comes_by(subscription.flow):
                    subscription.follow(
                        binding.flow, binding.path, forwarded=binding.forwarded
                    )
        self._keepalive = Keepalive(
            ask=self._ask,
            interval=courier.keepalive,
            answered=self._measure,
            silent=self._silent,
        )

    def _add_box(self, speaker: Speaker, before: Outbox | None = None) -> Outbox:
        box = Outbox(
            speaker, status_changed=self._follow, answered=self._note, before=before
        )
        self._boxes.append(box)
        return box

    @property
    def _buttons_box(self) -> Outbox:
        return self._boxes[0]

    @property
    def _blf_box(self) -> Outbox:
        """The outbox of NOTIFYs, which most contacts do not need."""
        if len(self._boxes) > 1:
            return self._boxes[1]
        box = self._add_box(self._blf)
        if not self.answering:
            box.lost()
        return box

    # What is sent by which speaker

    @property
    def _sends_documents(self) -> bool:
        """Whether a key without a subscription is sent as a document."""
        speakers = self._phone.setup.speakers
        if speakers is Speakers.AUTOMATIC:
            return self.documents_refused is None
        return speakers is not Speakers.BLF

    def _outboxes(self, key: str) -> list[Outbox]:
        """Return those of the speakers that send a key."""
        is_subscribed = key in self._blf
        if key == MESSAGES:  # documents have no such lamp
            return [self._blf_box] if is_subscribed else []
        boxes = [self._blf_box] if is_subscribed else []
        if self._sends_documents and not (
            is_subscribed and self._phone.setup.speakers is Speakers.AUTOMATIC
        ):
            boxes.insert(0, self._buttons_box)
        return boxes

    @property
    def _used(self) -> list[str]:
        """The names of the keys that are used: a phone need not have the others."""
        return [key.name for key in self._phone.setup.keys if key.used]

    @property
    def needs_blf(self) -> str | None:
        """The refusal of documents, in automatic while a used key is not subscribed to."""
        if self._phone.setup.speakers is not Speakers.AUTOMATIC or not (
            refused := self.documents_refused
        ):
            return None
        return None if all(key in self._blf for key in self._used) else refused

    @property
    def sending(self) -> Sending:
        """How the used keys are sent now."""
        buttons, blf = self._sends_documents, False
        if self._blf:  # asked at each change of a lamp, so without a loop for others
            boxes = [box for key in self._used for box in self._outboxes(key)]
            buttons, blf = self._buttons_box in boxes, self._blf_box in boxes
        sent_as = SentAs.of(buttons=buttons, blf=blf)
        return Sending(
            user_agent=self.binding.user_agent or "",
            sent_as=SentAs.REFUSED if self.needs_blf else sent_as,
            subscriptions=len(self.subscriptions),
            documents_refused=self.documents_refused,
        )

    def reaches(self, key: str) -> bool:
        """Whether there is a speaker for a key."""
        return key in self._blf or (self._sends_documents and key != MESSAGES)

    def sends_document(self, key: str) -> bool:
        """Whether a key is sent as a document, beside its dialog state or without one."""
        return self._buttons_box in self._outboxes(key)

    def add_messages(self) -> None:
        """Send the message lamp, if the contact has subscribed to it."""
        if MESSAGES in self._blf:
            self._outdate((MESSAGES,))
            self._blf_box.add((MESSAGES,))

    def add(self, keys: Collection[str], *, only_labels: bool = False) -> None:
        """Send keys, later if only their labels have changed. A dialog state has none."""
        if not self._blf and self._sends_documents:
            self._buttons_box.add(keys, only_labels=only_labels)
            return
        if not only_labels:
            self._outdate(keys)
        for key in keys:
            for box in self._outboxes(key):
                if box is self._buttons_box:
                    box.add((key,), only_labels=only_labels)
                elif not only_labels:
                    box.add((key,))

    def add_idle(self, keys: Collection[str]) -> None:
        """Send keys unless they are due, or under way."""
        for key in keys:
            for box in self._outboxes(key):
                box.add_idle((key,))

    def send_again_late(self, keys: Collection[str]) -> None:
        """Send keys once more, when no old look of them can arrive any more."""
        for key in keys:
            for box in self._outboxes(key):
                box.send_again_late((key,))

    def follow_setup(self) -> None:
        """Follow a change of the phone's setup, but for the keys that have changed."""
        names = {key.name for key in self._phone.setup.keys}
        for key in names:
            boxes = self._outboxes(key)
            for box in self._boxes:
                if box not in boxes:
                    box.forget((key,))

    # Subscriptions

    @property
    def subscriptions(self) -> list[Subscription]:
        """The subscriptions of the contact to keys and to the message lamp."""
        return [subscription for _, subscription in self._blf]

    def subscribed(self, key: str, subscription: Subscription) -> None:
        """Send a key's state: the contact has subscribed to it, or has done so again."""
        is_new = key not in self._blf
        self._blf.add(key, subscription)
        self._send_first(key, subscription)
        self._blf_box.asked()  # a NOTIFY follows at once (RFC 6665 4.2.1.2)
        if (
            is_new
            and key != MESSAGES
            and self._phone.setup.speakers is Speakers.AUTOMATIC
        ):
            self._buttons_box.forget((key,))
        if is_new:
            self._phone.status.emit(None)

    def _send_first(self, key: str, subscription: Subscription) -> None:
        """Send the NOTIFY that is due immediately after a SUBSCRIBE (RFC 6665 4.2.1.2).

        It does not wait for those of the outbox, which may go to dialogs that the phone
        has lost. The outbox sends it if there are many, and again if it is not taken.
        """
        is_under_way = any(it is subscription for _, it in self._firsts.values())
        if is_under_way or len(self._firsts) >= FIRST_AT_ONCE:
            self._blf_box.add((key,))
            return
        first = self._loop.create_task(
            self._deliver_first(key, subscription), name="snom_buttons first notice"
        )
        self._firsts[first] = key, subscription
        first.add_done_callback(self._end_first)

    def _end_first(self, first: asyncio.Task[None]) -> None:
        self._firsts.pop(first, None)
        self._outdated.pop(first, None)

    def _outdate(self, keys: Collection[str]) -> None:
        for first, (key, _) in self._firsts.items():
            if key in keys:
                self._outdated[first] = None

    async def _deliver_first(self, key: str, subscription: Subscription) -> None:
        late = self._loop.call_later(SLOW, self._blf_box.add, (key,))
        try:
            answer = await self.notify(key, subscription)
        except SubscriptionEnded as ended:
            if self._blf.remove(key, subscription):
                self.subscription_ended(key, ended.answer or "")
        except DeliveryFailed:
            if self._loop.time() < late.when():
                self._blf_box.add((key,))
        else:
            self._end_first(asyncio.current_task())  # type: ignore[arg-type]
            self._blf_box.caught_up()
            if self.has_taken(key):
                self._phone.answered_by(self, Answer([key], answer, taken=True))
        finally:
            late.cancel()

    def unsubscribed(self, key: str, subscription: Subscription) -> None:
        """Follow the end of a subscription; its last NOTIFY is sent by others."""
        if self._blf.remove(key, subscription):
            self._return(key)

    def subscription_ended(self, key: str, answer: str) -> None:
        """Follow the end of the last subscription to a key by an answer."""
        self._return(key)
        if not self.reaches(key):
            self._phone.answered_by(self, Answer([key], answer, taken=False))

    def _return(self, key: str) -> None:
        """Send a key that is no longer subscribed to as a document, if there are any."""
        self._blf_box.forget((key,))
        if (
            key != MESSAGES
            and self._sends_documents
            and self._phone.setup.speakers is Speakers.AUTOMATIC
        ):
            self._buttons_box.add((key,))
        self._phone.status.emit(None)

    # Whether the contact answers, and has taken what was sent

    def _follow(self, box: Outbox) -> None:
        """Follow the status of an outbox: whether the contact answers is one fact."""
        for other in self._boxes:
            if other.answering != box.answering:  # then it calls this, too
                if box.answering:
                    other.heard()
                else:
                    other.lost()
                return
        self._phone.status.emit(None)

    def _note(self, box: Outbox, answer: Answer) -> None:
        """Pass on an answer, of what was taken only what both speakers have sent."""
        for other in self._boxes:
            if answer.taken and other is not box:
                keys = [key for key in answer.keys if other.has_taken(key)]
                answer = answer._replace(keys=keys)
        self._phone.answered_by(self, answer)

    @property
    def answering(self) -> bool:
        """Whether the contact answered the last time, even with a refusal."""
        return self._buttons_box.answering

    @property
    def in_sync(self) -> bool:
        """Whether the contact has taken all looks, but for those of the latest second."""
        if MESSAGES in self._blf and not self._blf_box.in_sync:
            return False
        if not self._blf and self._sends_documents:
            return self._buttons_box.in_sync
        keys = self._used
        if not all(map(self.reaches, keys)):
            return False
        boxes = {id(box): box for key in keys for box in self._outboxes(key)}
        return all(box.in_sync for box in boxes.values())

    @property
    def refusal(self) -> str | None:
        """The contact's answer if it keeps refusing keys."""
        refusals = (box.refusal for box in self._boxes)
        return self.needs_blf or next(filter(None, refusals), None)

    def held_by(self, keys: Iterable[str]) -> str | None:
        """Return the answer that makes one of these keys wait, None without one."""
        boxes = (box for key in keys for box in self._outboxes(key))
        return next((it.held_by for it in boxes if it.held_by), None)

    def has_taken(self, key: str) -> bool:
        """Whether the contact has taken a key's newest look."""
        for box in self._boxes:  # asked for each key that is published
            if not box.has_taken(key):
                return False
        if self._firsts and any(key == first for first, _ in self._firsts.values()):
            return False
        return self.reaches(key)

    def lacks(self, key: str) -> bool:
        """Whether the contact refused a key's look, or does not answer for a second.

        False for a look that is on its way for less. True for a key that the contact
        would have to subscribe to, and has not.
        """
        return any(box.lacks(key) for box in self._boxes) or not self.reaches(key)

    def heard(self) -> None:
        """Record that a message has come from the contact."""
        self._heard_at = self._loop.time()
        self._answers()

    def _answers(self) -> None:
        for box in self._boxes:
            box.heard()

    def lost(self) -> None:
        """Record that the contact does not answer."""
        for box in self._boxes:
            box.lost()

    def close(self) -> list[str]:
        """End everything; return the keys of which an old look may still arrive."""
        self._keepalive.close()
        for first in self._firsts:
            first.cancel()
        late = [key for box in self._boxes for key in box.close()]
        # They refer to the contact, which is freed at once without them: each REGISTER
        # makes a new one.
        del self._boxes, self._blf, self._keepalive
        return late

    # Requests

    async def _send_document(self, request: OutgoingRequest) -> str:
        """Send a document; return the answer. Raises DeliveryFailed."""
        answered = self._answered_notices
        try:
            answer = await self._counted(
                self._courier.deliver(
                    request,
                    self.binding,
                    self._phone.setup.held_password,
                    self._phone.traffic.repeat,
                )
            )
        except DeliveryFailed as failure:
            if not (failure.answered or failure.unsent):
                if (refusal := self._judge_silence(failure, answered)) is not None:
                    raise refusal from failure
                raise
            self._ignored = 0 if failure.answered else self._ignored
            status = (failure.answer or "").partition(" ")[0]
            if status not in NO_DOCUMENTS or self._takes_documents:
                raise
            self._refuse_documents(failure.answer or "")
            if self._sends_documents:
                raise
            raise DocumentsRefused(str(failure), answer=failure.answer) from failure
        self._ignored = 0
        if not self._takes_documents:
            self._take_documents()
        return answer

    def _judge_silence(
        self, failure: DeliveryFailed, answered: int
    ) -> DeliveryFailed | None:
        """Return the refusal that no answer to a document means, None for no answer.

        `answered` is how many NOTIFYs had an answer before. If it answers those, the
        contact is within reach and ignores documents: it has refused this one. From the
        second one on, the next waits as long as retries do at most.
        """
        if self._answered_notices > answered:
            self._ignored += 1
        elif self._ignored < IGNORED:
            return None
        if not self._blf or not self._blf_box.answering:
            return None
        wait = LAST_RETRY if self._ignored >= IGNORED else None
        return DeliveryFailed(str(failure), answer=NO_ANSWER, retry_after=wait)

    def _take_documents(self) -> None:
        """Record that the contact knows documents, also one that refused them before."""
        self._takes_documents = True
        if self.documents_refused is None:
            return
        had_sent = self._sends_documents
        self.documents_refused = None
        self._phone.refusal_changed(self)
        if not had_sent:  # it has been set to automatic since
            keys = [key.name for key in self._phone.setup.keys]
            self._buttons_box.add(
                [key for key in keys if self._buttons_box in self._outboxes(key)]
            )
        self._phone.status.emit(None)

    def _refuse_documents(self, answer: str) -> None:
        """Send no more documents in automatic, whatever is due."""
        is_new, self.documents_refused = self.documents_refused is None, answer
        if is_new:
            self._phone.refusal_changed(self)
        if not self._sends_documents:
            self._buttons_box.forget_all()
            keys = [key.name for key in self._phone.setup.keys]
            left = [key for key in keys if not self.reaches(key)]
            self._phone.answered_by(self, Answer(left, answer, taken=False))
            self._phone.status.emit(None)

    async def notify(self, key: str, subscription: Subscription) -> str:
        """Send a key's state; return the answer. Raises DeliveryFailed.

        A phone may open a connection for each request: once that of a SUBSCRIBE is
        closed, the way is that of the registration.
        """
        try:
            return await self._notify_once(key, subscription)
        except DeliveryFailed as failure:
            binding, flow = self.binding, subscription.flow
            if not (failure.unsent and flow.is_reliable) or flow == binding.flow:
                raise
            subscription.follow(binding.flow, binding.path, forwarded=binding.forwarded)
            return await self._notify_once(key, subscription)

    async def _notify_once(self, key: str, subscription: Subscription) -> str:
        for first in self._outdated:
            if self._firsts[first][1] is subscription:
                first.cancel()  # repeated, it would come behind this newer state
        body = self._phone.state_of(key, subscription)
        password = self._phone.setup.held_password
        answer = await self._counted(
            self._courier.notify(
                subscription, body, password, self._phone.traffic.repeat
            )
        )
        self._answered_notices += 1
        return answer

    async def _counted(self, delivery: Awaitable[str]) -> str:
        self._phone.traffic.sent += 1
        try:
            answer = await delivery
        except DeliveryFailed as failure:
            self._phone.traffic.refused += failure.answered
            self._judge(answered=failure.answered)
            raise
        self._judge(answered=True)
        return answer

    async def check_sync(self, *, reboot: bool) -> None:
        """Ask the contact to fetch its settings, or to restart. Raises DeliveryFailed."""
        await self._courier.check_sync(self.binding, reboot=reboot)

    async def _ask(self) -> None:
        try:
            await self._courier.ask(self.binding)
        except DeliveryFailed:
            self._judge(answered=False)
            raise
        self._judge(answered=True)

    def _measure(self, seconds: float) -> None:
        self.round_trip = seconds
        self._answers()
        self._phone.measured.emit(None)

    def _silent(self, asked: float) -> None:
        if self._heard_at is None or self._heard_at <= asked:
            self.lost()

    def _judge(self, *, answered: bool) -> None:
        """Call `gone` for a binding from before a restart after its time to answer."""
        if answered:
            self._heard_at = self._loop.time()
        if (
            self._heard_at is None
            and self._loop.time() - self._began >= RESTORED_PATIENCE
        ):
            # After the callers have handled the missing answer.
            self._loop.call_soon(self._phone.gone.emit, self.binding)
