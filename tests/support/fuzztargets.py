"""The targets of `script/fuzz`: everything that takes bytes from strangers.

A target is a strategy of good input, which is mutated before it is used, and a law
that must hold for any input.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_network
from typing import NamedTuple

from hypothesis import strategies as st

from custom_components.snom_buttons.engine.names import forbidden_in
from custom_components.snom_buttons.engine.phones import (
    KeySetup,
    PhoneServer,
    PhoneSetup,
    ServerSettings,
)
from custom_components.snom_buttons.engine.provisioning import (
    notify,
    ok,
    read_announcement,
    read_fetch,
    read_mac,
)
from custom_components.snom_buttons.engine.provisioning.announcement import MAX_WORD
from custom_components.snom_buttons.engine.sip import (
    Flow,
    MalformedMessage,
    Notifier,
    Request,
    Response,
    SipSyntaxError,
    Subscription,
    encode_response,
    make_address,
    make_uri,
    parse_address,
    parse_datagram,
    parse_uri,
)
from custom_components.snom_buttons.engine.sip.digest import (
    Challenger,
    Verdict,
    answer_challenge,
    parse_credentials,
)
from custom_components.snom_buttons.engine.sip.framing import (
    PING,
    BrokenStream,
    StreamDecoder,
)
from custom_components.snom_buttons.engine.sip.grammar import MAX_PARAMETERS, quote
from custom_components.snom_buttons.engine.sip.net.udp import UdpTransport
from custom_components.snom_buttons.engine.sip.parser import MAX_MESSAGE
from custom_components.snom_buttons.engine.sip.registrar import _with_expires
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    DocumentError,
    KeyDescription,
    format_document,
    parse_document,
)
from tests.support import walkthrough
from tests.support.descriptions import bodies, keys

from .announcements import (
    GIGASET,
    GRANDSTREAM,
    SIPPING,
    SNOM_370,
    SNOM_OEM,
    YEALINK,
    YEALINK_W52P,
)
from .datagrams import PIECES, check as check_message, nearly_messages, take
from .messages import request_bytes, response_bytes


class FuzzTarget(NamedTuple):
    name: str
    good: st.SearchStrategy[bytes]
    law: Callable[[bytes], None]
    """Raises if it does not hold."""


def _encoded(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    return texts.map(lambda text: text.encode("utf-8", "surrogateescape"))


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# Addresses

URIS = st.sampled_from(
    ["sip:44@ha.test", "sips:a%20b:secret@[2001:db8::1]:5061;transport=tcp;lr?subject=x",
     "tel:+49-30;phone-context=example.com", "1004@192.0.2.4;transport=udp",
     "sip:h;method=INVITE;x", "snom821:5060", "sip:a;b=c@h:1"]
)  # fmt: skip
ADDRESSES = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", '"44" ', '"a \\"b\\" <c>, ;" ', "J Rosenberg "]),
    st.sampled_from(["<", "< ", ""]),
    URIS,
    st.sampled_from([">", " >", ""]),
    st.sampled_from(
        ["", ";tag=x", ";expires=3600;q=0.5", '; +sip.instance="<urn:uuid:x>"',
         " ; expires ; a=\"b>c;d\"", ';a="expires=1";expires=2', ";;lr;"]
    ),
)  # fmt: skip

# Datagrams

PASSWORD = "geheim"
REALM = "ha"
FLOW = Flow("UDP", "192.0.2.9", 3333)


def challenger(number: int = 0) -> tuple[Challenger, str]:
    """Return the one challenger, and a nonce that it issued to FLOW."""
    judge = Challenger(REALM, {"44": PASSWORD}.get, lambda: 1000.0)
    judge._secret = bytes(32)
    stamp = (1000 * 1000).to_bytes(5) + number.to_bytes(3)
    return judge, judge._nonce(stamp, str(FLOW))


def credentials(algorithm: str, qop: str = ', qop="auth"', number: int = 0) -> str:
    """Return a right answer to the challenge with that nonce, for a REGISTER."""
    _, nonce = challenger(number)
    answer = answer_challenge(
        [f'Digest realm="{REALM}", nonce="{nonce}", algorithm={algorithm}{qop}'],
        username="44",
        password=PASSWORD,
        method="REGISTER",
        uri="sip:44@ha.test",
        cnonce="c",
    )  # fmt: skip
    assert answer is not None
    return answer


CREDENTIALS = [credentials("MD5"), credentials("SHA-256"), credentials("MD5", "")]
CONTACT = 'Contact: <sip:44@192.0.2.9:3333;line=x>;+sip.instance="<urn:uuid:x>"'
PRESS = "Content-Type: application/x-buttons"
GOOD_MESSAGES = [
    request_bytes("REGISTER", CONTACT, "Supported: buttons", "Expires: 3600"),
    *[
        request_bytes("REGISTER", CONTACT, f"Authorization: {value}")
        for value in CREDENTIALS
    ],
    request_bytes("REGISTER", "Contact: *", "Expires: 0"),
    request_bytes("MESSAGE", PRESS, body=b"k=1\r\na=message\r\nt=<urn:uuid:x>\r\n"),
    request_bytes("INVITE", CONTACT, To="<sip:*78@ha.test>", uri="sip:*78@ha.test"),
    request_bytes("OPTIONS", "Require: buttons", 'Via: SIP/2.0/TCP [::1]:5;x="a,b"'),
    request_bytes("ACK"),
    request_bytes("CANCEL"),
    response_bytes(),
    response_bytes("SIP/2.0 401 Unauthorized", 'WWW-Authenticate: Digest realm="p"'),
    walkthrough.wire(walkthrough.REGISTER),
    walkthrough.wire(walkthrough.SEIZE, walkthrough.SEIZE_BODY),
    walkthrough.wire(walkthrough.RELEASE, walkthrough.RELEASE_BODY),
]
REGISTRATIONS = st.builds(
    lambda contact, value: request_bytes(
        "REGISTER", f"Contact: {contact}", f"Authorization: {value}"
    ),
    ADDRESSES | st.builds("<sip:{}@h>".format, PIECES) | PIECES,
    st.sampled_from(CREDENTIALS),
)
MESSAGES = st.sampled_from(GOOD_MESSAGES) | REGISTRATIONS | nearly_messages()


def check_datagram(data: bytes) -> None:
    """Check that a datagram parses or raises MalformedMessage, and its answer parses."""
    check_message(data)
    take(data)


KEY = KeyDescription(name="1", number="key1", action=Action.MESSAGE)
CALL = KeyDescription(name="2", number="*78", action=Action.INVITE)


REGISTRATION = request_bytes(
    "REGISTER",
    CONTACT,
    f"Authorization: {credentials('MD5', number=1)}",
    CSeq="1 REGISTER",
    Via="SIP/2.0/UDP 192.0.2.9:3333;branch=z9hG4bKfirst",
)


class _Mute(UdpTransport):
    """A transport that sends nothing, and notes what it should send."""

    def __init__(self) -> None:
        super().__init__(lambda data, flow: None, lambda: None)
        self.sent: list[bytes] = []

    def send(self, data: bytes, flow: Flow) -> None:
        self.sent.append(data)


def mute_server(
    clock: Callable[[], float] = lambda: 1000.0,
) -> tuple[PhoneServer, list[bytes]]:
    """Return a server without a socket, whose phone is registered, and what it sends.

    The clock begins at 1000.
    """
    settings = ServerSettings(
        host="192.0.2.1",
        port=5060,
        realm=REALM,
        advertised_host="ha.test",
        networks=(ip_network("192.0.2.0/24"),),
    )
    server = PhoneServer(settings, clock=clock)
    keys = KeySetup(off=KEY), KeySetup(off=CALL)
    setup = PhoneSetup(extension="44", password=PASSWORD, keys=keys)
    phone = server.add_phone(setup)
    endpoint = server._endpoint
    endpoint._transports["UDP"] = mute = _Mute()
    endpoint._sent_by["UDP"] = "ha.test:5060"
    server._trust._challenger, _ = challenger()
    server._is_started = True
    endpoint._receive(REGISTRATION, FLOW)
    assert phone.available, "the registration of the server's phone failed"
    return server, mute.sent


def check_server(data: bytes) -> None:
    """Check that a server logs no error, whatever a registered phone sends."""

    async def run() -> None:
        server, _ = mute_server()
        for _ in range(2):
            await asyncio.sleep(0)
            server._endpoint._receive(data, FLOW)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await server.stop()

    asyncio.run(run())


# Streams


def framed(message: bytes) -> bytes:
    """Return a message with the length that a stream needs."""
    head, blank, body = message.partition(b"\r\n\r\n")
    return head + b"\r\nContent-Length: %d" % len(body) + blank + body


STREAMS = st.lists(
    MESSAGES.map(framed)
    | st.just(PING)
    | st.sampled_from([b"\r\n", b"\n", b"\r", b"\0"]),
    max_size=5,
).map(b"".join)


def check_stream(data: bytes) -> None:
    """Check that any partition of the bytes gives the same messages, and no other bytes."""
    assert decode(data) == decode(*[data[i : i + 1] for i in range(len(data))])
    half = len(data) // 2
    messages, fault = decode(data[:half], data[half:])
    assert (messages, fault) == decode(data)
    for message in messages:
        assert message in data
        if message != PING:
            check_datagram(message)


def decode(*pieces: bytes) -> tuple[list[bytes], str]:
    """Return the messages of a stream, and the fault that ended it, or ""."""
    decoder = StreamDecoder()
    messages: list[bytes] = []
    try:
        for piece in pieces:
            messages += decoder.feed(piece)
    except BrokenStream as error:
        return messages, str(error)
    return messages, ""


# Headers


def check_digest(data: bytes) -> None:
    """Check that credentials parse or raise SipSyntaxError; only right ones pass."""
    text = _decoded(data)
    try:
        given_ = parse_credentials(text)
    except SipSyntaxError:
        given_ = {}
    else:
        again = ", ".join(f"{name}={quote(value)}" for name, value in given_.items())
        assert parse_credentials(f"Digest {again}") == given_
    judge, nonce = challenger()
    verdict = judge.judge(
        [text], source=str(FLOW), method="REGISTER", request_uri="sip:44@ha.test"
    ).verdict
    if verdict is Verdict.ACCEPTED:
        right = {parse_credentials(value)["response"] for value in CREDENTIALS}
        assert given_["response"].lower() in right
        assert (given_["username"], given_["nonce"]) == ("44", nonce)
    answer = answer_challenge(
        [text], username='4"4', password="x", method="MESSAGE", uri="sip:x"
    )  # fmt: skip
    if answer is not None:
        answered = parse_credentials(answer)
        assert answered["realm"] == given_["realm"]
        assert answered["nonce"] == given_["nonce"]
        assert answered["username"] == '4"4'


def check_uri(data: bytes) -> None:
    """Check that a URI parses or raises SipSyntaxError; it keeps characters and meaning."""
    text = _decoded(data)
    try:
        uri = parse_uri(text)
    except SipSyntaxError:
        return
    assert str(uri) == text
    assert uri.is_equivalent(uri)
    written = uri.with_scheme
    assert parse_uri(str(written)) == written
    assert uri.is_equivalent(written)
    assert written.is_equivalent(uri)
    assert uri.key == written.key
    assert uri.parameter("nothing-of-that-name") is None
    (uri.user or "").encode()
    target = uri.target
    assert target.target == target
    assert (target.scheme, target.user, target.host) == (uri.scheme, uri.user, uri.host)
    if uri.scheme != "tel":
        assert target.parameter("method") is None
        assert "?" not in target.text.rpartition("@")[2]
        made = make_uri(uri.user, uri.host, uri.port)
        assert (made.user, made.host, made.port) == (uri.user, uri.host, uri.port)


def check_address(data: bytes) -> None:
    """Check that it parses or raises SipSyntaxError, and can be repeated and changed."""
    try:
        address = parse_address(_decoded(data))
    except SipSyntaxError:
        return
    assert parse_address(address.text) == address
    assert address.parameters.get("tag") == address.tag
    address.display_name.encode()
    made = make_address(address.uri, tag="x", display_name=address.display_name)
    back = parse_address(made.text)
    assert (back.uri, back.display_name) == (address.uri, address.display_name)
    if address.parameter_text.count(";") < MAX_PARAMETERS - 2:
        back = parse_address(_with_expires(address, 60))
        assert back.parameters == address.parameters | {"expires": "60"}
        assert (back.uri, back.display_name) == (address.uri, address.display_name)


# Subscriptions

SUBSCRIPTIONS = st.builds(
    lambda event, contact, tag, *lines: request_bytes(
        "SUBSCRIBE",
        f"Event: {event}",
        f"Contact: {contact}",
        *(line for line in lines if line),
        To=f"<sip:1@ha.test>{tag}",
        uri="sip:1@ha.test",
    ),
    st.sampled_from(["dialog", "dialog;id=1", "message-summary", "dialog;sla"])
    | PIECES,
    ADDRESSES | PIECES,
    st.sampled_from(["", ";tag=ours", ";tag=x"]),
    st.sampled_from(["", "Expires: 0", "Expires: 600", "Expires: 5"]),
    st.sampled_from(["", "Record-Route: <sip:p;lr>, <sip:q;lr=on>", "rr: x"]),
    st.sampled_from(["", "Accept: application/dialog-info+xml, text/plain;q=0.1"]),
)
SUBSCRIBED = request_bytes(
    "SUBSCRIBE", "Event: dialog", "Contact: <sip:44@192.0.2.9>", CSeq="1 SUBSCRIBE"
)


def check_subscription(data: bytes) -> None:
    """Check that a SUBSCRIBE, in a dialog or not, has an answer and a NOTIFY that parse."""
    due: list[Subscription] = []
    notifier = Notifier(lambda: 1000.0, lambda *_: None, due.append, due.append)
    for message in (SUBSCRIBED, data):
        due.clear()
        try:
            request = parse_datagram(message)
        except MalformedMessage:
            return
        if not isinstance(request, Request):
            return
        answer = notifier.subscribe(request, FLOW, "ours", "192.0.2.1:5060")
        assert answer.status in {200, 400, 403, 406, 415, 423, 481, 489, 500}
        assert len(due) == (answer.status == 200)
        via = str(request.via)
        encode_response(
            request.headers,
            via,
            answer.status,
            reason=answer.reason,
            headers=answer.headers,
        )
        for subscription in due:
            assert subscription.flow == FLOW
            notice = subscription.notify("192.0.2.1:5060", 1000.0, "text/plain", b"on")
            written = notice.encode("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx")
            read = parse_datagram(written)
            assert isinstance(read, Request)
            assert read.uri == subscription.target
            assert len(read.headers.lines("Contact")) == 1
            assert len(written) < 4096


# Documents


def check_document(data: bytes) -> None:
    """Check that it parses or raises DocumentError; what is written reads back the same."""
    try:
        described = parse_document(data)
    except DocumentError:
        return
    try:
        written = format_document(described)
    except DocumentError:
        # With all line ends and actions written out it may be too large.
        assert len(data) > MAX_MESSAGE // 3
        return
    assert parse_document(written) == described
    assert format_document(parse_document(written)) == written


DOCUMENTS = (
    bodies
    | st.lists(keys, max_size=4).map(format_document)
    | st.sampled_from([b"k=1\r\n\r\nk=2\r\nc=on\r\nn=79\r\na=invite\r\nl=Office Hours\r\n\r\n"])
)  # fmt: skip


# Plug and play, and fetches of settings


def check_announcement(data: bytes) -> None:
    """Check that it is read or ignored; what is shown is bounded, and answers parse."""
    said = read_announcement(data, "192.0.2.9", 1053)
    if said is None:
        return
    assert read_mac(said.mac) == said.mac
    for word in (said.vendor, said.model, said.version):
        assert len(word) <= MAX_WORD
        assert forbidden_in(word) is None
    answer = parse_datagram(ok(said, tag="t", sent_by="192.0.2.1:5060"))
    assert isinstance(answer, Response)
    assert (answer.status, answer.call_id) == (200, said.request.call_id)
    outgoing = notify(said, tag="t", sent_by="192.0.2.1:5060", url="http://192.0.2.1/")
    request = parse_datagram(outgoing.encode("SIP/2.0/UDP 192.0.2.1"))
    assert isinstance(request, Request)
    assert request.from_.tag == "t"
    assert request.body == b"http://192.0.2.1/"


def check_fetch(data: bytes) -> None:
    """Check that a name and a User-Agent are read or refused, and are short."""
    name, _, agent = _decoded(data).partition("\n")
    fetch = read_fetch(name, agent)
    if fetch is None:
        return
    assert fetch.mac is None or read_mac(fetch.mac) == fetch.mac
    assert fetch.model is None or fetch.model.isalnum()
    assert fetch.version is None or len(fetch.version) <= 32


ANNOUNCEMENTS = st.sampled_from(
    [SNOM_370, SNOM_OEM, GIGASET, YEALINK, YEALINK_W52P, GRANDSTREAM, SIPPING]
)
FETCHES = st.builds(
    "{}\n{}".format,
    st.sampled_from(["", "snomD735.htm", "snomD735-000413A1B2C3.htm", "000413A1B2C3.xml"]),
    st.sampled_from(
        ["", "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010 000413922D24 SXM:0)",
         "Mozilla/4.0 (compatible; snom lid 3605)"]
    ),
)  # fmt: skip


TARGETS = (
    FuzzTarget("datagram", MESSAGES, check_datagram),
    FuzzTarget("server", MESSAGES, check_server),
    FuzzTarget("stream", STREAMS, check_stream),
    FuzzTarget("digest", _encoded(st.sampled_from(CREDENTIALS) | PIECES.map("Digest {}".format)), check_digest),
    FuzzTarget("uri", _encoded(URIS | PIECES), check_uri),
    FuzzTarget("address", _encoded(ADDRESSES | PIECES), check_address),
    FuzzTarget("subscription", SUBSCRIPTIONS, check_subscription),
    FuzzTarget("document", DOCUMENTS, check_document),
    FuzzTarget("announcement", ANNOUNCEMENTS, check_announcement),
    FuzzTarget("fetch", _encoded(FETCHES | PIECES), check_fetch),
)  # fmt: skip
