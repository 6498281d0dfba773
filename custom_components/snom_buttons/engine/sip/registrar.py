"""The registrar: what a REGISTER does to the location service (RFC 3261 10.3)."""

from collections.abc import Callable
from dataclasses import dataclass
import email.utils
import logging
import time

from .binding import MAX_ADDRESS, MAX_BINDINGS, MAX_USER_AGENT, Binding, parse_path
from .expiry import MAX_EXPIRES, interval_refusal, parse_expires
from .flow import Flow
from .grammar import SipSyntaxError, readable, shape, split_outside_quotes, unquote
from .location import LocationService
from .message import Request
from .uas import ALLOW_EVENTS_HEADER, ALLOW_HEADER, Answer
from .uri import Address, parse_address

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registrar:
    """Handles REGISTER requests that have been authenticated."""

    location: LocationService
    clock: Callable[[], float]
    on_registered: Callable[[str], None]
    """Called with the user after each REGISTER that was accepted."""

    def register(self, request: Request, flow: Flow) -> Answer:
        """Handle a REGISTER from the user of its To; return the answer."""
        user = request.to.uri.user
        assert user is not None
        try:
            # RFC 3327 5.3 recommends 420, so that the phone can know of the proxies.
            path = parse_path(request.headers.listed("Path"))
            if path and not _supports(request, "path"):
                return Answer(420, (("Unsupported", "path"),))
            wanted = self._wanted_bindings(request, flow, user)
            supports_buttons = _supports(request, "buttons")
        except SipSyntaxError as error:
            _LOGGER.debug("REGISTER of %s: %s", user, error)
            return Answer(400)
        if isinstance(wanted, Answer):
            return wanted
        self.location.store(user, wanted)
        answer = self._accepted(request, user, supports_buttons)
        self.on_registered(user)
        return answer

    def _wanted_bindings(
        self, request: Request, flow: Flow, user: str
    ) -> list[Binding] | Answer:
        """Return the user's new bindings (10.3, steps 6 and 7).

        Changes nothing, so that a request that fails has changed nothing. Raises
        SipSyntaxError.
        """
        held = list(self.location.bindings(user))
        contacts = request.headers.listed("Contact")
        header_expires = request.headers.get("Expires")
        # An Expires that is not a number counts as the default (20.19).
        default = parse_expires(header_expires)
        if any(contact.strip() == "*" for contact in contacts):
            if len(contacts) > 1 or header_expires is None or default != 0:
                raise SipSyntaxError("Contact: * needs Expires: 0 and no other Contact")
            removed = held
            kept: list[Binding] = []
        else:
            if len(contacts) > MAX_BINDINGS:
                raise SipSyntaxError(f"more than {MAX_BINDINGS} Contacts")
            # A tel or mailto URI may be a Contact (10.2.1), but no request reaches it.
            addresses = [
                address for address in map(parse_address, contacts) if address.uri.host
            ]
            removed, kept = [], held
            for address in addresses:
                fresh = self._binding(request, flow, user, address, default)
                if isinstance(fresh, Answer):
                    return fresh
                # Expiry 0 ends the very Contact (10.3, step 7): a phone that has moved
                # may end its old Contact after it registered the new one.
                ends = fresh.expires_at <= self.clock()
                is_same = fresh.has_same_uri if ends else fresh.is_same_contact
                same = [binding for binding in kept if is_same(binding)]
                # Another instance of it begins anew, even with the Call-ID of the one
                # before: pyVoIP has the same after each start.
                removed += [
                    binding
                    for binding in same
                    if binding in held and not fresh.has_another_instance(binding)
                ]
                kept = [binding for binding in kept if binding not in same]
                if not ends:
                    kept.append(fresh)
        # A request that was overtaken by a newer one must fail as a whole.
        number = request.cseq.number
        if any(b.call_id == request.call_id and number <= b.cseq for b in removed):
            return Answer(500)
        if len(kept) > MAX_BINDINGS:
            # First those that a client left behind each time it connected again.
            kept.sort(key=self.location.is_reached)
        return kept[-MAX_BINDINGS:]

    def _binding(
        self, request: Request, flow: Flow, user: str, address: Address, default: int
    ) -> Binding | Answer:
        parameters = address.parameters
        seconds = parse_expires(parameters.get("expires"), default)
        if (refusal := interval_refusal(seconds)) is not None:
            return refusal
        if not address.uri.is_sip:
            raise SipSyntaxError(f"the Contact {shape(address.uri.text)} has no scheme")
        if max(len(address.text), len(request.to.text)) > MAX_ADDRESS:
            raise SipSyntaxError(f"an address is longer than {MAX_ADDRESS} characters")
        path = parse_path(request.headers.listed("Path"))
        instance = parameters.get("+sip.instance")
        user_agent = request.headers.get("User-Agent")
        return Binding(
            user=user,
            aor=request.to.uri.with_scheme,
            contact=address,
            flow=flow,
            call_id=request.call_id,
            cseq=request.cseq.number,
            expires_at=self.clock() + min(seconds, MAX_EXPIRES),
            instance=readable(unquote(instance)) if instance else None,
            user_agent=readable(user_agent)[:MAX_USER_AGENT] if user_agent else None,
            supports_buttons=_supports(request, "buttons"),
            path=path,
            forwarded=request.forwarded or bool(path),
        )

    def _accepted(self, request: Request, user: str, supports_buttons: bool) -> Answer:
        """Return the 200 with all current bindings (10.3, step 8).

        Each Contact has its own expiry; Expires repeats this request's, for clients
        that read only that. A phone with buttons gets `Required` (LED Remote Control)
        and `Require` (RFC 3261). Path is that of the request (RFC 3327 5.3).
        """
        now = self.clock()
        held = self.location.bindings(user)
        headers = [
            ("Contact", _with_expires(binding.contact, round(binding.expires_at - now)))
            for binding in held
        ]
        if "Contact" in request.headers:
            granted = [
                round(b.expires_at - now)
                for b in held
                if (b.call_id, b.cseq) == (request.call_id, request.cseq.number)
            ]
            headers.append(("Expires", str(max(granted, default=0))))
        headers += [ALLOW_HEADER, ALLOW_EVENTS_HEADER]
        headers.append(("Date", email.utils.formatdate(time.time(), usegmt=True)))
        headers += [("Path", value) for value in request.headers.lines("Path")]
        if supports_buttons:
            headers += [("Require", "buttons"), ("Required", "buttons")]
        return Answer(200, tuple(headers))


def _supports(request: Request, option: str) -> bool:
    return option in request.headers.tokens("Supported")


def _with_expires(contact: Address, seconds: int) -> str:
    """Return a Contact unchanged byte for byte, except for its expires parameter."""
    text = contact.text
    start = len(text) - len(contact.parameter_text)
    for parameter in split_outside_quotes(contact.parameter_text, ";"):
        start = text.index(parameter, start)
        end = start + len(parameter)
        if parameter.partition("=")[0].rstrip().lower() == "expires":
            return f"{text[:start]}expires={seconds}{text[end:]}"
        start = end
    return f"{text};expires={seconds}"
