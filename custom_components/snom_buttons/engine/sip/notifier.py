"""The notifier: what a SUBSCRIBE does to the subscriptions (RFC 6665 4.2)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
import logging
import re

from .binding import MAX_ADDRESS, MAX_BINDINGS, parse_route
from .event import EventType, parse_event
from .expiry import MAX_EXPIRES, interval_refusal, parse_expires
from .flow import Flow
from .grammar import SipSyntaxError, is_token, shape
from .message import Request
from .subscription import TIMEOUT, DialogKey, Subscription
from .uas import ALLOW_EVENTS_HEADER, PACKAGES, Answer, content_refusal
from .uri import Uri, parse_address

_LOGGER = logging.getLogger(__name__)

MAX_OF_PHONE = 300
"""Subscriptions of one phone at a time: twice the keys of the largest one."""
MAX_SUBSCRIPTIONS = 50_000
"""Subscriptions at a time: a thousand phones with 48 keys each."""
ALWAYS_OF_PHONE = 50
"""Subscriptions that each phone may have, even beyond MAX_SUBSCRIPTIONS."""
MAX_OF_RESOURCE = MAX_BINDINGS
"""Subscriptions of a phone to one resource, one for each contact; a new one ends the
oldest, which a contact has left behind that was restarted. Those with another event id
count, too. One that the phone has not taken a NOTIFY of goes before that."""
MAX_DIALOG = 1024
"""The largest size of a subscription, in characters."""
RETRY_AFTER = ("Retry-After", "300")
"""The header of a 480 if there are too many, in seconds."""
RETRY_SOON = ("Retry-After", "30")
"""That of a 480 to who has not registered yet."""

# The answers to a NOTIFY that end its subscription (RFC 6665 4.2.2).
_ENDING = frozenset({404, 405, 410, 416, *range(480, 486), 489, 501, 604})
# The parameter of a media range that is not accepted (RFC 3261 20.1).
_NO_QUALITY = re.compile(r"q=0(?:\.0{0,3})?")
# The parameters that select single dialogs (RFC 4235 3.2); a key has none to select.
_SELECTORS = frozenset({"call-id", "from-tag", "to-tag"})


@dataclass(slots=True)
class _Attempt:
    """A SUBSCRIBE that has been read."""

    request: Request
    user: str
    seconds: int
    """What is asked for, before it is cut."""
    event: EventType | None
    """None without the header."""
    flow: Flow
    held: Subscription | None
    """The subscription of its dialog. A first SUBSCRIBE may come again, too."""

    @property
    def resource(self) -> str:
        return self.request.uri.user or ""


class Notifier:
    """Handles SUBSCRIBE requests that have been authenticated; it sends nothing."""

    def __init__(
        self,
        clock: Callable[[], float],
        resource_refusal: Callable[[str, str, str], int | None],
        changed: Callable[[Subscription], None],
        ended: Callable[[Subscription], None],
        is_contact: Callable[[Request, Flow, Uri], bool] = lambda *_: True,
    ) -> None:
        """Create a notifier without subscriptions; `clock` returns seconds.

        `resource_refusal` gets a user, a package and a resource. It returns 404 for a
        resource that does not exist, 403 for one that is not the user's, else None.
        A NOTIFY with the whole state is due for each subscription that `changed` gets,
        after a SUBSCRIBE that was accepted, which may have `ended` it. That NOTIFY has
        to be sent after the call, so that it follows the answer to the SUBSCRIBE.
        `ended` gets each that has ended otherwise, with a last NOTIFY due, if the phone
        can be reached. `is_contact` returns whether a request by this flow with this
        Contact is one of a phone that gets NOTIFYs.
        """
        self._clock = clock
        self._is_contact = is_contact
        self._resource_refusal = resource_refusal
        self._changed = changed
        self._ended = ended
        self._subscriptions: dict[str, dict[DialogKey, Subscription]] = {}
        """By user, the oldest first."""
        self._count = 0
        self._subscribed: dict[str, set[str]] = {}
        """By user: the resources whose dialogs it is subscribed to, or was until it was
        lost. They are no more than the resources that exist."""

    def subscriptions(self, user: str) -> tuple[Subscription, ...]:
        """Return a user's subscriptions, the oldest first."""
        return tuple(self._subscriptions.get(user, {}).values())

    def has_subscribed(self, user: str, resource: str) -> bool:
        """Whether a user has subscribed to the dialogs of a resource.

        It has until it ends the last subscription itself, or is refused one. One that has
        expired or was lost is made anew, and meanwhile the key is no other one. A phone
        still has the key of a resource that there is no more.
        """
        return (
            resource in self._subscribed.get(user, ())
            and self._resource_refusal(user, "dialog", resource) != 403
        )

    def forget(self, user: str) -> None:
        """Drop all subscriptions of a user that no longer exists; no NOTIFY is due."""
        self._count -= len(self._subscriptions.pop(user, ()))
        self._subscribed.pop(user, None)

    def restore(self, user: str, subscriptions: Iterable[Subscription]) -> None:
        """Add a user's subscriptions from before a restart, the oldest first.

        Left out are those that have expired, that are too many, or whose resource there
        is no more. No NOTIFY is due for them.
        """
        now = self._clock()
        for subscription in subscriptions:
            package, resource = subscription.event.package, subscription.resource
            if self._resource_refusal(user, package, resource) is None:
                self._note_subscribed(subscription)
                if subscription.expires_at > now and self._has_room(user):
                    self._add(subscription)

    def subscribe(
        self, request: Request, flow: Flow, local_tag: str, sent_by: str
    ) -> Answer:
        """Handle a SUBSCRIBE from the user of its From; return the answer.

        `local_tag` is the To tag of the answer, `sent_by` our `host:port`.
        """
        user = request.from_.uri.user or ""
        key = DialogKey(request.call_id, request.to.tag or local_tag, request.from_.tag)
        try:
            attempt = _Attempt(
                request,
                user,
                seconds=parse_expires(request.headers.get("Expires")),
                event=_event(request),
                flow=flow,
                held=self._subscriptions.get(user, {}).get(key),
            )
            for clause in (
                _dialog,
                _order,
                *_CLAUSES,
                self._resource,
                self._room,
                self._contact,
            ):
                refusal = clause(attempt)
                if refusal is not None:
                    return refusal
            subscription = self._accept(attempt, flow, key)
        except SipSyntaxError as error:
            _LOGGER.debug("SUBSCRIBE of %s: %s", user, error)
            return Answer(400)
        answer = Answer(
            200,
            (
                ("Expires", str(min(attempt.seconds, MAX_EXPIRES))),
                ("Contact", subscription.contact(sent_by)),
                *(("Record-Route", v) for v in request.headers.lines("Record-Route")),
                ALLOW_EVENTS_HEADER,
            ),
        )
        self._changed(subscription)
        return answer

    # Refusals that depend on more than the request

    def _resource(self, attempt: _Attempt) -> Answer | None:
        """404, 403: the resource does not exist, or is not the user's."""
        if attempt.held is not None:
            return None
        assert attempt.event is not None
        package = attempt.event.package
        status = self._resource_refusal(attempt.user, package, attempt.resource)
        return None if status is None else Answer(status)

    def _room(self, attempt: _Attempt) -> Answer | None:
        """480: the phone, or all phones together, have too many subscriptions.

        Not 503, after which a phone may look for another server (RFC 3261 21.5.4).
        """
        if attempt.held is not None or not attempt.seconds:
            return None
        return None if self._has_room(attempt.user) else Answer(480, (RETRY_AFTER,))

    def _contact(self, attempt: _Attempt) -> Answer | None:
        """480: it comes from no contact of the phone, as before it registers (21.4.18).

        A fetch gets its only NOTIFY by the flow. Raises SipSyntaxError.
        """
        if attempt.held is not None or not attempt.seconds:
            return None
        target = _target(attempt.request, attempt.flow)
        is_contact = self._is_contact(attempt.request, attempt.flow, target)
        return None if is_contact else Answer(480, (RETRY_SOON,))

    def _has_room(self, user: str) -> bool:
        held = len(self._subscriptions.get(user, ()))
        return held < ALWAYS_OF_PHONE or (
            held < MAX_OF_PHONE and self._count < MAX_SUBSCRIPTIONS
        )

    # What is accepted

    def _accept(self, attempt: _Attempt, flow: Flow, key: DialogKey) -> Subscription:
        """Create, refresh or end a subscription. Raises SipSyntaxError."""
        request = attempt.request
        subscription = attempt.held
        if subscription is None:
            subscription = self._create(attempt, flow, key)
        else:
            if "Contact" in request.headers:  # else the target stays (12.2.2)
                target = _target(request, flow)
                more = len(target.text) - len(subscription.target.text)
                _check_size(subscription.size + more)
                subscription.target = target
            subscription.came_by(flow, forwarded=request.forwarded)
        granted = min(attempt.seconds, MAX_EXPIRES)
        subscription.expires_at = self._clock() + granted
        if not granted:
            self._drop(subscription)
            subscription.ended = TIMEOUT
            if attempt.held is not None:
                self._note_unsubscribed(subscription)
        elif attempt.held is None:
            self._store(subscription)
        return subscription

    def _create(self, attempt: _Attempt, flow: Flow, key: DialogKey) -> Subscription:
        request = attempt.request
        assert attempt.event is not None
        event_id = attempt.event.parameters.get("id")
        target = _target(request, flow)
        route = parse_route(request.headers.listed("Record-Route"))
        next_hop = parse_address(route[0]).uri if route else target
        subscription = Subscription(
            user=attempt.user,
            # Of its parameters only the id is compared (RFC 6665 8.2.1).
            event=EventType(
                attempt.event.package, {"id": event_id} if event_id else {}
            ),
            resource=attempt.resource,
            key=key,
            local=request.to.uri.with_scheme,
            remote=request.from_.uri.with_scheme,
            is_secure="sips" in (request.uri.scheme, next_hop.scheme),
            route=route,
            target=target,
            flow=flow,
            forwarded=request.forwarded,
            remote_cseq=request.cseq.number,
            expires_at=0.0,
        )
        _check_size(subscription.size)
        return subscription

    def _store(self, subscription: Subscription) -> None:
        package, resource = subscription.event.package, subscription.resource
        same = [
            other
            for other in self.subscriptions(subscription.user)
            if (other.event.package, other.resource) == (package, resource)
        ]
        self._add(subscription)
        self._note_subscribed(subscription)
        if len(same) >= MAX_OF_RESOURCE:
            # SUBSCRIBEs with a forged source must not end the phone's own.
            surplus = next((it for it in same if not it.is_taken), same[0])
            # Not as deactivated, after which it would be made anew at once, and end
            # the next one (RFC 6665 4.1.3).
            self.end(surplus, "probation")

    def _add(self, subscription: Subscription) -> None:
        of_user = self._subscriptions.setdefault(subscription.user, {})
        self._count += subscription.key not in of_user
        of_user[subscription.key] = subscription

    def _note_subscribed(self, subscription: Subscription) -> None:
        if subscription.event.package == "dialog":
            subscribed = self._subscribed.setdefault(subscription.user, set())
            subscribed.add(subscription.resource)

    def _note_unsubscribed(self, subscription: Subscription) -> None:
        user, resource = subscription.user, subscription.resource
        if subscription.event.package == "dialog" and not any(
            (other.event.package, other.resource) == ("dialog", resource)
            for other in self.subscriptions(user)
        ):
            self._subscribed[user].discard(resource)

    def _drop(self, subscription: Subscription) -> bool:
        """Remove a subscription; return whether it was there."""
        of_user = self._subscriptions.get(subscription.user, {})
        if of_user.get(subscription.key) is not subscription:
            return False
        del of_user[subscription.key]
        self._count -= 1
        if not of_user:
            del self._subscriptions[subscription.user]
        return True

    # Ends

    def end(self, subscription: Subscription, reason: str) -> None:
        """End a subscription, for a reason of RFC 6665 4.1.3; a last NOTIFY is due."""
        if self._drop(subscription):
            subscription.ended = reason
            self._ended(subscription)

    def review(self, user: str) -> None:
        """End a user's subscriptions that would be refused now."""
        for subscription in self.subscriptions(user):
            status = self._resource_refusal(
                user, subscription.event.package, subscription.resource
            )
            if status is not None:
                self.end(subscription, "rejected" if status == 403 else "noresource")

    def lost(self, subscription: Subscription) -> None:
        """End a subscription that the phone has lost; no further NOTIFY is due."""
        self._drop(subscription)

    def answered(self, subscription: Subscription, status: int) -> bool:
        """Take the status of the answer to a NOTIFY.

        Returns whether it ended the subscription; no further NOTIFY is due (4.2.2).
        Without an answer nothing ends (docs/decisions/0020).
        """
        if status not in _ENDING:
            subscription.is_taken |= 200 <= status < 300
            return False
        self._drop(subscription)
        return True

    @property
    def next_expiry(self) -> float | None:
        """The time at which the next subscription expires, None without any."""
        return min(
            (
                s.expires_at
                for held in self._subscriptions.values()
                for s in held.values()
            ),
            default=None,
        )

    def expire(self) -> None:
        """End the subscriptions that have expired (4.2.1.4)."""
        now = self._clock()
        for held in list(self._subscriptions.values()):
            for subscription in list(held.values()):
                if subscription.expires_at <= now:
                    self.end(subscription, TIMEOUT)


def _event(request: Request) -> EventType | None:
    """Return the Event, None without one. Raises SipSyntaxError, also for two (3.1.2)."""
    lines = request.headers.lines("Event")
    if not lines:
        return None
    if len(lines) > 1:
        raise SipSyntaxError("Event occurs twice")
    event = parse_event(lines[0])
    if "id" in event.parameters and not is_token(event.parameters["id"] or ""):
        raise SipSyntaxError("the id of an Event is not a token")
    return event


def _target(request: Request, flow: Flow) -> Uri:
    """Return the URI of the Contact, the target of requests. Raises SipSyntaxError."""
    contacts = request.headers.listed("Contact")
    if len(contacts) != 1:
        raise SipSyntaxError(f"{len(contacts)} Contacts in a dialog")
    target = parse_address(contacts[0]).uri.target
    if len(target.text) > MAX_ADDRESS:
        raise SipSyntaxError(f"a Contact is longer than {MAX_ADDRESS} characters")
    if not target.is_sip or (target.scheme == "sips" and flow.transport != "TLS"):
        raise SipSyntaxError(f"the Contact {shape(target.text)} cannot be used")
    return target


def _check_size(size: int) -> None:
    """Raise SipSyntaxError for a subscription that would not be restored."""
    if size > MAX_DIALOG:
        raise SipSyntaxError(f"a dialog has more than {MAX_DIALOG} characters")


# Refusals, one function a clause


def _dialog(attempt: _Attempt) -> Answer | None:
    """481: a dialog that does not exist, or is another user's (RFC 3261 12.2.2)."""
    tagged = attempt.request.to.tag is not None
    return Answer(481) if tagged and attempt.held is None else None


def _order(attempt: _Attempt) -> Answer | None:
    """500: a request that a newer one has overtaken (RFC 3261 12.2.2)."""
    held, number = attempt.held, attempt.request.cseq.number
    if held is None:
        return None
    if number <= held.remote_cseq:
        return Answer(500)
    held.remote_cseq = number
    return None


def _package(attempt: _Attempt) -> Answer | None:
    """489: an event package that there is not (RFC 6665 4.2.1.1)."""
    if attempt.event is None or attempt.event.package not in PACKAGES:
        return Answer(489, (ALLOW_EVENTS_HEADER,))
    return None


def _sharing(attempt: _Attempt) -> Answer | None:
    """403: another subscription in the same dialog (RFC 6665 4.5.2)."""
    held, event = attempt.held, attempt.event
    if held is None or event is None:
        return None
    same = (event.package, event.parameters.get("id")) == (
        held.event.package,
        held.event.parameters.get("id"),
    )
    return None if same else Answer(403, reason="Dialog Sharing Not Supported")


def _selectors(attempt: _Attempt) -> Answer | None:
    """403: only some dialogs of the resource (RFC 4235 3.7.2)."""
    assert attempt.event is not None
    return None if _SELECTORS.isdisjoint(attempt.event.parameters) else Answer(403)


def _body(attempt: _Attempt) -> Answer | None:
    """415: a filter (RFC 4235 3.3), of which none is supported."""
    return content_refusal(attempt.request, ()) if attempt.request.body else None


def _formats(attempt: _Attempt) -> Answer | None:
    """406: the package's documents are not accepted (RFC 6665 3.1.3, RFC 3261 21.4.7)."""
    headers = attempt.request.headers
    if "Accept" not in headers:
        return None
    assert attempt.event is not None
    ranges: dict[str, bool] = {}
    for accepted in headers.listed("Accept"):
        media_range, *parameters = "".join(accepted.split()).lower().split(";")
        is_excluded = any(map(_NO_QUALITY.fullmatch, parameters))
        ranges[media_range] = ranges.get(media_range, False) or not is_excluded
    # The most specific range decides (RFC 2616 14.1).
    wanted = (PACKAGES[attempt.event.package], "application/*", "*/*")
    is_accepted = next((ranges[it] for it in wanted if it in ranges), False)
    return None if is_accepted else Answer(406)


def _interval(attempt: _Attempt) -> Answer | None:
    """423 (RFC 6665 4.2.1.1)."""
    return interval_refusal(attempt.seconds)


_CLAUSES = (_package, _sharing, _selectors, _body, _formats, _interval)
