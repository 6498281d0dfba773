"""The server: ties registrar, phones and lines together, and outlives restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
import hashlib
import math
import ssl
import time
from typing import Any

from ..sip import (
    PRIVATE_NETWORKS,
    Binding,
    Flow,
    Guard,
    LocationService,
    Network,
    Registrar,
    Trust,
)
from ..sip.net import Endpoint
from .courier import Courier
from .line import SharedLine
from .phone import Phone, Registration
from .reception import Reception, tell_later
from .setup import LineSetup, PhoneSetup
from .signal import Signal
from .storage import load_bindings, load_keys, save_bindings, save_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where the server listens, and what it calls itself."""

    host: str
    """The address to bind to, `0.0.0.0` for all of IPv4, `::` for all."""
    port: int | None
    """The UDP port; 0 takes a free one, None does without UDP."""
    tcp_port: int | None = None
    tls_port: int | None = None
    realm: str
    """The digest realm, which phones show when they ask for a password."""
    advertised_host: str
    """What our requests name as their origin: the address that phones know us by."""
    advertised: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """The same for single transports, where it is another host or port."""
    networks: tuple[Network, ...] = PRIVATE_NETWORKS
    """Who may talk to us at all."""
    keepalive: float = 0.0
    """Seconds between questions whether a phone is there; 0 for none."""

    @property
    def ports(self) -> dict[str, int]:
        """The ports by transport: `UDP`, `TCP`, `TLS`."""
        ports = {"UDP": self.port, "TCP": self.tcp_port, "TLS": self.tls_port}
        return {name: port for name, port in ports.items() if port is not None}

    @property
    def registrar_addresses(self) -> dict[str, str]:
        """The address under which phones reach each transport, as `host:port`."""
        addresses = {}
        for transport, own_port in self.ports.items():
            host, port = self.advertised.get(transport, ("", None))
            host = host or self.advertised_host
            shown = f"[{host}]" if ":" in host else host
            addresses[transport] = f"{shown}:{port or own_port}"
        return addresses


class CannotListen(OSError):
    """The system gave us no socket for a transport."""

    def __init__(self, error: OSError, transport: str, port: int) -> None:
        """Say which, and what the system said."""
        super().__init__(error.errno, error.strerror or str(error))
        self.transport = transport
        self.port = port


class PhoneServer:
    """A SIP registrar for phones, and the owner of what they show."""

    def __init__(
        self,
        settings: ServerSettings,
        clock: Callable[[], float] = time.monotonic,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Make a server that is not started.

        `clock` must run like the event loop's, which is what it is by default. Without
        a `context` there is no TLS.
        """
        self.settings = settings
        self._clock = clock
        self.changed: Signal[None] = Signal()
        """What `snapshot` returns has changed."""
        self._phones: dict[str, Phone] = {}
        self._lines: dict[str, SharedLine] = {}
        self.locked_out: Signal[None] = Signal()
        """`locked` has changed."""
        self.context = context
        """What TLS needs; to be set before `start`, and after it by `renew`."""
        self._location = LocationService(clock)
        self._guard = Guard(
            clock=clock,
            location=self._location,
            networks=settings.networks,
            on_locked=self._follow_lock,
        )
        self._trust = Trust(
            settings.realm, self._password_of, clock, self._location, self._guard
        )
        reception = Reception(self._phones, self.line_of)
        self.pressed = reception.pressed
        self.dialled = reception.dialled
        self._endpoint = Endpoint(
            reception.answer,
            guard=self._guard,
            trust=self._trust,
            registrar=Registrar(self._location, clock, self._registered),
            on_lost=self._connection_lost,
        )
        self._courier = Courier(self._endpoint, settings.keepalive)
        self._started = False
        self._expiry: asyncio.TimerHandle | None = None
        self._unlocking: asyncio.TimerHandle | None = None

    @property
    def phones(self) -> Mapping[str, Phone]:
        """The phones by extension."""
        return self._phones

    @property
    def lines(self) -> Mapping[str, SharedLine]:
        """The shared lines by their IDs."""
        return self._lines

    @property
    def address(self) -> tuple[str, int]:
        """Where UDP is bound. Raises TransportError while it is not."""
        return self.address_of("UDP")

    @property
    def listening(self) -> dict[str, int]:
        """The ports by transport that are open."""
        return {
            transport: self.address_of(transport)[1]
            for transport in self.settings.ports
            if self._endpoint.is_open(transport)
        }

    def address_of(self, transport: str) -> tuple[str, int]:
        """Return where a transport is bound. Raises TransportError while it is not."""
        return self._endpoint.address_of(transport)

    @property
    def locked(self) -> list[str]:
        """The sources that are not listened to, for they gave too many wrong passwords."""
        return self._guard.locked

    def release(self, source: str) -> None:
        """Listen to a source again."""
        self._guard.release(source)

    async def start(self) -> None:
        """Bind; phones that were bound before a restart get their picture at once.

        Raises CannotListen with what the system says (EADDRINUSE, EADDRNOTAVAIL, …).
        """
        try:
            for transport, port in self.settings.ports.items():
                await self._open(transport, port)
            self._started = True
            self._plan_release()
            for phone in self._phones.values():
                self._update(phone)
            for line in self._lines.values():
                line.start()
        except BaseException:
            await self.stop()
            raise

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
            )
        except OSError as error:
            raise CannotListen(error, transport, port) from error

    def renew(self, context: ssl.SSLContext) -> None:
        """Take another context for TLS; connections that are there go on as they are."""
        self.context = context
        self._endpoint.renew(context)

    async def stop(self) -> None:
        """Free the port, and end every task and timer; safe to call twice."""
        self._started = False
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if self._unlocking is not None:
            self._unlocking.cancel()
            self._unlocking = None
        for phone in self._phones.values():
            phone.close()
        for line in self._lines.values():
            line.close()
        await self._endpoint.close()

    def add_phone(self, setup: PhoneSetup, before: Phone | None = None) -> Phone:
        """Add a phone, before or after the start, and return it.

        Its keys show what they showed on `before`, the same phone under another
        extension. Raises ValueError if the extension is taken, DocumentError for a key
        that cannot be written.
        """
        phone = Phone(setup, partial(self._line_setup_of, setup.extension))
        if before is not None:
            phone.restore(before.saved_looks, before.unconfigured)
        self._add(phone)
        return phone

    def _add(self, phone: Phone) -> None:
        if phone.extension in self._phones:
            raise ValueError(f"there is a phone {phone.extension} already")
        self._phones[phone.extension] = phone
        phone.changed.subscribe(self.changed.emit)
        phone.gone.subscribe(self._device_gone)
        phone.status.subscribe(lambda _: self._follow_owner(phone.extension))
        self._bind_address(phone)
        self._update(phone)
        self._apply_lines()

    def remove_phone(self, extension: str) -> None:
        """Let a phone go, and forget its registrations. Raises KeyError."""
        phone = self._phones.pop(extension)
        phone.close()
        self._location.forget(extension)
        self._follow_owner(extension)
        self.changed.emit(None)

    def configure_phone(self, setup: PhoneSetup) -> None:
        """Apply a new setup to the phone of its extension.

        A new password or address ends its registrations: it has to authenticate anew.
        Raises KeyError for an unknown phone, DocumentError for a key that cannot be
        written.
        """
        phone = self._phones[setup.extension]
        before = phone.setup
        phone.configure(setup)
        self._apply_lines()
        if (setup.password, setup.address) != (before.password, before.address):
            self._location.forget(setup.extension)
            self._bind_address(phone)
            self._registered(setup.extension)

    def add_line(self, line_id: str, setup: LineSetup) -> SharedLine:
        """Take a shared line in, whether started or not, and return it.

        Its keys are those of the phones that there are, now or later. Raises ValueError
        if there is a line of this ID.
        """
        if line_id in self._lines:
            raise ValueError(f"there is a line {line_id} already")
        line = self._lines[line_id] = SharedLine(setup, self._phones, tell_later)
        line.status.subscribe(self.changed.emit)
        line.apply()
        if self._started:
            line.start()
        return line

    def remove_line(self, line_id: str) -> None:
        """Let a shared line go; its keys go free. Raises KeyError."""
        line = self._lines.pop(line_id)
        line.configure(LineSetup(code=line.setup.code))
        line.close()
        self.changed.emit(None)

    def snapshot(self) -> dict[str, Any]:
        """Return what `restore` needs after a restart, as JSON."""
        now = self._clock()
        return {
            "phones": {
                extension: {
                    "bindings": save_bindings(self._location.bindings(extension), now),
                    "keys": save_keys(phone.saved_looks, phone.unconfigured),
                    "proof": self._proof(phone),
                }
                for extension, phone in self._phones.items()
            },
            "lines": {line_id: line.save() for line_id, line in self._lines.items()},
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over a snapshot, for the phones, keys and lines that there are.

        To be called before `start`. What does not fit is left out, and so are the
        registrations of a phone that has another password by now.
        """
        # Version 0.1 stored nothing but the phones.
        phones = snapshot.get("phones", snapshot)
        for extension, phone in self._phones.items():
            saved = phones.get(extension) if isinstance(phones, Mapping) else None
            if not isinstance(saved, Mapping):
                continue
            phone.restore(*load_keys(saved.get("keys")))
            if phone.setup.address is None and saved.get("proof") == self._proof(phone):
                bindings = load_bindings(saved.get("bindings"), self._clock())
                self._location.restore(
                    binding
                    for binding in bindings
                    if binding.user == extension
                    and binding.flow.transport in self.settings.ports
                )
        lines = snapshot.get("lines")
        for line_id, line in self._lines.items():
            line.restore(lines.get(line_id) if isinstance(lines, Mapping) else None)
        self._apply_lines()

    def _proof(self, phone: Phone) -> str:
        """Return what tells whether a stored registration was made with the password."""
        secret = f"{phone.extension}\0{self.settings.realm}\0{phone.setup.password}"
        return hashlib.sha256(secret.encode()).hexdigest()

    # Lines

    def line_of(self, extension: str, key: str) -> SharedLine | None:
        """Return the shared line that a phone's key belongs to."""
        for line in self._lines.values():
            if line.setup.keys.get(extension) == key:
                return line
        return None

    def _line_setup_of(self, extension: str, key: str) -> LineSetup | None:
        line = self.line_of(extension, key)
        return line.setup if line else None

    def _apply_lines(self) -> None:
        for line in self._lines.values():
            line.apply()

    def _follow_owner(self, extension: str) -> None:
        """Have the lines that a phone holds see whether it is still there."""
        for line in self._lines.values():
            if line.owner == extension:
                line.follow_owner()

    # Strangers

    def _follow_lock(self, _source: str, _is_locked: bool) -> None:
        """Plan when the next source is listened to again, and tell of the change."""
        self._plan_release()
        self.locked_out.emit(None)

    def _plan_release(self) -> None:
        if self._unlocking is not None:
            self._unlocking.cancel()
            self._unlocking = None
        if self._started and (due := self._guard.next_release) is not None:
            self._unlocking = asyncio.get_running_loop().call_later(
                max(0.0, due - self._clock()), self._release_due
            )

    def _release_due(self) -> None:
        self._guard.release()
        self._plan_release()

    def _connection_lost(self, flow: Flow) -> None:
        """Note that a phone is out of reach until it connects again."""
        for phone in self._phones.values():
            phone.lost(flow)

    # Registrations

    def _device_gone(self, binding: Binding) -> None:
        """Drop a binding from before a restart at whose end nobody answers."""
        if self._location.drop(binding):
            self._registered(binding.user)

    def _bind_address(self, phone: Phone) -> None:
        """Bind a phone that does not register to where it is."""
        address = phone.setup.address
        if address is not None and self.settings.port is not None:
            self._location.bind_address(phone.extension, *address)
            self._update(phone)

    def _password_of(self, extension: str) -> str | None:
        phone = self._phones.get(extension)
        return phone.setup.password if phone and phone.setup.address is None else None

    def _registered(self, extension: str) -> None:
        """Act on a change of a phone's bindings."""
        if phone := self._phones.get(extension):
            self._update(phone)
        self.changed.emit(None)

    def _update(self, phone: Phone) -> None:
        """Tell a phone of its bindings, and see when the next one ends."""
        if not self._started:
            return
        bindings = self._location.bindings(phone.extension)
        registration = None
        if bindings:
            newest = bindings[-1]
            left = newest.expires_at - self._clock()
            registration = Registration(
                address=str(newest.flow),
                user_agent=newest.user_agent,
                expires_at=(
                    None
                    if newest.is_address
                    else datetime.now(UTC) + timedelta(seconds=left)
                ),
                supports_buttons=newest.supports_buttons,
            )
        phone.registered(bindings, self._courier, registration)
        self._plan_expiry(min((b.expires_at for b in bindings), default=None))

    def _plan_expiry(self, due: float | None) -> None:
        """Have `_expire` called at `due`, unless it is called before that anyway."""
        if due is None or due == math.inf:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + max(0.0, due - self._clock())
        if self._expiry is not None:
            if self._expiry.when() <= at:
                return
            self._expiry.cancel()
        self._expiry = loop.call_at(at, self._expire)

    def _expire(self) -> None:
        self._expiry = None
        for extension in self._location.expire():
            self._registered(extension)
        self._plan_expiry(self._location.next_expiry)
