"""The registrar and its bindings (RFC 3261 10), with a clock that only tests move."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from itertools import count

import pytest

from custom_components.snom_buttons.engine.sip import (
    Answer,
    Flow,
    LocationService,
    Registrar,
    Request,
    Trust,
    parse_datagram,
)
from custom_components.snom_buttons.engine.sip.digest import (
    answer_challenge,
    parse_credentials,
)
from custom_components.snom_buttons.engine.sip.registrar import (
    MAX_BINDINGS,
    MAX_EXPIRES,
    MIN_EXPIRES,
)
from tests.support.messages import request, request_bytes

PASSWORDS = {"44": "geheim", "45": "anders"}
URI = "sip:ha.test"
FLOW = Flow("UDP", "192.0.2.4", 2048)
ELSEWHERE = Flow("UDP", "192.0.2.4", 4096)

CONTACT = "<sip:44@192.0.2.4:2048;line=44qsudyt>"
INSTANCE = '+sip.instance="<urn:uuid:b255d09d-7a6e-4ad3-9ffb-eeacc9f87d52>"'
OTHER_INSTANCE = '+sip.instance="<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>"'


class House:
    """A registrar, its clock, and a phone that knows its password."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.told: list[str] = []
        self.location = LocationService(self.clock)
        self.trust = Trust("home-assistant", PASSWORDS.get, self.clock, self.location)
        self.registrar = Registrar(self.location, self.clock, self.told.append)
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
        """Return what a REGISTER is answered."""
        refusal = self.trust.judge(message, flow)
        return refusal or self.registrar.register(message, flow)

    def contacts(self, user: str = "44") -> list[str]:
        return [str(binding.contact) for binding in self.location.bindings(user)]


@pytest.fixture
def house() -> House:
    return House()


def values(answer: Answer, name: str) -> list[str]:
    return [value for key, value in answer.headers if key == name]


class TestAuthentication:
    """RFC 3261 10.3, steps 3 and 4, and 22."""

    def test_without_credentials_401(self, house: House) -> None:
        answer = house.answer(request("REGISTER", f"Contact: {CONTACT}", uri=URI), FLOW)
        assert answer.status == 401
        offered = values(answer, "WWW-Authenticate")
        assert ["SHA-256" in value for value in offered] == [False, True]
        assert house.contacts() == []
        assert house.told == []

    @pytest.mark.parametrize(
        ("user_agent", "algorithms"),
        [
            ("baresip v1.0.0 (x86_64/linux)", ["MD5"]),
            ("snomD785/10.1.198.12", ["MD5", "SHA-256"]),
            ("not baresip", ["MD5", "SHA-256"]),
        ],
    )
    def test_who_fails_on_sha_256_is_not_offered_it(
        self, house: House, user_agent: str, algorithms: list[str]
    ) -> None:
        for method in ("REGISTER", "MESSAGE"):
            message = request(method, f"User-Agent: {user_agent}", uri=URI)
            if method == "REGISTER":
                answer = house.answer(message, FLOW)
            else:
                refusal = house.trust.judge(message, FLOW)
                assert refusal is not None
                answer = refusal
            offered = values(answer, "WWW-Authenticate")
            assert [
                parse_credentials(value)["algorithm"] for value in offered
            ] == algorithms

    def test_with_them_200(self, house: House) -> None:
        assert house.register(CONTACT).status == 200
        assert house.contacts() == [CONTACT]
        assert house.told == ["44"]

    @pytest.mark.parametrize(
        "changes",
        [{"password": "falsch"}, {"user": "99"}, {"username": "99"}],
        ids=["wrong password", "unknown user", "unknown username"],
    )
    def test_wrong_and_unknown_get_the_same(
        self, house: House, changes: dict[str, str]
    ) -> None:
        answer = house.register(CONTACT, **changes)
        assert answer.status == 401
        assert [name for name, _ in answer.headers] == ["WWW-Authenticate"] * 2
        assert not any("stale" in value for _, value in answer.headers)
        assert house.told == []

    def test_nonce_that_is_too_old_is_stale(self, house: House) -> None:
        message = house.request(CONTACT)
        house.now += 301
        answer = house.answer(message, FLOW)
        assert answer.status == 401
        assert all("stale=true" in value for _, value in answer.headers)

    def test_request_that_is_played_back_is_refused(self, house: House) -> None:
        message = house.request(CONTACT)
        assert house.answer(message, FLOW).status == 200
        assert house.answer(message, ELSEWHERE).status == 401
        assert house.location.bindings("44")[0].flow == FLOW

    @pytest.mark.parametrize("to", ["<sip:45@ha.test>", "<sip:ha.test>"], ids=repr)
    def test_nobody_registers_for_others(self, house: House, to: str) -> None:
        assert house.register(CONTACT, to=to) == Answer(403)
        assert house.contacts("45") == []
        assert house.told == []

    def test_an_address_of_record_is_no_telephone_number(self, house: House) -> None:
        """10.2: To is a SIP or SIPS URI."""
        assert house.register(CONTACT, to="<tel:44>") == Answer(400)

    def test_refreshing_and_leaving_is_challenged_too(self, house: House) -> None:
        house.register(CONTACT)
        leave = request("REGISTER", "Contact: *", "Expires: 0", uri=URI)
        assert house.answer(leave, FLOW).status == 401
        assert house.contacts() == [CONTACT]

    @pytest.mark.parametrize(
        "to",
        ["<sip:44@192.168.1.2>", "<sips:44@other.example>", "sip:%344@ha.test"],
    )
    def test_the_domain_is_not_looked_at(self, house: House, to: str) -> None:
        assert house.register(CONTACT, to=to).status == 200
        assert house.contacts() == [CONTACT]


class TestWhatIsKept:
    """What a phone names itself by goes into logs, stores and the device registry."""

    def test_bytes_that_are_no_utf_8_become_readable(self, house: House) -> None:
        house.register(
            '<sip:44@a>;+sip.instance="<urn:x:\udcfc>"',
            lines=("User-Agent: snom320/8.7\udcfc 0004130DD7C9",),
        )
        (binding,) = house.location.bindings("44")
        assert binding.user_agent == "snom320/8.7? 0004130DD7C9"
        assert binding.instance == "<urn:x:?>"

    def test_a_user_agent_is_cut(self, house: House) -> None:
        house.register(CONTACT, lines=(f"User-Agent: {'x' * 5000}",))
        assert house.location.bindings("44")[0].user_agent == "x" * 128

    @pytest.mark.parametrize(
        ("contact", "to", "status"),
        [
            (f"<sip:44@a>;x={'x' * 498}", "<sip:44@ha.test>", 200),
            (f"<sip:44@a>;x={'x' * 500}", "<sip:44@ha.test>", 400),
            ("<sip:44@a>", f"<sip:44@ha.test>;x={'x' * 500}", 400),
        ],
        ids=["512 characters", "Contact", "To"],
    )
    def test_an_address_has_512_characters_at_most(
        self, house: House, contact: str, to: str, status: int
    ) -> None:
        assert house.register(contact, to=to).status == status

    def test_a_phone_that_restarts_without_an_instance_is_the_same_device(
        self, house: House
    ) -> None:
        """Its Contact has another `line`; its address is what it was."""
        house.register("<sip:44@192.0.2.4:2048;line=one>")
        house.register("<sip:44@192.0.2.4:2048;line=two>", call_id="call-2")
        assert house.contacts() == ["<sip:44@192.0.2.4:2048;line=two>"]

    def test_two_contacts_of_one_registration_are_two(self, house: House) -> None:
        house.register("<sip:44@a>", "<sip:44@b>")
        assert house.contacts() == ["<sip:44@a>", "<sip:44@b>"]


class TestAnswer200:
    """10.3, step 8."""

    @pytest.mark.parametrize(
        ("contact", "echoed"),
        [
            (CONTACT, f"{CONTACT};expires=3600"),
            (f"{CONTACT}; {INSTANCE}", f"{CONTACT}; {INSTANCE};expires=3600"),
            (
                f"{CONTACT};expires=600;{INSTANCE}",
                f"{CONTACT};expires=600;{INSTANCE}",
            ),
            (
                f"{CONTACT} ;Q=0.5 ; Expires = 99999 ;  {INSTANCE}",
                f"{CONTACT} ;Q=0.5 ; expires=3600 ;  {INSTANCE}",
            ),
            (f"{CONTACT};x=\"expires=1;\";expires=60", f"{CONTACT};x=\"expires=1;\";expires=60"),
            (f"{CONTACT};;a;expires=60", f"{CONTACT};;a;expires=60"),
            ('"Büro, \\"West\\"" <sip:44@h>', '"Büro, \\"West\\"" <sip:44@h>;expires=3600'),
            ("sip:44@192.0.2.4", "sip:44@192.0.2.4;expires=3600"),
            ("sip:44@192.0.2.4;expires=90", "sip:44@192.0.2.4;expires=90"),
            ('"B\udcfcro" <sip:44@h>', '"B\udcfcro" <sip:44@h>;expires=3600'),
        ],
    )  # fmt: skip
    def test_contact_comes_back_byte_for_byte(
        self, house: House, contact: str, echoed: str
    ) -> None:
        """A snom finds itself by its exact Contact; only `expires` is ours."""
        assert values(house.register(contact), "Contact") == [echoed]

    def test_all_current_contacts_come_back(self, house: House) -> None:
        house.register("<sip:44@a>;expires=600")
        house.now += 100
        answer = house.register(
            "<sip:44@b>;expires=900", call_id="call-2", flow=ELSEWHERE
        )
        assert values(answer, "Contact") == [
            "<sip:44@a>;expires=500",
            "<sip:44@b>;expires=900",
        ]
        assert values(answer, "Expires") == ["900"]

    def test_expires_says_what_this_request_got(self, house: House) -> None:
        house.register("<sip:44@a>;expires=3600")
        answer = house.register("<sip:44@b>;expires=60", call_id="call-2")
        assert values(answer, "Expires") == ["60"]

    def test_date(self, house: House) -> None:
        (date,) = values(house.register(CONTACT), "Date")
        assert date.endswith(" GMT")
        assert parsedate_to_datetime(date)

    @pytest.mark.parametrize(
        ("line", "supports"),
        [
            ("Supported: buttons", True),
            ("k: timer, Buttons", True),
            ("Supported: timer", False),
            ("Supported:", False),
            ("X-None: 1", False),
        ],
    )
    def test_a_phone_that_supports_buttons_is_told_so(
        self, house: House, line: str, supports: bool
    ) -> None:
        """As RFC 3261 and as the document spell it; never to others (19.2)."""
        answer = house.register(CONTACT, lines=(line,))
        assert values(answer, "Require") == ["buttons"] * supports
        assert values(answer, "Required") == ["buttons"] * supports
        assert house.location.bindings("44")[0].supports_buttons is supports

    def test_binding(self, house: House) -> None:
        house.register(
            f"{CONTACT};{INSTANCE}",
            lines=("User-Agent: snomD785/10.1.198.12 0004130DD7C9",),
            cseq=4655,
        )
        (binding,) = house.location.bindings("44")
        assert binding.user == "44"
        assert str(binding.aor) == "sip:44@ha.test"
        assert binding.contact.uri.parameter("line") == "44qsudyt"
        assert binding.flow == FLOW
        assert (binding.call_id, binding.cseq) == ("call-1", 4655)
        assert binding.expires_at == house.now + 3600
        assert binding.instance == "<urn:uuid:b255d09d-7a6e-4ad3-9ffb-eeacc9f87d52>"
        assert binding.user_agent == "snomD785/10.1.198.12 0004130DD7C9"
        assert binding.key == binding.instance


class TestExpires:
    """10.3, step 7, and 20.19."""

    @pytest.mark.parametrize(
        ("contact", "lines", "granted"),
        [
            (CONTACT, (), 3600),
            (CONTACT, ("Expires: 600",), 600),
            (f"{CONTACT};expires=900", ("Expires: 600",), 900),
            (CONTACT, ("Expires: 60",), MIN_EXPIRES),
            (CONTACT, ("Expires: 3601",), MAX_EXPIRES),
            (CONTACT, ("Expires: 4294967295",), MAX_EXPIRES),
            (CONTACT, ("Expires: 0060",), 60),
            (f"{CONTACT};expires", ("Expires: 600",), 600),
            # A malformed one counts as an hour.
            (CONTACT, ("Expires: 4294967296",), 3600),
            (CONTACT, ("Expires: 1000000000000000000000",), 3600),
            (CONTACT, ("Expires: soon",), 3600),
            (CONTACT, ("Expires: -1",), 3600),
            (CONTACT, ("Expires:",), 3600),
            (CONTACT, ("Expires: Thu, 01 Dec 1994 16:00:00 GMT",), 3600),
            (f"{CONTACT};expires=", ("Expires: 600",), 3600),
            (f'{CONTACT};expires="0"', ("Expires: 600",), 3600),
            (f"{CONTACT};expires=280297596632815", (), 3600),
        ],
    )
    def test_granted(
        self, house: House, contact: str, lines: tuple[str, ...], granted: int
    ) -> None:
        answer = house.register(contact, lines=lines)
        assert answer.status == 200
        assert values(answer, "Expires") == [str(granted)]
        assert house.location.next_expiry == house.now + granted

    @pytest.mark.parametrize("seconds", [1, 59])
    def test_423_for_too_brief(self, house: House, seconds: int) -> None:
        refused = Answer(423, (("Min-Expires", "60"),))
        assert house.register(CONTACT, lines=(f"Expires: {seconds}",)) == refused
        assert house.register(f"{CONTACT};expires={seconds}") == refused
        assert house.register("<sip:44@a>", f"<sip:44@b>;expires={seconds}") == refused
        assert house.contacts() == []
        assert house.told == []

    def test_a_binding_ends_on_time(self, house: House) -> None:
        house.register(CONTACT, lines=("Expires: 60",))
        house.now += 59.9
        assert house.location.expire() == []
        assert house.contacts() == [CONTACT]
        house.now += 0.1
        assert house.contacts() == [], "even before `expire` is called"
        assert house.location.expire() == ["44"]
        assert house.location.expire() == []
        assert house.location.next_expiry is None

    def test_only_what_is_over_goes(self, house: House) -> None:
        house.register("<sip:44@a>;expires=60")
        house.register("<sip:44@b>;expires=120")
        house.register("<sip:45@c>;expires=90", user="45")
        assert house.location.next_expiry == house.now + 60
        house.now += 60
        assert house.location.expire() == ["44"]
        assert house.contacts() == ["<sip:44@b>;expires=120"]
        assert house.location.next_expiry == house.now + 30

    def test_what_is_over_no_longer_orders_requests(self, house: House) -> None:
        house.register(CONTACT, lines=("Expires: 60",), cseq=9)
        house.now += 60
        assert house.register(CONTACT, cseq=1).status == 200

    def test_refreshing(self, house: House) -> None:
        house.register(CONTACT, lines=("Expires: 60",))
        house.now += 50
        assert house.register(CONTACT, lines=("Expires: 60",)).status == 200
        house.now += 50
        assert house.contacts() == [CONTACT]


class TestQuery:
    """10.2.3."""

    def test_without_contact_nothing_changes(self, house: House) -> None:
        house.register(CONTACT)
        house.now += 600
        answer = house.register()
        assert answer.status == 200
        assert values(answer, "Contact") == [f"{CONTACT};expires=3000"]
        assert values(answer, "Expires") == []

    @pytest.mark.parametrize("lines", [(), ("Expires: 0",)], ids=repr)
    def test_of_nothing(self, house: House, lines: tuple[str, ...]) -> None:
        answer = house.register(lines=lines)
        assert answer.status == 200
        assert values(answer, "Contact") == []


class TestRemoval:
    """10.2.2 and 10.3, step 6."""

    @pytest.mark.parametrize(
        ("contact", "lines"),
        [
            ("*", ("Expires: 0",)),
            (CONTACT, ("Expires: 0",)),
            (f"{CONTACT};expires=0", ("Expires: 3600",)),
            (f"{CONTACT};{INSTANCE};expires=0", ()),
        ],
    )
    def test_of_one(self, house: House, contact: str, lines: tuple[str, ...]) -> None:
        house.register(CONTACT)
        answer = house.register(contact, lines=lines)
        assert answer.status == 200
        assert values(answer, "Contact") == []
        assert values(answer, "Expires") == ["0"]
        assert house.contacts() == []
        assert house.location.next_expiry is None
        assert house.told == ["44", "44"]

    def test_of_one_with_an_instance_by_its_uri(self, house: House) -> None:
        house.register(f"{CONTACT};{INSTANCE}")
        house.register(f"{CONTACT};expires=0")
        assert house.contacts() == []

    def test_of_one_that_is_not_there(self, house: House) -> None:
        house.register(CONTACT)
        assert house.register("<sip:44@a>;expires=0").status == 200
        assert house.contacts() == [CONTACT]

    def test_of_one_of_several(self, house: House) -> None:
        house.register("<sip:44@a>", "<sip:44@b>")
        house.register("<sip:44@a>;expires=0")
        assert house.contacts() == ["<sip:44@b>"]

    def test_of_all(self, house: House) -> None:
        house.register("<sip:44@a>", "<sip:44@b>")
        house.register("*", lines=("Expires: 0",), call_id="call-2")
        assert house.contacts() == []

    @pytest.mark.parametrize(
        ("contacts", "lines"),
        [
            (("*",), ()),
            (("*",), ("Expires: 60",)),
            (("*",), ("Expires: never",)),
            (("*", CONTACT), ("Expires: 0",)),
            (("*, *",), ("Expires: 0",)),
            (("*;expires=0",), ("Expires: 0",)),
        ],
        ids=repr,
    )
    def test_a_star_that_is_not_alone_or_not_zero(
        self, house: House, contacts: tuple[str, ...], lines: tuple[str, ...]
    ) -> None:
        house.register(CONTACT)
        assert house.register(*contacts, lines=lines) == Answer(400)
        assert house.contacts() == [CONTACT]

    def test_by_the_house(self, house: House) -> None:
        house.register(CONTACT)
        house.location.forget("44")
        house.location.forget("99")
        assert house.contacts() == []


class TestOrder:
    """10.3, steps 6 and 7: a REGISTER that was overtaken must fail as a whole."""

    @pytest.mark.parametrize("cseq", [4, 5], ids=["older", "doubled"])
    @pytest.mark.parametrize(
        ("contacts", "lines"),
        [
            ((CONTACT,), ()),
            ((CONTACT,), ("Expires: 0",)),
            (("*",), ("Expires: 0",)),
            (("<sip:44@new>", CONTACT), ()),
        ],
        ids=["refresh", "remove", "remove all", "several"],
    )
    def test_same_call_and_no_higher_number(
        self, house: House, contacts: tuple[str, ...], lines: tuple[str, ...], cseq: int
    ) -> None:
        house.register(CONTACT, cseq=5)
        assert house.register(*contacts, lines=lines, cseq=cseq) == Answer(500)
        assert house.contacts() == [CONTACT]
        assert house.told == ["44"]

    def test_another_call_begins_anew(self, house: House) -> None:
        house.register(CONTACT, cseq=5)
        assert house.register(CONTACT, cseq=1, call_id="call-2").status == 200
        assert house.register(CONTACT, cseq=1, call_id="call-1").status == 200

    def test_another_device_is_not_in_the_way(self, house: House) -> None:
        house.register("<sip:44@a>", cseq=5)
        assert house.register("<sip:44@b>", cseq=4).status == 200


class TestSeveralDevices:
    """RFC 3261 10.3, and RFC 5626 for the instance."""

    def test_each_uri_is_one(self, house: House) -> None:
        house.register("<sip:44@a>, sip:44@b")
        assert house.contacts() == ["<sip:44@a>", "sip:44@b"]
        house.register("<SIP:%344@A>")
        assert house.contacts() == ["sip:44@b", "<SIP:%344@A>"]

    def test_the_same_contact_twice_in_one_request(self, house: House) -> None:
        assert house.register("<sip:44@a>;q=1", "<sip:44@a>;q=2").status == 200
        assert house.contacts() == ["<sip:44@a>;q=2"]

    def test_the_same_instance_from_a_new_port_replaces(self, house: House) -> None:
        house.register(f"<sip:44@192.0.2.4:2048>;{INSTANCE}")
        house.register(
            f"<sip:44@192.0.2.4:4096>;{INSTANCE}", flow=ELSEWHERE, call_id="call-2"
        )
        (binding,) = house.location.bindings("44")
        assert binding.contact.uri.port == 4096
        assert binding.flow == ELSEWHERE

    @pytest.mark.parametrize("instance", ["", f";{INSTANCE}"])
    def test_a_device_ends_its_old_contact_behind_its_new_one(
        self, house: House, instance: str
    ) -> None:
        """As pjsip does when it finds out what its router makes of its address."""
        new, old = f"{CONTACT}{instance}", f"<sip:44@10.0.0.4:5060>{instance}"
        assert house.register(f"{new};expires=600", f"{old};expires=0").status == 200
        assert house.contacts() == [f"{new};expires=600"]
        house.register(old, call_id="call-2")
        house.register(new, call_id="call-3")
        house.register(f"{old};expires=0", call_id="call-4")
        assert house.contacts() == [new]
        house.register(f"{new};expires=0", call_id="call-5")
        assert house.contacts() == []

    def test_several_instances_are_kept_even_with_one_uri(self, house: House) -> None:
        """Two phones behind different routers may call themselves 192.168.1.2."""
        house.register(f"{CONTACT};{INSTANCE}")
        house.register(f"{CONTACT};{OTHER_INSTANCE}", flow=ELSEWHERE, call_id="call-2")
        bindings = house.location.bindings("44")
        assert [binding.flow for binding in bindings] == [FLOW, ELSEWHERE]
        assert len({binding.key for binding in bindings}) == 2

    def test_an_instance_that_comes_later_replaces_the_same_uri(
        self, house: House
    ) -> None:
        house.register(CONTACT)
        house.register(f"{CONTACT};{INSTANCE}")
        assert house.contacts() == [f"{CONTACT};{INSTANCE}"]

    def test_the_oldest_make_room(self, house: House) -> None:
        for number in range(MAX_BINDINGS + 2):
            assert house.register(f"<sip:44@h{number}>").status == 200
        assert house.contacts() == [
            f"<sip:44@h{n}>" for n in range(2, MAX_BINDINGS + 2)
        ]

    def test_more_at_once_than_there_may_be(self, house: House) -> None:
        contacts = [f"<sip:44@h{number}>" for number in range(MAX_BINDINGS + 1)]
        assert house.register(*contacts) == Answer(400)
        assert house.contacts() == []


EDGE = "<sip:127.0.0.1:5060;lr;received=sip:192.0.2.4:2048%3Btransport%3Dudp>"
OUTER = "<sip:outer.test;lr>;x=y"


class TestPath:
    """RFC 3327 5.3."""

    @pytest.mark.parametrize(
        "lines",
        [(f"Path: {EDGE}, {OUTER}",), (f"path: {EDGE}", f"Path: {OUTER}")],
        ids=["one line", "two lines"],
    )
    def test_it_is_stored_and_told(self, house: House, lines: tuple[str, ...]) -> None:
        answer = house.register(CONTACT, lines=(*lines, "Supported: gruu, path"))
        assert answer.status == 200
        assert ", ".join(values(answer, "Path")) == f"{EDGE}, {OUTER}"
        (binding,) = house.location.bindings("44")
        assert binding.path == (EDGE, OUTER)
        assert binding.forwarded

    def test_it_is_the_newest_that_counts(self, house: House) -> None:
        house.register(CONTACT, lines=(f"Path: {EDGE}", "Supported: path"))
        house.register(CONTACT, lines=(f"Path: {OUTER}", "Supported: path"))
        assert house.location.bindings("44")[0].path == (OUTER,)
        answer = house.register(CONTACT, lines=("Supported: path",))
        assert values(answer, "Path") == []
        (binding,) = house.location.bindings("44")
        assert (binding.path, binding.forwarded) == ((), False)

    @pytest.mark.parametrize("lines", [(), ("Supported: outbound",)], ids=repr)
    def test_a_phone_that_does_not_know_it_is_told_by_420(
        self, house: House, lines: tuple[str, ...]
    ) -> None:
        answer = house.register(CONTACT, lines=(f"Path: {EDGE}", *lines))
        assert answer == Answer(420, (("Unsupported", "path"),))
        assert house.contacts() == []

    @pytest.mark.parametrize(
        "path",
        [
            "<sip:edge.test>",
            "sip:edge.test;lr",
            "<tel:44;lr>",
            "<sip:edge.test;lr",
            "edge.test, ;",
            f"<sip:edge.test;lr;x={'x' * 500}>",
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("contact", [CONTACT, "*"])
    def test_what_is_no_loose_router_changes_nothing(
        self, house: House, contact: str, path: str
    ) -> None:
        house.register("<sip:44@before>")
        lines = (f"Path: {path}", "Supported: path", "Expires: 0")
        assert house.register(contact, lines=lines) == Answer(400)
        assert house.contacts() == ["<sip:44@before>"]

    @pytest.mark.parametrize("via", [(), ("Via: SIP/2.0/UDP h;branch=z9hG4bKa",)])
    def test_two_devices_behind_one_proxy_are_two(
        self, house: House, via: tuple[str, ...]
    ) -> None:
        """Without a proxy, another call from the same flow is a restarted phone."""
        lines = via or (f"Path: {EDGE}", "Supported: path")
        house.register("<sip:44@a>", lines=lines)
        house.register("<sip:44@b>", lines=lines, call_id="call-2")
        assert house.contacts() == ["<sip:44@a>", "<sip:44@b>"]


@pytest.mark.parametrize(
    ("contact", "lines"),
    [
        ("<tel:44>", ()),
        ("<mailto:44@x>", ()),
        ("<http://www.example.com>", ()),
        ("<sip:44@a", ()),
        ('"a <sip:44@a>', ()),
        ("sip:44@a?Route=%3Csip:x%3E", ()),
        ("<sip:44@a>;expires=60;expires=90", ()),
        ("<sip:44@a;line=1;line=2>", ()),
        (CONTACT, ('Supported: "a, b',)),
        ("*", ('Supported: "a, b', "Expires: 0")),
    ],
    ids=repr,
)
def test_what_cannot_be_read_changes_nothing(
    house: House, contact: str, lines: tuple[str, ...]
) -> None:
    house.register("<sip:44@before>")
    assert house.register("<sip:44@good>", contact, lines=lines) == Answer(400)
    assert house.contacts() == ["<sip:44@before>"]
    assert house.told == ["44"]


class TestRestore:
    def test_bindings_from_before_a_restart(self, house: House) -> None:
        house.register("<sip:44@a>", lines=("Expires: 60",))
        house.register("<sip:44@b>", lines=("Expires: 600",))
        house.register("<sip:45@c>", user="45")
        saved = [*house.location.bindings("44"), *house.location.bindings("45")]
        later = House()
        later.now = house.now + 60
        later.location.restore(saved)
        assert later.contacts() == ["<sip:44@b>"]
        assert later.contacts("45") == ["<sip:45@c>"]
        assert later.told == []
        assert later.location.next_expiry == house.now + 600
        assert later.location.expire() == []

    def test_their_order_still_counts(self, house: House) -> None:
        house.register(CONTACT, cseq=5)
        later = House()
        later.location.restore(house.location.bindings("44"))
        assert later.register(CONTACT, cseq=5) == Answer(500)
        assert later.register(CONTACT, cseq=6).status == 200


class TestAuthorize:
    """Other requests: from a flow that an authenticated binding came by, or by digest."""

    def message(self, user: str = "44") -> Request:
        return request("MESSAGE", uri=URI, From=f"<sip:{user}@ha.test>;tag=1")

    def test_the_flow_of_a_binding_is_trusted(self, house: House) -> None:
        house.register(CONTACT)
        assert house.trust.judge(self.message(), FLOW) is None

    @pytest.mark.parametrize(
        "flow",
        [
            ELSEWHERE,
            Flow("UDP", "192.0.2.5", 2048),
            Flow("TCP", "192.0.2.4", 2048),
        ],
    )
    def test_another_flow_is_challenged(self, house: House, flow: Flow) -> None:
        house.register(CONTACT)
        answer = house.trust.judge(self.message(), flow)
        assert answer is not None
        assert answer.status == 401

    def test_a_flow_speaks_for_its_own_user_only(self, house: House) -> None:
        house.register(CONTACT)
        assert house.trust.judge(self.message("45"), FLOW) is not None

    def test_a_flow_is_trusted_as_long_as_its_binding(self, house: House) -> None:
        house.register(CONTACT, lines=("Expires: 60",))
        house.now += 60
        assert house.trust.judge(self.message(), FLOW) is not None

    def test_digest(self, house: House) -> None:
        good = house.request(method="MESSAGE", flow=ELSEWHERE)
        assert house.trust.judge(good, ELSEWHERE) is None
        again = house.trust.judge(good, ELSEWHERE)
        assert again is not None
        assert "stale=true" in again.headers[0][1]

    def test_digest_of_another_user(self, house: House) -> None:
        message = house.request(
            method="MESSAGE", user="45", username="44", flow=ELSEWHERE
        )
        assert house.trust.judge(message, ELSEWHERE) == Answer(403)

    @pytest.mark.parametrize("flow", [FLOW, ELSEWHERE], ids=["its own", "another"])
    def test_our_own_request_is_no_press(self, house: House, flow: Flow) -> None:
        """RFC 3261 8.2.2.1; whoever returns it may have had us answer the challenge."""
        lines = (f"Path: {EDGE}", "Supported: path")
        house.register("<sip:44@192.0.2.4:2048;line=x;method=MESSAGE>", lines=lines)
        contact = "sip:44@192.0.2.4:2048;line=x"
        ours = house.request(method="MESSAGE", flow=flow, uri=contact)
        assert house.trust.judge(ours, flow) == Answer(482)

    def test_nor_if_it_comes_back_from_the_phone_itself(self, house: House) -> None:
        house.register(CONTACT)
        ours = request("MESSAGE", uri=CONTACT.strip("<>"))
        assert house.trust.judge(ours, FLOW) == Answer(482)

    def test_what_was_seen_on_its_way_is_worth_nothing_elsewhere(
        self, house: House
    ) -> None:
        """Credentials belong to the flow whose challenge they answer."""
        seen = house.request(CONTACT, flow=FLOW)
        answer = house.answer(seen, ELSEWHERE)
        assert answer.status == 401
        assert "stale=true" in answer.headers[0][1]
        assert house.location.bindings("44") == ()
        assert house.answer(seen, FLOW).status == 200

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
        self, house: House, via: str, more: tuple[str, ...]
    ) -> None:
        """Its flow is everybody's who is behind the proxy."""
        house.register(CONTACT)
        data = request_bytes("MESSAGE", *more, Via=via, From="<sip:44@ha.test>;tag=1")
        message = parse_datagram(data)
        assert isinstance(message, Request)
        answer = house.trust.judge(message, FLOW)
        assert answer is not None
        assert answer.status == 401

    @pytest.mark.parametrize(
        "lines",
        [("Path: <sip:edge.test;lr>", "Supported: path"), ("Via: SIP/2.0/UDP h;branch=z9",)],
        ids=["Path", "Via"],
    )  # fmt: skip
    def test_a_binding_that_came_through_a_proxy_gives_no_trust(
        self, house: House, lines: tuple[str, ...]
    ) -> None:
        """Not even to what seems to have come without it."""
        assert house.register(CONTACT, lines=lines).status == 200
        answer = house.trust.judge(self.message(), FLOW)
        assert answer is not None
        assert answer.status == 401
        good = house.request(method="MESSAGE")
        assert house.trust.judge(good, FLOW) is None

    def test_nobody(self, house: House) -> None:
        anonymous = request("MESSAGE", From="<sip:ha.test>;tag=1")
        answer = house.trust.judge(anonymous, FLOW)
        assert answer is not None
        assert answer.status == 401
