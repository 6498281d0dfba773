"""The location service, with a clock that only tests move."""

from __future__ import annotations

from dataclasses import replace
import math

from custom_components.snom_buttons.engine.sip import (
    Answer,
    Flow,
    LocationService,
    parse_uri,
)
from tests.support.bindings import bind
from tests.support.registration import CONTACT, Stack


class TestExpiry:
    def test_a_binding_ends_on_time(self, stack: Stack) -> None:
        stack.register(CONTACT, lines=("Expires: 60",))
        stack.now += 59.9
        assert stack.location.expire() == []
        assert stack.contacts() == [CONTACT]
        stack.now += 0.1
        assert stack.contacts() == [], "even before `expire` is called"
        assert stack.location.expire() == ["44"]
        assert stack.location.expire() == []
        assert stack.location.next_expiry is None

    def test_only_what_is_over_goes(self, stack: Stack) -> None:
        stack.register("<sip:44@a>;expires=60")
        stack.register("<sip:44@b>;expires=120")
        stack.register("<sip:45@c>;expires=90", user="45")
        assert stack.location.next_expiry == stack.now + 60
        stack.now += 60
        assert stack.location.expire() == ["44"]
        assert stack.contacts() == ["<sip:44@b>;expires=120"]
        assert stack.location.next_expiry == stack.now + 30


class TestDrop:
    def test_of_all_bindings_of_a_user(self, stack: Stack) -> None:
        stack.register(CONTACT)
        stack.location.forget("44")
        stack.location.forget("99")
        assert stack.contacts() == []

    def test_of_a_single_binding(self, stack: Stack) -> None:
        stack.register("<sip:44@a>", "<sip:44@b>")
        first, _ = stack.location.bindings("44")
        assert not stack.location.drop(replace(first)), "an equal one is another"
        assert stack.location.drop(first)
        assert not stack.location.drop(first)
        assert stack.contacts() == ["<sip:44@b>"]


class TestRestore:
    def test_bindings_from_before_a_restart(self, stack: Stack) -> None:
        stack.register("<sip:44@a>", lines=("Expires: 60",))
        stack.register("<sip:44@b>", lines=("Expires: 600",))
        stack.register("<sip:45@c>", user="45")
        later = Stack()
        later.now = stack.now + 60
        for user in ("44", "45"):
            later.location.restore(user, stack.location.bindings(user))
        assert later.contacts() == ["<sip:44@b>"]
        assert later.contacts("45") == ["<sip:45@c>"]
        assert later.registered == []
        assert later.location.next_expiry == stack.now + 600
        assert later.location.expire() == []

    def test_their_order_still_counts(self, stack: Stack) -> None:
        stack.register(CONTACT, cseq=5)
        later = Stack()
        later.location.restore("44", stack.location.bindings("44"))
        assert later.register(CONTACT, cseq=5) == Answer(500)
        assert later.register(CONTACT, cseq=6).status == 200


PHONE = Flow("UDP", "192.0.2.4", 2048)
PROXY = Flow("UDP", "192.0.2.5", 5060)
ADDRESS = Flow("UDP", "192.0.2.6", 5060)


class TestFlows:
    """What the location service answers about a flow or a URI."""

    def test_of_a_registration(self) -> None:
        location = LocationService(lambda: 0.0)
        bind(location, PHONE)
        assert location.knows(PHONE)
        assert location.serves(PHONE)
        assert location.is_from_contact("44", PHONE)
        assert not location.is_from_contact("45", PHONE)
        assert not location.is_from_address("44", PHONE)
        elsewhere = PHONE._replace(port=9)
        assert not location.knows(elsewhere)
        assert not location.serves(elsewhere)
        assert not location.is_from_contact("44", elsewhere)
        location.forget("44")
        assert not location.knows(PHONE)
        assert not location.serves(PHONE)

    def test_of_a_registration_through_a_proxy(self) -> None:
        location = LocationService(lambda: 0.0)
        bind(location, PROXY, forwarded=True)
        assert not location.knows(PROXY)
        assert location.serves(PROXY)
        assert not location.is_from_contact("44", PROXY)

    def test_that_two_users_share(self) -> None:
        location = LocationService(lambda: 0.0)
        bind(location, PHONE)
        bind(location, PHONE, user="45")
        location.forget("44")
        assert location.knows(PHONE)
        location.forget("45")
        assert not location.knows(PHONE)

    def test_of_an_address(self) -> None:
        location = LocationService(lambda: 0.0)
        location.bind_address("44", ADDRESS.host, ADDRESS.port)
        (binding,) = location.bindings("44")
        assert str(binding.contact) == "<sip:44@192.0.2.6:5060>"
        assert binding.expires_at == math.inf
        assert location.knows(ADDRESS)
        another_port = ADDRESS._replace(port=9)
        assert not location.knows(another_port)
        assert location.serves(another_port)
        assert location.is_from_contact("44", another_port)
        assert location.is_from_address("44", another_port)
        assert not location.is_from_contact("45", another_port)
        assert not location.serves(another_port._replace(transport="TCP"))
        location.forget("44")
        assert not location.serves(another_port)

    def test_of_an_ipv6_address_with_its_interface(self) -> None:
        location = LocationService(lambda: 0.0)
        location.bind_address("44", "fe80::1%eth0", 5060)
        (binding,) = location.bindings("44")
        assert str(binding.contact) == "<sip:44@[fe80::1]:5060>"
        assert binding.flow.host == "fe80::1%eth0"

    def test_a_contact_is_found_by_the_target_of_our_requests(
        self, stack: Stack
    ) -> None:
        stack.register("<sip:44@192.0.2.4:2048;line=x;method=MESSAGE>")
        for text, is_contact in (
            ("sip:44@192.0.2.4:2048;line=x", True),
            ("sip:44@192.0.2.4:2048;line=y", False),
            ("sip:44@192.0.2.4:2049;line=x", False),
            ("sip:ha.test", False),
        ):
            assert stack.location.is_contact("44", parse_uri(text)) is is_contact
            assert not stack.location.is_contact("45", parse_uri(text))
