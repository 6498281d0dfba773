"""A registrar and notifier on real sockets, without phones: the engine's SIP alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from custom_components.snom_buttons.engine.dialoginfo import (
    DialogState,
    format_dialog_info,
    format_message_summary,
)
from custom_components.snom_buttons.engine.sip import (
    PACKAGES,
    Guard,
    LocationService,
    Notifier,
    Registrar,
    Subscription,
    Trust,
)
from custom_components.snom_buttons.engine.sip.net import (
    Endpoint,
    IncomingRequest,
    NoAnswer,
    TransportError,
)
from tests.support.rawphone import RawPhone

LOCALHOST = "127.0.0.1"
AT_ONCE = 8
"""NOTIFYs under way."""
PASSWORDS = {"44": "geheim44", "45": "geheim45"}


class Notifying:
    """The server. Each account may subscribe to keys 1 to 126, and to its messages."""

    def __init__(self) -> None:
        self.clock = asyncio.get_running_loop().time
        self.states: dict[str, DialogState] = {}
        """By key; the others are terminated."""
        self.exceeded: list[str] = []
        self.location = LocationService(self.clock)
        self.guard = Guard(
            clock=self.clock, location=self.location, on_excess=self.exceeded.append
        )
        self.notifier = Notifier(
            self.clock, self._refusal, self._changed, self._changed
        )
        self.endpoint = Endpoint(
            self._answer,
            guard=self.guard,
            trust=Trust("ha", PASSWORDS.get, self.clock, self.location, self.guard),
            registrar=Registrar(self.location, self.clock, lambda _user: None),
            notifier=self.notifier,
        )
        self.handled: list[str] = []
        """The methods of the requests that are left to the user of the endpoint."""
        self.notified = asyncio.Event()
        """A NOTIFY has been answered."""
        self._sending: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    @property
    def address(self) -> tuple[str, int]:
        return self.endpoint.address_of("UDP")

    def phone(self, extension: str = "44", **options: Any) -> RawPhone:
        return RawPhone(self.address, extension, PASSWORDS[extension], **options)

    def subscriptions(self, user: str = "44") -> tuple[Subscription, ...]:
        return self.notifier.subscriptions(user)

    def show(self, key: str, state: DialogState) -> None:
        """Change what a key shows."""
        self.states[key] = state
        for user in PASSWORDS:
            for subscription in self.subscriptions(user):
                if subscription.resource == key:
                    self._changed(subscription)

    def _answer(self, incoming: IncomingRequest) -> None:
        self.handled.append(incoming.request.method)
        incoming.reply(200)

    @staticmethod
    def _refusal(user: str, package: str, resource: str) -> int | None:
        if package == "message-summary":
            return None if resource == user else 403
        return None if resource in {f"{n}" for n in range(1, 127)} else 404

    def _changed(self, subscription: Subscription) -> None:
        task = asyncio.get_running_loop().create_task(
            self._notify_in_turn(subscription)
        )
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _notify_in_turn(self, subscription: Subscription) -> None:
        async with self._room:
            await self._notify(subscription)

    async def _notify(self, subscription: Subscription) -> None:
        package, resource = subscription.event.package, subscription.resource
        entity = subscription.local.text
        if package == "dialog":
            state = self.states.get(resource, DialogState.TERMINATED)
            version = subscription.next_version()
            body = format_dialog_info(entity, version, resource, state)
        else:
            body = format_message_summary(entity, is_waiting=False)
        flow = subscription.flow
        sent_by = self.endpoint.sent_by(flow.transport)
        notice = subscription.notify(sent_by, self.clock(), PACKAGES[package], body)
        try:
            status = (await self.endpoint.request(notice, flow)).status
        except NoAnswer, TransportError:
            pass
        else:
            self.notifier.answered(subscription, status)
            self.notified.set()

    async def idle(self) -> None:
        """Return once all NOTIFYs have been answered, or have failed."""
        if self._sending:
            await asyncio.wait(self._sending)

    async def stop(self) -> None:
        await self.endpoint.close()
        await self.idle()


@asynccontextmanager
async def notifying(port: int = 0) -> AsyncIterator[Notifying]:
    """Run the server in the current loop."""
    server = Notifying()
    await server.endpoint.open(LOCALHOST, port)
    try:
        yield server
    finally:
        await server.stop()
