"""One device that is registered with a phone's identity: what it is sent, whether it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..sip import Binding
from .courier import Courier
from .keepalive import Keepalive
from .outbox import DeliveryFailed, Outbox

RESTORED_PATIENCE = 300.0
"""Seconds after our restart in which a device of before has to answer."""


class Contact:
    """A binding with its outbox and its keep-alive."""

    def __init__(
        self,
        binding: Binding,
        courier: Courier,
        *,
        password_of: Callable[[], str],
        document_of: Callable[[str], bytes],
        status_changed: Callable[[], None],
        taken: Callable[[list[str]], None],
        measured: Callable[[], None],
        gone: Callable[[Binding], None],
        before: Contact | None = None,
    ) -> None:
        """Begin; `before` is the same device as it was registered until now.

        `document_of` returns what a key should show. `status_changed` is called when
        `answering`, `in_sync` or `refusal` of the outbox changes, `taken` with keys that
        the device has just taken, `measured` when `round_trip` changes, and `gone` for a
        binding from before a restart of ours at whose end nobody answers.
        """
        self.binding = binding
        self.round_trip: float | None = before.round_trip if before else None
        """Seconds that the latest question took until it was answered."""
        self._courier = courier
        self._password_of = password_of
        self._measured = measured
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._heard_at = None if binding.restored else self._began
        """In the loop's time; None if nothing has come since a restart of ours."""
        self.outbox: Outbox = Outbox(
            document_of=document_of,
            deliver=self._deliver,
            room=courier.room(binding),
            status_changed=status_changed,
            taken=taken,
            before=before.outbox if before else None,
        )
        if before is not None:
            self.outbox.beware_of(before.close())
        self._keepalive = Keepalive(
            ask=self._ask,
            interval=courier.keepalive,
            answered=self._answered,
            silent=self._silent,
        )

    def heard(self) -> None:
        """Take note that something has come from it."""
        self._heard_at = self._loop.time()
        self.outbox.heard()

    def lost(self) -> None:
        """Take note that it is not there."""
        self.outbox.lost()

    def close(self) -> list[str]:
        """End all that is under way; return what `Outbox.close` does."""
        self._keepalive.close()
        return self.outbox.close()

    async def _deliver(self, document: bytes) -> None:
        try:
            await self._courier.deliver(self.binding, self._password_of(), document)
        except DeliveryFailed as failure:
            self._judge(answered=failure.answered)
            raise
        self._judge(answered=True)

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
        """Take note that a question got no answer: nothing at all came meanwhile."""
        if self._heard_at is None or self._heard_at <= asked:
            self.lost()

    def _judge(self, *, answered: bool) -> None:
        """See whether the device of a stored binding is still where it was."""
        if answered:
            self._heard_at = self._loop.time()
        if (
            self._heard_at is None
            and self._loop.time() - self._began >= RESTORED_PATIENCE
        ):
            # Behind whoever has just learnt that there was no answer.
            self._loop.call_soon(self._gone, self.binding)
