"""REGISTER requests and their answers (RFC 3261 10), with a clock that only tests move."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from custom_components.snom_buttons.engine.sip import MAX_BINDINGS, Answer, Flow
from custom_components.snom_buttons.engine.sip.expiry import MAX_EXPIRES, MIN_EXPIRES
from tests.support.registration import CONTACT, EDGE, ELSEWHERE, FLOW, Stack, values

INSTANCE = '+sip.instance="<urn:uuid:b255d09d-7a6e-4ad3-9ffb-eeacc9f87d52>"'
TLS = Flow("TLS", "192.0.2.4", 2048, 1)
OTHER_INSTANCE = '+sip.instance="<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>"'


class TestWhatIsKept:
    """The texts of a phone appear in logs, stores and the device registry."""

    def test_bytes_that_are_no_utf_8_become_readable(self, stack: Stack) -> None:
        stack.register(
            '<sip:44@a>;+sip.instance="<urn:x:\udcfc>"',
            lines=("User-Agent: snom320/8.7\udcfc 0004130DD7C9",),
        )
        (binding,) = stack.location.bindings("44")
        assert binding.user_agent == "snom320/8.7? 0004130DD7C9"
        assert binding.instance == "<urn:x:?>"

    def test_a_user_agent_is_cut(self, stack: Stack) -> None:
        stack.register(CONTACT, lines=(f"User-Agent: {'x' * 5000}",))
        assert stack.location.bindings("44")[0].user_agent == "x" * 128

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
        self, stack: Stack, contact: str, to: str, status: int
    ) -> None:
        assert stack.register(contact, to=to).status == status

    def test_a_phone_that_restarts_without_an_instance_is_the_same_contact(
        self, stack: Stack
    ) -> None:
        """Its Contact has another `line` at the same address."""
        stack.register("<sip:44@192.0.2.4:2048;line=one>")
        stack.register("<sip:44@192.0.2.4:2048;line=two>", call_id="call-2")
        assert stack.contacts() == ["<sip:44@192.0.2.4:2048;line=two>"]

    @pytest.mark.parametrize(
        ("transport", "status"), [("UDP", 400), ("TCP", 400), ("TLS", 200)]
    )
    def test_a_sips_contact_needs_tls(
        self, stack: Stack, transport: str, status: int
    ) -> None:
        """It would be used in clear otherwise (RFC 3261 26.2.2)."""
        flow = FLOW._replace(transport=transport)
        assert stack.register("<sips:44@192.0.2.4>", flow=flow).status == status
        assert len(stack.contacts()) == (status == 200)

    def test_two_contacts_of_one_registration_are_two(self, stack: Stack) -> None:
        stack.register("<sip:44@a>", "<sip:44@b>")
        assert stack.contacts() == ["<sip:44@a>", "<sip:44@b>"]


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
        self, stack: Stack, contact: str, echoed: str
    ) -> None:
        """A snom recognises only its exact Contact; the server adds `expires`."""
        assert values(stack.register(contact), "Contact") == [echoed]

    def test_all_current_contacts_come_back(self, stack: Stack) -> None:
        stack.register("<sip:44@a>;expires=600")
        stack.now += 100
        answer = stack.register(
            "<sip:44@b>;expires=900", call_id="call-2", flow=ELSEWHERE
        )
        assert values(answer, "Contact") == [
            "<sip:44@a>;expires=500",
            "<sip:44@b>;expires=900",
        ]
        assert values(answer, "Expires") == ["900"]

    def test_expires_says_what_this_request_got(self, stack: Stack) -> None:
        stack.register("<sip:44@a>;expires=3600")
        answer = stack.register("<sip:44@b>;expires=60", call_id="call-2")
        assert values(answer, "Expires") == ["60"]

    def test_date(self, stack: Stack) -> None:
        (date,) = values(stack.register(CONTACT), "Date")
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
    def test_a_phone_that_supports_buttons_gets_require(
        self, stack: Stack, line: str, supports: bool
    ) -> None:
        """With the header of RFC 3261 and that of the LED Remote Control document (19.2)."""
        answer = stack.register(CONTACT, lines=(line,))
        assert values(answer, "Require") == ["buttons"] * supports
        assert values(answer, "Required") == ["buttons"] * supports
        assert stack.location.bindings("44")[0].supports_buttons is supports

    def test_binding(self, stack: Stack) -> None:
        stack.register(
            f"{CONTACT};{INSTANCE}",
            lines=("User-Agent: snomD785/10.1.198.12 0004130DD7C9",),
            cseq=4655,
        )
        (binding,) = stack.location.bindings("44")
        assert binding.user == "44"
        assert str(binding.aor) == "sip:44@ha.test"
        assert binding.contact.uri.parameter("line") == "44qsudyt"
        assert binding.flow == FLOW
        assert (binding.call_id, binding.cseq) == ("call-1", 4655)
        assert binding.expires_at == stack.now + 3600
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
            # A malformed one is read as an hour.
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
        self, stack: Stack, contact: str, lines: tuple[str, ...], granted: int
    ) -> None:
        answer = stack.register(contact, lines=lines)
        assert answer.status == 200
        assert values(answer, "Expires") == [str(granted)]
        assert stack.location.next_expiry == stack.now + granted

    @pytest.mark.parametrize("seconds", [1, 59])
    def test_423_for_too_brief(self, stack: Stack, seconds: int) -> None:
        refused = Answer(423, (("Min-Expires", "60"),))
        assert stack.register(CONTACT, lines=(f"Expires: {seconds}",)) == refused
        assert stack.register(f"{CONTACT};expires={seconds}") == refused
        assert stack.register("<sip:44@a>", f"<sip:44@b>;expires={seconds}") == refused
        assert stack.contacts() == []
        assert stack.registered == []

    def test_what_is_over_no_longer_orders_requests(self, stack: Stack) -> None:
        stack.register(CONTACT, lines=("Expires: 60",), cseq=9)
        stack.now += 60
        assert stack.register(CONTACT, cseq=1).status == 200

    def test_refreshing(self, stack: Stack) -> None:
        stack.register(CONTACT, lines=("Expires: 60",))
        stack.now += 50
        assert stack.register(CONTACT, lines=("Expires: 60",)).status == 200
        stack.now += 50
        assert stack.contacts() == [CONTACT]


class TestQuery:
    """10.2.3."""

    def test_without_contact_nothing_changes(self, stack: Stack) -> None:
        stack.register(CONTACT)
        stack.now += 600
        answer = stack.register()
        assert answer.status == 200
        assert values(answer, "Contact") == [f"{CONTACT};expires=3000"]
        assert values(answer, "Expires") == []

    @pytest.mark.parametrize("lines", [(), ("Expires: 0",)], ids=repr)
    def test_of_nothing(self, stack: Stack, lines: tuple[str, ...]) -> None:
        answer = stack.register(lines=lines)
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
    def test_of_one(self, stack: Stack, contact: str, lines: tuple[str, ...]) -> None:
        stack.register(CONTACT)
        answer = stack.register(contact, lines=lines)
        assert answer.status == 200
        assert values(answer, "Contact") == []
        assert values(answer, "Expires") == ["0"]
        assert stack.contacts() == []
        assert stack.location.next_expiry is None
        assert stack.registered == ["44", "44"]

    def test_of_one_with_an_instance_by_its_uri(self, stack: Stack) -> None:
        stack.register(f"{CONTACT};{INSTANCE}")
        stack.register(f"{CONTACT};expires=0")
        assert stack.contacts() == []

    def test_of_one_that_is_not_there(self, stack: Stack) -> None:
        stack.register(CONTACT)
        assert stack.register("<sip:44@a>;expires=0").status == 200
        assert stack.contacts() == [CONTACT]

    def test_of_one_of_several(self, stack: Stack) -> None:
        stack.register("<sip:44@a>", "<sip:44@b>")
        stack.register("<sip:44@a>;expires=0")
        assert stack.contacts() == ["<sip:44@b>"]

    def test_of_all(self, stack: Stack) -> None:
        stack.register("<sip:44@a>", "<sip:44@b>")
        stack.register("*", lines=("Expires: 0",), call_id="call-2")
        assert stack.contacts() == []

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
        self, stack: Stack, contacts: tuple[str, ...], lines: tuple[str, ...]
    ) -> None:
        stack.register(CONTACT)
        assert stack.register(*contacts, lines=lines) == Answer(400)
        assert stack.contacts() == [CONTACT]


class TestOrder:
    """10.3, steps 6 and 7: a REGISTER that was overtaken fails as a whole."""

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
        self, stack: Stack, contacts: tuple[str, ...], lines: tuple[str, ...], cseq: int
    ) -> None:
        stack.register(CONTACT, cseq=5)
        assert stack.register(*contacts, lines=lines, cseq=cseq) == Answer(500)
        assert stack.contacts() == [CONTACT]
        assert stack.registered == ["44"]

    def test_another_call_begins_anew(self, stack: Stack) -> None:
        stack.register(CONTACT, cseq=5)
        assert stack.register(CONTACT, cseq=1, call_id="call-2").status == 200
        assert stack.register(CONTACT, cseq=1, call_id="call-1").status == 200

    def test_another_instance_begins_anew(self, stack: Stack) -> None:
        """As of pyVoIP, with the same Call-ID and the same numbers after each start."""
        stack.register(f"{CONTACT};{INSTANCE}", cseq=2)
        assert stack.register(f"{CONTACT};{INSTANCE}", cseq=2) == Answer(500)
        assert stack.register(f"{CONTACT};{OTHER_INSTANCE}", cseq=2).status == 200
        assert stack.contacts() == [f"{CONTACT};{OTHER_INSTANCE}"]

    def test_another_contact_is_not_in_the_way(self, stack: Stack) -> None:
        stack.register("<sip:44@a>", cseq=5)
        assert stack.register("<sip:44@b>", cseq=4).status == 200


class TestSeveralContacts:
    """RFC 3261 10.3, and RFC 5626 for the instance."""

    def test_each_uri_is_one(self, stack: Stack) -> None:
        stack.register("<sip:44@a>, sip:44@b")
        assert stack.contacts() == ["<sip:44@a>", "sip:44@b"]
        stack.register("<SIP:%344@A>")
        assert stack.contacts() == ["sip:44@b", "<SIP:%344@A>"]

    def test_the_same_contact_twice_in_one_request(self, stack: Stack) -> None:
        assert stack.register("<sip:44@a>;q=1", "<sip:44@a>;q=2").status == 200
        assert stack.contacts() == ["<sip:44@a>;q=2"]

    def test_the_same_instance_from_a_new_port_replaces(self, stack: Stack) -> None:
        stack.register(f"<sip:44@192.0.2.4:2048>;{INSTANCE}")
        stack.register(
            f"<sip:44@192.0.2.4:4096>;{INSTANCE}", flow=ELSEWHERE, call_id="call-2"
        )
        (binding,) = stack.location.bindings("44")
        assert binding.contact.uri.port == 4096
        assert binding.flow == ELSEWHERE

    @pytest.mark.parametrize("instance", ["", f";{INSTANCE}"])
    def test_a_contact_ends_its_old_registration_after_its_new_one(
        self, stack: Stack, instance: str
    ) -> None:
        """As pjsip does when it detects NAT."""
        new, old = f"{CONTACT}{instance}", f"<sip:44@10.0.0.4:5060>{instance}"
        assert stack.register(f"{new};expires=600", f"{old};expires=0").status == 200
        assert stack.contacts() == [f"{new};expires=600"]
        stack.register(old, call_id="call-2")
        stack.register(new, call_id="call-3")
        stack.register(f"{old};expires=0", call_id="call-4")
        assert stack.contacts() == [new]
        stack.register(f"{new};expires=0", call_id="call-5")
        assert stack.contacts() == []

    def test_one_uri_behind_two_routers_is_two_instances(self, stack: Stack) -> None:
        """Both routers may give their phone the address 192.168.1.2."""
        other = FLOW._replace(host="192.0.2.5")
        stack.register(f"{CONTACT};{INSTANCE}")
        stack.register(f"{CONTACT};{OTHER_INSTANCE}", flow=other, call_id="call-2")
        bindings = stack.location.bindings("44")
        assert [binding.flow for binding in bindings] == [FLOW, other]
        assert len({binding.key for binding in bindings}) == 2
        ended = f"{CONTACT};{OTHER_INSTANCE};expires=0"
        stack.register(ended, flow=other, call_id="call-2")
        assert [binding.flow for binding in stack.location.bindings("44")] == [FLOW]

    @pytest.mark.parametrize("flow", [FLOW, ELSEWHERE], ids=["same", "other port"])
    @pytest.mark.parametrize("call_id", ["call-1", "call-2"])
    def test_one_uri_at_one_address_is_one_whatever_its_instance(
        self, stack: Stack, flow: Flow, call_id: str
    ) -> None:
        """10.3, step 7. pyVoIP has a new instance at each start; NAT changes ports."""
        stack.register(f"{CONTACT};{INSTANCE}")
        answer = stack.register(
            f"{CONTACT};{OTHER_INSTANCE}", flow=flow, call_id=call_id
        )
        assert values(answer, "Contact") == [f"{CONTACT};{OTHER_INSTANCE};expires=3600"]
        (binding,) = stack.location.bindings("44")
        assert binding.flow == flow
        stack.register(CONTACT, flow=flow, call_id="call-3")
        assert stack.contacts() == [CONTACT]

    @pytest.mark.parametrize("instance", ["", f";{INSTANCE}", f";{OTHER_INSTANCE}"])
    def test_a_phone_that_was_reset_is_the_same_contact(
        self, stack: Stack, instance: str
    ) -> None:
        """It has a new instance, `line` and Call-ID, and registers from its old flow."""
        stack.register(f"<sip:44@192.0.2.4:2048;line=one>;{INSTANCE}")
        reset = f"<sip:44@192.0.2.4:2048;line=two>{instance}"
        stack.register(reset, call_id="call-2")
        assert stack.contacts() == [reset]

    def test_one_instance_has_one_flow(self, stack: Stack) -> None:
        """RFC 5626 is not supported: two flows would get each document twice."""
        first, second = (
            f"<sip:44@192.0.2.4:{port}>;{INSTANCE};reg-id={port}"
            for port in (2048, 4096)
        )
        stack.register(first)
        answer = stack.register(second, flow=ELSEWHERE, call_id="call-2")
        assert values(answer, "Require") == []
        assert stack.contacts() == [second]

    def test_one_instance_for_two_extensions(self, stack: Stack) -> None:
        """Two identities of one phone, on one flow."""
        stack.register(f"<sip:44@a>;{INSTANCE}")
        stack.register(f"<sip:45@a>;{INSTANCE}", user="45", call_id="call-2")
        assert stack.contacts("44") == [f"<sip:44@a>;{INSTANCE}"]
        assert stack.contacts("45") == [f"<sip:45@a>;{INSTANCE}"]

    def test_softphones_of_one_host_are_as_many(self, stack: Stack) -> None:
        for port in range(5060, 5060 + MAX_BINDINGS):
            for again in ("", "-2"):
                stack.register(
                    f'<sip:44@192.0.2.4:{port}>;+sip.instance="<urn:uuid:{port}>"',
                    flow=FLOW._replace(port=port),
                    call_id=f"call-{port}{again}",
                )
        assert len(stack.contacts()) == MAX_BINDINGS

    def test_an_instance_that_comes_later_replaces_the_same_uri(
        self, stack: Stack
    ) -> None:
        stack.register(CONTACT)
        stack.register(f"{CONTACT};{INSTANCE}")
        assert stack.contacts() == [f"{CONTACT};{INSTANCE}"]

    def test_the_oldest_make_room(self, stack: Stack) -> None:
        for number in range(MAX_BINDINGS + 2):
            assert stack.register(f"<sip:44@h{number}>").status == 200
        assert stack.contacts() == [
            f"<sip:44@h{n}>" for n in range(2, MAX_BINDINGS + 2)
        ]

    def test_those_without_a_connection_make_room_first(self, stack: Stack) -> None:
        """A client that connects again and again displaces no other one."""
        stack.register("<sip:44@desk>")
        for number in range(MAX_BINDINGS + 2):
            flow = Flow("TCP", "192.0.2.5", 2048 + number, number + 1)
            contact = f"<sip:44@h{number};transport=tcp>"
            assert stack.register(contact, flow=flow).status == 200
            stack.location.lost(flow)
        stack.register("<sip:44@last>")
        contacts = stack.contacts()
        assert len(contacts) == MAX_BINDINGS
        assert contacts[-1] == "<sip:44@last>"
        assert "<sip:44@desk>" in contacts
        # What is lost is forgotten with its binding, or was none's.
        stack.location.lost(Flow("TCP", "192.0.2.6", 2048, 99))
        stack.location.forget("44")
        assert not stack.location._lost

    def test_more_at_once_than_there_may_be(self, stack: Stack) -> None:
        contacts = [f"<sip:44@h{number}>" for number in range(MAX_BINDINGS + 1)]
        assert stack.register(*contacts) == Answer(400)
        assert stack.contacts() == []


OUTER = "<sip:outer.test;lr>;x=y"


class TestPath:
    """RFC 3327 5.3."""

    @pytest.mark.parametrize(
        "lines",
        [(f"Path: {EDGE}, {OUTER}",), (f"path: {EDGE}", f"Path: {OUTER}")],
        ids=["one line", "two lines"],
    )
    def test_it_is_stored_and_returned(
        self, stack: Stack, lines: tuple[str, ...]
    ) -> None:
        answer = stack.register(CONTACT, lines=(*lines, "Supported: gruu, path"))
        assert answer.status == 200
        assert ", ".join(values(answer, "Path")) == f"{EDGE}, {OUTER}"
        (binding,) = stack.location.bindings("44")
        assert binding.path == (EDGE, OUTER)
        assert binding.forwarded

    def test_it_is_the_newest_that_counts(self, stack: Stack) -> None:
        stack.register(CONTACT, lines=(f"Path: {EDGE}", "Supported: path"))
        stack.register(CONTACT, lines=(f"Path: {OUTER}", "Supported: path"))
        assert stack.location.bindings("44")[0].path == (OUTER,)
        answer = stack.register(CONTACT, lines=("Supported: path",))
        assert values(answer, "Path") == []
        (binding,) = stack.location.bindings("44")
        assert (binding.path, binding.forwarded) == ((), False)

    @pytest.mark.parametrize("lines", [(), ("Supported: outbound",)], ids=repr)
    def test_a_phone_that_does_not_support_it_gets_420(
        self, stack: Stack, lines: tuple[str, ...]
    ) -> None:
        answer = stack.register(CONTACT, lines=(f"Path: {EDGE}", *lines))
        assert answer == Answer(420, (("Unsupported", "path"),))
        assert stack.contacts() == []

    @pytest.mark.parametrize(
        "path",
        [
            "<sip:edge.test>",
            "sip:edge.test;lr",
            "<tel:44;lr>",
            "<edge.test;lr>",
            "<mailto:edge@edge.test;lr>",
            "<sip:edge.test;lr",
            "edge.test, ;",
            f"<sip:edge.test;lr;x={'x' * 500}>",
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("contact", [CONTACT, "*"])
    def test_what_is_no_loose_router_changes_nothing(
        self, stack: Stack, contact: str, path: str
    ) -> None:
        stack.register("<sip:44@before>")
        lines = (f"Path: {path}", "Supported: path", "Expires: 0")
        assert stack.register(contact, lines=lines) == Answer(400)
        assert stack.contacts() == ["<sip:44@before>"]

    @pytest.mark.parametrize("via", [(), ("Via: SIP/2.0/UDP h;branch=z9hG4bKa",)])
    @pytest.mark.parametrize("of", [("", ""), (INSTANCE, OTHER_INSTANCE)], ids=repr)
    def test_two_contacts_behind_one_proxy_are_two(
        self, stack: Stack, via: tuple[str, ...], of: tuple[str, str]
    ) -> None:
        """Without a proxy, another Call-ID by the same flow is a restarted phone."""
        lines = via or (f"Path: {EDGE}", "Supported: path")
        stack.register(f"<sip:44@a>;{of[0]}", lines=lines)
        stack.register(f"<sip:44@b>;{of[1]}", lines=lines, call_id="call-2")
        assert stack.contacts() == [f"<sip:44@a>;{of[0]}", f"<sip:44@b>;{of[1]}"]

    @pytest.mark.parametrize(("path", "contacts"), [(EDGE, 1), (OUTER, 2)])
    def test_one_uri_behind_a_proxy_is_told_apart_by_its_path(
        self, stack: Stack, path: str, contacts: int
    ) -> None:
        """The `received` of a Path names the router that the phone is behind."""
        for number, (through, instance) in enumerate(
            ((EDGE, INSTANCE), (path, OTHER_INSTANCE))
        ):
            stack.register(
                f"{CONTACT};{instance}",
                lines=(f"Path: {through}", "Supported: path"),
                call_id=f"call-{number}",
            )
        assert len(stack.contacts()) == contacts


@pytest.mark.parametrize(
    ("contact", "lines"),
    [
        ("Kueche, Wand <sip:44@192.0.2.7:5062>", ()),
        ("<44@192.0.2.7:5062>", ()),
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
    stack: Stack, contact: str, lines: tuple[str, ...]
) -> None:
    stack.register("<sip:44@before>")
    assert stack.register("<sip:44@good>", contact, lines=lines) == Answer(400)
    assert stack.contacts() == ["<sip:44@before>"]
    assert stack.registered == ["44"]


class TestContactsOfOtherSchemes:
    """RFC 3261 10.2.1 allows them; no document could be sent to one."""

    @pytest.mark.parametrize(
        "other",
        ["<tel:44>", "<mailto:44@x>", "<http://www.example.com>", "<name:John_Smith>"],
    )
    def test_the_others_are_bound(self, stack: Stack, other: str) -> None:
        answer = stack.register(other, CONTACT)
        assert answer.status == 200
        assert values(answer, "Contact") == [f"{CONTACT};expires=3600"]
        assert stack.contacts() == [CONTACT]

    @pytest.mark.parametrize("lines", [(), ("Expires: 0",)], ids=repr)
    def test_alone_they_change_nothing(
        self, stack: Stack, lines: tuple[str, ...]
    ) -> None:
        stack.register(CONTACT)
        answer = stack.register("<mailto:44@x>", lines=lines)
        assert answer.status == 200
        assert stack.contacts() == [CONTACT]

    def test_they_count_against_the_limit(self, stack: Stack) -> None:
        many = ["<mailto:44@x>"] * MAX_BINDINGS
        assert stack.register(*many, CONTACT) == Answer(400)


@pytest.mark.parametrize(
    ("registered", "removed", "left"),
    [
        ("<sips:44@h;line=abc>", "<sips:44@h>", []),
        ("<sip:44@h:2048;line=abc>", "<sip:44@H:2048;x=y>", []),
        ("<sip:%344@h>", "sip:44@h", []),
        ("<sip:44@[2001:db8::1]>", "<sip:44@[2001:DB8:0::1]>", []),
        ("<sip:44@h;line=abc>", "<sips:44@h>", ["<sip:44@h;line=abc>"]),
        ("<sip:44@h;line=abc>", "<sip:44@h;line=x>", ["<sip:44@h;line=abc>"]),
        ("<sip:44@h;transport=tcp>", "<sip:44@h>", ["<sip:44@h;transport=tcp>"]),
    ],
)
def test_an_equivalent_contact_is_removed(
    stack: Stack, registered: str, removed: str, left: list[str]
) -> None:
    """RFC 3261 10.3, step 7, and 19.1.4."""
    stack.register(registered, flow=TLS)
    assert stack.register(f"{removed};expires=0", flow=TLS).status == 200
    assert stack.contacts() == left


def test_an_address_of_record_gets_its_scheme(stack: Stack) -> None:
    """It becomes From and To of the requests to the phone; sipsak writes none."""
    stack.register(CONTACT, to="44@ha.test")
    (binding,) = stack.location.bindings("44")
    assert str(binding.aor) == "sip:44@ha.test"
