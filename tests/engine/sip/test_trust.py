"""Authentication of requests (RFC 3261 22 and 10.3, docs/decisions 9)."""

from __future__ import annotations

import pytest

from custom_components.snom_buttons.engine.sip import (
    Answer,
    Flow,
    Request,
    parse_datagram,
)
from custom_components.snom_buttons.engine.sip.digest import parse_credentials
from tests.support.messages import request, request_bytes
from tests.support.registration import (
    CONTACT,
    EDGE,
    ELSEWHERE,
    FLOW,
    URI,
    Stack,
    values,
)


class TestAuthentication:
    """RFC 3261 10.3, steps 3 and 4, and 22."""

    def test_without_credentials_401(self, stack: Stack) -> None:
        answer = stack.answer(request("REGISTER", f"Contact: {CONTACT}", uri=URI), FLOW)
        assert answer.status == 401
        offered = values(answer, "WWW-Authenticate")
        assert ["SHA-256" in value for value in offered] == [False, True]
        assert stack.contacts() == []
        assert stack.registered == []

    @pytest.mark.parametrize(
        ("user_agent", "algorithms"),
        [
            ("baresip v1.0.0 (x86_64/linux)", ["MD5"]),
            ("snomD785/10.1.198.12", ["MD5", "SHA-256"]),
            ("not baresip", ["MD5", "SHA-256"]),
        ],
    )
    def test_clients_that_fail_on_sha_256_are_not_offered_it(
        self, stack: Stack, user_agent: str, algorithms: list[str]
    ) -> None:
        for method in ("REGISTER", "MESSAGE"):
            message = request(method, f"User-Agent: {user_agent}", uri=URI)
            if method == "REGISTER":
                answer = stack.answer(message, FLOW)
            else:
                refusal = stack.trust.judge(message, FLOW)
                assert refusal is not None
                answer = refusal
            offered = values(answer, "WWW-Authenticate")
            assert [
                parse_credentials(value)["algorithm"] for value in offered
            ] == algorithms

    def test_with_them_200(self, stack: Stack) -> None:
        assert stack.register(CONTACT).status == 200
        assert stack.contacts() == [CONTACT]
        assert stack.registered == ["44"]

    @pytest.mark.parametrize(
        "changes",
        [{"password": "falsch"}, {"user": "99"}, {"username": "99"}],
        ids=["wrong password", "unknown user", "unknown username"],
    )
    def test_wrong_and_unknown_get_the_same(
        self, stack: Stack, changes: dict[str, str]
    ) -> None:
        answer = stack.register(CONTACT, **changes)
        assert answer.status == 401
        assert [name for name, _ in answer.headers] == ["WWW-Authenticate"] * 2
        assert not any("stale" in value for _, value in answer.headers)
        assert stack.registered == []

    def test_nonce_that_is_too_old_is_stale(self, stack: Stack) -> None:
        message = stack.request(CONTACT)
        stack.now += 301
        answer = stack.answer(message, FLOW)
        assert answer.status == 401
        assert all("stale=true" in value for _, value in answer.headers)

    def test_request_that_is_played_back_is_refused(self, stack: Stack) -> None:
        message = stack.request(CONTACT)
        assert stack.answer(message, FLOW).status == 200
        assert stack.answer(message, ELSEWHERE).status == 401
        assert stack.location.bindings("44")[0].flow == FLOW

    @pytest.mark.parametrize("to", ["<sip:45@ha.test>", "<sip:ha.test>"], ids=repr)
    def test_a_user_cannot_register_another(self, stack: Stack, to: str) -> None:
        assert stack.register(CONTACT, to=to) == Answer(403)
        assert stack.contacts("45") == []
        assert stack.registered == []

    def test_an_address_of_record_is_no_telephone_number(self, stack: Stack) -> None:
        """10.2: To is a SIP or SIPS URI."""
        assert stack.register(CONTACT, to="<tel:44>") == Answer(400)

    def test_refreshing_and_leaving_is_challenged_too(self, stack: Stack) -> None:
        stack.register(CONTACT)
        leave = request("REGISTER", "Contact: *", "Expires: 0", uri=URI)
        assert stack.answer(leave, FLOW).status == 401
        assert stack.contacts() == [CONTACT]

    @pytest.mark.parametrize(
        "to",
        ["<sip:44@192.168.1.2>", "<sips:44@other.example>", "sip:%344@ha.test"],
    )
    def test_the_domain_is_not_looked_at(self, stack: Stack, to: str) -> None:
        assert stack.register(CONTACT, to=to).status == 200
        assert stack.contacts() == [CONTACT]


class TestJudge:
    """Other requests: by the flow of an authenticated binding, or by digest."""

    def message(self, user: str = "44") -> Request:
        return request("MESSAGE", uri=URI, From=f"<sip:{user}@ha.test>;tag=1")

    def test_the_flow_of_a_binding_is_trusted(self, stack: Stack) -> None:
        stack.register(CONTACT)
        assert stack.trust.judge(self.message(), FLOW) is None

    @pytest.mark.parametrize(
        "flow",
        [
            ELSEWHERE,
            Flow("UDP", "192.0.2.5", 2048),
            Flow("TCP", "192.0.2.4", 2048),
        ],
    )
    def test_another_flow_is_challenged(self, stack: Stack, flow: Flow) -> None:
        stack.register(CONTACT)
        answer = stack.trust.judge(self.message(), flow)
        assert answer is not None
        assert answer.status == 401

    def test_a_flow_speaks_for_its_own_user_only(self, stack: Stack) -> None:
        stack.register(CONTACT)
        assert stack.trust.judge(self.message("45"), FLOW) is not None

    def test_a_flow_is_trusted_as_long_as_its_binding(self, stack: Stack) -> None:
        stack.register(CONTACT, lines=("Expires: 60",))
        stack.now += 60
        assert stack.trust.judge(self.message(), FLOW) is not None

    def test_digest(self, stack: Stack) -> None:
        good = stack.request(method="MESSAGE", flow=ELSEWHERE)
        assert stack.trust.judge(good, ELSEWHERE) is None
        again = stack.trust.judge(good, ELSEWHERE)
        assert again is not None
        assert "stale=true" in again.headers[0][1]

    def test_digest_of_another_user(self, stack: Stack) -> None:
        message = stack.request(
            method="MESSAGE", user="45", username="44", flow=ELSEWHERE
        )
        assert stack.trust.judge(message, ELSEWHERE) == Answer(403)

    @pytest.mark.parametrize("flow", [FLOW, ELSEWHERE], ids=["its own", "another"])
    def test_our_own_request_is_no_press(self, stack: Stack, flow: Flow) -> None:
        """RFC 3261 8.2.2.1; a client that returns it may have made the server sign it."""
        lines = (f"Path: {EDGE}", "Supported: path")
        stack.register("<sip:44@192.0.2.4:2048;line=x;method=MESSAGE>", lines=lines)
        contact = "sip:44@192.0.2.4:2048;line=x"
        ours = stack.request(method="MESSAGE", flow=flow, uri=contact)
        assert stack.trust.judge(ours, flow) == Answer(482)

    def test_nor_if_it_comes_back_from_the_phone_itself(self, stack: Stack) -> None:
        stack.register(CONTACT)
        ours = request("MESSAGE", uri=CONTACT.strip("<>"))
        assert stack.trust.judge(ours, FLOW) == Answer(482)

    def test_what_was_seen_on_its_way_is_worth_nothing_elsewhere(
        self, stack: Stack
    ) -> None:
        """Credentials are valid for the flow that was challenged."""
        seen = stack.request(CONTACT, flow=FLOW)
        answer = stack.answer(seen, ELSEWHERE)
        assert answer.status == 401
        assert "stale=true" in answer.headers[0][1]
        assert stack.location.bindings("44") == ()
        assert stack.answer(seen, FLOW).status == 200

    @pytest.mark.parametrize(
        ("via", "more"),
        [
            ("SIP/2.0/UDP edge.test;branch=z9hG4bKb, SIP/2.0/UDP h;branch=z9hG4bKa", ()),
            ("SIP/2.0/UDP edge.test;branch=z9hG4bKb", ("v: SIP/2.0/UDP h;branch=z9hG4bKa",)),
            ("SIP/2.0/UDP edge.test;branch=z9hG4bKb", ("Via: what that phone liked",)),
            ('SIP/2.0/UDP edge.test;branch=z9hG4bKb;x="1,2"', ()),
        ],
        ids=["one line", "two lines", "no Via", "quoted"],
    )  # fmt: skip
    def test_what_a_proxy_handed_on_is_challenged(
        self, stack: Stack, via: str, more: tuple[str, ...]
    ) -> None:
        """All phones behind the proxy share its flow."""
        stack.register(CONTACT)
        data = request_bytes("MESSAGE", *more, Via=via, From="<sip:44@ha.test>;tag=1")
        message = parse_datagram(data)
        assert isinstance(message, Request)
        answer = stack.trust.judge(message, FLOW)
        assert answer is not None
        assert answer.status == 401

    @pytest.mark.parametrize(
        "lines",
        [("Path: <sip:edge.test;lr>", "Supported: path"), ("Via: SIP/2.0/UDP h;branch=z9",)],
        ids=["Path", "Via"],
    )  # fmt: skip
    def test_a_binding_that_came_through_a_proxy_gives_no_trust(
        self, stack: Stack, lines: tuple[str, ...]
    ) -> None:
        """Not even to a request that shows no sign of the proxy."""
        assert stack.register(CONTACT, lines=lines).status == 200
        answer = stack.trust.judge(self.message(), FLOW)
        assert answer is not None
        assert answer.status == 401
        good = stack.request(method="MESSAGE")
        assert stack.trust.judge(good, FLOW) is None

    def test_a_request_without_a_user(self, stack: Stack) -> None:
        anonymous = request("MESSAGE", From="<sip:ha.test>;tag=1")
        answer = stack.trust.judge(anonymous, FLOW)
        assert answer is not None
        assert answer.status == 401
