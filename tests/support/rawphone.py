"""A phone made of nothing but a UDP socket.

It shares no code with the product on purpose: a mistake that parser and writer have in
common would go unseen otherwise. It writes requests as text, computes digests itself,
and reads messages as lines.
"""

import asyncio
from collections.abc import Callable, Iterable
import hashlib
from itertools import count
import re
from typing import NamedTuple, Self
import uuid

from .patience import PATIENCE
from .udp import LOCALHOST, UdpPeer

# RFC 3261 17.1.2.2: timer E begins with T1 and doubles up to T2, timer F ends it.
T1 = 0.5
T2 = 4.0
TIMER_F = 64 * T1
METHODS = (
    "INVITE, ACK, CANCEL, BYE, REFER, OPTIONS, NOTIFY, SUBSCRIBE, PRACK, MESSAGE, INFO,"
    " UPDATE"
)
USER_AGENT = "snomD785/10.1.198.12 0004130DD7C9"


class RawMessage(NamedTuple):
    """A request or a response, cut into its parts."""

    start: str
    headers: list[tuple[str, str]]
    body: str

    @classmethod
    def parse(cls, datagram: bytes) -> Self:
        head, _, body = datagram.decode().partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        headers = [
            (n, v.strip()) for n, _, v in (line.partition(":") for line in lines)
        ]
        return cls(start, headers, body)

    @property
    def status(self) -> int:
        return int(self.start.split()[1])

    def all(self, name: str) -> list[str]:
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name: str) -> str:
        return self.all(name)[0]


class RawPhone(UdpPeer):
    """One phone. Use it as an asynchronous context manager."""

    transport = "UDP"
    press_status = 200
    """The status of the answer to a press."""

    def __init__(
        self,
        server: tuple[str, int],
        extension: str,
        password: str,
        *,
        user_agent: str = USER_AGENT,
        algorithm: str = "MD5",
        through: tuple[str, int] | None = None,
        host: str = LOCALHOST,
    ) -> None:
        """Make a phone of `server`, which it reaches through a proxy if one is given.

        `host` is its own address.
        """
        self._host = host
        self.server = server
        # A proxy has to know the port from the URI.
        self.host = f"{server[0]}:{server[1]}" if through else server[0]
        self._through = through
        self.supported = "buttons, path" if through else "buttons"
        self.scheme = "sip"
        """The scheme of its URIs."""
        self.more: list[str] = []
        """Further lines for the REGISTER."""
        self.extension = extension
        self.username = ""
        """The user in credentials, if it is not the extension."""
        self.password = password
        self.user_agent = user_agent
        self.algorithm = algorithm
        self.answer: int | None = 200
        """The status of the answer to a request; None for no answer."""
        self.document_answer: int | None = None
        """The status of the answer to a document, if it is another one."""
        self.ignores_documents = False
        """Whether documents get no answer."""
        self.ignored = 0
        """How many did not, retransmissions included."""
        self.notice_answers: dict[str, int] = {}
        """The status of the answers to NOTIFYs of a resource, if it is another one."""
        self.refuses: str | None = None
        """A key of which this phone refuses each document, with 415."""
        self.reason = "Whatever"
        """The reason phrase of that answer."""
        self.answer_lines: list[str] = []
        """Further lines for the answer."""
        self.questions: list[RawMessage] = []
        """The OPTIONS requests, retransmissions included."""
        self.notices: list[RawMessage] = []
        """The NOTIFY requests, retransmissions included."""
        self.instance = f"urn:uuid:{uuid.uuid4()}"
        self.keys: dict[str, dict[str, str]] = {}
        """The newest description of each key, as the lines of the document."""
        self.strays: list[bytes] = []
        """The answers to what is no request of this phone, each once."""
        self.requests: list[RawMessage] = []
        """The MESSAGE requests, without retransmissions."""
        self._line = uuid.uuid4().hex[:8]
        self._registration_call_id = uuid.uuid4().hex
        self._cseq = count(1)
        self._branches: set[str] = set()
        self._news = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[RawMessage]] = {}

    # What a phone does

    @property
    def parameter(self) -> str:
        """The transport parameter of the Contact, "" for UDP."""
        return "" if self.transport == "UDP" else f";transport={self.transport.lower()}"

    @property
    def next_hop(self) -> tuple[str, int]:
        """The address to which requests and answers are sent."""
        return self._through or self.server

    async def register(self, expires: int = 3600) -> RawMessage:
        """Register with digest; return the last answer."""
        contact = (
            f"<{self.scheme}:{self.extension}@{self.address}{self.parameter}"
            f";line={self._line}>"
            f';+sip.instance="<{self.instance}>"'
        )
        return await self._authorized(
            "REGISTER",
            f"{self.scheme}:{self.host}",
            to=self.extension,
            call_id=self._registration_call_id,
            headers=(
                f"Contact: {contact}",
                f"Expires: {expires}",
                f"Supported: {self.supported}",
                f"User-Agent: {self.user_agent}",
                *self.more,
            ),
        )

    def reset(self) -> None:
        """Forget everything but the settings, as a reset to factory settings does."""
        self.instance = f"urn:uuid:{uuid.uuid4()}"
        self._line = uuid.uuid4().hex[:8]
        self._registration_call_id = uuid.uuid4().hex
        self.keys.clear()
        self.requests.clear()

    async def unregister(self) -> RawMessage:
        return await self.register(expires=0)

    async def press(
        self, key: str, action: str = "message", number: str | None = None
    ) -> RawMessage:
        """Press a key, with the destination that the server gave it by default."""
        if number is None:
            number = self.keys[key]["n"]
        body = f"k={key}\r\na={action}\r\nt=<{self.instance}>\r\n"
        return await self._authorized(
            "MESSAGE",
            f"{self.scheme}:{self.extension}@{self.host}",
            to=number,
            headers=("Proxy-Require: buttons", "Content-Type: application/x-buttons"),
            body=body,
        )

    async def invite(self, number: str, *lines: str) -> RawMessage:
        """Dial a number; return the final answer, which is acknowledged."""
        uri = f"{self.scheme}:{number}@{self.host}"
        contact = (
            f"Contact: <{self.scheme}:{self.extension}@{self.address}{self.parameter}>"
        )
        headers = (contact, *lines)
        return await self._authorized("INVITE", uri, to=number, headers=headers)

    async def subscribe(
        self,
        resource: str,
        *lines: str,
        event: str = "dialog",
        expires: int = 3600,
        within: RawMessage | None = None,
        contact: str = "",
    ) -> RawMessage:
        """Subscribe; `within` is an answer of the dialog in which it is a refresh."""
        uri, tag, call_id = f"{self.scheme}:{resource}@{self.host}", "", None
        if within is not None:
            uri = within.get("Contact").strip("<>")
            tag = within.get("To").partition(";tag=")[2]
            call_id = within.get("Call-ID")
        return await self._authorized(
            "SUBSCRIBE",
            uri,
            to=resource,
            to_tag=tag,
            call_id=call_id,
            headers=(
                f"Event: {event}",
                f"Expires: {expires}",
                f"Contact: <{contact or f'sip:{self.extension}@{self.address}'}>",
                *lines,
            ),
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds; it is tried after each datagram."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def answers_to(self, data: bytes, password: str = "") -> list[int]:
        """Send any bytes as a datagram; return the statuses of the answers.

        They have come when a press, of a key that need not exist, has its own. With a
        password the message is sent again if the first answer asks for credentials.
        """
        self.strays.clear()
        self._transport.sendto(data, self.next_hop)
        assert (await self.press("1", number="key1")).status == 200
        statuses = [int(answer.split()[1]) for answer in self.strays]
        if statuses == [401] and password:
            method, uri, _ = data.decode("latin-1").split(" ", 2)
            challenge = RawMessage.parse(self.strays[0])
            line = self._credentials(method, uri, challenge).encode()
            head, end, body = data.partition(b"\r\n\r\n")
            return statuses + await self.answers_to(head + b"\r\n" + line + end + body)
        return statuses

    def as_shown(self, **lines: str | None) -> dict[str, str]:
        """Return what this phone has of a key whose document has these lines."""
        return {name: value for name, value in lines.items() if value is not None}

    def has(self, key: str, **lines: str | None) -> bool:
        """Return whether a key has these lines, None for an absent one."""
        return key in self.keys and all(
            self.keys[key].get(n) == v for n, v in lines.items()
        )

    async def shows(self, key: str, **lines: str | None) -> dict[str, str]:
        """Wait until a key has these lines, None for an absent one; return all lines."""
        await self.until(lambda: self.has(key, **lines))
        return self.keys[key]

    @property
    def sends(self) -> int:
        """The number of requests with looks, without retransmissions."""
        return len(self.requests)

    def lights(self, key: str) -> list[str]:
        """Return the light modes that were sent for a key, in order."""
        found = []
        for request in self.requests:
            for part in f"\r\n{request.body}".split("\r\nk=")[1:]:
                name, *lines = part.split("\r\n")
                if name == key:
                    found += [it[2:] for it in lines if it.startswith("c=")] or ["off"]
        return found

    def as_lights(self, *modes: str) -> list[str]:
        """Return what `lights` has after a key has had these light modes."""
        return list(modes)

    def forget_requests(self) -> None:
        """Forget what was sent; keep what the keys show."""
        self.requests.clear()
        self.notices.clear()

    # The wire

    async def _authorized(
        self,
        method: str,
        uri: str,
        *,
        to: str,
        headers: Iterable[str],
        body: str = "",
        call_id: str | None = None,
        to_tag: str = "",
    ) -> RawMessage:
        """Send a request, with credentials if the server asks for them."""
        call_id = call_id or uuid.uuid4().hex
        headers = list(headers)
        answer = await self._exchange(
            method,
            uri,
            to=to,
            to_tag=to_tag,
            call_id=call_id,
            headers=headers,
            body=body,
        )
        if answer.status == 401:
            credentials = self._credentials(method, uri, answer)
            answer = await self._exchange(
                method,
                uri,
                to=to,
                to_tag=to_tag,
                call_id=call_id,
                headers=[*headers, credentials],
                body=body,
            )
        return answer

    async def _exchange(
        self,
        method: str,
        uri: str,
        *,
        to: str,
        call_id: str,
        headers: list[str],
        body: str,
        to_tag: str = "",
    ) -> RawMessage:
        """Send one request until its final answer is there, else raise TimeoutError."""
        branch = f"z9hG4bK{uuid.uuid4().hex[:16]}"
        cseq = next(self._cseq)
        host = self.host
        common = (
            f"Via: SIP/2.0/{self.transport} {self.address};branch={branch};rport",
            f"From: <{self.scheme}:{self.extension}@{host}>;tag={self._line}",
            f"Call-ID: {call_id}",
            "Max-Forwards: 70",
            # Phones send more than they must.
            f"Allow: {METHODS}",
            "Allow-Events: talk, hold, refer, call-info",
            "X-Real-IP: 127.0.0.1",
        )
        request = self._text(
            f"{method} {uri} SIP/2.0",
            [
                *common,
                f"To: <{self.scheme}:{to}@{host}>{to_tag and f';tag={to_tag}'}",
                f"CSeq: {cseq} {method}",
                *headers,
            ],
            body,
        )
        final: asyncio.Future[RawMessage] = asyncio.get_running_loop().create_future()
        self._waiting[branch] = final
        interval = T1
        async with asyncio.timeout(TIMER_F):
            while not final.done():
                self._transport.sendto(request, self.next_hop)
                await asyncio.wait((final,), timeout=interval)
                interval = min(2 * interval, T2)
        answer = final.result()
        if method == "INVITE":
            lines = [*common, f"To: {answer.get('To')}", f"CSeq: {cseq} ACK"]
            self._transport.sendto(
                self._text(f"ACK {uri} SIP/2.0", lines, ""), self.next_hop
            )
        return answer

    @staticmethod
    def _text(start: str, headers: Iterable[str], body: str) -> bytes:
        length = f"Content-Length: {len(body.encode())}"
        return "\r\n".join([start, *headers, length, "", body]).encode()

    def _credentials(self, method: str, uri: str, answer: RawMessage) -> str:
        """Answer the challenge of this phone's algorithm (RFC 7616 3.4)."""
        for challenge in answer.all("WWW-Authenticate"):
            pairs = re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', challenge)
            asked = {name: quoted or plain for name, quoted, plain in pairs}
            if asked.get("algorithm", "MD5") == self.algorithm:
                break
        else:
            raise AssertionError(f"no challenge for {self.algorithm}")
        function = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[self.algorithm]

        def digest(text: str) -> str:
            return function(text.encode()).hexdigest()

        username = self.username or self.extension
        realm, nonce, cnonce = asked["realm"], asked["nonce"], uuid.uuid4().hex
        response = digest(
            ":".join(
                (
                    digest(f"{username}:{realm}:{self.password}"),
                    nonce,
                    "00000001",
                    cnonce,
                    "auth",
                    digest(f"{method}:{uri}"),
                )
            )
        )
        return (
            f'Authorization: Digest username="{username}", realm="{realm}",'
            f' nonce="{nonce}", uri="{uri}", response="{response}",'
            f' algorithm={self.algorithm}, cnonce="{cnonce}", qop=auth, nc=00000001'
        )

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            return
        if data.startswith(b"SIP/2.0 ") and not any(
            branch.encode() in data for branch in self._waiting
        ):
            if data not in self.strays:
                self.strays.append(data)
            self._news.set()
            return
        message = RawMessage.parse(data)
        match = re.search(r"branch=([^;,\s]+)", message.get("Via"))
        assert match is not None, message
        if message.start.startswith("SIP/2.0 "):
            waiting = self._waiting.get(match[1])
            if waiting is not None and not waiting.done() and message.status >= 200:
                waiting.set_result(message)
        elif message.start.startswith("MESSAGE "):
            self._take(message, match[1])
        elif message.start.startswith("NOTIFY "):
            self.notices.append(message)
            resource = re.search(r"sips?:(.+?)@", message.get("From"))
            own = self.notice_answers.get(resource[1]) if resource else None
            self._answer(message, own)
        elif message.start.startswith("OPTIONS "):
            self.questions.append(message)
            self._answer(message)
        self._news.set()

    def _take(self, message: RawMessage, branch: str) -> None:
        """Answer a MESSAGE, and show its document if the answer is 200."""
        if self.answer is None or self.ignores_documents:
            self.ignored += 1
            return
        if f"k={self.refuses}" in message.body.split("\r\n"):
            self._answer(message, 415)
            return
        status = self.document_answer or self.answer
        self._answer(message, status)
        if branch in self._branches:
            return
        self._branches.add(branch)
        self.requests.append(message)
        if status != 200:
            return
        key: dict[str, str] = {}
        for line in message.body.split("\r\n"):
            name, _, value = line.partition("=")
            if name == "k":
                key = self.keys[value] = {}
            elif name:
                key[name] = value

    def _answer(self, message: RawMessage, status: int | None = None) -> None:
        status = status or self.answer
        if status is None:
            return
        lines = [f"Via: {via}" for via in message.all("Via")]
        lines += [f"{n}: {message.get(n)}" for n in ("From", "Call-ID", "CSeq")]
        to = message.get("To")
        tag = "" if ";tag=" in to else f";tag={self._line}"
        lines += [f"To: {to}{tag}", *self.answer_lines]
        answer = self._text(f"SIP/2.0 {status} {self.reason}", lines, "")
        self._transport.sendto(answer, self.next_hop)
