"""An identity of the phone: its SIP user agent, with one registrar or none."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import secrets
import socket
import uuid

from snom_buttons.sip import (
    Address,
    Flow,
    OutgoingRequest,
    Response,
    SipSyntaxError,
    Uri,
    make_address,
    make_uri,
    parse_address,
    parse_number,
    parse_uri,
)
from snom_buttons.sip.net import Endpoint, IncomingRequest, NoAnswer, TransportError
from snom_buttons.xbuttons import CONTENT_TYPE

from .hardware import Hardware
from .invite import Dialler
from .maker import SNOM
from .subscription import DIALOG, Package, Subscription

EXPIRES = 3600
"""Seconds of registration that are asked for."""
MAX_EXPIRES = 86400
"""Longest registration in seconds; a longer one is renewed as if it were this long."""
FIRST_RETRY, LAST_RETRY = 1.0, 60.0
"""Seconds before a failed registration is retried: the first, doubled up to the last."""
DEREGISTRATION = 2.0
"""Seconds to wait for the response to the de-registration."""


_TAKEN = ("INVITE", "ACK", "CANCEL", "OPTIONS", "MESSAGE", "NOTIFY")
"""The methods that are taken, of those that the maker's phones allow."""


class RegistrationFailed(Exception):
    """The registrar sent no response, or not the expected one, as the message says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What an identity is set to."""

    user: str = ""
    """The extension; "" for an identity that is not set up, which nothing can reach."""
    password: str = field(default="", repr=False)
    registrar: str = ""
    """`host` or `host:port`; "" if there is none."""
    register: bool = True
    outbound: str = ""
    """Where requests go, as `host:port;transport=udp`; "" for the registrar."""
    authentication_user: str = ""
    """The user name of credentials; "" for the extension."""
    display_name: str = ""
    """The name in From; "" for the extension."""
    expires: int = EXPIRES
    """Seconds of registration that are asked for."""
    shows_mac: bool = True
    """Whether the User-Agent has the hardware address, as with the setting
    `mac_info_in_sip_register`."""


class Identity:
    """One identity on one UDP port.

    `registered_until` is None unless the last registration succeeded; `status` describes
    it in words. `on_status` is called when they change.
    """

    def __init__(
        self,
        account: Account,
        hardware: Hardware,
        *,
        on_request: Callable[[IncomingRequest], None],
        on_status: Callable[[], None],
    ) -> None:
        """Create an identity that is not open. Raises SipSyntaxError."""
        self.registered_until: datetime | None = None
        self.status = "not registered" if account.register else "without a registration"
        self.mac = hardware.mac
        self.instance = uuid.uuid5(uuid.NAMESPACE_OID, hardware.mac).urn
        self._maker = maker = hardware.maker
        product = hardware.user_agent + (
            f" {hardware.mac}" if account.shows_mac and maker is SNOM else ""
        )
        self._user_agent = ("User-Agent", product)
        self._allow = ("Allow", maker.allow)
        self._user = account.user
        self._display_name = account.display_name or account.user
        self._credentials = (
            account.authentication_user or account.user,
            account.password,
        )
        registrar = account.registrar
        self._registrar = parse_uri(f"sip:{registrar}") if registrar else None
        self._next_hop = (
            parse_uri(f"sip:{account.outbound}")
            if account.outbound
            else self._registrar
        )
        self._domain = _domain(self._registrar, with_port=maker.names_port)
        self._aor = make_uri(account.user or None, self._domain)
        self._line = secrets.token_hex(4) if maker.has_line else None
        self._register = account.register
        self._on_request = on_request
        self._on_status = on_status
        self._flow: Flow | None = None
        taken = [method for method in _TAKEN if method in maker.methods]
        self._endpoint = Endpoint(self._receive, self._receive_stray, allowed=taken)
        self._dialler = Dialler(self._endpoint)
        self._call_id = _call_id()
        self._cseq = 1
        self._expires = account.expires
        self._register_now = asyncio.Event()
        self._registering: asyncio.Task[None] | None = None

    async def open(self, host: str, port: int) -> None:
        """Bind the port, by default on the route to the registrar; begin to register.

        Raises OSError if the port is in use or the registrar's name is unknown.
        """
        own_host = "127.0.0.1"
        if self._next_hop is not None:
            self._flow, own_host = await _route_to(self._next_hop)
        anywhere = host in ("0.0.0.0", "::")  # noqa: S104
        await self._endpoint.open(
            host or own_host, port, advertised_host=own_host if anywhere else ""
        )
        if self._register and self._flow is not None:
            self._registering = asyncio.create_task(self._stay_registered(self._flow))

    async def close(self) -> None:
        """De-register, waiting for at most DEREGISTRATION seconds, and free the port."""
        if self._registering is not None:
            self._registering.cancel()
            await asyncio.wait([self._registering])
            self._registering = None
        if self.registered_until is not None and self._flow is not None:
            with suppress(RegistrationFailed, TimeoutError):
                async with asyncio.timeout(DEREGISTRATION):
                    await self._register_for(self._flow, 0)
            self._set_status("not registered")
        self._dialler.close()
        await self._endpoint.close()

    @property
    def address(self) -> tuple[str, int]:
        """The bound host and port. Raises TransportError if it is not open."""
        return self._endpoint.address_of("UDP")

    def register_again(self) -> None:
        """Register at once."""
        self._register_now.set()

    async def invite(self, number: str) -> tuple[int, str]:
        """Dial a number; return the final status, as `_send` does.

        The call offers no media. Raises SipSyntaxError for an empty number.
        """
        target = make_uri(number, self._domain)
        outgoing = OutgoingRequest(
            method="INVITE",
            uri=target,
            from_=self._from(),
            to=make_address(target),
            call_id=_call_id(),
            cseq=1,
            headers=(
                ("Contact", f"<{self._contact_uri}>"),
                self._user_agent,
                self._allow,
            ),
        )
        return await self._send(outgoing)

    def subscription[T](self, number: str, package: Package[T]) -> Subscription[T]:
        """Return a new subscription to a number. Raises SipSyntaxError for an empty one."""
        maker = self._maker
        target = make_uri(number, self._domain)
        is_dialog = package.name == DIALOG.name
        return Subscription(
            package,
            parse_uri(f"{target}{maker.blf_uri if is_dialog else ''}"),
            self._from(),
            _call_id(),
            (
                ("Contact", f"<{self._contact_uri}>"),
                self._user_agent,
                *maker.subscribe,
                ("Accept", maker.accept if is_dialog else package.content_type),
            ),
            cseq=maker.first_cseq,
        )

    async def send(self, outgoing: OutgoingRequest) -> Response:
        """Send a request to the registrar, and again if it is challenged.

        Returns the final response. Raises NoAnswer or TransportError.
        """
        if self._flow is None:
            raise TransportError("there is no registrar to send to")
        return await self._transact(outgoing, self._flow)

    async def message(self, number: str, document: bytes) -> tuple[int, str]:
        """Send a document to the own address; return the final status, as `_send` does.

        Its headers are those of the shared-line examples of the LED Remote Control
        document: only To has the number, and it has a tag without a dialog.
        """
        outgoing = OutgoingRequest(
            method="MESSAGE",
            uri=self._aor,
            from_=self._from(),
            to=make_address(make_uri(number, self._domain), tag=_tag()),
            call_id=_call_id(),
            cseq=1,
            headers=(("Proxy-Require", "buttons"), ("Content-Type", CONTENT_TYPE)),
            body=document,
        )
        return await self._send(outgoing)

    async def _send(self, outgoing: OutgoingRequest) -> tuple[int, str]:
        """Return status and reason: 408 unanswered, 503 unsent (RFC 3261 8.1.3.1)."""
        try:
            response = await self.send(outgoing)
        except NoAnswer as error:
            return 408, str(error)
        except TransportError as error:
            return 503, str(error)
        if 300 <= response.status < 400:
            contact = response.headers.get("Contact")
            return response.status, f"{response.reason} to {contact}"
        return response.status, response.reason

    async def _transact(self, outgoing: OutgoingRequest, flow: Flow) -> Response:
        """Send a request, and again if it is challenged; return the final response.

        Raises NoAnswer or TransportError.
        """
        dials = outgoing.method == "INVITE"
        send = self._dialler.invite if dials else self._endpoint.request
        response = await send(outgoing, flow)
        if again := outgoing.authorized(response, *self._credentials):
            response = await send(again, flow)
        return response

    def _from(self) -> Address:
        return make_address(self._aor, tag=_tag(), display_name=self._display_name)

    @property
    def _contact_uri(self) -> Uri:
        own = make_uri(self._user, self._endpoint.sent_by("UDP"))
        return parse_uri(f"{own};line={self._line}") if self._line else own

    async def _stay_registered(self, flow: Flow) -> None:
        """Register, and renew after half of the granted time; retry with back-off."""
        retry = FIRST_RETRY
        while True:
            self._register_now.clear()
            try:
                granted = await self._register_for(flow, self._expires)
            except RegistrationFailed as failure:
                self._set_status(f"not registered: {failure}")
                pause, retry = retry, min(2 * retry, LAST_RETRY)
            else:
                until = datetime.now().astimezone() + timedelta(seconds=granted)
                self._set_status(
                    f"registered with {flow} until {until:%H:%M:%S}", until
                )
                pause, retry = granted / 2, FIRST_RETRY
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._register_now.wait()

    async def _register_for(self, flow: Flow, seconds: int) -> int:
        """Return the granted seconds; 0 de-registers. Raises RegistrationFailed."""
        supported = self._maker.supported
        outgoing = OutgoingRequest(
            method="REGISTER",
            uri=make_uri(None, self._domain),
            from_=self._from(),
            to=make_address(self._aor, display_name=self._display_name),
            call_id=self._call_id,
            cseq=self._cseq,
            headers=(
                ("Contact", f'<{self._contact_uri}>;+sip.instance="<{self.instance}>"'),
                self._user_agent,
                *([("Supported", supported)] if supported else []),
                ("Expires", str(seconds)),
            ),
        )
        self._cseq += 2  # the request with credentials takes the second
        try:
            response = await self._transact(outgoing, flow)
        except (NoAnswer, TransportError) as error:
            raise RegistrationFailed(str(error)) from error
        if response.status == 423:
            # The next request asks for the registrar's minimum (10.2.8).
            self._expires = _seconds(response.headers.get("Min-Expires")) or EXPIRES
        if not 200 <= response.status < 300:
            raise RegistrationFailed(f"{response.status} {response.reason}")
        granted = self._granted(response)
        if seconds and not granted:
            raise RegistrationFailed("the answer does not contain the phone's Contact")
        return granted

    def _granted(self, response: Response) -> int:
        """Return the seconds for which the Contact is bound, 0 if the response lacks it.

        Raises RegistrationFailed.
        """
        try:
            for contact in map(parse_address, response.headers.listed("Contact")):
                if contact.uri.text == self._contact_uri.text:
                    expires = contact.parameters.get("expires")
                    return _seconds(expires or response.headers.get("Expires"))
        except SipSyntaxError as error:
            raise RegistrationFailed(f"the answer is broken: {error}") from error
        return 0

    def _set_status(self, status: str, until: datetime | None = None) -> None:
        self.registered_until, self.status = until, status
        self._on_status()

    def _receive(self, incoming: IncomingRequest) -> None:
        """Pass on a request that is addressed to this identity.

        A phone that registers ignores all hosts but its registrar, as with the setting
        "Filter Packets from Registrar", which is on by default. It also compares the
        `line` of its Contact if it has one, another phone only the user, as with the
        setting "Support broken Registrar".
        """
        if self._register and self._flow and incoming.flow.host != self._flow.host:
            return
        uri = incoming.request.uri
        is_our_line = not self._register or uri.parameter("line") == self._line
        if is_our_line and uri.user == self._user:
            self._on_request(incoming)
        else:
            incoming.reply(404)

    def _receive_stray(self, response: Response) -> None:
        self._dialler.receive(response)


async def _route_to(registrar: Uri) -> tuple[Flow, str]:
    """Return the flow to the registrar and our address for it. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(
        registrar.host.strip("[]"), registrar.port or 5060, type=socket.SOCK_DGRAM
    )
    # Prefer IPv4 for a name that has both, such as localhost.
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(address)  # sends nothing
        return Flow("UDP", str(address[0]), int(address[1])), probe.getsockname()[0]


def _domain(registrar: Uri | None, *, with_port: bool) -> str:
    """Return the domain of the phone's URIs."""
    if registrar is None:
        return "localhost"
    return f"{registrar.host}:{registrar.port or 5060}" if with_port else registrar.host


def _tag() -> str:
    return secrets.token_hex(5)


def _call_id() -> str:
    return f"{secrets.token_hex(6)}-{secrets.token_hex(6)}"


def _seconds(text: str | None) -> int:
    """Return a number of seconds up to MAX_EXPIRES, 0 for any other text."""
    try:
        return min(parse_number(text or "", "expiry", high=2**32 - 1), MAX_EXPIRES)
    except SipSyntaxError:
        return 0
