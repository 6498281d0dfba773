"""Authentication of requests (RFC 3261 22 and 10.3, docs/decisions/0009)."""

from collections.abc import Callable
import logging

from .digest import Challenger, Verdict
from .edges import Edges, address_behind, asserted_user
from .flow import Flow
from .grammar import readable
from .guard import Guard
from .location import LocationService
from .message import Request
from .uas import Answer

_LOGGER = logging.getLogger(__name__)


class Trust:
    """Checks that a request is from its user, in any domain (docs/decisions/0006)."""

    def __init__(
        self,
        realm: str,
        password_of: Callable[[str], str | None],
        clock: Callable[[], float],
        location: LocationService,
        guard: Guard | None = None,
        *,
        former_password_of: Callable[[str], str | None] = lambda _: None,
        on_registering: Callable[[str], None] = lambda _: None,
        on_wrong: Callable[[Request, str, Flow], None] = lambda *_: None,
    ) -> None:
        """Authenticate the users for whom `password_of` returns a password.

        The one of `former_password_of` is accepted as well; `on_registering` gets the
        user of a REGISTER with the present one, before that has changed anything. `guard` counts wrong passwords, and knows the sources that are locked out and the edges.
        `on_wrong` gets requests with wrong credentials, the user of these, and the flow,
        before the answer. It must take the same time for all users.
        """
        self._password_of = password_of
        self._edges = Edges() if guard is None else guard.edges
        self._challenger = Challenger(realm, password_of, clock, former_password_of)
        self._on_registering = on_registering
        self._location = location
        self._guard = guard
        self._on_wrong = on_wrong

    def judge(self, request: Request, flow: Flow) -> Answer | None:
        """Return the refusal of a request, None if it comes from the user it names.

        That user is the one of To for a REGISTER, else the one of From. A flow proves
        nothing where a proxy is at its end, since all phones behind it share the flow,
        unless that is an edge, and says who has proved to be at its own end.
        """
        if request.method == "REGISTER":
            return self._authenticate(request, flow, request.to.uri.user)
        user = request.from_.uri.user
        named = user or ""
        if not self._is_asserted(request, flow, named) and (
            request.forwarded or not self._location.is_from_contact(named, flow)
        ):
            refusal = self._authenticate(request, flow, user)
            if refusal is not None:
                return refusal
        # A request to a contact of its own user is one of the server's, sent back. A
        # proxy does that by mistake. A client that challenged the server with its own
        # nonce would have credentials, but only for the Request-URI of that request.
        return Answer(482) if self._location.is_contact(named, request.uri) else None

    def _is_asserted(self, request: Request, flow: Flow, user: str) -> bool:
        """Whether an edge says that a request is from `user` (RFC 3325, 0024)."""
        return (
            self._edges.has(flow)
            and self._password_of(user) is not None
            and asserted_user(request) == user
        )

    def is_unproven(self, request: Request, flow: Flow) -> bool:
        """Whether a request is taken for its source address alone, which may be forged."""
        return not flow.is_reliable and self._location.is_from_address(
            request.from_.uri.user or "", flow
        )

    def _authenticate(
        self, request: Request, flow: Flow, user: str | None
    ) -> Answer | None:
        """Check the digest, and that its user is `user` (10.3, steps 3 and 4).

        A source that is locked out is challenged whatever its credentials, except for
        the phone that registered by this flow: other hosts at its address (NAT) must
        not keep it out. Behind a proxy the lock is on the user of the credentials,
        whatever From and To name, so that other users are not affected. Behind an edge it
        is on that user at the address that the edge names.
        """
        source_of_nonce = _source_of_nonce(flow)
        judged = self._challenger.judge(
            request.headers.lines("Authorization"),
            source=source_of_nonce,
            method=request.method,
            request_uri=request.uri.text,
        )
        verdict = judged.verdict
        claimed = readable(judged.username or "")
        source = self._source(request, flow, claimed)
        if (
            self._guard is not None
            and self._guard.is_locked(source)
            and (request.forwarded or not self._location.is_from_contact(claimed, flow))
        ):
            verdict = Verdict.MISSING
        if verdict is Verdict.ACCEPTED:
            if request.method == "REGISTER" and not request.to.uri.host:
                return Answer(400)  # an address-of-record is a SIP URI (10.2)
            if user is None or judged.username != user:
                return Answer(403)
            if request.method == "REGISTER" and not judged.is_former:
                self._on_registering(user)
            return None
        if verdict is Verdict.WRONG:
            _LOGGER.debug("Wrong credentials from %s", flow)
            # A phone that is bound by its address may also try to register, and never can.
            if self._guard is not None and not self._location.is_from_address(
                claimed, flow
            ):
                self._guard.failed(source)
            self._on_wrong(request, claimed, flow)
        values = self._challenger.challenges(
            source_of_nonce,
            stale=verdict is Verdict.STALE,
            user_agent=request.headers.get("User-Agent"),
        )
        return Answer(401, tuple(("WWW-Authenticate", value) for value in values))

    def _source(self, request: Request, flow: Flow, user: str) -> str:
        """Return whom a wrong password of `user` counts for."""
        if not request.forwarded:
            return flow.host
        behind = address_behind(request) if self._edges.has(flow) else None
        return f"{behind or flow.host} {user}"


def _source_of_nonce(flow: Flow) -> str:
    """Return the source that a nonce is bound to.

    By UDP that is the exact address that received it. By TCP and TLS it is the host: a
    source address cannot be forged there, and a phone may retry by a new connection.
    """
    return f"{flow.transport} {flow.host}" if flow.is_reliable else str(flow)
