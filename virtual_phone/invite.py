"""The INVITE client transaction (RFC 3261 17.1.1), which `sip` does not have.

`InviteTransaction` does no I/O, `Dialler` drives it over an endpoint. There is no
media, so an answered call (2xx) is acknowledged and ended.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum, auto
import logging

from snom_buttons.sip import (
    T1,
    Flow,
    OutgoingRequest,
    Response,
    SipSyntaxError,
    format_via,
    new_branch,
    parse_address,
)
from snom_buttons.sip.net import Endpoint, NoAnswer, TransportError

_LOGGER = logging.getLogger(__name__)

_CREDENTIALS = ("Authorization", "Proxy-Authorization")


class State(Enum):
    """The states of figure 5 of RFC 3261."""

    CALLING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    TERMINATED = auto()


class InviteTransaction:
    """One INVITE by UDP: first send `data`, then what `receive` and `expire` return."""

    def __init__(self, invite: OutgoingRequest, sent_by: str, now: float) -> None:
        """Begin in CALLING."""
        self.branch = new_branch()
        self._via = format_via("UDP", sent_by, self.branch)
        self._invite = invite
        self.data = invite.encode(self._via)
        self.state = State.CALLING
        self._interval = T1
        self._timer_a = now + self._interval
        self._timer_b = now + 64 * T1
        self._timer_d = 0.0

    @property
    def deadline(self) -> float | None:
        """When to call `expire`, None if no timer runs."""
        if self.state is State.CALLING:
            return min(self._timer_a, self._timer_b)
        return self._timer_d if self.state is State.COMPLETED else None

    def expire(self, now: float) -> bytes | None:
        """Fire the timers that are due; return the INVITE if it is to be sent again."""
        if self.state is State.COMPLETED and now >= self._timer_d:
            self.state = State.TERMINATED
        if self.state is not State.CALLING:
            return None
        if now >= self._timer_b:
            self.state = State.TERMINATED
        elif now >= self._timer_a:
            self._interval *= 2
            self._timer_a = now + self._interval
            return self.data
        return None

    def receive(self, response: Response, now: float) -> bytes | None:
        """Return the ACK to 3xx to 6xx; the driver acknowledges a 2xx (13.2.2.4)."""
        if self.state in (State.CALLING, State.PROCEEDING):
            if response.status < 200:
                self.state = State.PROCEEDING
            elif response.status < 300:
                self.state = State.TERMINATED
            else:
                self.state = State.COMPLETED
                self._timer_d = now + 64 * T1
        if self.state is State.COMPLETED and response.status >= 300:
            return acknowledgement(self._invite, response).encode(self._via)
        return None


def acknowledgement(invite: OutgoingRequest, response: Response) -> OutgoingRequest:
    """Return the ACK to a final response (17.1.1.3, with credentials as in 22.1)."""
    credentials = tuple(item for item in invite.headers if item[0] in _CREDENTIALS)
    return replace(invite, method="ACK", to=response.to, headers=credentials, body=b"")


@dataclass(slots=True)
class _Call:
    transaction: InviteTransaction
    flow: Flow
    answer: asyncio.Future[Response]
    wakeup: asyncio.TimerHandle | None = None


class Dialler:
    """Sends INVITEs by an endpoint whose stray responses go to `receive`."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Create a dialler for an endpoint, which may be opened later."""
        self._endpoint = endpoint
        self._calls: dict[str, _Call] = {}

    async def invite(self, outgoing: OutgoingRequest, flow: Flow) -> Response:
        """Return the final response. Raises NoAnswer (timer B) or TransportError."""
        loop = asyncio.get_running_loop()
        transaction = InviteTransaction(
            outgoing, self._endpoint.sent_by("UDP"), loop.time()
        )
        call = _Call(transaction, flow, loop.create_future())
        self._calls[transaction.branch] = call
        self._endpoint.send(transaction.data, flow)
        self._schedule(call)
        response = await call.answer
        if response.status < 300:
            await self._hang_up(outgoing, response, flow)
        return response

    def receive(self, response: Response) -> None:
        """Process a response that matches no transaction of the endpoint."""
        call = self._calls.get(response.via.branch)
        if call is None or response.cseq.method != "INVITE":
            _LOGGER.debug("Dropped a stray %d", response.status)
            return
        now = asyncio.get_running_loop().time()
        if ack := call.transaction.receive(response, now):
            self._endpoint.send(ack, call.flow)
        if response.status >= 200 and not call.answer.done():
            call.answer.set_result(response)
        self._schedule(call)

    def close(self) -> None:
        """End all calls."""
        for call in self._calls.values():
            if call.wakeup is not None:
                call.wakeup.cancel()
            if not call.answer.done():
                call.answer.set_exception(TransportError("the phone was closed"))
        self._calls.clear()

    def _schedule(self, call: _Call) -> None:
        if call.wakeup is not None:
            call.wakeup.cancel()
        if call.transaction.state is State.TERMINATED:
            self._calls.pop(call.transaction.branch, None)
            if not call.answer.done():
                call.answer.set_exception(NoAnswer(f"no answer from {call.flow}"))
            return
        if (deadline := call.transaction.deadline) is not None:
            loop = asyncio.get_running_loop()
            call.wakeup = loop.call_at(deadline, self._wake, call)

    def _wake(self, call: _Call) -> None:
        if again := call.transaction.expire(asyncio.get_running_loop().time()):
            self._endpoint.send(again, call.flow)
        self._schedule(call)

    async def _hang_up(
        self, invite: OutgoingRequest, response: Response, flow: Flow
    ) -> None:
        """End the dialog that a 2xx began: ACK (13.2.2.4), then BYE (15.1.1)."""
        target = invite.uri
        with suppress(SipSyntaxError):
            contact = parse_address(response.headers.get("Contact") or "").uri
            target = contact if contact.is_sip else target
        ack = replace(acknowledgement(invite, response), uri=target)
        via = format_via("UDP", self._endpoint.sent_by("UDP"), new_branch())
        self._endpoint.send(ack.encode(via), flow)
        bye = replace(ack, method="BYE", cseq=invite.cseq + 1)
        with suppress(NoAnswer, TransportError):
            await self._endpoint.request(bye, flow)
