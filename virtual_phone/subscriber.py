"""The subscriptions of a phone to one package: one for each key of type BLF, say."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
import re
from typing import Final, Protocol

from snom_buttons.sip import OutgoingRequest, Request, Response
from snom_buttons.sip.net import IncomingRequest, NoAnswer, TransportError

from .dialog_info import DialogInfo
from .subscription import BrokenAnswer, Package, Subscription

RETRY: Final = 30.0
"""Seconds before a subscription that failed is tried again."""
UNSUBSCRIBING: Final = 2.0
"""Seconds to wait for the answers to the last SUBSCRIBEs."""

# The answers that end a subscription (RFC 6665 4.1.2.2), beside 481.
_ENDING: Final = frozenset({404, 405, 410, 416, *range(480, 486), 489, 501, 604})
# The reasons after which a phone subscribes at once, and those after which it never does
# (RFC 6665 4.1.3).
_AT_ONCE: Final = frozenset({"deactivated", "timeout"})
_NEVER: Final = frozenset({"rejected", "noresource", "invariant"})


class Line(Protocol):
    """The account by which the phone subscribes."""

    def subscription[T](self, number: str, package: Package[T]) -> Subscription[T]:
        """Return a new subscription to a number."""

    async def send(self, outgoing: OutgoingRequest) -> Response:
        """Send a request; return the final response. Raises as Endpoint.request does."""


class _Failed(Exception):
    """A SUBSCRIBE was refused, or got no answer that can be used."""

    def __init__(self, what: str, *, ended: bool, after: float = RETRY) -> None:
        """Create it: whether the dialog has `ended`, and the seconds to wait `after` it."""
        super().__init__(what)
        self.ended = ended
        self.after = after


class Subscriber[T = DialogInfo]:
    """Keeps the phone subscribed to the numbers that it is to watch."""

    def __init__(
        self,
        line: Line,
        package: Package[T],
        expires: int,
        on_info: Callable[[str, T | None], None],
        on_status: Callable[[str, str], None],
    ) -> None:
        """Subscribe by `line`, for `expires` seconds each time.

        `on_info` gets what a number does, and None once it is not known any more;
        `on_status` gets a text for the log about the subscription to a number.
        """
        self._line = line
        self._package = package
        self._expires = expires
        self._on_info = on_info
        self._on_status = on_status
        self._subscriptions: dict[str, Subscription[T]] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._again: dict[str, float | None] = {}
        """When to subscribe after an end that the server told; None for never."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._leaving: deque[Subscription[T]] = deque(maxlen=500)
        """Those that the phone has unsubscribed; a last NOTIFY comes of each."""

    @property
    def subscribed(self) -> frozenset[str]:
        """The numbers to which there is a subscription."""
        return frozenset(n for n, s in self._subscriptions.items() if s.is_established)

    def watch(self, numbers: Iterable[str]) -> None:
        """Subscribe to these numbers, and end all other subscriptions."""
        wanted = tuple(numbers)
        for number in [number for number in self._tasks if number not in wanted]:
            subscription = self._drop(number)
            if subscription is not None:
                ending = asyncio.create_task(self._unsubscribe([subscription]))
                self._endings.add(ending)
                ending.add_done_callback(self._endings.discard)
        for number in wanted:
            if number not in self._tasks:
                self._ended[number] = asyncio.Event()
                self._tasks[number] = asyncio.create_task(self._keep(number))

    def forget(self) -> None:
        """End all subscriptions without a request, as a phone does that has lost its power."""
        for number in list(self._tasks):
            self._drop(number)

    async def close(self) -> None:
        """Unsubscribe, waiting for at most UNSUBSCRIBING seconds, and end."""
        dropped = [self._drop(number) for number in list(self._tasks)]
        await self._unsubscribe([held for held in dropped if held is not None])
        for ending in self._endings:
            ending.cancel()

    def _drop(self, number: str) -> Subscription[T] | None:
        """Keep a subscription no longer; return it if the server has it."""
        self._tasks.pop(number).cancel()
        subscription = self._subscriptions.pop(number, None)
        self._on_info(number, None)
        if subscription is None or not subscription.is_established:
            return None
        return subscription

    async def _unsubscribe(self, held: Sequence[Subscription[T]]) -> None:
        self._leaving += held
        with suppress(TimeoutError):
            async with asyncio.timeout(UNSUBSCRIBING):
                await asyncio.gather(
                    *(self._line.send(each.subscribe(0)) for each in held),
                    return_exceptions=True,
                )

    def holds(self, request: Request) -> bool:
        """Return whether a NOTIFY belongs to a subscription."""
        return self._find(request)[1] is not None

    def notify(self, incoming: IncomingRequest) -> str:
        """Answer a NOTIFY in a dialog; return what was wrong with it, "" if nothing."""
        number, subscription = self._find(incoming.request)
        if subscription is None:
            incoming.reply(481)
            return "of no subscription"
        notice = subscription.notified(incoming.request)
        headers = {
            415: (("Accept", self._package.content_type),),
            489: (("Allow-Events", self._package.name),),
        }.get(notice.status, ())
        incoming.reply(notice.status, headers)
        if number is None:
            pass  # it is about to end
        elif notice.ended is not None:
            self._end(number, notice.ended, notice.retry_after)
        elif notice.info is not None:
            self._on_info(number, notice.info)
        return notice.problem

    def _find(self, request: Request) -> tuple[str | None, Subscription[T] | None]:
        """Return a subscription and its number, no number once it is to end."""
        for number, subscription in self._subscriptions.items():
            if subscription.is_of(request):
                return number, subscription
        return None, next((s for s in self._leaving if s.is_of(request)), None)

    def _end(self, number: str, reason: str, retry_after: int | None) -> None:
        """Take the server's end of a subscription."""
        del self._subscriptions[number]
        self._again[number] = RETRY if retry_after is None else retry_after
        if reason in _AT_ONCE:
            self._again[number] = 0.0
        elif reason in _NEVER:
            self._again[number] = None
        self._on_status(number, f"ended by the server: {reason or 'no reason'}")
        self._on_info(number, None)
        self._ended[number].set()

    async def _keep(self, number: str) -> None:
        """Subscribe, and refresh after half of the granted time."""
        while True:
            self._ended[number].clear()
            try:
                pause = await self._subscribe(number) / 2
            except _Failed as failure:
                self._on_status(number, f"not subscribed: {failure}")
                if failure.ended:
                    self._subscriptions.pop(number, None)
                    self._on_info(number, None)
                pause = failure.after
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._ended[number].wait()
                again = self._again[number]
                if again is None:
                    return
                await asyncio.sleep(again)

    async def _subscribe(self, number: str) -> int:
        """Send a SUBSCRIBE; return the seconds that are granted. Raises _Failed."""
        subscription = self._subscriptions.get(number)
        if subscription is None:
            subscription = self._line.subscription(number, self._package)
            self._subscriptions[number] = subscription
        is_refresh = subscription.is_established
        try:
            response = await self._line.send(subscription.subscribe(self._expires))
        except (NoAnswer, TransportError) as error:
            raise _Failed(str(error), ended=not is_refresh) from error
        status = response.status
        if status >= 300:
            raise _Failed(
                f"{status} {response.reason}",
                ended=not is_refresh or status == 481 or status in _ENDING,
                after=self._pause_after(response, is_refresh=is_refresh),
            )
        try:
            granted = subscription.accepted(response, self._expires)
        except BrokenAnswer as error:
            raise _Failed(str(error), ended=True) from error
        until = datetime.now().astimezone() + timedelta(seconds=granted)
        self._on_status(number, f"subscribed until {until:%H:%M:%S}")
        return granted

    def _pause_after(self, response: Response, *, is_refresh: bool) -> float:
        """Return the seconds after which to subscribe again."""
        if response.status == 481 and is_refresh:
            return 0.0
        if response.status == 423:
            least = response.headers.get("Min-Expires") or ""
            if least.isascii() and least.isdecimal() and int(least) > self._expires:
                self._expires = int(least)
                return 0.0
        told = re.match(
            r"\s*(\d{1,6})", response.headers.get("Retry-After") or "", re.ASCII
        )
        return float(told[1]) if told else RETRY
