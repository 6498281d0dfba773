"""A contact: one binding of a phone, with what is sent to it and whether it answers."""

import asyncio
from collections.abc import Callable

from ..sip import Binding
from .courier import Courier
from .keepalive import Keepalive
from .outbox import Answer, DeliveryFailed, Outbox
from .traffic import Traffic

RESTORED_PATIENCE = 300.0
"""Seconds after a restart in which a contact from before has to answer."""


class Contact:
    """A binding with its outbox and its keep-alive."""

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

        Called: `status_changed` when `answering`, `in_sync` or `refusal` of the outbox
        changes, `answered` with each answer to a document, `measured` when `round_trip`
        changes, `gone` with a binding from before a restart that does not answer.
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
        self.outbox: Outbox = Outbox(
            document_of=document_of,
            deliver=self._deliver,
            room=courier.room(binding),
            status_changed=status_changed,
            answered=answered,
            before=before.outbox if before else None,
        )
        if before is not None:
            self.outbox.send_again_late(before.close())
        self._keepalive = Keepalive(
            ask=self._ask,
            interval=courier.keepalive,
            answered=self._answered,
            silent=self._silent,
        )

    def heard(self) -> None:
        """Record that a message has come from the contact."""
        self._heard_at = self._loop.time()
        self.outbox.heard()

    def lost(self) -> None:
        """Record that the contact does not answer."""
        self.outbox.lost()

    def close(self) -> list[str]:
        """End everything that is under way; return what `Outbox.close` returns."""
        self._keepalive.close()
        return self.outbox.close()

    async def _deliver(self, document: bytes) -> str:
        self._traffic.sent += 1
        try:
            answer = await self._courier.deliver(
                self.binding, self._password_of(), document, self._traffic.repeat
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
        self.outbox.heard()
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
