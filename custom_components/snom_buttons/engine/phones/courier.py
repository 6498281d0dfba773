"""Sends requests to contacts: those of the speakers, OPTIONS (RFC 3261 11) and NOTIFY."""

from collections.abc import Callable
from dataclasses import replace
import errno
import secrets

from ..sip import (
    PACKAGES,
    Binding,
    Flow,
    Notifier,
    OutgoingRequest,
    Response,
    Subscription,
    format_contact,
    is_stale,
    make_address,
    parse_address,
    readable,
)
from ..sip.net import Endpoint, NoAnswer, TransportError
from .speaker import DeliveryFailed, SubscriptionEnded

DESCRIPTIONS = "application/sdp"
"""The usual Accept of OPTIONS, also what a missing one means (RFC 3261 11.1 and 20.1)."""
CREDENTIALS = 400
"""Bytes to reserve for credentials, once a phone has asked for them."""
MAX_DATAGRAM = 1300
"""The most bytes of a request by UDP (RFC 3261 18.1.1)."""
MAX_REQUEST = 16 * 1024
"""The most bytes of a request by a connection."""
NOT_REACHED = (408, 430)
"""Statuses of a phone that did not answer (RFC 3261 8.1.3.1) or is gone (RFC 5626)."""
NOT_REACHED_BY_PROXY = (480, 504)
"""Further such statuses, of a proxy in between."""
NOT_NOTIFIED_BY_PROXY = (504,)
"""The same for NOTIFY: 480 ends its subscription (RFC 6665 4.2.2)."""
MAX_CHALLENGES = 2
"""Challenges that are answered; the second one only if the nonce was stale."""
MAX_REASON = 64
"""Characters of a reason phrase that are shown."""
MAX_RETRY_AFTER = 3600.0
"""Seconds that a contact can ask to wait; its registration ends by then."""


class Courier:
    """Sends requests to contacts."""

    def __init__(
        self,
        endpoint: Endpoint,
        notifier: Notifier,
        clock: Callable[[], float],
        keepalive: float = 0.0,
    ) -> None:
        """Create a courier that sends with `endpoint`; `clock` is that of `notifier`."""
        self.keepalive = keepalive
        """Seconds between two OPTIONS to a contact; 0 for none."""
        self.notifier = notifier
        self._endpoint = endpoint
        self._clock = clock
        self._challenged_by: set[str] = set()

    def room(self, empty: OutgoingRequest, flow: Flow) -> int:
        """Return the bytes that the body of a request by a flow may have.

        `empty` is the request without it, and without credentials.
        """
        # The Content-Length of an empty body has one digit, of a full one more.
        most = MAX_REQUEST if flow.is_reliable else MAX_DATAGRAM
        return most - self._endpoint.size_of(empty, flow.transport) - len(f"{most}") + 1

    def credentials_of(self, binding: Binding) -> int:
        """Return the bytes to reserve for the credentials of a request."""
        return CREDENTIALS if binding.user in self._challenged_by else 0

    async def deliver(
        self,
        request: OutgoingRequest,
        binding: Binding,
        password: str,
        repeated: Callable[[], None] | None = None,
    ) -> str:
        """Send a request; return the answer that takes it. Raises DeliveryFailed.

        Calls `repeated` for each retransmission.
        """
        response = await self._authorized(request, binding, password, repeated)
        _check_taken(response, binding)
        return _shown(response)

    async def notify(
        self,
        subscription: Subscription,
        body: bytes,
        password: str,
        repeated: Callable[[], None] | None = None,
    ) -> str:
        """Send the next NOTIFY; return the answer that takes it. Raises DeliveryFailed.

        It raises SubscriptionEnded if the answer ended the subscription, which is
        dropped then (docs/decisions/0020). Calls `repeated` for each retransmission.
        """
        notice = subscription.notify(
            self._endpoint.sent_by(subscription.flow.transport),
            self._clock(),
            PACKAGES[subscription.event.package],
            body,
        )
        response = await self._authorized(notice, subscription, password, repeated)
        if self.notifier.answered(subscription, response.status):
            raise SubscriptionEnded(
                f"{subscription.user} ended a subscription by {response.status}",
                answer=_shown(response),
            )
        _check_taken(response, subscription)
        return _shown(response)

    async def _authorized(
        self,
        request: OutgoingRequest,
        peer: Binding | Subscription,
        password: str,
        repeated: Callable[[], None] | None,
    ) -> Response:
        """Send a request, with credentials if that is asked for. Raises DeliveryFailed."""
        response = await self._exchange(request, peer, repeated)
        for _ in range(MAX_CHALLENGES):
            authorized = request.authorized(response, peer.user, password)
            if authorized is None:
                break
            self._challenged_by.add(peer.user)
            if isinstance(peer, Subscription):
                # Another NOTIFY of the dialog may have had the next one meanwhile.
                peer.local_cseq += 1
                authorized = replace(authorized, cseq=peer.local_cseq)
            request = replace(authorized, headers=request.headers)
            response = await self._exchange(authorized, peer, repeated)
            if not is_stale(response):
                break
        return response

    async def ask(self, binding: Binding) -> None:
        """Send OPTIONS; return after an answer of any status. Raises DeliveryFailed."""
        question = self.request("OPTIONS", binding, ("Accept", DESCRIPTIONS))
        await self._exchange(question, binding)

    async def check_sync(self, binding: Binding, *, reboot: bool) -> None:
        """Ask a contact to fetch its settings, or to restart. Raises DeliveryFailed.

        Outside a dialog, as `sip notify` of Asterisk does (docs/decisions/0016). A
        challenge is a refusal: the phone's password is not used.
        """
        event = f"check-sync;reboot={'true' if reboot else 'false'}"
        notice = self.request(
            "NOTIFY",
            binding,
            ("Event", event),
            ("Subscription-State", "terminated"),  # RFC 6665 4.1.3
        )
        _check_taken(await self._exchange(notice, binding), binding)

    async def _exchange(
        self,
        request: OutgoingRequest,
        peer: Binding | Subscription,
        repeated: Callable[[], None] | None = None,
    ) -> Response:
        try:
            response = await self._endpoint.request(request, peer.flow, repeated)
        except (NoAnswer, TransportError) as error:
            # A request that is too long for a datagram says nothing about the contact.
            too_long = getattr(error.__cause__, "errno", None) == errno.EMSGSIZE
            raise DeliveryFailed(
                f"{peer.user}: {error}",
                answer=str(error) if too_long else None,
                unsent=isinstance(error, TransportError),
            ) from error
        is_notice = isinstance(peer, Subscription)
        by_proxy = NOT_NOTIFIED_BY_PROXY if is_notice else NOT_REACHED_BY_PROXY
        if response.status in NOT_REACHED or (
            peer.forwarded and response.status in by_proxy
        ):
            raise DeliveryFailed(f"{peer.user} cannot be reached: {response.status}")
        return response

    def request(
        self,
        method: str,
        binding: Binding,
        *headers: tuple[str, str],
        body: bytes = b"",
    ) -> OutgoingRequest:
        """Return a request to a contact, outside a dialog."""
        return OutgoingRequest(
            method=method,
            uri=binding.contact.uri.target,
            from_=make_address(binding.aor, tag=secrets.token_hex(4)),
            to=make_address(binding.aor),
            call_id=secrets.token_hex(8),
            cseq=1,
            headers=(
                *(("Route", value) for value in binding.path),  # RFC 3327 5.3
                ("Contact", self._own_contact(binding)),
                *headers,
            ),
            body=body,
        )

    def _own_contact(self, binding: Binding) -> str:
        """Return the Contact of a request: sips if the request goes to such a URI.

        The Request-URI and the top Route decide (RFC 3261 8.1.1.8).
        """
        transport = binding.flow.transport
        path = binding.path
        is_secure = binding.contact.uri.scheme == "sips" or (
            bool(path) and parse_address(path[0]).uri.scheme == "sips"
        )
        sent_by = self._endpoint.sent_by(transport)
        return format_contact(sent_by, transport, is_secure=is_secure)


def _check_taken(response: Response, peer: Binding | Subscription) -> None:
    if not 200 <= response.status < 300:
        raise DeliveryFailed(
            f"{peer.user} at {peer.flow} answered {response.status}",
            answer=_shown(response),
            retry_after=_retry_after(response),
        )


def _shown(response: Response) -> str:
    reason = response.reason
    if not reason.isprintable():
        reason = "".join(c for c in reason if c.isprintable())
    return f"{response.status} {readable(reason[:MAX_REASON])}".rstrip()


def _retry_after(response: Response) -> float | None:
    """Return the seconds of Retry-After (RFC 3261 20.33)."""
    value = response.headers.get("Retry-After") or ""
    seconds = value.partition(";")[0].partition("(")[0].strip()
    if not (seconds.isascii() and seconds.isdigit()):
        return None
    return min(float(seconds[:9]), MAX_RETRY_AFTER)
