"""The courier: carries buttons documents to devices by SIP MESSAGE (RFC 3428)."""

from __future__ import annotations

from collections.abc import Callable
import errno
import secrets

from ..sip import (
    Binding,
    Endpoint,
    NoAnswer,
    OutgoingRequest,
    Response,
    TransportError,
    make_address,
)
from ..xbuttons import CONTENT_TYPE
from .outbox import DeliveryFailed

CREDENTIALS = 400
"""Bytes to leave for credentials, once a phone has asked for them."""
MAX_DATAGRAM = 1300
"""Bytes that a request may have to go by UDP (RFC 3261 18.1.1)."""
MAX_REQUEST = 16 * 1024
"""Bytes that a request has at most where a connection carries it."""


class Courier:
    """Sends documents from our endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Send from `endpoint`."""
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

        A device that challenges us is answered once with the password that we share
        (RFC 3261 22.2). Raises DeliveryFailed.
        """
        message = self._message(binding, document)
        response = await self._exchange(message, binding)
        if authorized := message.authorized(response, binding.user, password):
            self._challenged_by.add(binding.user)
            response = await self._exchange(authorized, binding)
        if not 200 <= response.status < 300:
            raise DeliveryFailed(
                f"{binding.user} at {binding.flow} answered"
                f" {response.status} {response.reason}",
                answered=True,
            )

    async def _exchange(self, message: OutgoingRequest, binding: Binding) -> Response:
        try:
            return await self._endpoint.request(message, binding.flow)
        except (NoAnswer, TransportError) as error:
            # What no datagram can carry says nothing of the device.
            too_long = getattr(error.__cause__, "errno", None) == errno.EMSGSIZE
            raise DeliveryFailed(
                f"{binding.user}: {error}", answered=too_long
            ) from error

    def _message(self, binding: Binding, document: bytes) -> OutgoingRequest:
        """Return the MESSAGE as the LED Remote Control document shows it."""
        transport = binding.flow.transport
        contact = (
            f"<sip:{self._endpoint.sent_by(transport)};transport={transport.lower()}>"
        )
        return OutgoingRequest(
            method="MESSAGE",
            uri=binding.contact.uri.target,
            from_=make_address(binding.aor, tag=secrets.token_hex(4)),
            to=make_address(binding.aor),
            call_id=secrets.token_hex(8),
            cseq=1,
            headers=(
                *(("Route", value) for value in binding.path),  # RFC 3327 5.3
                ("Contact", contact),
                ("Subject", "buttons"),
                ("Content-Type", CONTENT_TYPE),
            ),
            body=document,
        )
