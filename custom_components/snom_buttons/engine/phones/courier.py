"""The courier: carries buttons documents to devices by SIP MESSAGE (RFC 3428).

It also asks whether they are there, by OPTIONS (RFC 3261 11).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import errno
import secrets

from ..sip import Binding, OutgoingRequest, Response, make_address, readable
from ..sip.net import Endpoint, NoAnswer, TransportError
from ..xbuttons import CONTENT_TYPE
from .outbox import DeliveryFailed

CREDENTIALS = 400
"""Bytes to leave for credentials, once a phone has asked for them."""
MAX_DATAGRAM = 1300
"""Bytes that a request may have to go by UDP (RFC 3261 18.1.1)."""
MAX_REQUEST = 16 * 1024
"""Bytes that a request has at most where a connection carries it."""
NOT_REACHED = (408, 430)
"""What says that a phone did not answer (RFC 3261 8.1.3.1), or has gone (RFC 5626)."""
NOT_REACHED_BY_PROXY = (480, 504)
"""What says so too where a proxy is between us."""
MAX_CHALLENGES = 2
"""Challenges that are answered; the second only if the nonce was too old already."""
MAX_REASON = 64
"""Characters of what a device says that are shown."""
MAX_RETRY_AFTER = 3600.0
"""Seconds for which a device can have us wait; its registration ends by then."""


class Courier:
    """Sends documents from our endpoint."""

    def __init__(self, endpoint: Endpoint, keepalive: float = 0.0) -> None:
        """Send from `endpoint`."""
        self.keepalive = keepalive
        """Seconds between questions whether a device is there; 0 for none."""
        self._endpoint = endpoint
        self._challenged_by: set[str] = set()

    def room(self, binding: Binding) -> Callable[[], int]:
        """Return what tells how many bytes a document to that device may have now."""
        empty = self._message(binding, b"")
        # Content-Length of an empty document has one digit, of a full one more.
        flow = binding.flow
        most = MAX_REQUEST if flow.is_reliable else MAX_DATAGRAM
        room = most - self._endpoint.size_of(empty, flow.transport) - len(f"{most}") + 1

        def room_now() -> int:
            challenged = binding.user in self._challenged_by
            return room - CREDENTIALS if challenged else room

        return room_now

    async def deliver(self, binding: Binding, password: str, document: bytes) -> None:
        """Send one document, and return once the device has taken it.

        A device that challenges us is answered with the password that we share
        (RFC 3261 22.2), once more if only our nonce was too old. Raises DeliveryFailed.
        """
        message = self._message(binding, document)
        response = await self._exchange(message, binding)
        for _ in range(MAX_CHALLENGES):
            authorized = message.authorized(response, binding.user, password)
            if authorized is None:
                break
            self._challenged_by.add(binding.user)
            message = replace(authorized, headers=message.headers)
            response = await self._exchange(authorized, binding)
            if not _is_stale(response):
                break
        if not 200 <= response.status < 300:
            raise DeliveryFailed(
                f"{binding.user} at {binding.flow} answered {_shown(response)}",
                answer=_shown(response),
                retry_after=_retry_after(response),
            )

    async def ask(self, binding: Binding) -> None:
        """Return once a device has answered whether it is there.

        Whatever it says, it is. Raises DeliveryFailed.
        """
        await self._exchange(self._request("OPTIONS", binding), binding)

    async def _exchange(self, message: OutgoingRequest, binding: Binding) -> Response:
        try:
            response = await self._endpoint.request(message, binding.flow)
        except (NoAnswer, TransportError) as error:
            # What no datagram can carry says nothing of the device.
            too_long = getattr(error.__cause__, "errno", None) == errno.EMSGSIZE
            raise DeliveryFailed(
                f"{binding.user}: {error}",
                answer=str(error) if too_long else None,
                unsent=isinstance(error, TransportError),
            ) from error
        if response.status in NOT_REACHED or (
            binding.forwarded and response.status in NOT_REACHED_BY_PROXY
        ):
            raise DeliveryFailed(f"{binding.user} is not reached: {_shown(response)}")
        return response

    def _message(self, binding: Binding, document: bytes) -> OutgoingRequest:
        """Return the MESSAGE as the LED Remote Control document shows it."""
        return self._request(
            "MESSAGE",
            binding,
            ("Subject", "buttons"),
            ("Content-Type", CONTENT_TYPE),
            body=document,
        )

    def _request(
        self,
        method: str,
        binding: Binding,
        *headers: tuple[str, str],
        body: bytes = b"",
    ) -> OutgoingRequest:
        transport = binding.flow.transport
        own = f"<sip:{self._endpoint.sent_by(transport)};transport={transport.lower()}>"
        return OutgoingRequest(
            method=method,
            uri=binding.contact.uri.target,
            from_=make_address(binding.aor, tag=secrets.token_hex(4)),
            to=make_address(binding.aor),
            call_id=secrets.token_hex(8),
            cseq=1,
            headers=(
                *(("Route", value) for value in binding.path),  # RFC 3327 5.3
                ("Contact", own),
                *headers,
            ),
            body=body,
        )


def _shown(response: Response) -> str:
    """Return an answer as it can be shown, whatever the device wrote."""
    reason = "".join(c for c in response.reason if c.isprintable())[:MAX_REASON]
    return f"{response.status} {readable(reason)}".rstrip()


def _is_stale(response: Response) -> bool:
    """Whether only our nonce was too old (RFC 7616 3.3)."""
    return response.status in (401, 407) and any(
        "stale=true" in challenge.replace(" ", "").replace('"', "").lower()
        for name in ("WWW-Authenticate", "Proxy-Authenticate")
        for challenge in response.headers.lines(name)
    )


def _retry_after(response: Response) -> float | None:
    """Return in how many seconds a device wants to be asked again (20.33)."""
    value = response.headers.get("Retry-After") or ""
    seconds = value.partition(";")[0].partition("(")[0].strip()
    if not (seconds.isascii() and seconds.isdigit()):
        return None
    return min(float(seconds[:9]), MAX_RETRY_AFTER)
