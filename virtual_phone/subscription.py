"""A subscription of the phone to a number (RFC 6665 4.1, RFC 3261 12).

It does no I/O, and shares no code with the part of the product that it subscribes to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from snom_buttons.sip import (
    Address,
    OutgoingRequest,
    Request,
    Response,
    SipSyntaxError,
    Uri,
    make_address,
    parse_address,
)

from . import dialog_info, message_summary
from .dialog_info import DialogInfo, DialogInfoError
from .message_summary import MessageSummary, MessageSummaryError


class Package[T](NamedTuple):
    """An event package (RFC 6665 3.1), and how its documents are read."""

    name: str
    content_type: str
    what: str
    """What a document is, in words."""
    read: Callable[[bytes], T]
    """Raises DialogInfoError or MessageSummaryError."""
    version: Callable[[T], int | None]
    """Return the version of a document, None in a package that has none."""


DIALOG: Final[Package[DialogInfo]] = Package(
    "dialog",
    dialog_info.CONTENT_TYPE,
    "dialog information",
    dialog_info.read_dialog_info,
    lambda info: info.version,
)
MESSAGE_SUMMARY: Final[Package[MessageSummary]] = Package(
    "message-summary",
    message_summary.CONTENT_TYPE,
    "message summary",
    message_summary.read_message_summary,
    lambda _: None,
)


class BrokenAnswer(Exception):
    """An answer that a subscriber cannot use, as the message says."""


@dataclass(frozen=True, slots=True)
class Notice[T = DialogInfo]:
    """What a NOTIFY was answered with, and what it said."""

    status: int
    problem: str = ""
    """Why it was refused."""
    info: T | None = None
    """What it says of the number; None if that is nothing, or nothing new."""
    ended: str | None = None
    """Why the subscription has ended, "" if no reason is given; None while it has not."""
    retry_after: int | None = None
    """Seconds to wait before a new subscription."""


class Subscription[T = DialogInfo]:
    """One dialog, which begins with a SUBSCRIBE."""

    def __init__(
        self,
        package: Package[T],
        target: Uri,
        from_: Address,
        call_id: str,
        headers: tuple[tuple[str, str], ...],
        *,
        cseq: int = 1,
    ) -> None:
        """Create it for the number of `target`; `headers` are those of each SUBSCRIBE."""
        self._package = package
        self._target = target
        self._from = from_
        self._to = make_address(target)
        self._call_id = call_id
        self._headers = headers
        self._cseq = cseq
        self._route: tuple[str, ...] = ()
        self._remote_tag: str | None = None
        self._remote_cseq = -1
        self._version = -1

    @property
    def is_established(self) -> bool:
        """Whether there is a dialog, by an answer or by a NOTIFY that came before it."""
        return self._remote_tag is not None

    def subscribe(self, seconds: int) -> OutgoingRequest:
        """Return the next SUBSCRIBE; with 0 seconds it ends the subscription."""
        request = OutgoingRequest(
            method="SUBSCRIBE",
            uri=self._target,
            from_=self._from,
            to=make_address(self._to.uri, tag=self._remote_tag),
            call_id=self._call_id,
            cseq=self._cseq,
            headers=(
                *(("Route", value) for value in self._route),
                *self._headers,
                ("Event", self._package.name),
                ("Expires", str(seconds)),
            ),
        )
        self._cseq += 2  # the request with credentials takes the second
        return request

    def accepted(self, response: Response, asked: int) -> int:
        """Take a 2xx to a SUBSCRIBE; return the seconds that are granted.

        Raises BrokenAnswer.
        """
        headers = response.headers
        granted = _seconds(headers.get("Expires"))
        if not granted or granted > asked:  # with 0 it would refresh at once
            raise BrokenAnswer("the answer grants no time, or more than was asked for")
        tag = response.to.tag
        if tag is None or self._remote_tag not in (None, tag):
            raise BrokenAnswer("the answer has no To tag, or another one")
        try:
            contacts = list(map(parse_address, headers.listed("Contact")))
        except SipSyntaxError as error:
            raise BrokenAnswer(f"the answer is broken: {error}") from error
        if len(contacts) != 1:
            raise BrokenAnswer("the answer has no Contact, or more than one")
        if self._remote_tag is None or not self._route:
            # The route is set by the first answer alone (RFC 3261 12.1.2).
            self._route = tuple(reversed(headers.listed("Record-Route")))
        self._remote_tag = tag
        self._target = contacts[0].uri
        return granted

    def is_of(self, request: Request) -> bool:
        """Return whether a NOTIFY belongs to this dialog (RFC 6665 4.4.1)."""
        return (
            request.call_id == self._call_id
            and request.to.tag == self._from.tag
            and self._remote_tag in (None, request.from_.tag)
            and request.from_.tag is not None
        )

    def notified(self, request: Request) -> Notice[T]:
        """Take a NOTIFY of this dialog."""
        headers = request.headers
        package, _, parameters = (headers.get("Event") or "").partition(";")
        if package.strip() != self._package.name or "id" in _parameters(parameters):
            return Notice(489, "of another event")
        state, _, rest = (headers.get("Subscription-State") or "").partition(";")
        told = _parameters(rest)
        if state.strip() not in ("active", "pending", "terminated"):
            return Notice(400, "without a state of the subscription")
        if request.cseq.number <= self._remote_cseq:
            return Notice(500, "out of order")
        try:
            (contact,) = map(parse_address, headers.listed("Contact"))
        except SipSyntaxError, ValueError:
            return Notice(400, "without a Contact")
        info = None
        if request.body:
            kind = (headers.get("Content-Type") or "").partition(";")[0]
            if kind.strip().lower() != self._package.content_type:
                return Notice(415, f"that is no {self._package.what}")
            try:
                info = self._package.read(request.body)
            except (DialogInfoError, MessageSummaryError) as error:
                return Notice(400, f"with a broken document: {error}")
        self._remote_cseq = request.cseq.number
        self._remote_tag = request.from_.tag
        self._target = contact.uri
        version = None if info is None else self._package.version(info)
        if version is not None and version <= self._version:
            info = None  # an older one, to be ignored (RFC 4235 4.1)
        elif version is not None:
            self._version = version
        return Notice(
            200,
            info=info,
            ended=told.get("reason", "") if state.strip() == "terminated" else None,
            retry_after=_seconds(told.get("retry-after")),
        )


def _parameters(text: str) -> Mapping[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name}


def _seconds(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 11 else None
