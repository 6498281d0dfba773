"""A registrar with its location service and trust, and a phone that knows its password."""

from __future__ import annotations

from itertools import count

from custom_components.snom_buttons.engine.sip import (
    Answer,
    Flow,
    LocationService,
    Registrar,
    Request,
    Trust,
)
from custom_components.snom_buttons.engine.sip.digest import answer_challenge
from tests.support.messages import request

PASSWORDS = {"44": "geheim", "45": "anders"}
URI = "sip:ha.test"
FLOW = Flow("UDP", "192.0.2.4", 2048)
ELSEWHERE = Flow("UDP", "192.0.2.4", 4096)

CONTACT = "<sip:44@192.0.2.4:2048;line=44qsudyt>"
EDGE = "<sip:127.0.0.1:5060;lr;received=sip:192.0.2.4:2048%3Btransport%3Dudp>"


class Stack:
    """The three parts, their clock, and the calls of their callbacks."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.registered: list[str] = []
        self.location = LocationService(self.clock)
        self.trust = Trust("home-assistant", PASSWORDS.get, self.clock, self.location)
        self.registrar = Registrar(self.location, self.clock, self.registered.append)
        self._cseq = count(1)

    def clock(self) -> float:
        return self.now

    def request(
        self,
        *contacts: str,
        lines: tuple[str, ...] = (),
        user: str = "44",
        username: str = "",
        password: str = "",
        call_id: str = "call-1",
        cseq: int | None = None,
        to: str = "",
        method: str = "REGISTER",
        flow: Flow = FLOW,
        uri: str = URI,
    ) -> Request:
        """Return a request with credentials, for which `flow` was challenged."""
        challenge = self.trust.judge(request("REGISTER"), flow)
        assert challenge is not None
        challenges = [value for _, value in challenge.headers]
        username = username or user
        credentials = answer_challenge(
            challenges,
            username=username,
            password=password or PASSWORDS.get(username, "?"),
            method=method,
            uri=uri,
        )
        return request(
            method,
            *(f"Contact: {contact}" for contact in contacts),
            *lines,
            f"Authorization: {credentials}",
            uri=uri,
            To=to or f"<sip:{user}@ha.test>",
            From=f"<sip:{user}@ha.test>;tag=1",
            Call_ID=call_id,
            CSeq=f"{next(self._cseq) if cseq is None else cseq} {method}",
        )

    def register(
        self,
        *contacts: str,
        lines: tuple[str, ...] = (),
        flow: Flow = FLOW,
        **changes: object,
    ) -> Answer:
        """Register with credentials, by default for an hour."""
        message = self.request(*contacts, lines=lines, flow=flow, **changes)  # type: ignore[arg-type]
        return self.answer(message, flow)

    def answer(self, message: Request, flow: Flow) -> Answer:
        """Return the answer to a REGISTER."""
        refusal = self.trust.judge(message, flow)
        return refusal or self.registrar.register(message, flow)

    def contacts(self, user: str = "44") -> list[str]:
        return [str(binding.contact) for binding in self.location.bindings(user)]


def values(answer: Answer, name: str) -> list[str]:
    return [value for key, value in answer.headers if key == name]
