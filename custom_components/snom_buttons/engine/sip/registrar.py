"""The registrar and its location service (RFC 3261 section 10).

It judges requests and keeps bindings; it sends nothing and waits for nothing. Its
clock is handed in, so that tests can drive it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
import email.utils
import logging
import math
import time
from typing import Any

from .binding import MAX_ADDRESS, Binding, parse_path
from .digest import Challenger, Verdict
from .flow import Flow
from .grammar import (
    SipSyntaxError,
    parse_number,
    readable,
    split_outside_quotes,
    unquote,
)
from .guard import Guard
from .message import Request
from .uas import Answer
from .uri import Address, make_address, make_uri, parse_address

_LOGGER = logging.getLogger(__name__)

MIN_EXPIRES = 60
"""Seconds below which a registration is refused with 423."""
MAX_EXPIRES = 3600
"""Seconds to which longer registrations are cut; also the default (10.2.1.1)."""
MAX_USER_AGENT = 128
MAX_BINDINGS = 10
"""Bindings of one user at once; the oldest make room for new ones."""


class Registrar:
    """Registers the users whose password `password_of` knows.

    The domain of an address-of-record is not looked at: phones are told to register
    with an IP address, a host name or a container's outer address, all of which are us.
    """

    def __init__(
        self,
        realm: str,
        password_of: Callable[[str], str | None],
        clock: Callable[[], float],
        on_registered: Callable[[str], None],
        guard: Guard | None = None,
    ) -> None:
        """Call `on_registered` with a user after each REGISTER that was accepted.

        `guard` is told of wrong passwords.
        """
        self._guard = guard
        self._flows: Counter[Any] = Counter()
        self._served: Counter[Any] = Counter()
        self._addresses: Counter[Any] = Counter()
        self._challenger = Challenger(realm, password_of, clock)
        self._clock = clock
        self._on_registered = on_registered
        self._bindings: dict[str, list[Binding]] = {}

    def bindings(self, user: str) -> tuple[Binding, ...]:
        """Return a user's current bindings, the newest last."""
        now = self._clock()
        return tuple(b for b in self._bindings.get(user, ()) if b.expires_at > now)

    @property
    def next_expiry(self) -> float | None:
        """When `expire` has something to do, None if nothing is bound."""
        return min(
            (b.expires_at for held in self._bindings.values() for b in held),
            default=None,
        )

    def expire(self) -> list[str]:
        """Drop the bindings whose time is over; return the users that had them."""
        now = self._clock()
        affected = []
        for user, held in list(self._bindings.items()):
            current = [binding for binding in held if binding.expires_at > now]
            if len(current) < len(held):
                affected.append(user)
                self._store(user, current)
        return affected

    def forget(self, user: str) -> None:
        """Drop a user's bindings, as when the user is no more."""
        self._store(user, [])

    def bind_address(self, user: str, host: str, port: int) -> None:
        """Bind a user for good to an address, by UDP, without any registration.

        That is the sipsak example of the LED Remote Control document.
        """
        flow = Flow("UDP", host, port)
        address = host.partition("%")[0]  # an interface is nobody else's affair
        uri = make_uri(user, f"[{address}]" if ":" in address else address, port)
        self._store(
            user,
            [
                Binding(
                    user=user,
                    aor=uri,
                    contact=make_address(uri),
                    flow=flow,
                    call_id="",
                    cseq=0,
                    expires_at=math.inf,
                    instance=None,
                    user_agent=None,
                    supports_buttons=False,
                    by_address=True,
                )
            ],
        )

    def drop(self, binding: Binding) -> bool:
        """Drop a single binding; return whether it was there."""
        held = self._bindings.get(binding.user, [])
        kept = [other for other in held if other is not binding]
        if len(kept) < len(held):
            self._store(binding.user, kept)
        return len(kept) < len(held)

    def knows(self, flow: Flow) -> bool:
        """Whether somebody has registered by this flow, and not through a proxy."""
        return flow in self._flows

    def serves(self, flow: Flow) -> bool:
        """Whether some phone is reached by this flow, directly or through a proxy.

        So is one that sends from an address that we were told.
        """
        return flow in self._served or flow[:2] in self._addresses

    def restore(self, bindings: Iterable[Binding]) -> None:
        """Put back bindings from before a restart; those that are over stay out."""
        now = self._clock()
        for binding in bindings:
            if binding.expires_at > now:
                self._store(
                    binding.user, [*self._bindings.get(binding.user, ()), binding]
                )

    def challenge(
        self, flow: Flow, *, stale: bool = False, user_agent: str | None = None
    ) -> Answer:
        """Return the 401 for a request that has to prove who sent it."""
        source = _source_of_nonce(flow)
        values = self._challenger.challenges(source, stale=stale, user_agent=user_agent)
        brief = self._challenger.brief_challenge(source, stale=stale)
        return Answer(
            401,
            tuple(("WWW-Authenticate", value) for value in values),
            (("WWW-Authenticate", brief),),
        )

    def authorize(self, request: Request, flow: Flow) -> Answer | None:
        """Judge whether a request comes from the user that its From names.

        Returns None if it does: it came by the very flow that an authenticated binding
        of that user came by, or its digest is right. Else returns the answer to give.
        A flow proves nothing where a proxy is at its end: all that register through it
        come by the same one. A REGISTER needs a digest in any case, of its To's user.
        """
        if request.method == "REGISTER":
            return self._judge(request, flow, request.to.uri.user)
        user = request.from_.uri.user
        if not self._is_from_device(request, flow, user):
            refusal = self._judge(request, flow, user)
            if refusal is not None:
                return refusal
        return Answer(482) if self._is_our_own(request, user) else None

    def register(self, request: Request, flow: Flow) -> Answer:
        """Handle a REGISTER that `authorize` let through; return the answer."""
        user = request.to.uri.user
        assert user is not None
        try:
            # What 5.3 of RFC 3327 recommends: the phone shall know of the proxies.
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
        self._store(user, wanted)
        answer = self._accepted(request, user, supports_buttons)
        self._on_registered(user)
        return answer

    def _is_from_device(self, request: Request, flow: Flow, user: str | None) -> bool:
        """Whether a request came by the flow of a device of that user."""
        if request.forwarded:
            return False
        # A loop: `any` costs more than what it would ask.
        for binding in self._bindings.get(user or "", ()):
            if (
                binding.comes_by(flow)
                and not binding.forwarded
                and binding.expires_at > self._clock()
            ):
                return True
        return False

    def _is_by_address(self, flow: Flow, user: str) -> bool:
        """Whether a flow comes from where a device of that user is, as we were told."""
        return any(
            binding.by_address and binding.comes_by(flow)
            for binding in self._bindings.get(user, ())
        )

    def _is_our_own(self, request: Request, user: str | None) -> bool:
        """Whether a request is addressed to a device of its user, as ours are.

        What a proxy returns to us by mistake is no press. Nor is what somebody made of
        it on purpose: who hands our challenge back to us has our credentials for it,
        but only for the Request-URI of our own request.
        """
        uri = request.uri
        for binding in self._bindings.get(user or "", ()):
            contact = binding.contact.uri
            if contact.host == uri.host and contact.target.key == uri.key:
                return True
        return False

    def _judge(self, request: Request, flow: Flow, user: str | None) -> Answer | None:
        """Check the digest, and that its user is `user` (10.3, steps 3 and 4).

        Who gave too many wrong passwords is challenged whatever he says, unless it is a
        phone that has registered by this flow: others at its address, as behind NAT, must
        not keep it from registering again. Behind a proxy that is a user, for the others
        there shall not suffer: the one whose password is guessed, whoever From and To name.
        """
        judged = self._challenger.judge(
            request.headers.lines("Authorization"),
            source=_source_of_nonce(flow),
            method=request.method,
            request_uri=request.uri.text,
        )
        verdict = judged.verdict
        guessed = readable(judged.username or "")
        source = f"{flow.host} {guessed}" if request.forwarded else flow.host
        if (
            self._guard is not None
            and self._guard.is_locked(source)
            and (request.forwarded or not self._is_from_device(request, flow, guessed))
        ):
            verdict = Verdict.MISSING
        if verdict is Verdict.ACCEPTED:
            return None if judged.username == user else Answer(403)
        if verdict is Verdict.WRONG:
            _LOGGER.debug("Wrong credentials in a %s from %s", request.method, flow)
            # A phone that is known by its address may register all the same, in vain.
            if self._guard is not None and not self._is_by_address(flow, guessed):
                self._guard.failed(source)
        return self.challenge(
            flow,
            stale=verdict is Verdict.STALE,
            user_agent=request.headers.get("User-Agent"),
        )

    def _wanted_bindings(
        self, request: Request, flow: Flow, user: str
    ) -> list[Binding] | Answer:
        """Return what the user's bindings are to be (10.3, steps 6 and 7).

        Nothing is changed yet, so that a request that fails has changed nothing.
        Raises SipSyntaxError.
        """
        if request.to.uri.scheme == "tel":
            raise SipSyntaxError("an address-of-record must be a sip or sips URI")
        held = list(self.bindings(user))
        contacts = request.headers.listed("Contact")
        header_expires = request.headers.get("Expires")
        # An Expires that is no number counts as the default (20.19).
        default = _expires_or(header_expires, MAX_EXPIRES)
        if any(contact.strip() == "*" for contact in contacts):
            if len(contacts) > 1 or header_expires is None or default != 0:
                raise SipSyntaxError("Contact: * needs Expires: 0 and no other Contact")
            removed = held
            kept: list[Binding] = []
        else:
            addresses = [parse_address(contact) for contact in contacts]
            if len(addresses) > MAX_BINDINGS:
                raise SipSyntaxError(f"more than {MAX_BINDINGS} Contacts")
            removed, kept = [], held
            for address in addresses:
                fresh = self._binding(request, flow, user, address, default)
                if isinstance(fresh, Answer):
                    return fresh
                # What ends is the Contact that is named (10.3, step 7): a device that has
                # moved may end its old one behind its new one.
                ends = fresh.expires_at <= self._clock()
                same = [
                    binding
                    for binding in kept
                    if (fresh.is_same_contact if ends else fresh.is_same_device)(
                        binding
                    )
                ]
                removed += [binding for binding in same if binding in held]
                kept = [binding for binding in kept if binding not in same]
                if not ends:
                    kept.append(fresh)
        # An update from the same device that overtook a newer one must fail as a whole.
        for binding in removed:
            if (
                binding.call_id == request.call_id
                and request.cseq.number <= binding.cseq
            ):
                return Answer(500)
        return kept[-MAX_BINDINGS:]

    def _binding(
        self, request: Request, flow: Flow, user: str, address: Address, default: int
    ) -> Binding | Answer:
        parameters = address.parameters
        seconds = _expires_or(parameters.get("expires"), default)
        if 0 < seconds < MIN_EXPIRES:
            return Answer(423, (("Min-Expires", str(MIN_EXPIRES)),))
        if address.uri.scheme == "tel":
            raise SipSyntaxError("a Contact must be a sip or sips URI")
        if max(len(address.text), len(request.to.text)) > MAX_ADDRESS:
            raise SipSyntaxError(f"an address is longer than {MAX_ADDRESS} characters")
        path = parse_path(request.headers.listed("Path"))
        instance = parameters.get("+sip.instance")
        user_agent = request.headers.get("User-Agent")
        return Binding(
            user=user,
            aor=request.to.uri,
            contact=address,
            flow=flow,
            call_id=request.call_id,
            cseq=request.cseq.number,
            expires_at=self._clock() + min(seconds, MAX_EXPIRES),
            instance=readable(unquote(instance)) if instance else None,
            user_agent=readable(user_agent)[:MAX_USER_AGENT] if user_agent else None,
            supports_buttons=_supports(request, "buttons"),
            path=path,
            forwarded=request.forwarded or bool(path),
        )

    def _store(self, user: str, bindings: list[Binding]) -> None:
        for known, found_in in (
            (self._flows, _own_flows),
            (self._served, _all_flows),
            (self._addresses, _own_addresses),
        ):
            for what in found_in(self._bindings.get(user, ())):
                known[what] -= 1
                if not known[what]:
                    del known[what]
            known.update(found_in(bindings))
        if bindings:
            self._bindings[user] = bindings
        else:
            self._bindings.pop(user, None)

    def _accepted(self, request: Request, user: str, supports_buttons: bool) -> Answer:
        """Return the 200 with all current bindings (10.3, step 8).

        Each Contact says its own time; Expires repeats what this request got, for who
        only looks there. A phone that supports buttons is told so as the LED Remote
        Control document prints it (`Required`) and as RFC 3261 spells it (`Require`).
        The request's Path comes back too, so that the phone can see it (RFC 3327 5.3).
        """
        now = self._clock()
        held = self.bindings(user)
        headers = [
            ("Contact", _with_expires(binding.contact, round(binding.expires_at - now)))
            for binding in held
        ]
        if "Contact" in request.headers:
            granted = max(
                (
                    round(b.expires_at - now)
                    for b in held
                    if (b.call_id, b.cseq) == (request.call_id, request.cseq.number)
                ),
                default=0,
            )
            headers.append(("Expires", str(granted)))
        headers.append(("Date", email.utils.formatdate(time.time(), usegmt=True)))
        headers += [("Path", value) for value in request.headers.lines("Path")]
        if supports_buttons:
            headers += [("Require", "buttons"), ("Required", "buttons")]
        return Answer(200, tuple(headers))


def _source_of_nonce(flow: Flow) -> str:
    """Return from where credentials for a nonce must come.

    By UDP that is the very address that was sent it. Nobody has a connection from an
    address that is not his, and a phone may well open another for its second try.
    """
    return f"{flow.transport} {flow.host}" if flow.is_reliable else str(flow)


def _own_flows(bindings: Iterable[Binding]) -> Iterator[Flow]:
    return (binding.flow for binding in bindings if not binding.forwarded)


def _all_flows(bindings: Iterable[Binding]) -> Iterator[Flow]:
    return (binding.flow for binding in bindings)


def _own_addresses(bindings: Iterable[Binding]) -> Iterator[tuple[str, str]]:
    """Return transport and host of the devices that we were told."""
    return (binding.flow[:2] for binding in bindings if binding.by_address)


def _supports(request: Request, option: str) -> bool:
    return option in request.headers.tokens("Supported")


def _expires_or(value: str | None, default: int) -> int:
    """Return an expiry in seconds; a malformed one counts as 3600 (10.2.1.1)."""
    if value is None:
        return default
    try:
        return parse_number(value.strip(), "expiry", high=2**32 - 1)
    except SipSyntaxError:
        return MAX_EXPIRES


def _with_expires(contact: Address, seconds: int) -> str:
    """Return a Contact as it came, byte for byte, but for its expires parameter."""
    text = contact.text
    start = len(text) - len(contact.parameter_text)
    for parameter in split_outside_quotes(contact.parameter_text, ";"):
        start = text.index(parameter, start)
        end = start + len(parameter)
        if parameter.partition("=")[0].rstrip().lower() == "expires":
            return f"{text[:start]}expires={seconds}{text[end:]}"
        start = end
    return f"{text};expires={seconds}"
