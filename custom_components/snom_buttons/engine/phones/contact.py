"""A contact: one binding of a phone, with what is sent to it and whether it answers."""

import asyncio
from collections.abc import Callable, Collection, Sequence

from ..sip import Binding, OutgoingRequest
from .buttons import Buttons
from .courier import Courier
from .keepalive import Keepalive
from .outbox import Answer, Outbox
from .speaker import DeliveryFailed, Speaker
from .traffic import Traffic

RESTORED_PATIENCE = 300.0
"""Seconds after a restart in which a contact from before has to answer."""


class Contact:
    """A binding with its speakers, an outbox of each, and its keep-alive."""

    def __init__(
        self,
        binding: Binding,
        courier: Courier,
        traffic: Traffic,
        *,
        password_of: Callable[[], str],
        document_of: Callable[[str], bytes],
        status_changed: Callable[[], None],
        answered: Callable[[Answer], None],
        measured: Callable[[], None],
        gone: Callable[[Binding], None],
        before: Contact | None = None,
    ) -> None:
        """Start the keep-alive, and count in `traffic`; `before` is the contact before its last REGISTER.

        Called: `status_changed` when `answering`, `in_sync`, `refusal` or what `lacks`
        returns changes, `answered` with each answer to a batch of keys, `measured` when
        `round_trip` changes, `gone` with a binding from before a restart that does not
        answer.
        """
        self.binding = binding
        self.round_trip: float | None = before.round_trip if before else None
        """Seconds that the latest OPTIONS took to be answered."""
        self._courier = courier
        self._traffic = traffic
        self._password_of = password_of
        self._measured = measured
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._heard_at = None if binding.restored else self._began
        """In the loop's time; None if no message has come since a restart."""
        speakers: Sequence[Speaker] = (
            Buttons(binding, courier, document_of=document_of, send=self._send),
        )
        outboxes_before: Sequence[Outbox | None] = [None] * len(speakers)
        if before is not None:
            outboxes_before = before._outboxes  # noqa: SLF001
        self._outboxes: Sequence[Outbox] = [
            Outbox(
                speaker,
                status_changed=status_changed,
                answered=answered,
                before=outbox_before,
            )
            for speaker, outbox_before in zip(speakers, outboxes_before, strict=True)
        ]
        if before is not None:
            self.send_again_late(before.close())
        self._keepalive = Keepalive(
            ask=self._ask,
            interval=courier.keepalive,
            answered=self._answered,
            silent=self._silent,
        )

    @property
    def answering(self) -> bool:
        """Whether the contact answered the last time, even with a refusal."""
        return any(outbox.answering for outbox in self._outboxes)

    @property
    def in_sync(self) -> bool:
        """Whether the contact has taken all looks, but for those of the latest second."""
        return all(outbox.in_sync for outbox in self._outboxes)

    @property
    def refusal(self) -> str | None:
        """The contact's answer if it keeps refusing keys."""
        return next(filter(None, (box.refusal for box in self._outboxes)), None)

    @property
    def held_by(self) -> str | None:
        """The answer by which the contact asks to wait, None if it does not."""
        return next(filter(None, (box.held_by for box in self._outboxes)), None)

    def has_taken(self, key: str) -> bool:
        """Whether the contact has taken a key's newest look."""
        return all(outbox.has_taken(key) for outbox in self._outboxes)

    def lacks(self, key: str) -> bool:
        """Whether the contact refused a key's look, or does not answer for a second.

        False for a look that is on its way for less.
        """
        return any(outbox.lacks(key) for outbox in self._outboxes)

    def add(self, keys: Collection[str], *, only_labels: bool = False) -> None:
        """Send keys, later if only their labels have changed."""
        for outbox in self._outboxes:
            outbox.add(keys, only_labels=only_labels)

    def add_idle(self, keys: Collection[str]) -> None:
        """Send keys unless they are due, or under way."""
        for outbox in self._outboxes:
            outbox.add_idle(keys)

    def send_again_late(self, keys: Collection[str]) -> None:
        """Send keys once more, when no old look of them can arrive any more."""
        for outbox in self._outboxes:
            outbox.send_again_late(keys)

    def heard(self) -> None:
        """Record that a message has come from the contact."""
        self._heard_at = self._loop.time()
        self._hear()

    def _hear(self) -> None:
        for outbox in self._outboxes:
            outbox.heard()

    def lost(self) -> None:
        """Record that the contact does not answer."""
        for outbox in self._outboxes:
            outbox.lost()

    def close(self) -> list[str]:
        """End everything; return the keys of which an old look may still arrive."""
        self._keepalive.close()
        return [key for outbox in self._outboxes for key in outbox.close()]

    async def _send(self, request: OutgoingRequest) -> str:
        """Send a request of a speaker; return the answer. Raises DeliveryFailed."""
        self._traffic.sent += 1
        try:
            answer = await self._courier.deliver(
                request, self.binding, self._password_of(), self._traffic.repeat
            )
        except DeliveryFailed as failure:
            self._traffic.refused += failure.answered
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

    def _answered(self, seconds: float) -> None:
        self.round_trip = seconds
        self._hear()
        self._measured()

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
            self._loop.call_soon(self._gone, self.binding)
