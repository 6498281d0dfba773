"""A notifier without sockets, the phone that subscribes, and a trace of both."""

from __future__ import annotations

from typing import Any

from custom_components.snom_buttons.engine.sip import (
    PACKAGES,
    Answer,
    Flow,
    Notifier,
    Request,
    Subscription,
    parse_datagram,
)
from tests.support.messages import request

FLOW = Flow("UDP", "192.0.2.4", 2048)
CONTACT = "<sip:44@192.0.2.4:2048;line=x>"
SENT_BY = "192.0.2.1:5060"
VIA = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours"
NO_RESOURCE, OF_ANOTHER = "99", "45"


class Subscribing:
    """A notifier, its clock, and phone 44, which may subscribe to its own resources."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.due: list[Subscription] = []
        self.notifier = Notifier(
            self.clock, self.refusal, self.due.append, self.due.append
        )
        self.trace: list[str] = []
        """All answers and NOTIFYs in order, without the headers that never change."""
        self.answer = Answer(0)
        """The latest answer."""
        self.notices: list[Request] = []
        """All NOTIFYs."""
        self._cseq = 0

    def clock(self) -> float:
        return self.now

    @staticmethod
    def refusal(user: str, package: str, resource: str) -> int | None:
        assert user == "44"
        assert package in PACKAGES
        return {NO_RESOURCE: 404, OF_ANOTHER: 403}.get(resource)

    def subscribe(
        self,
        *lines: str,
        event: str | None = "dialog",
        expires: object = None,
        contact: str | None = CONTACT,
        tag: str | None = None,
        local_tag: str = "ours",
        flow: Flow = FLOW,
        cseq: int | None = None,
        uri: str = "sip:1@ha.test",
        to: str | None = None,
        user: str = "44",
        body: bytes = b"",
        **changes: Any,
    ) -> Answer:
        """Subscribe; note the answer, and then the NOTIFYs that are due.

        `tag` is the To tag, which a refresh has; `local_tag` is what the endpoint gives.
        """
        self._cseq = self._cseq + 1 if cseq is None else cseq
        to = to or f"<{uri}>"
        asked = request(
            "SUBSCRIBE",
            *([] if event is None else [f"Event: {event}"]),
            *([] if expires is None else [f"Expires: {expires}"]),
            *([] if contact is None else [f"Contact: {contact}"]),
            *lines,
            uri=uri,
            body=body,  # type: ignore[arg-type]
            **{
                "From": f"<sip:{user}@ha.test>;tag=theirs",
                "To": to if tag is None else f"{to};tag={tag}",
                "CSeq": f"{self._cseq} SUBSCRIBE",
            }
            | changes,
        )
        self.answer = self.notifier.subscribe(asked, flow, local_tag, SENT_BY)
        status, headers, reason = self.answer
        said = [str(status), *([reason] if reason else [])]
        said += [
            f"{n}: {v}" for n, v in headers if n not in ("Contact", "Allow-Events")
        ]
        self.trace.append(" ".join(said))
        self._notify()
        return self.answer

    def refresh(self, *lines: str, **changes: Any) -> Answer:
        """Subscribe in the dialog; its Request-URI is our Contact."""
        uri = f"sip:1@{SENT_BY};transport=udp"
        to = "<sip:1@ha.test>"
        return self.subscribe(*lines, **{"tag": "ours", "uri": uri, "to": to} | changes)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.notifier.expire()
        self._notify()

    def change(self) -> None:
        """Change the state of all resources."""
        self.due += self.notifier.subscriptions("44")
        self._notify()

    def end(self, reason: str) -> None:
        """End all subscriptions."""
        for subscription in self.notifier.subscriptions("44"):
            self.notifier.end(subscription, reason)
        self._notify()

    def answered(self, status: int) -> None:
        """Answer the latest NOTIFY of each subscription."""
        for subscription in self.notifier.subscriptions("44"):
            self.notifier.answered(subscription, status)
        self._notify()

    def _notify(self) -> None:
        due, self.due[:] = self.due[:], []
        for subscription in due:
            content_type = PACKAGES[subscription.event.package]
            outgoing = subscription.notify(SENT_BY, self.now, content_type, b"state")
            notice = parse_datagram(outgoing.encode(VIA))
            assert isinstance(notice, Request)
            self.notices.append(notice)
            event = notice.headers.get("Event")
            state = notice.headers.get("Subscription-State")
            self.trace.append(f"NOTIFY {notice.cseq.number} {event} {state}")
