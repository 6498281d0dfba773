"""The server: its life cycle, and its parts."""

import asyncio
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
import socket
import ssl
import time
from typing import Any

from ..sip import (
    MAX_USER_AGENT,
    Answer,
    Binding,
    Drop,
    Flow,
    Guard,
    LocationService,
    Notifier,
    OutgoingRequest,
    Registrar,
    Request,
    Subscription,
    Trust,
    Uri,
    readable,
)
from ..sip.net import Endpoint, NoAnswer, TransportError
from .alarm import Alarm
from .courier import Courier
from .events import Attempt, KeyPress
from .line import SharedLine
from .phone import Phone
from .reception import ABILITIES, Reception, emit_later
from .settings import ServerSettings
from .setup import LineSetup, PhoneSetup, Speakers
from .signal import Signal
from .storage import Change, Prove, Storage, load_acted
from .traffic import Traffic

EXPIRY_PAUSE = 1.0
"""Seconds between two looks for subscriptions that have expired, each of which looks at all:
those of phones that went away together expire one after the other."""


class CannotListen(OSError):
    """The system refused a socket for a transport."""

    def __init__(self, error: OSError, transport: str, port: int) -> None:
        """Keep the system's error with its transport and port."""
        super().__init__(error.errno, error.strerror or str(error))
        self.transport = transport
        self.port = port


class PhoneServer:
    """A SIP registrar for phones, with the phones' keys and shared lines."""

    def __init__(
        self,
        settings: ServerSettings,
        clock: Callable[[], float] = time.monotonic,
        context: ssl.SSLContext | None = None,
        *,
        elsewhere: Callable[[str], PhoneSetup | None] = lambda _: None,
        adopt: Callable[[str], None] = lambda _: None,
        healthy: Callable[[], bool] = lambda: True,
        prove: Prove | None = None,
        takes: Callable[[], bool] | None = None,
        was_published: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Create a server that is not started. `clock` runs like the event loop's.

        `elsewhere` returns the setup of a phone that another server has, by which its
        requests from an edge are authenticated. `adopt` gets its extension after that, and
        adds the phone, or not. While `healthy` returns False, an edge gets 503 for all that
        it sends. `prove` is that of `Storage`,
        `takes` and `was_published` are those of `Reception`.
        """
        self.settings = settings
        self.healthy = healthy
        self._elsewhere = elsewhere
        self._adopt = adopt
        self.changed: Signal[Change] = Signal()
        """What `snapshot` returns has changed."""
        self.renewed: Signal[str] = Signal()
        """The extension of a phone that registers with its new password."""
        self.locked_out: Signal[None] = Signal()
        """`locked` has changed."""
        self.attempted: Signal[Attempt] = Signal()
        """A phone that is not set up tried to register."""
        self.denied: Signal[Attempt] = Signal()
        """A REGISTER with wrong credentials, of any extension, also through a proxy."""
        self.context = context
        """The TLS context. It is set before `start`; `renew` replaces it later."""
        self.edge_context: ssl.SSLContext | None = None
        """The same with a request for the certificate of an edge (`asking_edges`)."""
        self._clock = clock
        self.phones: dict[str, Phone] = {}
        """By extension."""
        self.lines: dict[str, SharedLine] = {}
        """By their IDs."""
        self._lines_of: dict[str, list[SharedLine]] = {}
        """By the extensions of their phones."""
        self.past_traffic = Traffic()
        """That of the phones that were removed."""
        self._location = LocationService(clock)
        self._guard = Guard(
            clock=clock,
            location=self._location,
            networks=settings.networks,
            edges=settings.edges,
            is_user=lambda user: self._setup_of(user) is not None,
            on_locked=self._lock_changed,
            on_excess=self._exceeded,
        )
        self._trust = Trust(
            settings.realm,
            self._password_of,
            clock,
            self._location,
            self._guard,
            former_password_of=self._former_password_of,
            on_registering=self._end_former_password,
            on_wrong=self._wrong,
        )
        self._notifier = Notifier(
            clock,
            self._resource_refusal,
            self._subscription_changed,
            self._subscription_ended,
            self._is_contact,
        )
        reception = self._reception = Reception(
            self.phones,
            self.line_of,
            self._notifier.has_subscribed,
            clock,
            takes=takes,
            was_published=was_published,
        )
        self.pressed = reception.pressed
        self.dialled = reception.dialled
        self._endpoint = Endpoint(
            reception.answer,
            guard=self._guard,
            trust=self._trust,
            registrar=Registrar(self._location, clock, self._registered),
            notifier=self._notifier,
            on_lost=self._connection_lost,
            on_edge=self._from_edge,
            on_proven=self._proven_by_edge,
        )
        self._courier = Courier(
            self._endpoint, self._notifier, clock, settings.keepalive
        )
        self._storage = Storage(
            settings,
            self.phones,
            self.lines,
            self._location,
            self._notifier,
            clock,
            prove,
        )
        self._is_started = False
        self._expiry = Alarm(self._expire, clock)
        self._unlocking = Alarm(self._unlock, clock)
        self._subscription_expiry = Alarm(self._expire_subscriptions, clock)

    # Life cycle

    async def start(self) -> None:
        """Open the ports, and send restored phones all keys. Raises CannotListen."""
        self._endpoint.restore(
            answered
            for phone in self.phones.values()
            for answered in phone.presses.answered
        )
        async with AsyncExitStack() as on_failure:
            on_failure.push_async_callback(self.stop)
            for transport, port in self.settings.ports.items():
                await self._open(transport, port)
            self._is_started = True
            self._unlocking.set(self._guard.next_release)
            self._subscription_expiry.advance(self._notifier.next_expiry)
            for extension in [*self.phones]:
                if (phone := self.phones.get(extension)) is not None:
                    self._update(phone)
                await asyncio.sleep(0)  # between phones, others have their turn
            if self._is_started:  # unless `stop` was called meanwhile
                for line in self.lines.values():
                    line.start()
            on_failure.pop_all()

    async def _open(self, transport: str, port: int) -> None:
        if transport == "TLS" and self.context is None:
            return
        host, advertised_port = self.settings.advertised.get(transport, ("", None))
        try:
            await self._endpoint.open(
                self.settings.host,
                port,
                transport=transport,
                advertised_host=host or self.settings.advertised_host,
                advertised_port=advertised_port,
                context=self.context if transport == "TLS" else None,
                edge_context=self.edge_context if transport == "TLS" else None,
            )
        except OSError as error:
            raise CannotListen(error, transport, port) from error

    def renew(
        self, context: ssl.SSLContext, edge_context: ssl.SSLContext | None = None
    ) -> None:
        """Replace the TLS contexts; open connections are not affected."""
        self.context, self.edge_context = context, edge_context
        self._endpoint.renew(context, edge_context)

    async def stop(self) -> None:
        """Close the ports, and end all tasks and timers. A second call does nothing."""
        self._is_started = False
        self._expiry.cancel()
        self._subscription_expiry.cancel()
        self._unlocking.cancel()
        for phone in self.phones.values():
            phone.close()
        for line in self.lines.values():
            line.close()
        await self._reception.close()
        await self._endpoint.close()

    @property
    def address(self) -> tuple[str, int]:
        """The address of the UDP socket. Raises TransportError while it is closed."""
        return self.address_of("UDP")

    @property
    def listening(self) -> dict[str, int]:
        """The open ports by transport."""
        return {
            transport: self.address_of(transport)[1]
            for transport in self.settings.ports
            if self._endpoint.is_open(transport)
        }

    def address_of(self, transport: str) -> tuple[str, int]:
        """Return a socket's address. Raises TransportError while it is closed."""
        return self._endpoint.address_of(transport)

    @property
    def shared_socket(self) -> socket.socket | None:
        """The UDP socket if it is bound to all addresses; None if not, or without UDP."""
        return self._endpoint.shared_socket

    def send(self, data: bytes, flow: Flow) -> None:
        """Send bytes without a transaction; a failure is logged at debug level."""
        self._endpoint.send(data, flow)

    async def request(self, outgoing: OutgoingRequest, flow: Flow) -> int | None:
        """Send a request, and return the status of its final response, None without one."""
        try:
            response = await self._endpoint.request(outgoing, flow)
        except NoAnswer, TransportError:
            return None
        return response.status

    def sent_by(self, flow: Flow) -> str:
        """Return our `host:port` as the other end of a flow reaches it."""
        return self._endpoint.sent_by(flow.transport)

    def snapshot(self) -> dict[str, Any]:
        """Return the argument of `restore` after a restart, as JSON."""
        return self._storage.snapshot()

    def phone_snapshot(self, extension: str) -> dict[str, Any]:
        """Return a phone's part of `snapshot`. Raises KeyError for an unknown phone."""
        return self._storage.phone_snapshot(self.phones[extension])

    def lines_snapshot(self) -> dict[str, Any]:
        """Return the shared lines' part of `snapshot`."""
        return self._storage.lines_snapshot()

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Restore phones, keys and lines that are set up, before `start`.

        Data of unknown phones is left out, as are the registrations of a phone whose
        password has changed.
        """
        self._storage.restore(snapshot)
        self._apply_lines()

    def restore_phone(self, extension: str, saved: object) -> None:
        """Restore a phone from its `phone_snapshot`. Raises KeyError.

        After the start its contacts get the whole picture at once.
        """
        phone = self.phones[extension]
        self._storage.restore_phone(phone, saved)
        self._apply_lines(extension)
        if self._is_started:
            self._endpoint.restore(phone.presses.answered)
            self._update(phone)
            for subscription in self._notifier.subscriptions(extension):
                self._subscription_expiry.advance(subscription.expires_at)

    def catch_up(self, extension: str, acted: object, keys: Container[str]) -> None:
        """Toggle those of `keys` that only another server has toggled for a press.

        `acted` is that of its `phone_snapshot`, and may be anything. Raises KeyError.
        """
        phone = self.phones[extension]
        presses = phone.presses.unknown(load_acted(acted, extension))
        phone.presses.add(acted=presses)
        for press in presses:
            if press.toggled in keys and (key := phone.keys.get(press.toggled)):
                key.turn(not key.is_on)

    def restore_lines(self, saved: object) -> None:
        """Restore the shared lines from `lines_snapshot`, after the phones."""
        self._storage.restore_lines(saved)
        self._apply_lines()

    # Phones

    def add_phone(self, setup: PhoneSetup, before: Phone | None = None) -> Phone:
        """Add a phone, before or after the start, and return it.

        Its keys show what they showed on `before`, the same phone under another
        extension, which was removed. Raises ValueError if the extension is taken, DocumentError for a key
        that cannot be written.
        """
        phone = Phone(setup, partial(self._line_setup_of, setup.extension))
        if before is not None:
            phone.succeed(before)
        self._add(phone)
        return phone

    def _add(self, phone: Phone) -> None:
        if phone.extension in self.phones:
            raise ValueError(f"there is a phone {phone.extension} already")
        self.phones[phone.extension] = phone
        phone.changed.subscribe(partial(self._looks_changed, phone.extension))
        phone.gone.subscribe(self._contact_gone)
        phone.status.subscribe(lambda _: self._follow_owner(phone.extension))
        self._bind_address(phone)
        self._update(phone)
        self._apply_lines(phone.extension)

    def remove_phone(self, extension: str) -> None:
        """Remove a phone and its registrations. Raises KeyError."""
        phone = self.phones.pop(extension)
        self._notifier.forget(extension)
        phone.close()
        self.past_traffic.add(phone.traffic)
        self._location.forget(extension)
        self._follow_owner(extension)

    def configure_phone(
        self, setup: PhoneSetup, origins: Mapping[str, str] | None = None
    ) -> None:
        """Apply a new setup; another address or password ends the registrations.

        They stay while the password that they were made with is the former one.
        `origins` as for `Phone.configure`. Raises KeyError for an unknown phone,
        DocumentError as `Key` does.
        """
        phone = self.phones[setup.extension]
        before = phone.setup
        phone.configure(setup, origins)
        self._notifier.review(setup.extension)
        self._apply_lines(setup.extension)
        accepted = (setup.password, setup.former_password)
        if before.held_password not in accepted or setup.address != before.address:
            self._location.forget(setup.extension)
            self._bind_address(phone)
            self._registered(setup.extension)

    def _looks_changed(self, extension: str, only_label: bool) -> None:
        self.changed.emit(Change(extension, only_label=only_label))

    def _password_of(self, extension: str) -> str | None:
        setup = self._setup_of(extension)
        return setup.password if setup and setup.address is None else None

    def _former_password_of(self, extension: str) -> str | None:
        setup = self._setup_of(extension)
        return (setup and setup.former_password) or None

    def _setup_of(self, extension: str) -> PhoneSetup | None:
        phone = self.phones.get(extension)
        return phone.setup if phone is not None else self._elsewhere(extension)

    def _end_former_password(self, extension: str) -> None:
        """End what was registered with the former password, as a phone has the new one."""
        phone = self.phones.get(extension)
        if phone and phone.setup.former_password:
            phone.end_former_password()
            self._location.forget(extension)
            self.renewed.emit(extension)

    def press(
        self, extension: str, key: str, cause: object = None
    ) -> Sequence[KeyPress]:
        """Press a key as a finger does; return the presses, which are emitted later.

        Raises what `check_press` does.
        """
        phone = self.phones[extension]
        return self._reception.simulate(phone, phone.keys[key], cause)

    def check_press(self, extension: str, key: str) -> None:
        """Raise Refused if a press of a key sends nothing, KeyError if there is no key."""
        phone = self.phones[extension]
        self._reception.sent_by(phone, phone.keys[key])

    # Shared lines

    def add_line(self, line_id: str, setup: LineSetup) -> SharedLine:
        """Add a line, whose phones may come later. Raises ValueError for a taken ID."""
        if line_id in self.lines:
            raise ValueError(f"there is a line {line_id} already")
        line = self.lines[line_id] = SharedLine(
            setup, self.phones, emit_later, self._lines_of
        )
        line.status.subscribe(self._lines_changed)
        line.apply()
        if self._is_started:
            line.start()
        return line

    def remove_line(self, line_id: str) -> None:
        """Remove a shared line; its keys go free. Raises KeyError."""
        line = self.lines.pop(line_id)
        line.configure(LineSetup(code=line.setup.code))
        line.close()
        self._lines_changed()

    def _lines_changed(self, _: object = None) -> None:
        self.changed.emit(Change())

    def line_of(self, extension: str, key: str) -> SharedLine | None:
        """Return the shared line that a phone's key belongs to."""
        for line in self._lines_of.get(extension, ()):
            if line.setup.keys[extension] == key:
                return line
        return None

    def _line_setup_of(self, extension: str, key: str) -> LineSetup | None:
        line = self.line_of(extension, key)
        return line.setup if line else None

    def _apply_lines(self, extension: str | None = None) -> None:
        """Set the looks of the keys of all lines, or of those that a phone has a key of."""
        lines = self.lines.values()
        for line in lines if extension is None else self._lines_of.get(extension, ()):
            line.apply()

    def _follow_owner(self, extension: str) -> None:
        for line in self._lines_of.get(extension, ()):
            if line.owner == extension:
                line.follow_owner()

    # Strangers

    @property
    def dropped(self) -> dict[str, int]:
        """How many messages and connections were dropped without an answer, by reason."""
        return {reason: self._guard.drops.counts[reason] for reason in Drop}

    @property
    def locked(self) -> list[str]:
        """The sources that are locked out after too many wrong passwords."""
        return self._guard.locked

    def release(self, source: str) -> None:
        """Release a source that is locked out."""
        self._guard.release(source)

    def _lock_changed(self, _source: str, _is_locked: bool) -> None:
        if self._is_started:
            self._unlocking.set(self._guard.next_release)
        self.locked_out.emit(None)

    def _wrong(self, request: Request, username: str, flow: Flow) -> None:
        """Emit an attempt to register after the answer, which must not show it.

        `attempted` is not for a sender behind a proxy, which may be anywhere.
        """
        if request.method == "REGISTER":
            emit_later(partial(self._emit_attempt, request, username, flow.host))

    def _emit_attempt(self, request: Request, username: str, host: str) -> None:
        extension = request.to.uri.user or ""
        said = readable(request.headers.get("User-Agent") or "")[:MAX_USER_AGENT]
        attempt = Attempt(extension, host, said)
        self.denied.emit(attempt)
        is_known = extension in self.phones or username in self.phones
        if not is_known and not request.forwarded:
            self.attempted.emit(attempt)

    def _exceeded(self, extension: str) -> None:
        if phone := self.phones.get(extension):
            phone.exceeded()

    def _unlock(self) -> None:
        self._guard.release()
        self._unlocking.set(self._guard.next_release)

    # Edges

    def _from_edge(self, request: Request) -> Answer | None:
        """Answer the OPTIONS by which an edge probes the server (RFC 3261 11).

        What the server cannot act on now, the edge sends to another one.
        """
        if not self.healthy():
            return Answer(503)
        if request.method == "OPTIONS":
            if not request.forwarded and request.uri.user is None:
                return Answer(200, ABILITIES)
        return None

    def _proven_by_edge(self, user: str) -> Answer | None:
        """Adopt the phone of a request from an edge that was proven to be from it."""
        if user not in self.phones:
            self._adopt(user)
        return None if user in self.phones else Answer(503)

    # Registrations

    def _registered(self, extension: str) -> None:
        if phone := self.phones.get(extension):
            self._update(phone)
            self.changed.emit(Change(extension, registration=True))

    def _update(self, phone: Phone) -> None:
        """Pass a phone its bindings, and set the timer for their end."""
        if not self._is_started:
            return
        bindings = self._location.bindings(phone.extension)
        phone.registered(bindings, self._courier, self._clock())
        self._expiry.advance(min((b.expires_at for b in bindings), default=None))

    def _expire(self) -> None:
        for extension in self._location.expire():
            self._registered(extension)
        self._expiry.advance(self._location.next_expiry)

    def _bind_address(self, phone: Phone) -> None:
        address = phone.setup.address
        if address is not None and self.settings.port is not None:
            self._location.bind_address(phone.extension, *address)
            self._update(phone)

    def _contact_gone(self, binding: Binding) -> None:
        """Drop a binding from before a restart whose contact does not answer."""
        if self._location.drop(binding):
            self._registered(binding.user)

    def _connection_lost(self, flow: Flow) -> None:
        if not flow.ends or not self._location.serves(flow):
            return  # an edge's, or a stranger's, of which there may be a thousand a second
        self._location.lost(flow)
        for extension in self._location.users(flow):
            if phone := self.phones.get(extension):
                phone.lost(flow)

    # Subscriptions

    def _resource_refusal(self, user: str, package: str, resource: str) -> int | None:
        """Return 404 unless it is a key of the phone, 403 if its keys are documents.

        For messages it must be the phone itself; those of another one get 403.
        """
        phone = self.phones.get(user)
        if phone is not None and package == "message-summary":
            other = 403 if resource in self.phones else 404
            return None if resource == user else other
        if phone is None or package != "dialog" or resource not in phone.keys:
            return 404
        return 403 if phone.setup.speakers is Speakers.BUTTONS else None

    def _is_contact(self, request: Request, flow: Flow, target: Uri) -> bool:
        phone = self.phones[request.from_.uri.user or ""]
        return phone.takes_subscription(flow, target, forwarded=request.forwarded)

    def _subscription_changed(self, subscription: Subscription) -> None:
        if phone := self.phones.get(subscription.user):
            if phone.setup.address is not None:
                # It has proved nothing: the source of its SUBSCRIBE may be forged.
                subscription.flow = Flow("UDP", *phone.setup.address)
            phone.subscription_changed(subscription, self._courier)
            if subscription.ended is None:
                self._subscription_expiry.advance(subscription.expires_at)
            self.changed.emit(Change(subscription.user, registration=True))

    def _subscription_ended(self, subscription: Subscription) -> None:
        if phone := self.phones.get(subscription.user):
            phone.subscription_ended(subscription, self._courier)
            self.changed.emit(Change(subscription.user, registration=True))

    def _expire_subscriptions(self) -> None:
        self._notifier.expire()
        due = self._notifier.next_expiry
        if due is not None:
            due = max(due, self._clock() + EXPIRY_PAUSE)
        self._subscription_expiry.advance(due)
